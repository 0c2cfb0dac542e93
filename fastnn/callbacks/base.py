"""Callback and LambdaCallback. Floor 5; imports the error helpers and how objects are written down."""

import contextlib
from collections.abc import Callable
from typing import Any

from fastnn.arguments import whole
from fastnn.configuration import Configurable, parameters
from fastnn.errors import nearest, shown
from fastnn.serialization import plain, revived

Logs = dict[str, Any] | None


class Callback(Configurable):
    """Base of all callbacks: override the hooks you need.

    `model` and `params` (verbose, epochs, steps, …) are set before the first hook. `logs` holds the loss and the
    metrics so far, by the names they have in History; hooks may set `self.model.stop_training = True`.

    A hook on training batches makes fit come back to Python after every step; without one, C runs many steps at a time.
    `stride` = n, of the class or the object, asks for every n-th step of the fit only: on_train_batch_begin comes
    before the first and on_train_batch_end after the last of each n steps, between them no Python runs. 0: never.

    >>> class Shout(Callback):
    ...     stride = 1000
    ...     def on_train_batch_end(self, batch, logs=None): print(logs["loss"])
    """
    model: Any = None
    params: dict[str, Any] | None = None
    stride = 1

    def set_model(self, model: Any) -> None:
        """Called once with the model, before anything else."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called once with how fit, evaluate or predict was called."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """What it has gathered in this fit: its attributes but its constructor's arguments. BackupAndRestore keeps
        those of them that are numbers, texts, arrays, or lists and dicts of them, and that have changed since
        on_train_begin: what was computed from the arguments is that of the new ones in a resumed fit."""
        settings = {"model", "params", "_given"}
        with contextlib.suppress(TypeError):
            settings |= parameters(type(self)).keys()  # type: ignore[arg-type]
        return {name: value for name, value in vars(self).items() if name not in settings}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with a get_state(); called after on_train_begin where a fit is resumed."""
        vars(self).update(state)

    def _resume(self, run: Any) -> None:
        """After the on_train_begin of all callbacks: a fit that was kept may be put back; run: training.loop.Run."""

    def _keep(self, run: Any, middle: bool) -> None:
        """After the hooks of all callbacks on a step, or (middle=False) on an epoch: the whole fit may be kept."""

    def _ended(self, run: Any) -> None:
        """After the last epoch, when the fit has been kept: before the optimizer's averages become the weights."""

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


class LambdaCallback(Callback):
    """A callback made of functions: LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"])).

    Any hook of Callback may be given, by its name, and other functions, which become its methods; TypeError for a hook
    that there is not and for what cannot be called. Epoch hooks get (epoch, logs), batch hooks (batch, logs=logs), the
    others (logs). stride: how many steps lie between two calls of the hooks on training batches.
    """

    def __init__(self, on_epoch_begin: Callable[..., Any] | None = None, on_epoch_end: Callable[..., Any] | None = None,
                 on_train_begin: Callable[..., Any] | None = None, on_train_end: Callable[..., Any] | None = None,
                 on_train_batch_begin: Callable[..., Any] | None = None,
                 on_train_batch_end: Callable[..., Any] | None = None, *, stride: int = 1,
                 **functions: Callable[..., Any] | None) -> None:
        functions.update(on_epoch_begin=on_epoch_begin, on_epoch_end=on_epoch_end, on_train_begin=on_train_begin,
                         on_train_end=on_train_end, on_train_batch_begin=on_train_batch_begin,
                         on_train_batch_end=on_train_batch_end)
        self.stride = whole(stride, "LambdaCallback: stride")
        self.functions = {name: function for name, function in functions.items() if function is not None}
        for name, function in functions.items():
            if name not in HOOKS and (name.startswith("on_") or hasattr(Callback, name)):
                raise TypeError(f"LambdaCallback: {shown(name)} is no hook; {nearest(name, HOOKS)}")
            if function is not None and not callable(function):
                raise TypeError(f"LambdaCallback: {name} is {shown(function)}; needs a function.")
        vars(self).update(self.functions)

    def get_config(self) -> dict[str, Any]:
        """The functions, by name where they are registered; ValueError where they have none."""
        return {"stride": self.stride, **{name: plain(function, f"LambdaCallback: {name}")
                                          for name, function in self.functions.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The callback of a get_config()."""
        return cls(**revived(config))

    def __repr__(self) -> str:
        return f"LambdaCallback({', '.join(self.functions)})"
