"""One training step, walked call by call: what each layer gives, its gradients, and how far its weights move. Floor 5.

Nothing is computed a second time here: outputs, gradients and weights are those of the calls that the step made.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastnn.engine.call import Call
from fastnn.engine.listing import call_text
from fastnn.engine.tensor import Variable
from fastnn.feeding.arguments import Named
from fastnn.feeding.arrays import Arrays
from fastnn.feeding.feed import Feed
from fastnn.feeding.model import TrainedModel
from fastnn.layers.batch_normalization import BatchNormalization
from fastnn.optimizers import Optimizer
from fastnn.seeds import SeedGenerator, states

ROWS = 256          # samples of the step
RELUS = {"relu", "relu6", "clipped_relu"}
LIMITS = {"sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99), "hard_sigmoid": (0.0, 1.0), "hard_tanh": (-1.0, 1.0)}
_DROPPED = 1e-30    # below it a number counts as none


class Units(NamedTuple):
    """An activation of a hidden layer on the samples: the share of its units that give 0 for all of them (ReLU), or
    that are at an end of the curve for nearly all (sigmoid, tanh)."""
    layer: str
    function: str
    size: int
    share: float


class Moving(NamedTuple):
    """A weight in the step: the root mean square of its gradient, 0 where all is 0, None where the loss does not reach
    it; and how far the step moves it, as a part of its own length."""
    layer: str
    weight: str
    axes: int
    gradient: float | None
    norm: float
    ratio: float


class Normalized(NamedTuple):
    """A batch normalization: how far its moving averages are from the batch, in standard deviations and as a factor."""
    layer: str
    shift: float
    factor: float


class Walk(NamedTuple):
    """What one training step on `rows` samples shows. loss: before the step; after: of the same samples after it.
    bad: the first call whose result is not finite. answers: what the loss reads of the model's outputs."""
    rows: int
    loss: float
    after: float
    bad: str
    units: Sequence[Units]
    weights: Sequence[Moving]
    normalized: Sequence[Normalized]
    answers: Sequence[np.ndarray]

    @property
    def norm(self) -> float:
        """Of the whole gradient."""
        return math.hypot(*(w.norm for w in self.weights)) if self.weights else 0.0


def sample(arrays: Mapping[str, np.ndarray], rows: int = ROWS) -> Any:
    """Up to so many rows, from all over the data."""
    count = len(next(iter(arrays.values())))
    chosen = np.linspace(0, count - 1, min(rows, count)).astype(int)
    part = {name: np.ascontiguousarray(array[chosen]) for name, array in arrays.items()}
    return arrays.like(part) if isinstance(arrays, Named) else part


def walk_over(model: TrainedModel, arrays: Mapping[str, np.ndarray]) -> Walk:
    """A step on some rows of adapted arrays. Afterwards the model is what it was, to the bit."""
    part = sample(arrays)
    source = Arrays(model, "train", part, len(next(iter(part.values()))))
    try:
        feed, _, ((rows, _), *_) = source.reading()
        return walk(model, feed, rows)
    finally:
        source.close()


def walk(model: TrainedModel, feed: Feed, rows: int) -> Walk:
    """A step on the rows of a feed."""
    steps = model._steps
    with steps.put_back(), model.compiled.put_back(), np.errstate(all="ignore"):
        if not all(layer.built for layer in model._with_sublayers()):     # a subclass makes weights when it is called
            steps.begin(feed, False)
            with steps.traced("train", feed, rows):
                pass
        weights, drawn = list(model.trainable_weights), _drawn(model)
        model.compiled.mode = "train"       # whose logs are read
        before = {id(w): w.data.copy() for w in weights}
        steps.reset_metrics()
        steps.begin(feed, False)
        with steps.traced("train", feed, rows) as calls:
            loss = _loss(model)
            forward = list(_forward(calls))
            moving = [_moving(w, before[id(w)], gradient) for w, gradient in _gradients(model, calls)]
            found = (_bad(calls), _units(forward, calls), moving, _normalized(model, forward),
                     _answers(forward, calls, rows))
            for state, was in drawn:        # the same units are dropped
                state.assign(was)
            steps.reset_metrics()
            steps.begin(feed, False)
            with steps.traced("train", feed, rows):
                after = _loss(model)
    return Walk(rows, loss, after, *found)


def _drawn(model: Any) -> list[tuple[Variable, np.ndarray]]:
    """Where its random numbers are: the states of its generators, and copies of them."""
    return [(state, state.data.copy()) for state in states(model._holds(SeedGenerator))]


