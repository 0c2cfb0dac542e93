"""Elements by number, in order, on, above and below the diagonal. Floor 2."""

from typing import Any

import numpy as np

from fastnn.arguments import dense, whole
from fastnn.engine.context import is_recording
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import PlaceError, ShapeError, shown
from fastnn.ops._arithmetic import multiply
from fastnn.ops._compare import less, less_equal, where
from fastnn.ops._convert import alike, axis_of, broadcast_to, ids, reshaped, tensor, widened
from fastnn.ops._reduction import sum
from fastnn.ops._shaping import moveaxis, ravel, taken
from fastnn.ops._sizes import by_rule, of_any_size, symbol
from fastnn.ops.rows import data, index

__all__ = [
    "argsort", "bincount", "diag", "diagflat", "diagonal", "nonzero", "searchsorted", "sort", "take",
    "take_along_axis", "trace", "tril", "triu", "unique",
]


def within(name: str, places: Tensor, size: int | None) -> None:
    """IndexError for an index that is none, where the numbers are known now."""
    if places.data is None or size is None or is_recording() or not places.data.size:
        return
    low, high = int(places.data.min()), int(places.data.max())
    if low < -size or high >= size:
        wrong = high if high >= size else low
        raise PlaceError(f"{name}: got index {wrong}; needs numbers from {-size} to {size - 1}.")


def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """x's elements with these numbers along the axis, of all elements in a row for None; below 0 from the end.

    IndexError for a number that there is none of; in a recorded step the nearest one is taken."""
    x = ravel(x) if axis is None else tensor(x)
    place, places = axis_of(x, axis or 0), ids(indices)
    within("take", places, x.shape[place])
    return index.take(x, places, axis=place)  # type: ignore[no-any-return]


@of_any_size
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """For each place the element with its number along the axis: y[i, j] = x[i, indices[i, j]] for axis 1."""
    x, places = tensor(x), ids(indices)
    if axis is None:
        x, places, axis = ravel(x), ravel(places), 0
    place = axis_of(x, axis)
    within("take_along_axis", places, x.shape[place])
    rest = [n if i == place or n != 1 else m for i, (n, m) in enumerate(zip(places.shape, x.shape))]
    return index.take_along(x, broadcast_to(places, rest), axis=place)  # type: ignore[no-any-return]


def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """The indices that sort x along the axis, equal numbers in their order, NaN last; of all in a row for None."""
    x = ravel(x) if axis is None else tensor(x)
    place = axis_of(x, -1 if axis is None else axis)
    return moveaxis(index.argsort(moveaxis(x, place, -1)), -1, place)


def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """x in increasing order along the axis, NaN last; all in a row for None."""
    x = ravel(x) if axis is None else tensor(x)
    place = axis_of(x, -1 if axis is None else axis)
    return index.take_along(x, argsort(x, place), axis=place)  # type: ignore[no-any-return]


def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where in the increasing vector each value belongs: after what is smaller, or not larger for "right". int32."""
    ordered, v = alike(sorted_sequence, values)
    if ordered.ndim != 1 or side not in ("left", "right"):
        raise ValueError(f"searchsorted: got a sequence of shape {ordered.shape} and side {shown(side)}; needs a "
                         "vector, and 'left' or 'right'.")
    wide = reshaped(v, (*v.shape, 1))
    return sum(less(ordered, wide) if side == "left" else less_equal(ordered, wide), axis=-1)


def _as_counts(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """As long as the largest number says."""
    return symbol((*tensor(x).shape[:-1], None), "int32" if weights is None else tensor(weights).dtype)


@by_rule(_as_counts)
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each number from 0 on is in a row of x, or the sum of its weights; `minlength` numbers at least. Its
    length depends on numbers: it is not recorded."""
    dense(sparse, "bincount: sparse")
    x = ids(x)
    length = max(minlength, int(x.numpy().max()) + 1 if x.data.size else 0)
    w = broadcast_to(1, x.shape) if weights is None else tensor(weights)
    if x.ndim == 1:
        return index.take_grad(w, x, axis=0, size=length)  # type: ignore[no-any-return]
    hot = widened(widened(data.one_hot(x, depth=length), "bool"), w.dtype)
    return sum(multiply(hot, reshaped(w, (*w.shape, 1))), axis=-2)


def _all_places(x: TensorLike) -> tuple[Tensor, ...]:
    return (symbol((None,), "int32"),) * tensor(x).ndim


@by_rule(_all_places)
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """The indices of what is not 0, a vector for each axis. Its length depends on numbers: it is not recorded."""
    return tuple(Tensor(np.ascontiguousarray(i, np.int32)) for i in np.nonzero(tensor(x).numpy()))


