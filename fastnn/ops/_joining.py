"""Arrays side by side, below each other and behind each other; cut apart; turned around. Floor 2."""

import itertools
from collections.abc import Sequence

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops._convert import axis_of, is_one, reshaped, tensor, whole_numbers
from fastnn.ops._shaping import concatenate, expand_dims, flip
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import data

__all__ = [
    "array_split", "dsplit", "dstack", "fliplr", "flipud", "hsplit", "hstack", "split", "vsplit", "vstack",
]


def _vectors(xs: Sequence[TensorLike]) -> list[Tensor]:
    """The tensors, a number as a vector of one."""
    return [x if x.ndim else reshaped(x, (1,)) for x in map(tensor, xs)]


def hstack(xs: Sequence[TensorLike]) -> Tensor:
    """Arrays side by side: along the second axis, vectors one after the other."""
    made = _vectors(xs)
    return concatenate(made, 0 if made[0].ndim == 1 else 1)


def vstack(xs: Sequence[TensorLike]) -> Tensor:
    """Arrays below each other: along the first axis, vectors being rows."""
    return concatenate([expand_dims(x, 0) if x.ndim == 1 else x for x in _vectors(xs)], 0)


def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Arrays behind each other: along the third axis, matrices being planes, vectors rows of one."""
    made = [expand_dims(x, 0) if x.ndim == 1 else x for x in _vectors(xs)]
    return concatenate([expand_dims(x, -1) if x.ndim == 2 else x for x in made], 2)


@of_any_size
def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """So many equal parts along the axis, or the parts between these places. ShapeError where that cannot be."""
    x = tensor(x)
    place = axis_of(x, axis)
    length = x.shape[place]
    if is_one(indices_or_sections):
        parts = int(indices_or_sections)  # type: ignore[arg-type]
        if parts < 1 or length is None or length % parts:
            raise ShapeError(f"split: x is {x.shape} and {parts} parts are asked for along axis {axis}; needs a number "
                             f"that divides {length}; give the places to cut.")
        cuts = [i * length // parts for i in range(parts + 1)]
    else:
        cuts = [0, *(i + length if i < 0 else i for i in whole_numbers("split", indices_or_sections)), length]
        if not all(0 <= i <= length for i in cuts):
            raise ShapeError(f"split: x is {x.shape} and axis {axis} is cut at {list(indices_or_sections)}; "  # type: ignore
                             f"needs places from {-length} to {length}.")
    return [data.slice(x, axis=place, begin=a, end=max(a, b)) for a, b in itertools.pairwise(cuts)]


@of_any_size
def array_split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """As split, but the first parts are one longer where the number does not divide."""
    if not is_one(indices_or_sections):
        return split(x, indices_or_sections, axis)
    count = int(indices_or_sections)  # type: ignore[arg-type]
    length = tensor(x).shape[axis_of(tensor(x), axis)]
    each, longer = divmod(length, count)
    sizes = [each + (i < longer) for i in range(count)]
    return split(x, [int(n) for n in np.cumsum(sizes)[:-1]], axis)


def vsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """split along the first axis."""
    return split(x, indices_or_sections, 0)


def hsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """split along the second axis, of vectors the only one."""
    return split(x, indices_or_sections, 1 if tensor(x).ndim > 1 else 0)


def dsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """split along the third axis."""
    return split(x, indices_or_sections, 2)


def flipud(x: TensorLike) -> Tensor:
    """The rows in reverse order."""
    return flip(x, 0)


def fliplr(x: TensorLike) -> Tensor:
    """The columns in reverse order."""
    return flip(x, 1)
