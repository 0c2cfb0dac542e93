"""Rows for fastnn/reference/conv.py."""

from typing import Any

from tests.cases._case import Case, floats

_PLAIN: dict[str, Any] = dict(strides=(1, 1), pads=(0, 0, 0, 0), dilation=(1, 1), groups=1)

# image (h, w, channels), kernel (kh, kw), filters, settings: each meets another path or border of the C kernels
_SHAPES: list[tuple[tuple[int, int, int], tuple[int, int], int, dict[str, Any]]] = [
    ((28, 28, 1), (3, 3), 32, {}),                                                  # the guide's first layer
    ((28, 30, 1), (3, 3), 5, dict(pads=(1, 1, 1, 1))),
    ((9, 8, 1), (5, 5), 33, dict(pads=(2, 2, 2, 2))),
    ((14, 14, 32), (3, 3), 64, {}),
    ((14, 13, 16), (3, 3), 48, dict(pads=(1, 1, 1, 1))),
    ((12, 12, 3), (3, 3), 16, dict(strides=(2, 2), pads=(0, 1, 0, 1))),
    ((11, 17, 5), (2, 4), 7, dict(strides=(3, 2), pads=(1, 0, 2, 1))),
    ((13, 12, 6), (3, 2), 9, dict(dilation=(2, 3), pads=(2, 2, 1, 2))),
    ((10, 9, 4), (3, 3), 5, dict(strides=(2, 3), dilation=(2, 2), pads=(3, 4, 2, 2))),
    ((8, 9, 6), (3, 3), 8, dict(groups=2, pads=(1, 1, 1, 1))),
    ((7, 7, 6), (3, 3), 6, dict(groups=3, strides=(2, 2))),
    ((7, 6, 20), (3, 3), 20, dict(groups=20, pads=(1, 1, 1, 1))),                   # depthwise
    ((7, 6, 3), (2, 3), 3, dict(groups=3, strides=(2, 2), pads=(0, 1, 1, 1))),
    ((6, 6, 4), (3, 3), 12, dict(groups=4)),                                        # depthwise, multiplier 3
    ((5, 6, 17), (1, 1), 19, {}),                                                   # a matrix product
    ((5, 6, 17), (1, 1), 3, dict(strides=(2, 2))),
    ((1, 40, 8), (1, 5), 12, dict(pads=(0, 0, 4, 0))),                              # causal, one dimension
    ((1, 2, 3), (1, 7), 4, dict(pads=(0, 0, 3, 3))),                                # a kernel wider than the image
    ((3, 3, 2), (1, 1), 2, dict(pads=(1, 1, 2, 0))),                                # outputs without any tap
    ((4, 4, 70), (3, 3), 70, dict(pads=(1, 1, 1, 1))),
]


def _outputs(image: tuple[int, int, int], kernel: tuple[int, int], settings: dict[str, Any]) -> tuple[int, int]:
    pads, (sh, sw), (dh, dw) = settings["pads"], settings["strides"], settings["dilation"]
    return ((image[0] + pads[0] + pads[1] - (kernel[0] - 1) * dh - 1) // sh + 1,
            (image[1] + pads[2] + pads[3] - (kernel[1] - 1) * dw - 1) // sw + 1)


def _rows(image: tuple[int, int, int], kernel: tuple[int, int], filters: int, changes: dict[str, Any], batch: int,
          activation: str = "linear") -> list[Case]:
    """The convolution, its transpose and its weights' gradient."""
    settings = {**_PLAIN, **changes}
    (h, w, c), groups, outputs = image, settings["groups"], _outputs(image, kernel, settings)
    exact, small = activation in ("linear", "relu"), h * w * c * filters < 10000
    return [
        Case("conv2d", x=floats(batch, h, w, c), w=floats(*kernel, c // groups, filters), b=floats(filters),
             activation=activation, exact=exact, grad=small and activation != "relu", **settings),
        Case("conv2d_transpose", x=floats(batch, *outputs, filters), w=floats(*kernel, filters, c // groups),
             b=floats(c), activation=activation, size=(h, w), exact=exact, grad=small and activation != "relu",
             **settings),
        Case("conv2d_weights_grad", x=floats(batch, h, w, c), dy=floats(batch, *outputs, filters), size=kernel,
             exact=True, **settings),
    ]


CASES = [case for shape in _SHAPES for case in _rows(*shape, batch=3)]
CASES += [case for activation in ("relu", "tanh", "sigmoid") for case in
          _rows((6, 5, 3), (3, 2), 18, dict(pads=(1, 1, 1, 0)), 2, activation)[:2]]
CASES += [case for shape in (_SHAPES[0], _SHAPES[9]) for case in _rows(*shape, batch=9)[:3]]
CASES += [
    Case("conv2d", x=floats("n", 6, 7, 2), w=floats(3, 3, 2, 4), b=floats(4), activation="linear", exact=True, **_PLAIN,
         bad=[(dict(x=(2, 2, 7, 2)), "within the image"), (dict(x=(6, 7, 2)), "images"),
              (dict(x=(2, 6, 7, 3)), "channels"), (dict(b=(3,)), "bias")]),
    Case("conv2d", x=floats("n", 4, 4, 520), w=floats(1, 1, 520, 24), b=floats(24), activation="relu", exact=True,
         **_PLAIN),      # a matrix product in two halves
    Case("conv2d", x=floats(1, 300, 5, 300), w=floats(3, 3, 300, 70), b=floats(70), activation="relu", exact=True,
         grad=False, **_PLAIN),
    Case("conv2d_transpose", x=floats("n", 4, 5, 4), w=floats(3, 3, 4, 2), b=floats(2), activation="linear",
         size=(6, 7), exact=True, **_PLAIN,
         bad=[(dict(x=(2, 3, 5, 4)), "equal sizes"), (dict(x=(2, 4, 5, 3)), "channels"),
              (dict(w=(3, 3, 4)), "weights"), (dict(b=(3,)), "bias")]),
    Case("conv2d_weights_grad", x=floats(8, 6, 7, 2), dy=floats(8, 4, 5, 4), size=(3, 3), exact=True,
         **_PLAIN,
         bad=[(dict(x=(7, 6, 7, 2)), "batch"), (dict(x=(8, 5, 7, 2)), "equal sizes")]),
]
