"""Steps that a model writes itself: train_step, test_step, predict_step, compute_loss and compute_metrics. Floor 5.

They are Keras' methods. What they do is recorded once per shape and replayed, like the built-in steps, which run
as long as none of them is overridden.
"""

import contextlib
import inspect
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.engine import backend
from fastnn.engine.context import not_recording, symbolic_pass
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Tensor
from fastnn.feeding.arguments import of_form
from fastnn.feeding.feed import Feed
from fastnn.feeding.targets import output_form, targets_of
from fastnn.layers.layer import forward_pass
from fastnn.metrics.metric import Metric, Reading, State
from fastnn.nest import distinct, flatten, map_structure, same_structure
from fastnn.ops._op import as_tensor
from fastnn.ops.rows.data import fill
from fastnn.ops.rows.elementwise import cast
from fastnn.ops.rows.metric import mean_step

# Of a model, the marks of the methods that nobody has overridden.
_PARTS = "compute_loss.is_default", "compute_metrics.is_default", "get_metrics_result.is_default"
WRITTEN = {"train": attrgetter("train_step.is_default", *_PARTS), "test": attrgetter("test_step.is_default", *_PARTS),
           "predict": attrgetter("predict_step.is_default"), "reset": attrgetter("reset_metrics.is_default")}


def _default(method: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a method that nobody has overridden."""
    method.is_default = True  # type: ignore[attr-defined]
    return method


class OwnSteps:
    """The methods that a Model may override, as Keras' Trainer has them; Trainer inherits them."""
    compiled: Any
    optimizer: Any
    if TYPE_CHECKING:
        @property
        def trainable_weights(self) -> list[Any]: ...
        @property
        def losses(self) -> list[Tensor]: ...
        @property
        def metrics(self) -> list[Any]: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def writes(self, mode: str) -> bool:
        """Whether the model writes its "train", "test" or "predict" step, or a part of it, or the "reset", itself."""
        try:
            return not WRITTEN[mode](self)
        except AttributeError:
            return True

    @_default
    def train_step(self, data: Any) -> dict[str, Any]:
        """One step on a batch, x or (x, y) or (x, y, sample_weight): forward, loss, gradients, update; the logs.

        Write it with fastnn.ops, a GradientTape and optimizer.apply; it is recorded once per shape and replayed.
        """
        x, y, weight = unpack(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.optimizer.scale_loss(self._loss_of(x, y, y_pred, weight, True))
        variables = distinct(self.trainable_weights)
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return self.compute_metrics(x, y, y_pred, weight)

    @_default
    def test_step(self, data: Any) -> dict[str, Any]:
        """The loss and the metrics of a batch; the logs."""
        x, y, weight = unpack(data)
        with GradientTape():        # the loss looks for logits behind the outputs
            y_pred = self(x, training=False)
            self._loss_of(x, y, y_pred, weight, False)
        return self.compute_metrics(x, y, y_pred, weight)

    @_default
    def predict_step(self, data: Any) -> Any:
        """The outputs for a batch."""
        return self(unpack(data)[0], training=False)

    @_default
    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                     training: bool = True) -> Tensor:
        """The compiled loss of a batch, and the penalties of weights and layers; a 0-d tensor."""
        return self._weighed(y, y_pred, sample_weight, self.losses)[0]

    @_default
    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Let the compiled metrics take the batch in; {name: result} of them and of those that the model holds, the
        loss first."""
        if y is not None and self.compiled.has_metrics:
            outputs, names = _outputs(self, y_pred)
            targets = targets_of(y, names, y_pred)
            _make_metrics(self, names, targets, outputs)
            self.compiled.take_in(targets, outputs, sample_weight)
        return self.get_metrics_result()

    @_default
    def get_metrics_result(self) -> dict[str, Any]:
        """{name: result} of the compiled metrics and those that the model holds, the loss first: what a train_step
        returns. A result that is a dict gives its own names."""
        self.compiled.look_for_others(self)
        found: dict[str, Any] = {}
        for key, metric in (*self.compiled.own(), *self.compiled.others):
            result = metric.result()
            found.update(result if isinstance(result, dict) else {key: result})
        return found

    @_default
    def reset_metrics(self) -> None:
        """Let all `metrics` begin anew, as fit and evaluate do before each pass."""
        for metric in self.metrics:
            metric.reset_state()

    # ---- names of older scripts -------------------------------------------------------------------------------

    def compiled_loss(self, y_true: Any, y_pred: Any, sample_weight: Any = None,
                      regularization_losses: Any = None) -> Tensor:
        """The compiled loss and the sum of regularization_losses, which go into the logs' loss: TensorFlow 2's name,
        where compute_loss adds the model's own losses by itself."""
        loss, shown = self._weighed(y_true, y_pred, sample_weight, list(regularization_losses or []))
        self._track(shown, flatten(y_pred, Tensor)[0])
        return loss

    @property
    def compiled_metrics(self) -> "CompiledMetrics":
        """The metrics that compile() was given, with update_state(y, y_pred): TensorFlow 2's name."""
        return CompiledMetrics(self)

    def _track(self, loss: Any, rows_of: Tensor) -> None:
        rows = Tensor(np.array(rows_of.shape[0], backend.floatx()), "batch", constant=True)
        self.compiled.loss_tracker.update_state(as_tensor(loss), rows)

    def _weighed(self, y: Any, y_pred: Any, weight: Any, penalties: list[Tensor]) -> tuple[Tensor, Tensor]:
        """(the compiled loss of a batch with these penalties, what is shown of it); its terms go into the logs."""
        outputs, names = _outputs(self, y_pred)
        model: Any = self
        same = same_structure(y_pred, output_form(model, len(outputs)))
        self.compiled.resolve_losses(model, names, [t.shape[-1] if t.shape else 1 for t in outputs],
                                     None if same else y_pred)
        targets = targets_of(y, names, y_pred)
        total, shown = self.compiled.weighed(lambda i, kind: targets[i] if targets else None, outputs,
                                             lambda i: weight, penalties)
        self.compiled.track(shown[1:], outputs[0].shape[0], 1)
        return total, shown[0]

    def _loss_of(self, x: Any, y: Any, y_pred: Any, weight: Any, training: bool) -> Tensor:
        if hasattr(self.compute_loss, "is_default"):
            loss, shown = self._weighed(y, y_pred, weight, self.losses)
            self._track(shown, flatten(x, Tensor)[0])
            return loss
        asked = inspect.signature(self.compute_loss).parameters
        more = {"training": training} if "training" in asked else {}
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight, **more)
        self._track(loss, flatten(x, Tensor)[0])
        return loss


