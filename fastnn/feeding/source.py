"""Source: what fit, evaluate and predict read, pass after pass, batch after batch. Floor 4.

Arrays and Batches are its two kinds; the loops of training know the base only.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnn.feeding.feed import Feed
from fastnn.feeding.model import TrainedModel


class Source:
    """Data as steps read them: `begin` a pass; `feed` says what the next steps run on; `took` counts those that ran.

    mode: "train", "validation", "evaluate" or "predict". total: the steps of a pass at most, None where nobody knows.
    at_hand: whether all data are there, so that C may run any number of steps and passes without Python between them.
    batch: the rows of a batch, 32 where every batch may have its own. done: the steps of this pass so far.
    """
    done = 0
    total: int | None
    at_hand = False
    batch = 32

    def __init__(self, model: TrainedModel, mode: str) -> None:
        self.model, self.mode = model, mode

    def begin(self) -> None:
        """A pass begins."""
        raise NotImplementedError

    def feed(self) -> tuple[Feed, int, int] | None:
        """(feed, rows of a batch, how many such batches it has), or None at the end of the pass. May wait for data."""
        raise NotImplementedError

    def took(self, count: int) -> None:
        """So many of these batches went through the model."""
        raise NotImplementedError

    @property
    def finished(self) -> bool:
        """Whether the pass has no more batches. May wait for the next."""
        raise NotImplementedError

    @property
    def full(self) -> bool:
        """Whether the batches kept since `mark` are as many as memory should hold."""
        return False

    def mark(self) -> None:
        """The steps from here on may be wanted `again`."""

    def again(self, steps: int) -> Iterator[tuple[Feed, int]]:
        """(feed, rows) of the first steps since `mark`, each feed being ready. The state must be that of `mark`."""
        raise NotImplementedError

    def reading(self) -> tuple[Feed, bool, list[tuple[int, int]]]:
        """Where data are at hand: (feed, whether it is shuffled, [(rows, how many such batches)] of a pass)."""
        raise NotImplementedError

    def outputs(self) -> list[np.ndarray]:
        """What predict stored in this pass: one array per output of the model."""
        raise NotImplementedError

    def latest(self, steps: int) -> list[np.ndarray]:
        """The rows that the last steps stored, one array per output of the model."""
        raise NotImplementedError

    def again_as(self, mode: str) -> "Source":
        """Another source of the same data, in order. ValueError where they can be read once only."""
        raise NotImplementedError

    def position(self) -> dict[str, Any]:
        """Where the reading is between two steps, as plain data: what `resume` goes on from."""
        raise NotImplementedError

    def resume(self, position: dict[str, Any]) -> None:
        """Go on where another source of the same data was."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the data and end all threads; safe to call twice."""
        raise NotImplementedError
