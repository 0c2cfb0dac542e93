"""Arrays looked up between their places: maps of coordinates, affine maps of images. Floor 2."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._arithmetic import absolute, add, clip, floor, minimum, mod, multiply, round, sign, subtract
from fastnn.ops._compare import greater_equal, less, logical_and, where
from fastnn.ops._convert import broadcast_to, floats, ids, reshaped, tensor, widened
from fastnn.ops._core import stop_gradient
from fastnn.ops._resize import as_image
from fastnn.ops._shaping import channels_moved, ravel
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import affine, index

__all__ = ["affine_transform", "map_coordinates"]

# which place is meant by one that is outside of n
MODES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "constant": lambda i, n: clip(i, 0, n - 1), "nearest": lambda i, n: clip(i, 0, n - 1),
    "wrap": lambda i, n: mod(i, n),
    "reflect": lambda i, n: minimum(mod(i, 2 * n), subtract(2 * n - 1, mod(i, 2 * n))),
    "mirror": lambda i, n: minimum(mod(i, max(2 * n - 2, 1)), subtract(max(2 * n - 2, 1), mod(i, max(2 * n - 2, 1))))}


@of_any_size
def map_coordinates(inputs: TensorLike, coordinates: TensorLike, order: int, fill_mode: str = "constant",
                    fill_value: float = 0) -> Tensor:
    """inputs at the places that coordinates (inputs.ndim, …) name, one row an axis: the nearest element for order 0,
    between its neighbours straight lines for order 1, with gradients for the places then.

    fill_mode, outside: "constant" fill_value (k|abcd|k), "nearest" the edge (a|abcd|d), "wrap" (d|abcd|a), "mirror"
    (b|abcd|c), "reflect" (a|abcd|d, then further in).

    >>> map_coordinates([0., 10., 20.], [[0.5, 2.0]], order=1).numpy()
    array([ 5., 20.], dtype=float32)
    """
    x, places = tensor(inputs), floats(coordinates)
    if not places.ndim or places.shape[0] != x.ndim:
        raise ShapeError(f"map_coordinates: inputs are {x.shape} and coordinates {places.shape}; needs one row for "
                         f"each of the {x.ndim} axes.")
    if order not in (0, 1) or fill_mode not in MODES:
        raise ValueError(f"map_coordinates: order is {shown(order)} and fill_mode {shown(fill_mode)}; needs 0 or 1, "
                         f"and one of {', '.join(MODES)}.")
    ends: list[list[tuple[Tensor, Any]]] = []       # for each axis the neighbours, and how much each counts
    for axis in range(x.ndim):
        place = places[axis]
        if order == 0:
            ends.append([(ids(multiply(sign(place), floor(add(absolute(place), 0.5)))), 1.0)])
        else:
            low = stop_gradient(floor(place))
            share = subtract(place, low)
            ends.append([(ids(low), subtract(1.0, share)), (add(ids(low), 1), share)])
    flat, y = ravel(x), tensor(0.0)
    for corner in itertools.product(*ends):
        number: Any = 0
        weight: Any = 1.0
        inside: Any = True
        for (i, part), n in zip(corner, x.shape):
            number = add(multiply(number, n), MODES[fill_mode](i, n))
            weight = multiply(weight, part)
            if fill_mode == "constant":
                inside = logical_and(inside, logical_and(greater_equal(i, 0), less(i, n)))
        found = index.take(flat, number, axis=0)
        found = found if fill_mode != "constant" else where(inside, found, fill_value)
        y = add(y, multiply(floats(found), weight))
    return y if x.dtype.startswith("float") else widened(round(y), x.dtype)


@of_any_size
def affine_transform(images: TensorLike, transform: TensorLike, interpolation: str = "bilinear",
                     fill_mode: str = "constant", fill_value: float = 0.0, data_format: str | None = None) -> Tensor:
    """Images whose pixel in column x and row y is theirs in column a₀x + a₁y + a₂ and row b₀x + b₁y + b₂. transform:
    a₀ a₁ a₂ b₀ b₁ b₂ 0 0, one row for all or for each image; no gradient flows to it.

    interpolation: "bilinear" or "nearest". fill_mode, outside: "constant" fill_value, "nearest" the edge, "wrap",
    "reflect".

    >>> affine_transform(ops.reshape(ops.arange(3.0), (1, 3, 1)), [1, 0, 1, 0, 1, 0, 0, 0]).numpy().ravel()
    array([1., 2., 0.], dtype=float32)
    """
    x = floats(as_image("affine_transform", images, data_format))
    batch = x if x.ndim == 4 else reshaped(x, (1, *x.shape))
    rows = floats(transform)
    if interpolation not in ("nearest", "bilinear") or fill_mode not in affine.FILL_MODES:
        raise ValueError(f"affine_transform: interpolation is {shown(interpolation)} and fill_mode {shown(fill_mode)}; "
                         f"needs 'nearest' or 'bilinear', and one of {', '.join(affine.FILL_MODES)}.")
    if rows.shape[-1:] != (8,) or rows.ndim > 2:
        raise ShapeError(f"affine_transform: transform is {rows.shape}; needs eight numbers, or eight for each image.")
    if rows.data is not None and np.any(rows.data[..., 6:]):
        raise ValueError("affine_transform: the last two numbers of transform are not 0; needs an affine map, without "
                         "perspective.")
    rows = stop_gradient(broadcast_to(rows, (batch.shape[0], 8))[:, :6])
    y = affine.affine_transform(batch, rows, bilinear=interpolation == "bilinear",
                                fill_mode=affine.FILL_MODES.index(fill_mode), fill_value=float(fill_value))
    y = y if x.ndim == 4 else reshaped(y, x.shape)
    return channels_moved("affine_transform", y, data_format, -1, -3)
