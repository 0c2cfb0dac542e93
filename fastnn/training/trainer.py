"""Trainer: compile, fit, evaluate, predict and their one-batch forms. Floor 4.

Everything is checked and laid out first; then programs are recorded and replayed (training/loop.py).
"""

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from fastnn.arguments import flag, number, optional, whole
from fastnn.callbacks.list import CallbackList, Callbacks
from fastnn.engine.kinds import Config, LossLike, MetricsLike
from fastnn.engine.restored import restored
from fastnn.errors import BusyError
from fastnn.feeding import arguments
from fastnn.feeding.arrays import Arrays
from fastnn.feeding.feed import Feeds
from fastnn.feeding.opening import open_source, open_validation, split_off
from fastnn.feeding.raw import adapt_raw
from fastnn.frames import entrance
from fastnn.literals import OptimizerName
from fastnn.metrics import Metric
from fastnn.nest import distinct, map_structure
from fastnn.optimizers import Optimizer
from fastnn.reporting.history import History
from fastnn.reporting.progress import Progress, Verbose
from fastnn.training import loop, unusual
from fastnn.training.compiled import Compiled, chosen_optimizer
from fastnn.training.few_rows import Straights
from fastnn.training.inside import Inside
from fastnn.training.options import Record, frequency_of, timeline_of
from fastnn.training.own import OwnSteps
from fastnn.training.steps import Steps


