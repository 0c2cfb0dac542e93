"""Moving numbers without computing: copies, cuts, shapes. NumPy only."""

import numpy as np

from fastnn.reference._types import Array


def advance(counter: Array, *, by: int) -> Array:
    """counter = counter + by. 0-d int64 → the same."""
    return np.add(counter, by, dtype=counter.dtype)


def copy(target: Array, source: Array) -> Array:
    """target = source. Both any one shape and dtype → target."""
    return source.astype(target.dtype)


def fill(target: Array, *, value: float) -> Array:
    """target = value, in every element. Any shape → target."""
    return np.full_like(target, value)


def slice(x: Array, *, axis: int, begin: int, end: int) -> Array:
    """y = x[begin:end] along `axis`. x any shape → y with size end - begin there."""
    return np.take(x, np.arange(begin, end), axis=axis)


def slice_grad(dy: Array, *, axis: int, begin: int, size: int) -> Array:
    """dx = 0, and dy from `begin` on along `axis`. dy any shape → dx with `size` there. The adjoint of `slice`."""
    widths = [(0, 0)] * dy.ndim
    widths[axis] = (begin, size - begin - dy.shape[axis])
    return np.pad(dy, widths)


def transpose(x: Array, *, axes: tuple[int, ...]) -> Array:
    """Axis k of y is axis axes[k] of x."""
    return np.ascontiguousarray(np.transpose(x, axes)).reshape([x.shape[axis] for axis in axes])


def reshape(x: Array, *, shape: tuple[int, ...]) -> Array:
    """y = the elements of x, in order, in another shape; one size may be -1: whatever is left. Shares x's memory."""
    return x.reshape(shape)


def stop_gradient(x: Array) -> Array:
    """y = x, which is a constant for whoever asks for gradients. Shares x's memory."""
    return x


def with_gradient(*xs: Array) -> Array:
    """y = the first of xs. The gradient of the others is what somebody says it is. Shares the first one's memory."""
    return xs[0]


def one_hot(labels: Array, *, depth: int) -> Array:
    """y[…, k] = 1 where k is the label, else 0; a row of zeros for a label outside. labels int32 (…) → y (…, depth)."""
    return (labels[..., np.newaxis] == np.arange(depth)).astype(np.float32)
