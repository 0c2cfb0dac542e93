"""Rows for fastnn/reference/conv_pool.py."""

from typing import Any

from tests.cases._case import Case, floats, ints

# image (h, w, channels), kernel (kh, kw), filters, strides, dilation
_SHAPES: list[tuple[tuple[int, int, int], tuple[int, int], int, tuple[int, int], tuple[int, int]]] = [
    ((28, 28, 1), (3, 3), 32, (1, 1), (1, 1)),      # the guide's
    ((9, 12, 1), (5, 5), 7, (1, 1), (1, 1)),        # the last row of outputs is not pooled
    ((10, 9, 5), (3, 2), 40, (1, 1), (1, 1)),
    ((13, 15, 3), (3, 3), 18, (2, 1), (1, 2)),
    ((8, 40, 2), (2, 2), 130, (1, 1), (1, 1)),      # more filters than a block, rows cut into pieces
    ((6, 7, 20), (3, 3), 64, (1, 1), (1, 1)),       # many weights: one chunk
]


def _rows(image: tuple[int, int, int], kernel: tuple[int, int], filters: int, strides: tuple[int, int],
          dilation: tuple[int, int]) -> list[Case]:
    pooled = [((n - (k - 1) * d - 1) // s + 1) // 2 for n, k, s, d in zip(image, kernel, strides, dilation)]
    settings: dict[str, Any] = dict(strides=strides, dilation=dilation)
    return [
        Case("conv2d_relu_pool", x=floats(3, *image), w=floats(*kernel, image[2], filters), b=floats(filters),
             exact=True, grad=False, **settings),       # tests/test_convolution.py has the gradients
        Case("conv2d_relu_pool_grad", x=floats(3, *image), dy=floats(3, *pooled, filters),
             argmax=ints(3, *pooled, filters, high=5, dtype="uint8"), size=kernel, exact=True, **settings),
    ]


CASES = [case for shape in _SHAPES for case in _rows(*shape)]
CASES += [
    Case("conv2d_relu_pool", x=floats("n", 6, 6, 2), w=floats(3, 3, 2, 4), b=floats(4), strides=(1, 1), dilation=(1, 1),
         exact=True, grad=False,
         bad=[(dict(x=(2, 3, 6, 2)), "2 x 2 outputs"), (dict(x=(2, 2, 6, 2)), "within the image")]),
    Case("conv2d_relu_pool_grad", x=floats(9, 6, 6, 2), dy=floats(9, 2, 2, 4),
         argmax=ints(9, 2, 2, 4, high=5, dtype="uint8"), size=(3, 3), strides=(1, 1), dilation=(1, 1),
         exact=True, bad=[(dict(dy=(9, 2, 3, 4)), "equal"), (dict(argmax=(9, 1, 2, 4)), "equal")]),
]
