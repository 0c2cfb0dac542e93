"""What user code around layers gets: the right result, or a word: globals, weights made in call, several optimizers."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Model, Sequential, layers, ops, optimizers
from fastnn.layers import Dense, Layer
from tests.errors import assert_good_error

RNG = np.random.default_rng(0)
X, Y = RNG.random((8, 3), np.float32), RNG.random((8, 1), np.float32)


def test_weights_made_in_call_are_refused() -> None:
    class Makes(Layer):
        def call(self, x: Any) -> Any:
            self.w = self.add_weight((3,), "ones")
            return x * self.w

    assert_good_error(lambda: Makes()(X), ValueError, "add_weight in call()", "needs", "build()")

    class Inner(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.w = self.add_weight((3,), "ones")

        def call(self, x: Any) -> Any:
            return x * self.w

    class Outer(Layer):
        def build(self, input_shape: Any) -> None:
            self.inner = Inner()

        def call(self, x: Any) -> Any:
            return self.inner(x)

    np.testing.assert_array_equal(Outer()(X), X)
    assert_good_error(lambda: Dense(1).add_weight("name"), ValueError, "'name'", "needs", "shape=", "name=")


def test_layers_that_a_model_uses_and_does_not_hold_are_named() -> None:
    shared = Dense(1, name="a_global")

    class Uses(Model):
        def __init__(self) -> None:
            super().__init__()
            self.own = Dense(3)

        def call(self, x: Any) -> Any:
            return shared(self.own(x))

    model = Uses()
    model.compile("sgd", "mse")
    assert_good_error(lambda: model.fit(X, Y, verbose=0), ValueError, "a_global", "needs")
    shared(X)       # has its weights now, so that nobody can say whose they were meant to be
    with pytest.warns(UserWarning, match="does not hold.*a_global"):
        model.fit(X, Y, verbose=0)
    shared.trainable = False
    frozen = Uses()
    frozen.compile("sgd", "mse")
    frozen.fit(X, Y, verbose=0)


class Two(Model):
    """Two optimizers in one step, the second over the weights from `first` on."""

    def __init__(self, first: int = 0) -> None:
        super().__init__()
        self.dense, self.first = Dense(1), first
        self.one, self.two = optimizers.SGD(0.1), optimizers.Adam(0.1)

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        weights = self.trainable_weights
        with GradientTape() as tape:
            loss = ops.mean(ops.square(self(x) - y))
        gradients = tape.gradient(loss, weights)
        self.one.apply(gradients, weights)
        self.two.apply(gradients[self.first:], weights[self.first:])
        return {"loss": loss}


def test_two_optimizers_of_the_same_weights_in_one_step() -> None:
    def trained(eager: bool) -> list[np.ndarray]:
        model = Two()
        model(X)
        model.set_weights([[[0.5], [-1.0], [2.0]], [0.25]])
        model.compile(run_eagerly=eager)
        model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0)
        return list(model.get_weights())

    for replayed, eager in zip(trained(False), trained(True)):
        np.testing.assert_array_equal(replayed, eager)
    model = Two(first=1)
    model(X)
    model.compile()
    assert_good_error(lambda: model.fit(X, Y, verbose=0), RuntimeError, "same step", "needs the same weights")


def test_a_new_optimizer_takes_the_weights_where_they_lie() -> None:
    model = Sequential([Input((3,)), Dense(2), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    first = model.optimizer
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    assert model.optimizer.block is first.block
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert (model.get_weights()[2] != before[2]).any()


def test_floats_of_any_width_become_floatx_before_a_layer() -> None:
    wide = ops.cast(ops.convert_to_tensor(X), "float64")
    assert wide.dtype == "float64"
    layer = Dense(2)
    np.testing.assert_array_equal(layer(wide), layer(X))

    class Both(Layer):
        def call(self, x: Any, other: Any = None) -> Any:
            self.seen = x.dtype, other["a"].dtype
            return x

    both = Both()
    both(wide, other={"a": wide})
    assert both.seen == ("float32", "float32") == (layer.compute_dtype, layer.variable_dtype)
    with fastnn.config.using(floatx="float64"):
        assert Dense(2)(X).dtype == "float64"


def test_paddings_in_capitals_and_weights_of_nothing() -> None:
    image = np.ones((1, 5, 5, 1), np.float32)
    for padding, side in (("VALID", 3), ("SAME", 5), ("valid", 3)):
        assert layers.Conv2D(1, 3, padding=padding)(image).shape[1] == side
        assert layers.AveragePooling2D(3, 1, padding=padding)(image).shape[1] == side
    assert layers.Conv1D(1, 3, padding="CAUSAL").padding == "causal"
    assert_good_error(lambda: layers.Conv2D(1, 3, padding="full"), ValueError, "'full'", "valid")
    model = Sequential([Dense(2), Dense(1)])
    assert model.get_weights() == model.weights == []
    activation = Dense(2)
    activation.activation = None
    assert activation(X).shape == (8, 2)


def test_models_that_hand_their_arguments_on_come_back() -> None:
    class More(Model):
        def __init__(self, *args: Any, factor: float = 1.0, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.factor = factor

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    class Own(Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    x = Input((3,))
    again = More.from_config(More(x, Dense(2)(x), factor=3.0).get_config())
    assert again.factor == 3.0 and again(X).shape == (8, 2)
    config = Model(x, Own()(x)).get_config()
    np.testing.assert_array_equal(Model.from_config(config, custom_objects={"Own": Own})(X), 2 * X)
    config = Sequential([x, Own()]).get_config()
    np.testing.assert_array_equal(Sequential.from_config(config, custom_objects={"Own": Own})(X), 2 * X)


def test_one_loss_of_several_outputs_has_no_name_of_its_own() -> None:
    x = Input((3,))
    model = Model(x, {"a": Dense(1)(x), "b": Dense(1)(x)})
    model.compile("sgd", {"b": ["mse"]}, metrics={"b": ["mae"]})
    logs = model.evaluate(X, {"a": Y, "b": Y}, return_dict=True, verbose=0)
    assert list(logs) == ["loss", "b_mae"]


def test_a_build_that_fails_leaves_the_layer_as_it_was() -> None:
    class Late(layers.Layer):
        fails = True

        def __init__(self) -> None:
            super().__init__()
            self.inside, self.seen, self.sizes = layers.Dense(3), [], {}

        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight(shape=(shape[-1], 2), name="kernel")
            self.extra, self.sizes["last"] = layers.Dense(2), shape[-1]
            self.seen.append(self.add_weight(shape=(2,), name="bias"))
            self.inside.build(shape)
            if self.fails:
                raise KeyboardInterrupt

        def call(self, x: Any) -> Any:
            return self.extra(x @ self.kernel + self.seen[0]) + ops.sum(self.inside(x), axis=-1, keepdims=True)

    layer = Late()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            layer(np.ones((4, 5), np.float32))
        assert not layer.built and layer.sizes == {} and layer.seen == [] and not hasattr(layer, "kernel")
        assert [tuple(v.shape) for v in layer.weights] == [(5, 3), (3,)]      # of the inner layer, which was finished
    layer.fails = False
    assert layer(np.ones((4, 5), np.float32)).shape == (4, 2)
    assert [tuple(v.shape) for v in layer.weights] == [(5, 2), (2,), (5, 3), (3,), (2, 2), (2,)]


def test_a_build_that_fails_leaves_nothing_behind_in_nested_lists_either() -> None:
    class Stack(layers.Layer):
        def __init__(self, fails: int) -> None:
            super().__init__()
            self.fails, self.blocks, self.by_name, self.pair = fails, [[], []], {"one": []}, ([], 1)

        def build(self, input_shape: Any) -> None:
            for held in (*self.blocks, self.by_name["one"], self.pair[0]):
                held.append(layers.Dense(2))
                held[0].build(input_shape)
            self.fails -= 1         # an attribute too: put back
            if fails:
                raise RuntimeError("not yet")

    fails = 1
    layer = Stack(5)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not yet"):
            layer.build((None, 3))
        assert layer.weights == [] and not layer.built and layer.fails == 5
    fails = 0
    layer.build((None, 3))
    assert [v.shape for v in layer.weights] == [(3, 2), (2,)] * 4
