"""fastnn: neural networks with the shape of Keras, kernels in C, and no black box.

`from fastnn import Sequential, layers`; or run a Keras script after replacing `tensorflow.keras` by `fastnn`.
With `import fastnn as tf`, tf.keras is fastnn too. Modules that draw or teach are imported when they are asked for.
`fastnn.show_config()` says what runs your code. The study guide's chapters are `python -m fastnn.examples.NAME`.
"""

import functools as _functools
import importlib as _importlib
import sys as _sys
import types as _types
from importlib.machinery import ModuleSpec as _ModuleSpec
from typing import Any as _Any

__version__ = "0.1.0"

from fastnn import (
    activations,
    callbacks,
    config,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    utils,
)
from fastnn.config import (
    get_num_threads,
    set_num_threads,
    show_config,
)
from fastnn.engine.decorator import function
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import (
    Tensor,
    Variable,
)
from fastnn.errors import (
    BusyError,
    LabelError,
    NotBuiltError,
    ShapeError,
)
from fastnn.frames import entrance as _entrance
from fastnn.initializers import Initializer
from fastnn.layers import (
    Input,
    InputSpec,
    Layer,
)
from fastnn.losses import Loss
from fastnn.metrics import Metric
from fastnn.models import (
    Model,
    Perceptron,
    Sequential,
)
from fastnn.optimizers import Optimizer
from fastnn.regularizers import Regularizer
from fastnn.reporting.progress import Every

__all__ = [
    "BusyError",
    "Every",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "LabelError",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "NotBuiltError",
    "Optimizer",
    "Perceptron",
    "Regularizer",
    "Sequential",
    "ShapeError",
    "Tensor",
    "Variable",
    "activations",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "function",
    "get_num_threads",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "set_num_threads",
    "show_config",
    "utils",
]

_TEACHING = ("as_tensorflow", "check_gradients", "doctor", "kernel")        # of fastnn.teaching
_LATER = ("backend", "examples", "plotting", "saving", "teaching")      # imported when they are asked for
_ABSENT = {
    "applications": "there are no pretrained weights; build the network from fastnn.layers",
    "distribute": "one machine's cores are used by themselves; leave the strategy out",
    "estimator": "use Sequential or Model with compile and fit",
    "mixed_precision": "weights and data are float32; leave it out",
    "utils.np_utils": "utils.to_categorical is there",
    "utils.multi_gpu_model": "one machine's cores are used by themselves; leave it out",
    "layers.CuDNNLSTM": "use LSTM",
    "layers.CuDNNGRU": "use GRU",
    "layers.Merge": "use Add, Concatenate, Multiply and their like",
    "layers.Convolution2D": "use Conv2D",
    "constant": "use ops.convert_to_tensor",
    "reduce_mean": "use ops.mean",
    "reduce_sum": "use ops.sum",
    "ops.reduce_mean": "use ops.mean",
    "ops.reduce_sum": "use ops.sum",
    "ops.reduce_max": "use ops.max",
    "Session": "ops run when they are called; leave the session out",
}


@_entrance
def __getattr__(name: str) -> _Any:
    """Modules that are imported late; fastnn.keras is fastnn. What Keras had, and what to do instead, in one line."""
    if name == "keras":
        return _sys.modules[__name__]
    if name in _TEACHING:
        return getattr(_importlib.import_module("fastnn.teaching"), name)
    if name in _LATER:
        return _importlib.import_module(f"fastnn.{name}")
    return _missing(_sys.modules[__name__], name)


@_entrance
def _missing(module: _types.ModuleType, name: str) -> _Any:
    """What a public module answers when it is asked for a name that it does not have."""
    from difflib import get_close_matches
    if not name.startswith("_"):
        full = f"{module.__name__}.{name}".removeprefix("fastnn.")
        close = get_close_matches(name, _public_names(module), n=1)
        places = [other.__name__ for other in list(_sys.modules.values())
                  if getattr(other, "__name__", "").startswith("fastnn.") and name in getattr(other, "__all__", ())]
        why = (_ABSENT.get(full) or (f"{places[0]}.{name} is there" if places else "")
               or (f"did you mean {close[0]!r}?" if close else f"dir({module.__name__}) lists what there is"))
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}: {why}")
    raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_LATER, *_TEACHING, "keras", "__version__"})


def _public_names(module: _types.ModuleType) -> list[str]:
    """What a module lists, or else what it defines itself; not what it imports."""
    own = [name for name, value in vars(module).items()
           if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__]
    return sorted(getattr(module, "__all__", own))


class _Keras:
    """Imports fastnn.keras.NAME: the module fastnn.NAME, whichever is asked for first."""

    def __init__(self, module: _types.ModuleType) -> None:
        self.module, self.spec = module, module.__spec__

    @classmethod
    def find_spec(cls, full: str, path: _Any = None, target: _Any = None) -> _ModuleSpec | None:
        """As the import system asks it."""
        if not full.startswith("fastnn.keras."):
            return None
        name = full.replace("fastnn.keras.", "fastnn.", 1)
        try:
            return _ModuleSpec(full, cls(_importlib.import_module(name)))  # type: ignore[arg-type]
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            return None

    def create_module(self, spec: _ModuleSpec) -> _types.ModuleType:
        """There it is."""
        return self.module

    def exec_module(self, module: _types.ModuleType) -> None:
        """It has run; the import system has just put the other name's spec into it."""
        module.__spec__ = self.spec


def _tidy() -> None:
    """dir() of a public module lists what is public; fastnn.keras is a package to the import system."""
    _sys.modules["fastnn.keras"] = _sys.modules[__name__]
    _sys.meta_path.insert(0, _Keras)
    for full, module in list(_sys.modules.items()):
        if full == "fastnn" or full.startswith("fastnn."):
            if "__dir__" not in vars(module):
                vars(module)["__dir__"] = _functools.partial(_public_names, module)
            if hasattr(module, "__all__") and "__getattr__" not in vars(module):
                vars(module)["__getattr__"] = _functools.partial(_missing, module)


_tidy()
