"""Rows for fastnn/reference/image.py. Moving is exact: bits=True there."""

from typing import Any

from tests.cases._case import Case, floats, ints, wide

IMAGES: dict[str, Any] = dict(x=floats("b", "h", "w", "c"), exact=True, bits=True)
SMALL = floats(3, "h", 4, "c")
BAD = [(dict(x=(2, 3, 4)), "rows, columns, channels")]

CASES = [
    Case("rescale", x=floats("m", "n"), scale=0.3, offset=-0.2),
    Case("rescale", x=ints("m", "n", high=256, dtype="uint8"), scale=1 / 255, offset=0.0, grad=False),
    Case("rescale", x=ints("n", low=-999, high=999), scale=2.0, offset=1.0, grad=False),
    Case("rescale", x=ints("n", low=-999, high=999, dtype="int64"), scale=0.5, offset=1.0, grad=False),
    Case("rescale", x=wide(floats("n")), scale=0.5, offset=1.0, grad=False),
    Case("scale_shift", x=floats("m", 3, 1), center=floats(1), scale=floats(1), shift=floats(1)),
    Case("scale_shift", x=floats("m", 3, "n"), center=floats("n"), scale=floats("n"), shift=floats("n"), exact=True,
         bad=[(dict(x=(3, 4), center=(3,), scale=(3,), shift=(3,)), "as long as")]),
    Case("scale_shift", x=floats("n"), center=floats("n"), scale=floats("n"), shift=floats("n")),
    Case("pad", before=(0, 1, 2, 0), after=(0, 3, 0, 0), value=0.0, **IMAGES, bad=[(dict(x=(2, 3)), "each axis")]),
    Case("pad", before=(0, 0, 2, 0), after=(0, 0, 1, 0), value=-1.5, x=floats("b", "h", 3, "c"), bits=True),
    Case("pad", before=(1, 0, 2), after=(0, 2, 4), value=7.0, x=floats("b", "h", "c"), bits=True, exact=True),
    Case("pad", before=(0, 0), after=(0, 0), value=1.0, x=floats("m", "n"), bits=True),
    Case("crop", before=(0, 1, 2, 0), after=(0, 3, 0, 0), x=floats("b", 9, 5, "c"), exact=True, bits=True,
         bad=[(dict(x=(2, 3, 5, 1)), "no more than there is"), (dict(x=(2, 3)), "each axis")]),
    Case("crop", before=(1, 2), after=(0, 2), x=floats(9, 31), exact=True, bits=True),
    Case("crop", before=(0, 3, 0), after=(0, 3, 0), x=floats("m", 9, "n"), exact=True, bits=True),
    Case("upsample", rows=2, columns=2, **IMAGES, bad=BAD),
    Case("upsample", rows=3, columns=1, **IMAGES),
    Case("upsample", rows=1, columns=5, **IMAGES),
    Case("upsample_grad", dy=floats("b", 6, 4, "c"), rows=3, columns=2, exact=True,
         bad=[(dict(dy=(2, 5, 4, 1)), "divisible"), (dict(dy=(2, 5)), "rows, columns, channels")]),
    Case("upsample_grad", dy=floats(2, "h", 10, "c"), rows=1, columns=5, exact=True),
    Case("upsample_bilinear", x=SMALL, rows=2, columns=2, exact=True, bad=BAD),
    Case("upsample_bilinear", x=floats("b", "h", "w", 3), rows=3, columns=5),
    Case("upsample_bilinear", x=floats("b", 1, "w", 1), rows=4, columns=1),
    Case("upsample_bilinear_grad", dy=floats("b", 6, 8, "c"), rows=2, columns=2, exact=True,
         bad=[(dict(dy=(2, 5, 4, 1)), "divisible")]),
    Case("upsample_bilinear_grad", dy=floats(2, 9, 20, "c"), rows=3, columns=5),
    Case("flip", coin=floats("b", low=0.0, high=1.0), rows=False, columns=True, **IMAGES,
         bad=[(dict(x=(2, 3, 4, 1), coin=(3,)), "one number per image"), (dict(x=(2, 3), coin=(2,)), "channels")]),
    Case("flip", coin=floats("b", low=0.0, high=1.0), rows=True, columns=True, **IMAGES),
    Case("flip", coin=floats("b", low=0.0, high=1.0), rows=True, columns=False, **IMAGES),
]
