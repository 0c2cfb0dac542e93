"""Models of every make: deferred, functional, shared, nested, subclassed; custom layers and losses."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Layer, Model, Sequential, layers, losses, ops
from fastnn.layers import Dense, Dropout
from tests.errors import weights_hash

X = np.random.default_rng(2).normal(size=(40, 6)).astype(np.float32)
Y = X @ np.linspace(-1, 1, 6, dtype=np.float32)[:, None]


def learns(model: Any, x: Any = X, y: Any = Y, **arguments: Any) -> Any:
    """A fit that lowers the loss."""
    history = model.fit(x, y, epochs=15, verbose=0, **arguments)
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]
    return history


def test_a_model_without_a_shape_takes_it_from_the_data(any_backend: str) -> None:
    found = []
    for inputs, hint in (([Input((6,))], {}), ([], {"input_shape": (6,)}), ([], {"input_dim": 6}), ([], {})):
        fastnn.random.set_seed(3)
        model = Sequential([*inputs, Dense(4, activation="tanh", **hint), Dense(1)])
        model.compile(fastnn.optimizers.Adam(0.02), "mse")
        learns(model)
        found.append(weights_hash(model))
        assert model.output_shape == (None, 1) and model.count_params() == 6 * 4 + 4 + 4 + 1
    assert len(set(found)) == 1


def test_rows_in_a_list_and_arrays_in_a_list(any_backend: str) -> None:
    found = []
    given: list[Any] = [(X, Y), (list(X), list(Y)), (X.tolist(), Y.tolist())]
    for (x, y), inputs in [*((g, i) for g in given for i in ([Input((6,))], [])), (([X], [Y]), [Input((6,))])]:
        fastnn.random.set_seed(3)
        model = Sequential([*inputs, Dense(4), Dense(1)])
        model.compile("adam", "mse")
        model.fit(x, y, verbose=0)
        found.append(weights_hash(model))
    assert len(set(found)) == 1


def test_weights_move_between_models(any_backend: str) -> None:
    a, b = (Sequential([Input((6,)), Dense(4), Dense(1)]) for _ in range(2))
    assert not np.array_equal(a.predict(X, verbose=0), b.predict(X, verbose=0))
    b.set_weights(a.get_weights())
    np.testing.assert_array_equal(a.predict(X, verbose=0), b.predict(X, verbose=0))
    assert [v.shape for v in a.weights] == [(6, 4), (4,), (4, 1), (1,)]


def two_by_two() -> Model:
    a, b = Input((4,), name="left"), Input((2,), name="right")
    joined = layers.concatenate([Dense(5, activation="relu")(a), b])
    model = Model([a, b], [Dense(1, name="value")(joined), Dense(3, activation="softmax", name="kind")(joined)])
    model.compile(fastnn.optimizers.Adam(0.02), {"value": "mse", "kind": "sparse_categorical_crossentropy"},
                  loss_weights={"value": 1.0, "kind": 0.5}, metrics={"kind": ["accuracy"]})
    return model


KINDS = (X[:, 0] > 0).astype(int) + (X[:, 5] > 0)


def test_several_inputs_and_outputs(any_backend: str) -> None:
    found = []
    for x, y in (([X[:, :4], X[:, 4:]], [Y, KINDS]),
                 ({"right": X[:, 4:], "left": X[:, :4]}, {"kind": KINDS, "value": Y[:, 0]})):
        fastnn.random.set_seed(3)
        model = two_by_two()
        history = learns(model, x, y, validation_data=(x, y))
        found.append(weights_hash(model))
        assert sorted(history.history) == sorted(
            p + k for p in ("", "val_") for k in ("loss", "value_loss", "kind_loss", "kind_accuracy"))
        last = {key: values[-1] for key, values in history.history.items()}
        assert last["val_loss"] == pytest.approx(last["val_value_loss"] + 0.5 * last["val_kind_loss"], rel=1e-5)
        value, kind = model.predict(x, verbose=0)
        assert value.shape == (40, 1) and kind.shape == (40, 3)
    assert found[0] == found[1]


def test_wrong_numbers_of_arrays_are_refused() -> None:
    model = two_by_two()
    for x, y in (([X[:, :4]], [Y, KINDS]), ([X[:, :4], X[:, 4:]], [Y]), ([X[:, :4], X[:, 4:]], Y),
                 ({"left": X[:, :4]}, [Y, KINDS]), ([X[:, :4], X[:30, 4:]], [Y, KINDS]),
                 ([X[:, :4], X[:, 4:]], {"value": Y})):
        with pytest.raises(ValueError, match=r"fit\(\)"):
            model.fit(x, y, verbose=0)


def test_a_layer_applied_twice_learns_from_both(any_backend: str) -> None:
    a, b = Input((3,)), Input((3,))
    shared = Dense(1, use_bias=False, kernel_initializer="zeros")
    model = Model([a, b], layers.add([shared(a), shared(b)]))
    model.compile(fastnn.optimizers.SGD(0.1), "mse")
    assert len(model.weights) == 1
    model.fit([X[:, :3], X[:, 3:]], Y, batch_size=40, epochs=1, verbose=0)
    both = X[:, :3] + X[:, 3:]
    np.testing.assert_allclose(model.get_weights()[0], 0.1 * 2 * both.T @ Y / 40, rtol=1e-4, atol=1e-6)


def test_models_as_layers(any_backend: str) -> None:
    inner = Sequential([Input((6,)), Dense(5, activation="tanh")])
    x = Input((6,))
    model = Model(x, Dense(1)(inner(x)))
    model.compile(fastnn.optimizers.Adam(0.02), "mse")
    assert len(model.layers) == 3 and len(model.weights) == 4
    learns(model)
    np.testing.assert_array_equal(inner.get_weights()[0], model.get_weights()[0])
    deep = Sequential([inner, Sequential([Dense(3), Dense(1)])])
    deep.compile(fastnn.optimizers.Adam(0.02), "mse")
    inner.trainable = False
    before = weights_hash(inner)
    learns(deep)
    assert weights_hash(inner) == before
    kernel = model.layers[-1].kernel.numpy()
    model.fit(X, Y, verbose=0)
    assert weights_hash(inner) == before and not np.array_equal(kernel, model.layers[-1].kernel.numpy())


class Net(Model):
    """Two layers and a dropout, by subclassing."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [Dense(5, activation="tanh"), Dense(4, activation="relu")]
        self.heads = {"value": Dense(1)}
        self.dropout = Dropout(0.2)

    def call(self, x: Any, training: bool = False) -> Any:
        for block in self.blocks:
            x = block(x)
        return self.heads["value"](self.dropout(x, training=training))


