"""Last layers and losses that do not go together: they train without an error and mean nothing. Floor 4."""

from typing import Any

from fastnn import losses, metrics
from fastnn.engine.watch import noted
from fastnn.errors import warn
from fastnn.feeding.model import TrainedModel
from fastnn.layers.layer import Layer
from fastnn.reporting.finding import Finding

_ACTIVATIONS = {"sigmoid", "softmax"}


def head_activation(model: TrainedModel, output: int) -> tuple[str, int | None]:
    """(activation name or 'linear', units) of the layer that makes an output; ('', None) where it cannot be told."""
    layer: Any = None
    if model.outputs:
        source = model.outputs[output].source
        layer = getattr(source, "layer", None)
    elif model.layers and output == 0:
        layer = model.layers[-1]
    if not isinstance(layer, Layer):
        return "", None
    function = getattr(layer, "activation", None)
    shape = layer.output_shape
    units = shape[-1] if isinstance(shape, tuple) and shape else None
    if type(layer).__name__ == "Softmax":
        return "softmax", units
    if function is None:
        return "", units
    return str(getattr(function, "__name__", "")), units


def check(model: TrainedModel, compiled: Any) -> None:
    """One warning for each output whose loss and last activation contradict each other."""
    if compiled.heads_checked:
        return
    compiled.heads_checked = True
    for finding in findings(model, compiled):
        warn(f"{model.name}: {finding}")


def findings(model: TrainedModel, compiled: Any) -> list[Finding]:
    """One for each output whose loss and last activation contradict each other."""
    texts = [_mismatch(loss, *head_activation(model, i)) for i, loss in enumerate(compiled.losses)]
    return [Finding("output against loss", *text) for text in texts if text]


def check_accuracy(name: str, identifier: Any, metric: Any, loss: Any) -> None:
    """A warning where "accuracy" compares the highest of outputs that are independent."""
    if isinstance(identifier, str) and isinstance(metric, metrics.CategoricalAccuracy) and identifier.lower() in (
            "accuracy", "acc") and isinstance(loss, (losses.BinaryCrossentropy, losses.BinaryFocalCrossentropy)):
        warn(f"{name}: {identifier!r} of several outputs counts how often the highest is the right one, and "
             f"{loss.name} is of outputs that are independent; use 'binary_accuracy' to count each.")


def _mismatch(loss: Any, activation: str, units: int | None) -> tuple[str, str] | None:
    """(what does not fit, what to do)."""
    binary = isinstance(loss, (losses.BinaryCrossentropy, losses.BinaryFocalCrossentropy))
    categorical = isinstance(loss, (losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy,
                                    losses.CategoricalFocalCrossentropy))
    if activation == "softmax" and units == 1:
        return ("the last layer is softmax with 1 unit, which is always 1.0 and learns nothing",
                "use Dense(1, activation='sigmoid') with binary_crossentropy.")
    if not (binary or categorical):
        return None
    from_logits = getattr(loss, "from_logits", False)
    if from_logits and activation in _ACTIVATIONS:
        return (f"the loss has from_logits=True but the last layer applies {activation} already, so it would be "
                "applied twice", "drop one of the two.")
    if not from_logits and activation in ("relu", "leaky_relu", "tanh"):
        return (f"{loss.name} takes probabilities but the last layer's {activation} gives others", "give it activation="
                f"{'sigmoid' if binary else 'softmax'!r}.")
    if not from_logits and activation == "linear":
        return (f"{loss.name} takes probabilities but the last layer is linear", "give it activation="
                f"{'sigmoid' if binary else 'softmax'!r} or the loss from_logits=True.")
    if categorical and activation == "sigmoid":
        return (f"{loss.name} needs probabilities that sum to 1, but the last layer is sigmoid", "use softmax, "
                "or binary_crossentropy for labels that are independent.")
    if categorical and units == 1:
        return (f"{loss.name} with 1 output unit is always 0", "use binary_crossentropy with sigmoid, or one unit per "
                "class.")
    return None


def warn_of_strangers(model: TrainedModel) -> None:
    """A warning that names the layers which the step under way uses and the model does not hold, such as globals."""
    held = set(map(id, model._with_sublayers()))
    others = [each.name for each in noted() if isinstance(each, Layer) and id(each) not in held
              and each.trainable_weights]
    if others:
        warn(f"{model.name}: its call uses layers that it does not hold, whose weights are not trained: "
             f"{', '.join(others[:5])}. Assign them to attributes of the model, or set their trainable to False.")
