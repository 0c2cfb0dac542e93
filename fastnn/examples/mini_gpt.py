"""Chapter 12: a small GPT. A Transformer reads first names and says at each letter which one comes next.

It has no state that goes from letter to letter, as the recurrent network of the lesson `names` has: every letter looks
at all those before it, in four ways at once (heads), and takes up what it looks for. Looking back is done for all
letters of a name side by side. The figure shows where each head of the first block looks.
"""

if __name__ == "__main__":     # python -m fastnn.examples.mini_gpt --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, layers, losses, plotting
from fastnn.examples import _names as text  # names as rows of numbers

epochs = 20         # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
kept, apart = text.parts(seed)
(x, y), (x_test, y_test) = text.pairs_of(kept), text.pairs_of(apart)

# %% [markdown]
# Letters and their places as vectors, three blocks of attention, and a score for each letter that may come next.

# %%
fastnn.random.set_seed(seed)
model = Sequential([
    layers.Input((text.LONGEST,), dtype="int32"),
    layers.TokenAndPositionEmbedding(text.NUMBERS, text.LONGEST, 48, mask_zero=True),
    *(layers.TransformerDecoder(4 * 48, 4, dropout=0.1, activation="gelu", normalize_first=True) for _ in range(3)),
    layers.Dense(text.NUMBERS),
])
model.compile(fastnn.optimizers.AdamW(0.002), losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(x, y, epochs=epochs, batch_size=64, validation_data=(x_test, y_test), verbose=2)

# %%
_, pairs = text.guesses(x, y, x_test, y_test)
loss = history["val_loss"][-1]
print(f"{model.count_params():,} weights. Nats a letter on names it has not seen: {loss:.2f}; by the letter before "
      f"alone {pairs:.2f}.")

# %%
for temperature in (0.3, 0.7, 1.0):
    rows = model.generate([[text.END]] * 200, text.LONGEST, temperature, seed=seed, stop=text.END)
    written = [text.letters(row) for row in rows]
    fresh = [name for name in dict.fromkeys(written) if name not in set(kept)]
    print(f"temperature {temperature}: {len(set(written))} of 200 differ, {len(fresh)} of them new: "
          f"{', '.join(fresh[:9])}")

# %% [markdown]
# Where the four heads of the first block look when they read a name: each at something else, and none ahead.

# %%
name = "annabelle"
embedding, block = model.layers[:2]
inner = block.self_attention_norm(embedding(np.array([text.numbers(name)[:-1]], np.int32)))
_, scores = block.self_attention(inner, inner, use_causal_mask=True, return_attention_scores=True)
heads = np.asarray(scores)[0]

# %%
figure = plotting.attention_maps(heads, [".", *name])
figure.suptitle("Each head looks for something else, and none ahead")
figure
