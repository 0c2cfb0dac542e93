"""Time travel: the state of a fit after each epoch, kept in memory; models of then, and fits that go on from there.

Floor 5. What is kept is what BackupAndRestore writes, so a fit that goes on has the bits of the one that did.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.arguments import whole
from fastnn.callbacks import BackupAndRestore, Callback, CSVLogger, ModelCheckpoint, RemoteMonitor, TensorBoard
from fastnn.errors import KindError, shown, warn
from fastnn.reporting.history import History
from fastnn.reporting.progress import Every
from fastnn.saving.backup import put_model, put_state, state_of
from fastnn.saving.state import Arrays
from fastnn.saving.twins import twin_of

MEGABYTES = 256     # that a timeline takes at most, unless asked otherwise
DATA = {"x", "y", "batch_size", "sample_weight", "class_weight", "steps_per_epoch", "validation_split",
        "validation_data", "shuffle"}       # arguments with which arrays are read otherwise
WRITERS = (BackupAndRestore, CSVLogger, ModelCheckpoint, RemoteMonitor, TensorBoard)


class Timeline(Callback):
    """Keeps the state of a fit every so many epochs; the listener behind fit(record=…)."""

    def __init__(self, every: int, limit: float, given: Mapping[str, Any]) -> None:
        self.every, self.limit = every, limit * 1e6
        self.given = {name: value for name, value in given.items() if name not in ("self", "epochs", "initial_epoch")}
        self.epochs = given["epochs"]
        self.found: dict[int, Snapshot] = {}
        self.bytes = 0      # of all snapshots
        self.told = False

    def get_state(self) -> dict[str, Any]:
        """Nothing: a resumed fit keeps what comes."""
        return {}

    def _resume(self, run: Any) -> None:
        """Before the first epoch: the state that it starts from, and what the history has kept before."""
        history = run.listeners.history
        before = history._timeline
        if before is not None and before is not self:
            self.found = {**before.found, **self.found}
            self.bytes = sum(each.bytes for each in self.found.values())
        history._timeline = self
        if run.middle is None and run.model.weights:
            if hasattr(run.training, "arrays"):
                run.training.reading()
            self._note(run, run.epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """`_keep` follows; C does not run several epochs at once."""

    def _keep(self, run: Any, middle: bool) -> None:
        """After an epoch that is to be kept; the last one always is."""
        if not middle and (len(run.listeners.history.epoch) % self.every == 0 or run.epoch + 1 >= run.epochs
                           or run.model.stop_training):
            self._note(run, run.epoch + 1)

    def _note(self, run: Any, epoch: int) -> None:
        number = len(run.listeners.history.epoch)
        arrays, content = state_of(run, epoch)
        again = self.found.get(number)
        self.found[number] = Snapshot(number, run.listeners.history, run.model, arrays, content, self)
        self.bytes += self.found[number].bytes - (again.bytes if again is not None else 0)
        while self.bytes > self.limit and len(self.found) > 2:
            self.thin()

    def thin(self) -> None:
        """Keep every second one, the first and the last."""
        numbers = sorted(self.found)
        self.every *= 2
        kept = {n for n in numbers if n % self.every == 0} | {numbers[0], numbers[-1]}
        if len(kept) == len(numbers):
            kept = {*numbers[::2], numbers[-1]}
        if not self.told:
            warn(f"fit(): record: {len(numbers)} epochs of {self.model.name} take {self.bytes / 1e6:,.1f} MB, more "
                 f"than {self.limit / 1e6:,g}; one of {self.every} is kept from now on, and fewer where that is not "
                 "enough. record={'megabytes': …} keeps more.")
        self.told = True
        self.found = {n: self.found[n] for n in numbers if n in kept}
        self.bytes = sum(each.bytes for each in self.found.values())


class Snapshot:
    """The state of a fit after `epoch` epochs, as its curves count them; 0 is the start.

    weights: arrays as of model.get_weights(); logs: what was measured in that epoch; model: a model with these weights,
    optimizer and random numbers, made when asked for: plotting.decision_boundary(snapshot.model, x, y) and the like.
    """

    def __init__(self, epoch: int, history: History, model: Any, arrays: Arrays, content: dict[str, Any],
                 timeline: Timeline) -> None:
        self.epoch, self.arrays, self.content = epoch, arrays, content
        self.bytes = sum(array.nbytes for array in arrays.values())
        self._history, self._original, self._timeline = history, model, timeline
        self._model: Any = None

    def __repr__(self) -> str:
        logs = ", ".join(f"{name} {value:.4g}" for name, value in self.logs.items() if isinstance(value, float))
        return f"<Snapshot after epoch {self.epoch}{': ' * bool(logs)}{logs}>"

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weights, in the order of model.weights."""
        count = len(self._original.weights)
        return [self.arrays[f"weights/{i}"].copy() for i in range(count)]

    @property
    def logs(self) -> dict[str, Any]:
        """What was measured in this epoch; nothing at the start."""
        columns = {name: self._history.column(name) for name in self._history}
        row = self.epoch - 1
        return {name: column[row] for name, column in columns.items()
                if 0 <= row < len(column) and column[row] is not None}

    @property
    def model(self) -> Any:
        """A compiled model as it was; the same one whenever it is asked for."""
        if self._model is None:
            self._model = self._made()
        return self._model

    def _made(self) -> Any:
        twin = twin_of(self._original)
        put_model("the snapshot", twin, self.arrays, self.content)
        return twin

    def branch(self, epochs: int | None = None, learning_rate: Any = None, **changes: Any) -> History:
        """A new model that goes on from here: fit's arguments as they were, but for `changes` (x, y, batch_size,
        callbacks, verbose, …), up to `epochs`, as fit counts them; that of the fit unless given. → its History, whose
        `.model` it is (`history.model`; keep the history, and it stays).

        With nothing changed it has the bits of the fit that went on. Callbacks are copied with their state of then,
        but not those that write files (ModelCheckpoint, CSVLogger, …): give them anew. ValueError where the data came
        from a generator, which has been read: pass x.
        """
        given = {**self._timeline.given, **changes}
        until = self._timeline.epochs if epochs is None else whole(epochs, "branch(): epochs")
        if self.content["run"]["epoch"] >= until:
            raise ValueError(f"branch(): epochs is {until} and {self.content['run']['epoch']} have been; needs more, "
                             "counted as fit counts them.")
        for name in ("x", "validation_data"):
            if hasattr(given[name], "__next__") and name not in changes:
                raise ValueError(f"branch(): {name} was a {type(given[name]).__name__}, which has been read. Pass "
                                 f"branch({name}=…) with batches from the beginning.")
        callbacks = given.get("callbacks") if "callbacks" in changes else self._callbacks(given.get("callbacks"))
        twin, history = self._made(), self._history.until(self.epoch)
        history._timeline = SimpleNamespace(found={n: s for n, s in self._timeline.found.items() if n <= self.epoch})
        again = _Again(self, learning_rate, same_data=not DATA & changes.keys())
        items = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or [])
        twin.fit(**{**given, "callbacks": [history, *items, again], "epochs": until})
        history.keep_model(twin)
        return history

    def _callbacks(self, given: Any) -> list[Any]:
        """Copies of the fit's callbacks."""
        items = [given] if isinstance(given, Callback) else [c for c in given or () if isinstance(c, Callback)]
        left = [type(c).__name__ for c in items if isinstance(c, WRITERS)]
        if left:
            warn(f"branch(): goes on without {', '.join(left)}, which would write over the files of the fit; pass "
                 "callbacks=[…] to write others.")
        return [copy.copy(c) for c in items if not isinstance(c, WRITERS)]


