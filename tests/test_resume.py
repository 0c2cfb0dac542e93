"""A fit that was stopped anywhere and run again has the bits of one that never stopped."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers, ops, optimizers
from fastnn.preprocessing.sequence import TimeseriesGenerator
from fastnn.utils import PyDataset
from tests.errors import weights_hash
from tests.resumed import VX, VY, Power, Stop, X, Y, run


def same(one: tuple[Any, Any, list[Any]], other: tuple[Any, Any, list[Any]]) -> None:
    assert weights_hash(one[0]) == weights_hash(other[0])
    assert one[1].history == other[1].history and one[1].epoch == other[1].epoch and one[1].runs == other[1].runs
    for a, b in zip(one[2], other[2]):
        states = [{k: np.asarray(v, object).tolist() for k, v in c.get_state().items() if k != "best_weights"}
                  for c in (a, b)]
        assert states[0] == states[1]
    for a, b in ((one[0], other[0]), (other[0], one[0])):
        assert int(a.optimizer.iterations) == int(b.optimizer.iterations)


@pytest.mark.parametrize(("optimizer", "save_freq", "power"), [
    ("momentum", "epoch", 17), ("momentum", 1, 10), ("momentum", 5, 23), ("adam", 3, 31), ("rmsprop", 7, 14),
    ("adam", "epoch", 22), ("momentum", 7, 28),
    ("averaged", 3, 19), ("averaged", "epoch", 24), ("muon", 4, 18), ("lamb", "epoch", 20)])
def test_a_resumed_fit_has_the_same_bits(optimizer: str, save_freq: Any, power: int, tmp_path: Path,
                                         any_backend: str) -> None:
    whole = run(tmp_path / "whole", 0, save_freq, optimizer)
    with pytest.raises(Stop):
        run(tmp_path / "cut", power, save_freq, optimizer)
    fastnn.random.set_seed(1)       # another process
    same(whole, run(tmp_path / "cut", 0, save_freq, optimizer))


def test_it_may_stop_again_and_again(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", 0, 2)
    for power in (3, 5, 2, 9, 4):
        with pytest.raises(Stop):
            run(tmp_path / "cut", power, 2)
    same(whole, run(tmp_path / "cut", 0, 2))


def generated() -> Iterator[Any]:
    while True:
        for i in range(0, 48, 8):
            yield X[i:i + 8], Y[i:i + 8]


class Rows(PyDataset):
    """Batches in the order of an epoch, scaled by a number that grows from epoch to epoch."""
    scale = 1.0

    def __len__(self) -> int:
        return 7

    def __getitem__(self, i: int) -> Any:
        return X[i * 7:i * 7 + 7] * np.float32(self.scale), Y[i * 7:i * 7 + 7]

    def on_epoch_end(self) -> None:
        self.scale = self.scale * 1.1


class Windows(TimeseriesGenerator):
    """Windows of one step."""

    def __init__(self) -> None:
        super().__init__(X, Y, 1, batch_size=8, shuffle=True)

    def __getitem__(self, index: int) -> Any:
        x, y = super().__getitem__(index)
        return x[:, 0], y


class Shuffled:
    """An iterable, which has another order in every pass."""

    def __init__(self, size: int = 8) -> None:
        self.draws, self.size = np.random.default_rng(0), size

    def __iter__(self) -> Iterator[Any]:
        order = self.draws.permutation(len(X))
        for i in range(0, len(X), self.size):
            yield X[order[i:i + self.size]], Y[order[i:i + self.size]]


WAYS: dict[str, Callable[..., Any]] = {
    "generator": lambda m, n, heard: m.fit(generated(), epochs=n, steps_per_epoch=5, verbose=0, callbacks=heard,
                                           validation_data=(VX, VY)),
    "dataset": lambda m, n, heard: m.fit(Rows(), epochs=n, verbose=0, callbacks=heard, validation_data=(VX, VY)),
    "drawn windows": lambda m, n, heard: m.fit(Windows(), epochs=n, verbose=0, callbacks=heard,
                                               validation_data=(VX, VY)),
    "part of the data": lambda m, n, heard: m.fit(X, Y, batch_size=8, steps_per_epoch=5, epochs=n, verbose=0,
                                                  callbacks=heard, validation_data=(VX, VY)),
    "part of a dataset": lambda m, n, heard: m.fit(Rows(), epochs=n, steps_per_epoch=5, verbose=0, callbacks=heard,
                                                   validation_data=(VX, VY)),
    "iterable": lambda m, n, heard: m.fit(Shuffled(), epochs=n, verbose=0, callbacks=heard, validation_data=(VX, VY)),
    "part of an iterable": lambda m, n, heard: m.fit(Shuffled(), epochs=n, steps_per_epoch=5, verbose=0,
                                                     callbacks=heard, validation_data=(VX, VY)),
    "more than an iterable": lambda m, n, heard: m.fit(Shuffled(), epochs=n, steps_per_epoch=9, verbose=0,
                                                       callbacks=heard, validation_data=(VX, VY)),
    "in order": lambda m, n, heard: m.fit(X, Y, batch_size=8, shuffle=False, epochs=n, verbose=0, callbacks=heard,
                                          validation_split=0.2),
}


@pytest.mark.filterwarnings("ignore:.*(an epoch ended after|ran out of data after . of|and the data have)")
@pytest.mark.parametrize("together", [1, 2])
@pytest.mark.parametrize("save_freq", ["epoch", 3])
@pytest.mark.parametrize("way", WAYS)
def test_whatever_the_batches_come_from(way: str, save_freq: Any, together: int, tmp_path: Path) -> None:
    def fit(model: Any, *given: Any) -> Any:
        model.steps_per_execution = together
        return WAYS[way](model, *given)

    whole = run(tmp_path / "whole", 0, save_freq, fit=fit)
    for power in (13 // together, 7 // together):
        with pytest.raises(Stop):
            run(tmp_path / "cut", power, save_freq, fit=fit)
    same(whole, run(tmp_path / "cut", 0, save_freq, fit=fit))


@pytest.mark.filterwarnings("ignore:.*(an epoch ended after|ran out of data after . of)")
@pytest.mark.parametrize("together", [1, 2])
@pytest.mark.parametrize("way", ["dataset", "iterable", "part of the data", "part of a dataset", "part of an iterable"])
def test_stopped_where_the_data_end(way: str, together: int, tmp_path: Path) -> None:
    """7 batches, after the last of which the backup is written, at the end of an epoch of 7 steps or of 1 to 5."""
    def fit(model: Any, *given: Any) -> Any:
        model.steps_per_execution = together
        return WAYS[way](model, *given)

    whole = run(tmp_path / "whole", 0, 7, fit=fit)
    with pytest.raises(Stop):
        run(tmp_path / "cut", 8 if together == 1 else 5, 7, fit=fit)
    same(whole, run(tmp_path / "cut", 0, 7, fit=fit))


def test_passes_of_one_batch(tmp_path: Path) -> None:
    def fit(model: Any, epochs: int, heard: Any) -> Any:
        return model.fit(Shuffled(len(X)), epochs=epochs, verbose=0, callbacks=heard, validation_data=(VX, VY))

    whole = run(tmp_path / "whole", fit=fit)
    for power in (2, 3):
        with pytest.raises(Stop):
            run(tmp_path / "cut", power, fit=fit)
    same(whole, run(tmp_path / "cut", fit=fit))


def test_layers_and_steps_with_state_of_their_own(tmp_path: Path) -> None:
    class Noisy(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.seeds = fastnn.random.SeedGenerator()
            self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x: Any) -> Any:
            self.seen.assign_add(1.0)
            return ops.add(x, ops.multiply(self.seen, fastnn.random.normal((1, 6), stddev=0.1, seed=self.seeds)))

    class Two(fastnn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.noise, self.body, self.head = Noisy(), layers.Dense(4, activation="tanh"), layers.Dense(2)
            self.second = optimizers.Adam(0.02)

        def call(self, x: Any) -> Any:
            return self.head(self.body(self.noise(x)))

        def train_step(self, data: Any) -> Any:
            x, y = data
            with fastnn.GradientTape() as tape:
                loss = ops.mean(ops.square(ops.subtract(y, self(x, training=True))))
            gradients = tape.gradient(loss, self.body.trainable_weights + self.head.trainable_weights)
            self.optimizer.apply(gradients[:2], self.body.trainable_weights)
            self.second.apply(gradients[2:], self.head.trainable_weights)
            return {"loss": loss}

    def program(power: int) -> tuple[Any, Any, list[Any]]:
        fastnn.random.set_seed(3)
        model = Two()
        model(X[:1])
        model.compile(optimizers.SGD(0.05, momentum=0.9), "mse")
        heard = [callbacks.BackupAndRestore(tmp_path / ("cut" if power >= 0 else "whole"), save_freq=4)]
        history = model.fit(X, Y, batch_size=10, epochs=4, verbose=0,
                            callbacks=[*heard, *([Power(power)] if power > 0 else [])])
        return model, history, []

    whole = program(-1)
    with pytest.raises(Stop):
        program(14)
    same(whole, program(0))
