"""The loops of fit, evaluate and predict: which program runs how often, and when Python is asked. Floor 4."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.engine.schedule import Schedule
from fastnn.feeding.model import TrainedModel
from fastnn.feeding.source import Source
from fastnn.training.guard import Guard
from fastnn.training.passes import REDRAW, Pass
from fastnn.training.steps import LOG_ROWS


@dataclass
class Run:
    """One fit: what it trains on and is validated with, every `frequency` epochs; epochs from `initial_epoch` on."""
    training: Source
    validation: Source | None
    epochs: int
    initial_epoch: int
    frequency: int

    def close(self) -> None:
        """Let go of the data."""
        self.training.close()
        if self.validation is not None:
            self.validation.close()

    def in_c(self, model: TrainedModel, listeners: Any) -> bool:
        """Whether C may run several epochs without Python between them: nobody looks, and all data are at hand."""
        looked_at = (listeners.wants_epochs or listeners.wants_batches or listeners.wants_tests
                     or listeners.wants_test_batches)
        return not (looked_at or model.compiled.reset_in_python(model.metrics) or model.run_eagerly
                    or self.frequency != 1 or not self.training.at_hand
                    or not (self.validation is None or self.validation.at_hand))


def fit(model: TrainedModel, run: Run, listeners: Any, progress: Any) -> None:
    """Train; fills model.history."""
    history = model.history
    guard = Guard(model)
    try:
        history.begin_run(listeners.params)
        _epochs(model, run, listeners, progress, guard)
    except KeyboardInterrupt:
        history.level()
        history.interrupted = True
        _end(progress, run, guard)
        listeners.on_train_end(_last(history))      # callbacks finish their work: best weights are put back
        raise
    except BaseException:
        _end(progress, run, guard)
        raise
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


def _epochs(model: TrainedModel, run: Run, listeners: Any, progress: Any, guard: Guard) -> None:
    try:
        epoch = run.initial_epoch
        listeners.on_train_begin()
        model._steps.reset_metrics()
        while epoch < run.epochs and not model.stop_training:
            quiet = progress.quiet_epochs(epoch) if epoch > run.initial_epoch else 0
            quiet = quiet if quiet and run.in_c(model, listeners) else 0
            done = _many_epochs(model, run, epoch, quiet, guard) if quiet else 0
            if not done:
                _one_epoch(model, run, epoch, listeners, progress, guard)
                done = 1
            epoch += done
    finally:
        _end(progress, run, guard)


def _one_epoch(model: TrainedModel, run: Run, epoch: int, listeners: Any, progress: Any, guard: Guard) -> None:
    """An epoch with Python between slices of a tenth of a second, or between batches where a callback wants them."""
    compiled = model.compiled
    listeners.on_epoch_begin(epoch)
    progress.epoch_begin(epoch)
    began = time.perf_counter()
    passing = Pass(model, "train", run.training)
    model._steps.reset_metrics()
    while not passing.finished and not model.stop_training:
        # A callback may change anything between two batches; a source that is not at hand keeps those of a slice only.
        guard.remember(passing, always=not passing.done or listeners.wants_batches or not run.training.at_hand)
        if listeners.wants_batches:
            listeners.on_train_batch_begin(passing.done)
            passing.run(1)
            listeners.on_train_batch_end(passing.done - 1, compiled.results())
        else:
            passing.run(passing.total, REDRAW)
        guard.look(passing, epoch)
        progress.update(passing.done, compiled.results)
    if not passing.done:
        return      # an iterator that had no more batches, or training was stopped before the first: no epoch
    seconds = time.perf_counter() - began
    logs = compiled.results()
    if model.optimizer.schedule is not None:
        logs["learning_rate"] = float(model.optimizer._rate)
    if run.validation is not None and (epoch + 1) % run.frequency == 0:
        logs.update((f"val_{k}", v) for k, v in _test(model, run.validation, listeners, None).items())
    progress.epoch_end(passing.done, logs, seconds)
    model.history.append(epoch, logs)
    listeners.on_epoch_end(epoch, logs)
    model.history.amend(logs)


def _many_epochs(model: TrainedModel, run: Run, epoch: int, most: int, guard: Guard) -> int:
    """Up to `most` epochs, as many as the log has rows, without Python between them; how many ran; 0 where a
    program has to be recorded first, as by an edit of a layer in another thread."""
    steps, compiled = model._steps, model.compiled
    keys: list[tuple[Any, int]] = []
    for mode, source in (("train", run.training), ("test", run.validation)):
        if source is not None:
            feed, shuffle, parts = source.reading()
            keys += [(steps.begin_key(feed, shuffle), 1),
                     *((steps.key(mode, feed, rows), times) for rows, times in parts), (steps.LOG, 1)]
    rows_per_epoch = 1 if run.validation is None else 2
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
        log = steps.log.data[:done * rows_per_epoch]
        compiled.mode = "train"
        columns = compiled.results_of(log[::rows_per_epoch])
        if model.optimizer.schedule is not None:
            columns["learning_rate"] = steps.rates.data[:len(log):rows_per_epoch, 0]
        if run.validation is not None:
            compiled.mode = "test"
            columns.update((f"val_{k}", v) for k, v in compiled.results_of(log[1::2]).items())
        model.history.extend(range(epoch, epoch + done), columns)
    guard.look_back(columns.get("loss"), epoch, run.training)
    return done


def _test(model: TrainedModel, source: Source, listeners: Any, progress: Any) -> dict[str, float]:
    """A pass of test steps; the metrics."""
    compiled = model.compiled
    listeners.on_test_begin()
    passing = Pass(model, "test", source)
    model._steps.reset_metrics()
    while not passing.finished:
        if listeners.wants_test_batches:
            listeners.on_test_batch_begin(passing.done)
            passing.run(1)
            listeners.on_test_batch_end(passing.done - 1, compiled.results())
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
    with _closing(progress, source):
        progress.epoch_begin(0)
        return _test(model, source, listeners, progress)


def predict(model: TrainedModel, source: Source, listeners: Any, progress: Any) -> list[np.ndarray]:
    """The outputs over a source: new arrays, one per output."""
    with _closing(progress, source):
        progress.epoch_begin(0)
        listeners.on_predict_begin()
        passing = Pass(model, "predict", source)
        while not passing.finished:
            if listeners.wants_predict_batches:
                listeners.on_predict_batch_begin(passing.done)
                passing.run(1)
                rows = source.latest()
                listeners.on_predict_batch_end(passing.done - 1, {"outputs": rows[0] if len(rows) == 1 else rows})
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