def _loss(model: TrainedModel) -> float:
    return float(next(iter(model.compiled.results().values()), math.nan))


def _forward(calls: Sequence[Call]) -> Iterator[Call]:
    """The calls of the layers; of a step that the model writes itself, those before its gradients."""
    named = any(call.section.name == "forward" for call in calls)
    for call in calls:
        if call.section.name == "backward" and not named:
            return
        if call.section.name == "forward" or (not named and call.section.name not in ("batch", "loss", "metrics")):
            yield call


def optimizers_of(model: Any) -> list[Optimizer]:
    """Those that it holds: a model that writes its steps may have several."""
    return model._holds(Optimizer) or [model.optimizer]


def _gradients(model: Any, calls: Sequence[Call]) -> Iterator[tuple[Any, np.ndarray | None]]:
    """(weight, its gradient as backward gave it): what the update copies into the optimizer's block."""
    given = {id(call.inputs[0]): call.inputs[1].data for call in calls if call.op.moves}
    for optimizer in optimizers_of(model):
        for weight, own in zip(optimizer._trained, optimizer._parts.get("gradients", ())):
            if any(weight is w for w in model.trainable_weights):
                yield weight, given.get(id(own))


def _moving(weight: Any, before: np.ndarray, gradient: np.ndarray | None) -> Moving:
    layer, _, name = weight.name.rpartition("/")
    length = float(np.linalg.norm(before))
    ratio = float(np.linalg.norm(weight.data - before)) / length if length > _DROPPED else 0.0
    norm = 0.0 if gradient is None else float(np.linalg.norm(gradient.astype(np.float64)))
    size = None if gradient is None else norm / math.sqrt(max(1, gradient.size))
    return Moving(layer, name, before.ndim, size, norm, ratio)


def _bad(calls: Sequence[Call]) -> str:
    """The first call whose result is not finite, with its layer and the largest of what it was given."""
    for call in calls:
        if any(t.data.dtype.kind == "f" and not np.isfinite(t.data).all() for t in call.made):
            inputs = [t.data for t in call.inputs if t.data.dtype.kind == "f" and t.data.size]
            largest = max((float(np.abs(a).max()) for a in inputs), default=0.0)
            names = {id(t): t.name or "…" for t in (*call.inputs, *call.outputs)}
            return f"{call_text(call, names)}{f' of {call.layer}' if call.layer else ''}, given up to {largest:.3g}"
    return ""


def _units(forward: Sequence[Call], calls: Sequence[Call]) -> list[Units]:
    """The activations that another layer reads."""
    read = {id(t) for call in forward for t in call.inputs}
    found = []
    for call in forward:
        function = call.op.name
        if function == "rnn_steps":
            function = call.constants["activation"]
        if not (function in RELUS or function in LIMITS) or not any(id(t) in read for t in call.outputs):
            continue
        y = call.made[0].data
        values = y.reshape(-1, y.shape[-1])
        if function in RELUS:
            share = float((values <= 0).all(axis=0).mean())
        else:
            low, high = LIMITS[function]
            share = float((((values <= low) | (values >= high)).mean(axis=0) > 0.95).mean())
        found.append(Units(call.layer, function, values.shape[-1], share))
    return found


def _normalized(model: TrainedModel, forward: Sequence[Call]) -> list[Normalized]:
    """The moving averages of now against the mean and variance of the samples. The step has moved the averages a
    little."""
    layers = {layer.name: layer for layer in model._with_sublayers() if isinstance(layer, BatchNormalization)}
    found = []
    for call in forward:
        layer = layers.get(call.layer)
        if call.op.name == "batch_norm" and layer is not None and layer.trainable:
            _, mean, variance = (t.data for t in call.outputs)
            scale = np.sqrt(variance + layer.epsilon)
            shift = float(np.median(np.abs(mean - layer.moving_mean.data) / scale))
            ratio = (variance + layer.epsilon) / (layer.moving_variance.data + layer.epsilon)
            found.append(Normalized(layer.name, shift, float(np.exp(np.median(np.log(ratio))))))
    return found


def _answers(forward: Sequence[Call], calls: Sequence[Call], rows: int) -> list[np.ndarray]:
    """What the layers made and the loss reads, a row for each sample."""
    made = {id(t): t for call in forward for t in call.outputs}
    wanted = {id(t): None for call in calls if call.section.name == "loss" for t in call.inputs if id(t) in made}
    arrays = [made[i].data for i in wanted]
    return [a.reshape(rows, -1) for a in arrays if a.ndim and len(a) == rows and a.dtype.kind == "f"]
