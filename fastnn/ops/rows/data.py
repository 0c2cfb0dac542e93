"""Moving numbers without computing: copies, cuts, shapes. Floor 2."""

import math

from fastnn.engine.context import is_recording
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._arrays import check_whole
from fastnn.ops._op import Op, Shape, same, same_shapes
from fastnn.ops.rows._work import size
from fastnn.ops.rows.elementwise import cast


def _axis(name: str, x: Shape, axis: int) -> int:
    """The axis, counted from the front."""
    if not -len(x) <= axis < len(x):
        raise ShapeError(f"{name}: axis is {axis} and the array {x}; needs an axis from {-len(x)} to {len(x) - 1}.")
    return axis % len(x)


def _slice_shape(x: Shape, axis: int, begin: int, end: int) -> Shape:
    axis = _axis("slice", x, axis)
    size = x[axis]
    if not 0 <= begin <= end or (size is not None and end > size):
        raise ShapeError(f"slice: begin is {begin}, end is {end} and x is {x}; needs 0 <= begin <= end <= {size} "
                         f"along axis {axis}; count from the front.")
    return (*x[:axis], end - begin, *x[axis + 1:])


def _slice_grad_shape(dy: Shape, axis: int, begin: int, size: int) -> Shape:
    axis = _axis("slice_grad", dy, axis)
    if begin < 0 or begin + (dy[axis] or 0) > size:
        raise ShapeError(f"slice_grad: dy is {dy}, begin is {begin} and size {size}; needs begin + {dy[axis]} within "
                         "size; check the axis.")
    return (*dy[:axis], size, *dy[axis + 1:])


def _transpose_shape(x: Shape, axes: tuple[int, ...]) -> Shape:
    if sorted(axes) != list(range(len(x))):
        raise ShapeError(f"transpose: x is {x} and axes are {axes}; needs each of 0 to {len(x) - 1} once; "
                         "name every axis.")
    return tuple(x[axis] for axis in axes)


def _reshape_shape(x: Shape, shape: Shape) -> Shape:
    """`shape` with its -1 worked out; an unknown batch stays unknown if everything else fits."""
    problem = f"reshape: x is {x} and shape is {shape}; needs the same number of elements; "
    known = math.prod(n for n in shape if n is not None and n != -1)
    if list(shape).count(-1) > 1 or any(n is not None and n < -1 for n in shape):
        raise ShapeError(problem + "use at most one -1.")
    if None in x:
        given = math.prod(n for n in x if n is not None)
        open_ = [i for i, n in enumerate(shape) if n in (-1, None)]
        if not open_:
            return shape
        if open_ == [0]:
            if known == 0 or given % known == 0 or (given and known % given == 0):
                return (None, *shape[1:])
            raise ShapeError(problem + "check the sizes after the batch.")
        if shape[0] is None and len(open_) == 2 and known and given % known == 0:     # (None, -1, …)
            return tuple(given // known if n == -1 else n for n in shape)
        return tuple(None if n == -1 else n for n in shape)
    total = math.prod(n for n in x if n is not None)
    if -1 not in shape:
        if known != total:
            raise ShapeError(problem + "change a size, or write -1 for it.")
        return shape
    if known == 0:
        raise ShapeError(problem + "where one is 0, -1 may be anything: write out all sizes.")
    if total % known:
        raise ShapeError(problem + f"{total} elements cannot be divided by {known}.")
    return tuple(total // known if n == -1 else n for n in shape)


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def as_rank(x: Tensor, shape: Shape) -> Tensor:
    """x with as many axes as this shape, where one of length 1 at the end is all that differs."""
    known = tuple(-1 if n is None else n for n in x.shape)
    if x.ndim == len(shape) + 1 and x.shape[-1] == 1:
        y: Tensor = reshape(x, shape=known[:-1])
    elif x.ndim == len(shape) - 1 and shape[-1] == 1:
        y = reshape(x, shape=(*known, 1))
    else:
        return x
    y.mask = x.mask
    return y


def as_dtype(x: Tensor, dtype: str) -> Tensor:
    """x in another dtype. ValueError for numbers, known now, that are none of this dtype's."""
    if x.dtype == dtype:
        return x
    if dtype.startswith("int") and x.data is not None and not is_recording():
        check_whole(x.data)
    y: Tensor = cast(x, dtype=dtype)
    y.mask = x.mask
    return y


advance = Op("advance", updates=("counter",), dtypes=dict(counter="int64"))

copy = Op("copy", shape=lambda target, source: same_shapes("copy", target=target, source=source),
          updates=("target",), moves=True, dtypes=dict(target="any", source="target"))

fill = Op("fill", updates=("target",), dtypes=dict(target="any"))

slice = Op("slice", shape=_slice_shape, dtypes=dict(x="any"), result="x",
           vjp=dict(x=lambda dy, x, axis, begin: slice_grad(dy, axis=axis, begin=begin, size=x.shape[axis])),
           work=lambda y: 0.2 * size(y))

slice_grad = Op("slice_grad", shape=_slice_grad_shape, outputs=("dx",), cost=0.2)

transpose = Op("transpose", shape=_transpose_shape, dtypes=dict(x="any"), result="x",
               vjp=dict(x=lambda dy, axes: transpose(dy, axes=_inverse(axes))), cost=0.5)

reshape = Op("reshape", shape=_reshape_shape, dtypes=dict(x="any"), result="x", view=True,
             vjp=dict(x=lambda dy, x: reshape(dy, shape=x.shape)))

stop_gradient = Op("stop_gradient", shape=same, dtypes=dict(x="any"), result="x", view=True, vjp=dict(x=lambda: None))

with_gradient = Op("with_gradient", shape=lambda xs: xs[0], dtypes=dict(xs="any"), result=lambda xs: xs[0], view=True,
                   vjp=dict(xs=lambda dy, xs: [dy, *[None] * (len(xs) - 1)]))

one_hot = Op("one_hot", shape=lambda labels, depth: (*labels, depth), dtypes=dict(labels="int32"), cost=0.3)
