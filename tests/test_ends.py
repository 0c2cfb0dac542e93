"""Ends of graphs: what a layer was called on and made; chains that build at once; layers called by themselves."""

from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers, metrics
from fastnn.layers import Dense
from tests.errors import assert_good_error

X = np.random.default_rng(0).random((5, 3), np.float32)


def _chain() -> Sequential:
    return Sequential([Input((3,)), Dense(4, name="h"), Dense(2, name="out")])


def test_a_model_may_end_at_any_layer() -> None:
    model = _chain()
    inner = Model(model.inputs, model.get_layer("h").output)
    np.testing.assert_array_equal(inner(X), model.layers[0](X))
    every = Model(model.input, [layer.output for layer in model.layers])
    assert [y.shape for y in every(X)] == [(5, 4), (5, 2)]
    assert model.output is model.outputs[0]
    assert model.layers[1].input is model.layers[0].output
    assert_good_error(lambda: Dense(3, name="alone").output, AttributeError, "alone", "needs")


def test_ends_after_fits_and_pops() -> None:
    model = _chain()
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((5, 2)), verbose=0)
    model.pop()
    model.add(Dense(1))
    assert Model(model.inputs, model.get_layer("h").output)(X).shape == (5, 4)
    assert model(X).shape == (5, 1)


def test_a_chain_of_n_layers_is_built_by_n_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    call = Dense.call

    def counted(self: Any, x: Any) -> Any:
        calls.append(self.name)
        return call(self, x)

    monkeypatch.setattr(Dense, "call", counted)
    Sequential([Input((3,)), *(Dense(3) for _ in range(60))])
    assert len(calls) == 60
    model = Sequential([Input((3,))])
    for _ in range(60):
        model.add(Dense(3))
    assert len(calls) == 120


def test_a_built_model_in_front_builds_the_chain() -> None:
    model = Sequential([_chain(), Dense(1)])
    assert model.built
    assert model.count_params() == 16 + 10 + 3
    assert model(X).shape == (5, 1)


def test_a_layer_that_does_not_fit_changes_nothing() -> None:
    model = _chain()
    with pytest.raises(ValueError, match="needs"):
        model.add(layers.Conv2D(3, 3))
    assert len(model.layers) == 2
    assert model(X).shape == (5, 2)


def test_augmentation_called_by_itself_varies() -> None:
    images = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    flip = layers.RandomFlip("horizontal", seed=1)
    seen = {np.asarray(flip(images)).tobytes() for _ in range(8)}
    assert len(seen) > 1
    np.testing.assert_array_equal(flip(images, training=False), images)
    assert np.asarray(layers.RandomRotation(0.5, seed=1)(images[0])).shape == (8, 8, 3)
    model = Sequential([Input((8, 8, 3)), flip])
    np.testing.assert_array_equal(model.predict(images, verbose=0), images)
    np.testing.assert_array_equal(model(images), images)


def test_weights_start_as_keras_do() -> None:
    layer = Dense(1)
    assert layer.add_weight((1000,)).numpy().std() > 0.01
    assert not layer.add_weight((3,), dtype="int32").numpy().any()
    layer = Dense(2, use_bias=False)
    layer.build((None, 3))
    assert layer.bias is None
    assert metrics.Mean().dtype == "float32"


def test_inputs_by_name() -> None:
    layer = Dense(2)
    np.testing.assert_array_equal(layer(inputs=X), layer(X))
    np.testing.assert_array_equal(layer(x=X), layer(X))
    model = _chain()
    np.testing.assert_array_equal(model(inputs=X), model(X))
    assert layer(inputs=Input((3,))).shape == (None, 2)
    assert_good_error(lambda: layer(), TypeError, "called without inputs")
