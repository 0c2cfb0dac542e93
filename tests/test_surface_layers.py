"""Layers and models as an ordinary script uses them: own build and weights, ranks, dtypes, weights of outputs."""

from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers, losses, ops
from fastnn.layers import Dense, Layer
from tests.errors import assert_good_error

RNG = np.random.default_rng(0)
X, Y = RNG.random((12, 4), np.float32), RNG.random((12, 1), np.float32)


def _trains(model: Any, x: Any, y: Any = Y) -> None:
    """compile, fit, evaluate, predict; predict is what a call gives."""
    model.compile("sgd", "mse")
    history = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert model.evaluate(x, y, verbose=0) <= history[-1] * 1.01
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x), atol=1e-5)


# ---- subclasses -----------------------------------------------------------------------------------------------------


class OwnWeights(Model):
    """No layers at all."""

    def __init__(self) -> None:
        super().__init__()
        self.w = self.add_weight(shape=(4, 1), name="w")

    def call(self, x: Any) -> Any:
        return ops.matmul(x, self.w)


class OwnBuild(Model):
    """Its layers are made when the shape is known."""

    def build(self, input_shape: Any) -> None:
        self.dense, self.scale = Dense(1), self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, x: Any) -> Any:
        return self.dense(x * self.scale)


@pytest.mark.parametrize("kind, count", [(OwnWeights, 1), (OwnBuild, 3)])
@pytest.mark.parametrize("called", [False, True])
def test_subclasses_with_weights_and_build_of_their_own(kind: Any, count: int, called: bool) -> None:
    model = kind()
    if called:
        model(X)
    _trains(model, X)
    assert len(model.weights) == count and model.count_params() == sum(w.size for w in model.get_weights())
    assert all(w.path.endswith(name) for w, name in zip(model.weights, ("w",) if count == 1 else ("scale",)))


def test_a_weight_begins_as_kerass() -> None:
    class Holds(Layer):
        def build(self, input_shape: Any) -> None:
            self.floats, self.whole = self.add_weight(shape=(50,)), self.add_weight(shape=(2,), dtype="int32")
            self.one = self.add_weight()

        def call(self, x: Any) -> Any:
            return x

    layer = Holds()
    layer(X)
    assert 0 < np.abs(layer.floats.numpy()).max() <= np.sqrt(6 / 100)      # glorot_uniform
    assert not layer.whole.numpy().any() and layer.one.shape == ()
    kept = Dense(2)
    kept.build((None, 4))
    kept.kernel.assign(np.ones((4, 2)))
    np.testing.assert_allclose(kept(X), X.sum(-1, keepdims=True).repeat(2, 1), rtol=1e-6)
    without = Dense(2, use_bias=False)
    without(X)
    assert without.bias is None and without.dtype == "float32"


def test_a_weight_frozen_after_a_fit_stays() -> None:
    model = Sequential([Input((4,)), Dense(3), Dense(1)])
    _trains(model, X)
    kernel = model.layers[0].kernel
    kernel.trainable = False
    before = kernel.numpy()
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(kernel, before)
    kernel.trainable = True
    model.fit(X, Y, verbose=0)
    assert (kernel.numpy() != before).any()


# ---- ranks and dtypes -----------------------------------------------------------------------------------------------


def _graph(shape: tuple[int, ...]) -> Model:
    x = Input(shape)
    return Model(x, Dense(1)(layers.Flatten()(x) if len(shape) > 1 else x))


def _chain(shape: tuple[int, ...]) -> Model:
    return Sequential([Input(shape), *[layers.Flatten()] * (len(shape) > 1), Dense(1)])


@pytest.mark.parametrize("make", [_graph, _chain])
@pytest.mark.parametrize("given, shape", [((12, 4, 3), (4, 3, 1)), ((12, 4, 1), (4,)), ((12,), (1,)), ((12, 1), (1,))])
def test_an_axis_of_length_1_comes_or_goes(make: Any, given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    _trains(make(shape), RNG.random(given, np.float32))


class Plain(Model):
    """One Dense."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = Dense(1)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def test_one_number_a_sample_is_a_column_for_a_subclass() -> None:
    model = Plain()
    model.compile("sgd", "mse")
    model.fit(X[:, 0], Y, verbose=0)
    np.testing.assert_allclose(model.predict(X[:, 0], verbose=0), model(X[:, :1]), atol=1e-6)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool", "float64", "float16", "float32", int, np.float64])
def test_inputs_of_any_dtype(dtype: Any) -> None:
    numbers = RNG.integers(0, 2, (12, 4)).astype(dtype)
    x = Input((4,), dtype=dtype)
    _trains(Model(x, Dense(1)(x)), numbers)
    y = Dense(3)(numbers)
    assert y.dtype == "float32"
    assert layers.Conv2D(1, 2)(numbers.reshape(12, 2, 2, 1)).dtype == "float32"
    y = layers.Concatenate()([numbers, X])
    np.testing.assert_array_equal(y, np.concatenate([numbers.astype("float32"), X], -1))
    np.testing.assert_allclose(layers.Add()([X, numbers]), X + numbers, rtol=1e-6)


# ---- merges, losses and weights of several outputs ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Add", "Multiply", "Maximum", "Minimum", "Average", "Subtract"])
def test_merges_repeat_axes_of_length_1(kind: str) -> None:
    """Squeeze and excitation: a factor for each channel."""
    image, each = RNG.random((2, 4, 5, 3), np.float32), RNG.random((2, 1, 1, 3), np.float32)
    of = {"Add": np.add, "Multiply": np.multiply, "Maximum": np.maximum, "Minimum": np.minimum,
          "Average": lambda a, b: (a + b) / 2, "Subtract": np.subtract}[kind]
    a, b = Input((4, 5, 3)), Input((1, 1, 3))
    model = Model([a, b], getattr(layers, kind)()([a, b]))
    assert model.output_shape == (None, 4, 5, 3)
    np.testing.assert_allclose(model([image, each]), of(image, each), rtol=1e-6)
    assert_good_error(lambda: getattr(layers, kind)()([image, each[..., :2]]), ValueError, "(2, 1, 1, 2)", "must be")


@pytest.mark.parametrize("form", ["list", "dict"])
def test_an_output_may_weigh_nothing(form: str) -> None:
    """Zero weights for one of the outputs leave it out; zero for all of them is a mistake."""
    x = Input((4,))
    a, b = Dense(1, name="a"), Dense(1, name="b")
    model = Model(x, [a(x), b(x)] if form == "list" else {"a": a(x), "b": b(x)})
    model.compile("sgd", "mse")
    y: Any = [Y, Y] if form == "list" else {"a": Y, "b": Y}
    ones, none = np.ones(12), np.zeros(12)
    before = b.kernel.numpy()
    model.fit(X, y, sample_weight=[ones, none] if form == "list" else {"a": ones, "b": none}, verbose=0)
    np.testing.assert_array_equal(b.kernel, before)
    assert_good_error(lambda: model.fit(X, y, sample_weight=[none, none] if form == "list" else {"a": none}, verbose=0),
                      ValueError, "all zero", "needs")


def test_losses_of_each_element_train_by_their_sum() -> None:
    model = Sequential([Input((4,)), Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", losses.MeanSquaredError(reduction="none"))
    loss = model.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(loss, np.square(Y).mean(), rtol=1e-5)
    before = model.loss(Y, model(X)).numpy()
    assert before.shape == (12,)
