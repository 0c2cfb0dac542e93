"""train_step, test_step, predict_step, compute_loss, compute_metrics and metrics that a model writes itself."""

import warnings
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Model, Sequential, layers, losses, metrics, ops, optimizers

X = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
Y = X[:, :3].argmax(1)


class Net(Model):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = layers.Dense(8, activation="tanh"), layers.Dense(3, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.out(self.hidden(x))


class OwnTrain(Net):
    """What the built-in step does, written out as Keras' guide does."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, ops.convert_to_tensor(float(x.shape[0])))
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class OwnParts(Net):
    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        return super().compute_loss(x, y, y_pred, sample_weight)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return {**super().compute_metrics(x, y, y_pred, sample_weight), "one": 1.0}


class OldNames(Net):
    """As TensorFlow 2's guides wrote it."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data: Any) -> Any:
        x, y = data
        y_pred = self(x, training=False)
        self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


def compiled(model: Any, **more: Any) -> Any:
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"], **more)
    return model


def made(cls: type, **more: Any) -> Any:
    fastnn.random.set_seed(3)
    return compiled(cls(), **more)


@pytest.mark.parametrize("cls", [OwnTrain, OwnParts, OldNames])
@pytest.mark.parametrize("verbose", [0, 2])
def test_the_same_as_the_built_in_step(any_backend: str, cls: type, verbose: int, capsys: Any) -> None:
    found = []
    for each in (Net, cls):
        model = made(each)
        history = model.fit(X, Y, epochs=6, batch_size=16, verbose=verbose, validation_data=(X[:10], Y[:10]))
        found.append(({k: v for k, v in history.history.items() if "one" not in k}, model.get_weights(),
                      model.evaluate(X, Y, verbose=0)))
        assert int(model.optimizer.iterations) == 24
    (a, aw, ae), (b, bw, be) = found
    assert a.keys() == b.keys()
    for key in a:
        np.testing.assert_allclose(a[key], b[key], rtol=1e-5)
    for v, w in zip(aw, bw):
        np.testing.assert_allclose(v, w, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ae, be[:2], rtol=1e-5)
    capsys.readouterr()


def test_it_is_recorded_once_and_replayed(any_backend: str) -> None:
    runs = []

    class Counting(OwnTrain):
        def train_step(self, data: Any) -> Any:
            runs.append(len(data[0]))
            return super().train_step(data)

    model = made(Counting)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, epochs=20, batch_size=16, verbose=0)
        model.fit(X, Y, epochs=20, batch_size=16, verbose=0)
    assert len(runs) <= 5 and int(model.optimizer.iterations) == 160
    assert len(model.history.history["accuracy"]) == 20
    assert model.history.history["accuracy"][-1] == pytest.approx(model.evaluate(X, Y, verbose=0)[1], abs=0.1)


class GAN(Model):
    def __init__(self, discriminator: Any, generator: Any) -> None:
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.d_mean, self.g_mean = metrics.Mean(name="d_loss"), metrics.Mean(name="g_loss")
        self.noise = layers.GaussianNoise(1.0)

    def compile(self, d_optimizer: Any, g_optimizer: Any, loss_fn: Any) -> None:  # type: ignore[override]
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    @property
    def metrics(self) -> list[Any]:
        return [self.d_mean, self.g_mean]

    def train_step(self, real: Any) -> Any:
        rows = real.shape[0]
        seed = self.noise(np.zeros((rows, 2), np.float32), training=True)
        ones, zeros = np.ones((rows, 1), np.float32), np.zeros((rows, 1), np.float32)
        with GradientTape() as tape:
            fake = self.generator(seed)
            d_loss = self.loss_fn(ones, self.discriminator(real)) + self.loss_fn(zeros, self.discriminator(fake))
        variables = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, variables), variables))
        with GradientTape() as tape:
            g_loss = self.loss_fn(ones, self.discriminator(self.generator(seed)))
        variables = self.generator.trainable_weights
        self.g_optimizer.apply(tape.gradient(g_loss, variables), variables)
        self.d_mean.update_state(d_loss)
        self.g_mean.update_state(g_loss)
        return {"d_loss": self.d_mean.result(), "g_loss": self.g_mean.result(), "now": g_loss}


