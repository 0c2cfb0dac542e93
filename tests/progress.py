"""A terminal to print on, a clock to turn, and a run that is told to both."""

import io
import re

BAR = "━" * 20


class Terminal(io.StringIO):
    """A stream that can redraw."""

    def isatty(self):
        return True


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def plain(text):
    """Without colours, and without what clears the rest of a line."""
    return re.sub(r"\x1b\[(\d+m|K)", "", text)


def run(progress, clock, epochs, steps=18, seconds=0.036):
    for epoch in range(epochs):
        progress.epoch_begin(epoch)
        for step in range(1, steps + 1):
            clock.now += seconds / steps
            progress.update(step, {"loss": 0.5})
        progress.epoch_end(steps, {"loss": 0.3123, "accuracy": 0.9123}, seconds)
    progress.close()
