"""fastnn: neural networks with the shape of Keras, kernels in C, and no black box.

`from fastnn import Sequential, layers`; or run a Keras script after replacing `tensorflow.keras` by `fastnn`.
`fastnn.show_config()` says what runs your code. The study guide's chapters are `python -m fastnn.examples.NAME`.
"""

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
from fastnn.engine.tensor import (
    GradientTape,
    Tensor,
    Variable,
)
from fastnn.errors import (
    BusyError,
    LabelError,
    NotBuiltError,
    ShapeError,
)
from fastnn.layers import (
    Input,
    Layer,
)
from fastnn.models import (
    Model,
    Perceptron,
    Sequential,
)
from fastnn.reporting.progress import Every

__all__ = [
    "BusyError",
    "Every",
    "GradientTape",
    "Input",
    "LabelError",
    "Layer",
    "Model",
    "NotBuiltError",
    "Perceptron",
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
