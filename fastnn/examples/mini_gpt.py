"""Chapter 12: a small GPT. A Transformer reads first names and says at each letter which one comes next.

It has no state that goes from letter to letter, as the recurrent network of the lesson `names` has: every letter looks
at all those before it, in four ways at once (heads), and takes up what it looks for. Looking back is done for all
letters of a name side by side. The figure shows where each head of the first block looks.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn.examples._lesson import lesson, run
from fastnn.examples.names import END, LONGEST, NUMBERS, guesses, numbers, pairs_of, parts, print_written
from fastnn.layers import Dense, Input, TokenAndPositionEmbedding, TransformerDecoder
from fastnn.losses import SparseCategoricalCrossentropy
from fastnn.models import Sequential
from fastnn.optimizers import AdamW

WIDTH, HEADS, BLOCKS = 48, 4, 3


class Result(NamedTuple):
    """The model, its history, what a guess by the letter before costs (nats a letter, names kept apart), seconds of
    training, and the names that it was trained on."""
    model: Any
    history: Any
    pairs: float
    seconds: float
    known: set[str]


def gpt() -> Any:
    """Letters and their places as vectors, blocks of attention, and a score for each letter that may come next."""
    return Sequential([
        Input((LONGEST,), dtype="int32"), TokenAndPositionEmbedding(NUMBERS, LONGEST, WIDTH, mask_zero=True),
        *(TransformerDecoder(4 * WIDTH, HEADS, dropout=0.1, activation="gelu", normalize_first=True)
          for _ in range(BLOCKS)), Dense(NUMBERS)])


def train(epochs: int = 20, seed: int = 42, verbose: Any = 0) -> Result:
    """Train on nine tenths of the names."""
    kept, apart = parts(seed)
    (x, y), (x_test, y_test) = pairs_of(kept), pairs_of(apart)
    fastnn.random.set_seed(seed)
    model = gpt()
    model.compile(AdamW(0.002), SparseCategoricalCrossentropy(from_logits=True))
    begin = time.perf_counter()
    history = model.fit(x, y, epochs=epochs, batch_size=64, validation_data=(x_test, y_test), verbose=verbose)
    return Result(model, history, guesses(x, y, x_test, y_test)[1], time.perf_counter() - begin, set(kept))


def heads(model: Any, name: str) -> np.ndarray:
    """(heads, letters, letters): how much each letter of the name looks at those before it, in the first block."""
    embedding, block = model.layers[:2]
    x = embedding(np.array([numbers(name)[:-1]], np.int32))
    x = block.self_attention_norm(x)
    _, scores = block.self_attention(x, x, use_causal_mask=True, return_attention_scores=True)
    return np.asarray(scores)[0]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("mini_gpt", __doc__, epochs=20).parse_args(argv)
    result = train(options.epochs, options.seed)
    loss = result.history.history["val_loss"][-1]
    print(f"{result.model.count_params():,} weights, {options.epochs} epochs in {result.seconds:.1f} s. Nats a letter "
          f"on names it has not seen: {loss:.2f}; by the letter before alone {result.pairs:.2f}.")
    print_written(result.model, result.known, options.seed)
    if options.plot:
        draw(result, options.plot)
        print(f"Where its heads look: {options.plot}")
    return 0


def draw(result: Result, path: str, name: str = "annabelle") -> None:
    """A picture for each head: rows are letters that look, columns letters that they look at."""
    from fastnn.plotting._figure import new_figure, saved
    found, shown = heads(result.model, name), [".", *name]
    assert numbers(name)[0] == END
    figure = new_figure(13, 3.9)
    for i, ax in enumerate(figure.subplots(1, len(found))):
        ax.imshow(np.where(np.tri(len(shown)) > 0, found[i], np.nan), cmap="Blues", vmin=0, vmax=1)
        ax.set(xticks=range(len(shown)), yticks=range(len(shown)), xticklabels=shown, yticklabels=shown,
               title=f"head {i + 1}", xlabel="looks at")
    figure.axes[0].set_ylabel("letter")
    figure.suptitle("Each head looks for something else, and none ahead")
    saved(figure, path)


if __name__ == "__main__":
    sys.exit(run(main))
