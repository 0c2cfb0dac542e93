"""Chapter 12: what a review says. A network reads made-up reviews and tells praise from blame.

The words alone do not tell: "not good at all" has a good word in it, and "never boring" a bad one. A network that only
counts words is often wrong there; a recurrent one, reading forwards and backwards, knows what "not" stands before.
Reviews have different lengths: padding is masked, so that it does not count as words.
"""

if __name__ == "__main__":     # python -m fastnn.examples.sentiment --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, layers, plotting
from fastnn.examples._reviews import reviews

epochs = 10         # passes over the data
count = 5000        # reviews to learn from
seed = 42           # the same seed gives the same numbers

# %%
texts, praise, _ = reviews(count, seed)
unseen, truth, negated = reviews(2000, seed + 1)
print(f"{'praise' if praise[0] else 'blame'}: {texts[0]}")
vectorize = layers.TextVectorization(output_sequence_length=40)
vectorize.adapt(texts)
words = len(vectorize.get_vocabulary())
x, x_test = np.asarray(vectorize(texts)), np.asarray(vectorize(unseen))

# %%
fastnn.random.set_seed(seed)
nets: dict[str, list[layers.Layer]] = {
    "counts words": [layers.GlobalAveragePooling1D(), layers.Dense(16, activation="relu")],
    "reads both ways": [layers.Bidirectional(layers.LSTM(16))],
}
scores = {}
print("Right on 2,000 reviews that neither network has seen:")
for name, inner in nets.items():
    model = Sequential([layers.Input((40,), dtype="int32"), layers.Embedding(words, 16, mask_zero=True), *inner,
                        layers.Dense(1, activation="sigmoid")])
    model.compile(fastnn.optimizers.Adam(0.003), "binary_crossentropy")
    model.fit(x, praise, epochs=epochs, batch_size=32, verbose=0)
    right = ((model.predict(x_test, batch_size=500, verbose=0) > 0.5) == (truth > 0.5))[:, 0]
    scores[name] = {"all": right.mean(), "without": right[~negated].mean(), "with": right[negated].mean()}
    print(f"  {name:<16} {right.mean():.1%} ({scores[name]['without']:.1%} without a negation, "
          f"{scores[name]['with']:.1%} with one)")

# %%
def praise_so_far(text: str) -> np.ndarray:
    """How much the reading network thinks that this is praise, after each of its words."""
    words = text.split()
    beginnings = [" ".join(words[:i + 1]) for i in range(len(words))]
    return model.predict(np.asarray(vectorize(beginnings)), verbose=0)[:, 0]


for text in ("the music was not bad.", "the music was not good.", "nobody can call the hero boring."):
    print(f"  {text:<36} praise: {praise_so_far(text)[-1]:.2f}")

# %%
figure, (bars, line) = plotting.subplots(1, 2, size=(13, 4.4))
for i, kind in enumerate(("without", "with")):
    bars.bar(np.arange(2) + 0.35 * (i - 0.5), [score[kind] for score in scores.values()], 0.33,
             label=f"{kind} a negation")
bars.set_xticks(range(2), list(scores))
bars.set(title="Counted words often mislead after a negation", ylabel="right on unseen reviews", ylim=(0.4, 1.25))
bars.legend(loc="upper left")
for row, text in enumerate(("the plot was very good today", "the plot was not very good today",
                            "the plot was never boring", "nobody can call the plot boring")):
    so_far = praise_so_far(text)
    line.imshow(so_far[None], cmap="RdBu", vmin=-0.3, vmax=1.3, aspect="auto",
                extent=(-0.5, len(so_far) - 0.5, row + 0.42, row - 0.42))
    for i, word in enumerate(text.split()):
        line.text(i, row, f"{word}\n{so_far[i]:.2f}", ha="center", va="center")
line.set(title="Praise, word by word: what stands before a word turns it round", xlabel="read so far", xlim=(-0.6, 6.6),
         ylim=(3.6, -0.6), xticks=[], yticks=[])
figure