def _as_unique(x: TensorLike, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
               axis: int | None = None, size: int | None = None, fill_value: float | None = None) -> Any:
    x = tensor(x)
    place = None if axis is None else axis_of(x, axis)
    found = [symbol((size,) if place is None else (*x.shape[:place], size, *x.shape[place + 1:]), x.dtype)]
    inverse = symbol(x.shape if place is None else (x.shape[place],), "int32")
    found += [each for each, asked in ((symbol((size,), "int32"), return_index), (inverse, return_inverse),
                                       (symbol((size,), "int32"), return_counts)) if asked]
    return tuple(found) if len(found) > 1 else found[0]


@by_rule(_as_unique)
def unique(x: TensorLike, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
           axis: int | None = None, size: int | None = None, fill_value: float | None = None) -> Any:
    """The different numbers in increasing order, of all x or along an axis; and where each is first, which of them
    each x is, how often each is. size: that many of them, filled up with fill_value (the smallest) where there are
    fewer. Its length depends on numbers: it is not recorded."""
    x = tensor(x)
    values, first, inverse, counts = np.unique(x.numpy(), True, True, True, axis, equal_nan=False)
    place = 0 if axis is None else axis_of(x, axis)
    inverse = inverse.reshape(x.shape if axis is None else -1)
    if size is not None:
        lacking = max(size - values.shape[place], 0)
        filler = np.take(values, [0] * lacking, place) if fill_value is None else np.full(
            [lacking if i == place else n for i, n in enumerate(values.shape)], fill_value)
        values = np.concatenate([np.take(values, range(size - lacking), place), filler.astype(values.dtype)], place)
        first, counts = (np.concatenate([a[:size], np.full(lacking, fill)]) for a, fill in ((first, first[0]),
                                                                                          (counts, 0)))
    asked = [(first, return_index), (inverse, return_inverse), (counts, return_counts)]
    found = (tensor(values), *(Tensor(np.ascontiguousarray(a, np.int32)) for a, wanted in asked if wanted))
    return found if len(found) > 1 else found[0]


def _places(x: Tensor, k: int) -> tuple[np.ndarray, Tensor]:
    rows, columns = x.shape[-2:]
    if rows is None or columns is None:
        raise ShapeError(f"tril, triu: x is {x.shape}; needs two known axes at the end.")
    kept = np.tri(rows, columns, k, dtype=bool)
    return kept, Tensor(kept, constant=True)


@of_any_size
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """x, with 0 above the diagonal that is k to the right of the main one."""
    x, k = tensor(x), whole(k, "tril: k", None)
    return where(_places(x, k)[1], x, 0)  # type: ignore[return-value]


@of_any_size
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """x, with 0 below the diagonal that is k to the right of the main one."""
    x, k = tensor(x), whole(k, "triu: k", None)
    return where(Tensor(~_places(x, k - 1)[0], constant=True), x, 0)  # type: ignore[return-value]


def _as_diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor | None:
    """As long as the shorter axis, whichever that is."""
    x = tensor(x)
    both = {axis_of(x, axis1), axis_of(x, axis2)}
    if None not in [x.shape[a] for a in both]:
        return None
    return symbol([*(n for i, n in enumerate(x.shape) if i not in both), None], x.dtype)


@by_rule(_as_diagonal)
@of_any_size
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements on the diagonal that is `offset` to the right of the main one, along a new last axis."""
    x, offset = tensor(x), whole(offset, "diagonal: offset", None)
    x = moveaxis(x, (axis_of(x, axis1), axis_of(x, axis2)), (-2, -1))
    rows, columns = x.shape[-2:]
    along = np.arange(max(0, min(rows + min(offset, 0), columns - max(offset, 0))))
    flat = reshaped(x, (*x.shape[:-2], rows * columns))
    return taken(flat, (along - min(offset, 0)) * columns + along + max(offset, 0), flat.ndim - 1)


def diag(x: TensorLike, k: int = 0) -> Tensor:
    """A vector as a matrix's diagonal, k to the right of the main one; of a matrix that diagonal."""
    x = tensor(x)
    return diagonal(x, k) if x.ndim == 2 else _matrix_of(x, k)


@of_any_size
def _matrix_of(x: Tensor, k: int) -> Tensor:
    """The matrix with this diagonal."""
    n = x.shape[0] + abs(k)
    along = np.arange(x.shape[0])
    places = Tensor(np.asarray((along - min(k, 0)) * n + along + max(k, 0), np.int32), constant=True)
    wide = widened(x, "int32") if x.dtype in ("bool", "uint8") else x
    return widened(reshaped(index.take_grad(wide, places, axis=0, size=n * n), (n, n)), x.dtype)


def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """All elements in a row as a diagonal."""
    return diag(ravel(x), k)


@of_any_size
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of the diagonal."""
    return sum(diagonal(x, offset, axis1, axis2), axis=-1)