def gan(eager: bool = False) -> GAN:
    fastnn.random.set_seed(7)
    model = GAN(Sequential([Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")]),
                Sequential([Input((2,)), layers.Dense(8, activation="relu"), layers.Dense(6)]))
    model.compile(optimizers.Adam(0.01), optimizers.Adam(0.005), losses.BinaryCrossentropy())
    model.run_eagerly = eager
    return model


def test_a_gan_trains_as_in_python(any_backend: str) -> None:
    found = []
    for eager in (False, True):
        model = gan(eager)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            history = model.fit(X, epochs=5, batch_size=16, verbose=0).history
        assert set(history) == {"d_loss", "g_loss", "now"} and len(history["now"]) == 5
        found.append((history, model.get_weights()))
        assert int(model.d_optimizer.iterations) == int(model.g_optimizer.iterations) == 20
    for key in found[0][0]:
        np.testing.assert_allclose(found[0][0][key], found[1][0][key], rtol=1e-4)
    for v, w in zip(found[0][1], found[1][1]):
        np.testing.assert_allclose(v, w, rtol=1e-3, atol=1e-6)
    batches = (X[i:i + 16] for _ in range(3) for i in range(0, 48, 16))
    assert len(gan().fit(batches, steps_per_epoch=3, epochs=3, verbose=0).epoch) == 3


def test_predict_step_and_test_step_are_called(any_backend: str) -> None:
    class Doubled(Net):
        def predict_step(self, data: Any) -> Any:
            return super().predict_step(data) * 2.0

        def test_step(self, data: Any) -> Any:
            x, _ = data
            return {"right": ops.mean(self(x, training=False)), **super().test_step(data)}

    model = made(Doubled)
    expected = np.asarray(model(X))
    for n in (1, 1, 50):
        np.testing.assert_allclose(model.predict(X[:n], verbose=0), 2 * expected[:n], rtol=1e-5)
    logs = model.evaluate(X, Y, batch_size=50, verbose=0, return_dict=True)
    assert list(logs) == ["right", "loss", "accuracy"] and logs["right"] == pytest.approx(1 / 3, rel=1e-4)
    history = model.fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y)).history
    assert {"loss", "accuracy", "val_right", "val_loss", "val_accuracy"} == set(history)


def test_what_a_step_reads_makes_it_run_in_python(any_backend: str) -> None:
    class Reading(OwnTrain):
        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            return {**logs, "twice": 2 * logs["accuracy"]}

    model = made(Reading)
    with pytest.warns(UserWarning, match="not replayed"):
        history = model.fit(X, Y, epochs=3, batch_size=16, verbose=0).history
    np.testing.assert_allclose(history["twice"], 2 * np.array(history["accuracy"]), rtol=1e-6)
    assert int(model.optimizer.iterations) == 12


def test_what_a_step_must_return() -> None:
    class Nothing(Net):
        def train_step(self, data: Any) -> Any:
            return None

    with pytest.raises(TypeError, match="dict of logs"):
        made(Nothing).fit(X, Y, verbose=0)


def test_a_loss_of_every_sample_is_shown_as_their_mean() -> None:
    """Trained is the sum; shown is the mean, by the built-in step, by one that calls it, and by compiled_loss."""
    class Calling(Net):
        def test_step(self, data: Any) -> Any:
            return super().test_step(data)

    model: Any
    shown = []
    for model in (Net(), Calling(), OldNames()):
        model.compile("sgd", losses.SparseCategoricalCrossentropy(reduction="none"))
        model(X)
        model.set_weights([np.full(w.shape, 0.1 * i) for i, w in enumerate(model.get_weights())])
        shown.append(model.evaluate(X, Y, verbose=0))
    np.testing.assert_allclose(shown, shown[0], rtol=1e-6)


def test_an_output_without_a_target() -> None:
    class Two(Model):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = layers.Dense(1), layers.Dense(2)

        def call(self, x: Any) -> Any:
            return {"a": self.a(x), "b": ops.stop_gradient(self.b(x))}

    class Calling(Two):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    histories = []
    for kind in (Two, Calling):
        fastnn.random.set_seed(1)
        model = kind()
        model.compile("sgd", {"a": "mse"}, metrics={"a": ["mae"]})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")         # nothing reaches b
            histories.append(model.fit(X, {"a": X[:, :1]}, epochs=2, verbose=0).history)
    assert histories[0].keys() == histories[1].keys()
    for key, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][key], rtol=1e-6)
