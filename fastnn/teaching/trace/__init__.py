"""One training step written out as on a board: walked call by call, and shown with all its numbers. Floor 5."""

from fastnn.teaching.trace.step import (
    Trace,
    trace,
)

__all__ = [
    "Trace",
    "trace",
]
