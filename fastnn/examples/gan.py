"""Chapter 12: a generative adversarial network, a forger of digits, and a judge who learns to tell them from real ones.

The generator makes an image of 32 random numbers; the discriminator says how real it looks. Each is trained by the
mistakes of the other, so the training step is written here: two losses, two optimizers, two tapes. It is recorded once
and replayed like the built-in one. Goodfellow et al. 2014. Without --data MNIST is looked for in the cache and
downloaded.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import datasets, layers, losses, metrics, ops, optimizers
from fastnn.examples._lesson import lesson, run
from fastnn.models import Model, Sequential

NOISE = 32


class GAN(Model):
    """The two networks, and a step that trains the one and then the other."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = Sequential([layers.Input((NOISE,)), layers.Dense(128, activation="relu"),
                                     layers.Dense(784, activation="sigmoid")])
        self.discriminator = Sequential([layers.Input((784,)), layers.Dense(128), layers.LeakyReLU(0.2),
                                         layers.Dense(1)])
        self.judge = losses.BinaryCrossentropy(from_logits=True)
        self.forgers, self.judges = (optimizers.Adam(0.0003, beta_1=0.5) for _ in range(2))
        self.g_loss, self.d_loss = metrics.Mean(name="g_loss"), metrics.Mean(name="d_loss")

    @property
    def metrics(self) -> list[Any]:
        """What fit resets at the beginning of an epoch."""
        return [self.g_loss, self.d_loss]

    def train_step(self, data: Any) -> dict[str, Any]:
        """The judge sees real and forged digits; then the forger learns from what the judge says of new ones."""
        real = data[0] if isinstance(data, tuple) else data
        count = real.shape[0]
        ones, zeros = np.ones((count, 1), np.float32), np.zeros((count, 1), np.float32)
        forged = self.generator(fastnn.random.normal((count, NOISE)))
        with fastnn.GradientTape() as tape:
            d_loss = ops.add(self.judge(ones, self.discriminator(real)), self.judge(zeros, self.discriminator(forged)))
        weights = self.discriminator.trainable_variables
        self.judges.apply_gradients(zip(tape.gradient(d_loss, weights), weights))

        with fastnn.GradientTape() as tape:
            g_loss = self.judge(ones, self.discriminator(self.generator(fastnn.random.normal((count, NOISE)))))
        weights = self.generator.trainable_variables
        self.forgers.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        self.g_loss.update_state(g_loss)
        self.d_loss.update_state(d_loss)
        return {"g_loss": self.g_loss.result(), "d_loss": self.d_loss.result()}


class Result(NamedTuple):
    """The history, forged digits (n, 28, 28), and seconds of training."""
    history: Any
    digits: np.ndarray
    seconds: float


def train(data: str | None = None, epochs: int = 15, seed: int = 42, verbose: Any = 0,
          samples: int | None = None) -> Result:
    """Train on the images of MNIST; nobody tells the networks which digit is which."""
    (images, _), _ = datasets.mnist.load_data(data)
    x = images[:samples].reshape(-1, 784).astype(np.float32) / 255
    fastnn.random.set_seed(seed)
    gan = GAN()
    gan.compile()
    began = time.perf_counter()
    history = gan.fit(x, batch_size=128, epochs=epochs, verbose=verbose)
    seconds = time.perf_counter() - began
    digits = np.asarray(gan.generator(fastnn.random.normal((40, NOISE), seed=1)))
    return Result(history, digits.reshape(-1, 28, 28), seconds)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    parser = lesson("gan", __doc__, epochs=15)
    parser.add_argument("--data", metavar="FOLDER", help="the folder that holds the four IDX files, .gz or not")
    options = parser.parse_args(argv)
    result = train(options.data, options.epochs, options.seed, verbose="epochs")
    last = {name: values[-1] for name, values in result.history.history.items()}
    print(f"{options.epochs} epochs in {result.seconds:.1f} s; loss of the forger {last['g_loss']:.2f}, of the judge "
          f"{last['d_loss']:.2f} (2 ln 2 = 1.39: it cannot tell)")
    if options.plot:
        from fastnn.plotting._figure import new_figure, saved
        figure = new_figure(8, 4.4)
        for ax, digit in zip(figure.subplots(5, 8).flat, result.digits):
            ax.imshow(digit, cmap="gray_r")
            ax.axis("off")
        figure.suptitle("Forty digits that nobody has written")
        saved(figure, options.plot)
        print(f"What the forger draws: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
