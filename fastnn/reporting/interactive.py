"""Whether what fit prints goes to the screen or to Python's logging: keras.utils.disable_interactive_logging. Floor 4.
"""

import logging

from fastnn.reporting.terminal import Plain, Text

__all__ = ["disable_interactive_logging", "enable_interactive_logging", "is_interactive_logging_enabled"]

_interactive = True
_log = logging.getLogger("fastnn")


def enable_interactive_logging() -> None:
    """Progress and summaries are printed, as they are from the beginning."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Progress and summaries go to the logger "fastnn" of Python's logging, level INFO, a line an epoch: for servers.

    logging.basicConfig(level="INFO", filename="training.log")
    utils.disable_interactive_logging()
    model.fit(x, y, epochs=10)
    """
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress is printed; else it is logged."""
    return _interactive


def log(line: str) -> None:
    """Log a line."""
    _log.info(line)


class Log(Plain):
    """Finished lines, logged."""

    def __init__(self) -> None:
        super().__init__(None)

    def line(self, text: Text) -> None:
        """Log a text."""
        log("".join(piece for piece, _ in text))
