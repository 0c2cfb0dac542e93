"""Colours as hue, saturation and value, and back. Floor 2."""

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError
from fastnn.ops._arithmetic import absolute, add, clip, divide, mod, multiply, subtract
from fastnn.ops._compare import equal, greater, where
from fastnn.ops._convert import floats
from fastnn.ops._reduction import max, min
from fastnn.ops._resize import as_image
from fastnn.ops._shaping import channels_moved, stack
from fastnn.ops._sizes import of_any_size

__all__ = ["hsv_to_rgb", "rgb_to_hsv"]


def _three(name: str, images: TensorLike, data_format: str | None) -> tuple[Tensor, Tensor, Tensor]:
    """The three channels."""
    given = as_image(name, images, data_format)
    if not given.dtype.startswith("float"):
        raise KindError(f"{name}: got dtype {given.dtype}; needs floats from 0 to 1; divide by 255.")
    x = floats(given)
    if x.shape[-1] != 3:
        raise ShapeError(f"{name}: got images of shape {x.shape}; needs three channels.")
    return x[..., 0], x[..., 1], x[..., 2]


@of_any_size
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Red, green and blue from 0 to 1 as hue (0 and 1 red, 1/3 green, 2/3 blue), saturation, how far from grey, and
    value, the largest of the three: all from 0 to 1. Source: Smith 1978, Color gamut transform pairs.

    >>> rgb_to_hsv([[[0.0, 0.5, 0.0]]]).numpy().round(3)
    array([[[0.333, 1.   , 0.5  ]]], dtype=float32)
    """
    red, green, blue = _three("rgb_to_hsv", images, data_format)
    both = stack([red, green, blue], -1)
    value, spread = max(both, -1), subtract(max(both, -1), min(both, -1))
    safe = where(greater(spread, 0.0), spread, 1.0)
    sixths = where(equal(value, red), mod(divide(subtract(green, blue), safe), 6.0), where(
        equal(value, green), add(divide(subtract(blue, red), safe), 2.0), add(divide(subtract(red, green), safe), 4.0)))
    hue = where(greater(spread, 0.0), divide(sixths, 6.0), 0.0)
    saturation = divide(spread, where(greater(value, 0.0), value, 1.0))
    return channels_moved("rgb_to_hsv", stack([hue, saturation, value], -1), data_format, -1, -3)


@of_any_size
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Tensor:
    """The way back of rgb_to_hsv: of each colour value · (1 - saturation · how far hue is from it, from 0 to 1).

    >>> hsv_to_rgb([[[0.5, 1.0, 1.0]]]).numpy()
    array([[[0., 1., 1.]]], dtype=float32)
    """
    hue, saturation, value = _three("hsv_to_rgb", images, data_format)
    colours = []
    for offset, sign, least in ((3.0, 1.0, -1.0), (2.0, -1.0, 2.0), (4.0, -1.0, 2.0)):
        share = add(multiply(absolute(subtract(multiply(hue, 6.0), offset)), sign), least)
        colours.append(multiply(value, subtract(1.0, multiply(saturation, subtract(1.0, clip(share, 0.0, 1.0))))))
    return channels_moved("hsv_to_rgb", stack(colours, -1), data_format, -1, -3)
