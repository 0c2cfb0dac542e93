"""Models' configs: the forms of inputs and outputs, what Keras 2 wrote, what does not learn."""

from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers
from tests.errors import assert_good_error


@pytest.mark.parametrize("form", [list, tuple, lambda ends: {"p": ends[0], "q": ends[1]}, lambda ends: (ends[0], [
    ends[1]])], ids=["list", "tuple", "dict", "nested"])
def test_inputs_and_outputs_keep_their_form(form: Any) -> None:
    a, b = Input((3,), name="p"), Input((3,), name="q")
    model = Model(form([a, b]), form([layers.Dense(1)(a), layers.Dense(2)(b)]))
    again = Model.from_config(model.get_config())
    x = form([np.ones((2, 3), np.float32)] * 2)
    again.set_weights(model.get_weights())
    assert str(again(x)) == str(model(x))
    assert str(again.get_config()) == str(model.get_config())


def test_calls_as_keras_2_wrote_them_are_read() -> None:
    def entry(kind: str, name: str, nodes: Any, **config: Any) -> dict[str, Any]:
        return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}
    config = {"name": "old", "layers": [
        entry("InputLayer", "a", [], batch_input_shape=[None, 4], dtype="float32"),
        entry("InputLayer", "b", [], batch_input_shape=[None, 4], dtype="float32"),
        entry("Dense", "d", [[["a", 0, 0, {}]], [["b", 0, 0, {}]]], units=3),
        entry("Concatenate", "c", [[["d", 0, 0, {}], ["d", 1, 0, {}]]], axis=-1),
        entry("Dropout", "e", [[["c", 0, 0, {"training": True}]]], rate=0.5)],
        "input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["e", 0, 0]]}
    model = Model.from_config(config)
    assert model.output_shape == (None, 6) and [la.name for la in model.layers] == ["a", "b", "d", "c", "e"]
    assert (np.asarray(model([np.ones((50, 4))] * 2)) == 0).any()       # dropout, as that call says
    config["layers"][2]["inbound_nodes"] = [[["e", 0, 0, {}]], [["b", 0, 0, {}]]]      # type: ignore[index]
    assert_good_error(lambda: Model.from_config(config), ValueError, "circle")


def test_layers_of_a_model_that_does_not_learn_do_not_either() -> None:
    x = Input((3,))
    model = Model(x, layers.Dense(2)(x), trainable=False)
    assert not model.layers[1].trainable and not model.trainable_weights
    assert Model.from_config(model.get_config()).get_config() == model.get_config()
    assert not Sequential([x, layers.Dense(2)], trainable=False).trainable_weights
