"""Images: ranges of values, borders, sizes and mirrors; arrays (batch, rows, columns, channels). Floor 2."""

import numpy as np

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same
from fastnn.ops.rows._work import size
from fastnn.ops.rows.elementwise import scale as _scaled
from fastnn.reference import image as _reference

Sizes = tuple[int, ...]


def image_shape(name: str, x: Shape) -> Shape:
    """x, if it is a batch of images. ShapeError else."""
    if len(x) != 4:
        raise ShapeError(f"{name}: got an array of shape {x}; needs (batch, rows, columns, channels); add the missing "
                         "axes with reshape.")
    return x


def _scale_shift_shape(x: Shape, center: Shape, scale: Shape, shift: Shape) -> Shape:
    if not x or not center == scale == shift == x[-1:]:
        raise ShapeError(f"scale_shift: x is {x}, center {center}, scale {scale}, shift {shift}; needs vectors as long "
                         "as x's last axis; give one number per feature.")
    return x


def _borders(name: str, x: Shape, before: Sizes, after: Sizes) -> None:
    if not len(x) == len(before) == len(after) or not x or min(before + after) < 0:
        raise ShapeError(f"{name}: x is {x}, before is {before} and after {after}; needs two numbers >= 0 for each "
                         "axis; write 0 for axes that stay.")


def _pad_shape(x: Shape, before: Sizes, after: Sizes) -> Shape:
    _borders("pad", x, before, after)
    return tuple(None if n is None else n + b + a for n, b, a in zip(x, before, after))


def _crop_shape(x: Shape, before: Sizes, after: Sizes) -> Shape:
    _borders("crop", x, before, after)
    if any(n is not None and b + a > n for n, b, a in zip(x, before, after)):
        raise ShapeError(f"crop: x is {x}, before is {before} and after {after}; needs no more than there is along "
                         "each axis; crop less.")
    return tuple(None if n is None else n - b - a for n, b, a in zip(x, before, after))


def _larger(name: str, x: Shape, rows: int, columns: int) -> Shape:
    b, h, w, c = image_shape(name, x)
    if min(rows, columns) < 1:
        raise ShapeError(f"{name}: rows is {rows} and columns {columns}; needs factors >= 1.")
    return b, None if h is None else h * rows, None if w is None else w * columns, c


def _smaller(name: str, dy: Shape, rows: int, columns: int) -> Shape:
    b, h, w, c = image_shape(name, dy)
    if min(rows, columns) < 1 or (h or 0) % rows or (w or 0) % columns:
        raise ShapeError(f"{name}: dy is {dy}; needs rows divisible by {rows} and columns by {columns}.")
    return b, None if h is None else h // rows, None if w is None else w // columns, c


def _flip_shape(x: Shape, coin: Shape) -> Shape:
    image_shape("flip", x)
    if len(coin) != 1 or (None not in (x[0], coin[0]) and x[0] != coin[0]):
        raise ShapeError(f"flip: x is {x} and coin is {coin}; needs one number per image, ({x[0]},).")
    return x


rescale = Op("rescale", shape=same, dtypes=dict(x="any"),
             vjp=dict(x=lambda dy, scale: _scaled(dy, factor=scale)),
             magnitude=lambda x, scale, offset: np.abs(scale * x.astype(np.float64)) + abs(offset), ulps=8)

scale_shift: Op = Op(
    "scale_shift", shape=_scale_shift_shape,
    vjp=dict(x=lambda dy, center, scale: scale_shift(dy, _scaled(center, factor=0.0), scale,
                                                     _scaled(center, factor=0.0))),
    magnitude=lambda x, center, scale, shift: (np.abs(x) + np.abs(center)) * np.abs(scale) + np.abs(shift), cost=0.2)

pad: Op = Op("pad", shape=_pad_shape, vjp=dict(x=lambda dy, before, after: crop(dy, before=before, after=after)),
             cost=0.2)

crop = Op("crop", shape=_crop_shape,
          vjp=dict(x=lambda dy, before, after: pad(dy, before=before, after=after, value=0.0)),
          work=lambda y: 0.2 * size(y))

upsample: Op = Op("upsample", shape=lambda x, rows, columns: _larger("upsample", x, rows, columns),
                  vjp=dict(x=lambda dy, rows, columns: upsample_grad(dy, rows=rows, columns=columns)), cost=0.3)

upsample_grad = Op("upsample_grad", shape=lambda dy, rows, columns: _smaller("upsample_grad", dy, rows, columns),
                   outputs=("dx",), vjp=dict(dy=lambda ddx, rows, columns: upsample(ddx, rows=rows, columns=columns)),
                   magnitude=lambda dy, rows, columns: _reference.upsample_grad(np.abs(dy), rows=rows, columns=columns),
                   terms=lambda rows, columns: rows * columns, cost=0.5)

upsample_bilinear: Op = Op(
    "upsample_bilinear", shape=lambda x, rows, columns: _larger("upsample_bilinear", x, rows, columns),
    vjp=dict(x=lambda dy, rows, columns: upsample_bilinear_grad(dy, rows=rows, columns=columns)),
    magnitude=lambda x, rows, columns: _reference.upsample_bilinear(np.abs(x), rows=rows, columns=columns), ulps=8,
    cost=1)

upsample_bilinear_grad = Op(
    "upsample_bilinear_grad", shape=lambda dy, rows, columns: _smaller("upsample_bilinear_grad", dy, rows, columns),
    outputs=("dx",), vjp=dict(dy=lambda ddx, rows, columns: upsample_bilinear(ddx, rows=rows, columns=columns)),
    magnitude=lambda dy, rows, columns: _reference.upsample_bilinear_grad(np.abs(dy), rows=rows, columns=columns),
    terms=lambda rows, columns: 4 * rows * columns, ulps=8, cost=2)

flip: Op = Op("flip", shape=_flip_shape,
              vjp=dict(x=lambda dy, coin, rows, columns: flip(dy, coin, rows=rows, columns=columns)), cost=0.5)
