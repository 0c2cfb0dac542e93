"""Losses and metrics of a compiled model, matched with its outputs at the first data. Floor 4."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from fastnn import losses, metrics, optimizers
from fastnn.arguments import number
from fastnn.engine import backend
from fastnn.engine.context import not_recording, section_scope, symbolic_pass
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import note
from fastnn.errors import shown
from fastnn.feeding.arguments import output_names
from fastnn.feeding.model import TrainedModel
from fastnn.nest import flatten
from fastnn.ops.rows.elementwise import add, cast, scale
from fastnn.ops.rows.metric import weighted_mean_step
from fastnn.ops.rows.reduce import mean
from fastnn.ops.rows.reduce import sum as sum_
from fastnn.training import mismatch
from fastnn.training.states import States


class Compiled(States):
    """What compile() was given, and, after `resolve`, one loss and a list of metrics per output.

    All metric states lie in one float64 vector, `states.flat`: one call resets them, one call logs them.
    """

    def __init__(self, loss: Any, loss_weights: Any, metrics_: Any, weighted_metrics: Any) -> None:
        super().__init__()
        self.loss, self.loss_weights = loss, loss_weights
        self.metrics, self.weighted_metrics = metrics_, weighted_metrics
        self.output_names: list[str] = []
        self._units: list[int | None] = []
        self.heads_checked = self.reach_checked = self.looked = self.settling_said = False
        self.averages: list[Any] | None = None      # layers with moving averages
        self.settling: dict[Any, int] = {}      # layers with moving averages: the steps since they began
        self.losses: list[Any] = []
        self.weights: list[float] = []
        self.made = self._resolved = False
        for identifier in _given(loss):
            losses.resolve(identifier)      # unknown names are refused at compile time
        for identifier in _given([metrics_, weighted_metrics]):
            metric = metrics.resolve(identifier, (None, 1), (None, 1))
            if metric.name in ("loss", "val_loss"):
                raise ValueError(f"compile(): a metric is named {metric.name!r}, which is the loss's own name in the "
                                 "history; give it another, such as name='my_loss'.")

    # ---- matching with the outputs ----------------------------------------------------------------------------

    def resolve_losses(self, output_names: Sequence[str], units: Sequence[int | None]) -> None:
        """One loss (or None) and one weight per output; anew where the outputs have changed."""
        if (self.output_names, self._units) == (list(output_names), list(units)):
            return
        self.heads_checked = False
        chosen = _per_output(self.loss, list(output_names), "loss")
        self.losses = [losses.resolve(_alone(item)) for item in chosen]
        weights = _per_output(self.loss_weights, list(output_names), "loss_weights", spread=False)
        self.weights = [1.0 if w is None else number(w, "compile(): loss_weights") for w in weights]
        self.states = None
        self.resolved, self.made, self._resolved = [], False, False
        self.output_names, self._units = list(output_names), list(units)       # last: now all of it is there

    def names_of(self, model: TrainedModel, count: int) -> list[str]:
        """The names of so many outputs."""
        return output_names(model, count)

    @property
    def targetless(self) -> bool:
        """Whether nothing reads y: the model's losses are all in add_loss."""
        return not _given([self.loss, self.metrics, self.weighted_metrics])

    def needs_targets(self) -> list[bool]:
        """For each output, whether its loss or a metric reads y."""
        if None not in self.losses:
            return [True] * len(self.losses)
        given = [_per_output(each, self.output_names, "metrics", lists=True)
                 for each in (self.metrics, self.weighted_metrics)]
        return [loss is not None or any(_given(each[i]) for each in given) for i, loss in enumerate(self.losses)]

    def is_own(self, output: int) -> bool:
        """Whether the loss of this output is a function or class of the user's."""
        loss = self.losses[output]
        function = getattr(loss, "fn", type(loss))
        return loss is not None and not all(str(getattr(each, "__module__", "")).startswith("fastnn.")
                                            for each in (type(loss), function))

    def kind(self, output: int) -> str:
        """'labels', 'ids' or 'float': what the loss of this output takes as y."""
        loss = self.losses[output]
        return "float" if loss is None else str(getattr(loss, "label_kind", "float"))

    def resolve_metrics(self, model: TrainedModel, y_shapes: Sequence[Any], output_shapes: Sequence[Any]) -> None:
        """Make the metrics for these shapes, and lay out their states. Only the first data decide."""
        mismatch.check(model, self)
        if self._resolved:
            return
        self.make_metrics(y_shapes, output_shapes)
        self.trackers = [("loss", self.loss_tracker)]
        if len(self.losses) - self.losses.count(None) > 1:
            self.trackers += [(f"{name}_loss", metrics.Mean(name=f"{name}_loss"))
                              for name, loss in zip(self.output_names, self.losses) if loss is not None]
        with not_recording(), symbolic_pass():
            for i, _, metric, _ in self.resolved:
                y, p = self._symbols(metric, y_shapes[i], output_shapes[i])
                metric.update_state(y, p)        # symbolic: makes the state variables, computes nothing
        for _, metric in self.all():
            for v in metric.states():
                v.data = np.zeros_like(v.data)
        self.lay_out([])
        self._resolved = True

    def make_metrics(self, y_shapes: Sequence[Any], output_shapes: Sequence[Any]) -> None:
        """The metrics that compile() was given, for these shapes; the first data decide."""
        if self.made:
            return
        several = len(self.output_names) > 1
        taken: dict[str, int] = {}
        found: list[tuple[int, str, Any, bool]] = []
        for weighted, given in ((False, self.metrics), (True, self.weighted_metrics)):
            per_output = _per_output(given, self.output_names, "metrics", lists=True)
            for i, items in enumerate(per_output):
                for item in _given(items):
                    metric = metrics.resolve(item, y_shapes[i], output_shapes[i])
                    mismatch.check_accuracy(self.output_names[i], item, metric, self.losses[i])
                    if any(metric is other for _, _, other, _ in found):
                        raise ValueError(f"compile(): the metric {metric.name!r} is there twice and has one state; "
                                         "make one for each place.")
                    prefix = f"{self.output_names[i]}_" if several else ""
                    key = _free_key(prefix, metric.name, weighted, taken)
                    found.append((i, key, metric, weighted))
        self.resolved, self.made = found, True

    @staticmethod
    def _symbols(metric: Any, y_shape: Any, output_shape: Any) -> tuple[Tensor, Tensor]:
        kind = getattr(metric, "label_kind", "float")
        shape = {"float": output_shape, "labels": output_shape[:-1], "ids": (None, *y_shape[1:])}[kind]
        return (Tensor(None, shape=shape, dtype=backend.floatx() if kind == "float" else "int32"),
                Tensor(None, shape=output_shape, dtype=backend.floatx()))

    def kinds(self, output: int) -> set[str]:
        """Which forms of y this output's loss and metrics take."""
        found = {str(getattr(m, "label_kind", "float")) for i, _, m, _ in self.resolved if i == output}
        return found | ({self.kind(output)} if self.losses[output] is not None else set())

    # ---- parts of programs ------------------------------------------------------------------------------------

    def total_loss(self, data: dict[str, Tensor], outputs: Sequence[Tensor], penalties: Sequence[Tensor],
                   batch: int) -> Tensor:
        """Σ weight·loss + penalties, a 0-d tensor; every loss goes into its tracker."""
        targets = [data.get(f"y{i}.{self.kind(i)}") for i in range(len(self.losses))]
        weights = [self._weight(data, i) for i in range(len(self.losses))]
        total, shown, parts = self.weighed(targets, outputs, weights, penalties)
        count = Tensor(np.array(batch, backend.floatx()), "batch", constant=True)
        with section_scope("metrics", folded=True):
            for (_, tracker), value in zip(self.trackers, [shown, *parts]):
                weighted_mean_step(*tracker.variables, value, count)
        return total

    def weighed(self, targets: Sequence[Any], outputs: Sequence[Tensor], weights: Sequence[Any],
                penalties: Sequence[Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
        """(Σ weight·loss + penalties; what is shown of it; the losses)."""
        terms: list[Tensor] = []
        parts: list[Tensor] = []
        several = False
        for i, (loss, factor) in enumerate(zip(self.losses, self.weights)):
            if loss is None:
                continue
            value = loss(_as_kind(targets[i], self.kind(i)), outputs[i], weights[i])
            axes = tuple(range(len(value.shape)))
            parts.append(mean(value, axes=axes) if axes else value)
            value = sum_(value, axes=axes) if axes else value
            terms.append(value if factor == 1 else scale(value, factor=factor))
            several = several or bool(axes)
        if not terms and not penalties:
            raise ValueError("compile(): no loss was given for any output; name one, such as loss='mse'.")
        total = shown = reduce(add, [*terms, *penalties])
        if several:     # reduction "none": trained is the sum, as in Keras; shown, too, is the mean
            given = [w for w, loss in zip(self.weights, self.losses) if loss is not None]
            shown = reduce(add, [*(scale(part, factor=w) for w, part in zip(given, parts)), *penalties])
        return total, shown, parts

    @staticmethod
    def _weight(data: dict[str, Tensor], output: int) -> Tensor | None:
        """The weights of an output: its own, or those for all."""
        return data.get(f"weight{output}", data.get("weight"))

    def update_metrics(self, data: dict[str, Tensor], outputs: Sequence[Tensor]) -> None:
        """Every metric takes the batch in."""
        with section_scope("metrics", folded=True):
            for i, _, metric, weighted in self.resolved:
                note(metric)
                y = data[f"y{i}.{getattr(metric, 'label_kind', 'float')}"]
                metric.update_state(y, outputs[i], self._weight(data, i) if weighted else None)

    def take_in(self, targets: Sequence[Any], outputs: Sequence[Tensor], weight: Any) -> None:
        """The same, for targets in the form of the losses."""
        for i, _, metric, weighted in self.resolved:
            y = _as_kind(targets[i], str(getattr(metric, "label_kind", "float")))
            metric.update_state(y, outputs[i], weight if weighted else None)


def chosen_optimizer(optimizer: Any, loss: Any) -> Any:
    """The optimizer that compile() was given. Errors: those of optimizers.get, or a word that it is the loss."""
    try:
        found = optimizers.get(optimizer)
        if found is None:
            raise TypeError("compile(): optimizer is None; needs a name such as 'adam', or an Optimizer.")
        return found
    except (TypeError, ValueError):
        try:
            optimizers.get(loss)
        except (TypeError, ValueError):
            loss = None
        if loss is None:
            raise
        raise ValueError(f"compile(): optimizer is {shown(optimizer)} and loss is {shown(loss)}; they seem to be "
                         "swapped.") from None


def _as_kind(y: Any, kind: str) -> Any:
    """A target as whole numbers or as floats."""
    if isinstance(y, Tensor) and (y.dtype == "int32") != (kind != "float"):
        return cast(y, dtype=backend.floatx() if kind == "float" else "int32")
    return y


def _free_key(prefix: str, name: str, weighted: bool, taken: dict[str, int]) -> str:
    """The history key of a metric: a second one of its name gets _1, or weighted_ where it is weighted (as Keras)."""
    key = prefix + name
    if key in taken and weighted:
        key = f"{prefix}weighted_{name}"
    count = taken.get(key, 0)
    taken[key] = count + 1
    return f"{key}_{count}" if count else key


def _given(value: Any) -> list[Any]:
    return [leaf for leaf in flatten(value) if leaf is not None]


def _alone(item: Any) -> Any:
    """A loss that stands in a list of its own, as metrics may."""
    return item[0] if isinstance(item, (list, tuple)) and len(item) == 1 else item


def _per_output(value: Any, names: list[str], what: str, *, spread: bool = True, lists: bool = False) -> list[Any]:
    """One item per output from a single value, a list or a dict by output name."""
    n = len(names)
    if isinstance(value, dict):
        unknown = sorted(set(value) - set(names))
        if unknown:
            raise ValueError(f"compile(): {what} names the outputs {shown(unknown)}; the outputs are {names}.")
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        nested = any(isinstance(v, (list, tuple)) for v in value)
        if lists and (n == 1 or not nested) and not (n > 1 and len(value) == n and nested):
            return [value] * n if n == 1 or len(value) != n else [[v] for v in value]
        if len(value) != n:
            raise ValueError(f"compile(): got {len(value)} items for {what}; the model has {n} outputs, {names}.")
        return list(value)
    return [value] * n if spread or n == 1 else [None] * n