def test_subclassed_models(any_backend: str) -> None:
    model = Net()
    model.compile(fastnn.optimizers.Adam(0.02), "mse", metrics=["mae"])
    learns(model, validation_split=0.25)
    assert len(model.weights) == 6
    assert model.predict(X, verbose=0).tobytes() == model.predict(X, verbose=0).tobytes()       # no dropout
    with fastnn.config.using(backend=any_backend):
        a, b = model(X, training=True).numpy(), model(X, training=True).numpy()
    assert not np.array_equal(a, b)


class Scaled(Layer):
    """y = x·W·scale, with a penalty on y; written without a backward."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight((input_shape[-1], 3), "glorot_uniform", name="kernel")
        self.scale = self.add_weight((3,), "ones", name="scale")
        self.fixed = self.add_weight((3,), "ones", name="fixed", trainable=False)

    def call(self, x: Any) -> Any:
        y = ops.matmul(x, self.kernel) * self.scale * self.fixed
        self.add_loss(0.01 * ops.mean(y * y))
        return y


class Cosh(losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        e = y_pred - y_true
        return ops.mean(ops.log((ops.exp(e) + ops.exp(-e)) / 2.0), axis=-1)


@pytest.mark.parametrize("loss", [Cosh(), lambda y, p: ops.mean(ops.square(y - p), axis=-1)])
def test_custom_layer_and_loss(any_backend: str, loss: Any) -> None:
    found = []
    for eager in (False, True):
        fastnn.random.set_seed(3)
        model = Sequential([Scaled(), Dense(1)])
        model.compile(fastnn.optimizers.Adam(0.02), loss, run_eagerly=eager)
        learns(model)
        found.append(weights_hash(model))
    assert found[0] == found[1]
    np.testing.assert_array_equal(model.layers[0].fixed.numpy(), np.ones(3))


def test_ops_between_the_layers_of_a_graph(any_backend: str) -> None:
    shift = fastnn.Variable(np.arange(4.0), "shift", trainable=False)
    x = Input((6,))
    hidden = Dense(4, use_bias=False)(x) * shift + 1.0 - shift
    model = Model(x, [Dense(1)(ops.relu(hidden)), hidden])
    _, got = model.predict(X, batch_size=7, verbose=0)
    np.testing.assert_allclose(got, X @ model.get_weights()[0] * np.arange(4) + 1 - np.arange(4), rtol=1e-4, atol=1e-5)


def test_penalties_are_in_the_loss(any_backend: str) -> None:
    model = Sequential([Input((6,)), Dense(4, kernel_regularizer=fastnn.regularizers.L2(0.1)), Dense(1)])
    model.compile(fastnn.optimizers.SGD(1e-30), "mse")
    error = np.mean((model.predict(X, verbose=0) - Y) ** 2)
    penalty = 0.1 * np.sum(model.get_weights()[0] ** 2)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(error + penalty, rel=1e-5)
    assert model.fit(X, Y, verbose=0).history["loss"][0] == pytest.approx(error + penalty, rel=1e-5)


def test_a_training_loop_by_hand_is_fit(any_backend: str) -> None:
    models = []
    for _ in range(2):
        fastnn.random.set_seed(3)
        model = Sequential([Input((6,)), Dense(4, activation="tanh"), Dense(1)])
        model.compile(fastnn.optimizers.Adam(0.02), "mse")
        models.append(model)
    by_fit, by_hand = models
    by_fit.fit(X, Y, batch_size=40, epochs=3, shuffle=False, verbose=0)
    for _ in range(3):
        with fastnn.GradientTape() as tape:
            loss = losses.mse(Y, by_hand(X))
            loss = ops.mean(loss)
        gradients = tape.gradient(loss, by_hand.trainable_weights)
        by_hand.optimizer.apply_gradients(zip(gradients, by_hand.trainable_weights))
    for a, b in zip(by_fit.get_weights(), by_hand.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_chain_of_layers_calls_each_of_them_once() -> None:
    """Not anew for every layer that is added: the calls would grow with the square of the depth."""
    counts: dict[str, int] = {}

    class Counting(layers.Layer):
        def call(self, x):  # type: ignore[no-untyped-def]
            counts[self.name] = counts.get(self.name, 0) + 1
            return x

    chain = [Counting(name=f"layer_{i}") for i in range(20)]
    model = fastnn.Sequential([layers.Input((3,)), *chain])
    assert model.built and model.output_shape == (None, 3)
    assert counts == dict.fromkeys([layer.name for layer in chain], 1)
