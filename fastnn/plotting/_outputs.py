"""What each layer of a model answers to some inputs: one model with all their outputs."""

from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.models import Model


def outputs_of(model: Model, x: TensorLike, name: str) -> list[tuple[Any, np.ndarray]]:
    """[(layer, its output)] in the model's order. name: who asks, for errors.

    NotBuiltError: a model without shapes. TypeError: one whose layers are called by Python of its own (a subclass).
    """
    layers = getattr(model, "layers", None)
    if not layers:
        raise TypeError(f"{name}: got {type(model).__name__}; needs a Sequential or a Model of inputs and outputs.")
    if getattr(model, "_graph", None) is None:
        if not model.built:
            raise NotBuiltError(f"{name}: {model.name} has no shape yet; fit it, call it on data, or begin it with an "
                                "Input.")
        raise TypeError(f"{name}: {type(model).__name__} calls its layers in a Python function, and what each gives "
                        "cannot be asked for; build it as a Sequential or as Model(inputs, outputs).")
    asked = [layer for layer in layers if type(layer).__name__ != "InputLayer"]
    found = Model(model.inputs, [layer.output for layer in asked]).predict(x, verbose=0)
    return list(zip(asked, found if isinstance(found, list) else [found], strict=True))


def one_input(model: Model, x: TensorLike, name: str) -> np.ndarray:
    """x as a batch of one sample. ShapeError for more."""
    x = np.asarray(x)
    inputs = getattr(model, "inputs", None)
    if not inputs:
        return x        # outputs_of says what is wrong with the model
    rank = len(inputs[0].shape)
    batch = x[None] if x.ndim == rank - 1 else x
    if batch.ndim != rank or len(batch) != 1:
        raise ShapeError(f"{name}: x is {x.shape}; needs one input of the model, "
                         f"{tuple(inputs[0].shape[1:])}, as in x[0] or x[:1].")
    return batch
