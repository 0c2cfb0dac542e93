"""Models come back from their configs, with classes and functions of one's own."""

import json
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers, models, utils
from fastnn.layers import Dense
from tests.errors import assert_good_error
from tests.test_configuration import Residual

pytestmark = pytest.mark.usefixtures("registered")


# ---- models ---------------------------------------------------------------------------------------------------------


def _chain() -> Any:
    return fastnn.Sequential([fastnn.Input((6,)), Dense(4, activation="relu"), layers.Dropout(0.5),
                              fastnn.Sequential([Dense(3), Dense(2)], name="inner")], name="chain")


def _graph() -> Any:
    a, b = fastnn.Input((6,), name="a"), fastnn.Input((6,), name="b")
    shared = Dense(4, name="shared")
    x = layers.Add()([shared(a), shared(b)])
    y = layers.Concatenate()([x * 2.0 + 1.0, x])
    return fastnn.Model({"a": a, "b": b}, {"main": Dense(2, name="main")(y), "sum": x}, name="graph")


@pytest.mark.parametrize("make", [_chain, _graph])
@pytest.mark.parametrize("again", [
    lambda m: type(m).from_config(json.loads(json.dumps(m.get_config()))), fastnn.models.clone_model,
    lambda m: layers.deserialize(json.loads(json.dumps(layers.serialize(m))))])
def test_models_come_back(make: Any, again: Any) -> None:
    model = make()
    copy = again(model)
    assert copy.name == model.name
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    assert not {id(w) for w in copy.weights} & {id(w) for w in model.weights}
    copy.set_weights(model.get_weights())
    x: Any = np.random.default_rng(0).random((3, 6), np.float32)
    x = x if model.name == "chain" else {"a": x, "b": x + 1}
    before, after = model.predict(x, verbose=0), copy.predict(x, verbose=0)
    for name in before if isinstance(before, dict) else [...]:
        np.testing.assert_array_equal(after[name], before[name])


def test_clone_model_with_functions_and_classes_of_ones_own() -> None:
    model = fastnn.Sequential([fastnn.Input((4,)), Residual(Dense(4, activation=lambda x: x * 3)), Dense(1)])
    copy = fastnn.models.clone_model(model)
    copy.set_weights(model.get_weights())
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(copy(x), model(x))
    wide = fastnn.models.clone_model(model, clone_function=lambda layer: Dense(7, name=layer.name))
    assert [w.shape for w in wide.weights] == [(4, 7), (7,), (7, 7), (7,)]


def test_subclassed_models_come_back_by_their_arguments() -> None:
    class Net(fastnn.Model):
        def __init__(self, units: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.dense = Dense(units)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    net = Net(5, name="net")
    config = net.get_config()
    assert config["units"] == 5
    assert "inputs" not in config
    again = Net.from_config(config)
    assert again(np.ones((1, 2), np.float32)).shape == (1, 5)
    assert fastnn.models.clone_model(net).dense.units == 5
    assert_good_error(lambda: fastnn.models.clone_model(net, clone_function=lambda layer: layer), ValueError,
                      "clone_model", "needs")
    assert_good_error(lambda: fastnn.models.clone_model(Dense(1)), TypeError, "clone_model", "needs")


@pytest.mark.parametrize("read", [
    lambda objects: models.model_from_json(Sequential([Input((2,)), Dense(1)]).to_json(), custom_objects=objects),
    lambda objects: utils.deserialize_keras_object({}, custom_objects=objects),
    lambda objects: layers.deserialize(layers.serialize(Dense(1)), custom_objects=objects)])
def test_custom_objects_go_by_names(read: Any) -> None:
    assert_good_error(lambda: read([Residual]), TypeError, "custom_objects", "Residual", "needs a dict")
