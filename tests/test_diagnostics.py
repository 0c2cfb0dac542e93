"""The report of the doctor, and Diagnostics beside a fit: nothing changes, every family of networks, every source."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, callbacks, layers, metrics, ops, optimizers
from fastnn.callbacks import Diagnostics
from fastnn.examples._cells import Lesson
from tests.conftest import shared
from tests.test_doctor import MEASURED, Y3, X, Y, net, seen, softmax, with_nan

SEQUENCES = np.random.default_rng(5).normal(size=(64, 7, 4)).astype(np.float32)
IMAGES = np.random.default_rng(6).random((64, 8, 8, 1)).astype(np.float32)
WORDS = np.random.default_rng(7).integers(0, 20, (64, 6))


def attention() -> Any:
    words = Input((6,), dtype="int32")
    x = layers.Embedding(20, 8)(words)
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)]))
    return fastnn.Model(words, layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(x)))


def chain(*inner: Any, shape: Any) -> Any:
    return Sequential([Input(shape), *inner, layers.Dense(1, activation="sigmoid")])


FAMILIES: dict[str, tuple[Callable[[], Any], Any]] = {
    "dense": (lambda: chain(layers.Dense(8, activation="relu"), shape=(4,)), X[:64]),
    "convolution": (lambda: chain(layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(momentum=0.5),
                                  layers.MaxPooling2D(), layers.Flatten(), shape=(8, 8, 1)), IMAGES),
    "recurrent": (lambda: chain(layers.SimpleRNN(6, return_sequences=True), layers.GRU(6), shape=(7, 4)), SEQUENCES),
    "attention": (attention, WORDS),
}


def compiled(family: str) -> tuple[Any, Any, Any]:
    fastnn.random.set_seed(3)
    make, x = FAMILIES[family]
    model = make()
    model.compile(optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model, x, Y[:64]


def state(model: Any) -> dict[int, Any]:
    """What training takes from step to step, but where it reads: every pass begins at the first row."""
    kept = [*model.weights, *(t for t in model._steps.state() if t.name not in ("cursor", "order", "keys"))]
    return {id(t): t.data.copy() for t in kept}


@pytest.mark.parametrize("family", FAMILIES)
def test_it_looks_at_every_family_and_changes_nothing(family: str) -> None:
    """A fit with Diagnostics, and doctors before and after, has the bits of one without."""
    plain, x, y = compiled(family)
    plain.fit(x, y, epochs=3, verbose=0)
    watched, x, y = compiled(family)
    before = fastnn.doctor(watched, x, y)
    watch = Diagnostics(every=1, verbose=0)
    watched.fit(x, y, epochs=2, verbose=0, callbacks=[watch])
    kept = state(watched)
    after = fastnn.doctor(watched, x, y)
    now = state(watched)
    assert kept.keys() <= now.keys() and all(np.array_equal(kept[key], now[key]) for key in kept)
    watched.fit(x, y, epochs=1, verbose=0, callbacks=[watch])
    assert all(np.array_equal(a, b) for a, b in zip(plain.get_weights(), watched.get_weights()))
    assert not before.names and not after.names and not watch.diagnosis.names, f"{before}\n{after}\n{watch.diagnosis}"
    assert after.walk is not None and [f"{w.layer}/{w.weight}" for w in after.walk.weights] == [
        w.name for w in watched.trainable_weights]


def test_the_numbers_of_the_walk_are_those_of_the_step() -> None:
    """Loss, gradient and movement are what train_on_batch does with the same samples."""
    model = net(optimizer=optimizers.SGD(0.1))
    x, y = X[:100], Y[:100]
    walk = fastnn.doctor(model, x, y).walk
    before = model.get_weights()
    loss = model.train_on_batch(x, y)
    again = model.test_on_batch(x, y)
    assert walk is not None
    assert walk.loss == pytest.approx(loss, rel=1e-6) and walk.after == pytest.approx(again, rel=1e-5)
    moved = [np.linalg.norm(b - a) for a, b in zip(before, model.get_weights())]
    np.testing.assert_allclose([w.norm * 0.1 for w in walk.weights], moved, rtol=1e-4)
    np.testing.assert_allclose(walk.weights[0].ratio, moved[0] / np.linalg.norm(before[0]), rtol=1e-5)


class OwnStep(fastnn.Model):
    """Makes its weights when it is called, and writes its training step."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.last = layers.Dense(8, activation="relu"), layers.Dense(1)
        self.own_loss = metrics.Mean(name="loss")

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with fastnn.GradientTape() as tape:
            given = self.last(self.inner(ops.add(x, fastnn.random.normal(x.shape, stddev=0.01))))
            loss = ops.mean(ops.square(ops.subtract(given, y)))
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        self.own_loss.update_state(loss)
        return {"loss": self.own_loss.result()}


def test_a_model_that_writes_its_step_and_has_no_weights_yet() -> None:
    kept = []
    for looked_at in (False, True):
        fastnn.random.set_seed(4)
        model = OwnStep()
        model.compile(optimizers.Adam(0.01))
        x, y = X[:64], MEASURED[:64, None]
        found = fastnn.doctor(model, x, y) if looked_at else None
        model.fit(x, y, epochs=2, verbose=0, callbacks=[Diagnostics(every=1, verbose=0)] if looked_at else None)
        kept.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*kept))
    assert found is not None and found.walk is not None and not found.names and len(found.walk.weights) == 4


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_report_is_as_wide_as_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    found = seen(net(layers.Dropout(0.9), optimizer=optimizers.Adam(3.0)), X * 500)
    assert max(map(len, str(found).splitlines())) <= columns
    for finding in found:
        assert finding.name in str(found) and f"chapter {finding.chapter}" in str(found)
    assert found["dropout too high"] is found[found.names.index("dropout too high")] and len(found) == len(list(found))
    assert "inputs not scaled" in found and "overfitting" not in found and bool(seen(net()))
    with pytest.raises(KeyError, match="no 'flu'; there are"):
        found["flu"]


