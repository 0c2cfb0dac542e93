"""States: the sums of all metrics side by side, and what is shown of them. Floor 5."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastnn import metrics
from fastnn.engine.block import Block
from fastnn.engine.context import not_recording
from fastnn.nest import distinct
from fastnn.ops.rows.data import fill
from fastnn.reporting.history import plain


class States:
    """All metric states in one float64 vector, `states.flat`: one call resets them, one call logs them."""

    def __init__(self) -> None:
        self.resolved: list[tuple[int, str, Any, bool]] = []     # output, key, metric, weighted
        self.states: Block | None = None
        self.mode = ""          # of the step that ran last
        self.own_logs: dict[str, list[tuple[str, Any]]] = {}        # of steps that the model writes itself, by mode
        self.last: dict[tuple[str, str], Any] = {}                  # what shows a number of theirs
        self.loss_tracker = metrics.Mean(name="loss")
        self.trackers: list[tuple[str, Any]] = [("loss", self.loss_tracker)]      # of the loss, and of several losses
        self.others: list[tuple[str, Any]] = []         # metrics that the model holds
        self._held: list[Any] = []

    def lay_out(self, more: Sequence[Any]) -> bool:
        """Put the states of all metrics, and of these, side by side. Whether they were not yet."""
        everything = [*(m for _, m in (*self.own(), *self.others)), *more,
                      *(m for logs in self.own_logs.values() for _, m in logs)]
        variables = distinct([v for m in everything for v in m.states() if v.dtype == "float64" and not m._resets])
        if self.states is not None and [*map(id, variables)] == [*map(id, self._held)]:
            return False
        block = Block([v.shape for v in variables], "float64", "metric states", grain=1)
        block.hold(variables)
        self.states, self._held = block, variables
        return True

    def all(self) -> list[tuple[str, Any]]:
        """(key, metric) of what is shown: those of own(), then those that the model holds; or the logs of a step that
        the model writes itself."""
        own = self.own_logs.get(self.mode)
        return own if own is not None else [
            *self.trackers, *((key, metric) for _, key, metric, _ in self.resolved), *self.others]

    def own(self) -> list[tuple[str, Any]]:
        """(key, metric) of the loss trackers, and of the metrics that compile() was given, in their order."""
        return [*self.trackers, *((key, metric) for _, key, metric, _ in self.resolved)]

    def hold(self) -> None:
        """Take the states back into their vector where another model that was given the same metric moved them."""
        if self.states is not None:
            self.states.hold(self._held)

    def reset(self) -> None:
        """Op that sets all states to zero."""
        if self.states is not None:
            fill(self.states.flat, value=0.0)

    @contextlib.contextmanager
    def put_back(self) -> Iterator[None]:
        """What the `with` block adds to the sums is taken away again."""
        states = self.states
        sums, mode = None if states is None else states.flat.data.copy(), self.mode
        try:
            yield
        finally:
            self.mode = mode
            if states is not None:
                states.flat.data[...] = sums

    def reset_in_python(self, metrics_: Sequence[Any]) -> list[Any]:
        """Those that such an op is not enough for: they say how they are reset, or are not laid out."""
        held = set(map(id, self._held))
        return [m for m in metrics_ if m._resets or not held.issuperset(map(id, m.states()))]

    # ---- reading ----------------------------------------------------------------------------------------------

    def results(self, only: str | None = None) -> dict[str, float]:
        """{key: value} from the states as they are, of one key or all; plain floats where the metric is one number."""
        with not_recording():
            return {key: plain(metric.result()) for key, metric in self.all() if only in (None, key)}

    def results_of(self, log: np.ndarray) -> dict[str, np.ndarray]:
        """{key: one value per row} for rows of logged states, all rows at once."""
        assert self.states is not None
        columns: dict[str, np.ndarray] = {}
        logged = {id(v): log[:, offset:offset + int(np.prod(shape))].reshape(len(log), *shape)
                  for v, offset, shape in zip(self._held, self.states.offsets, self.states.shapes)}
        for key, metric in self.all():
            if metric._computed:
                with np.errstate(all="ignore"):
                    columns[key] = np.asarray(metric.compute(*[logged[id(v)] for v in metric.variables]), np.float64)
            else:
                values = []
                for row in range(len(log)):
                    with _holding(metric.states(), [logged[id(v)][row] for v in metric.states()]):
                        values.append(plain(metric.result()))
                columns[key] = np.asarray(values, np.float64)
        return columns


@contextlib.contextmanager
def _holding(variables: Sequence[Any], values: Sequence[np.ndarray]) -> Any:
    """The variables with other values for a moment."""
    before = [v.numpy() for v in variables]
    for v, value in zip(variables, values):
        v.assign(value)
    try:
        yield
    finally:
        for v, value in zip(variables, before):
            v.assign(value)
