"""Chapter 12: from one sequence to another. A network reads "535+61", sign by sign, and writes "596".

Nobody tells it what digits are worth: it sees forty thousand sums and their results as rows of signs, and so few sums
of two single digits (there are a hundred) that it gets many of those wrong. One recurrent layer reads the whole
question into its state; a second one writes the answer from that. The question is read backwards, the units first, as
sums are done on paper (Sutskever et al. 2014 found that it helps).
"""

if __name__ == "__main__":     # python -m fastnn.examples.addition --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, layers, losses, plotting
from fastnn.optimizers.schedules import CosineDecay

epochs = 16         # passes over the data
count = 45000       # sums; a ninth is kept apart
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# Pairs of numbers of one to three digits, each once; questions and answers as rows of numbers of signs.

# %%
SIGNS = "0123456789+ "
rng = np.random.default_rng(seed)
pairs = (rng.random((4 * count, 2)) * 10 ** rng.integers(1, 4, (4 * count, 2))).astype(int)
pairs = rng.permutation(np.unique(pairs, axis=0))[:count]
apart, kept = pairs[:count // 9], pairs[count // 9:]


def questions(pairs: np.ndarray) -> np.ndarray:
    """(n, 7): "535+61" read backwards."""
    return np.array([[SIGNS.index(sign) for sign in f"{a}+{b}".ljust(7)[::-1]] for a, b in pairs], np.int32)


def answers(pairs: np.ndarray) -> np.ndarray:
    """(n, 4): "596"."""
    return np.array([[SIGNS.index(sign) for sign in str(a + b).ljust(4)] for a, b in pairs], np.int32)


# %%
fastnn.random.set_seed(seed)
model = Sequential([layers.Input((7,), dtype="int32"), layers.Embedding(len(SIGNS), 16), layers.LSTM(128),
                    layers.RepeatVector(4), layers.LSTM(128, return_sequences=True), layers.Dense(len(SIGNS))])
steps = epochs * -(-len(kept) // 128)
model.compile(fastnn.optimizers.Adam(CosineDecay(0.004, steps, alpha=0.01)),
              losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(questions(kept), answers(kept), epochs=epochs, batch_size=128, verbose=2)

# %%
written = model.predict(questions(apart), batch_size=500, verbose=0).argmax(axis=-1)
right = (written == answers(apart)).all(axis=1)
print(f"{right.mean():.1%} of {len(apart):,} sums that it has not seen are right.")
pairs = np.array([[535, 61], [999, 1], [7, 8], [480, 519]])
for (a, b), row in zip(pairs, model.predict(questions(pairs), verbose=0).argmax(axis=-1)):
    print(f"  {a}+{b} = {''.join(SIGNS[i] for i in row)}")

# %%
digits = np.array([[len(str(n)) for n in pair] for pair in apart])
figure, (curve, table) = plotting.subplots(1, 2, size=(10.5, 4.2))
curve.semilogy(range(1, epochs + 1), history["loss"])
curve.set(title="It takes some epochs to find the trick", xlabel="epoch", ylabel="loss")
shares = np.full((3, 3), np.nan)
for i, j in np.ndindex(3, 3):
    these = (digits == (i + 1, j + 1)).all(axis=1)
    if these.any():
        shares[i, j] = right[these].mean()
        table.text(j, i, f"{shares[i, j]:.1%}", ha="center", va="center")
table.imshow(shares, cmap="Blues", vmin=0.5, vmax=1.2)
table.set(xticks=range(3), yticks=range(3), xticklabels=("1", "2", "3"), yticklabels=("1", "2", "3"),
          title="Right answers to unseen sums", xlabel="digits of the second number",
          ylabel="digits of the first number")
figure
