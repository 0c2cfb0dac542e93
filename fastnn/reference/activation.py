"""Activation functions and their gradients (guide chapters 3, 5, 14, 27-35). NumPy only.

A gradient takes y where the derivative is simplest in terms of y, and x elsewhere. At a kink it is the one that
Keras uses.
"""

import math

import numpy as np

from fastnn.reference._types import Array, size

_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


def _sigmoid(x: Array) -> Array:
    e = np.exp(-size(x))      # never overflows
    return np.where(x < 0, e, 1) / (1 + e)


def _normal_cdf(x: Array) -> Array:
    def cdf(t: float) -> float:
        return 0.5 * math.erfc(-t / math.sqrt(2))
    return np.vectorize(cdf, otypes=[x.dtype])(x)


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-size(x)))


def step(x: Array) -> Array:
    """y = 1 where x >= 0, else 0. x any shape → y same shape. Rosenblatt 1958; has no useful gradient."""
    return (x >= 0).astype(x.dtype)


def sigmoid(x: Array) -> Array:
    """y = 1 / (1 + e^-x). x any shape → y same shape."""
    return _sigmoid(x)


def sigmoid_grad(dy: Array, y: Array) -> Array:
    """dx = dy·y·(1 - y). dy, y same shape → dx same shape."""
    return dy * y * (1 - y)


def tanh(x: Array) -> Array:
    """y = (e^x - e^-x) / (e^x + e^-x). x any shape → y same shape."""
    return np.tanh(x)


def tanh_grad(dy: Array, y: Array) -> Array:
    """dx = dy·(1 - y²). dy, y same shape → dx same shape."""
    return dy * (1 - y * y)


def relu(x: Array) -> Array:
    """y = max(x, 0); NaN stays NaN. x any shape → y same shape. Nair & Hinton 2010."""
    return np.where(x < 0, np.zeros_like(x), x)


def relu_grad(dy: Array, y: Array) -> Array:
    """dx = dy where y > 0, else 0. dy, y same shape → dx same shape."""
    return np.where(y > 0, dy, np.zeros_like(dy))


def relu6(x: Array) -> Array:
    """y = min(max(x, 0), 6). x any shape → y same shape. Krizhevsky 2010."""
    return np.clip(x, 0, 6)


def relu6_grad(dy: Array, y: Array) -> Array:
    """dx = dy where 0 < y < 6, else 0. dy, y same shape → dx same shape."""
    return np.where((y > 0) & (y < 6), dy, np.zeros_like(dy))


def leaky_relu(x: Array, *, slope: float) -> Array:
    """y = x where x > 0, else slope·x. x any shape → y same shape. Maas et al. 2013."""
    return np.where(x > 0, x, slope * x)


def leaky_relu_grad(dy: Array, x: Array, *, slope: float) -> Array:
    """dx = dy where x > 0, else slope·dy; the slope is taken at x = 0. dy, x same shape → dx same shape."""
    return np.where(x > 0, dy, slope * dy)


def clipped_relu(x: Array, *, slope: float, threshold: float, maximum: float) -> Array:
    """y = min(x, maximum) where x > threshold, else slope·(x - threshold). x any shape → y same shape. Keras' ReLU."""
    return np.where(x > threshold, np.minimum(x, maximum), slope * (x - threshold))


def clipped_relu_grad(dy: Array, x: Array, *, slope: float, threshold: float, maximum: float) -> Array:
    """dx = slope·dy where x <= threshold, dy between that and maximum, else 0. dy, x same shape → dx same shape."""
    return np.where(x > threshold, np.where(x < maximum, dy, np.zeros_like(dy)), slope * dy)


def elu(x: Array, *, alpha: float) -> Array:
    """y = x where x > 0, else α(e^x - 1). x any shape → y same shape. Clevert et al. 2015."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_grad(dy: Array, x: Array, *, alpha: float) -> Array:
    """dx = dy where x > 0, else dy·α·e^x. dy, x same shape → dx same shape."""
    return np.where(x > 0, dy, dy * alpha * np.exp(np.minimum(x, 0)))


def selu(x: Array) -> Array:
    """y = 1.0507·x where x > 0, else 1.0507·1.6733·(e^x - 1). x any shape → y same shape. Klambauer et al. 2017."""
    return _SELU_SCALE * elu(x, alpha=_SELU_ALPHA)


def selu_grad(dy: Array, x: Array) -> Array:
    """dx = 1.0507·dy where x > 0, else 1.0507·1.6733·dy·e^x. dy, x same shape → dx same shape."""
    return _SELU_SCALE * elu_grad(dy, x, alpha=_SELU_ALPHA)


def celu(x: Array, *, alpha: float) -> Array:
    """y = x where x > 0, else α(e^(x/α) - 1). x any shape → y same shape. Barron 2017."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def celu_grad(dy: Array, x: Array, *, alpha: float) -> Array:
    """dx = dy where x > 0, else dy·e^(x/α). dy, x same shape → dx same shape."""
    return np.where(x > 0, dy, dy * np.exp(np.minimum(x, 0) / alpha))


