"""Affine maps of images (batch, rows, columns, channels): rotation, zoom, translation, shear. Floor 2."""


import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape
from fastnn.ops.rows.image import image_shape
from fastnn.reference import affine as _reference
from fastnn.reference._types import Array

FILL_MODES = ("constant", "nearest", "reflect", "wrap")     # the constant `fill_mode` is the place in this list


def _matrix_shape(turns: Shape, zoom: Shape, shift: Shape) -> Shape:
    if len(turns) != 1 or not zoom == shift == (*turns, 2):
        raise ShapeError(f"affine_matrix: turns is {turns}, zoom {zoom}, shift {shift}; needs (n,), (n, 2) and (n, 2); "
                         "give one row per image.")
    return (*turns, 6)


def _transform_shape(name: str, x: Shape, transform: Shape, fill_mode: int) -> Shape:
    image_shape(name, x)
    if len(transform) != 2 or transform[1] != 6 or (None not in (x[0], transform[0]) and x[0] != transform[0]):
        raise ShapeError(f"{name}: the images are {x} and transform is {transform}; needs six numbers per image, "
                         f"({x[0]}, 6).")
    if 0 in x[1:3]:
        raise ShapeError(f"{name}: the images are {x}; needs at least one pixel.")
    if not 0 <= fill_mode < len(FILL_MODES):
        raise ValueError(f"{name}: fill_mode is {fill_mode}; needs the place of one of {FILL_MODES}.")
    return x


def _matrix_magnitude(zoom: Array, shift: Array, height: int, width: int) -> Array:
    """Largest terms of the sums; the offsets in columns 2 and 5 are differences of lengths."""
    z, s = np.abs(zoom).max(axis=1, keepdims=True), np.abs(shift).max(axis=1, keepdims=True)
    length = (1 + 2 * z + s) * (height + width)
    return np.concatenate([z, z, length, z, z, length], axis=1)


def _brightest(x: Array) -> Array:
    """Per image and channel the largest |value|: weights have absolute errors, so the neighbours count too."""
    return np.broadcast_to(np.abs(x).max(axis=(1, 2), keepdims=True), x.shape)


affine_matrix = Op("affine_matrix", shape=_matrix_shape, magnitude=_matrix_magnitude, cost=10)

affine_transform: Op = Op(
    "affine_transform",
    shape=lambda x, transform, fill_mode: _transform_shape("affine_transform", x, transform, fill_mode),
    vjp=dict(x=lambda dy, transform, bilinear, fill_mode:
             affine_transform_grad(dy, transform, bilinear=bilinear, fill_mode=fill_mode)),
    magnitude=lambda x, fill_value: _brightest(x) + abs(fill_value), ulps=8, cost=3)

affine_transform_grad = Op(
    "affine_transform_grad", outputs=("dx",),
    shape=lambda dy, transform, fill_mode: _transform_shape("affine_transform_grad", dy, transform, fill_mode),
    vjp=dict(dy=lambda ddx, transform, bilinear, fill_mode:
             affine_transform(ddx, transform, bilinear=bilinear, fill_mode=fill_mode, fill_value=0.0)),
    magnitude=lambda dy, transform, bilinear, fill_mode: _brightest(dy) + _reference.affine_transform_grad(
        np.abs(dy), transform, bilinear=bilinear, fill_mode=fill_mode),
    terms=lambda dy: 4 * dy.shape[1] * dy.shape[2], cost=4)
