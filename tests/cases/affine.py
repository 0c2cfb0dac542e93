"""Rows for fastnn/reference/affine.py."""

from typing import Any

import numpy as np

from tests.cases._case import Case, floats


def _maps(arrays: dict[str, Any]) -> None:
    """Random maps around the identity, in eighths: positions between pixels, at pixels, and far outside of them."""
    transform = arrays["transform"]
    transform[...] = np.round(transform * 8) / 8 + np.array([1, 0, 0, 0, 1, 0], np.float32)
    transform[..., 2::3] *= 4


def _rows(b: Any, h: Any, w: Any, c: Any, **more: Any) -> list[Case]:
    options = dict(transform=floats(b, 6, low=-1.0, high=1.0), fix=_maps)
    return [case for mode in range(4) for bilinear in (True, False) for case in
            (Case("affine_transform", x=floats(b, h, w, c), bilinear=bilinear, fill_mode=mode, fill_value=0.5,
                  **options, **more),
             Case("affine_transform_grad", dy=floats(b, h, w, c), bilinear=bilinear, fill_mode=mode, **options))]


BAD = [(dict(x=(2, 5, 4, 1), transform=(3, 6)), "six numbers per image"),
       (dict(x=(2, 5, 4, 1), transform=(2, 8)), "six numbers per image"),
       (dict(x=(2, 5, 4), transform=(2, 6)), "channels"), (dict(x=(2, 0, 4, 1), transform=(2, 6)), "one pixel")]

CASES = [
    Case("affine_matrix", turns=floats("n"), zoom=floats("n", 2), shift=floats("n", 2), height=28, width=33,
         bad=[(dict(turns=(3,), zoom=(3,), shift=(3, 2)), "one row per image")]),
    Case("affine_matrix", turns=floats("n", low=-40.0, high=40.0), zoom=floats("n", 2), shift=floats("n", 2),
         height=1, width=4096),
    *_rows("b", "h", 5, 1, bad=BAD),
    *_rows(3, 7, "w", 3),
    *_rows(2, 4, 1, "c"),
]