def gelu(x: Array) -> Array:
    """y = x·Φ(x), Φ the normal distribution function. x any shape → y same shape. Hendrycks & Gimpel 2016."""
    return x * _normal_cdf(x)


def gelu_grad(dy: Array, x: Array) -> Array:
    """dx = dy·(Φ(x) + x·φ(x)), φ the normal density. dy, x same shape → dx same shape."""
    return dy * (_normal_cdf(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def gelu_tanh(x: Array) -> Array:
    """y = x(1 + tanh u)/2, u = √(2/π)·(x + 0.044715·x³). x any shape → y same shape. Hendrycks & Gimpel 2016."""
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def gelu_tanh_grad(dy: Array, x: Array) -> Array:
    """dx = dy·((1 + t)/2 + x(1 - t²)u'/2), t = tanh u, u' = √(2/π)(1 + 0.134145·x²). dy, x same shape → dx same."""
    t = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return dy * ((1 + t) / 2 + x * (1 - t * t) * math.sqrt(2 / math.pi) * (1 + 0.134145 * x * x) / 2)


def silu(x: Array) -> Array:
    """y = x·sigmoid(x), also called swish. x any shape → y same shape. Ramachandran et al. 2017."""
    return x * _sigmoid(x)


def silu_grad(dy: Array, x: Array) -> Array:
    """dx = dy·s·(1 + x(1 - s)), s = sigmoid(x). dy, x same shape → dx same shape."""
    return dy * _sigmoid(x) * (1 + x * _sigmoid(-x))


def softplus(x: Array) -> Array:
    """y = ln(1 + e^x). x any shape → y same shape. Dugas et al. 2001."""
    return _softplus(x)


def softplus_grad(dy: Array, x: Array) -> Array:
    """dx = dy·sigmoid(x). dy, x same shape → dx same shape."""
    return dy * _sigmoid(x)


def softsign(x: Array) -> Array:
    """y = x / (1 + |x|). x any shape → y same shape. Turian et al. 2009."""
    return x / (1 + size(x))


def softsign_grad(dy: Array, x: Array) -> Array:
    """dx = dy / (1 + |x|)². dy, x same shape → dx same shape."""
    return dy / (1 + np.abs(x)) ** 2


def mish(x: Array) -> Array:
    """y = x·tanh(ln(1 + e^x)). x any shape → y same shape. Misra 2019."""
    return x * np.tanh(_softplus(x))


def mish_grad(dy: Array, x: Array) -> Array:
    """dx = dy·(t + x(1 - t²)·sigmoid(x)), t = tanh(ln(1 + e^x)). dy, x same shape → dx same shape."""
    t = np.tanh(_softplus(x))
    return dy * (t + x * (1 - t * t) * _sigmoid(x))


def hard_sigmoid(x: Array) -> Array:
    """y = min(max(x + 3, 0), 6) / 6. x any shape → y same shape. Howard et al. 2019."""
    return np.clip(x + 3, 0, 6) / 6


def hard_sigmoid_grad(dy: Array, x: Array) -> Array:
    """dx = dy / 6 where -3 < x < 3, else 0. dy, x same shape → dx same shape."""
    return np.where(np.abs(x) < 3, dy / 6, np.zeros_like(dy))


def hard_silu(x: Array) -> Array:
    """y = x·min(max(x + 3, 0), 6) / 6, also called hard swish. x any shape → y same shape. Howard et al. 2019."""
    return x * np.clip(x + 3, 0, 6) / 6


def hard_silu_grad(dy: Array, x: Array) -> Array:
    """dx = dy·(2x + 3)/6 where -3 < x < 3, dy above, 0 below. dy, x same shape → dx same shape."""
    return np.where(x > -3, np.where(x < 3, dy * (2 * x + 3) / 6, dy), np.zeros_like(dy))


def prelu(x: Array, alpha: Array) -> Array:
    """y = x where x > 0, else α·x. x (b, ...), alpha (...) → y (b, ...). He et al. 2015."""
    return np.where(x > 0, x, alpha * x)


def prelu_grad(dy: Array, x: Array, alpha: Array) -> Array:
    """dx = dy where x > 0, else α·dy. dy, x (b, ...), alpha (...) → dx (b, ...)."""
    return np.where(x > 0, dy, alpha * dy)


def prelu_alpha_grad(dy: Array, x: Array) -> Array:
    """dα = Σ_b dy·min(x, 0). dy, x (b, ...) → dalpha (...)."""
    return np.sum(dy * np.minimum(x, 0), axis=0)
