"""Chapter 12: a variational autoencoder. A digit becomes a point of the plane, and any point of the plane a digit.

The encoder says where in the plane an image lies, and how sure it is: a mean and a variance. A point is drawn there,
and the decoder makes an image of it. The loss asks for images like those that went in, and for points like those of a
normal distribution, so that there are no gaps between them. Kingma & Welling 2014. MNIST is looked for in the cache and
downloaded, unless `data` names a folder that holds its four files.
"""

if __name__ == "__main__":     # python -m fastnn.examples.vae --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
from typing import Any

import numpy as np

import fastnn
from fastnn import Model, Sequential, datasets, layers, losses, metrics, ops, plotting

data = None         # the folder that holds the four IDX files, .gz or not
samples = 60000     # images to learn from
epochs = 20         # passes over the data
seed = 42           # the same seed gives the same numbers


# %%
class VAE(Model):
    """Encoder, a drawn point, decoder, and the loss of both."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = layers.Dense(256, activation="relu")
        self.mean, self.log_variance = layers.Dense(2), layers.Dense(2)
        self.decoder = Sequential([layers.Input((2,)), layers.Dense(256, activation="relu"),
                                   layers.Dense(784, activation="sigmoid")])
        self.tracker = metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[Any]:
        """What fit resets at the beginning of an epoch."""
        return [self.tracker]

    def encode(self, x: Any) -> tuple[Any, Any]:
        """(mean, logarithm of the variance) of the points of images."""
        hidden = self.hidden(x)
        return self.mean(hidden), self.log_variance(hidden)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Image to point to image, and both parts of the loss."""
        x = data[0] if isinstance(data, tuple) else data
        with fastnn.GradientTape() as tape:
            mean, log_variance = self.encode(x)
            point = mean + ops.exp(log_variance * 0.5) * fastnn.random.normal((x.shape[0], 2))
            error = losses.binary_crossentropy(x, self.decoder(point)) * 784.0        # summed over the pixels
            spread = ops.square(mean) + ops.exp(log_variance) - log_variance - 1.0
            loss = ops.mean(error) + ops.mean(ops.sum(spread, axis=1)) * 0.5
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


# %%
(images, _), (unseen, labels) = datasets.mnist.load_data(data)
fastnn.random.set_seed(seed)
vae = VAE()
vae.compile("adam")
history = vae.fit(images[:samples].reshape(-1, 784).astype(np.float32) / 255, batch_size=128, epochs=epochs, verbose=2)

# %% [markdown]
# Where do test digits lie? Their labels only colour the picture; the network never saw any. And what lies between them?

# %%
points = np.asarray(vae.encode(unseen[:3000].reshape(-1, 784).astype(np.float32) / 255)[0])
labels, side = labels[:3000], np.linspace(-2, 2, 12)
between = np.array([[x, y] for y in side[::-1] for x in side], np.float32)
sheet = np.asarray(vae.decoder(between)).reshape(12, 12, 28, 28).transpose(0, 2, 1, 3).reshape(336, 336)

# %%
figure, (plane, grid) = plotting.subplots(1, 2, size=(11.5, 5.4))
for digit in range(10):
    plane.scatter(*points[labels == digit].T, s=5, label=str(digit))
plane.set(title="Digits lie together, though nobody said which they are", xlabel="first number", ylabel="second number")
plane.legend(markerscale=3)
grid.imshow(sheet, cmap="gray_r", extent=(-2, 2, -2, 2))
grid.set(title="Between two digits lie their mixtures", xlabel="first number", ylabel="second number")
figure
