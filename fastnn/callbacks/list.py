"""CallbackList: what calls the callbacks, and knows what Python has to come back for. Floor 5."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastnn.arguments import flag
from fastnn.callbacks.base import Callback, Logs
from fastnn.callbacks.loops import Drawing, Recording
from fastnn.errors import shown
from fastnn.reporting.history import History

TRAIN_BATCHES = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


class CallbackList(Callback):
    """Calls every callback in order. `history` is the History of the run, found among the callbacks or new.

    callbacks: one, or a list (of lists) of them; TypeError for anything else. For a loop of your own: add_history
    keeps the logs of each epoch, as model.history; add_progbar draws a bar, as the params epochs, steps and verbose
    say. Other names are params of the callbacks. The `wants_…` properties say what the trainer must come back to Python
    for. `steps` counts the training steps so far, for callbacks with a stride. Source: keras.callbacks.CallbackList.
    """

    def __init__(self, callbacks: Any = None, add_history: bool = False, add_progbar: bool = False, model: Any = None,
                 **params: Any) -> None:
        items = _flat(callbacks)
        self.callbacks = [item for item in items if isinstance(item, Callback)]
        found = [item for item in items if isinstance(item, History)]
        self.history = found[0] if found else History()
        self.steps = 0
        self.looks_back = False     # whether the trainer finds the first step whose loss is not finite afterwards
        if flag(add_history, "CallbackList: add_history"):
            self.callbacks.append(Recording(self.history))
            if model is not None:
                model.history = self.history
        if flag(add_progbar, "CallbackList: add_progbar"):
            self.callbacks.append(Drawing())
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def set_model(self, model: Any) -> None:
        self.model = model
        self.history.set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        self.history.set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def _with(self, *hooks: str) -> list[Callback]:
        """The callbacks that have one of these hooks."""
        return [callback for callback in self.callbacks
                if any(getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
                       for hook in hooks)]

    def _wants(self, *hooks: str) -> bool:
        return bool(self._with(*hooks))

    @property
    def together(self) -> int:
        """How many steps run between two calls of the hooks on batches, as compile(steps_per_execution=…) says."""
        return getattr(getattr(self, "model", None), "steps_per_execution", 1)

    @property
    def strides(self) -> list[int]:
        """Those of the callbacks with a hook on training steps."""
        watchers = self.watchers if self.looks_back else []
        return [callback.stride for callback in self._with(*TRAIN_BATCHES) if callback.stride
                and callback not in watchers]

    @property
    def watchers(self) -> list[Callback]:
        """Those that want to hear of a step only if its loss is not finite: their on_train_batch_end says so by an
        attribute `only_bad`. It need not be asked at every step where the step can be found afterwards."""
        others = self._with(*(hook for hook in TRAIN_BATCHES if hook != "on_train_batch_end"))
        return [callback for callback in self.callbacks if callback not in others
                and getattr(callback.on_train_batch_end, "only_bad", False)]

    def on_bad_loss(self, batch: int, logs: Callable[[], Mapping[str, Any]]) -> None:
        """The first step of the fit whose loss is not finite, where the trainer has looked back for it."""
        for callback in self.watchers:
            callback.on_train_batch_end(batch, logs=dict(logs()))

    @property
    def wants_batches(self) -> bool:
        """Whether a callback has a hook on training steps."""
        return bool(self.strides)

    @property
    def room(self) -> int:
        """How many training steps may run before a hook must be called; sys.maxsize where there is none."""
        if self.together > 1:
            return self.together
        return min((stride - self.steps % stride for stride in self.strides), default=sys.maxsize)

    @property
    def wants_test_batches(self) -> bool:
        """Whether a callback has a hook on batches of evaluate and validation."""
        return self._wants("on_test_batch_begin", "on_test_batch_end")

    @property
    def wants_predict_batches(self) -> bool:
        """Whether a callback has a hook on batches of predict."""
        return self._wants("on_predict_batch_begin", "on_predict_batch_end")

    @property
    def wants_epochs(self) -> bool:
        """Whether a callback has a hook on epochs."""
        return self._wants("on_epoch_begin", "on_epoch_end")

    @property
    def wants_tests(self) -> bool:
        """Whether a callback has a hook on the begin or end of evaluate and validation."""
        return self._wants("on_test_begin", "on_test_end")

    def _all(self, hook: str, logs: Logs) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, hook)(logs)

    def _epoch(self, hook: str, epoch: int, logs: Logs) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, hook)(epoch, logs)

    def _batch(self, hook: str, batch: int, logs: Logs) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, hook)(batch, logs=logs)

    def on_train_begin(self, logs: Logs = None) -> None:
        self.steps = 0
        self._all("on_train_begin", logs)

    def _resume(self, run: Any) -> None:
        """After on_train_begin: let a fit that was stopped go on, where a callback has kept one."""
        for callback in self.callbacks:
            callback._resume(run)

    def _keep(self, run: Any, middle: bool) -> None:
        """After all hooks of a step (middle of an epoch) or of an epoch: let callbacks keep the whole fit."""
        for callback in self.callbacks:
            callback._keep(run, middle)

    def _ended(self, run: Any) -> None:
        """After the last epoch, and after keep."""
        for callback in self.callbacks:
            callback._ended(run)

    def on_train_end(self, logs: Logs = None) -> None:
        self._all("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._epoch("on_epoch_end", epoch, logs)

    def _stepped(self, hook: str, batch: int, logs: Logs | Callable[[], Mapping[str, Any]], steps: range) -> None:
        """Call those whose stride comes out even at one of these steps."""
        watchers = self.watchers if self.looks_back else []
        due = [callback for callback in self.callbacks if steps and callback.stride and -(-steps[0] // callback.stride)
               <= steps[-1] // callback.stride and callback not in watchers]
        if due:
            logs = dict(logs()) if callable(logs) else {} if logs is None else logs
        for callback in due:
            getattr(callback, hook)(batch, logs=logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._stepped("on_train_batch_begin", batch, logs, range(self.steps, self.steps + self.together))

    def on_train_batch_end(self, batch: int, logs: Logs | Callable[[], Mapping[str, Any]] = None,
                           steps: int = 1) -> None:
        """So many training steps have ended; logs may be a function, which is called where somebody listens."""
        self.steps += steps
        self._stepped("on_train_batch_end", batch, logs, range(self.steps - steps + 1, self.steps + 1))

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.on_train_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._all("on_test_begin", logs)

    def on_test_end(self, logs: Logs = None) -> None:
        self._all("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._all("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._all("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_predict_batch_end", batch, logs)


def _flat(callbacks: Any) -> list[Callback | History]:
    """The callbacks in a list of lists, in order."""
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        own = (Recording, Drawing)      # fit has these itself
        return [callbacks.history, *(item for item in callbacks.callbacks if not isinstance(item, own))]
    if isinstance(callbacks, (list, tuple)):
        return [member for item in callbacks for member in _flat(item)]
    if isinstance(callbacks, (Callback, History)):
        return [callbacks]
    what = shown(callbacks)
    if isinstance(callbacks, type) and issubclass(callbacks, (Callback, History)):
        hint = f"make one: {callbacks.__name__}(…)."
    elif callable(callbacks):
        hint = "wrap a function: LambdaCallback(on_epoch_end=function)."
    else:
        hint = "derive its class from fastnn.callbacks.Callback."
    raise TypeError(f"callbacks: got {what}; needs Callback objects.\nTo mend it, {hint}")


Heard = Callback | History
Callbacks = Heard | Sequence[Heard | Sequence[Heard]] | None        # as users pass them
