"""ModelCheckpoint, the callbacks of the learning rate, and those that write or send the logs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers, models, optimizers
from fastnn.callbacks import CallbackList, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau
from tests.errors import assert_good_error
from tests.golden.common import wave

X, Y = wave(40, 4), wave(40, 1, phase=0.4)


def network(rate: Any = 0.1) -> Any:
    model = fastnn.Sequential([fastnn.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(1)])
    model.compile(optimizers.SGD(rate), "mse", metrics=["mae"])
    return model


class Fake:
    """As much of a model as checkpoints see: it notes what is saved, and its learning rate."""
    metrics = ()

    def __init__(self) -> None:
        self.saved: list[str] = []
        self.optimizer = optimizers.SGD(0.5)
        self.stop_training = False

    def save(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(path)

    def save_weights(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(path + " (weights)")


def epochs(callback: Any, logs: list[dict[str, float]], model: Any = None) -> Any:
    model = model or Fake()
    listeners = CallbackList(callback, model=model, epochs=len(logs))
    listeners.on_train_begin()
    for epoch, values in enumerate(logs):
        listeners.on_epoch_begin(epoch)
        listeners.on_epoch_end(epoch, values)
    listeners.on_train_end(logs[-1])
    return model


def losses(*values: float) -> list[dict[str, Any]]:
    return [{"loss": 1.0, "val_loss": v} for v in values]


# ---- ModelCheckpoint -----------------------------------------------------------------------------------------------

def test_a_file_for_each_epoch_with_its_numbers(capsys: Any) -> None:
    saver = ModelCheckpoint("{epoch:02d}-{val_loss:.2f}.fnn", verbose=1)
    assert epochs(saver, losses(0.5, 0.254)).saved == ["01-0.50.fnn", "02-0.25.fnn"] and saver.latest == "02-0.25.fnn"
    assert capsys.readouterr().out == ("ModelCheckpoint: epoch 1; saved 01-0.50.fnn.\n"
                                       "ModelCheckpoint: epoch 2; saved 02-0.25.fnn.\n")


def test_the_best_only(capsys: Any) -> None:
    saver = ModelCheckpoint("{epoch}.fnn", save_best_only=True, save_weights_only=True, verbose=1)
    assert epochs(saver, losses(0.5, 0.6, 0.4, np.nan)).saved == ["1.fnn (weights)", "3.fnn (weights)"]
    assert "epoch 2: val_loss 0.6 is not better than 0.5." in capsys.readouterr().out
    assert epochs(saver, losses(0.45, 0.3)).saved == ["2.fnn (weights)"]      # the best of the fit before counts
    first = ModelCheckpoint("{epoch}.fnn", save_best_only=True, initial_value_threshold=0.45)
    assert epochs(first, losses(0.5, 0.44)).saved == ["2.fnn"]
    rising = ModelCheckpoint("{epoch}.fnn", "val_accuracy", save_best_only=True)
    assert epochs(rising, [{"val_accuracy": v} for v in (0.5, 0.4, 0.6)]).saved == ["1.fnn", "3.fnn"]


def test_what_cannot_be_compared_is_saved_with_a_word() -> None:
    with pytest.warns(UserWarning, match="'val_loss' is not in the logs"):
        model = epochs(ModelCheckpoint("{epoch}.fnn", save_best_only=True), [{"loss": 1.0}] * 2)
    assert model.saved == ["1.fnn", "2.fnn"]
    with pytest.warns(UserWarning, match="several values"):
        model = epochs(ModelCheckpoint("m.fnn", "f", save_best_only=True, mode="max"), [{"f": [1.0, 2.0]}])
    assert model.saved == ["m.fnn"]
    assert epochs(ModelCheckpoint("m.fnn"), [{"loss": 1.0}]).saved == ["m.fnn"]       # nothing is watched: no word


def test_wrong_names_and_numbers() -> None:
    assert_good_error(lambda: epochs(ModelCheckpoint("{val_acc}.fnn"), losses(1)), KeyError, "'val_acc'", "val_loss")
    for wrong in ("batch", 0.5, 0, -1, True):
        with pytest.raises((ValueError, TypeError), match="save_freq"):
            ModelCheckpoint("m.fnn", save_freq=wrong)
    with pytest.raises(TypeError):
        ModelCheckpoint(3)      # type: ignore[arg-type]


def test_files_of_a_fit_load(tmp_path: Path, any_backend: str) -> None:
    saver = ModelCheckpoint(tmp_path / "deep" / "er" / "{epoch}.fnn")
    weights = ModelCheckpoint(tmp_path / "w-{epoch}-{batch}.weights.fnn", save_freq=3, save_weights_only=True)
    model = network()
    model.fit(X, Y, batch_size=10, epochs=3, verbose=0, callbacks=[saver, weights])
    found = models.load_model(tmp_path / "deep" / "er" / "3.fnn")
    np.testing.assert_array_equal(found.predict(X, verbose=0), model.predict(X, verbose=0))
    assert sorted(p.name for p in tmp_path.glob("w-*")) == [f"w-{e}-{b}.weights.fnn" for e, b in
                                                            ((1, 3), (2, 2), (3, 1), (3, 4))]
    other = network()
    other.load_weights(tmp_path / "w-3-4.weights.fnn")
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


# ---- learning rates ------------------------------------------------------------------------------------------------

def test_a_scheduler_sets_the_rate_of_each_epoch(any_backend: str) -> None:
    model = network()
    record = model.fit(X, Y, epochs=3, verbose=0, callbacks=LearningRateScheduler(lambda epoch, rate: rate / 2))
    assert record.history["learning_rate"] == pytest.approx([0.05, 0.025, 0.0125])
    record = model.fit(X, Y, epochs=2, verbose=0, callbacks=LearningRateScheduler(lambda epoch: 1 / (epoch + 1)))
    assert record.history["learning_rate"] == [1.0, 0.5]
    twin, by_hand = network(), network()
    for each in (twin, by_hand):
        each.set_weights(model.get_weights())
    twin.fit(X, Y, epochs=2, shuffle=False, verbose=0, callbacks=LearningRateScheduler(lambda e: [0.1, 0.01][e]))
    for rate in (0.1, 0.01):
        by_hand.optimizer.learning_rate = rate
        by_hand.fit(X, Y, shuffle=False, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(twin.get_weights(), by_hand.get_weights()))


def test_what_a_scheduler_gives_is_checked(capsys: Any) -> None:
    for wrong in ("fast", None, np.nan, -1.0, [0.1]):
        with pytest.raises((TypeError, ValueError), match="what schedule gives for epoch 0"):
            network().fit(X, Y, verbose=0, callbacks=LearningRateScheduler(lambda epoch, *, wrong=wrong: wrong))
    with pytest.raises(TypeError, match="needs a function"):
        LearningRateScheduler(0.1)      # type: ignore[arg-type]
    network().fit(X, Y, verbose=0, callbacks=LearningRateScheduler(lambda epoch: 0.25, verbose=1))
    assert capsys.readouterr().out == "LearningRateScheduler: epoch 1: learning rate 0.25.\n"

    def broken(epoch: int, rate: float) -> float:
        raise TypeError("my own")       # is not taken for another number of arguments

    with pytest.raises(TypeError, match="my own"):
        network().fit(X, Y, verbose=0, callbacks=LearningRateScheduler(broken))


def test_a_schedule_and_a_callback_do_not_go_together() -> None:
    class Constant(optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return fastnn.ops.multiply(fastnn.ops.cast(step, "float32"), 0.0) + 0.1

    for callback in (LearningRateScheduler(lambda e: 0.1), ReduceLROnPlateau("loss")):
        assert_good_error(lambda callback=callback: network(Constant()).fit(X, Y, verbose=0, callbacks=callback),
                          ValueError, "Constant", "needs a number")


def rates(callback: Any, *values: float) -> list[float]:
    logs = losses(*values)
    epochs(callback, logs)
    return [each["learning_rate"] for each in logs]


def test_a_plateau_reduces_the_rate(capsys: Any) -> None:
    reduce = ReduceLROnPlateau(factor=0.1, patience=2, verbose=1)
    assert rates(reduce, 3, 2, 2, 2, 2, 2, 2) == pytest.approx([0.5, 0.5, 0.5, 0.5, 0.05, 0.05, 0.005])
    assert "epoch 4: learning rate 0.05." in capsys.readouterr().out
    assert rates(ReduceLROnPlateau(patience=1, cooldown=2), 2, 2, 2, 2, 2, 2) == pytest.approx(
        [0.5, 0.5, 0.05, 0.05, 0.005, 0.005])
    assert rates(ReduceLROnPlateau(patience=1, min_lr=0.2), 2, 2, 2, 2) == pytest.approx([0.5, 0.5, 0.2, 0.2])
    assert rates(ReduceLROnPlateau(patience=1, min_delta=0.5), 3, 2.6, 2.4) == pytest.approx([0.5, 0.5, 0.05])
    for wrong in ({"factor": 1.0}, {"factor": 0}, {"patience": -1}, {"cooldown": -1}, {"min_lr": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ReduceLROnPlateau(**wrong)


# ---- averages of the weights ---------------------------------------------------------------------------------------

def averaged(*heard: Any, **arguments: Any) -> Any:
    """A model trained with averages."""
    fastnn.random.set_seed(3)
    model = fastnn.Sequential([fastnn.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(1)])
    model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8), "mse")
    model.fit(X, Y, epochs=3, batch_size=10, shuffle=False, verbose=0, callbacks=list(heard), **arguments)
    return model


def test_validation_sees_the_averages_and_training_the_weights(tmp_path: Path, any_backend: str) -> None:
    plain = averaged(validation_data=(X, Y))
    seen: list[Any] = []
    look = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["val_loss"]))
    swapping = averaged(callbacks.SwapEMAWeights(), look, validation_data=(X, Y))
    assert all(np.array_equal(a, b) for a, b in zip(plain.get_weights(), swapping.get_weights()))
    assert seen != plain.history["val_loss"] and swapping.history["loss"] == plain.history["loss"]
    assert seen[-1] == pytest.approx(swapping.evaluate(X, Y, verbose=0), rel=1e-6)      # the averages, after fit
    saver = ModelCheckpoint(tmp_path / "{epoch}.fnn")
    kept = averaged(callbacks.SwapEMAWeights(swap_on_epoch=True), saver, validation_data=(X, Y))
    assert all(np.array_equal(a, b) for a, b in zip(plain.get_weights(), kept.get_weights()))
    assert models.load_model(tmp_path / "2.fnn").evaluate(X, Y, verbose=0) == pytest.approx(seen[1], rel=1e-6)


def test_a_whole_fit_with_averages_is_whole_again(tmp_path: Path) -> None:
    def weights() -> list[Any]:
        return averaged(callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False),
                        callbacks.SwapEMAWeights(swap_on_epoch=True)).get_weights()

    assert all(np.array_equal(a, b) for a, b in zip(weights(), weights()))


def test_averages_that_are_not_kept() -> None:
    assert_good_error(lambda: network().fit(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()]), ValueError,
                      "use_ema=True")
