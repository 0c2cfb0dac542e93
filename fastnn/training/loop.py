"""The loops of fit, evaluate and predict: which program runs how often, and when Python is asked. Floor 4."""

import math
import time
from typing import Any

import numpy as np

from fastnn.engine.schedule import Schedule, whole_step
from fastnn.engine.tensor import Tensor
from fastnn.feeding import arguments
from fastnn.feeding.batches import Batches
from fastnn.feeding.checks import whole
from fastnn.feeding.feed import Feed
from fastnn.training import guard as guards
from fastnn.training.passes import BatchPass, joined
from fastnn.training.steps import LOG_ROWS

REDRAW = 0.1        # seconds between two looks at the progress while C runs


class Plan:
    """How many samples, batches and epochs: the arithmetic of fit."""

    def __init__(self, samples: int, batch: int, epochs: int, initial_epoch: int, shuffle: bool,
                 limit: int | None) -> None:
        self.samples, self.batch, self.epochs, self.initial_epoch = samples, batch, epochs, initial_epoch
        self.shuffle = shuffle
        self.steps: Any = math.ceil(samples / batch)
        if limit is not None:
            self.steps = min(self.steps, limit)
        self.validation: Plan | None = None
        self.frequency = 1

    @classmethod
    def of(cls, batches: Batches, epochs: int = 1, initial_epoch: int = 0) -> "Plan":
        """For batches that come one by one; `steps` is None where their number is not known."""
        plan = cls(0, 32, epochs, initial_epoch, batches.shuffle, None)
        plan.steps = batches.total
        return plan

    def validate(self, validation: Any, batch: Any, limit: int | None, frequency: int) -> None:
        """Validation on these arrays or batches every `frequency` epochs."""
        self.frequency = frequency
        if isinstance(validation, Batches):
            self.validation = Plan.of(validation)
            return
        batch = self.batch if batch is None else whole(batch, "fit(): validation_batch_size")
        self.validation = Plan(len(next(iter(validation.values()))), batch, 1, 0, False,
                               None if limit is None else whole(limit, "fit(): validation_steps"))

    def parts(self) -> list[tuple[int, int]]:
        """[(batch size, how many such batches)] of one pass: full ones, then a shorter last one."""
        full, rest = divmod(self.samples, self.batch)
        if self.steps <= full:
            return [(self.batch, self.steps)]
        return [(self.batch, full), (rest, 1)] if full else [(rest, 1)]


class _Pass:
    """One pass over a feed, forwards only as asked: some steps now, more later."""

    def __init__(self, model: Any, mode: str, feed: Feed, plan: Plan) -> None:
        self.model, self.mode, self.feed = model, mode, feed
        self.left = [list(part) for part in plan.parts()]
        self.done, self.total = 0, plan.steps

    def run(self, most: int, seconds: float = math.inf) -> None:
        """Run up to `most` steps, for about so many seconds; at least one."""
        end = time.monotonic() + seconds
        while most > 0 and self.left:
            batch, times = self.left[0]
            count = self._run(batch, min(most, times), end - time.monotonic())
            self.done += count
            most -= count
            self.left[0][1] -= count
            if self.left[0][1] == 0:
                self.left.pop(0)
            if time.monotonic() > end:
                return

    def _run(self, batch: int, times: int, seconds: float) -> int:
        steps = self.model._steps
        if self.model.run_eagerly:
            with whole_step():
                getattr(steps, self.mode)(self.feed, batch)
            return 1
        program, ran = steps.step(self.mode, self.feed, batch)
        if ran:
            return 1
        before = int(self.feed.cursor.data)
        try:
            Schedule([(program, times)]).run(max(seconds, 1e-3))
        finally:
            ran_rows = int(self.feed.cursor.data) - before
        return ran_rows // batch

    @property
    def finished(self) -> bool:
        """Whether all steps have run."""
        return not self.left


def _pass(model: Any, mode: str, feed: Feed | Batches, plan: Plan) -> "_Pass | BatchPass":
    return BatchPass(model, mode, feed) if isinstance(feed, Batches) else _Pass(model, mode, feed, plan)


def _source(model: Any, mode: str, data: dict[str, np.ndarray] | Batches) -> Feed | Batches:
    return data if isinstance(data, Batches) else model._steps.feed(mode, data)


