"""Chapter 12: a recurrent network that writes. It reads first names letter by letter and says which letter comes next.

To write a name it reads its own letters: each is drawn from what the network holds likely, until it draws the end. The
lower the temperature, the more it keeps to what is likely. It never saw most of the names that it writes.
"""

if __name__ == "__main__":     # python -m fastnn.examples.names --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, activations, layers, losses, plotting
from fastnn.examples import _names as text  # names as rows of numbers

epochs = 20         # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# Nine tenths of the names to learn from. For each letter the answer is the letter after it.

# %%
kept, apart = text.parts(seed)
(x, y), (x_test, y_test) = text.pairs_of(kept), text.pairs_of(apart)
print(f"{len(kept)} names, such as {', '.join(kept[:6])}")
print(f"{kept[0]!r} reads {x[0]}\n{'and answers':>{len(kept[0]) + 8}} {y[0]}")

# %%
fastnn.random.set_seed(seed)
model = Sequential([
    layers.Input((text.LONGEST,), dtype="int32"),
    layers.Embedding(text.NUMBERS, 24, mask_zero=True),
    layers.LSTM(96, return_sequences=True),
    layers.Dense(text.NUMBERS),
])
model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(x, y, epochs=epochs, batch_size=32, validation_data=(x_test, y_test), verbose=0)

# %% [markdown]
# What does a letter cost, in nats (-ln p)? By how often letters are, by the letter before alone, and by the network,
# which remembers the whole beginning.

# %%
frequency, pairs = text.guesses(x, y, x_test, y_test)
loss = history["val_loss"][-1]
print(f"Nats a letter on names it has not seen: {loss:.2f}; by the letter before alone {pairs:.2f}, by frequency "
      f"{frequency:.2f}.")

# %%
def write(count: int, temperature: float, begin: str = "") -> list[str]:
    """Names that the model writes, all of them beginning with these letters."""
    rows = model.generate([text.numbers(begin)[:-1]] * count, text.LONGEST - len(begin), temperature, seed=seed,
                          stop=text.END)
    return [text.letters(row) for row in rows]


for temperature in (0.3, 0.7, 1.0):
    written = write(200, temperature)
    fresh = [name for name in dict.fromkeys(written) if name not in set(kept)]
    print(f"temperature {temperature}: {len(set(written))} of 200 differ, {len(fresh)} of them new: "
          f"{', '.join(fresh[:9])}")
print(f"beginning with 'jo': {', '.join(dict.fromkeys(write(12, 0.7, 'jo')))}")

# %%
figure, (curve, *bars) = plotting.subplots(1, 4, size=(13, 4))
curve.plot(range(1, epochs + 1), history["val_loss"], label="the network")
curve.axhline(pairs, color="#E69F00", label="the letter before")
curve.axhline(frequency, color="#D55E00", label="how often letters are")
curve.set(title="It remembers more", xlabel="epoch", ylabel="nats a letter, unseen names")
curve.legend()
for ax, begin in zip(bars, ("j", "jo", "jos")):
    logits = np.asarray(model(np.array([text.numbers(begin)[:-1]], np.int32)))[:, -1]
    p = activations.softmax(logits).numpy()[0]
    best = np.argsort(-p)[:7]
    ax.barh(["end" if i == text.END else text.letters([0, i]) for i in best], p[best])
    ax.set(title=f"after '{begin}'", xlabel="probability")
    ax.invert_yaxis()
figure
