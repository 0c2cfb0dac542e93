"""The loops of fit, evaluate and predict: which program runs how often, and when Python is asked. Floor 4."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.engine import backend, check
from fastnn.engine.schedule import Schedule
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.source import Source
from fastnn.training import unusual
from fastnn.training.guard import Guard
from fastnn.training.passes import REDRAW, Pass
from fastnn.training.steps import LOG_ROWS


@dataclass
class Run:
    """One fit: what it trains on and is validated with, every `frequency` epochs, or in the epochs, from 1, that
    `frequency` holds; epochs from `epoch` on. again: the training data once more, to be evaluated after each epoch.

    epoch: the one that is under way, or comes next. middle: where the fit was resumed in the middle of that, what puts
    the sums of its metrics back.
    """
    model: TrainedModel
    training: Source
    validation: Source | None
    epochs: int
    epoch: int
    frequency: int | frozenset[int]
    listeners: Any
    again: Source | None = None
    middle: Callable[[], Any] | None = None

    def close(self) -> None:
        """Let go of the data."""
        for source in (self.training, self.validation, self.again):
            if source is not None:
                source.close()

    def passes(self, epoch: int | None = None) -> list[tuple[str, str, Source]]:
        """(mode, name of its logs, source) of the passes of an epoch, of one that has them all unless given."""
        due = epoch is None or ((epoch + 1) in self.frequency if isinstance(self.frequency, frozenset)
                                else (epoch + 1) % self.frequency == 0)
        found = [("train", "{}", self.training), ("test", "train_{}_end", self.again),
                 ("test", "val_{}", self.validation if due else None)]
        return [(mode, name, source) for mode, name, source in found if source is not None]

    def in_c(self) -> bool:
        """Whether C may run several epochs without Python between them: nobody looks, and all data are at hand."""
        model, listeners = self.model, self.listeners
        looked_at = (listeners.wants_epochs or listeners.wants_batches or listeners.wants_tests
                     or listeners.wants_test_batches or listeners.watchers)
        resets = model.writes("reset") or model.compiled.reset_in_python(model.metrics)
        return not (looked_at or self.middle or resets or model.run_eagerly
                    or (self.validation is not None and self.frequency != 1)
                    or not all(source.at_hand for _, _, source in self.passes()))


@contextlib.contextmanager
def _checked(model: TrainedModel, progress: Any) -> Iterator[None]:
    """Where the backend checks every call, say at the end what it has compared, and keep it as model.checked."""
    if backend.backend() != "check":
        yield
        return
    with check.counting() as found:
        model.checked = found       # also of a run that ends at the first call that differs
        yield
    progress.note(str(found))


def fit(run: Run, progress: Any) -> None:
    """Train; fills model.history."""
    with _checked(run.model, progress):
        _fit(run, progress)


def _fit(run: Run, progress: Any) -> None:
    model, listeners, history = run.model, run.listeners, run.model.history
    guard, first, begun, steps = Guard(model), run.epoch, unusual.fresh(model), int(model.optimizer.iterations)
    try:
        history.begin_run(listeners.params)
        _epochs(run, progress, guard)
    except KeyboardInterrupt:
        history.level()
        history.interrupted = True
        _end(progress, run, guard)
        listeners.on_train_end(_last(history))      # callbacks finish their work: best weights are put back
        raise
    except BaseException:
        _end(progress, run, guard)
        raise
    listeners._ended(run)
    if model.optimizer.finalizes:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    unusual.grown(model, history.history.get("loss", [])[-(run.epoch - first):] if run.epoch > first else [])
    unusual.settling(model, begun, int(model.optimizer.iterations) - steps)
    for loss in history.history.get("val_loss", [])[-1:]:
        unusual.unsettled(model, loss)
    listeners.on_train_end(_last(history))


def _end(*used: Any) -> None:
    """Close them all, whatever happens on the way."""
    if used:
        try:
            used[0].close()
        finally:
            _end(*used[1:])


class _closing:
    """Closes them at the end of a `with` block; a second time where an interrupt comes in between."""

    def __init__(self, *used: Any) -> None:
        self.used = used

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        try:
            _end(*self.used)
        except KeyboardInterrupt:
            _end(*self.used)
            raise


def _epochs(run: Run, progress: Any, guard: Guard) -> None:
    try:
        run.listeners.on_train_begin()
        run.listeners._resume(run)
        first = run.epoch
        while run.epoch < run.epochs and not run.model.stop_training:
            quiet = progress.quiet_epochs(run.epoch) if run.epoch > first else 0
            quiet = quiet if quiet and run.in_c() else 0
            done = _many_epochs(run, quiet, guard) if quiet else 0
            if not done:
                _one_epoch(run, progress, guard)
                done = 1
            run.epoch += done
    finally:
        _end(progress, run, guard)


def _one_epoch(run: Run, progress: Any, guard: Guard) -> None:
    """An epoch with Python between slices of a tenth of a second, and where a callback wants to hear of a step."""
    model, compiled, listeners, epoch = run.model, run.model.compiled, run.listeners, run.epoch
    if run.middle is None:
        listeners.on_epoch_begin(epoch)
    progress.epoch_begin(epoch)
    began = time.perf_counter()
    passing = Pass(model, "train", run.training, resumed=run.middle is not None)
    first = passing.done
    model._steps.reset_metrics()
    if run.middle is not None:
        run.middle()
        run.middle = None
    watched = guard.watched = listeners.looks_back = bool(listeners.watchers) and guard.can_look_back(run.training)
    while not passing.finished and not model.stop_training:
        # A callback may change anything between two batches; a source that is not at hand keeps those of a slice only.
        heard = listeners.wants_batches
        guard.remember(passing, always=passing.done == first or heard or not run.training.at_hand)
        if heard:
            before = passing.done
            listeners.on_train_batch_begin(before)
            last = passing.together(listeners.together, listeners.room)
            listeners.on_train_batch_end(last, compiled.results, passing.done - before)
        else:
            passing.run(passing.total, REDRAW)
        guard.look(passing, epoch)
        if watched and guard.back_to_first(passing):
            listeners.on_bad_loss(passing.done - 1, compiled.results)
        progress.update(passing.done, compiled.results)
        listeners._keep(run, middle=True)
    if not passing.done:
        return      # an iterator that had no more batches, or training was stopped before the first: no epoch
    seconds = time.perf_counter() - began
    logs = compiled.results()
    if model.optimizer.schedule is not None:
        logs["learning_rate"] = float(model.optimizer._rate)
    for _, name, source in run.passes(epoch)[1:]:
        bar = progress.testing(passing.done, dict(logs), seconds, source.total)
        logs.update((name.format(k), v) for k, v in _test(model, source, listeners, bar).items())
    progress.epoch_end(passing.done, logs, seconds)
    model.history.append(epoch, logs)
    listeners.on_epoch_end(epoch, logs)
    model.history.amend(logs)
    listeners._keep(run, middle=False)


def _many_epochs(run: Run, most: int, guard: Guard) -> int:
    """Up to `most` epochs, as many as the log has rows, without Python between them; how many ran; 0 where a
    program has to be recorded first, as by an edit of a layer in another thread."""
    model, epoch = run.model, run.epoch
    steps, compiled = model._steps, model.compiled
    keys: list[tuple[Any, int]] = []
    passes = run.passes()
    for mode, _, source in passes:
        feed, shuffle, parts = source.reading()
        keys += [(steps.begin_key(feed, shuffle), 1),
                 *((steps.key(mode, feed, rows), times) for rows, times in parts), (steps.LOG, 1)]
    rows_per_epoch = len(passes)
    steps.log_metrics()
    entries = [(program, times) for key, times in keys if (program := steps.recorded(key)) is not None]
    if len(entries) < len(keys):
        return 0
    guard.remember()
    model._steps.reset_metrics()
    rounds = min(run.epochs - epoch, most, LOG_ROWS // rows_per_epoch)
    steps.log_row.assign(0)
    try:
        Schedule(entries, rounds).run()
    finally:
        done = int(steps.log_row.data) // rows_per_epoch
        check.count_steps(done * sum(times for (mode, *_), times in keys if mode in ("train", "test")))
        log = steps.log.data[:done * rows_per_epoch]
        columns: dict[str, Any] = {}
        for i, (mode, name, _) in enumerate(passes):
            compiled.mode = mode
            columns.update((name.format(k), v) for k, v in compiled.results_of(log[i::rows_per_epoch]).items())
        if model.optimizer.schedule is not None:
            columns["learning_rate"] = steps.rates.data[:len(log):rows_per_epoch, 0]
        model.history.extend(range(epoch, epoch + done), columns)
        if done:        # the metrics say what they said in the last epoch
            compiled.states.flat.data[...] = log[-1]
    guard.look_back(columns.get("loss"), epoch, run.training)
    return done


def _test(model: TrainedModel, source: Source, listeners: Any, progress: Any) -> dict[str, float]:
    """A pass of test steps; the metrics."""
    compiled = model.compiled
    listeners.on_test_begin()
    model.stop_evaluating = False
    passing = Pass(model, "test", source)
    model._steps.reset_metrics()
    while not passing.finished and not model.stop_evaluating:
        if listeners.wants_test_batches:
            listeners.on_test_batch_begin(passing.done)
            listeners.on_test_batch_end(passing.together(listeners.together), compiled.results())
        else:
            passing.run(passing.total, REDRAW)
        if progress is not None:
            progress.update(passing.done, compiled.results)
    logs = compiled.results() if passing.done else {}
    if progress is not None:
        progress.epoch_end(passing.done, logs)
    listeners.on_test_end(logs)
    return logs


def evaluate(model: TrainedModel, source: Source, listeners: Any, progress: Any) -> dict[str, float]:
    """The metrics over a source."""
    with _checked(model, progress), _closing(progress, source):
        progress.epoch_begin(0)
        logs = _test(model, source, listeners, progress)
        unusual.unsettled(model, logs.get("loss", 0.0))
        return logs


def predict(model: TrainedModel, source: Source, listeners: Any, progress: Any) -> list[np.ndarray]:
    """The outputs over a source: new arrays, one per output."""
    with _closing(progress, source):
        progress.epoch_begin(0)
        listeners.on_predict_begin()
        model.stop_predicting = False
        passing = Pass(model, "predict", source)
        while not passing.finished and not model.stop_predicting:
            if listeners.wants_predict_batches:
                before = passing.done
                listeners.on_predict_batch_begin(before)
                last = passing.together(listeners.together)
                outputs = model._packed(source.latest(passing.done - before))
                listeners.on_predict_batch_end(last, {"outputs": outputs})
            else:
                passing.run(passing.total, REDRAW)
            progress.update(passing.done, dict)
        results = source.outputs()
        progress.epoch_end(passing.done, {})
    listeners.on_predict_end()
    return results


def one_batch(model: TrainedModel, mode: str, source: Source) -> dict[str, float]:
    """One train or test step on all rows; the metrics of this batch alone."""
    with _closing(source):
        feed, _, ((rows, _), *_) = source.reading()
        model._steps.reset_metrics()
        model._steps.run(mode, feed, rows)
        return model.compiled.results()


def _last(history: Any) -> dict[str, Any]:
    return {key: values[-1] for key, values in history.history.items() if values}
