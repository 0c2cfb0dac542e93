"""Chapter 12: a variational autoencoder. A digit becomes a point of the plane, and any point of the plane a digit.

The encoder says where in the plane an image lies, and how sure it is: a mean and a variance. A point is drawn there,
and the decoder makes an image of it. The loss asks for images like those that went in, and for points like those of a
normal distribution, so that there are no gaps between them. Kingma & Welling 2014. Without --data MNIST is looked for
in the cache and downloaded.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import datasets, layers, metrics, ops
from fastnn.examples._lesson import lesson, run
from fastnn.models import Model, Sequential


class VAE(Model):
    """Encoder, a drawn point, decoder, and the loss of both."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = layers.Dense(256, activation="relu")
        self.mean, self.log_variance = layers.Dense(2), layers.Dense(2)
        self.decoder = Sequential([layers.Input((2,)), layers.Dense(256, activation="relu"),
                                   layers.Dense(784, activation="sigmoid")])
        self.loss_tracker = metrics.Mean(name="loss")
        self.image_tracker = metrics.Mean(name="image_loss")

    @property
    def metrics(self) -> list[Any]:
        """What fit resets at the beginning of an epoch."""
        return [self.loss_tracker, self.image_tracker]

    def encode(self, x: Any) -> tuple[Any, Any]:
        """(mean, logarithm of the variance) of the points of images."""
        hidden = self.hidden(x)
        return self.mean(hidden), self.log_variance(hidden)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Image to point to image, and both parts of the loss."""
        x = data[0] if isinstance(data, tuple) else data
        with fastnn.GradientTape() as tape:
            mean, log_variance = self.encode(x)
            noise = fastnn.random.normal((x.shape[0], 2))
            point = ops.add(mean, ops.multiply(ops.exp(ops.multiply(log_variance, 0.5)), noise))
            image = self.decoder(point)
            error = ops.multiply(fastnn.losses.binary_crossentropy(x, image), 784.0)        # summed over the pixels
            image_loss = ops.mean(error)
            spread = ops.subtract(ops.add(ops.square(mean), ops.exp(log_variance)), ops.add(log_variance, 1.0))
            loss = ops.add(image_loss, ops.multiply(ops.mean(ops.sum(spread, axis=1)), 0.5))
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.loss_tracker.update_state(loss)
        self.image_tracker.update_state(image_loss)
        return {"loss": self.loss_tracker.result(), "image_loss": self.image_tracker.result()}


class Result(NamedTuple):
    """The model, its history, where the test digits lie (n, 2), which they are (n,), and seconds of training."""
    model: VAE
    history: Any
    points: np.ndarray
    labels: np.ndarray
    seconds: float


def train(data: str | None = None, epochs: int = 20, seed: int = 42, verbose: Any = 0,
          samples: int | None = None) -> Result:
    """Train on the images of MNIST alone; the labels only colour the figure."""
    (images, _), (unseen, labels) = datasets.mnist.load_data(data)
    x = images[:samples].reshape(-1, 784).astype(np.float32) / 255
    fastnn.random.set_seed(seed)
    vae = VAE()
    vae.compile("adam")
    began = time.perf_counter()
    history = vae.fit(x, batch_size=128, epochs=epochs, verbose=verbose)
    seconds = time.perf_counter() - began
    mean, _ = vae.encode(unseen[:3000].reshape(-1, 784).astype(np.float32) / 255)
    return Result(vae, history, np.asarray(mean), labels[:3000], seconds)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    parser = lesson("vae", __doc__, epochs=20)
    parser.add_argument("--data", metavar="FOLDER", help="the folder that holds the four IDX files, .gz or not")
    options = parser.parse_args(argv)
    result = train(options.data, options.epochs, options.seed, verbose="epochs")
    print(f"{options.epochs} epochs in {result.seconds:.1f} s; loss {result.history.history['loss'][-1]:.1f} an image")
    if options.plot:
        draw(result, options.plot)
        print(f"Where the digits lie, and what lies between them: {options.plot}")
    return 0


def draw(result: Result, path: str) -> None:
    """The plane with the test digits in it, and the images of a grid of its points."""
    from fastnn.plotting._figure import COLOURS, new_figure, saved, style
    figure = new_figure(11.5, 5.4)
    plane, grid = figure.subplots(1, 2)
    for digit in range(10):
        here = result.points[result.labels == digit]
        plane.scatter(here[:, 0], here[:, 1], s=5, color=COLOURS[digit], label=str(digit))
    plane.legend(markerscale=3, frameon=False)
    style(plane, "Digits lie together, though nobody said which they are", "first number", "second number")
    side = np.linspace(-2, 2, 12)
    points = np.array([[x, y] for y in side[::-1] for x in side], np.float32)
    images = np.asarray(result.model.decoder(points)).reshape(12, 12, 28, 28)
    grid.imshow(images.transpose(0, 2, 1, 3).reshape(12 * 28, 12 * 28), cmap="gray_r", extent=(-2, 2, -2, 2))
    style(grid, "Between two digits lie their mixtures", "first number", "second number")
    grid.grid(visible=False)
    saved(figure, path)


if __name__ == "__main__":
    sys.exit(run(main))
