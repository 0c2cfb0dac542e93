"""Chapter 12: a translation with attention. People write dates in many ways; a network writes each as 1998-03-14.

An encoder reads the date in both directions. A decoder writes the answer sign by sign, and before each one it looks at
the signs of the question: attention says at which, and how much (Bahdanau et al. 2015). In training it reads the right
answer so far; to translate, its own. The figure shows where it looks as it writes.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn.examples._lesson import lesson, run
from fastnn.layers import GRU, AdditiveAttention, Bidirectional, Concatenate, Dense, Embedding, Input
from fastnn.losses import SparseCategoricalCrossentropy
from fastnn.models import Model
from fastnn.preprocessing.sequence import pad_sequences

MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december"]
SIGNS = " abcdefghijklmnopqrstuvwxyz0123456789-/.,"       # 0 is padding, and the begin of an answer
LONGEST, ANSWER = 24, len("1998-03-14")
COUNT = 10_000


class Result(NamedTuple):
    """The model, the one that gives its attention too, the share of 1,000 unseen dates that it gets right, and seconds
    of training."""
    model: Any
    attention: Any
    right: float
    seconds: float


def dates(count: int, seed: int) -> tuple[list[str], list[str]]:
    """(dates as people write them, the same as 1998-03-14)."""
    rng = np.random.default_rng(seed)
    written, plain = [], []
    for _ in range(count):
        year, month, day = int(rng.integers(1900, 2050)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
        name = MONTHS[month - 1]
        short, ending = name[:3], {1: "st", 2: "nd", 3: "rd"}.get(day % 10 if day // 10 != 1 else 0, "th")
        written.append(str(rng.choice([
            f"{day} {name} {year}", f"{name} {day}, {year}", f"{short} {day}{ending}, {year}", f"{day}. {short} {year}",
            f"the {day}{ending} of {name} {year}", f"{month}/{day}/{year}", f"{year}, {name} {day}"])))
        plain.append(f"{year}-{month:02}-{day:02}")
    return written, plain


def numbers(texts: Sequence[str], width: int) -> np.ndarray:
    """(n, width) numbers of the signs, 0 behind them. A blank has the last number, as 0 is padding."""
    rows = [[SIGNS.index(sign) or len(SIGNS) for sign in text] for text in texts]
    return pad_sequences(rows, width, padding="post")


def begun(answers: np.ndarray) -> np.ndarray:
    """The answers one place to the right: what the decoder has read before it writes each sign."""
    return np.pad(answers[:, :-1], ((0, 0), (1, 0)))


def networks() -> tuple[Any, Any]:
    """(question and answer so far → scores of the next signs, the same → attention) over the same layers."""
    question, so_far = Input((LONGEST,), dtype="int32"), Input((ANSWER,), dtype="int32")
    read = Bidirectional(GRU(32, return_sequences=True))(Embedding(len(SIGNS) + 1, 24, mask_zero=True)(question))
    wrote = GRU(64, return_sequences=True)(Embedding(len(SIGNS) + 1, 24)(so_far))
    found, where = AdditiveAttention()([wrote, read], return_attention_scores=True)
    scores = Dense(len(SIGNS) + 1)(Dense(64, activation="tanh")(Concatenate()([wrote, found])))
    return Model([question, so_far], scores), Model([question, so_far], where)


def translate(model: Any, texts: Sequence[str]) -> list[str]:
    """Sign after sign, each from those written before it."""
    question, answer = numbers(texts, LONGEST), np.zeros((len(texts), ANSWER), np.int32)
    for i in range(ANSWER):
        answer[:, i] = model.predict([question, begun(answer)], batch_size=500, verbose=0)[:, i].argmax(axis=-1)
    return ["".join(SIGNS[j % len(SIGNS)] for j in row) for row in answer]


def train(epochs: int = 6, seed: int = 42, verbose: Any = 0) -> Result:
    """Train on made-up dates, judge on others."""
    (written, plain), (unseen, truth) = dates(COUNT, seed), dates(1000, seed + 1)
    answers = numbers(plain, ANSWER)
    fastnn.random.set_seed(seed)
    model, attention = networks()
    model.compile(fastnn.optimizers.Adam(0.004), SparseCategoricalCrossentropy(from_logits=True))
    begin = time.perf_counter()
    model.fit([numbers(written, LONGEST), begun(answers)], answers, epochs=epochs, batch_size=64, verbose=verbose)
    seconds = time.perf_counter() - begin
    right = np.mean([a == b for a, b in zip(translate(model, unseen), truth)])
    return Result(model, attention, float(right), seconds)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("dates", __doc__, epochs=6).parse_args(argv)
    result = train(options.epochs, options.seed)
    print(f"{options.epochs} epochs in {result.seconds:.1f} s. {100 * result.right:.1f} % of 1,000 dates that it has "
          "not seen are right.")
    texts = ["14 march 1998", "the 3rd of october 2031", "7/28/1969", "1912, april 15"]
    for text, answer in zip(texts, translate(result.model, texts)):
        print(f"  {text:<26} {answer}")
    if options.plot:
        draw(result, options.plot)
        print(f"Where it looks: {options.plot}")
    return 0


def draw(result: Result, path: str) -> None:
    """For two dates: rows are the signs written, columns those of the question."""
    from fastnn.plotting._figure import new_figure, saved
    texts = ["the 3rd of october 2031", "march 14, 1998"]
    answers = translate(result.model, texts)
    where = result.attention.predict([numbers(texts, LONGEST), begun(numbers(answers, ANSWER))], verbose=0)
    figure = new_figure(11, 4.6)
    for ax, text, answer, scores in zip(figure.subplots(1, 2), texts, answers, where):
        ax.imshow(scores[:, :len(text)], cmap="Blues", vmin=0, vmax=1, aspect="auto")
        ax.set(xticks=range(len(text)), xticklabels=text, yticks=range(ANSWER), yticklabels=answer, xlabel="looks at",
               ylabel="writes")
    figure.suptitle("It finds the year at the end, and the month by its letters")
    saved(figure, path)


if __name__ == "__main__":
    sys.exit(run(main))
