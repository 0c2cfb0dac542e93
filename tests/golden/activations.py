"""Every activation function, by name, as a layer, and with its options: trained, and called."""

from typing import Any

import numpy as np

from tests.golden.common import FEATURES, Case, X, net
from tests.golden.direct import numbers

_NAMES = ("linear", "sigmoid", "tanh", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish",
          "softplus", "softsign", "mish", "hard_sigmoid", "hard_silu", "celu", "softmax", "log_softmax")
_WIDE = 4 * X       # so that clipped parts are reached
_LARGE: dict[str, Any] = {"atol": 1e-5, "why": "outputs are sums of terms up to 20, with rounding of their size"}


def _slow(k: Any) -> dict[str, Any]:
    """Steps small enough for the unbounded functions on wide inputs."""
    return {"optimizer": k.optimizers.SGD(0.005)}


def _options(k: Any) -> dict[str, Any]:
    a = k.activations
    return {"gelu_approximate": lambda x: a.gelu(x, approximate=True),
            "leaky_relu_0.01": lambda x: a.leaky_relu(x, negative_slope=0.01),
            "elu_0.5": lambda x: a.elu(x, alpha=0.5),
            "celu_2": lambda x: a.celu(x, alpha=2.0),
            "relu_all": lambda x: a.relu(x, negative_slope=0.1, max_value=2.0, threshold=0.3),
            "function": a.relu}


def _layers(k: Any) -> dict[str, Any]:
    la = k.layers
    return {"relu": la.ReLU(), "relu_max": la.ReLU(max_value=1.5), "relu_slope": la.ReLU(negative_slope=0.1),
            "relu_threshold": la.ReLU(threshold=0.5),
            "relu_all": la.ReLU(max_value=2.0, negative_slope=0.2, threshold=0.4),
            "leaky_relu": la.LeakyReLU(), "leaky_relu_0.01": la.LeakyReLU(negative_slope=0.01),
            "elu": la.ELU(), "elu_0.3": la.ELU(alpha=0.3), "prelu": la.PReLU(), "softmax": la.Softmax(),
            "activation": la.Activation("sigmoid"), "activation_softmax": la.Activation("softmax"),
            "dropout_0": la.Dropout(0.0)}


def _between(layer: str) -> Any:
    return lambda k: k.Sequential([k.Input((FEATURES,)), k.layers.Dense(5), _layers(k)[layer], k.layers.Dense(3)])


_LAYERS = ("relu", "relu_max", "relu_slope", "relu_threshold", "relu_all", "leaky_relu", "leaky_relu_0.01", "elu",
           "elu_0.3", "prelu", "softmax", "activation", "activation_softmax", "dropout_0")

CASES = [Case(f"activation_{name}", lambda k, name=name: net(k, activation=name), _slow, x=_WIDE, **_LARGE)
         for name in _NAMES]
CASES += [Case("activation_exponential", lambda k: net(k, activation="exponential"), _slow, x=0.25 * X)]
CASES += [Case(f"activation_with_{name}", lambda k, name=name: net(k, activation=_options(k)[name]), _slow,
               x=_WIDE, **_LARGE)
          for name in ("gelu_approximate", "leaky_relu_0.01", "elu_0.5", "celu_2", "relu_all", "function")]
CASES += [Case(f"layer_{name}", _between(name), lambda k: dict(), x=2 * X) for name in _LAYERS]

POINTS = np.array([-7.5, -3.0, -1.25, -0.5, -0.1, 0.0, 0.1, 0.5, 1.25, 3.0, 7.5], np.float32)
ROWS = np.array([[1, 2, 3], [0, -1, 4]], np.float32)
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 2.0}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"negative_slope": 0.1, "max_value": 2.0, "threshold": 1.0}),
    ("relu", {"max_value": 6}),
    ("leaky_relu", {"negative_slope": 0.01}),
    ("elu", {"alpha": 0.5}),
    ("celu", {"alpha": 2.0}),
    ("gelu", {"approximate": True}),
]
CALLS: list[tuple[str, dict[str, Any], np.ndarray]] = [
    *((name, {}, POINTS) for name in (*_NAMES, "exponential") if name != "swish"),
    *((*row, POINTS) for row in OPTIONS),
    *((name, {"axis": 0}, ROWS) for name in ("softmax", "log_softmax")),
]
VALUES = {f"{name} {settings}": lambda k, name=name, settings=settings, x=x: numbers(
    getattr(k.activations, name)(x, **settings)) for name, settings, x in CALLS}
