"""Chapters 11 and 13: layers. What a network is made of, and what each layer makes of one digit.

Input, hidden and output layers: what goes in, what is found on the way, what comes out. Their sizes and weights are in
the summary; their answers to one image are in the picture.
"""

if __name__ == "__main__":     # python -m fastnn.examples.layers --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import fastnn
from fastnn import Sequential, datasets, layers, plotting

epochs = 15         # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# Four families, each small: dense for rows of numbers, convolutional for images, recurrent for sequences, and attention
# for sequences of which every part may look at every other.

# %%
families = {
    "dense": [layers.Input((30,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")],
    "convolutional": [layers.Input((8, 8, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(),
                      layers.Flatten(), layers.Dense(24, activation="relu"), layers.Dense(10, activation="softmax")],
    "recurrent": [layers.Input((14, 6)), layers.LSTM(16), layers.Dense(1)],
    "attention": [layers.Input((12,), dtype="int32"), layers.TokenAndPositionEmbedding(50, 12, 16),
                  layers.TransformerEncoder(32, 2), layers.GlobalAveragePooling1D(), layers.Dense(2)],
}
fastnn.random.set_seed(seed)
models = {name: Sequential(parts, name=name) for name, parts in families.items()}
for model in models.values():
    model.summary()

# %% [markdown]
# The convolutional one learns digits.

# %%
(x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
model = models["convolutional"]
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train[..., None] / 16.0, y_train, epochs=epochs, verbose=fastnn.Every(5))
accuracy = model.evaluate(x_test[..., None] / 16.0, y_test, verbose=0)[1]
print(f"Test accuracy: {accuracy:.1%}")

# %% [markdown]
# One digit on its way: pixels, what each filter finds where, the strongest of each 2 x 2, 24 neurons that each answer
# to some shape, and ten probabilities.

# %%
figure = plotting.activations(model, x_test[0][..., None] / 16.0)
figure
