"""Dtypes, the way to NumPy and back, and parts of arrays by place: what is `keras.ops`' own. Floor 2."""

import copy
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn.arguments import dense
from fastnn.engine.gradient import GradientTape, backward
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.nest import flatten
from fastnn.ops._arithmetic import add, clip, maximum, minimum, multiply, subtract
from fastnn.ops._compare import less, less_equal, logical_and, where
from fastnn.ops._convert import (
    alike,
    axis_of,
    broadcast_to,
    dtype_of,
    ids,
    reshaped,
    tensor,
    whole_numbers,
    widened,
)
from fastnn.ops._math import segment_max, segment_min, segment_prod
from fastnn.ops._reduction import sum
from fastnn.ops._rules import Rule
from fastnn.ops._shaping import concatenate
from fastnn.ops._sizes import Applied, Function, by_rule, of_any_size, symbol
from fastnn.ops.rows import data, index, stacking
from fastnn.reference import elementwise as reference

__all__ = [
    "cast", "convert_to_numpy", "convert_to_tensor", "custom_gradient", "dtype", "is_tensor", "saturate_cast",
    "scatter", "scatter_update", "shape", "slice", "slice_update", "stop_gradient", "unstack",
]


def convert_to_tensor(x: TensorLike, dtype: str | None = None, sparse: bool | None = None) -> Tensor:
    """x as a Tensor: floats are floatx, whole numbers and bools stay what they are unless dtype says otherwise."""
    dense(bool(sparse), "convert_to_tensor: sparse")
    return tensor(x) if dtype is None else cast(x, dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """A copy of the numbers as a NumPy array."""
    return tensor(x).numpy()


def is_tensor(x: object) -> bool:
    """Whether x is a Tensor."""
    return isinstance(x, Tensor)


def dtype(x: TensorLike) -> str:
    """The name of x's dtype."""
    return tensor(x).dtype


def cast(x: TensorLike, dtype: str) -> Tensor:
    """x in another dtype. Floats are cut towards 0 for whole numbers and kept within what those can hold, NaN becomes
    0; what is not 0 is True."""
    if not isinstance(x, Tensor) and np.asarray(x).dtype.kind == "f" and np.dtype(dtype_of(dtype)).kind != "f":
        return Tensor(reference.cast(np.asarray(x), dtype=dtype_of(dtype)), constant=True)     # with all digits
    return widened(tensor(x), dtype_of(dtype))


def saturate_cast(x: TensorLike, dtype: str) -> Tensor:
    """x in another dtype, kept within what that can hold."""
    name = dtype_of(dtype)
    if np.dtype(name).kind not in "iu":
        return cast(x, name)
    limits = np.iinfo(name)
    x = tensor(x)
    if x.dtype.startswith("float"):
        return cast(x, name)        # a cast keeps floats within the limits
    return cast(clip(cast(x, "int64"), int(limits.min), int(limits.max)), name)


def stop_gradient(variable: TensorLike) -> Tensor:
    """The same numbers, through which no gradient flows."""
    return data.stop_gradient(tensor(variable))  # type: ignore[no-any-return]


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """f with a gradient of one's own: f(*args) gives its result, one tensor, and a function that makes of d loss / d
    result the gradient of each argument, one or a list, None for none. What f uses beside its arguments, such as
    weights, keeps the gradient that it has. For second derivatives, of the arguments, f is called again and has to do
    the same, and what its gradient function computes is differentiated.

    TypeError where f gives something else, and for lists of tensors as arguments; ShapeError for a gradient that is not
    of its argument's shape.

    >>> @custom_gradient
    ... def rounded(x):                    # straight through: backward as if it had not been rounded
    ...     return ops.round(x), lambda dy: dy
    >>> rounded(ops.array([0.4, 0.6])).numpy()
    array([0., 1.], dtype=float32)
    """
    @functools.wraps(f)
    def own(*args: Any, **kwargs: Any) -> Any:
        places = [i for i, x in enumerate(args) if isinstance(x, Tensor)]
        if len(flatten(list(args), Tensor)) > len(places):
            raise TypeError(f"custom_gradient: {f.__name__} got tensors in a list; needs each as an argument of its "
                            "own, as each has a gradient; use f(*xs).")
        if any(t.symbolic for t in flatten([args, kwargs], Tensor)):    # one node of a graph, which calls it on data
            y = _with_gradient(f, args, kwargs)[0]
            y = symbol(y.shape, y.dtype)
            Applied(Function(own), args, kwargs, y)
            return y
        xs = [args[i] for i in places]

        def called(given: Sequence[Tensor]) -> tuple[Tensor, Callable[[Tensor], list[Tensor | None]]]:
            new = dict(zip(places, given))
            y, gradient = _with_gradient(f, [new.get(i, x) for i, x in enumerate(args)], kwargs)
            return y, lambda dy: _gradients_of(f, gradient(dy), args, places)

        def again(k: int, dy: Tensor, ddx: Tensor) -> list[Tensor | None]:
            with GradientTape() as tape:
                given = [data.with_gradient(x) for x in (dy, *xs)]
                tape.watch(given)
                dx = called(given[1:])[1](given[0])[k]
            return [None] * len(given) if dx is None else backward(dx, given, ddx)

        def back(dy: Tensor) -> list[Tensor | None]:
            return [dx if dx is None else _ruled(dx, [dy, *xs], functools.partial(again, k, dy))
                    for k, dx in enumerate(gradients(stop_gradient(dy)))]
        y, gradients = called([stop_gradient(x) for x in xs])
        return _ruled(y, xs, back)
    return own


def _ruled(y: Tensor, xs: Sequence[Tensor], rule: Callable[[Tensor], list[Tensor | None]]) -> Tensor:
    """y, and its gradient goes to the xs as well, as the rule says."""
    row = copy.copy(data.with_gradient)
    row.vjp = {"xs": Rule(lambda dy: [dy, *rule(dy)])}
    made: Tensor = row(y, *xs)
    return made


def _with_gradient(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Tensor, Any]:
    found = f(*args, **kwargs)
    if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], Tensor) and callable(found[1])):
        raise TypeError(f"custom_gradient: {f.__name__} gives {shown(found)}; needs (result, gradient): one tensor, "
                        "and a function of d loss / d result.")
    return found


