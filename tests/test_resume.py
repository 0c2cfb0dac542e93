"""A fit that was stopped anywhere and run again has the bits of one that never stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers, ops, optimizers
from fastnn.errors import ModelFileError
from fastnn.preprocessing.sequence import TimeseriesGenerator
from fastnn.utils import PyDataset
from tests.conftest import needs_c
from tests.errors import assert_good_error, weights_hash
from tests.golden.common import wave

X, Y = wave(50, 6), wave(50, 2, phase=0.4)
VX, VY = wave(20, 6, phase=0.1), wave(20, 2, phase=0.3)


class Halving(optimizers.schedules.LearningRateSchedule):
    """0.02 / (1 + step / 10)."""

    def __call__(self, step: Any) -> Any:
        return ops.divide(0.02, ops.add(1.0, ops.divide(ops.cast(step, "float32"), 10.0)))


class Counting(callbacks.Callback):
    """A user's own state: a list and a number."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.batches = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.batches += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.losses.append(logs["loss"])


class Stop(Exception):
    """The power goes."""


class Power(callbacks.Callback):
    """Raises after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def get_state(self) -> dict[str, Any]:
        return {}

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left:
            raise Stop


def network(optimizer: str = "momentum") -> Any:
    fastnn.random.set_seed(11)
    model = fastnn.Sequential([fastnn.Input((6,)), layers.Dense(8, activation="relu"), layers.BatchNormalization(),
                               layers.Dropout(0.3), layers.Dense(2)])
    made = {"momentum": lambda: optimizers.SGD(Halving(), momentum=0.9), "adam": lambda: optimizers.Adam(0.01),
            "rmsprop": lambda: optimizers.RMSprop(0.003),
            "muon": lambda: optimizers.Muon(0.01), "lamb": lambda: optimizers.Lamb(0.01),
            "averaged": lambda: optimizers.SGD(Halving(), momentum=0.9, use_ema=True, ema_momentum=0.9,
                                               ema_overwrite_frequency=5, gradient_accumulation_steps=2)}[optimizer]()
    model.compile(made, "mse", metrics=["mae"])
    return model


def watchers() -> list[Any]:
    return [callbacks.EarlyStopping(patience=3, restore_best_weights=True), Counting()]


def run(folder: Path, power: int = 0, save_freq: Any = "epoch", optimizer: str = "momentum", epochs: int = 6,
        fit: Callable[..., Any] | None = None) -> tuple[Any, Any, list[Any]]:
    """(model, history, callbacks) of a program that is run from its first line."""
    model, heard = network(optimizer), watchers()
    if optimizer in ("adam", "rmsprop"):
        heard.append(callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.5, min_delta=0.05))
    backup = callbacks.BackupAndRestore(folder, save_freq=save_freq, delete_checkpoint=False)
    every = [backup, *heard, *([Power(power)] if power else [])]
    if fit is None:
        history = model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, validation_data=(VX, VY), callbacks=every)
    else:
        history = fit(model, epochs, every)
    return model, history, heard


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


def test_the_folder_goes_with_the_end_of_the_fit(tmp_path: Path) -> None:
    model = network()
    backup = callbacks.BackupAndRestore(tmp_path / "b")
    seen: list[bool] = []
    look = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(backup.path.exists()))
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[backup, look])
    assert seen == [False, True] and not (tmp_path / "b").exists()


def test_a_resumed_fit_may_save_at_other_steps(tmp_path: Path) -> None:
    def saved(save_freq: int, power: int = 0) -> list[str]:
        folder = tmp_path / str(save_freq)
        kept = callbacks.ModelCheckpoint(folder / "{epoch}-{batch}.fnn", save_freq=save_freq)
        network().fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[
            callbacks.BackupAndRestore(tmp_path / "b"), kept, *([Power(power)] if power else [])])
        return sorted(path.stem for path in folder.iterdir())

    with pytest.raises(Stop):
        saved(5, power=8)
    assert saved(2) == ["2-1", "2-3", "2-5", "2-7"]


def test_a_damaged_backup_and_the_one_before(tmp_path: Path) -> None:
    def program(power: int = 0, double: bool = True) -> Any:
        model = network()
        kept = callbacks.BackupAndRestore(tmp_path / "b", double_checkpoint=double)
        model.fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[kept, *([Power(power)] if power else [])])
        return model

    whole = program()
    with pytest.raises(Stop):
        program(25)
    (tmp_path / "b" / "latest.fnn").write_bytes(b"0")
    with pytest.warns(UserWarning, match="the backup before it"):
        assert weights_hash(program()) == weights_hash(whole)
    with pytest.raises(Stop):
        program(9, double=False)
    (tmp_path / "b" / "latest.fnn").write_bytes(b"0")
    assert_good_error(lambda: program(double=False), ModelFileError, "1 bytes")


def test_other_programs_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(tmp_path / "cut", 17)
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "cut", kept)
    backup = callbacks.BackupAndRestore(kept, delete_checkpoint=False)
    assert_good_error(lambda: network().fit(X, Y, batch_size=16, epochs=6, verbose=0, callbacks=[backup, *watchers()],
                                            validation_data=(VX, VY)), ValueError, "7 batches of 8", "4 batches of 16")
    with pytest.warns(UserWarning, match="the data are not those"):
        network().fit(X + 1, Y, batch_size=8, epochs=3, verbose=0, callbacks=[backup, *watchers()],
                      validation_data=(VX, VY))
    shutil.copytree(tmp_path / "cut", kept, dirs_exist_ok=True)
    with pytest.warns(UserWarning, match="had the callbacks .* too"):
        network().fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[backup], validation_data=(VX, VY))
    model = network()
    model.save(kept / "latest.fnn")
    assert_good_error(lambda: network().fit(X, Y, verbose=0, callbacks=[backup]), ModelFileError, "no fit")


def test_a_variable_that_nobody_holds_is_refused(tmp_path: Path) -> None:
    hidden = fastnn.Variable(np.zeros((), np.float32), "hidden", trainable=False)

    class Hiding(layers.Layer):
        def call(self, x: Any) -> Any:
            hidden.assign_add(1.0)
            return ops.multiply(x, 1.0)

    model = fastnn.Sequential([fastnn.Input((6,)), Hiding(), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"'hidden'.*no weight"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path / "b")])


SCRIPT = """
import sys
from pathlib import Path
from tests.test_resume import run
from tests.errors import weights_hash
print("ready", flush=True)
model, history, _ = run(Path(sys.argv[1]), 0, int(sys.argv[2]), "averaged", epochs=40)
print(weights_hash(model), history.history["loss"], flush=True)
"""


def killed_and_resumed(folder: Path, save_freq: int, waits: list[float]) -> str:
    """What the program prints in the end, killed so many seconds after it was ready, again and again."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(save_freq)]
    where = {"cwd": Path(__file__).parents[1], "text": True, "stdout": subprocess.PIPE}
    for wait in waits:
        with subprocess.Popen(command, **where) as process:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
    done = subprocess.run(command, **where, check=True, timeout=300)
    return str(done.stdout)


@needs_c
@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_killed_anywhere_and_resumed(tmp_path: Path) -> None:
    whole = killed_and_resumed(tmp_path / "whole", 3, [])
    assert killed_and_resumed(tmp_path / "cut", 3, [0.25]) == whole


@needs_c
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_killed_at_fifty_points(tmp_path: Path) -> None:
    whole = killed_and_resumed(tmp_path / "whole", 3, [])
    waits = np.random.default_rng(0).uniform(0.0, 0.5, 50).round(3).tolist()
    assert killed_and_resumed(tmp_path / "cut", 3, waits) == whole
