"""Chapter 12: what a review says. A network reads made-up reviews and tells praise from blame.

The words alone do not tell: "not good at all" has a good word in it, and "never boring" a bad one. A network that only
counts words has to guess there; a recurrent one, reading forwards and backwards, knows what "not" stands before.
Reviews have different lengths: padding is masked, so that it does not count as words.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn.examples._lesson import lesson, run
from fastnn.layers import LSTM, Bidirectional, Dense, Embedding, GlobalAveragePooling1D, Input, TextVectorization
from fastnn.models import Sequential
from fastnn.optimizers import Adam

GOOD = ["good", "great", "funny", "clever", "moving", "brilliant", "lovely", "exciting"]
BAD = ["bad", "dull", "boring", "stupid", "weak", "awful", "clumsy", "slow"]
THINGS = ["film", "plot", "story", "cast", "music", "ending", "beginning", "dialogue", "camera", "hero"]
STRONG, TIMES = ["", "", "very", "really", "rather"], ["", "", "today", "in my view", "from the first minute on"]
LONGEST, COUNT = 40, 5000


class Result(NamedTuple):
    """Accuracy on unseen reviews by name of the network, and on those without and with a negation; the recurrent model
    and what makes numbers of texts."""
    accuracy: dict[str, float]
    plain: dict[str, float]
    negated: dict[str, float]
    model: Any
    vectorize: Any


def opinion(rng: np.random.Generator, praise: bool) -> tuple[str, bool]:
    """(one sentence that praises or blames, whether it does so by a negation)."""
    thing, strong, when = rng.choice(THINGS), rng.choice(STRONG), rng.choice(TIMES)
    negated = bool(rng.random() < 0.5)
    word = rng.choice(GOOD if praise != negated else BAD)
    if not negated:
        text = f"the {thing} was {strong} {word} {when}"
    else:
        text = rng.choice([f"the {thing} was not {strong} {word} {when}", f"{when} the {thing} was never {word}",
                           f"nobody can call the {thing} {strong} {word} {when}"])
    return " ".join(text.split()), negated


def reviews(count: int, seed: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """(texts of one to four opinions of one kind, 1 for praise (count, 1), whether a text has a negation (count,))."""
    rng = np.random.default_rng(seed)
    texts, negated = [], []
    praise = rng.random(count) < 0.5
    for liked in praise:
        parts = [opinion(rng, bool(liked)) for _ in range(rng.integers(1, 5))]
        texts.append(". ".join(text for text, _ in parts) + ".")
        negated.append(any(turned for _, turned in parts))
    return texts, praise[:, None].astype(np.float32), np.array(negated)


def train(epochs: int = 10, seed: int = 42, verbose: Any = 0) -> Result:
    """Train a network that counts words and one that reads them, on the same reviews."""
    texts, praise, _ = reviews(COUNT, seed)
    unseen, truth, negated = reviews(2000, seed + 1)
    vectorize = TextVectorization(output_sequence_length=LONGEST)
    vectorize.adapt(texts)
    words = len(vectorize.get_vocabulary())
    x, x_test = np.asarray(vectorize(texts)), np.asarray(vectorize(unseen))
    fastnn.random.set_seed(seed)
    nets: dict[str, list[Any]] = {"counts words": [GlobalAveragePooling1D(), Dense(16, activation="relu")],
                                  "reads both ways": [Bidirectional(LSTM(16))]}
    result = Result({}, {}, {}, None, vectorize)
    for name, inner in nets.items():
        model = Sequential([Input((LONGEST,), dtype="int32"), Embedding(words, 16, mask_zero=True), *inner,
                            Dense(1, activation="sigmoid")])
        model.compile(Adam(0.003), "binary_crossentropy")
        model.fit(x, praise, epochs=epochs, batch_size=32, verbose=verbose)
        right = (model.predict(x_test, batch_size=500, verbose=0) > 0.5) == (truth > 0.5)
        result.accuracy[name] = float(right.mean())
        result.plain[name], result.negated[name] = float(right[~negated].mean()), float(right[negated].mean())
        result = result._replace(model=model)
    return result


def opinion_so_far(result: Result, text: str) -> tuple[list[str], np.ndarray]:
    """(the words, how much it thinks that this is praise after each of them)."""
    words = text.split()
    beginnings = [" ".join(words[:i + 1]) for i in range(len(words))]
    return words, result.model.predict(np.asarray(result.vectorize(beginnings)), verbose=0)[:, 0]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("sentiment", __doc__, epochs=10).parse_args(argv)
    result = train(options.epochs, options.seed)
    print("Right on 2,000 reviews that neither network has seen:")
    for name, share in result.accuracy.items():
        print(f"  {name:<16} {100 * share:.1f} % ({100 * result.plain[name]:.1f} % without a negation, "
              f"{100 * result.negated[name]:.1f} % with one)")
    for text in ("the music was not bad.", "the music was not good.", "nobody can call the hero boring."):
        print(f"  {text:<36} praise: {opinion_so_far(result, text)[1][-1]:.2f}")
    if options.plot:
        draw(result, options.plot)
        print(f"How it changes its mind: {options.plot}")
    return 0


def draw(result: Result, path: str) -> None:
    """Accuracy of both, and what the reading one thinks word by word."""
    from fastnn.plotting._figure import BLUE, ORANGE, new_figure, saved, style
    figure = new_figure(11.5, 4.4)
    bars, line = figure.subplots(1, 2, width_ratios=(1, 2))
    for i, (kind, colour) in enumerate((("plain", BLUE), ("negated", ORANGE))):
        shares = getattr(result, kind)
        bars.bar(np.arange(len(shares)) + 0.35 * (i - 0.5), list(shares.values()), 0.33, color=colour,
                 label="without a negation" if kind == "plain" else "with one")
    bars.set_xticks(range(len(result.plain)), list(result.plain))
    style(bars, "Counting words cannot turn them round", "", "right on unseen reviews")
    bars.set_ylim(0.4, 1.25)
    bars.legend(frameon=False, loc="upper left")
    for row, text in enumerate(("the plot was very good today", "the plot was not very good today",
                                "the plot was never boring", "nobody can call the plot boring")):
        words, praise = opinion_so_far(result, text)
        line.imshow(praise[None], cmap="RdBu", vmin=-0.3, vmax=1.3, aspect="auto",
                    extent=(-0.5, len(words) - 0.5, row + 0.42, row - 0.42))
        for i, word in enumerate(words):
            line.text(i, row, f"{word}\n{praise[i]:.2f}", ha="center", va="center")
    line.set(xlim=(-0.6, 6.6), ylim=(3.6, -0.6), xticks=[], yticks=[], xlabel="read so far",
             title="Praise, word by word: what stands before a word turns it round")
    saved(figure, path)


if __name__ == "__main__":
    sys.exit(run(main))
