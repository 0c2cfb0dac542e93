"""What Keras' legacy ImageDataGenerator makes of one image and of a few statistics."""

from typing import Any

import numpy as np

from tests.golden.common import wave

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



def _generator(k: Any, **settings: Any) -> Any:
    if k.__name__ == "keras":
        from keras.src.legacy.preprocessing.image import ImageDataGenerator
        return ImageDataGenerator(**settings)
    return k.preprocessing.image.ImageDataGenerator(**settings)


def _transformed(k: Any, image: np.ndarray, setting: dict[str, Any], transform: dict[str, Any]) -> np.ndarray:
    return np.asarray(_generator(k, **setting).apply_transform(image.copy(), dict(transform)), np.float32)


def _standardized(k: Any, setting: dict[str, Any]) -> np.ndarray:
    generator = _generator(k, **setting)
    generator.fit(IMAGES)
    return np.stack([generator.standardize(image.copy()) for image in IMAGES]).astype(np.float32)


VALUES: dict[str, Any] = {
    f"transform {i} {j}": lambda k, setting=setting, transform=transform: _transformed(k, IMAGE, setting, transform)
    for i, setting in enumerate(SETTINGS) for j, transform in enumerate(TRANSFORMS)}
VALUES["outside 0..255"] = lambda k: _transformed(k, (IMAGE - 128) / 64, {}, {"brightness": 0.6})
VALUES |= {f"statistics {i}": lambda k, setting=setting: _standardized(k, setting)
           for i, setting in enumerate(STATISTICS)}
