"""Code that fit, evaluate and predict call at set moments. Floor 5; names and moments are those of keras.callbacks."""

from fastnn.callbacks.base import (
    Callback,
    CallbackList,
    LambdaCallback,
)
from fastnn.callbacks.stopping import (
    EarlyStopping,
    MonitorCallback,
    TerminateOnNaN,
)
from fastnn.reporting.history import History

__all__ = [
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "MonitorCallback",
    "TerminateOnNaN",
]
