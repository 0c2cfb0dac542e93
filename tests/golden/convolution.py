"""Convolutions in every padding, stride, dilation and number of groups."""

from typing import Any

from tests.golden.common import CLASSES, SAMPLES, Case, wave

_IMAGE = wave(SAMPLES, 7, 6, 4, phase=0.3)
_STEPS = wave(SAMPLES, 9, 4, phase=0.7)

_LAYERS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "2d": ("Conv2D", (5, (3, 3)), dict(activation="relu")),
    "2d_same": ("Conv2D", (5, 3), dict(padding="same", activation="tanh")),
    "2d_strides": ("Conv2D", (5, (3, 2)), dict(strides=(2, 3), activation="sigmoid")),
    "2d_same_strides": ("Conv2D", (5, (2, 3)), dict(strides=2, padding="same")),
    "2d_dilation": ("Conv2D", (5, 2), dict(dilation_rate=(2, 3), activation="tanh")),
    "2d_same_dilation": ("Conv2D", (5, 3), dict(dilation_rate=2, padding="same", use_bias=False)),
    "2d_groups": ("Conv2D", (6, 3), dict(groups=2, padding="same", activation="relu")),
    "2d_even_kernel": ("Conv2D", (5, (4, 2)), dict(padding="same", activation="elu")),
    "1d": ("Conv1D", (5, 3), dict(activation="relu")),
    "1d_same": ("Conv1D", (5, 4), dict(padding="same", strides=2, activation="tanh")),
    "1d_causal": ("Conv1D", (5, 3), dict(padding="causal", activation="tanh")),
    "1d_causal_dilation": ("Conv1D", (5, 3), dict(padding="causal", dilation_rate=2)),
    "1d_causal_strides": ("Conv1D", (5, 3), dict(padding="causal", strides=2)),
    "1d_dilation": ("Conv1D", (5, 2), dict(dilation_rate=3, use_bias=False)),
    "1d_groups": ("Conv1D", (4, 3), dict(groups=4, strides=2)),
    "depthwise_2d": ("DepthwiseConv2D", (3,), dict(activation="relu")),
    "depthwise_2d_same": ("DepthwiseConv2D", ((3, 2),), dict(padding="same", strides=2, depth_multiplier=2)),
    "depthwise_2d_dilation": ("DepthwiseConv2D", (2,), dict(dilation_rate=2, use_bias=False)),
    "depthwise_1d": ("DepthwiseConv1D", (3,), dict(padding="same", depth_multiplier=3, activation="tanh")),
    "separable_2d": ("SeparableConv2D", (5, 3), dict(activation="relu")),
    "separable_2d_same": ("SeparableConv2D", (5, (3, 3)), dict(padding="same", strides=2, depth_multiplier=2)),
    "separable_1d": ("SeparableConv1D", (5, 3), dict(padding="same", activation="tanh")),
    "transpose_2d": ("Conv2DTranspose", (3, 3), dict(activation="relu")),
    "transpose_2d_same": ("Conv2DTranspose", (3, (3, 2)), dict(padding="same", strides=2, activation="tanh")),
    "transpose_2d_strides": ("Conv2DTranspose", (3, (2, 3)), dict(strides=(3, 2), use_bias=False)),
    "transpose_2d_small_kernel": ("Conv2DTranspose", (3, 1), dict(strides=2)),
    "transpose_2d_output_padding": ("Conv2DTranspose", (3, 3), dict(strides=2, output_padding=1)),
    "transpose_2d_same_output_padding": ("Conv2DTranspose", (3, 3), dict(strides=2, padding="same", output_padding=1)),
    "transpose_1d": ("Conv1DTranspose", (3, 4), dict(strides=2, padding="same", activation="tanh")),
}


def _model(kind: str, arguments: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    def build(k: Any) -> Any:
        layer = getattr(k.layers, kind)(*arguments, **settings)
        data = _STEPS if "1D" in kind else _IMAGE
        return k.Sequential([k.Input(data.shape[1:]), layer, k.layers.Flatten(), k.layers.Dense(CLASSES)])
    return build


def _two(k: Any) -> Any:
    """The second one's gradient goes on to the first."""
    return k.Sequential([k.Input((7, 6, 4)), k.layers.Conv2D(6, 3, activation="relu", padding="same"),
                         k.layers.Conv2D(5, (3, 2), strides=2, activation="tanh"), k.layers.Flatten(),
                         k.layers.Dense(CLASSES)])


def _slow(k: Any) -> dict[str, Any]:
    """Steps small enough for hundreds of outputs that all see the same few weights."""
    return {"optimizer": k.optimizers.SGD(0.002)}


_LARGE: dict[str, Any] = {"atol": 1e-5, "why": "outputs are sums of hundreds of terms, with rounding of their size"}

CASES = [Case(f"conv_{name}", _model(*row), _slow, x=_STEPS if "1D" in row[0] else _IMAGE, **_LARGE)
         for name, row in _LAYERS.items()]
CASES += [Case("conv_two", _two, _slow, x=_IMAGE, **_LARGE)]
