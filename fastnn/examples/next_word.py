"""Chapter 12: which word comes next? A recurrent network reads a small story and learns what follows what.

The story was written for this lesson: Mira has a boat, Tom has a shop, the captain has a cat. Some sentences are kept
apart, to see what the network expects in them. A table of the words that follow each word does not know who is meant
after "the captain gives the fish to the"; the network has read the whole sentence. Then it makes some of its own.
"""

if __name__ == "__main__":     # python -m fastnn.examples.next_word --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
from collections import Counter, defaultdict

import numpy as np

import fastnn
from fastnn import Sequential, activations, layers, losses, plotting
from fastnn.examples._harbour import TEXT
from fastnn.preprocessing.sequence import pad_sequences

epochs = 150        # passes over the story
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# The sentences as lists of words, the last of each being the full stop, each once; every seventh is kept apart. A row
# of x is a full stop and the words, and y has for each of them the word that comes next.

# %%
lines = [[*part.split(), "."] for part in dict.fromkeys(" ".join(TEXT.split()).split(".")) if part.strip()]
kept, apart = ([line for i, line in enumerate(lines) if (i % 7 == 3) == out] for out in (False, True))
lookup = layers.StringLookup(mask_token="")
lookup.adapt([word for line in lines for word in line])
words = lookup.get_vocabulary()
rows = {name: [np.asarray(lookup([".", *line])) for line in part] for name, part in (("kept", kept), ("apart", apart))}
(x, y), (x_test, y_test) = ((pad_sequences([row[:-1] for row in part], padding="post"),
                             pad_sequences([row[1:] for row in part], padding="post")) for part in rows.values())

# %%
fastnn.random.set_seed(seed)
model = Sequential([layers.Input((None,), dtype="int32"), layers.Embedding(len(words), 24, mask_zero=True),
                    layers.Dropout(0.2), layers.LSTM(48, return_sequences=True), layers.Dropout(0.2),
                    layers.Dense(len(words))])
model.compile(fastnn.optimizers.Adam(0.005), losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x, y, epochs=epochs, batch_size=16, verbose=0)

# %%
right = float((model.predict(x_test, verbose=0).argmax(axis=-1) == y_test)[x_test > 0].mean())
follow: dict[int, Counter[int]] = defaultdict(Counter)
for before, after in zip(x[x > 0], y[x > 0]):
    follow[before][after] += 1
guess = [follow[b].most_common(1)[0][0] == a if b in follow else False for b, a in zip(x_test[x_test > 0],
                                                                                     y_test[x_test > 0])]
table = float(np.mean(guess))
print(f"The next word in sentences it has not read: {right:.0%} expected first; by a table of what follows what: "
      f"{table:.0%}.")

# %%
def expected(text: str, count: int) -> tuple[list[str], np.ndarray]:
    """The most likely words after a text, and how likely they are."""
    logits = model.predict(np.asarray(lookup([".", *text.split()]))[None], verbose=0)[:, -1]
    p = activations.softmax(logits).numpy()[0]
    best = np.argsort(-p)[:count]
    return [words[i] for i in best], p[best]


for text in ("mira takes the boat to the", "the captain gives the fish to the", "every evening the cat"):
    print(f"  {text} … {', '.join(f'{word} {p:.2f}' for word, p in zip(*expected(text, 3)))}")

# %%
stop = words.index(".")
told = [" ".join(words[i] for i in row[1:]).partition(" .")[0]
        for row in model.generate([[stop]] * 100, 12, 1.0, seed=seed, stop=stop)]
known = {" ".join(line[:-1]) for line in lines}
own = [text for text in dict.fromkeys(told) if text not in known]
print(f"Its own: {'. '.join(own[:8])}.")

# %%
figure, axes = plotting.subplots(1, 3, size=(12, 3.6))
for ax, text in zip(axes, ("the captain feeds the", "mira mends the", "every morning tom opens the")):
    names, p = expected(text, 6)
    ax.barh(names, p)
    ax.set(title=f"{text} …", xlabel="probability", xlim=(0, 1))
    ax.invert_yaxis()
figure.suptitle("All end with 'the'; what comes next depends on the words before it")
figure
