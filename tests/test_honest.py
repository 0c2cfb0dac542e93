"""User code is right or refused by name: what a step's Python reads, sets and draws is never frozen by recording it."""

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Layer, Sequential, layers, losses, ops, optimizers
from tests.errors import assert_good_error

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)


def network(*inner: Any, loss: Any = "mse", optimizer: Any = "sgd", eager: bool = False, kernel: Any = None,
            **compiled: Any) -> Sequential:
    fastnn.random.set_seed(1)
    model = Sequential([Input((3,)), layers.Dense(4, activation="tanh", **(kernel or {})), *inner, layers.Dense(1)])
    model.compile(optimizer, loss, run_eagerly=eager, **compiled)
    return model


def fitted(make: Callable[[bool], Sequential], eager: bool) -> tuple[Any, list[np.ndarray], list[str]]:
    """History, weights and warnings of three epochs and a second fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = make(eager)
        history = model.fit(X, Y, epochs=3, batch_size=8, verbose=0, validation_data=(X[:8], Y[:8])).history
        history = [history, model.fit(X, Y, epochs=1, batch_size=8, verbose=0).history]
        model.predict(X[:1], verbose=0)
        history.append(model.predict(X[:1], verbose=0).tolist())
    return history, model.get_weights(), [str(w.message) for w in caught if "not replayed" in str(w.message)]


LIMIT = ops.convert_to_tensor(1.0)


def reading_loss(t: Any, p: Any) -> Any:
    return ops.mean(ops.square(t - p) * (1 + 9 * (t.numpy() > 0)))


def branching_loss(t: Any, p: Any) -> Any:
    error = ops.mean(ops.square(t - p))
    if ops.greater(error, LIMIT):
        return error * 0.1
    return error


class NumpyTanh(Layer):
    def call(self, x: Any) -> Any:
        return x if x.symbolic else x + np.tanh(x).mean()


class OfWeights(Layer):
    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight((input_shape[-1],), "ones", name="w")

    def call(self, x: Any) -> Any:
        return x * self.w / float(f"{ops.sum(self.w):.6f}") if not x.symbolic else x


class Penalty(fastnn.regularizers.Regularizer):
    def __call__(self, w: Any) -> Any:
        return ops.sum(ops.square(w)) * float(ops.max(w)) * 0.1


class Limit(fastnn.constraints.Constraint):
    def __call__(self, w: Any) -> Any:
        return ops.clip(w, -abs(float(ops.max(w))), 0.5)


class Rate(optimizers.schedules.LearningRateSchedule):
    def __call__(self, step: Any) -> Any:
        return ops.convert_to_tensor(0.05 if int(step) < 7 else 0.01)


READS: dict[str, Callable[[bool], Sequential]] = {
    "numpy() in a loss": lambda eager: network(loss=reading_loss, eager=eager),
    "if in a loss": lambda eager: network(loss=branching_loss, eager=eager),
    "np.tanh in a layer": lambda eager: network(NumpyTanh(), eager=eager),
    "format in a layer": lambda eager: network(OfWeights(), eager=eager),
    "float in a regularizer": lambda eager: network(kernel={"kernel_regularizer": Penalty()}, eager=eager),
    "float in a constraint": lambda eager: network(kernel={"kernel_constraint": Limit()}, eager=eager),
    "int in a schedule": lambda eager: network(optimizer=optimizers.SGD(Rate()), eager=eager),
}


@pytest.mark.parametrize("what", READS)
def test_numbers_that_python_reads_are_those_of_now(any_backend: str, what: str) -> None:
    history, weights, texts = fitted(READS[what], eager=False)
    expected, eagerly, _ = fitted(READS[what], eager=True)
    assert history == expected
    for a, b in zip(weights, eagerly):
        np.testing.assert_array_equal(a, b)
    assert texts and len(texts) == len(set(texts)), texts
    assert all(__file__ in text and "fastnn" + "/" not in text.split(":")[1] for text in texts), texts


def test_the_warning_names_the_line_and_the_op() -> None:
    for loss, fragments in ((branching_loss, ["if ops.greater(error, LIMIT):", "ops.where"]),
                            (reading_loss, ["t.numpy() > 0", "fastnn.ops"])):
        with pytest.warns(UserWarning, match="not replayed") as caught:
            network(loss=loss).fit(X, Y, verbose=0)
        assert all(fragment in str(caught[0].message) for fragment in fragments), str(caught[0].message)
        assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"np.tanh\(x\).* use ops.tanh"):
        network(NumpyTanh()).fit(X, Y, verbose=0)


def test_constants_may_be_read() -> None:
    """What depends on neither data nor weights is the same at every step."""
    def loss(t: Any, p: Any) -> Any:
        return ops.mean(ops.square(t - p)) * float(ops.sum(ops.convert_to_tensor([1.0, 2.0])))

    history, _, texts = fitted(lambda eager: network(loss=loss, eager=eager), eager=False)
    assert not texts and history == fitted(lambda eager: network(loss=loss, eager=eager), eager=True)[0]


# ---- what Python keeps ---------------------------------------------------------------------------------------------

class Keeper(Layer):
    """Multiplies by something that its Python keeps."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self._private, self.count = way, 1.0, 0
        self.items, self.table, self.array = [1.0], {"a": {"b": 1.0}}, np.ones(1)
        self.generator = np.random.default_rng(3)

    def factor(self) -> Any:
        return {"attribute": lambda: float(getattr(self, "public", 1.0)), "private": lambda: self._private,
                "list": lambda: self.items[-1], "dict": lambda: self.table["a"]["b"],
                "array": lambda: float(self.array[0])}[self.way]()

    def change(self, value: float) -> None:
        self.__dict__  # noqa: B018
        {"attribute": lambda: setattr(self, "public", value), "private": lambda: setattr(self, "_private", value),
         "list": lambda: self.items.append(value), "dict": lambda: self.table["a"].update(b=value),
         "array": lambda: self.array.fill(value)}[self.way]()

    def call(self, x: Any) -> Any:
        return x * self.factor()