class _Again(Callback):
    """Puts the state of a snapshot into the fit that begins."""

    def __init__(self, snapshot: Snapshot, learning_rate: Any, same_data: bool) -> None:
        self.snapshot, self.learning_rate, self.same_data = snapshot, learning_rate, same_data

    def get_state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def _resume(self, run: Any) -> None:
        content = copy.deepcopy(self.snapshot.content)
        names = {type(c).__name__ for c in run.listeners.callbacks}
        content["callbacks"] = [pair for pair in content["callbacks"] if pair[0] in names]
        before = seeds.get_state()
        same_data = self.same_data or not hasattr(run.training, "arrays")      # batches are asked for again
        put_state("the snapshot", run, self.snapshot.arrays, content, same_data)
        seeds.set_state(before)
        run.model.stop_training = False
        if self.learning_rate is not None:
            run.model.optimizer.learning_rate = self.learning_rate


def timeline(record: Any, given: Mapping[str, Any]) -> Timeline | None:
    """The listener that fit(record=…) asks for. TypeError or ValueError for what it cannot be."""
    if record is None or record is False:
        return None
    every, limit = 1, float(MEGABYTES)
    if isinstance(record, Every):
        every = record.epochs
    elif isinstance(record, Mapping) and set(record) <= {"every", "megabytes"}:
        every = whole(record.get("every", 1), "fit(): record['every']")
        limit = float(whole(record.get("megabytes", MEGABYTES), "fit(): record['megabytes']"))
    elif record != "epochs":
        raise KindError(f"fit(): record is {shown(record)}; needs 'epochs', fastnn.Every(5), or "
                        "{'every': 5, 'megabytes': 500}.")
    return Timeline(every, limit, given)


def at(history: Any, epoch: int) -> Snapshot:
    """The snapshot after an epoch. RuntimeError where none were kept, KeyError where this one was not."""
    found = getattr(history._timeline, "found", {})
    if not found:
        raise RuntimeError("history.at(): no epochs were recorded; fit with record='epochs'. A history that was "
                           "pickled or loaded has left them behind: save models to keep them.")
    if epoch not in found:
        numbers = sorted(found)
        near = min(numbers, key=lambda number: abs(number - epoch)) if isinstance(epoch, int) else numbers[-1]
        raise KeyError(f"history.at({shown(epoch)}): kept are the epochs {_ranges(numbers)}; the nearest is {near}.")
    return found[epoch]  # type: ignore[no-any-return]


def _ranges(numbers: Sequence[int]) -> str:
    text = ", ".join(map(str, numbers[:6]))
    return text if len(numbers) <= 6 else f"{text}, … {numbers[-1]}"


def animate(history: Any, draw: Callable[[Snapshot, Any], Any], path: Any, seconds: float,
            size: tuple[float, float]) -> str:
    """A film: draw(snapshot, ax) for each epoch that was kept, on empty axes. → the path."""
    from fastnn.plotting._figure import new_figure
    from fastnn.plotting._film import ending_of_film, film
    ending_of_film(path)
    found = getattr(history._timeline, "found", None) or {at(history, 0).epoch: at(history, 0)}
    snapshots = [found[number] for number in sorted(found)]
    figure = new_figure(*size)

    def frame(i: int) -> None:
        figure.clear()
        ax = figure.add_subplot()
        draw(snapshots[i], ax)
        title = ax.get_title()
        ax.set_title(f"{title + ': ' if title else ''}epoch {snapshots[i].epoch}")

    return film(figure, frame, len(snapshots), path, seconds)
