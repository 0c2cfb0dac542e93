"""Chapter 12: a recurrent network that writes. It reads first names letter by letter and says which letter comes next.

To write a name it reads its own letters: each is drawn from what the network holds likely, until it draws the end. The
lower the temperature, the more it keeps to what is likely. It never saw most of the names that it writes.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import datasets
from fastnn.examples._lesson import lesson, run
from fastnn.layers import LSTM, Dense, Embedding, Input
from fastnn.losses import SparseCategoricalCrossentropy
from fastnn.models import Sequential
from fastnn.preprocessing.sequence import pad_sequences

END, FIRST = 1, 2       # 0 is padding; END is what a name begins and ends with; then come the letters
NUMBERS = FIRST + 26
LONGEST = 12            # letters, and the end


class Result(NamedTuple):
    """The model, its history, what a guess costs that knows how often letters are, or which follow which (both in nats
    a letter, on the names kept apart), seconds of training, and the names that it was trained on."""
    model: Any
    history: Any
    frequency: float
    pairs: float
    seconds: float
    known: set[str]


def numbers(name: str) -> list[int]:
    """The end, the letters, the end: 'ab' → [1, 2, 3, 1]."""
    return [END, *(FIRST + ord(letter) - ord("a") for letter in name), END]


def letters(ids: Sequence[int]) -> str:
    """The letters before the next end: [1, 2, 3, 1, …] → 'ab'."""
    text = "".join(chr(ord("a") + i - FIRST) if i >= FIRST else "." for i in ids[1:])
    return text.split(".")[0]


def pairs_of(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """x (n, 12): the end and the letters; y (n, 12): for each the one that comes next. Padded with 0."""
    rows = [numbers(name) for name in names]
    return (pad_sequences([row[:-1] for row in rows], LONGEST, padding="post"),
            pad_sequences([row[1:] for row in rows], LONGEST, padding="post"))


def guesses(train: np.ndarray, follow: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Mean -ln p of the letters y that come after x, by how often they come in the training data at all, and after the
    one before them."""
    counts = np.full((NUMBERS, NUMBERS), 0.1)
    np.add.at(counts, (train[train > 0], follow[train > 0]), 1)
    alone, after = counts.sum(axis=0) / counts.sum(), counts / counts.sum(axis=1, keepdims=True)
    return float(-np.log(alone[y[x > 0]]).mean()), float(-np.log(after[x[x > 0], y[x > 0]]).mean())


def parts(seed: int) -> tuple[list[str], list[str]]:
    """(nine tenths of the names, to learn from; the others), drawn by the seed."""
    names = datasets.names.load_data()
    order = np.random.default_rng(seed).permutation(len(names))
    kept, apart = ([names[i] for i in part] for part in np.split(order, [len(names) * 9 // 10]))
    return kept, apart


def train(epochs: int = 20, seed: int = 42, verbose: Any = 0) -> Result:
    """Train on nine tenths of the names."""
    kept, apart = parts(seed)
    (x, y), (x_test, y_test) = pairs_of(kept), pairs_of(apart)
    fastnn.random.set_seed(seed)
    model = Sequential([Input((LONGEST,), dtype="int32"), Embedding(NUMBERS, 24, mask_zero=True),
                        LSTM(96, return_sequences=True), Dense(NUMBERS)])
    model.compile("adam", SparseCategoricalCrossentropy(from_logits=True))
    begin = time.perf_counter()
    history = model.fit(x, y, epochs=epochs, batch_size=32, validation_data=(x_test, y_test), verbose=verbose)
    seconds = time.perf_counter() - begin
    return Result(model, history, *guesses(x, y, x_test, y_test), seconds, set(kept))


def write(model: Any, count: int, temperature: float, seed: int, begin: str = "") -> list[str]:
    """Names that the model writes, all of them beginning with these letters."""
    rows = model.generate([numbers(begin)[:-1]] * count, LONGEST - len(begin), temperature, seed=seed, stop=END)
    return [letters(row) for row in rows]


def print_written(model: Any, known: set[str], seed: int) -> None:
    """What it writes, the bolder the later, and how much of that it has not read."""
    for temperature in (0.3, 0.7, 1.0):
        written = write(model, 200, temperature, seed)
        fresh = [name for name in dict.fromkeys(written) if name not in known]
        print(f"temperature {temperature}: {len(set(written))} of 200 differ, {len(fresh)} of them new: "
              f"{', '.join(fresh[:9])}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("names", __doc__, epochs=20).parse_args(argv)
    result = train(options.epochs, options.seed)
    loss = result.history.history["val_loss"][-1]
    print(f"{options.epochs} epochs in {result.seconds:.1f} s. Nats a letter on names it has not seen: {loss:.2f}; by "
          f"the letter before alone {result.pairs:.2f}, by frequency {result.frequency:.2f}.")
    print_written(result.model, result.known, options.seed)
    print(f"beginning with 'jo': {', '.join(dict.fromkeys(write(result.model, 12, 0.7, options.seed, 'jo')))}")
    if options.plot:
        draw(result, options.plot)
        print(f"How it learned, and what it expects: {options.plot}")
    return 0


def draw(result: Result, path: str) -> None:
    """The loss by epoch beside the two guesses, and what comes after three beginnings."""
    from fastnn.plotting._figure import BLUE, ORANGE, VERMILION, new_figure, saved, style
    figure = new_figure(11.5, 4.2)
    curve, *bars = figure.subplots(1, 4, width_ratios=(3, 1, 1, 1))
    losses = result.history.history["val_loss"]
    curve.plot(np.arange(1, len(losses) + 1), losses, color=BLUE, label="the network")
    curve.axhline(result.pairs, color=ORANGE, label="the letter before")
    curve.axhline(result.frequency, color=VERMILION, label="how often letters are")
    style(curve, "It remembers more than the last letter", "epoch", "nats a letter, unseen names")
    curve.legend(frameon=False)
    for ax, begin in zip(bars, ("j", "jo", "jos")):
        logits = np.asarray(result.model(np.array([numbers(begin)[:-1]], np.int32)))[0, -1].astype(np.float64)
        p = np.exp(logits - logits.max())
        p /= p.sum()
        best = np.argsort(-p)[:7]
        ax.barh(["end" if i == END else chr(ord("a") + i - FIRST) for i in best], p[best], color=BLUE)
        style(ax, f"after '{begin}'", "probability", "")
        ax.invert_yaxis()
    saved(figure, path)


if __name__ == "__main__":
    sys.exit(run(main))
