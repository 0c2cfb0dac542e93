"""Masks: which steps of a sequence count. They ride on tensors from layer to layer, as in Keras. Floor 3.

A mask is a bool (or uint8) tensor (batch, time), 0 where a step is left out. A layer whose `call` has a parameter
`mask` gets that of its input; `compute_mask` says what its output has.
"""

import inspect
from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, warn
from fastnn.nest import flatten, map_structure
from fastnn.ops._op import as_tensor
from fastnn.ops.rows.data import reshape

_PARAMETERS: dict[type, tuple[str, ...]] = {}


def parameters(layer: Any) -> tuple[str, ...]:
    """The names of what the layer's call takes."""
    kind = type(layer)
    if kind not in _PARAMETERS:
        _PARAMETERS[kind] = tuple(inspect.signature(kind.call).parameters)[1:]
    return _PARAMETERS[kind]


def masks_of(value: Any) -> Any:
    """The masks of nested tensors, in the same structure; None where none of them has one."""
    if all(t.mask is None for t in flatten(value, Tensor)):
        return None
    return map_structure(lambda t: t.mask if isinstance(t, Tensor) else None, value)


def given(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """(the masks that the layer's call asks for and nobody has passed, the mask of its first argument)."""
    names = parameters(layer)
    values = {**dict(zip(names, args)), **kwargs}
    tensors = [name for name, value in values.items() if flatten(value, Tensor) and not name.endswith("mask")]
    added = {}
    for name in tensors:
        wanted = "mask" if len(tensors) == 1 else f"{name}_mask"
        mask = masks_of(values[name])
        if wanted in names and values.get(wanted) is None and mask is not None:
            added[wanted] = mask
    passed = kwargs.get("mask", added.get("mask"))
    return added, masks_of(args[0]) if passed is None else passed


def attach(layer: Any, inputs: Any, outputs: Any, mask: Any) -> Any:
    """The outputs with the masks that the layer computes for them; a warning where it drops those it got."""
    if not layer.supports_masking:
        if any(m is not None for m in flatten(mask)):
            warn(f"{layer.name}: got an input with a mask, and {type(layer).__name__} does not support masking: the "
                 "layers after it count the masked steps too. Set supports_masking = True if the mask fits its output "
                 "as well, or write compute_mask.")
        return outputs
    tensors = flatten(outputs, Tensor)
    if all(t.mask is not None for t in tensors):
        return outputs
    computed = layer.compute_mask(inputs, mask)
    if computed is None:
        return outputs
    made = flatten(computed)
    theirs = {id(t) for t in flatten(inputs, Tensor)}
    marked: dict[int, Tensor] = {}
    for t, one in zip(tensors, made):
        if one is not None and t.mask is None:
            if id(t) in theirs:       # call gave back what it got: the mask is for the output alone
                marked[id(t)] = t = reshape(t, shape=tuple(-1 if n is None else n for n in t.shape))
            t.mask = as_mask(one, layer.name)
    return map_structure(lambda t: marked.get(id(t), t), outputs) if marked else outputs


def as_masks(mask: Any, where: str) -> Any:
    """A mask that somebody passed as a tensor, or those of a list, some of which may be None."""
    if isinstance(mask, (list, tuple)) and any(one is None or hasattr(one, "shape") for one in mask):
        return [as_masks(one, where) for one in mask]
    return mask if mask is None else as_mask(mask, where)


def as_mask(mask: Any, where: str) -> Tensor:
    """A mask as a tensor. ShapeError for a single number."""
    tensor = mask if isinstance(mask, Tensor) else as_tensor(np.asarray(mask).astype(bool), "any")
    if tensor.ndim < 1:
        raise ShapeError(f"{where}: got a mask of shape {tensor.shape}; needs one value a step, (batch, time).")
    return tensor
