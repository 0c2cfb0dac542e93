"""Data and weights with which a network trains, and badly: said once, before the first step of a fit. Floor 4."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import warn
from fastnn.feeding.arrays import Arrays
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.source import Source
from fastnn.layers._random import RandomLayer
from fastnn.layers.batch_normalization import BatchNormalization
from fastnn.layers.convolution import Convolution
from fastnn.layers.core import Dense, Flatten, Reshape
from fastnn.layers.merge import Concatenate
from fastnn.layers.preprocessing import Normalization
from fastnn.layers.recurrent import GRU, LSTM, SimpleRNN
from fastnn.layers.reshaping import Permute
from fastnn.nest import flatten
from fastnn.reporting.finding import Finding
from fastnn.training.mismatch import head_activation

ROWS = 1000         # so many rows are looked at
LARGE = 100         # inputs are at home around 1
FEW = 8             # of so few samples nothing is said
_SCALING = {"Rescaling", "Normalization", "BatchNormalization", "LayerNormalization", "UnitNormalization",
            "RMSNormalization"}
_READING = (Dense, Convolution, SimpleRNN, LSTM, GRU)
_PASSING = (Flatten, Reshape, Permute, Concatenate, RandomLayer)        # numbers go through them as large as they are
_RANGES = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, np.inf)}


def look(model: TrainedModel, source: Source) -> None:
    """A warning for each thing that is unusual about the data of a fit, once after each compile()."""
    compiled = model.compiled
    if compiled.looked or not isinstance(source, Arrays) or model.writes("train") or len(source.arrays["x0"]) < FEW:
        return
    compiled.looked = True
    for finding in findings(model, source.arrays):
        warn(f"fit(): {finding}")


def findings(model: TrainedModel, arrays: Mapping[str, np.ndarray]) -> Iterator[Finding]:
    """What is unusual about adapted data and the weights of now."""
    yield from _inputs(model, arrays)
    yield from _targets(model, arrays)
    yield from _weights(model)


def _inputs(model: TrainedModel, arrays: Mapping[str, np.ndarray]) -> Iterator[Finding]:
    """Numbers far from 1, unless a layer near the input brings them there."""
    if any(type(layer).__name__ in _SCALING for layer in model.layers[:3]):
        return
    several = "x1" in arrays
    for i in sorted(_as_given(model)):
        x = arrays.get(f"x{i}")
        if x is None or x.dtype.kind not in "fu" or not x.size:
            continue
        x = x[:ROWS]
        largest = max(abs(float(x.min())), abs(float(x.max())))
        if LARGE < largest < np.inf:
            how = ("divide by 255, or begin the model with layers.Rescaling(1 / 255)" if x.min() >= 0 and largest <= 255
                   else "scale it: (x - x.mean(0)) / x.std(0), or begin the model with layers.Normalization()")
            yield Finding("inputs not scaled", f"{f'x[{i}]' if several else 'x'} reaches {largest:.3g}",
                          f"networks learn best from numbers around 1: {how}.")


def _as_given(model: TrainedModel) -> set[int]:
    """The numbers of the inputs that weights meet as they are: nothing that may scale them comes before."""
    if model._graph is None or not _ours(type(model).call):  # type: ignore[attr-defined]
        return set()
    found: set[int] = set()
    same = {id(t): {i} for i, t in enumerate(model._graph.input_tensors)}
    for node in model._graph.nodes:
        layer = getattr(node, "layer", None)
        if not _ours(type(layer)) or not isinstance(layer, (*_READING, *_PASSING)):
            continue
        read = {i for t in flatten(list(node.args), Tensor) for i in same.get(id(t), ())}
        if isinstance(layer, _READING):
            found |= read
        else:
            same |= {id(t): read for t in flatten(node.outputs, Tensor)}
    return found


def _ours(what: Any) -> bool:
    return str(what.__module__).startswith("fastnn.")


def _targets(model: TrainedModel, arrays: Mapping[str, np.ndarray]) -> Iterator[Finding]:
    compiled = model.compiled
    for i, loss in enumerate(compiled.losses):
        name = f"y{i}.{compiled.kind(i)}"
        y = arrays.get(name)
        if loss is None or y is None or not y.size:
            continue
        label = "y" if len(compiled.losses) == 1 else f"y[{i}]"
        classes = compiled.kind(i) != "float" or "rossentropy" in type(loss).__name__ or "Hinge" in type(loss).__name__
        if classes:
            if (name.endswith("labels") or y.ndim < 2 or y.shape[-1] == 1) and (low := float(y.min())) == y.max():
                yield Finding("one class", f"{label} holds one class only, {low:g}",
                              "a classifier needs samples of each. Look at how the data were read.")
            continue
        activation = head_activation(model, i)[0] if model.outputs else ""      # of a graph: it is no guess
        bottom, top = _RANGES.get(activation, (-np.inf, np.inf))
        if activation in _RANGES and ((low := float(y.min())) < bottom or y.max() > top):
            yield Finding("targets out of range", f"{label} goes from {low:.3g} to {float(y.max()):.3g}, but the last "
                          f"layer's {activation} gives {bottom:g} to {top:g}",
                          "leave the activation out (linear), or scale y.")
        if any(output == i and "Accuracy" in type(metric).__name__ for output, _, metric, _ in compiled.resolved) and (
                y[:ROWS] != np.floor(y[:ROWS])).any():
            yield Finding("accuracy of a regression", f"accuracy counts how often the output equals {label}, which for "
                          "measured numbers is never", "watch metrics=['mae'] or R2Score.")


def _weights(model: TrainedModel) -> Iterator[Finding]:
    kernels = [w for w in model.trainable_weights if len(w.shape) > 1]
    if len(kernels) > 1 and not any(w.data.any() for w in kernels):
        yield Finding("symmetric units", "all weights are zero, so the neurons of a layer stay alike for ever",
                      "begin with random ones, as the layers do by themselves.")
    for layer in model.layers:
        if isinstance(layer, Normalization) and layer._fixed is None and layer.built and not (
                layer.adapt_mean.data.any() or (layer.adapt_variance.data != 1).any()):
            yield Finding("inputs not scaled", f"{layer.name} has seen no data, so that it changes nothing",
                          "call its adapt(x) before fit.")


def fresh(model: TrainedModel) -> list[Any]:
    """The BatchNormalization layers whose moving averages are those they begin with."""
    compiled = model.compiled
    if compiled.averages is None:       # looked for once: the walk takes longer than all else around a short fit
        compiled.averages = [layer for layer in model._with_sublayers() if isinstance(layer, BatchNormalization)]
    return [layer for layer in compiled.averages if layer.trainable
            and not (layer.built and (layer.moving_mean.data.any() or (layer.moving_variance.data != 1).any()))]


def settling(model: TrainedModel, begun: list[Any], steps: int) -> None:
    """Note that a fit has taken so many steps, at whose beginning those layers were fresh."""
    taken = model.compiled.settling
    for layer in [*begun, *(each for each in list(taken) if each not in begun)]:
        taken[layer] = taken.get(layer, 0) + steps


def unsettled(model: TrainedModel, loss: float) -> None:
    """A warning where a loss that was just measured is far above that of the last epoch, and went through moving
    averages that are still near their beginning."""
    compiled, seen = model.compiled, model.history.history.get("loss", []) if model.history else []
    if compiled.settling_said or not seen or not isinstance(seen[-1], float) or not loss > 2 * seen[-1]:
        return
    for layer, steps in compiled.settling.items():
        left = layer.momentum ** steps
        if left > 0.5 and not compiled.settling_said:
            compiled.settling_said = True
            warn(str(not_settled(
                f"{layer.name}: after {steps} steps its moving averages, which evaluate and predict use, are still "
                f"{left:.0%} what they began with (momentum={layer.momentum:g}): the loss is {loss:.3g}, in training "
                f"it was {seen[-1]:.3g}", steps)))


def not_settled(evidence: str, steps: int) -> Finding:
    """Moving averages that are not those of the data after so many steps. The momentum that is proposed, of 0.5 to 0.9,
    would leave about a hundredth of what they began with."""
    momentum = min(0.9, max(0.5, round(1 - 5 / max(steps, 10), 1)))
    return Finding("batch norm not settled", evidence,
                   f"train for more steps, or use BatchNormalization(momentum={momentum:g}).")


def grown(model: TrainedModel, losses: list[float]) -> None:
    """A warning where the loss of a fit has run away without ceasing to be a number."""
    if len(losses) > 1 and np.isfinite(losses[-1]) and losses[-1] > 1e6 * max(losses[0], 1):
        warn(f"fit(): {too_high(model, losses)}", RuntimeWarning)


def too_high(model: TrainedModel, losses: list[float]) -> Finding:
    """The learning rate of a fit whose loss has run away."""
    return Finding("learning rate too high", f"the loss of {model.name} grew from {losses[0]:.3g} to {losses[-1]:.3g}",
                   f"the learning rate, {float(model.optimizer.learning_rate):.3g}, is too high. Try a tenth of it.")
