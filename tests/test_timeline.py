"""fit(record=…): the epochs of a fit, models of then, and fits that go on from there with the same bits."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, callbacks, layers, optimizers, plotting
from fastnn.callbacks import History
from fastnn.plotting import confusion_counts
from tests.test_diagnostics import FAMILIES
from tests.test_doctor import X, Y

PLANE = X[:, :2]


def compiled(family: str, optimizer: Any = None) -> tuple[Any, Any, Any]:
    fastnn.random.set_seed(3)
    make, x = FAMILIES[family]
    model = make()
    model.compile(optimizer or optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model, x, Y[:len(x)]


def noisy(optimizer: Any = None) -> Any:
    """With whatever draws random numbers and carries state."""
    fastnn.random.set_seed(5)
    model = Sequential([Input((2,)), layers.Dense(8, activation="tanh"), layers.BatchNormalization(momentum=0.5),
                        layers.Dropout(0.2), layers.GaussianNoise(0.1), layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer or optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy", "auc"])
    return model


def sizes(timeline: Any) -> int:
    return sum(array.nbytes for each in timeline.found.values() for array in each.arrays.values())


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_goes_on_with_the_same_bits(family: str) -> None:
    plain, x, y = compiled(family)
    kept: list[Any] = [plain.get_weights()]
    plain.fit(x, y, epochs=4, verbose=0, callbacks=[
        callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(plain.get_weights()))])
    model, x, y = compiled(family)
    history = model.fit(x, y, epochs=4, verbose=0, record="epochs")
    assert same(plain.get_weights(), model.get_weights()), "recording changes the training"
    for epoch in range(5):
        assert same(history.at(epoch).weights, kept[epoch]) and same(history.at(epoch).model.get_weights(), kept[epoch])
    for epoch in (0, 2, 3):
        on = history.at(epoch).branch()
        assert same(on.model.get_weights(), model.get_weights()) and on.history == history.history
        assert on.epoch == history.epoch and on.model is not model and same(model.get_weights(), plain.get_weights())


def undecayed() -> Any:
    optimizer = optimizers.AdamW(0.05, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize("optimizer", [
    undecayed(), optimizers.SGD(0.1, momentum=0.9),
    optimizers.RMSprop(optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)),
    optimizers.Adam(0.02, use_ema=True, ema_overwrite_frequency=7), optimizers.SGD(0.1, gradient_accumulation_steps=3)])
def test_noise_schedules_and_callbacks_go_on_too(optimizer: Any) -> None:
    model, before = noisy(optimizer), fastnn.seeds.get_state()
    given = dict(batch_size=33, epochs=12, verbose=0, validation_split=0.2, evaluate_train=True)
    if optimizer.schedule is None:
        given["callbacks"] = [callbacks.ReduceLROnPlateau(factor=0.5, patience=2), callbacks.EarlyStopping(patience=4)]
    history = model.fit(PLANE, Y, record="epochs", **given)
    assert fastnn.seeds.get_state() == before
    on = history.at(5).branch()
    assert same(on.model.get_weights(), model.get_weights()) and on.history == history.history
    assert fastnn.seeds.get_state() == before and on.at(3).epoch == 3 and on.at(len(on.epoch)).epoch == len(on.epoch)


def test_the_model_of_then_is_compiled_and_goes_into_every_plot() -> None:
    model = noisy()
    history = model.fit(PLANE, Y, epochs=6, verbose=0, record="epochs", validation_data=(PLANE, Y))
    then = history.at(2)
    loss, accuracy, _ = then.model.evaluate(PLANE, Y, verbose=0)
    assert loss == pytest.approx(history["val_loss"][1], rel=1e-5) and then.logs["val_loss"] == history["val_loss"][1]
    assert accuracy == pytest.approx(history["val_accuracy"][1]) and then.model is then.model
    assert plotting.decision_boundary(then.model, PLANE, Y).axes
    counts = confusion_counts(Y, then.model.predict(PLANE, verbose=0))
    assert counts.trace() / counts.sum() == pytest.approx(accuracy)
    assert int(then.model.optimizer.iterations) == 2 * 10 and "epoch 2: " in repr(then) and "auc" in repr(then)
    assert not history.at(0).logs and repr(history.at(0)) == "<Snapshot after epoch 0>"
    images, x, y = compiled("convolution")
    then = images.fit(x, y, epochs=2, verbose=0, record="epochs").at(1)
    maps = fastnn.Model(then.model.inputs, then.model.layers[0].output).predict(x[:1], verbose=0)
    assert maps.shape == (1, 6, 6, 4)


def test_a_branch_goes_another_way() -> None:
    model = noisy()
    history = model.fit(PLANE, Y, epochs=8, verbose=0, record="epochs")
    fast = history.at(4).branch(epochs=10, learning_rate=0.5)
    assert fast["loss"][:4] == history["loss"][:4] and fast["loss"][4:] != history["loss"][4:]
    assert len(fast.epoch) == 10 and float(fast.model.optimizer.learning_rate) == 0.5
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02) and len(history.epoch) == 8
    other = history.at(4).branch(batch_size=300, callbacks=[callbacks.EarlyStopping("loss", patience=0, baseline=0.0)])
    assert len(other.epoch) < 8
    again = fast.at(6).branch()
    assert same(again.model.get_weights(), fast.model.get_weights())
    with pytest.raises(ValueError, match=r"branch\(\): epochs is 4 and 4 have been; needs more"):
        history.at(4).branch(epochs=4)


def test_what_is_kept_and_what_is_not() -> None:
    model = noisy()
    history = model.fit(PLANE, Y, epochs=8, verbose=0, record=fastnn.Every(3))
    with pytest.raises(KeyError, match=r"history.at\(4\): kept are the epochs 0, 3, 6, 8; the nearest is 3"):
        history.at(4)
    assert same(history.at(8).weights, model.get_weights())
    with pytest.raises(RuntimeError, match=r"no epochs were recorded; fit with record='epochs'"):
        model.fit(PLANE, Y, epochs=1, verbose=0).at(1)
    for other in (pickle.loads(pickle.dumps(history)), History.from_json(history.to_json())):
        assert other.history == history.history
        with pytest.raises(RuntimeError, match="pickled or loaded has left them behind"):
            other.at(3)
    for wrong in ("epoch", 3, {"each": 2}, True):
        with pytest.raises((TypeError, ValueError), match=r"fit\(\): record is .*; needs 'epochs', fastnn.Every\(5\)"):
            model.fit(PLANE, Y, verbose=0, record=wrong)


def test_a_full_memory_keeps_every_second_and_says_so() -> None:
    fastnn.random.set_seed(1)
    model = Sequential([Input((2,)), layers.Dense(10_000, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    with pytest.warns(UserWarning, match=r"record: \d+ epochs of sequential.* MB, more than 3; one of 2 is kept"):
        history = model.fit(PLANE[:8], Y[:8], epochs=9, verbose=0, record={"every": 1, "megabytes": 3})
    kept = sorted(history._timeline.found)
    assert kept[0] == 0 and kept[-1] == 9 and len(kept) < 7 and history._timeline.bytes <= 3e6
    assert history._timeline.bytes == sizes(history._timeline)
    assert same(history.at(9).weights, model.get_weights())
    with pytest.warns(UserWarning, match="one of 2 is kept"):
        on = history.at(kept[1]).branch()
    assert same(on.model.get_weights(), model.get_weights())


def test_batches_of_a_generator_have_to_be_given_again() -> None:
    def batches() -> Any:
        for i in range(1000):
            rows = np.random.default_rng(i).integers(0, 300, 32)
            yield PLANE[rows], Y[rows]
    model = noisy()
    history = model.fit(batches(), steps_per_epoch=4, epochs=5, verbose=0, record="epochs")
    with pytest.raises(ValueError, match=r"branch\(\): x was a generator, which has been read.*x="):
        history.at(2).branch()
    on = history.at(2).branch(x=batches())
    assert same(on.model.get_weights(), model.get_weights()) and on.history == history.history


def test_callbacks_that_write_files_stay_behind(tmp_path: Path) -> None:
    model, path = noisy(), tmp_path / "log.csv"
    history = model.fit(PLANE, Y, epochs=4, verbose=0, record="epochs",
                        callbacks=[callbacks.CSVLogger(str(path)), callbacks.TerminateOnNaN()])
    text = path.read_text()
    with pytest.warns(UserWarning, match="goes on without CSVLogger, which would write over the files"):
        on = history.at(2).branch()
    assert path.read_text() == text and same(on.model.get_weights(), model.get_weights())


def test_a_resumed_and_an_interrupted_fit_are_recorded(tmp_path: Path) -> None:
    """BackupAndRestore goes on in a new model; what was before is not in its timeline."""
    whole = noisy()
    whole.fit(PLANE, Y, epochs=6, verbose=0)

    def stop(epoch: int, logs: Any) -> None:
        if epoch == 3:
            raise KeyboardInterrupt
    model = noisy()
    with pytest.raises(KeyboardInterrupt):
        model.fit(PLANE, Y, epochs=6, verbose=0, record="epochs", callbacks=[
            callbacks.BackupAndRestore(tmp_path), callbacks.LambdaCallback(on_epoch_end=stop)])
    assert model.history is not None and model.history.interrupted
    assert sorted(model.history._timeline.found) == [0, 1, 2, 3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert same(model.history.at(2).branch(callbacks=None).model.get_weights(), whole.get_weights())
    resumed = noisy()
    history = resumed.fit(PLANE, Y, epochs=6, verbose=0, record="epochs",
                          callbacks=[callbacks.BackupAndRestore(tmp_path)])
    assert same(resumed.get_weights(), whole.get_weights()) and sorted(history._timeline.found) == [3, 4, 5, 6]


def test_a_network_with_attention_is_backed_up(tmp_path: Path) -> None:
    """Its gradients are put together from parts, and are no state of the training."""
    model, x, y = compiled("attention")
    model.fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)])
    resumed, x, y = compiled("attention")
    history = resumed.fit(x, y, epochs=4, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path)])
    whole, x, y = compiled("attention")
    whole.fit(x, y, epochs=4, verbose=0)
    assert same(resumed.get_weights(), whole.get_weights()) and len(history.epoch) == 4


def test_one_history_of_two_fits() -> None:
    model, record = noisy(), History()
    for _ in range(2):
        model.fit(PLANE, Y, epochs=3, verbose=0, record="epochs", callbacks=[record])
    assert sorted(record._timeline.found) == [0, 1, 2, 3, 4, 5, 6] and record.runs == [0, 3]
    assert record._timeline.bytes == sizes(record._timeline)
    assert same(record.at(6).weights, model.get_weights())


@pytest.mark.parametrize("name", ["film.gif", "film.html"])
def test_a_film_over_the_epochs(name: str, tmp_path: Path) -> None:
    model = noisy()
    history = model.fit(PLANE, Y, epochs=2, verbose=0, record="epochs")
    path = tmp_path / name
    assert history.animate(lambda then, ax: ax.plot(then.weights[0].ravel()), path, seconds=1, size=(2, 2)) == str(path)
    if name.endswith("gif"):
        from PIL import Image
        with Image.open(path) as film:
            assert getattr(film, "n_frames", 1) >= 3
    else:
        text = path.read_text()
        assert text.count("iVBORw0KGgo") == 3 and "http" not in text      # PNGs, and nothing from elsewhere
    with pytest.raises(ValueError, match=r"animate\(\): got a file ending in '.mp4'; needs .gif or .html"):
        history.animate(lambda then, ax: None, tmp_path / "film.mp4")
