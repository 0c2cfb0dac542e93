"""Weights and layers are found however they are held and changed; a built layer keeps its weights."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Model, Sequential, Variable, layers
from fastnn.layers import Dense, Layer
from tests.errors import assert_good_error

X = np.random.default_rng(0).random((8, 3), np.float32)
Y = 2 * X.sum(axis=1, keepdims=True)


class Underscore(Model):
    def __init__(self) -> None:
        super().__init__()
        self._hidden, self._out = Dense(4), Dense(1)

    def call(self, x: Any) -> Any:
        return self._out(self._hidden(x))


class Appended(Model):
    def __init__(self) -> None:
        super().__init__()
        self.stack: list[Layer] = []
        for _ in range(2):
            self.stack.append(Dense(4))
        self.stack += [Dense(1)]

    def call(self, x: Any) -> Any:
        for layer in self.stack:
            x = layer(x)
        return x


class Nested(Model):
    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, Any] = {}
        self.parts["first"] = [Dense(4)]
        self.parts["last"] = {"out": (Dense(1),)}

    def call(self, x: Any) -> Any:
        return self.parts["last"]["out"][0](self.parts["first"][0](x))


class Variables(Model):
    def __init__(self) -> None:
        super().__init__()
        self.w = [Variable(np.ones((3, 1), np.float32), name="w")]
        self.b: dict[str, Variable] = {}
        self.b["b"] = Variable(np.zeros((8, 1), np.float32), name="b")

    def call(self, x: Any) -> Any:
        return x @ self.w[0]


class Built(Model):
    """Weights of its own, made in build, and no layers."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight((input_shape[-1], 1), "ones")

    def call(self, x: Any) -> Any:
        return x @ self.kernel


@pytest.mark.parametrize(("kind", "count"), [(Underscore, 4), (Appended, 6), (Nested, 4), (Variables, 2), (Built, 1)])
@pytest.mark.filterwarnings("ignore")
def test_weights_are_trained_however_they_are_held(kind: Any, count: int) -> None:
    model = kind()
    model(X)
    assert len(model.trainable_weights) == count
    before = [w.copy() for w in model.get_weights()]
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=3, verbose=0).history["loss"]
    assert len(set(history)) == 3
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights())]
    assert all(moved[:count - (kind is Variables)])


def test_lists_and_dicts_stay_lists_and_dicts() -> None:
    model = Appended()
    assert type(model.stack) is list
    assert type(Nested().parts) is dict


def test_a_list_that_changes_changes_the_model() -> None:
    model = Appended()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    old = model.stack[1]
    model.stack[1] = Dense(4, kernel_initializer="zeros")
    model(X)
    assert len(model.weights) == 6
    assert not any(w is v for w in model.weights for v in old.weights)
    new = model.stack[1].get_weights()
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.stack[1].get_weights()[1], new[1])
    del model.stack[1]
    assert len(model.weights) == 4


def test_a_layer_that_holds_the_one_that_holds_it() -> None:
    outer, inner = Underscore(), Dense(2)
    outer.inner = inner
    inner.parent = outer
    outer(X)
    inner(X)
    assert len(outer.weights) == len(inner.weights) == 6


class Held(Dense):
    def __init__(self, units: int) -> None:
        super().__init__(units)
        self.asked = 0

    def check_batches(self, sizes: Any, where: str) -> None:
        self.asked += 1
        assert self.asked < 9, "walks in a circle"


class Holder(Model):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Held(1)
        self.inner.outer = self

    def call(self, x: Any) -> Any:
        return self.inner(x)


def test_a_layer_that_holds_its_model_trains() -> None:
    model = Holder()
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    assert model.inner.asked == 1
    assert len(model.evaluate(X, Y, verbose=0)) == 2 and model.predict(X, verbose=0).shape == (8, 1)


def test_build_keeps_the_weights() -> None:
    layer = Dense(2)
    layer.build((None, 3))
    assert layer.built
    layer.kernel.assign(np.ones((3, 2)))
    layer(X)
    assert (layer.kernel.numpy() == 1).all()
    layer.build((None, 3))
    assert len(layer.weights) == 2
    norm = layers.BatchNormalization()
    norm.build((None, 3))
    assert [w.shape for w in norm.weights] == [(3,)] * 4
    plain = layers.Flatten()
    plain.build((None, 3))
    assert plain.built


def test_a_variable_frozen_after_a_fit_stays_as_it_is() -> None:
    model = Sequential([fastnn.Input((3,)), Dense(4), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.layers[0].kernel.trainable = False
    assert len(model.trainable_weights) == 3
    before = model.layers[0].kernel.numpy(), model.layers[0].bias.numpy()
    model.fit(X, Y, verbose=0)
    assert np.array_equal(model.layers[0].kernel.numpy(), before[0])
    assert not np.array_equal(model.layers[0].bias.numpy(), before[1])
    model.layers[0].kernel.trainable = True
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.layers[0].kernel.numpy(), before[0])


def test_attributes_of_a_sequential_are_no_links_of_the_chain() -> None:
    model = Sequential([fastnn.Input((3,)), Dense(4)])
    model.extra = Dense(7)
    assert model(X).shape == (8, 4)
    assert len(model.layers) == 1


def test_layers_made_inside_call_are_refused() -> None:
    class Anew(Model):
        def call(self, x: Any) -> Any:
            return Dense(1, name="anew")(layers.Flatten()(x))

    class Late(Model):
        def __init__(self) -> None:
            super().__init__()
            self.late: Any = None

        def call(self, x: Any) -> Any:
            if self.late is None:
                self.late = Dense(1)
            return layers.Add()([self.late(x), x])

    assert_good_error(lambda: Anew()(X), ValueError, "anew", "needs it as an attribute")
    model = Anew()
    model.compile("sgd", "mse")
    assert_good_error(lambda: model.fit(X, Y, verbose=0), ValueError, "anew")
    late = Late()
    late(X[:, :1])
    assert len(late.trainable_weights) == 2