def _gradients_of(f: Callable[..., Any], found: Any, args: Sequence[Any], places: list[int]) -> list[Tensor | None]:
    """What the gradient function gave, one for each tensor among the arguments."""
    given = list(found) if isinstance(found, (list, tuple)) else [found]
    if len(given) == len(args):
        given = [given[i] for i in places]
    if len(given) != len(places):
        raise TypeError(f"custom_gradient: the gradient of {f.__name__} gives {len(given)} gradients; needs one for "
                        f"each of its {len(args)} arguments, None for none.")
    made = [None if g is None else widened(tensor(g), args[i].dtype) for g, i in zip(given, places)]
    for g, i in zip(made, places):
        if g is not None and g.shape != args[i].shape:
            raise ShapeError(f"custom_gradient: the gradient of {f.__name__} is {g.shape} for an argument of shape "
                             f"{args[i].shape}; the shapes must be equal; sum over what was repeated.")
    return made


def shape(x: TensorLike) -> tuple[int | None, ...]:
    """The shape; None for axes that are not known yet."""
    return tuple(tensor(x).shape)


def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The arrays along an axis, which they lose; `num` of them where it is not known how many there are."""
    x = tensor(x)
    place = axis_of(x, axis)
    if num is not None and x.shape[place] is None:
        return _unstacked(x, num, place)
    return list(stacking.unstack(x, axis=place))


def _as_many(x: Tensor, num: int, axis: int) -> list[Tensor]:
    return [symbol(x.shape[:axis] + x.shape[axis + 1:], x.dtype)] * num


@by_rule(_as_many)
def _unstacked(x: Tensor, num: int, axis: int) -> list[Tensor]:
    return list(stacking.unstack(x, axis=axis))


def _flat_places(indices: TensorLike, shape: Sequence[int]) -> Tensor:
    """(n, k) index rows as (n,) places in the first k axes of `shape`, those in a row."""
    places = ids(indices)
    k = places.shape[-1]
    strides = [math.prod(shape[i + 1:k]) for i in range(k)]
    return sum(multiply(places, Tensor(np.array(strides, np.int32), constant=True)), axis=-1)


def scatter(indices: TensorLike, values: TensorLike, shape: Sequence[int]) -> Tensor:
    """Zeros of `shape` with values added at the places that the rows of `indices` name."""
    places, values = _flat_places(indices, shape), tensor(values)
    k = ids(indices).shape[-1]
    y = index.take_grad(values, places, axis=0, size=math.prod(shape[:k]))
    return reshaped(y, shape)


@of_any_size
def scatter_update(inputs: TensorLike, indices: TensorLike, updates: TensorLike,
                   reduction: str | None = None) -> Tensor:
    """The inputs with the updates at the places that the rows of `indices` name, each place once; or by reduction
    "add", "mul", "max" or "min" with what is there already, and with each other."""
    inputs, updates = alike(inputs, updates)
    if reduction == "add":
        return add(inputs, scatter(indices, updates, inputs.shape))
    if reduction in _REDUCTIONS:
        of_segments, combined = _REDUCTIONS[reduction]
        k = ids(indices).shape[-1]
        found = of_segments(updates, _flat_places(indices, inputs.shape), math.prod(inputs.shape[:k]))
        return widened(combined(inputs, reshaped(found, inputs.shape)), inputs.dtype)
    if reduction is not None:
        raise ValueError(f"scatter_update: reduction is {shown(reduction)}; needs None, 'add', 'mul', 'max' or 'min'.")
    ones = broadcast_to(1.0, updates.shape)
    hit = less(0.0, scatter(indices, ones, inputs.shape))
    return where(hit, scatter(indices, updates, inputs.shape), inputs)  # type: ignore[return-value]


_REDUCTIONS: dict[str | None, Any] = {"mul": (segment_prod, multiply), "max": (segment_max, maximum),
                                      "min": (segment_min, minimum)}


def _starts(start_indices: Any) -> list[Any]:
    """Where a part begins along each axis: numbers, or 0-d tensors where they come of a computation."""
    if isinstance(start_indices, Tensor) and not start_indices.constant:
        return stacking.unstack(ids(start_indices), axis=0)  # type: ignore[no-any-return]
    return [i if isinstance(i, Tensor) and not i.constant else whole_numbers("start_indices", i)[0]
            for i in start_indices]


def _rest(inputs: TensorLike, start_indices: Any, shape: Sequence[int]) -> Tensor | None:
    """Up to the end from where nobody knows: of unknown size."""
    x, starts = tensor(inputs), _starts(start_indices)
    if not any(n == -1 and isinstance(i, Tensor) for i, n in zip(starts, shape)):
        return None
    return symbol([n if n != -1 else None if isinstance(i, Tensor) or m is None else m - i
                   for i, n, m in zip(starts, shape, x.shape)], x.dtype)


@by_rule(_rest)
@of_any_size
def slice(inputs: TensorLike, start_indices: Any, shape: Sequence[int]) -> Tensor:
    """The part of `shape` that begins at these indices, numbers or a tensor; -1 is up to the end."""
    x = tensor(inputs)
    for axis, (begin, n) in enumerate(zip(_starts(start_indices), shape, strict=True)):
        if isinstance(begin, Tensor) and n != -1:
            x = index.take(x, add(ids(begin), np.arange(n, dtype=np.int32)), axis=axis)
        else:
            begin, n = whole_numbers("slice", (begin, n))
            x = data.slice(x, axis=axis, begin=begin, end=x.shape[axis] if n == -1 else begin + n)
    return x


@of_any_size
def slice_update(inputs: TensorLike, start_indices: Any, updates: TensorLike) -> Tensor:
    """The inputs with the updates in the place that begins at these indices, numbers or a tensor."""
    x, new = alike(inputs, updates)
    starts = _starts(start_indices)
    if any(isinstance(i, Tensor) for i in starts):
        return _updated_at(x, starts, new)
    for axis, begin in list(enumerate(starts))[::-1]:
        rest = x
        for other, start in list(enumerate(starts))[:axis]:
            rest = data.slice(rest, axis=other, begin=start, end=start + new.shape[other])
        end = begin + new.shape[axis]
        new = concatenate([data.slice(rest, axis=axis, begin=0, end=begin), new,
                           data.slice(rest, axis=axis, begin=end, end=rest.shape[axis])], axis)
    return new


def _updated_at(x: Tensor, starts: list[Any], new: Tensor) -> Tensor:
    """x with `new` where it begins at numbers known only later: what lies inside is taken from there."""
    inside: Any = True
    for axis, begin in enumerate(starts):
        along = subtract(np.arange(x.shape[axis], dtype=np.int32), ids(begin))
        dims = [-1 if i == axis else 1 for i in range(x.ndim)]
        within = logical_and(less_equal(0, along), less(along, new.shape[axis]))
        inside = logical_and(inside, reshaped(within, dims))
        new = index.take(new, clip(along, 0, new.shape[axis] - 1), axis=axis)
    return where(inside, new, x)  # type: ignore[return-value]
