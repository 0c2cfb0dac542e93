"""A configuration that is damaged anywhere, with any value, makes an object or is refused by name: nothing else."""

import copy
import json
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

import fastnn
from fastnn import Input, Model, Sequential, frames, layers, optimizers
from fastnn.configuration import Configurable
from fastnn.serialization import deserialize_keras_object, serialize_keras_object
from tests.errors import assert_good_error
from tests.public import CASES

MADE = [case for case in CASES if issubclass(case.kind, Configurable)]
GONE = object()
JUNK: tuple[Any, ...] = (
    GONE, None, 3, -2.5, "x", True, [], [1, "a"], {}, {"class_name": 3, "config": {}}, {"class_name": "Dense"},
    {"class_name": "nowhere", "config": {}}, {"class_name": "__lambda__", "config": {"value": "x"}},
    {"class_name": "__numpy__", "config": {"value": [1], "dtype": "V99999999999"}})


def branching() -> Model:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = layers.Dense(4, name="h")
    y = layers.Concatenate(name="c")([shared(a), shared(b)])
    return Model([a, b], {"o": layers.Dense(2, name="o")(y), "p": y * 2.0 + a[:, :1]}, name="branching")


def nested() -> Sequential:
    return Sequential([Input((4,)), Sequential([layers.Dense(3, name="x")], name="s"), layers.Dropout(0.5, name="e")],
                      name="nested")


def spots(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield (*at, key)
        if isinstance(item, (dict, list)):
            yield from spots(item, (*at, key))


def refused_or_made(config: Any, every: int) -> int:
    """How many damaged configs were refused. Each spot takes each junk; every: of all these, one in so many."""
    refused = 0
    for number, (at, junk) in enumerate((at, junk) for at in spots(config) for junk in JUNK):
        if number % every:
            continue
        spoiled = copy.deepcopy(config)
        inner = spoiled
        for key in at[:-1]:
            inner = inner[key]
        if junk is GONE:
            del inner[at[-1]]
        else:
            inner[at[-1]] = copy.deepcopy(junk)
        try:
            deserialize_keras_object(spoiled)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            assert isinstance(error, (TypeError, ValueError)) and "/fastnn/" in last.filename and (
                last.line or "").lstrip().startswith("raise"), f"{at} {junk!r}: {type(error).__name__}: {error}, {last}"
            refused += 1
    return refused


@pytest.fixture
def all_frames() -> Iterator[None]:
    frames.disable_traceback_filtering()
    yield
    frames.enable_traceback_filtering()


def written(made: Any) -> Any:
    return json.loads(json.dumps(serialize_keras_object(made)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("all_frames")
def test_damaged_configs_of_all_classes_are_refused_by_name() -> None:
    assert sum(refused_or_made(written(case.make()), 37) for case in MADE) > 900


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("all_frames")
@pytest.mark.parametrize("case", MADE, ids=repr)
def test_every_damage_of_a_config_is_refused_by_name(case: Any) -> None:
    refused_or_made(written(case.make()), 1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("all_frames")
@pytest.mark.parametrize(("make", "every"), [(branching, 13), (nested, 5)])
def test_damaged_configs_of_models_are_refused_by_name(make: Any, every: int) -> None:
    assert refused_or_made(written(make()), every) > 100


def test_what_is_missing_is_named() -> None:
    config = branching().get_config()
    del config["layers"][2]["inbound_nodes"]
    assert_good_error(lambda: Model.from_config(config), ValueError, "Model: 'h'", "inbound_nodes")
    config = branching().get_config()
    config["layers"][2]["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["nobody", 0, 0]
    assert_good_error(lambda: Model.from_config(config), ValueError, "'h'", "nobody")
    assert_good_error(lambda: Sequential.from_config({"layers": [{"class_name": "Dense", "config": {"units": 1}}, {}]}),
                      ValueError, "layers[1]", "class_name")
    with pytest.raises(TypeError, match=r"Dense: .*'units'"):
        layers.Dense.from_config({"name": "d"})
    assert_good_error(lambda: optimizers.Adam.from_config("adam"), ValueError, "Adam", "'adam'")
    assert_good_error(lambda: layers.deserialize({"config": {}}), ValueError, "class_name")
    assert_good_error(lambda: fastnn.models.model_from_json('{"class_name": "Sequential"}'), ValueError, "config")
    for text in ('{"class_name": "Adam", "config": {}}', '{"class_name": "Dense", "config": {"units": 1}}'):
        assert_good_error(lambda text=text: fastnn.models.model_from_json(text), ValueError, "model")
