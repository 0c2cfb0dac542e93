"""Activation functions and their gradients. Floor 2."""

from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same, same_shapes


def _with_x(name: str, **bound: Any) -> Op:
    """The gradient op `name`, a function of dy and x of one shape."""
    return Op(name, shape=lambda dy, x: same_shapes(name, dy=dy, x=x), outputs=("dx",), **bound)


def _with_y(name: str, **bound: Any) -> Op:
    """The gradient op `name`, a function of dy and y of one shape."""
    return Op(name, shape=lambda dy, y: same_shapes(name, dy=dy, y=y), outputs=("dx",), **bound)


step = Op("step", shape=same, no_gradient="its derivative is 0 wherever it exists, so nothing could be learned through "
                                          "it; use sigmoid or relu instead.")

sigmoid = Op("sigmoid", shape=same, vjp=dict(x=lambda dy, y: sigmoid_grad(dy, y)), probabilities="sigmoid", ulps=6,
             cost=0.25)
sigmoid_grad = _with_y("sigmoid_grad")

tanh = Op("tanh", shape=same, vjp=dict(x=lambda dy, y: tanh_grad(dy, y)), ulps=6, cost=0.3)
tanh_grad = _with_y("tanh_grad", ulps=5)

relu = Op("relu", shape=same, vjp=dict(x=lambda dy, y: relu_grad(dy, y)))
relu_grad = _with_y("relu_grad")

relu6 = Op("relu6", shape=same, vjp=dict(x=lambda dy, y: relu6_grad(dy, y)))
relu6_grad = _with_y("relu6_grad")

leaky_relu = Op("leaky_relu", shape=same, vjp=dict(x=lambda dy, x, slope: leaky_relu_grad(dy, x, slope=slope)))
leaky_relu_grad = _with_x("leaky_relu_grad")

clipped_relu = Op("clipped_relu", shape=same,
                  vjp=dict(x=lambda dy, x, slope, threshold, maximum: clipped_relu_grad(
                      dy, x, slope=slope, threshold=threshold, maximum=maximum)),
                  magnitude=lambda x, threshold: np.abs(x) + abs(threshold))
clipped_relu_grad = _with_x("clipped_relu_grad")

elu = Op("elu", shape=same, vjp=dict(x=lambda dy, x, alpha: elu_grad(dy, x, alpha=alpha)), ulps=6, cost=0.27)
elu_grad = _with_x("elu_grad", ulps=6, cost=0.33)

selu = Op("selu", shape=same, vjp=dict(x=lambda dy, x: selu_grad(dy, x)), ulps=6, cost=0.27)
selu_grad = _with_x("selu_grad", ulps=6, cost=0.33)

# The rounding of x / alpha is multiplied by x / alpha.
celu = Op("celu", shape=same, vjp=dict(x=lambda dy, x, alpha: celu_grad(dy, x, alpha=alpha)), ulps=8,
          magnitude=lambda y, x, alpha: np.abs(y) * (1 + np.abs(x / alpha)), cost=0.35)
celu_grad = _with_x("celu_grad", ulps=6, magnitude=lambda dx, x, alpha: np.abs(dx) * (1 + np.abs(x / alpha)), cost=0.37)

# 4 units in the last place, or 2^-24 |x| where the factor of x is nearly 0.
gelu = Op("gelu", shape=same, vjp=dict(x=lambda dy, x: gelu_grad(dy, x)), ulps=1,
          magnitude=lambda x, y: np.maximum(8 * np.abs(y), np.abs(x)), cost=0.4)
gelu_grad = _with_x("gelu_grad", magnitude=lambda dy: np.abs(dy), cost=0.45)

gelu_tanh = Op("gelu_tanh", shape=same, vjp=dict(x=lambda dy, x: gelu_tanh_grad(dy, x)), ulps=1,
               magnitude=lambda x, y: np.maximum(8 * np.abs(y), np.abs(x)), cost=0.3)
gelu_tanh_grad = _with_x("gelu_tanh_grad", ulps=8, magnitude=lambda dy: np.abs(dy), cost=0.7)

silu = Op("silu", shape=same, vjp=dict(x=lambda dy, x: silu_grad(dy, x)), ulps=8, cost=0.25)
silu_grad = _with_x("silu_grad", ulps=8, magnitude=lambda dy: np.abs(dy), cost=0.5)

softplus = Op("softplus", shape=same, vjp=dict(x=lambda dy, x: softplus_grad(dy, x)), ulps=6, cost=0.35)
softplus_grad = _with_x("softplus_grad", ulps=8, cost=0.25)

softsign = Op("softsign", shape=same, vjp=dict(x=lambda dy, x: softsign_grad(dy, x)), cost=0.17)
softsign_grad = _with_x("softsign_grad", ulps=5, cost=0.17)

mish = Op("mish", shape=same, vjp=dict(x=lambda dy, x: mish_grad(dy, x)), ulps=10, cost=0.3)
mish_grad = _with_x("mish_grad", ulps=8, magnitude=lambda dy: np.abs(dy), cost=0.55)

hard_sigmoid = Op("hard_sigmoid", shape=same, vjp=dict(x=lambda dy, x: hard_sigmoid_grad(dy, x)),
                  magnitude=lambda x: (np.abs(x) + 3) / 6)
hard_sigmoid_grad = _with_x("hard_sigmoid_grad")

hard_silu = Op("hard_silu", shape=same, vjp=dict(x=lambda dy, x: hard_silu_grad(dy, x)),
               magnitude=lambda x: np.abs(x) * (np.abs(x) + 3) / 6)
hard_silu_grad = _with_x("hard_silu_grad", magnitude=lambda dy, x: np.abs(dy) * (2 * np.abs(x) + 3) / 6)


def _prelu_shape(name: str, x: Shape, alpha: Shape) -> Shape:
    if not x or len(alpha) != len(x) - 1 or any(a != n and None not in (a, n) for a, n in zip(alpha, x[1:])):
        raise ShapeError(f"{name}: got x of shape {x} and alpha of shape {alpha}; needs alpha of the shape of one row "
                         f"of x; try alpha of shape {x[1:]}.")
    return x


prelu = Op("prelu", shape=lambda x, alpha: _prelu_shape("prelu", x, alpha),
           vjp=dict(x=lambda dy, x, alpha: prelu_grad(dy, x, alpha), alpha=lambda dy, x: prelu_alpha_grad(dy, x)))
prelu_grad = Op("prelu_grad", outputs=("dx",), shape=lambda dy, x, alpha: _prelu_shape(
    "prelu_grad", same_shapes("prelu_grad", dy=dy, x=x), alpha), cost=0.17)
prelu_alpha_grad = Op("prelu_alpha_grad", shape=lambda dy, x: same_shapes("prelu_alpha_grad", dy=dy, x=x)[1:],
                      outputs=("dalpha",), terms=lambda x: x.shape[0],
                      magnitude=lambda dy, x: np.sum(np.abs(dy * x), axis=0))

_FUSED = {"relu": relu_grad, "tanh": tanh_grad, "sigmoid": sigmoid_grad}


def before_activation(dy: Tensor, y: Tensor, activation: str) -> Tensor:
    """d loss / d z of y = f(z), f being linear or one of those that a product can apply to what it computes."""
    return dy if activation == "linear" else _FUSED[activation](dy, y)
