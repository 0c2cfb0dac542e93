"""Chapter 12: a translation with attention. People write dates in many ways; a network writes each as 1998-03-14.

An encoder reads the date in both directions. A decoder writes the answer sign by sign, and before each one it looks at
the signs of the question: attention says at which, and how much (Bahdanau et al. 2015). In training it reads the right
answer so far; to translate, its own. The figure shows where it looks as it writes.
"""

if __name__ == "__main__":     # python -m fastnn.examples.dates --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Input, Model, layers, losses, plotting
from fastnn.examples._dates import ANSWER, LONGEST, SIGNS, begun, dates, numbers

epochs = 6          # passes over the data
count = 10000       # dates to learn from
seed = 42           # the same seed gives the same numbers

# %%
(written, plain), (unseen, truth) = dates(count, seed), dates(1000, seed + 1)
for text, answer in zip(written[:4], plain):
    print(f"{text:<26} {answer}")

# %% [markdown]
# Question and answer so far go in, scores of the next signs come out. A second model over the same layers gives the
# attention.

# %%
fastnn.random.set_seed(seed)
question, so_far = Input((LONGEST,), dtype="int32"), Input((ANSWER,), dtype="int32")
read = layers.Embedding(len(SIGNS) + 1, 24, mask_zero=True)(question)
read = layers.Bidirectional(layers.GRU(32, return_sequences=True))(read)
wrote = layers.GRU(64, return_sequences=True)(layers.Embedding(len(SIGNS) + 1, 24)(so_far))
found, where = layers.AdditiveAttention()([wrote, read], return_attention_scores=True)
scores = layers.Dense(64, activation="tanh")(layers.Concatenate()([wrote, found]))
scores = layers.Dense(len(SIGNS) + 1)(scores)
model, attention = Model([question, so_far], scores), Model([question, so_far], where)

# %%
answers = numbers(plain, ANSWER)
model.compile(fastnn.optimizers.Adam(0.004), losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit([numbers(written, LONGEST), begun(answers)], answers, epochs=epochs, batch_size=64, verbose=2)


# %%
def translate(texts: list[str]) -> list[str]:
    """Sign after sign, each from those written before it."""
    asked, answer = numbers(texts, LONGEST), np.zeros((len(texts), ANSWER), np.int32)
    for i in range(ANSWER):
        answer[:, i] = model.predict([asked, begun(answer)], batch_size=500, verbose=0)[:, i].argmax(axis=-1)
    return ["".join(SIGNS[j % len(SIGNS)] for j in row) for row in answer]


right = float(np.mean([a == b for a, b in zip(translate(unseen), truth)]))
print(f"{right:.1%} of 1,000 dates that it has not seen are right.")
texts = ["14 march 1998", "the 3rd of october 2031", "7/28/1969", "1912, april 15"]
for text, answer in zip(texts, translate(texts)):
    print(f"  {text:<26} {answer}")

# %% [markdown]
# Rows are the signs that it writes, from the top; columns those of the question. It finds the year where it stands, and
# the month by its letters.

# %%
shown = ["14 march 1998", "7/28/1969"]
maps = attention.predict([numbers(shown, LONGEST), begun(numbers(translate(shown), ANSWER))], verbose=0)
plotting.attention_maps(maps[1, :, :len(shown[1])], translate(shown)[1], shown[1])

# %%
figure = plotting.attention_maps(maps[0, :, :len(shown[0])], translate(shown)[0], shown[0])
figure.suptitle("It finds the year where it stands,\nand the month by its letters")
figure
