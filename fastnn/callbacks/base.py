"""Callback, the list that calls them, and LambdaCallback. Floor 5; imports training.history and the error helpers."""

from collections.abc import Callable
from typing import Any

from fastnn.errors import nearest, shown
from fastnn.reporting.history import History

Logs = dict[str, Any] | None


class Callback:
    """Base of all callbacks: override the hooks you need.

    `model` and `params` (verbose, epochs, steps, …) are set before the first hook. `logs` holds the loss and the
    metrics so far, by the names they have in History; hooks may set `self.model.stop_training = True`. A hook on
    batches makes fit come back to Python after every step; without one, C runs many steps at a time.
    """
    model: Any = None
    params: dict[str, Any] | None = None

    def set_model(self, model: Any) -> None:
        """Called once with the model, before anything else."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called once with how fit, evaluate or predict was called."""
        self.params = params

    def on_train_begin(self, logs: Logs = None) -> None:
        """fit begins."""

    def on_train_end(self, logs: Logs = None) -> None:
        """fit ends; logs are those of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """An epoch of fit begins; epoch counts from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """An epoch of fit has ended, validation included."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """A training step begins; batch counts from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """A training step has ended; logs are running means of this epoch."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Older name of on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Older name of on_train_batch_end."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """evaluate, or the validation inside fit, begins."""

    def on_test_end(self, logs: Logs = None) -> None:
        """evaluate, or the validation inside fit, has ended."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """A batch of evaluate or of validation begins."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """A batch of evaluate or of validation has ended."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """predict begins."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """predict has ended."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """A batch of predict begins."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """A batch of predict has ended; logs["outputs"] holds its predictions."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class CallbackList(Callback):
    """Calls every callback in order. `history` is the History of the run, given, found among the callbacks, or new.

    callbacks: one, or a list (of lists) of them; TypeError for anything else. The `wants_…` properties say what the
    trainer must come back to Python for. Source: keras.callbacks.CallbackList.
    """

    def __init__(self, callbacks: Any = None, model: Any = None, params: dict[str, Any] | None = None,
                 history: History | None = None) -> None:
        items = _flat(callbacks)
        self.callbacks = [item for item in items if isinstance(item, Callback)]
        found = [item for item in items if isinstance(item, History)]
        self.history = history or (found[0] if found else History())
        if model is not None:
            self.set_model(model)
        if params is not None:
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

    def _wants(self, *hooks: str) -> bool:
        return any(getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
                   for callback in self.callbacks for hook in hooks)

    @property
    def wants_batches(self) -> bool:
        """Whether a callback has a hook on training steps."""
        return self._wants("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")

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
        self._all("on_train_begin", logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._all("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._epoch("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_train_batch_end", batch, logs)

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
        return [callbacks.history, *callbacks.callbacks]
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


class LambdaCallback(Callback):
    """A callback made of functions: LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"])).

    Any hook of Callback may be given, by its name; TypeError for other names and for what cannot be called.
    Epoch hooks get (epoch, logs), batch hooks (batch, logs=logs), the others (logs).
    """

    def __init__(self, on_epoch_begin: Callable[..., Any] | None = None, on_epoch_end: Callable[..., Any] | None = None,
                 on_train_begin: Callable[..., Any] | None = None, on_train_end: Callable[..., Any] | None = None,
                 on_train_batch_begin: Callable[..., Any] | None = None,
                 on_train_batch_end: Callable[..., Any] | None = None, **hooks: Callable[..., Any] | None) -> None:
        hooks.update(on_epoch_begin=on_epoch_begin, on_epoch_end=on_epoch_end, on_train_begin=on_train_begin,
                     on_train_end=on_train_end, on_train_batch_begin=on_train_batch_begin,
                     on_train_batch_end=on_train_batch_end)
        for name, function in hooks.items():
            if name not in HOOKS:
                raise TypeError(f"LambdaCallback: {shown(name)} is no hook; {nearest(name, HOOKS)}")
            if function is not None:
                if not callable(function):
                    raise TypeError(f"LambdaCallback: {name} is {shown(function)}; needs a function.")
                setattr(self, name, function)
