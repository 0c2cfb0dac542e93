"""History: what fit measured, epoch by epoch, as plain floats. Floor 3; imports names' directions only.

It holds no arrays and no model, so it can be pickled, copied and kept while the model goes.
"""

import csv
import difflib
import io
import itertools
import json
import math
import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastnn.reporting.direction import direction
from fastnn.reporting.travel import Travel


def plain(value: Any) -> Any:
    """A number as a Python float, an array as a list of them."""
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array.astype(float).tolist()


class Columns(dict[str, Any]):
    """{name: values}; an unknown name is a KeyError that says which there are."""

    def __missing__(self, name: str) -> Any:
        raise KeyError(_missing(name, self))


def _missing(name: str, there: Mapping[str, Any]) -> str:
    """What to say of a name that was not measured: which there are, and how it would be there."""
    what, how = str(name).removeprefix("val_"), ""
    if what != name and what in there:
        how = "; for it pass validation_data or validation_split to fit"
    elif there and not (difflib.get_close_matches(what, there, 1) or any(key.startswith(what) for key in there)):
        how = f"; compile(metrics=[{what!r}]) measures it, if it is a metric"
    return f"the history has no {name!r}; there are {', '.join(sorted(there)) or 'no epochs yet'}{how}."


class History(Travel):
    """The record that `fit` returns: `.history` {name: one float per epoch}, `.epoch` epoch numbers from 0, `.params`.

    Names are alphabetical within an epoch. A name that was not measured in every epoch (validation_freq=2) has a
    shorter list, as in Keras; `column` and the exports fill the gaps. `.interrupted`: whether Ctrl-C ended the run.
    `.runs`: where in `.epoch` each fit began: given to fit as a callback, or by `one + other`, a record spans several.
    history["loss"] is history.history["loss"]. Source: keras.callbacks.History.
    """

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        self.history: dict[str, list[Any]] = Columns()
        self.epoch: list[int] = []
        self.params: dict[str, Any] = dict(params or {})
        self.interrupted = False
        self.runs: list[int] = []
        self._rows: dict[str, list[range]] = {}      # in which epochs each name was measured
        self._model: Any = None

    def begin_run(self, params: Mapping[str, Any] | None = None) -> None:
        """Mark that a fit begins here."""
        self.params = dict(params or {})
        self.interrupted = False
        if not self.runs or self.runs[-1] != len(self.epoch):
            self.runs.append(len(self.epoch))

    def append(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Add one epoch: its number, from 0, and what was measured."""
        values = {name: plain(logs[name]) for name in sorted(logs)}
        for name, value in values.items():
            self._put(name, range(len(self.epoch), len(self.epoch) + 1), [value])
        self.epoch.append(int(epoch))

    def level(self) -> None:
        """Drop what an interrupt has left of an epoch that is not there as a whole."""
        end = len(self.epoch)
        for name, ranges in self._rows.items():
            whole = [range(r.start, min(r.stop, end)) for r in ranges if r.start < end]
            count = sum(map(len, whole))
            if count < max(sum(map(len, ranges)), len(self.history.get(name, []))):
                self._rows[name], self.history[name] = whole, self.history.get(name, [])[:count]
        for name in [name for name, values in self.history.items() if not values]:
            del self.history[name], self._rows[name]

    def amend(self, logs: Mapping[str, Any]) -> None:
        """What callbacks have added to the logs of the last epoch, or changed in them."""
        row = len(self.epoch) - 1
        for name in sorted(logs):
            ranges = self._rows.get(name)
            if ranges and ranges[-1].stop == row + 1:
                self.history[name][-1] = plain(logs[name])
            elif row >= 0:
                self._put(name, range(row, row + 1), [plain(logs[name])])

    def extend(self, epoch_numbers: Sequence[int], columns: Mapping[str, Sequence[Any] | np.ndarray]) -> None:
        """Add many epochs at once, one value per epoch in every column.

        Raises ValueError for a column of another length; nothing is added then.
        """
        count = len(epoch_numbers)
        for name, column in columns.items():
            if len(column) != count:
                raise ValueError(f"History.extend: {name!r} has {len(column)} values for {count} epochs; needs one "
                                 "each; use append for what was measured in some epochs only.")
        values = {name: plain(columns[name]) for name in sorted(columns)}
        first = len(self.epoch)
        for name, column in values.items():
            self._put(name, range(first, first + count), column)
        self.epoch.extend(epoch_numbers if isinstance(epoch_numbers, range) else map(int, epoch_numbers))

    def _put(self, name: str, rows: range, values: list[Any]) -> None:
        ranges = self._rows.setdefault(name, [])
        if ranges and ranges[-1].stop == rows.start:
            ranges[-1] = range(ranges[-1].start, rows.stop)
        else:
            ranges.append(rows)
        self.history.setdefault(name, []).extend(values)

    def column(self, name: str) -> list[Any]:
        """The values of `name`, one per epoch, None where it was not measured. KeyError for unknown names."""
        values, rows = self.history[name], list(itertools.chain.from_iterable(self._rows.get(name, [])))
        if len(rows) != len(values):      # put in by hand
            rows = list(range(len(values)))
        result: list[Any] = [None] * max([len(self.epoch), *(row + 1 for row in rows[-1:])])
        for row, value in zip(rows, values):
            result[row] = value
        return result

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """epoch, history, params, interrupted, runs and where each was measured as JSON text; written to `path` too.

        What is not finite becomes null, since JSON has no NaN.
        """
        measured = {name: [[r.start, r.stop] for r in ranges] for name, ranges in self._rows.items()}
        content = {"epoch": self.epoch, "history": self.history, "params": self.params, "runs": self.runs,
                   "interrupted": self.interrupted, "measured": measured}
        return _written(json.dumps(_finite(content), indent=1, default=str, allow_nan=False), path)

    @classmethod
    def from_json(cls, text_or_path: str | os.PathLike[str]) -> "History":
        """The record of a to_json(): its text, or the name of its file. What was not finite is NaN."""
        text = str(text_or_path)
        if not text.lstrip().startswith("{"):
            with open(text_or_path, encoding="utf-8") as file:
                text = file.read()
        content = json.loads(text)
        made = cls(content["params"])
        made.epoch, made.interrupted, made.runs = content["epoch"], content["interrupted"], content["runs"]
        made.history.update((name, [math.nan if value is None else value for value in values])
                            for name, values in content["history"].items())
        made._rows = {name: [range(*pair) for pair in pairs] for name, pairs in content["measured"].items()}
        return made

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """A table as CSV text: a column `epoch`, from 0, then one per name; written to `path` too if given."""
        columns = {"epoch": self.epoch, **{name: self.column(name) for name in self.history}}
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(columns)
        for row in range(len(self.epoch)):
            table.writerow("" if column[row] is None else column[row] for column in columns.values())
        return _written(text.getvalue(), path)

    def to_frame(self) -> Any:
        """A pandas DataFrame, one row per epoch, indexed by epoch. ImportError where pandas is not installed."""
        try:
            import pandas
        except ImportError:
            raise ImportError("History.to_frame: pandas is not installed; install it with pip install pandas, or use "
                              "to_csv.") from None
        columns = {name: self.column(name)[:len(self.epoch)] for name in self.history}
        return pandas.DataFrame(columns, index=pandas.Index(self.epoch, name="epoch"))

    @property
    def model(self) -> Any:
        """The model that was fitted, or None when it is gone: a History does not keep its model alive."""
        return None if self._model is None else self._model()

    def set_model(self, model: Any) -> None:
        """Remember the model, weakly."""
        self._model = None if model is None else weakref.ref(model)

    def until(self, count: int) -> "History":
        """A copy of the first so many epochs."""
        cut = History(self.params)
        cut.epoch = self.epoch[:count]
        cut.runs = [run for run in self.runs if run < count]
        for name in self.history:
            for row, value in enumerate(self.column(name)[:count]):
                if value is not None:
                    cut._put(name, range(row, row + 1), [value])
        return cut

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Remember how fit was called."""
        self.params = dict(params)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_model": None, "_timeline": None, "_kept": None}

    def __len__(self) -> int:
        return len(self.epoch)

    def __getitem__(self, name: str) -> list[Any]:
        """The values of a name; KeyError saying which there are."""
        return self.history[name]

    def __getattr__(self, name: str) -> Any:
        why = f"; history[{name!r}] is there" if name in self.__dict__.get("history", {}) else ""
        raise AttributeError(f"'History' object has no attribute {name!r}{why}", name=name, obj=self)

    def __contains__(self, name: object) -> bool:
        return name in self.history

    def __iter__(self) -> Iterator[str]:
        return iter(self.history)

    def __add__(self, other: "History") -> "History":
        """Both records in one, that of `other` after this one; `.runs` marks where."""
        joined = History(other.params)
        joined.interrupted = other.interrupted
        for part in (self, other):
            begin = len(joined.epoch)
            joined.runs += [begin + run for run in part.runs or [0] * bool(part.epoch)]
            for name, values in part.history.items():
                for i, value in enumerate(part.column(name)):
                    if value is not None or len(values) == len(part.epoch):
                        joined._put(name, range(begin + i, begin + i + 1), [value])
            joined.epoch += part.epoch
        return joined

    def compare(self, **others: "History") -> str:
        """A table of runs: the last and the best value of each name, and in which epoch, from 1, that was.

        >>> first, second = (model.fit(x, y, epochs=3, verbose=0) for _ in range(2))
        >>> print(first.compare(adam=second))
        """
        runs = {"this": self, **others}
        names = sorted({name for run in runs.values() for name in run})
        width = max(map(len, runs))
        lines = []
        for name in names:
            lines.append(name)
            for title, run in runs.items():
                values = [v for v in run.history.get(name, []) if isinstance(v, float) and math.isfinite(v)]
                if values:
                    best = (max if direction(name) == "max" else min)(values)
                    place = run.column(name).index(best) + 1
                    lines.append(f"  {title:{width}}  last {values[-1]:<10.4g} best {best:<10.4g} in epoch {place}")
        return "\n".join(lines)

    def plot(self, path: str | os.PathLike[str] | None = None, **others: "History") -> Any:
        """plotting.loss_curves of this run, beside others by name; a matplotlib Figure."""
        from fastnn.plotting import loss_curves
        return loss_curves({"this": self, **others} if others else self, path)

    def __bool__(self) -> bool:
        return True       # a History without epochs is still a History

    def __repr__(self) -> str:
        if not self.epoch:
            return "<History: no epochs>"
        parts = [f"{len(self.epoch)} epoch{'s' * (len(self.epoch) > 1)}"]
        for name, values in self.history.items():
            first, last = values[0], values[-1]
            if isinstance(first, float) and isinstance(last, float):
                parts.append(f"{name} {first:.4g}" + (f" to {last:.4g}" if len(values) > 1 else ""))
            else:
                parts.append(f"{name} ({len(values)} values)")
        return f"<History: {', '.join(parts)}{', interrupted' if self.interrupted else ''}>"

    def _repr_html_(self) -> str:
        from fastnn.reporting.page import html  # only a notebook wants it
        return html(self)


def _finite(value: Any) -> Any:
    """The same nest of dicts and lists with None in place of NaN and infinities."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _written(text: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    return text
