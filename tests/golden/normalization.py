"""Batch, layer and group normalization: axes, options, frozen layers, images."""

from typing import Any

from tests.golden.common import FEATURES, SAMPLES, Case, wave

IMAGES = wave(SAMPLES, 3, 4, 6, phase=0.3) + 1
_LOOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5, "why": "Keras forms x·s + (β - mean·s), which loses some digits"}


def _net(layer: Any) -> Any:
    return lambda k: k.Sequential([k.Input((FEATURES,)), k.layers.Dense(5, activation="tanh"), layer(k),
                                   k.layers.Dense(3)])


def _images(layer: Any) -> Any:
    return lambda k: k.Sequential([k.Input((3, 4, 6)), k.layers.Dense(6, activation="tanh"), layer(k),
                                   k.layers.Flatten(), k.layers.Dense(3)])


def _frozen(k: Any) -> Any:
    model = _net(lambda k: k.layers.BatchNormalization())(k)
    model.layers[1].trainable = False
    return model


def _case(name: str, layer: Any, *variances: int) -> Case:
    return Case(f"norm_{name}", _net(layer), lambda k: dict(), positive=variances, **_LOOSE)


def _image(name: str, layer: Any, *variances: int) -> Case:
    return Case(f"norm_{name}", _images(layer), lambda k: dict(optimizer=k.optimizers.SGD(0.02)), x=IMAGES,
                positive=variances, **_LOOSE)


CASES = [
    _case("batch", lambda k: k.layers.BatchNormalization(), 5),
    _case("batch_momentum", lambda k: k.layers.BatchNormalization(momentum=0.6, epsilon=1e-2), 5),
    _case("batch_no_scale", lambda k: k.layers.BatchNormalization(scale=False), 4),
    _case("batch_no_center", lambda k: k.layers.BatchNormalization(center=False), 4),
    _case("batch_neither", lambda k: k.layers.BatchNormalization(center=False, scale=False, momentum=0.5), 3),
    _case("batch_regularized", lambda k: k.layers.BatchNormalization(
        gamma_regularizer=k.regularizers.L2(0.1), beta_regularizer=k.regularizers.L1(0.05),
        gamma_constraint=k.constraints.NonNeg()), 5),
    Case("norm_batch_frozen", _frozen, lambda k: dict(), positive=(5,), **_LOOSE),
    _image("batch_image", lambda k: k.layers.BatchNormalization(momentum=0.7), 5),
    _image("batch_axis_1", lambda k: k.layers.BatchNormalization(axis=1, momentum=0.7), 5),
    _case("batch_renorm", lambda k: k.layers.BatchNormalization(renorm=True, momentum=0.8, renorm_momentum=0.6),
          5, 6, 8),
    _image("batch_renorm_image", lambda k: k.layers.BatchNormalization(
        renorm=True, renorm_momentum=0.7, renorm_clipping={"rmax": 2.0, "rmin": 0.6, "dmax": 0.8}), 5, 6, 8),
    _case("batch_renorm_plain", lambda k: k.layers.BatchNormalization(
        renorm=True, center=False, scale=False, renorm_clipping={"dmax": 0.3}), 3, 4, 6),
    _case("layer", lambda k: k.layers.LayerNormalization()),
    _case("layer_plain", lambda k: k.layers.LayerNormalization(center=False, scale=False, epsilon=1e-5)),
    _image("layer_image", lambda k: k.layers.LayerNormalization()),
    _image("layer_axes", lambda k: k.layers.LayerNormalization(axis=[1, 2, 3])),
    _image("layer_two_axes", lambda k: k.layers.LayerNormalization(axis=(-2, -1))),
    _image("layer_rms_scaling", lambda k: k.layers.LayerNormalization(axis=(1, 3), rms_scaling=True)),
    _image("layer_axis_1", lambda k: k.layers.LayerNormalization(axis=1)),
    _case("unit", lambda k: k.layers.UnitNormalization()),
    _image("unit_axes", lambda k: k.layers.UnitNormalization(axis=(1, 3))),
    _case("rms", lambda k: k.layers.RMSNormalization()),
    _image("rms_image", lambda k: k.layers.RMSNormalization(epsilon=0.01)),
    _case("spectral", lambda k: k.layers.SpectralNormalization(k.layers.Dense(4))),
    _case("activity", lambda k: k.layers.ActivityRegularization(l1=0.01, l2=0.02)),
    _case("lambda", lambda k: k.layers.Lambda(lambda x, factor: x * factor, arguments={"factor": 3.0})),
    _image("group", lambda k: k.layers.GroupNormalization(groups=3)),
    _image("group_instance", lambda k: k.layers.GroupNormalization(groups=-1)),
    _image("group_one", lambda k: k.layers.GroupNormalization(groups=1, scale=False)),
]
