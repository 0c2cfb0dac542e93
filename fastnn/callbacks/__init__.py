"""Code that fit, evaluate and predict call at set moments. Floor 5; names and moments are those of keras.callbacks."""

from fastnn.callbacks.base import (
    Callback,
    LambdaCallback,
)
from fastnn.callbacks.checkpoint import (
    BackupAndRestore,
    ModelCheckpoint,
)
from fastnn.callbacks.diagnostics import (
    Diagnostics,
)
from fastnn.callbacks.list import (
    CallbackList,
)
from fastnn.callbacks.logging import (
    CSVLogger,
    ProgbarLogger,
    RemoteMonitor,
)
from fastnn.callbacks.monitor import (
    MonitorCallback,
)
from fastnn.callbacks.rates import (
    LearningRateScheduler,
    ReduceLROnPlateau,
    SwapEMAWeights,
)
from fastnn.callbacks.stopping import (
    EarlyStopping,
    TerminateOnNaN,
)
from fastnn.callbacks.tensorboard import (
    TensorBoard,
)
from fastnn.reporting.history import History

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "Diagnostics",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "MonitorCallback",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
