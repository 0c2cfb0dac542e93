"""Names of keras.utils that courses use: settings, batches in parts, graphs, logging instead of printing."""

import copy
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, config, layers, utils
from tests.errors import assert_good_error


def test_settings_are_attributes_and_items_and_can_be_frozen() -> None:
    settings = utils.Config(rate=0.1, units=3)
    settings.seed = 5
    settings["name"] = "a"
    assert (settings.rate, settings["seed"], settings.get("no", 7), len(settings)) == (0.1, 5, 7, 4)
    assert settings.as_dict() == dict(settings) == json.loads(settings.to_json()) and "rate" in settings
    assert settings.pop("name") == "a" and "name" not in settings
    del settings.seed
    assert copy.deepcopy(settings).as_dict() == {"rate": 0.1, "units": 3}
    assert_good_error(lambda: settings.unit, AttributeError, "'unit'", "'units'")
    assert_good_error(lambda: setattr(settings, "keys", 1), AttributeError, "'keys'")
    settings.freeze()
    for change in (lambda: setattr(settings, "rate", 1), lambda: settings.update(rate=1), lambda: settings.pop("rate")):
        assert_good_error(change, ValueError, "'rate'", "frozen")
    assert settings.frozen and settings.rate == 0.1
    other = copy.copy(settings)
    assert other.frozen
    other.unfreeze()
    other.rate = 3
    assert settings.rate == 0.1, "a copy has settings of its own"
    settings.unfreeze()
    settings.update({"rate": 2})
    assert settings.rate == 2


@pytest.mark.parametrize("data", [(1,), (1, 2), (1, 2, 3)])
def test_batches_in_parts(data: Any) -> None:
    parts = utils.unpack_x_y_sample_weight(data)
    assert parts == (*data, None, None)[:3]
    assert utils.pack_x_y_sample_weight(*parts) == (data if len(data) > 1 else 1)
    assert utils.unpack_x_y_sample_weight(utils.pack_x_y_sample_weight([1, 2])) == ([1, 2], None, None)
    assert utils.unpack_x_y_sample_weight({"a": 1}) == ({"a": 1}, None, None)


def test_batches_of_too_many_parts_are_refused() -> None:
    assert_good_error(lambda: utils.unpack_x_y_sample_weight((1, 2, 3, 4)), ValueError, "4 items")
    assert_good_error(lambda: utils.unpack_x_y_sample_weight(()), ValueError, "0 items")
    assert_good_error(lambda: utils.pack_x_y_sample_weight(1, None, 2), ValueError, "without y")


def two_inputs() -> tuple[Any, Any, Any]:
    a, b = Input((3,), name="a"), Input((3,), name="b")
    x = layers.Dense(3, name="d", activation="relu")(a)
    return a, b, layers.Add(name="s")([x * 2.0, x, b])


def test_the_inputs_of_a_tensor() -> None:
    a, b, y = two_inputs()
    assert [x is t for x, t in zip(utils.get_source_inputs(y), (a, b), strict=True)] == [True, True]
    assert utils.get_source_inputs(a) == [a]
    assert utils.is_keras_tensor(y) and not utils.is_keras_tensor(np.ones(2))
    assert_good_error(lambda: utils.get_source_inputs(np.ones(2)), ValueError, "symbolic")


def test_a_model_as_a_graph(tmp_path: Path) -> None:
    a, b, y = two_inputs()
    model = Model([a, b], y)
    dot = utils.model_to_dot(model, show_shapes=True, show_layer_names=True, rankdir="LR")
    text = dot.to_string()
    assert text.startswith("digraph {\nrankdir=LR;") and text.count("->") == 5
    assert '"d (Dense)\\n(batch, 3)"' in text and "0 -> " in text
    assert dot.create(prog="dot", format="svg").lstrip().startswith(b"<?xml")
    assert dot.write_png(tmp_path / "m.png") and (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    assert dot.write(tmp_path / "m.dot") and (tmp_path / "m.dot").read_text() == text
    assert_good_error(lambda: dot.create(format="bmp"), ValueError, "bmp")
    assert_good_error(lambda: utils.model_to_dot(Sequential([layers.Dense(1)])), ValueError, "no shape")


def test_what_fit_prints_goes_to_the_log(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert utils.is_interactive_logging_enabled()
    utils.disable_interactive_logging()
    try:
        assert not config.is_interactive_logging_enabled()
        with caplog.at_level(logging.INFO, logger="fastnn"):
            model.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=1)
            model.summary()
            utils.Progbar(3).update(3)
        assert capsys.readouterr().out == ""
        told = caplog.text
        assert told.count("1/1") == 2 and "Total params" in told and "3/3" in told
        model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
        assert caplog.text == told
    finally:
        config.enable_interactive_logging()
    model.fit(np.ones((4, 2)), np.ones(4), verbose=2)
    assert "1/1" in capsys.readouterr().out
