"""Losses and metrics of a compiled model, matched with its outputs at the first data. Floor 4."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from fastnn import losses, metrics, optimizers
from fastnn.engine import backend
from fastnn.engine.context import not_recording, section_scope, symbolic_pass
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import note
from fastnn.errors import shown
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.targets import output_form, output_names
from fastnn.losses.loss import is_own
from fastnn.nest import flatten, map_structure
from fastnn.ops.rows.elementwise import add, cast, scale
from fastnn.ops.rows.metric import weighted_mean_step
from fastnn.ops.rows.reduce import mean
from fastnn.ops.rows.reduce import sum as sum_
from fastnn.training import mismatch
from fastnn.training.states import States
from fastnn.training.terms import Term, per_output, terms


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
        self.terms: list[Term] = []
        self.losses: list[Any] = []     # of each output the first, or None
        self.made: Any = None       # the outputs that the metrics were made for
        self._resolved = False
        for identifier in _given(loss):
            losses.resolve(identifier)      # unknown names are refused at compile time
        for identifier in _given([metrics_, weighted_metrics]):
            metric = metrics.resolve(identifier, (None, 1), (None, 1))
            if metric.name in ("loss", "val_loss"):
                raise ValueError(f"compile(): a metric is named {metric.name!r}, which is the loss's own name in the "
                                 "history; give it another, such as name='my_loss'.")

    # ---- matching with the outputs ----------------------------------------------------------------------------

    def resolve_losses(self, model: TrainedModel, output_names: Sequence[str], units: Sequence[int | None],
                       form: Any = None) -> None:
        """The losses of the outputs, and what they are shown by; anew where the outputs have changed. form: their
        structure, where that is not the model's."""
        if (self.output_names, self._units) == (list(output_names), list(units)):
            return
        self.heads_checked = False
        labels = map_structure(lambda _: None, form) if form is not None else output_form(model, len(output_names))
        self.terms = terms(self.loss, self.loss_weights, output_names, labels)
        self.losses = [next((term.loss for alone in (True, False) for term in self.terms
                             if i in term.outputs and (term.places == i) == alone), None)
                       for i in range(len(output_names))]
        self.trackers = [("loss", self.loss_tracker)]
        if len(self.terms) > 1:
            self.trackers += [(f"{name}_loss", metrics.Mean(name=f"{name}_loss".replace("/", "_")))
                              for name in dict.fromkeys(term.name for term in self.terms)]
        self.states, self._resolved = None, False
        self.output_names, self._units = list(output_names), list(units)       # last: now all of it is there

    def names_of(self, model: TrainedModel, count: int) -> list[str]:
        """The names of so many outputs."""
        return output_names(model, count)

    @property
    def targetless(self) -> bool:
        """Whether nothing reads y: the model's losses are all in add_loss."""
        return not _given([self.loss, self.metrics, self.weighted_metrics])

    def known(self) -> list[Any]:
        """The loss tracker, and the metrics that compile() was given, of which names become metrics with the data."""
        return [metric for _, metric in self.own()] if self.made else [
            *(metric for _, metric in self.trackers), *flatten([self.metrics, self.weighted_metrics], metrics.Metric)]

    @property
    def has_metrics(self) -> bool:
        """Whether compile() was given metrics."""
        return bool(_given([self.metrics, self.weighted_metrics]))

    def needs_targets(self) -> list[bool]:
        """For each output, whether its loss or a metric reads y."""
        if None not in self.losses:
            return [True] * len(self.losses)
        given = [per_output(each, self.output_names, "metrics", lists=True)
                 for each in (self.metrics, self.weighted_metrics)]
        return [loss is not None or any(_given(each[i]) for each in given) for i, loss in enumerate(self.losses)]

    def is_own(self, output: int) -> bool:
        """Whether the loss of this output is a function or class of the user's."""
        return is_own(self.losses[output])

    def kind(self, output: int) -> str:
        """'labels', 'ids' or 'float': what the loss of this output takes as y."""
        loss = self.losses[output]
        return "float" if loss is None else str(getattr(loss, "label_kind", "float"))

    def resolve_metrics(self, model: TrainedModel, y_shapes: Sequence[Any], output_shapes: Sequence[Any]) -> None:
        """Make the metrics for these shapes, and lay out their states. Only the first data decide."""
        mismatch.check(model, self)
        if self._resolved:
            return
        self.make_metrics(self.output_names, y_shapes, output_shapes)
        with not_recording(), symbolic_pass():
            for i, _, metric, _ in self.resolved:
                y, p = self._symbols(metric, y_shapes[i], output_shapes[i])
                metric.update_state(y, p)        # symbolic: makes the state variables, computes nothing
        self.look_for_others(model)
        for _, metric in self.all():
            for v in metric.states():
                v.data = np.zeros_like(v.data)
        self.lay_out([])
        self._resolved = True

    def make_metrics(self, names: Sequence[str], y_shapes: Sequence[Any], output_shapes: Sequence[Any]) -> None:
        """The metrics that compile() was given, for outputs of these names and shapes; the first data decide."""
        key = list(names), [shape[-1:] for shape in output_shapes]
        if self.made == key:
            return
        several = len(names) > 1
        taken: dict[str, int] = {}
        found: list[tuple[int, str, Any, bool]] = []
        for weighted, given in ((False, self.metrics), (True, self.weighted_metrics)):
            chosen = per_output(given, names, "metrics", lists=True)
            for i, items in enumerate(chosen):
                for item in _given(items):
                    metric = metrics.resolve(item, y_shapes[i], output_shapes[i])
                    if i < len(self.losses):
                        mismatch.check_accuracy(names[i], item, metric, self.losses[i])
                    if any(metric is other for _, _, other, _ in found):
                        raise ValueError(f"compile(): the metric {metric.name!r} is there twice and has one state; "
                                         "make one for each place.")
                    key_of = _free_key(f"{names[i]}_" if several else "", metric.name, weighted, taken)
                    found.append((i, key_of, metric, weighted))
        self.resolved, self.made = found, key

    def look_for_others(self, model: TrainedModel) -> None:
        """The metrics that the model and its layers hold and update themselves: they are shown too, by their names."""
        known = {id(metric) for _, metric in self.own()}
        taken = {key: 1 for key, _ in self.own()}
        self.others = [(_free_key("", metric.name, False, taken), metric) for metric in model.metrics
                       if id(metric) not in known and metric.states()]      # without any, it has seen nothing yet

    @staticmethod
    def _symbols(metric: Any, y_shape: Any, output_shape: Any) -> tuple[Tensor, Tensor]:
        kind = getattr(metric, "label_kind", "float")
        shape = {"float": output_shape, "labels": output_shape[:-1], "ids": (None, *y_shape[1:])}[kind]
        return (Tensor(None, shape=shape, dtype=backend.floatx() if kind == "float" else "int32"),
                Tensor(None, shape=output_shape, dtype=backend.floatx()))

    def kinds(self, output: int) -> set[str]:
        """Which forms of y this output's loss and metrics take."""
        found = {str(getattr(m, "label_kind", "float")) for i, _, m, _ in self.resolved if i == output}
        return found | {term.kind for term in self.terms if output in term.outputs}

    # ---- parts of programs ------------------------------------------------------------------------------------

    def total_loss(self, data: dict[str, Tensor], outputs: Sequence[Tensor], penalties: Sequence[Tensor],
                   batch: int) -> Tensor:
        """Σ weight·loss + penalties, a 0-d tensor; every loss goes into its tracker."""
        total, shown = self.weighed(lambda i, kind: data.get(f"y{i}.{kind}"), outputs,
                                    lambda i: data.get(f"weight{i}", data.get("weight")), penalties)
        self.track(shown, batch)
        return total

    def track(self, shown: Sequence[Tensor], batch: int, first: int = 0) -> None:
        """Let the trackers from `first` on take in what is shown of a batch: the total loss, then several terms."""
        count = Tensor(np.array(batch, backend.floatx()), "batch", constant=True)
        with section_scope("metrics", folded=True):
            for (_, tracker), value in zip(self.trackers[first:], shown):
                weighted_mean_step(*tracker.variables, value, count)

    def weighed(self, target: Callable[[int, str], Any], outputs: Sequence[Tensor], weight: Callable[[int], Any],
                penalties: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """(Σ weight·loss + penalties; what is shown of it, and then of each of several losses).

        target: of an output, as a loss of this kind takes it. weight: the weights of its samples.
        """
        summed: list[Tensor] = []
        parts: list[Tensor] = []
        several = False
        for term in self.terms:
            weights = {id(each): each for i in term.outputs for each in [weight(i)]}
            if len(weights) > 1:
                raise ValueError(f"sample_weight: the loss {term.name!r} reads several outputs together; needs one "
                                 "array for all of them.")
            true = {i: _as_kind(target(i, term.kind), term.kind) for i in term.outputs}
            value = term.loss(map_structure(true.__getitem__, term.places),
                              map_structure(outputs.__getitem__, term.places), *weights.values())
            axes = tuple(range(len(value.shape)))
            parts.append(mean(value, axes=axes) if axes else value)
            value = sum_(value, axes=axes) if axes else value
            summed.append(value if term.weight == 1 else scale(value, factor=term.weight))
            several = several or bool(axes)
        if not summed and not penalties:
            raise ValueError("compile(): no loss was given for any output; name one, such as loss='mse'.")
        total = shown = reduce(add, [*summed, *penalties])
        if several:     # reduction "none": trained is the sum, as in Keras; shown, too, is the mean
            shown = reduce(add, [*(scale(part, factor=term.weight) for term, part in zip(self.terms, parts)),
                                 *penalties])
        named: dict[str, list[Tensor]] = {}
        for term, part in zip(self.terms, parts):
            named.setdefault(term.name, []).append(part)
        return total, [shown, *(reduce(add, each) for each in named.values())]

    def update_metrics(self, data: dict[str, Tensor], outputs: Sequence[Tensor]) -> None:
        """Every metric takes the batch in."""
        with section_scope("metrics", folded=True):
            for i, _, metric, weighted in self.resolved:
                note(metric)
                y = data[f"y{i}.{getattr(metric, 'label_kind', 'float')}"]
                weight = data.get(f"weight{i}", data.get("weight")) if weighted else None
                metric.update_state(y, outputs[i], weight)

    def take_in(self, targets: Sequence[Any], outputs: Sequence[Tensor], weight: Any) -> None:
        """The same, for targets in the form of the losses."""
        for i, _, metric, weighted in self.resolved:
            y = _as_kind(targets[i], str(getattr(metric, "label_kind", "float")))
            metric.update_state(y, outputs[i], weight if weighted else None)


def chosen_optimizer(optimizer: Any, loss: Any) -> Any:
    """The optimizer that compile() was given, or None. Errors: of optimizers.get, or a word that it is the loss."""
    try:
        return optimizers.get(optimizer)
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
