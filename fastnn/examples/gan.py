"""Chapter 12: a generative adversarial network, a forger of digits, and a judge who learns to tell them from real ones.

The generator makes an image of 32 random numbers; the discriminator says how real it looks. Each is trained by the
mistakes of the other, so the training step is written here: two losses, two optimizers, two tapes. It is recorded once
and replayed like the built-in one. Goodfellow et al. 2014. MNIST is looked for in the cache and downloaded, unless
`data` names a folder that holds its four files.
"""

if __name__ == "__main__":     # python -m fastnn.examples.gan --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
from typing import Any

import numpy as np

import fastnn
from fastnn import Model, Sequential, datasets, layers, losses, metrics, optimizers, plotting

data = None         # the folder that holds the four IDX files, .gz or not
samples = 60000     # images to learn from
epochs = 15         # passes over the data
seed = 42           # the same seed gives the same numbers


# %%
class GAN(Model):
    """The two networks, and a step that trains the one and then the other."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = Sequential([layers.Input((32,)), layers.Dense(128, activation="relu"),
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
        forged = self.generator(fastnn.random.normal((count, 32)))
        with fastnn.GradientTape() as tape:
            d_loss = self.judge(ones, self.discriminator(real)) + self.judge(zeros, self.discriminator(forged))
        weights = self.discriminator.trainable_variables
        self.judges.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
        with fastnn.GradientTape() as tape:
            g_loss = self.judge(ones, self.discriminator(self.generator(fastnn.random.normal((count, 32)))))
        weights = self.generator.trainable_variables
        self.forgers.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        self.g_loss.update_state(g_loss)
        self.d_loss.update_state(d_loss)
        return {"g_loss": self.g_loss.result(), "d_loss": self.d_loss.result()}


# %% [markdown]
# Nobody tells the networks which digit is which.

# %%
(images, _), (_, _) = datasets.mnist.load_data(data)
fastnn.random.set_seed(seed)
gan = GAN()
gan.compile()
history = gan.fit(images[:samples].reshape(-1, 784).astype(np.float32) / 255, batch_size=128, epochs=epochs, verbose=0)
print(f"loss of the forger {history['g_loss'][-1]:.2f}, of the judge {history['d_loss'][-1]:.2f} (2 ln 2 = 1.39: it "
      "cannot tell)")

# %%
digits = np.asarray(gan.generator(fastnn.random.normal((40, 32), seed=1))).reshape(-1, 28, 28)
figure = plotting.digits_grid(digits)
figure.suptitle("Forty digits that nobody has written")
figure
