"""Chapters 13, 21 and 34: ten classes. Which digit does an image of 8 x 8 pixels show?

Ten outputs, one for each digit. Softmax makes them positive with sum 1: the probability of each class. The loss is
-log(probability of the right class); "sparse" means that y holds class numbers (3) and not one-hot rows (0001000000).
"""

if __name__ == "__main__":     # python -m fastnn.examples.digits --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, callbacks, datasets, layers, plotting

epochs = 40         # passes over the data, at most
seed = 42           # the same seed gives the same numbers

# %%
(x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
fastnn.random.set_seed(seed)
model = Sequential([
    layers.Input((8, 8)),
    layers.Flatten(),                           # 8 rows of 8 pixels → 64 numbers
    layers.Dense(48, activation="relu"),
    layers.Dropout(0.2),                        # a fifth of the neurons is silent, others in every batch
    layers.Dense(10, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

# %% [markdown]
# Training stops by itself when the validation loss no longer falls (chapter 25), and takes the best weights back.

# %%
stop = callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
history = model.fit(x_train / 16.0, y_train, epochs=epochs, validation_split=0.1, callbacks=[stop],
                    verbose=fastnn.Every(5))
_, accuracy = model.evaluate(x_test / 16.0, y_test, verbose=0)

# %%
probabilities = model.predict(x_test / 16.0, verbose=0)
predictions = probabilities.argmax(axis=1)      # the most probable class
wrong = np.flatnonzero(predictions != y_test)
print(f"Test accuracy: {accuracy:.2%}; {len(wrong)} of {len(y_test)} digits are taken for others")
plotting.digits_grid(x_test[wrong[:16]], y_test[wrong[:16]], predictions[wrong[:16]])

# %% [markdown]
# A network that says how sure it is can be asked where it is not. The three digits that it is surest of, and the three
# that it is least sure of: mistakes are to be looked for among these.

# %%
order = np.argsort(probabilities.max(axis=1))
shown = [*order[-3:], *order[:3]]
figure = plotting.probabilities(probabilities[shown], x_test[shown], y_test[shown])
figure
