"""Chapter 25: data augmentation. With few samples a network learns them by heart; changed copies teach it more.

The same network learns from 300 digits of MNIST twice: as they are, and each time a little shifted, turned and scaled.
A digit moved by a pixel is still that digit, but its pixels are others: what was learned by heart is of no use.
The four files of MNIST are looked for in the cache and downloaded once, unless `data` names their folder.
"""

if __name__ == "__main__":     # python -m fastnn.examples.augmentation --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, datasets, layers, plotting
from fastnn.preprocessing.image import ImageDataGenerator

data = None         # the folder that holds the four IDX files, .gz or not
epochs = 60         # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
(x_train, y_train), (x_test, y_test) = datasets.mnist.load_data(data)
x, y = x_train[:300, :, :, None].astype(np.float32) / 255, y_train[:300]
x_unseen = x_test[..., None].astype(np.float32) / 255
changes = ImageDataGenerator(rotation_range=12, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1,
                             fill_mode="constant", cval=0.0)


def network() -> Sequential:
    """A small convolutional network, from the same first weights each time."""
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((28, 28, 1)), layers.Conv2D(16, (3, 3), activation="relu"),
                        layers.MaxPooling2D((2, 2)), layers.Flatten(), layers.Dense(64, activation="relu"),
                        layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% [markdown]
# Both learn with the same number of steps.

# %%
plain, augmented = network(), network()
plain.fit(x, y, epochs=epochs, batch_size=32, verbose=0)
augmented.fit(changes.flow(x, y, batch_size=32, seed=seed), epochs=epochs, verbose=0)

# %% [markdown]
# The gap is how much better each network knows what it was trained on than what it has never seen.

# %%
scores = {}
print("300 training images        known  unseen     gap")
for name, model in (("as they are", plain), ("augmented", augmented)):
    known, unseen = model.evaluate(x, y, verbose=0)[1], model.evaluate(x_unseen, y_test, verbose=0)[1]
    scores[name] = known, unseen
    print(f"{name:<20} {known:9.1%} {unseen:7.1%} {known - unseen:7.1%}")

# %%
copies = [changes.flow(x[:8], batch_size=8, shuffle=False, seed=seed + i)[0] for i in range(4)]
figure = plotting.image_rows([x[:8], *copies], ["as it is", *["changed"] * 4])
figure.suptitle(f"Still the same digits: unseen ones are read at {scores['augmented'][1]:.1%} "
                f"instead of {scores['as they are'][1]:.1%}")
figure
