"""The steps of training, testing and predicting: ordinary Python that runs once per shape and is replayed. Floor 4."""

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastnn.engine.call import Call
from fastnn.engine.check import count_steps
from fastnn.engine.context import keeping, recording, section_scope, undo
from fastnn.engine.function import Recorder
from fastnn.engine.gradient import GradientTape, backward
from fastnn.engine.program import Program
from fastnn.engine.restored import restored
from fastnn.engine.schedule import Schedule, whole_step
from fastnn.engine.tensor import Tensor, Variable
from fastnn.engine.watch import note
from fastnn.errors import warn
from fastnn.feeding.arguments import of_form
from fastnn.feeding.checks import no_rows
from fastnn.feeding.feed import Feed
from fastnn.feeding.model import TrainedModel
from fastnn.layers.layer import forward_pass
from fastnn.nest import distinct, flatten
from fastnn.ops.rows.batch import store_step
from fastnn.ops.rows.data import advance, reshape
from fastnn.training import mismatch, own

LOG_ROWS = 4096
KEPT = 64       # programs; each batch size has its own, with an arena


class Steps:
    """A model's recorded programs, by (mode, feed, batch size), and the counters that they advance."""

    LOG = ("log",)

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self.recorder = Recorder(KEPT)
        self.log_row = Variable(0, "log row", dtype="int64", trainable=False)
        self.log: Tensor | None = None
        self.rates: Any = None      # beside the log

    def clear(self) -> None:
        """Forget all programs."""
        self.recorder.clear()
        self.log = None

    def state(self) -> list[Tensor]:
        """What training takes from step to step: the tensors that its programs' update calls write (weights, slots,
        counters, metric sums, cursors, orders), and the learning rate, which a callback may set."""
        tensors = [t for key, program in self.recorder.items() if key[0] in ("train", "begin")
                   for t in program.updated()]
        return distinct([*tensors, self.model.optimizer._rate])

    @contextlib.contextmanager
    def put_back(self) -> Iterator[None]:
        """What training steps in the `with` block change is afterwards what it was."""
        before = {id(t): (t, t.data.copy()) for t in self.state()}
        outer, self.recorder.before = self.recorder.before, before      # steps to be recorded add what they write
        try:
            yield
        finally:
            self.recorder.before = outer
            undo(before)

    @contextlib.contextmanager
    def traced(self, mode: str, feed: Feed, rows: int) -> Iterator[list[Call]]:
        """One step run in Python: its calls, every tensor with its numbers. In the `with` block the weights are those
        after the step; afterwards all that it changed is what it was."""
        with self.put_back(), restored(), keeping(self.recorder.before):
            with recording() as calls:
                self._body(mode, feed, rows)
            yield calls

    # ---- recording and replaying ------------------------------------------------------------------------------

    @staticmethod
    def key(mode: str, feed: Feed, rows: int) -> Any:
        """Names the program of a step."""
        return mode, feed.number, rows

    @staticmethod
    def begin_key(feed: Feed, shuffle: bool) -> Any:
        """Names the program that begins a pass."""
        return "begin", feed.number, shuffle

    def recorded(self, key: Any) -> Program | None:
        """The program of a key, if there is one and nothing that it was made from was edited since."""
        return self.recorder.program(key)

    def run(self, mode: str, feed: Feed, rows: int, times: int = 1, seconds: float = math.inf) -> int:
        """Run a step up to `times` times, for about so many seconds; how often it ran: once at least, and once only
        where Python runs it, to record it or because it always does."""
        program = None
        if self.model.run_eagerly:
            with whole_step():
                self._body(mode, feed, rows)
        else:
            program = self.recorder.ready(self.key(mode, feed, rows), f"{mode} step of {self.model.name}, batch {rows}",
                                          lambda: self._body(mode, feed, rows))
        if mode != "predict":
            self._show(mode)
        done = 1
        if program is not None:
            before = int(feed.cursor.data)
            Schedule([(program, times)]).run(max(seconds, 1e-3))
            done = (int(feed.cursor.data) - before) // rows
        count_steps(done)
        return done

    def _body(self, mode: str, feed: Feed, rows: int) -> None:
        if mode != "predict" and self.model.writes(mode):
            own.step(self, mode, feed, rows)
        else:
            getattr(self, mode)(feed, rows)

    def _show(self, mode: str) -> None:
        """Let the logs be those of this mode; where the model writes its steps, their metrics may be new."""
        compiled = self.model.compiled
        compiled.mode = mode
        if self.model.writes(mode) and compiled.lay_out(self.model.metrics):
            self.recorder.forget(self.LOG)
            self.log = None

    def reset_metrics(self) -> None:
        """Set the states of all metrics to zero, or let them do that, where their class says how, or the model."""
        if self.model.writes("reset"):
            self.model.reset_metrics()
            return
        compiled = self.model.compiled
        compiled.reset()
        for metric in compiled.reset_in_python(self.model.metrics):
            metric.reset_state()

    def begin(self, feed: Feed, shuffle: bool) -> None:
        """Begin a pass over a feed."""
        self._once(self.begin_key(feed, shuffle), "begin epoch", lambda: feed.begin(shuffle))

    def _once(self, key: Any, name: str, body: Callable[[], None]) -> None:
        program = self.recorder.ready(key, name, body)
        if program is not None:
            program.run()

    def release(self, feed: Feed) -> None:
        """Let go of the user's arrays, in a feed and in the programs that were bound to it."""
        feed.unload()
        for key, program in self.recorder.items():
            if key[1:2] == (feed.number,):
                program.bind()
        feed.user = None

    def release_all(self) -> None:
        """Let go of what an interrupted fit or evaluate may have left; predict may be running in another thread."""
        for feed in self.model._feeds:
            if feed.busy and feed.mode != "predict":
                self.release(feed)

    # ---- the steps --------------------------------------------------------------------------------------------

    def train(self, feed: Feed, batch: int) -> None:
        """Gather, forward, loss, backward, update, metrics."""
        model = self.model
        data, outputs, loss = self.forward(feed, batch)
        variables = distinct(model.trainable_weights)
        model.optimizer.apply(self._gradients(loss, variables), variables)
        model.compiled.update_metrics(data, outputs)
        feed.next(batch)

    def forward(self, feed: Feed, batch: int) -> tuple[dict[str, Tensor], list[Tensor], Tensor]:
        """(the batch, the outputs, the loss that is trained) of a training step, ready for gradients."""
        data = feed.batch(batch)
        with GradientTape(), forward_pass(True):
            with section_scope("forward"):
                outputs = flatten(self.model(of_form(feed.template[0], data)), Tensor)
            return data, outputs, self.model.optimizer.scale_loss(self._loss(data, outputs, batch))

    def _loss(self, data: dict[str, Tensor], outputs: list[Tensor], batch: int) -> Tensor:
        """The total loss of a batch, with the penalties of layers and weights."""
        with section_scope("loss"):
            return self.model.compiled.total_loss(data, outputs, self.model.losses, batch)

    def _gradients(self, loss: Tensor, variables: list[Any]) -> list[Tensor | None]:
        """d loss / d variable. ValueError where the loss depends on none of them; a warning, once, where there are
        none."""
        gradients = backward(loss, variables)
        if variables and all(gradient is None for gradient in gradients):
            raise ValueError(f"{self.model.name}: the loss has no gradient: it depends on none of the {len(variables)} "
                             "weights.\nWrite losses and layers with fastnn.ops: what passes through NumPy, float() or "
                             "a function without gradient (argmax, step, comparisons) is a constant.")
        compiled = self.model.compiled
        if not compiled.reach_checked:
            compiled.reach_checked = True
            if not variables:
                warn(f"{self.model.name}: there is nothing to train: the model has no trainable weights.")
            mismatch.warn_of_strangers(self.model)
        return gradients

    @staticmethod
    @contextlib.contextmanager
    def inference() -> Iterator[None]:
        """A forward pass that is no training."""
        with forward_pass(False), section_scope("forward"):
            yield

    def test(self, feed: Feed, batch: int) -> None:
        """Gather, forward, loss, metrics."""
        model, compiled = self.model, self.model.compiled
        data = feed.batch(batch)
        with GradientTape(), self.inference():      # the loss looks for logits behind the outputs
            outputs = flatten(model(of_form(feed.template[0], data)), Tensor)
            self._loss(data, outputs, batch)
        compiled.update_metrics(data, outputs)
        feed.next(batch)

    def predict(self, feed: Feed, batch: int) -> None:
        """Gather, forward, store."""
        data = feed.batch(batch)
        with self.inference():
            x = of_form(feed.template[0], data)
            made = self.model.predict_step((x,)) if self.model.writes("predict") else self.model(x)
            outputs = flatten(made, Tensor)
            for output in outputs:
                if output.shape[:1] != (batch,):
                    raise no_rows(output.shape, batch)
            feed.store(outputs)
        feed.next(batch)

    def log_metrics(self) -> None:
        """Write the metric states into the next row of the log and set them to zero; where the learning rate has a
        schedule, the last one too."""
        states, optimizer = self.model.compiled.states, self.model.optimizer
        if self.log is None:
            self.rates = Tensor(np.zeros((LOG_ROWS, 1), optimizer._rate.dtype), "rates")
            self._state_row = Tensor(states.flat.data.reshape(1, -1), "metric states")
            self.log = Tensor(np.zeros((LOG_ROWS, max(1, states.flat.data.size))), "log")     # at last: all are there

        def body() -> None:
            store_step(self.log, self._state_row, self.log_row)
            note(optimizer)
            if optimizer.schedule is not None:
                store_step(self.rates, reshape(optimizer._rate, shape=(1, 1)), self.log_row)
            advance(self.log_row, by=1)
            self.model.compiled.reset()

        self._once(self.LOG, "log metrics", body)