class CompiledMetrics:
    """The compiled metrics of a model, as steps written for TensorFlow 2 use them."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def metrics(self) -> list[Any]:
        """They."""
        return [metric for _, metric in self._model.compiled.own()]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Let them take a batch in."""
        self._model.compute_metrics(None, y_true, y_pred, sample_weight)

    def reset_state(self) -> None:
        """Begin anew."""
        for metric in self.metrics:
            metric.reset_state()


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch as train_step gets it, None for what is not there (Keras'
    unpack_x_y_sample_weight)."""
    if not isinstance(data, tuple):
        return data, None, None
    return (*data, None, None)[:3]  # type: ignore[return-value]


def _outputs(model: Any, y_pred: Any) -> tuple[list[Tensor], list[str]]:
    """(the outputs, their names), which the losses and metrics of compile() are matched with."""
    outputs = flatten(y_pred, Tensor)
    return outputs, list(y_pred) if isinstance(y_pred, dict) and len(y_pred) == len(outputs) else \
        model.compiled.names_of(model, len(outputs))


def _make_metrics(model: Any, names: list[str], targets: list[Any], outputs: list[Tensor]) -> None:
    """The metrics that compile() was given, for these shapes; an output without a target has its own."""
    shapes = [t.shape for t in outputs]
    model.compiled.make_metrics(names, [own if t is None else t.shape for t, own in zip(targets, shapes)], shapes)


def step(steps: Any, mode: str, feed: Feed, rows: int) -> None:
    """One step that the model writes itself; what it returns becomes the logs."""
    model = steps.model
    data = feed.batch(rows)
    x, y = (of_form(part, data) for part in feed.template)
    parts = [x, y, data.get("weight")]
    while len(parts) > 1 and parts[-1] is None:
        parts.pop()
    _prepare(model, x, y)
    with forward_pass(False):
        logs = getattr(model, f"{mode}_step")(tuple(parts) if len(parts) > 1 else parts[0])
        if not isinstance(logs, dict):
            raise TypeError(f"{model.name}: {mode}_step returned {type(logs).__name__}; needs a dict of logs, such as "
                            "{'loss': loss}.")
        model.compiled.own_logs[mode] = [(str(key), _log(model.compiled, mode, str(key), value))
                                         for key, value in logs.items()]
    feed.next(rows)
    model.built = True


def _prepare(model: Any, x: Any, y: Any) -> None:
    """Make the metrics that compile() was given, so that the step finds them in model.metrics; as far as the shapes of
    the outputs can be told without it."""
    compiled = model.compiled
    if compiled.made or y is None or not compiled.has_metrics:
        return
    symbols = map_structure(lambda t: Tensor(None, shape=(None, *t.shape[1:]), dtype=t.dtype), x)
    with contextlib.suppress(NotImplementedError), not_recording(), symbolic_pass():
        made = model(symbols)
        outputs, names = _outputs(model, made)
        _make_metrics(model, names, targets_of(y, names, made), outputs)


def _log(compiled: Any, mode: str, key: str, value: Any) -> Any:
    """What shows a value of the logs later: the metric whose result it is, or the number of the last step."""
    if isinstance(value, Reading):
        return value.metric
    last = compiled.last.setdefault((mode, key), Last(key))
    last.take(value)
    return last


class Last(Metric):
    """The number that the last step gave."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name.replace("/", "_"))
        self.value = self.add_variable(name="last")

    def take(self, value: Any) -> None:
        """An op, where the value is a tensor: its mean."""
        tensor = as_tensor(value) if not isinstance(value, State) else cast(value, dtype=backend.floatx())
        unused = Tensor(np.zeros(()), "unused")
        fill(self.value, value=0.0)
        fill(unused, value=0.0)
        mean_step(self.value, unused, tensor)
        if tensor.ndim:
            raise TypeError(f"the log {self.name!r} has shape {tensor.shape}; needs one number: use ops.mean.")

    def compute(self, value: np.ndarray) -> Any:
        """value."""
        return value
