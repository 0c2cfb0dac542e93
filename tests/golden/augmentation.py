"""What Keras' legacy ImageDataGenerator makes of one image and of a few statistics.

Writes augmentation.npz; run in an environment with keras, scipy and pillow; not part of the tests:
    python -m tests.golden.augmentation
"""

from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.common import wave

FILE = Path(__file__).with_suffix(".npz")
IMAGE = np.floor(127.5 * (1 + wave(9, 9, 3))).astype(np.float32)     # square: see ImageDataGenerator on other shapes
IMAGES = wave(12, 4, 4, 3, phase=0.3)
TRANSFORMS: list[dict[str, Any]] = [
    {"theta": 20.0}, {"theta": -33.5, "zx": 0.8, "zy": 1.3}, {"tx": 1.7, "ty": -2.2},
    {"shear": 25.0, "theta": 10.0, "tx": 0.5}, {"zx": 1.4, "zy": 1.4, "flip_horizontal": True},
    {"theta": 50.0, "ty": 1.0, "flip_vertical": True, "flip_horizontal": True, "channel_shift_intensity": -40.0},
    {"brightness": 0.37}, {"brightness": 1.8, "theta": 5.0, "zx": 0.7, "zy": 0.7}]
SETTINGS = [{"fill_mode": mode, "cval": 7.0, "interpolation_order": order}
            for mode in ("nearest", "constant", "reflect") for order in (1, 0)]
STATISTICS: list[dict[str, Any]] = [
    {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 2.0},
    {"samplewise_center": True, "samplewise_std_normalization": True},
    {"featurewise_center": True, "zca_whitening": True, "zca_epsilon": 0.1}]


def results(generator: Any) -> dict[str, np.ndarray]:
    """Everything above, by an ImageDataGenerator class."""
    found = {f"transform {i} {j}": generator(**setting).apply_transform(IMAGE.copy(), dict(transform))
             for i, setting in enumerate(SETTINGS) for j, transform in enumerate(TRANSFORMS)}
    found["outside 0..255"] = generator().apply_transform((IMAGE - 128) / 64, {"brightness": 0.6})
    for i, setting in enumerate(STATISTICS):
        g = generator(**setting)
        g.fit(IMAGES)
        found[f"statistics {i}"] = np.stack([g.standardize(image.copy()) for image in IMAGES])
    return {name: np.asarray(array, np.float32) for name, array in found.items()}


if __name__ == "__main__":
    from keras.src.legacy.preprocessing.image import ImageDataGenerator
    np.savez_compressed(FILE, **results(ImageDataGenerator))