def test_in_a_notebook_it_shows_itself_and_escapes_names() -> None:
    model = net(layers.Dropout(0.9, name="a<b>"))
    text = seen(model)._repr_html_()
    assert "dropout too high" in text and "a&lt;b&gt;" in text and "<b>a<b>" not in text
    assert text.count("<div") == text.count("</div>") and "<table>" in text


def test_diagnostics_reports_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    model = net(optimizer=optimizers.Adam(1e-9))
    watch = Diagnostics()
    model.fit(X, Y, epochs=6, verbose=0, callbacks=[watch])
    assert "learning rate too low" in watch.diagnosis and "learning rate too low" in capsys.readouterr().out
    assert list(watch.courses) == [1, 2, 3, 4, 5, 6] and watch.courses[1].rows == 256


def test_diagnostics_sees_a_fit_that_diverges() -> None:
    model = net(last="linear", loss="mse", optimizer=optimizers.SGD(3.0))
    watch = Diagnostics(verbose=0)
    with pytest.warns(RuntimeWarning, match="not finite"):
        model.fit(X, MEASURED, epochs=10, verbose=0, callbacks=[callbacks.TerminateOnNaN(), watch])
    assert "not a number" in watch.diagnosis


def test_diagnostics_sees_units_die() -> None:
    inner = layers.Dense(32, activation="relu"), layers.Dense(32, activation="relu")
    model = net(*inner, optimizer=optimizers.Adam(0.5))
    watch = Diagnostics(every=1, verbose=0)
    model.fit(X, Y, epochs=4, verbose=0, callbacks=[watch])
    assert "dead units" in watch.diagnosis and watch.courses[1].units[0].share < 0.5
    assert watch.courses[4].units[1].share > 0.5


def test_a_generator_is_looked_at_by_its_last_batch() -> None:
    def batches() -> Any:
        while True:
            yield X[:40], Y[:40]
    model, watch = net(optimizer=optimizers.Adam(50.0)), Diagnostics(verbose=0)
    model.fit(batches(), steps_per_epoch=5, epochs=3, verbose=0, callbacks=[watch])
    assert watch.diagnosis.walk.rows == 40 and watch.diagnosis.names
    twin = net(optimizer=optimizers.Adam(50.0))
    twin.fit(batches(), steps_per_epoch=5, epochs=3, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), twin.get_weights()))


def test_what_it_cannot_take_is_refused_by_name() -> None:
    with pytest.raises(RuntimeError, match=r"doctor\(\): the model is not compiled"):
        fastnn.doctor(Sequential([Input((4,)), layers.Dense(1)]), X, Y)
    with pytest.raises((TypeError, ValueError), match="Diagnostics: every"):
        Diagnostics(every=0)
    with pytest.raises(TypeError, match="Diagnostics: verbose is 'no'; needs True or False"):
        Diagnostics(verbose="no")  # type: ignore[arg-type]
    found = fastnn.doctor(softmax(), X, Y3, X)
    assert found.names == ["refused"] and "validation_data needs (x, y)" in str(found)
    assert seen(with_nan()).names == ["not a number"]


AILING = {      # what lessons show on purpose
    "overfitting": {"overfitting"},
    "learning_rate": {"learning rate too high", "saturated units", "same answer for all", "underfitting"},
    "batchnorm": {"vanishing gradient"},
    "depth": {"vanishing gradient"},
    "dying_relu": {"dead units", "learning rate too high"},
    "epochs_batches": {"underfitting"},                     # noise; one step an epoch
    "losses": {"underfitting"},                             # squares, led astray by outliers
    "tuning": {"overfitting"},                              # at the highest rate
    "bias_variance": {"weights that never move"},           # a line's bias where it is best, to the last bit
    "xor": {"underfitting", "same answer for all", "saturated units"},     # two hidden neurons that are stuck
}
MNIST = {"mnist_mlp", "mnist_cnn", "augmentation", "gan", "vae"}
QUICK = ["breast_cancer", "digits", "housing", "regularization", "optimizers", "custom_layer"]


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in sorted(
    set(fastnn.examples.LESSONS) - set(QUICK)))])
def test_the_nets_of_the_lessons_are_healthy(name: str, monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor before each fit of a lesson, and Diagnostics beside it, report what the lesson shows, or nothing."""
    found: list[tuple[str, str]] = []
    fit = fastnn.Model.fit

    def watched(model: Any, *args: Any, **options: Any) -> Any:
        x, y = (*args, None, None)[:2]
        if isinstance(x, np.ndarray):
            found.extend((f.name, str(f)) for f in fastnn.doctor(model, x, y, options.get("validation_data")))
        given = options.pop("callbacks", None) or []
        watch = Diagnostics(verbose=0)
        history = fit(model, *args, callbacks=[*(given if isinstance(given, list) else [given]), watch], **options)
        found.extend((f.name, str(f)) for f in watch.diagnosis or ())
        return history

    monkeypatch.setattr(fastnn.Model, "fit", watched)
    Lesson(name).run(**({"data": str(shared("mnist"))} if name in MNIST else {}))
    strange = [text for illness, text in found if illness not in AILING.get(name, set())]
    assert not strange, "\n".join(strange)


