"""Layers for images and sequences whose outputs are not random: borders, sizes, axes, scales."""

from typing import Any

import numpy as np

from tests.golden.common import SAMPLES, Case, wave

_IMAGES = wave(SAMPLES, 4, 3, 2)
_STEPS = wave(SAMPLES, 4, 3)
_BYTES = np.round(127.5 + 127 * _IMAGES).astype(np.uint8)


def _between(layer: Any, channels: int = 2) -> Any:
    """Dense on the last axis, the layer, and a Dense head: weights before the layer learn through its gradient."""
    def model(k: Any) -> Any:
        shape = (4, 3, 2) if channels == 2 else (4, 3)
        return k.Sequential([k.Input(shape), k.layers.Dense(channels, activation="tanh"), layer(k.layers),
                             k.layers.Flatten(), k.layers.Dense(3)])
    return model


def _plain(k: Any) -> dict[str, Any]:
    return {"optimizer": k.optimizers.SGD(0.02)}


_LAYERS_2D: dict[str, Any] = {
    "zero_padding2d": lambda la: la.ZeroPadding2D(),
    "zero_padding2d_sides": lambda la: la.ZeroPadding2D(((1, 0), (2, 3))),
    "cropping2d": lambda la: la.Cropping2D(1),
    "cropping2d_sides": lambda la: la.Cropping2D(((1, 0), (0, 2))),
    "up_sampling2d": lambda la: la.UpSampling2D(),
    "up_sampling2d_sizes": lambda la: la.UpSampling2D((3, 1)),
    "up_sampling2d_bilinear": lambda la: la.UpSampling2D(interpolation="bilinear"),
    "up_sampling2d_bilinear_sizes": lambda la: la.UpSampling2D((3, 4), interpolation="bilinear"),
    "resizing": lambda la: la.Resizing(3, 5),
    "resizing_cropped": lambda la: la.Resizing(2, 5, "nearest", crop_to_aspect_ratio=True),
    "resizing_smooth": lambda la: la.Resizing(2, 2, antialias=True),
    "center_crop": lambda la: la.CenterCrop(2, 2),
    "center_crop_larger": lambda la: la.CenterCrop(5, 2),
    "permute_3": lambda la: la.Permute((3, 1, 2)),
    "rescaling": lambda la: la.Rescaling(1 / 3, offset=-0.5),
    "rescaling_channels": lambda la: la.Rescaling([2.0, 0.5], offset=[0.1, -0.1]),
    "normalization_given": lambda la: la.Normalization(mean=[0.2, -0.1], variance=[0.5, 2.0]),
    "normalization_invert": lambda la: la.Normalization(mean=[0.2, -0.1], variance=[0.5, 2.0], invert=True),
    "normalization_scalar": lambda la: la.Normalization(axis=None, mean=0.3, variance=1.7),
    "normalization_columns": lambda la: la.Normalization(axis=2, mean=[0.3, 0.0, -1.0], variance=[1.7, 0.4, 0.2]),
    "normalization_two_axes": lambda la: la.Normalization(axis=(1, 3), mean=np.full((4, 2), 0.25),
                                                          variance=np.arange(1.0, 9.0).reshape(4, 2)),
    "spatial_dropout2d_0": lambda la: la.SpatialDropout2D(0.0),
    "gaussian_noise_0": lambda la: la.GaussianNoise(0.0),
    "gaussian_dropout_0": lambda la: la.GaussianDropout(0.0),
}
_LAYERS_1D: dict[str, Any] = {
    "zero_padding1d": lambda la: la.ZeroPadding1D((0, 2)),
    "cropping1d": lambda la: la.Cropping1D(),
    "up_sampling1d": lambda la: la.UpSampling1D(3),
    "permute_2": lambda la: la.Permute((2, 1)),
    "normalization_last": lambda la: la.Normalization(mean=[0.3, 0.0, -1.0], variance=[1.7, 0.1, 0.2]),
}


def _repeat(k: Any) -> Any:
    return k.Sequential([k.Input((6,)), k.layers.Dense(4, activation="tanh"), k.layers.RepeatVector(3),
                         k.layers.Dense(2, activation="tanh"), k.layers.Flatten(), k.layers.Dense(3)])


def _first(k: Any) -> Any:
    return k.Sequential([k.Input((4, 3, 2)), k.layers.Rescaling(1 / 255), k.layers.Flatten(), k.layers.Dense(3)])


CASES = [Case(f"image_{name}", _between(layer), _plain, x=_IMAGES) for name, layer in _LAYERS_2D.items()]
CASES += [Case(f"image_{name}", _between(layer, 3), _plain, x=_STEPS) for name, layer in _LAYERS_1D.items()]
CASES += [Case("image_repeat_vector", _repeat, _plain),
          Case("image_rescaling_first_on_bytes", _first, _plain, x=_BYTES)]