@pytest.mark.parametrize("way", ["attribute", "private", "list", "dict", "array"])
def test_what_a_layer_keeps_is_looked_at_when_a_fit_evaluate_or_predict_begins(any_backend: str, way: str) -> None:
    keeper = Keeper(way)
    model = network(keeper)
    found = []
    for value in (None, 2.0, 3.0):
        if value is not None:
            keeper.change(value)
        for _ in range(2):
            found.append([model.predict(X[:1], verbose=0), model.predict(X[:1], batch_size=8, verbose=0)])
            assert found[-1][0] == found[-1][1] == np.asarray(model(X[:1]))
        found.append(model.evaluate(X, Y, verbose=0))
    assert len({float(f) for f in found[2::3]}) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, verbose=0)
    keeper.change(5.0)
    a, b = model.fit(X, Y, verbose=0).history, None
    other = network(Keeper(way))
    other.layers[1].change(5.0)
    other.set_weights(model.get_weights())
    assert a is not b and model.evaluate(X, Y, verbose=0) == other.evaluate(X, Y, verbose=0)


class Counter(Layer):
    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.n, self.seen, self.rng = way, 0, [], np.random.default_rng(5)

    def call(self, x: Any) -> Any:
        if x.symbolic:
            return x
        if self.way == "attribute":
            self.n += 1
            return x * float(self.n)
        if self.way == "list":
            self.seen.append(1)
            return x * float(len(self.seen))
        return x * float(self.rng.random())


@pytest.mark.parametrize("way", ["attribute", "list", "generator"])
def test_what_call_itself_changes_changes_at_every_step(any_backend: str, way: str) -> None:
    history, weights, texts = fitted(lambda eager: network(Counter(way), eager=eager), eager=False)
    expected, eagerly, _ = fitted(lambda eager: network(Counter(way), eager=eager), eager=True)
    assert history[:2] == expected[:2]
    for a, b in zip(weights, eagerly):
        np.testing.assert_array_equal(a, b)
    assert texts and all("Counter" in text and "assign()" in text for text in texts), texts


class Noise(Layer):
    def call(self, x: Any) -> Any:
        return x if x.symbolic else x + float(np.random.normal()) * 0.1


class Coin(Layer):
    def call(self, x: Any) -> Any:
        return x if x.symbolic else x * (1.0 if random.random() > 0.5 else 0.5)


@pytest.mark.seeds_numpy
@pytest.mark.parametrize("layer", [Noise, Coin])
def test_global_generators_draw_at_every_step(any_backend: str, layer: type[Layer]) -> None:
    found = []
    for eager in (False, True):
        np.random.seed(2)
        random.seed(2)
        found.append(fitted(lambda eager: network(layer(), eager=eager), eager)[:2])
        np.random.seed(2)
        random.seed(2)
        _, _, texts = fitted(lambda eager: network(layer(), eager=eager), False)
    assert found[0][0][:2] == found[1][0][:2]
    assert texts and all("fastnn.random" in text for text in texts)


@pytest.mark.seeds_numpy
def test_a_generator_of_batches_may_draw_meanwhile() -> None:
    """Its thread changes the global generator while a step is recorded; the step does not."""
    def endless() -> Any:
        while True:
            rows = np.random.permutation(40)[:8]
            yield X[rows], Y[rows]

    model = network()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(endless(), steps_per_epoch=50, epochs=2, verbose=0)
    assert any(key[0] == "train" for key, _ in model._steps.recorder.items())


# ---- losses without gradient ---------------------------------------------------------------------------------------

WITHOUT = {"NumPy": lambda t, p: np.mean((np.asarray(t) - np.asarray(p)) ** 2), "a constant": lambda t, p: 3.0,
           "y only": lambda t, p: ops.mean(ops.square(t))}


@pytest.mark.parametrize("what", WITHOUT)
def test_a_loss_without_gradient_is_refused(any_backend: str, what: str) -> None:
    model = network(loss=WITHOUT[what])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_good_error(lambda: model.fit(X, Y, verbose=0), ValueError, "no gradient", "fastnn.ops")
    assert int(model.optimizer.iterations) == 0
    assert np.isfinite(model.predict(X, verbose=0)).all()


def test_weights_that_the_loss_does_not_reach_are_named() -> None:
    class TwoHeads(fastnn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.left = layers.Dense(1, name="used"), layers.Dense(1, name="left")

        def call(self, x: Any) -> Any:
            self.left(x)
            return self.used(x)

    model = TwoHeads()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match=r"does not reach 2 of 4 weights.*left/kernel, left/bias") as caught:
        model.fit(X, Y, epochs=3, verbose=0)
    assert len(caught) == 1
    model.used.trainable = model.left.trainable = False
    model.compile("sgd", losses.MeanSquaredError())
    with pytest.warns(UserWarning, match="nothing to train"):
        model.fit(X, Y, verbose=0)


def test_an_epoch_that_never_ran_has_no_entry_and_added_logs_have_one() -> None:
    class Stop(fastnn.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 2

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["epochs"] = epoch + 1
            logs["loss"] = -1.0

    history = network().fit(X, Y, epochs=5, verbose=0, callbacks=[Stop()])
    assert history.epoch == [0, 1] and history.history == {"epochs": [1.0, 2.0], "loss": [-1.0, -1.0]}
