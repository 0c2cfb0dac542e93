"""What a model answers to some inputs, and each of its layers: one model with all their outputs."""

from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.layers._context import Node
from fastnn.models import Model


def outputs_of(model: Model, x: TensorLike, name: str) -> list[tuple[Any, np.ndarray]]:
    """[(layer, its output)] for each use of a layer, in the model's order; an inner model is one layer, and of several
    outputs the first is told. name: who asks, for errors.

    NotBuiltError: a model without shapes. TypeError: one whose layers are called by Python of its own (a subclass).
    """
    layers = getattr(model, "layers", None)
    if not layers:
        raise TypeError(f"{name}: got {type(model).__name__}; needs a Sequential or a Model of inputs and outputs.")
    graph = getattr(model, "_graph", None)
    if graph is None:
        if not model.built:
            raise NotBuiltError(f"{name}: {model.name} has no shape yet; fit it, call it on data, or begin it with an "
                                "Input.")
        raise TypeError(f"{name}: {type(model).__name__} calls its layers in a Python function, and what each gives "
                        "cannot be asked for; build it as a Sequential or as Model(inputs, outputs).")
    asked = [(node.layer, node.outputs[0] if isinstance(node.outputs, (list, tuple)) else node.outputs)
             for node in graph.nodes if isinstance(node, Node)]
    found = Model(model.inputs, [output for _, output in asked]).predict(x, verbose=0)
    return [(layer, output) for (layer, _), output in
            zip(asked, found if isinstance(found, list) else [found], strict=True)]


def answers_of(model: Any, x: np.ndarray) -> np.ndarray:
    """What a model of fastnn, another with predict, or a function answers to x."""
    if isinstance(model, Model):
        return np.asarray(model.predict(x, verbose=0))
    return np.asarray(model.predict(x) if hasattr(model, "predict") else model(x))


def array_of(model: Model, x: TensorLike, name: str) -> np.ndarray:
    """x as an array. ShapeError for a model of several inputs."""
    inputs = getattr(model, "inputs", None)     # outputs_of says what is wrong with a model without
    if inputs and len(inputs) > 1:
        raise ShapeError(f"{name}: {model.name} has {len(inputs)} inputs; needs a model of one.")
    return np.asarray(x)


def one_input(model: Model, x: TensorLike, name: str) -> np.ndarray:
    """x as a batch of one sample. ShapeError for more."""
    x = array_of(model, x, name)
    inputs = getattr(model, "inputs", None)
    if not inputs:
        return x
    rank = len(inputs[0].shape)
    batch = x[None] if x.ndim == rank - 1 else x
    if batch.ndim != rank or len(batch) != 1:
        raise ShapeError(f"{name}: x is {x.shape}; needs one input of the model, "
                         f"{tuple(inputs[0].shape[1:])}, as in x[0] or x[:1].")
    return batch