def fit(model: Any, arrays: dict[str, np.ndarray] | Batches, validation: dict[str, np.ndarray] | Batches | None,
        plan: Plan, listeners: Any, progress: Any) -> None:
    """Train; fills model.history."""
    feed = _source(model, "train", arrays)
    val_feed = _source(model, "validation", validation) if validation is not None else None
    alone = not (listeners.wants_epochs or listeners.wants_batches or listeners.wants_tests
                 or listeners.wants_test_batches or model.run_eagerly or isinstance(feed, Batches)
                 or isinstance(val_feed, Batches)) and plan.frequency == 1
    history = model.history
    history.begin_run(listeners.params)
    guard = guards.Guard(model)
    epoch = plan.initial_epoch
    try:
        listeners.on_train_begin()
        model.compiled.reset()
        while epoch < plan.epochs and not model.stop_training:
            quiet = progress.quiet_epochs(epoch) if alone and epoch > plan.initial_epoch else 0
            done = (_many_epochs(model, feed, val_feed, plan, epoch, quiet, guard)  # type: ignore[arg-type]
                    if quiet else 0)
            if not done:
                _one_epoch(model, feed, val_feed, plan, epoch, listeners, progress, guard)
                done = 1
            epoch += done
    except KeyboardInterrupt:
        history.interrupted = True
        listeners.on_train_end(_last(history))      # callbacks finish their work: best weights are put back
        raise
    finally:
        progress.close()
        _release(model, [feed, val_feed])
    listeners.on_train_end(_last(history))


def _one_epoch(model: Any, feed: Feed | Batches, val_feed: Feed | Batches | None, plan: Plan, epoch: int,
               listeners: Any, progress: Any, guard: guards.Guard) -> None:
    """An epoch with Python between slices of a tenth of a second, or between batches where a callback wants them."""
    compiled = model.compiled
    listeners.on_epoch_begin(epoch)
    progress.epoch_begin(epoch)
    began = time.perf_counter()
    _begin(model, feed, plan.shuffle)
    compiled.reset()
    passing = _pass(model, "train", feed, plan)
    while not passing.finished and not model.stop_training:
        # A callback may change anything between two batches; a BatchPass has those of the last slice only.
        guard.remember(always=not passing.done or listeners.wants_batches or isinstance(passing, BatchPass))
        if listeners.wants_batches:
            listeners.on_train_batch_begin(passing.done)
            passing.run(1)
            listeners.on_train_batch_end(passing.done - 1, compiled.results())
        else:
            passing.run(passing.total, REDRAW)
        guard.look(passing, epoch)
        progress.update(passing.done, compiled.results)
    if isinstance(passing, BatchPass) and not passing.done:
        return      # an iterator that had no more batches: this was no epoch
    seconds = time.perf_counter() - began
    logs = compiled.results()
    if val_feed is not None and plan.validation is not None and (epoch + 1) % plan.frequency == 0:
        logs.update((f"val_{k}", v) for k, v in _test(model, val_feed, plan.validation, listeners, None).items())
    rate = getattr(listeners, "learning_rate_logged", False)
    if rate:
        logs["learning_rate"] = float(model.optimizer.learning_rate)
    progress.epoch_end(passing.done, logs, seconds)
    model.history.append(epoch, logs)
    listeners.on_epoch_end(epoch, logs)


