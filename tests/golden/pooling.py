"""Pooling of images and sequences: max and average, valid and same, overlapping, global."""

from typing import Any

from tests.golden.common import SAMPLES, Case, wave

IMAGES = wave(SAMPLES, 6, 5, 2, phase=0.2)
STEPS = wave(SAMPLES, 9, 3, phase=0.6)


def _net(layer: Any, shape: tuple[int, ...]) -> Any:
    """A Dense layer before the pooling, so that its gradient is seen."""
    return lambda k: k.Sequential([k.Input(shape), k.layers.Dense(4, activation="tanh"), layer(k.layers),
                                   k.layers.Flatten(), k.layers.Dense(3)])


def _image(name: str, layer: Any) -> Case:
    return Case(f"pool_{name}", _net(layer, (6, 5, 2)), lambda k: dict(), x=IMAGES)


def _steps(name: str, layer: Any) -> Case:
    return Case(f"pool_{name}", _net(layer, (9, 3)), lambda k: dict(), x=STEPS)


CASES = [
    _image("max_2d", lambda la: la.MaxPooling2D()),
    _image("max_2d_same", lambda la: la.MaxPooling2D(2, padding="same")),
    _image("max_2d_overlapping", lambda la: la.MaxPooling2D((3, 2), strides=(2, 1), padding="same")),
    _image("max_2d_gaps", lambda la: la.MaxPool2D(2, strides=3)),
    _image("average_2d", lambda la: la.AveragePooling2D((2, 2))),
    _image("average_2d_same", lambda la: la.AveragePooling2D(3, strides=2, padding="same")),
    _image("average_2d_overlapping", lambda la: la.AvgPool2D((3, 3), strides=1)),
    _image("global_max_2d", lambda la: la.GlobalMaxPooling2D()),
    _image("global_average_2d", lambda la: la.GlobalAveragePooling2D(keepdims=True)),
    _steps("max_1d", lambda la: la.MaxPooling1D()),
    _steps("max_1d_same", lambda la: la.MaxPool1D(4, strides=2, padding="same")),
    _steps("average_1d", lambda la: la.AveragePooling1D(2)),
    _steps("average_1d_same", lambda la: la.AvgPool1D(3, strides=2, padding="same")),
    _steps("global_max_1d", lambda la: la.GlobalMaxPool1D(keepdims=True)),
    _steps("global_average_1d", lambda la: la.GlobalAvgPool1D()),
]
