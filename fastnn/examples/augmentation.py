"""Chapter 25: data augmentation. With few samples a network learns them by heart; changed copies teach it more.

The same network learns from 300 digits of MNIST twice: as they are, and each time a little shifted, turned and scaled.
A digit moved by a pixel is still that digit, but its pixels are others: what was learned by heart is of no use.
Without --data the four files are looked for in the cache folder (~/.cache/fastnn) and downloaded once if not there.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import datasets
from fastnn.examples._lesson import lesson, run
from fastnn.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from fastnn.models import Sequential
from fastnn.preprocessing.image import ImageDataGenerator

FEW = 300


class Result(NamedTuple):
    """Training and test accuracy (plain, augmented), the first images and changed copies of them."""
    train: tuple[float, float]
    test: tuple[float, float]
    images: np.ndarray
    copies: np.ndarray

    @property
    def gaps(self) -> tuple[float, float]:
        """How much better each network knows what it was trained on than what it has never seen."""
        return self.train[0] - self.test[0], self.train[1] - self.test[1]


def train(data: str | None = None, epochs: int = 60, seed: int = 42, verbose: Any = 0) -> Result:
    """Train both networks from the same first weights, with the same number of steps."""
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data(data)
    x = x_train[:FEW, :, :, None].astype(np.float32) / 255
    y = y_train[:FEW]
    x_unseen = x_test[..., None].astype(np.float32) / 255
    changes = ImageDataGenerator(rotation_range=12, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1,
                                 fill_mode="constant", cval=0.0)

    def network() -> Sequential:
        fastnn.random.set_seed(seed)
        model = Sequential([Input((28, 28, 1)), Conv2D(16, (3, 3), activation="relu"), MaxPooling2D((2, 2)), Flatten(),
                            Dense(64, activation="relu"), Dense(10, activation="softmax")])
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    plain, augmented = network(), network()
    plain.fit(x, y, epochs=epochs, batch_size=32, verbose=verbose)
    augmented.fit(changes.flow(x, y, batch_size=32, seed=seed), epochs=epochs, verbose=verbose)
    known = tuple(model.evaluate(x, y, verbose=0)[1] for model in (plain, augmented))
    unseen = tuple(model.evaluate(x_unseen, y_test, verbose=0)[1] for model in (plain, augmented))
    copies = np.stack([changes.flow(x[:8], batch_size=8, shuffle=False, seed=seed + i)[0] for i in range(4)])
    return Result((known[0], known[1]), (unseen[0], unseen[1]), x[:8], copies)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    parser = lesson("augmentation", __doc__, epochs=60)
    parser.add_argument("--data", metavar="FOLDER", help="the folder that holds the four IDX files, .gz or not")
    options = parser.parse_args(argv)
    result = train(options.data, options.epochs, options.seed)
    print(f"{FEW} training images        known  unseen     gap")
    for i, name in enumerate(("as they are", "augmented")):
        print(f"{name:<20} {result.train[i]:9.1%} {result.test[i]:7.1%} {result.gaps[i]:7.1%}")
    if options.plot:
        from fastnn import plotting
        plotting.image_rows([result.images, *result.copies], ["as it is", *["changed"] * len(result.copies)],
                            options.plot)
        print(f"Digits and changed copies of them: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