class Trainer(OwnSteps, Inside):
    """What makes a layer a model that can be trained; Model inherits it."""
    if TYPE_CHECKING:       # what Layer and Model bring: Model is a feeding.model.TrainedModel
        name: str
        built: bool
        takes_integers: ClassVar[bool]
        _graph: Any

        @property
        def layers(self) -> list[Any]: ...
        @property
        def inputs(self) -> list[Any] | None: ...
        @property
        def outputs(self) -> list[Any] | None: ...
        def _holds(self, kind: type) -> list[Any]: ...
        def takes(self, shape: tuple[int, ...]) -> bool: ...
        def _with_sublayers(self, look: bool = True) -> list[Any]: ...
        @property
        def weights(self) -> list[Any]: ...
        @property
        def trainable_weights(self) -> list[Any]: ...
        def _can_run(self, where: str) -> None: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def __init__(self) -> None:
        self.compiled: Any = None
        self.optimizer: Any = None
        self.loss: Any = None
        self.history: History | None = None
        self.checked: Any = None        # what the backend "check" has compared in the last fit or evaluate
        self.stop_training = self.stop_evaluating = self.stop_predicting = False       # callbacks may set them
        self.run_eagerly, self.steps_per_execution = False, 1
        self._feeds = Feeds()
        self._steps = Steps(self)
        self._busy = threading.Lock()
        self._building = threading.RLock()      # predict needs only this: it has programs of its own
        self._worker: tuple[int, Any] = (0, None)       # the thread and the function that have the model to themselves
        self._straights = Straights(self)
        self._symbols: dict[Any, Any] = {}
        self._output_form: Any = None       # of a subclass, as its last call gave it

    # ---- compile ----------------------------------------------------------------------------------------------

    @entrance
    def compile(self, optimizer: OptimizerName | Optimizer | type[Optimizer] | Config | None = "rmsprop",
                loss: LossLike = None, loss_weights: float | Sequence[float | None] | dict[str, float] | None = None,
                metrics: MetricsLike = None, weighted_metrics: MetricsLike = None,
                run_eagerly: bool = False, steps_per_execution: int | str = 1, jit_compile: bool | str = "auto",
                auto_scale_loss: bool = True) -> None:
        """Choose optimizer, loss and metrics by name, class or instance; lists or dicts for several outputs. Losses may
        have the structure of the outputs, in which a function of yours may stand for several of them together.

        optimizer: None for a model that is evaluated only. run_eagerly: run the layers' Python at every step (for
        debuggers). steps_per_execution: how many steps lie between two calls of the callbacks' hooks on batches; steps
        are always replayed in C, many at a time, so jit_compile and auto_scale_loss are accepted for Keras' sake.
        Raises ValueError naming the nearest name for unknown ones.
        """
        if self._busy.locked():
            raise BusyError(f"compile(): {self.name} is training or evaluating; wait until it has finished.")
        optimizer = chosen_optimizer(optimizer, loss)
        together = 1 if steps_per_execution == "auto" else whole(
            steps_per_execution, "compile(): steps_per_execution", 1)
        self.compiled = Compiled(loss, loss_weights, metrics, weighted_metrics)
        self.optimizer, self.loss, self.run_eagerly = optimizer, loss, bool(run_eagerly)
        self.steps_per_execution = together
        self.stop_training = False
        self._steps.clear()
        self._feeds.restart()

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker, the compiled metrics, as far as they are made, and those that the model and its layers
        hold."""
        return distinct([*(self.compiled.known() if self.compiled else []), *self._holds(Metric)])

    @property
    def metrics_names(self) -> list[str]:
        """'loss', then the metrics' keys, in the order of evaluate()."""
        return [key for key, _ in self.compiled.all()] if self.compiled else []

    def _ready(self, where: str, trains: bool = True) -> None:
        if self.compiled is None:
            raise RuntimeError(f"{where}: the model is not compiled; call compile(optimizer=…, loss=…) first.")
        if trains and self.optimizer is None:
            raise RuntimeError(f"{where}: the model was compiled with optimizer=None, to be evaluated only; call "
                               "compile(optimizer='adam', …), or leave optimizer out.")
        self._can_run(where)

    @contextlib.contextmanager
    def _working(self, where: str, *, inside: bool = False) -> Iterator[None]:
        """The model to oneself. inside: also from a callback of a fit under way, whose metric sums are put back."""
        taken, holder = False, sys._getframe(2)       # the call with the `with`, above contextlib's
        try:
            taken = self._busy.acquire(blocking=False) or not self._at_work(holder)
            if taken:
                object.__setattr__(self, "_worker", (threading.get_ident(), holder.f_code))
                self._steps.release_all()
                if self.optimizer is not None:
                    self.optimizer.hold()
                self.compiled.hold()
                self._steps.recorder.look()
                with restored():
                    yield
            elif inside and self._worker[0] == threading.get_ident():
                with restored(), self.compiled.put_back():
                    yield
            else:
                raise BusyError(f"{where}: {self.name} is training or evaluating already; wait until it has finished, "
                                "or use another model.")
        finally:
            if taken:
                self._steps.release_all()
                self._busy.release()
                object.__setattr__(self, "_worker", (0, None))

    # ---- fit --------------------------------------------------------------------------------------------------

    @entrance
    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1,
            verbose: Verbose = "auto", callbacks: Callbacks = None, validation_split: float = 0.0,
            validation_data: Any = None, shuffle: bool = True,
            class_weight: dict[int, float] | Literal["balanced"] | None = None, sample_weight: Any = None,
            initial_epoch: int = 0, steps_per_epoch: int | None = None, validation_steps: int | None = None,
            validation_batch_size: int | None = None, validation_freq: int | Sequence[int] = 1, *,
            evaluate_train: bool = False, check_finite: bool = True,
            record: Record = None) -> History:
        """Train for `epochs` passes over the data; returns the History, also kept as `model.history`.

        x: array, list, pandas frame, or a list of them for several inputs, samples first. y: targets. batch_size: 32
        unless given. x may also give batches (x, y) or (x, y, sample_weight), made in the background while C computes:
        a utils.PyDataset, or a generator or other iterator. steps_per_epoch: an epoch has so many batches, in whole
        steps_per_execution; it begins where the last one stopped, and ends with the data. validation_data: (x, y),
        (x, y, weights) or batches; validation_split: the last part of the data, cut off before shuffling;
        validation_freq: every so many epochs, or the epochs, from 1, in a list. class_weight: {class: weight} or
        'balanced'. verbose: 0 silent, 1 a bar, 2 a line for each epoch, 'epochs' one bar for the
        run, fastnn.Every(k) a line every k epochs; 'auto' is 1, and 'epochs' once epochs take under 20 ms.
        evaluate_train: after each epoch evaluate the training data too, with the weights of its end and without
        dropout: train_loss_end and so on. check_finite=False skips the search for NaN. record='epochs' keeps the state
        after each epoch, record=fastnn.Every(5) after every fifth, for history.at(12): up to 256 MB, then every second
        one; {'every': 5, 'megabytes': 500} for another limit.
        Wrong arguments raise before anything changes. Ctrl-C stops between two steps; `model.history` has the
        epochs so far.
        """
        self._ready("fit()")
        timeline = timeline_of(record, dict(locals()))
        with self._working("fit()"):
            epochs = whole(epochs, "fit(): epochs", 0)
            initial_epoch = whole(initial_epoch, "fit(): initial_epoch", 0)
            frequency = frequency_of(validation_freq)
            validation_split = optional(number, validation_split, "fit(): validation_split", 0, 1, below=True)
            shuffle = flag(shuffle, "fit(): shuffle")
            split = validation_split if validation_data is None else 0
            training = open_source(self, "train", "fit()", x, y, sample_weight, batch_size=batch_size,
                                   steps=steps_per_epoch, steps_name="steps_per_epoch", shuffle=shuffle,
                                   validation_split=split, class_weight=class_weight, check_finite=check_finite)
            validation = None
            if validation_data is not None:
                validation = open_validation(self, training, validation_data, batch_size=validation_batch_size,
                                             steps=validation_steps, check_finite=check_finite)
            elif split:
                training, validation = split_off(training, split, sample_weight=sample_weight,
                                                 class_weight=class_weight, batch_size=validation_batch_size,
                                                 steps=validation_steps)
            again = training.again_as("validation") if flag(evaluate_train, "fit(): evaluate_train") else None
            unusual.look(self, training)
            progress = Progress(verbose, epochs, training.total)
            self.stop_training = False
            listeners = CallbackList([callbacks, *timeline], model=self, epochs=epochs, steps=training.total,
                                     verbose=progress.verbose, validation_freq=validation_freq)
            self.history = listeners.history
            loop.fit(loop.Run(self, training, validation, epochs, initial_epoch, frequency, listeners, again), progress)
            return self.history

    # ---- evaluate ---------------------------------------------------------------------------------------------

    @entrance
    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Verbose = "auto",
                 sample_weight: Any = None, steps: int | None = None, callbacks: Callbacks = None,
                 return_dict: bool = False) -> Any:
        """The loss, or [loss, metrics in the order of compile()], or a dict with return_dict=True.

        x, y: arrays as for fit; or x: batches (x, y) or (x, y, sample_weight), `steps` of them or all there are.
        """
        self._ready("evaluate()", trains=False)
        with self._working("evaluate()", inside=True):
            source = open_source(self, "evaluate", "evaluate()", x, y, sample_weight, batch_size=batch_size,
                                 steps=steps)
            progress = Progress(verbose, 1, source.total, title=False)
            listeners = CallbackList(callbacks, model=self, steps=source.total, verbose=progress.verbose)
            logs = loop.evaluate(self, source, listeners, progress)
        if return_dict:
            return logs
        values = [logs[key] for key in self.metrics_names]
        return values[0] if len(values) == 1 else values

    # ---- predict ----------------------------------------------------------------------------------------------

    @entrance
    def predict(self, x: Any, batch_size: int | None = None, verbose: Verbose = "auto", steps: int | None = None,
                callbacks: Callbacks = None) -> np.ndarray:
        """The outputs for x, as a new array (a list or dict for several outputs). Rows do not depend on the batch.

        x: arrays as for fit, or batches x, (x,) or (x, y, …), `steps` of them or all there are.
        """
        if batch_size is None and callbacks is None and steps is None:
            outputs = self._straights.predict(x, verbose)
            if outputs is not None:
                return outputs
        self._can_run("predict()")
        with restored():
            self._steps.recorder.look()
            source = open_source(self, "predict", "predict()", x, batch_size=batch_size, steps=steps,
                                 check_finite=False)
            short = source.at_hand and isinstance(verbose, str) and verbose == "auto" and source.total in (0, 1)
            progress = Progress(0 if short else verbose, 1, source.total, title=False)
            listeners = CallbackList(callbacks, model=self, steps=source.total, verbose=progress.verbose)
            try:
                return self._packed(loop.predict(self, source, listeners, progress))
            except KeyboardInterrupt:
                source.close()      # once more: it may have come while that was under way
                raise

    def _packed(self, outputs: list[np.ndarray]) -> Any:
        """The arrays in the form of the model's outputs: one, a list, a dict, or these in each other."""
        form = self._output_form if self._graph is None else self._graph.outputs
        arrays = iter(outputs)
        return map_structure(lambda _: next(arrays), form)

    # ---- one batch --------------------------------------------------------------------------------------------

    @entrance
    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
                       return_dict: bool = False) -> Any:
        """One step on all of x; the loss and metrics of this batch."""
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    @entrance
    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and metrics of one batch."""
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    @entrance
    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        return self.predict(x, batch_size=max(1, len(x)), verbose=0)

    def _on_batch(self, mode: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
        where = f"{mode}_on_batch()"
        self._ready(where, trains=mode == "train")
        with self._working(where, inside=mode == "test"):
            adapt = adapt_raw if self.writes(mode) else arguments.adapt
            arrays = adapt(self, x, y, sample_weight, where, class_weight)
            source = Arrays(self, "train" if mode == "train" else "evaluate", arrays, len(arrays["x0"]))
            logs = loop.one_batch(self, mode, source)
        if return_dict:
            return logs
        values = [logs[key] for key in self.metrics_names]
        return values[0] if len(values) == 1 else values
