"""What happens when a layer is called: data become tensors, the layer is built, its call runs, and what it made joins
the graph of a model. Floor 3."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.context import current_layer, layer_scope, symbolic_pass
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import note
from fastnn.errors import KindError, shown
from fastnn.layers import _masks
from fastnn.layers._context import Node, context, forget_losses
from fastnn.layers._masks import parameters
from fastnn.layers.input_spec import check
from fastnn.nest import flatten, map_structure
from fastnn.ops import _sizes
from fastnn.ops._op import as_tensor
from fastnn.ops.rows.elementwise import cast, scale

_FLOATS = ("float32", "float64")
_FLAGS = frozenset({"training"})
_FLAG = (bool, int, np.bool_, np.integer)     # of use_causal_mask, which is no mask


def apply(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The outputs of layer.call for these arguments: tensors, arrays or symbolic tensors."""
    if not args:        # layer(inputs=x), or by the name that call gives them
        first = next((name for name in (*parameters(layer)[:1], "inputs") if name in kwargs), "")
        args = (kwargs.pop(first),) if first else ()
    plain = len(args) == 1 and isinstance(args[0], Tensor) and kwargs.keys() <= _FLAGS     # as nearly always
    if not plain:
        args = tuple(map_structure(_to_tensor, a, _is_data) for a in args[:1]) + tuple(map(_with_tensors, args[1:]))
        kwargs = {name: value if name.endswith("mask") else _with_tensors(value) for name, value in kwargs.items()}
        for name in [key for key in kwargs if key.endswith("mask") and not isinstance(kwargs[key], _FLAG)]:
            kwargs[name] = _masks.as_masks(kwargs[name], layer.name)
    tensors = args if plain else flatten([*args, kwargs], Tensor)
    note(layer)
    if not args or not tensors:
        raise TypeError(f"{layer.name}: called without inputs.")
    if layer.input_spec is not None:
        check(layer, args[0])
    if not layer.built:
        layer._build_for(args, kwargs)
        if context.made is not None:
            context.made.append(layer)
    training = kwargs.pop("training", None)
    symbolic = args[0].data is None if plain else any(t.data is None for t in tensors)
    if symbolic and not layer.reads_text and any(t.dtype == "string" for t in tensors):
        raise KindError(f"{layer.name}: got text; needs numbers, which layers.StringLookup, TextVectorization or "
                        "Hashing makes of it.")
    before = context.training
    if training is None and layer.trains_alone and not current_layer() and not context.in_pass:
        context.training = True
    else:
        context.training = before if training is None else bool(training)
    outermost = context.made is None
    made = context.made = [] if context.made is None else context.made
    if outermost and context.lossy:
        forget_losses(set(layer._with_sublayers()) & set(context.lossy))
    try:
        if "training" in parameters(layer):
            kwargs["training"] = context.training
        if symbolic:
            outputs = _sizes.unknown(functools.partial(_run, layer), args, kwargs)
        else:
            outputs = _run(layer, args, kwargs, tensors)
    finally:
        context.training = before
        if outermost:
            context.made = None
    if outermost and made:
        _refuse_strangers(layer, made)
    if not isinstance(outputs, Tensor) and not flatten(outputs, Tensor):
        raise TypeError(f"{layer.name}: call() returned {shown(outputs)}; needs a tensor or a list of tensors."
                        + " Is its return missing?" * (outputs is None))
    if layer.output_shape is None:
        layer.output_shape = map_structure(lambda t: (None, *t.shape[1:]) if isinstance(t, Tensor) else None, outputs)
    if symbolic:
        kwargs.pop("training", None)
        if training is not None:
            kwargs["training"] = training      # as asked for, whatever the model is doing
        outputs = map_structure(_detached, outputs)
        node = Node(layer, args, kwargs, outputs)
        if layer._first_use is None:
            object.__setattr__(layer, "_first_use", node)
        for output in flatten(outputs, Tensor):
            output.source = node
    return outputs


