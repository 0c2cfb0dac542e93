"""Chapter 12: from one sequence to another. A network reads "535+61", sign by sign, and writes "596".

Nobody tells it what digits are worth: it sees forty thousand sums and their results as rows of signs, and so few sums
of two single digits (there are a hundred) that it gets many of those wrong. One recurrent layer reads the whole
question into its state; a second one writes the answer from that. The question is read backwards, the units first, as
sums are done on paper (Sutskever et al. 2014 found that it helps).
"""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn.examples._lesson import lesson, run
from fastnn.layers import LSTM, Dense, Embedding, Input, RepeatVector
from fastnn.losses import SparseCategoricalCrossentropy
from fastnn.models import Sequential
from fastnn.optimizers import Adam
from fastnn.optimizers.schedules import CosineDecay

SIGNS = "0123456789+ "
QUESTION, ANSWER = len("999+999"), len("1998")
BATCH, COUNT = 128, 45_000


class Result(NamedTuple):
    """The model, its history, what share of 5,000 sums that it has not seen it answers right, the same by the digits of
    the two numbers {(1, 3): share}, and seconds of training."""
    model: Any
    history: Any
    right: float
    by_digits: dict[tuple[int, int], float]
    seconds: float


def sums(count: int, seed: int) -> np.ndarray:
    """(count, 2) pairs of numbers of one to three digits, each once."""
    draws = np.random.default_rng(seed)
    pairs = (draws.random((4 * count, 2)) * 10 ** draws.integers(1, 4, (4 * count, 2))).astype(int)
    return draws.permutation(np.unique(pairs, axis=0))[:count]


def signs(texts: Sequence[str], width: int) -> np.ndarray:
    """(n, width) numbers of the signs, blanks at the end."""
    return np.array([[SIGNS.index(sign) for sign in text.ljust(width)] for text in texts], np.int32)


def questions(pairs: np.ndarray) -> np.ndarray:
    """(n, 7): "535+61" read backwards."""
    return signs([f"{a}+{b}".ljust(QUESTION)[::-1] for a, b in pairs], QUESTION)


def answers(pairs: np.ndarray) -> np.ndarray:
    """(n, 4): "596"."""
    return signs([str(a + b) for a, b in pairs], ANSWER)


def answer(model: Any, pairs: np.ndarray) -> np.ndarray:
    """(n, 4): what the model writes."""
    return np.asarray(model.predict(questions(pairs), batch_size=500, verbose=0)).argmax(axis=-1)


def train(epochs: int = 16, seed: int = 42, verbose: Any = 0) -> Result:
    """Train on eight ninths of the sums."""
    pairs = sums(COUNT, seed)
    apart, kept = pairs[:COUNT // 9], pairs[COUNT // 9:]
    fastnn.random.set_seed(seed)
    model = Sequential([Input((QUESTION,), dtype="int32"), Embedding(len(SIGNS), 16), LSTM(128), RepeatVector(ANSWER),
                        LSTM(128, return_sequences=True), Dense(len(SIGNS))])
    steps = epochs * -(-len(kept) // BATCH)
    model.compile(Adam(CosineDecay(0.004, steps, alpha=0.01)), SparseCategoricalCrossentropy(from_logits=True))
    begin = time.perf_counter()
    history = model.fit(questions(kept), answers(kept), epochs=epochs, batch_size=BATCH, verbose=verbose)
    seconds = time.perf_counter() - begin
    right = (answer(model, apart) == answers(apart)).all(axis=1)
    digits = np.array([[len(str(n)) for n in pair] for pair in apart])
    by_digits = {(i, j): float(right[(digits == (i, j)).all(axis=1)].mean()) for i in (1, 2, 3) for j in (1, 2, 3)
                 if (digits == (i, j)).all(axis=1).any()}
    return Result(model, history, float(right.mean()), by_digits, seconds)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("addition", __doc__, epochs=16).parse_args(argv)
    result = train(options.epochs, options.seed)
    print(f"{options.epochs} epochs in {result.seconds:.1f} s. {100 * result.right:.1f} % of 5,000 sums that it has "
          "not seen are right.")
    pairs = np.array([[535, 61], [999, 1], [7, 8], [480, 519]])
    for (a, b), row in zip(pairs, answer(result.model, pairs)):
        print(f"  {a}+{b} = {''.join(SIGNS[i] for i in row)}")
    if options.plot:
        draw(result, options.plot)
        print(f"How it learned to carry: {options.plot}")
    return 0


def draw(result: Result, path: str) -> None:
    """The loss by epoch, and the share of right answers by digits."""
    from fastnn.plotting._figure import BLUE, new_figure, saved, style
    figure = new_figure(10.5, 4.2)
    curve, table = figure.subplots(1, 2)
    losses = result.history.history["loss"]
    curve.semilogy(np.arange(1, len(losses) + 1), losses, color=BLUE)
    style(curve, "It takes some epochs to find the trick", "epoch", "loss")
    shares = np.array([[result.by_digits.get((i, j), np.nan) for j in (1, 2, 3)] for i in (1, 2, 3)])
    table.imshow(shares, cmap="Blues", vmin=0.5, vmax=1.2)
    for (i, j), share in np.ndenumerate(shares):
        table.text(j, i, f"{100 * share:.1f} %", ha="center", va="center")
    table.set(xticks=range(3), yticks=range(3), xticklabels=("1", "2", "3"), yticklabels=("1", "2", "3"),
              title="Right answers to unseen sums", xlabel="digits of the second number",
              ylabel="digits of the first number")
    saved(figure, path)


if __name__ == "__main__":
    sys.exit(run(main))