def _many_epochs(model: Any, feed: Feed, val_feed: Feed | None, plan: Plan, epoch: int, most: int,
                 guard: guards.Guard) -> int:
    """Up to `most` epochs, as many as the log has rows, without Python between them; how many ran; 0 where a
    program has to be recorded first, as by an edit of a layer in another thread."""
    steps, compiled = model._steps, model.compiled
    rows_per_epoch = 1 if val_feed is None else 2
    keys: list[tuple[Any, int]] = [(("begin", feed.number, plan.shuffle), 1)]
    keys += [(("train", feed.number, batch), times) for batch, times in plan.parts()]
    keys.append((("log",), 1))
    if val_feed is not None and plan.validation is not None:
        keys.append((("begin", val_feed.number, False), 1))
        keys += [(("test", val_feed.number, batch), times) for batch, times in plan.validation.parts()]
        keys.append((("log",), 1))
    steps.log_metrics()
    entries = [(program, times) for key, times in keys if (program := steps.recorded(key)) is not None]
    if len(entries) < len(keys):
        return 0
    guard.remember()
    compiled.reset()
    rounds = min(plan.epochs - epoch, most, LOG_ROWS // rows_per_epoch)
    steps.log_row.assign(0)
    try:
        Schedule(entries, rounds).run()
    finally:
        done = int(steps.log_row.data) // rows_per_epoch
        log = steps.log.data[:done * rows_per_epoch]
        columns = compiled.results_of(log[::rows_per_epoch])
        if val_feed is not None:
            columns.update((f"val_{k}", v) for k, v in compiled.results_of(log[1::2]).items())
        model.history.extend(range(epoch, epoch + done), columns)
    guard.look_back(columns["loss"], epoch, plan, feed)
    return done


def _begin(model: Any, feed: Feed | Batches, shuffle: bool) -> None:
    if isinstance(feed, Batches):
        return
    program, ran = model._steps.begin(feed, shuffle)
    if not ran:
        program.run()


def _test(model: Any, feed: Feed | Batches, plan: Plan, listeners: Any, progress: Any) -> dict[str, float]:
    """A pass of test steps; the metrics."""
    compiled = model.compiled
    listeners.on_test_begin()
    _begin(model, feed, False)
    compiled.reset()
    passing = _pass(model, "test", feed, plan)
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
    plan.steps = plan.steps or passing.done
    listeners.on_test_end(logs)
    return logs


def evaluate(model: Any, arrays: dict[str, np.ndarray] | Batches, plan: Plan, listeners: Any,
             progress: Any) -> dict[str, float]:
    """The metrics over the arrays."""
    feed = _source(model, "evaluate", arrays)
    progress.epoch_begin(0)
    began = time.perf_counter()
    try:
        logs = _test(model, feed, plan, listeners, progress)
        progress.epoch_end(plan.steps, logs, time.perf_counter() - began)
    finally:
        progress.close()
        _release(model, [feed])
    return logs


def predict(model: Any, arrays: dict[str, np.ndarray], n: int, plan: Plan, listeners: Any,
            progress: Any) -> list[np.ndarray]:
    """The outputs over the arrays: new arrays, one per output."""
    symbols = arguments.build(model, arrays)
    results = [np.zeros((min(n, plan.steps * plan.batch), *t.shape[1:]), t.dtype) for t in symbols]
    if n == 0:
        return results
    feed = model._steps.feed("predict", arrays)
    if [t.dtype for t in feed.results] != [t.dtype for t in symbols]:
        feed.results = [Tensor(array, "result") for array in results]
    for tensor, array in zip(feed.results, results):
        tensor.data, tensor.shape = array, array.shape
    try:
        progress.epoch_begin(0)
        began = time.perf_counter()
        listeners.on_predict_begin()
        passing = _Pass(model, "predict", feed, plan)
        while not passing.finished:
            if listeners.wants_predict_batches:
                listeners.on_predict_batch_begin(passing.done)
                passing.run(1)
                begin = (passing.done - 1) * plan.batch
                rows = [array[begin:begin + plan.batch] for array in results]
                listeners.on_predict_batch_end(passing.done - 1, {"outputs": rows[0] if len(rows) == 1 else rows})
            else:
                passing.run(passing.total, REDRAW)
            progress.update(passing.done, dict)
        progress.epoch_end(plan.steps, {}, time.perf_counter() - began)
    finally:
        progress.close()
        _release(model, [feed])
    listeners.on_predict_end()
    return results


def predict_batches(model: Any, batches: Batches, listeners: Any, progress: Any) -> list[np.ndarray]:
    """The outputs over batches that come one by one: new arrays, one per output."""
    parts: list[list[np.ndarray]] = []
    progress.epoch_begin(0)
    began = time.perf_counter()
    try:
        listeners.on_predict_begin()
        passing = BatchPass(model, "predict", batches)
        while not passing.finished:
            listeners.on_predict_batch_begin(passing.done)
            parts.append(passing.predict())
            rows = parts[-1]
            listeners.on_predict_batch_end(passing.done - 1, {"outputs": rows[0] if len(rows) == 1 else rows})
            progress.update(passing.done, dict)
        results = joined(parts, "predict()")
        progress.epoch_end(passing.done, {}, time.perf_counter() - began)
    finally:
        progress.close()
        _release(model, [batches])
    listeners.on_predict_end()
    return results


def one_batch(model: Any, mode: str, arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """One train or test step on all rows; the metrics of this batch alone."""
    feed = model._steps.feed("train" if mode == "train" else "evaluate", arrays)
    try:
        model.compiled.reset()
        _Pass(model, mode, feed, Plan(feed.count, feed.count, 1, 0, False, None)).run(1)
        return model.compiled.results()
    finally:
        _release(model, [feed])


def _release(model: Any, sources: list[Any]) -> None:
    """Let go of the user's arrays, in the feeds and in the programs that were bound to them; end threads."""
    for source in filter(None, sources):
        for feed in source.feeds.values() if isinstance(source, Batches) else [source]:
            feed.unload()
            for key, program in list(model._steps.programs.items()):
                if key[1:2] == (feed.number,):
                    program.bind()
            feed.busy = False
        if isinstance(source, Batches):
            source.close()


def _last(history: Any) -> dict[str, Any]:
    return {key: values[-1] for key, values in history.history.items() if values}