def _run(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], tensors: Sequence[Tensor] | None = None) -> Any:
    """tensors: those among the arguments, with numbers; None in a symbolic pass."""
    mask: Any = kwargs.get("mask")
    own: dict[str, Any] = {}
    symbolic = tensors is None
    tensors = flatten([*args, kwargs], Tensor) if tensors is None else tensors
    if mask is not None or any(t.mask is not None for t in tensors):
        own, mask = _masks.given(layer, args, kwargs)
    with layer_scope(layer.name) if not symbolic and context.stream is None else _scopes(layer, args, kwargs, symbolic):
        outputs = _spec(layer, args, {**kwargs, **own}) if symbolic else layer.call(*args, **kwargs, **own)
        if mask is not None or (layer.supports_masking and not hasattr(type(layer).compute_mask, "hands_on")):
            outputs = _masks.attach(layer, args[0], outputs, mask)
        if layer.activity_regularizer is not None:
            for output in flatten(outputs, Tensor):
                layer.add_loss(per_sample(layer.activity_regularizer(output), output.shape[0] if output.ndim else None))
    return outputs


@contextlib.contextmanager
def _scopes(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], symbolic: bool) -> Iterator[None]:
    """The layer's, of a symbolic pass where it is one, and of a sequence that goes on step by step."""
    stepwise = contextlib.nullcontext() if context.stream is None else context.stream.entered(
        layer, {**dict(zip(parameters(layer), args)), **kwargs})
    with layer_scope(layer.name), symbolic_pass() if symbolic else contextlib.nullcontext(), stepwise:
        yield


def _spec(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The symbolic outputs of call; or what its class says of them itself, where call needs numbers."""
    try:
        return layer.call(*args, **kwargs)
    except Exception:
        says = (getattr(type(layer), name) for name in ("compute_output_spec", "compute_output_shape"))
        if all(method.__qualname__.startswith("Layer.") for method in says):
            raise
        return layer.compute_output_spec(*args, **kwargs)


def _refuse_strangers(layer: Any, made: list[Any]) -> None:
    """ValueError for a layer with weights that a call has used and that nobody holds: they would never be trained."""
    known = set(map(id, layer._with_sublayers()))
    for each in made:
        if id(each) not in known and each._variables:
            raise ValueError(f"{layer.name}: its call uses {each.name!r}, whose weights would not be trained; "
                             "needs it as an attribute.\nMake it in __init__ or build(), on self, in a list or a dict.")


def _detached(x: Any) -> Any:
    """A symbolic tensor like x, which the layer's node makes; what is no tensor stays."""
    if not isinstance(x, Tensor):
        return x
    y = Tensor(None, x.name, shape=x.shape, dtype=x.dtype)
    y.mask = x.mask
    return y


def per_sample(penalty: Any, rows: int | None) -> Any:
    """An activity penalty divided by the batch size, so that it does not depend on it (as Keras)."""
    return penalty if not rows else scale(penalty, factor=1.0 / rows)


def _is_data(value: Any) -> bool:
    """Whether a list or tuple is one array, written out, and no structure of tensors or arrays."""
    if isinstance(value, tuple):
        return not value or isinstance(value[0], (int, float))
    return isinstance(value, list) and not (flatten(value, Tensor) or any(isinstance(v, np.ndarray) for v in value))


def _to_tensor(value: Any) -> Any:
    if callable(value) and hasattr(value, "name"):
        raise TypeError(f"got {shown(value)}, which is a layer or model; needs data or symbolic tensors.\nIs a comma "
                        "missing between two layers of a list, or the call of that layer on its input?")
    return None if value is None else _of_floatx(as_tensor(value, "any"))


def _of_floatx(x: Tensor) -> Tensor:
    """Floats of another width become floatx before a layer sees them, as in Keras."""
    return cast(x, dtype=backend.floatx()) if x.dtype in _FLOATS and x.dtype != backend.floatx() else x


def _with_tensors(value: Any) -> Any:
    """What call takes beside its first argument: arrays become tensors, flags, numbers and None stay."""
    return map_structure(lambda leaf: _of_floatx(as_tensor(leaf, "any")) if isinstance(leaf, (np.ndarray, Tensor))
                         else leaf, value)
