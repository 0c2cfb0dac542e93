"""Chapter 12: which word comes next? A recurrent network reads a small story and learns what follows what.

The story was written for this lesson: Mira has a boat, Tom has a shop, the captain has a cat. Some sentences are kept
apart, to see what the network expects in them. A table of the words that follow each word does not know who is meant
after "the captain gives the fish to the"; the network has read the whole sentence. Then it makes some of its own.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn.examples._harbour import TEXT
from fastnn.examples._lesson import lesson, run
from fastnn.layers import LSTM, Dense, Dropout, Embedding, Input, StringLookup
from fastnn.losses import SparseCategoricalCrossentropy
from fastnn.models import Sequential
from fastnn.preprocessing.sequence import pad_sequences


class Result(NamedTuple):
    """The model, its words and numbers, and the shares of words in unseen sentences that it expects first, and that a
    table of what follows what does."""
    model: Any
    lookup: Any
    right: float
    table: float


def sentences() -> list[list[str]]:
    """The sentences as lists of words, the last of each being the full stop, and each once."""
    return [[*text.split(), "."] for text in dict.fromkeys(" ".join(TEXT.split()).split(".")) if text.strip()]


def pairs(lines: Sequence[Sequence[str]], lookup: Any) -> tuple[np.ndarray, np.ndarray]:
    """x (n, longest): a full stop and the words; y: for each the word that comes next. Padded with 0."""
    rows = [np.asarray(lookup([".", *words])).tolist() for words in lines]
    longest = max(map(len, rows)) - 1
    return (pad_sequences([row[:-1] for row in rows], longest, padding="post"),
            pad_sequences([row[1:] for row in rows], longest, padding="post"))


def train(epochs: int = 150, seed: int = 42, verbose: Any = 0) -> Result:
    """Train on six sevenths of the sentences."""
    lines = sentences()
    apart = [i % 7 == 3 for i in range(len(lines))]
    kept, unseen = ([line for line, out in zip(lines, apart) if out == which] for which in (False, True))
    lookup = StringLookup(mask_token="")
    lookup.adapt([word for line in lines for word in line])
    words = len(lookup.get_vocabulary())
    fastnn.random.set_seed(seed)
    model = Sequential([Input((None,), dtype="int32"), Embedding(words, 24, mask_zero=True), Dropout(0.2),
                        LSTM(48, return_sequences=True), Dropout(0.2), Dense(words)])
    model.compile(fastnn.optimizers.Adam(0.005), SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*pairs(kept, lookup), epochs=epochs, batch_size=16, verbose=verbose)
    x, y = pairs(unseen, lookup)
    right = (model.predict(x, verbose=0).argmax(axis=-1) == y)[x > 0].mean()
    follow: dict[str, Counter[str]] = {}
    for line in kept:
        for word, after in zip([".", *line], line):
            follow.setdefault(word, Counter())[after] += 1
    table = np.mean([follow[word].most_common(1)[0][0] == after if word in follow else False for line in unseen
                     for word, after in zip([".", *line], line)])
    return Result(model, lookup, float(right), float(table))


def expected(result: Result, text: str, count: int = 5) -> list[tuple[str, float]]:
    """The most likely words after a text, and how likely they are."""
    ids = np.asarray(result.lookup([".", *text.split()]))[None]
    logits = np.asarray(result.model(ids))[0, -1].astype(np.float64)
    p = np.exp(logits - logits.max())
    p /= p.sum()
    words = result.lookup.get_vocabulary()
    return [(words[i], float(p[i])) for i in np.argsort(-p)[:count]]


def tell(result: Result, count: int, temperature: float, seed: int) -> list[str]:
    """Sentences that it has not read."""
    begin, names = int(np.asarray(result.lookup(["."]))[0]), result.lookup.get_vocabulary()
    rows = result.model.generate([[begin]] * 100, 12, temperature, seed=seed, stop=begin)
    told = [" ".join(names[i] for i in row[1:]).partition(" .")[0] for row in rows]
    known = {" ".join(line[:-1]) for line in sentences()}
    return [text for text in dict.fromkeys(told) if text not in known][:count]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("next_word", __doc__, epochs=150).parse_args(argv)
    result = train(options.epochs, options.seed)
    print(f"The next word in sentences it has not read: {100 * result.right:.0f} % expected first; by a table of "
          f"what follows what: {100 * result.table:.0f} %.")
    for text in ("mira takes the boat to the", "the captain gives the fish to the", "every evening the cat"):
        print(f"  {text} … {', '.join(f'{word} {p:.2f}' for word, p in expected(result, text, 3))}")
    print(f"Its own: {'. '.join(tell(result, 8, 1.0, options.seed))}.")
    if options.plot:
        draw(result, options.plot)
        print(f"What it expects: {options.plot}")
    return 0


def draw(result: Result, path: str) -> None:
    """What comes after three beginnings that all end with 'the'."""
    from fastnn.plotting._figure import BLUE, new_figure, saved, style
    figure = new_figure(11.5, 3.6)
    texts = ("the captain feeds the", "mira mends the", "every morning tom opens the")
    for ax, text in zip(figure.subplots(1, len(texts)), texts):
        words, p = zip(*expected(result, text, 6))
        ax.barh(words, p, color=BLUE)
        ax.set_xlim(0, 1)
        style(ax, f"{text} …", "probability", "")
        ax.invert_yaxis()
    figure.suptitle("All end with 'the'; what comes next depends on the words before it")
    saved(figure, path)


if __name__ == "__main__":
    sys.exit(run(main))
