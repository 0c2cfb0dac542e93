"""What training has made of a model beside its weights: optimizers, random numbers, sums of metrics. Floor 5."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.engine.tensor import Variable
from fastnn.errors import ModelFileError, shown
from fastnn.seeds import SeedGenerator

Arrays = dict[str, np.ndarray]


# ---- optimizers ------------------------------------------------------------------------------------------------------

def optimizer_state(optimizer: Any, weights: list[Any], arrays: Arrays, at: str = "optimizer") -> list[int]:
    """Put the counters and slots under `at`; the numbers of the weights that it trains. None has nothing of that."""
    if optimizer is None:
        return []
    arrays.update((f"{at}/{name}", variable.numpy()) for name, variable in optimizer.counters().items())
    place = {id(v): i for i, v in enumerate(weights)}
    unknown = [v.name for v in optimizer._trained if id(v) not in place]
    if unknown:
        raise ValueError(f"{optimizer.name}: it trains {shown(unknown)}, which are no weights of the model; needs "
                         "layers that the model has as attributes.")
    for slot, block in optimizer.slot_blocks.items():
        for v, view in zip(optimizer._trained, block.views):
            arrays[f"{at}/{slot}/{place[id(v)]}"] = view.copy()
    return [place[id(v)] for v in optimizer._trained]


def put_optimizer_state(optimizer: Any, weights: list[Any], arrays: Arrays, trained: list[int],
                        at: str = "optimizer") -> None:
    """What optimizer_state() gave, into an optimizer of the same kind."""
    if f"{at}/iterations" not in arrays:
        return
    if trained:
        optimizer.prepare([weights[i] for i in trained])
        for slot, block in optimizer.slot_blocks.items():
            for i, view in zip(trained, block.views):
                view[...] = arrays[f"{at}/{slot}/{i}"].reshape(view.shape)
    for name, variable in optimizer.counters().items():
        Variable.assign(variable, arrays[f"{at}/{name}"])       # the rate of a schedule too: the logs show it


def undecayed(optimizer: Any, weights: Sequence[Any]) -> dict[str, Any]:
    """What exclude_from_weight_decay() was told: names, and numbers of weights; empty where it was told nothing."""
    if optimizer is None:
        return {}
    own = [i for i, w in enumerate(weights) if any(w is v for v in optimizer._undecayed)]
    return {"names": list(optimizer._undecayed_names), "weights": own} if own or optimizer._undecayed_names else {}


def put_undecayed(optimizer: Any, weights: Sequence[Any], given: dict[str, Any]) -> None:
    """What undecayed() gave."""
    if optimizer is not None:
        optimizer.exclude_from_weight_decay([weights[i] for i in given.get("weights", ())], given.get("names"))


# ---- random numbers --------------------------------------------------------------------------------------------------

def random_state(model: Any) -> dict[str, Any]:
    """Where the batch orders, the draws of the layers and the global seed are."""
    feeds = model._feeds
    return {"epoch": int(feeds.epoch.data), "shuffle": [feeds.seed, feeds.stream],
            "layers": [g.state.data.tolist() for g in model._holds(SeedGenerator)],
            "global": seeds.get_state()}


def put_random_state(model: Any, state: dict[str, Any]) -> None:
    """What random_state() gave, but the global seed, which is not the model's."""
    feeds, state = model._feeds, one_counter_each(state)
    before = feeds.seed, feeds.stream
    feeds.seed, feeds.stream = (int(n) for n in state["shuffle"])
    feeds.epoch.assign(int(state["epoch"]))
    for generator, values in zip(model._holds(SeedGenerator), state["layers"]):
        generator.state.assign(values)
    if before != (feeds.seed, feeds.stream):
        model._steps.clear()        # those of the orders are constants of the programs
        feeds.forget()


def one_counter_each(state: dict[str, Any]) -> dict[str, Any]:
    """A random_state(), also of a file from when one counter, `draws`, counted the steps for all generators, which
    were (seed, stream, draws outside of steps)."""
    if "draws" not in state:
        return state
    def own(old: list[int] | None) -> list[int] | None:
        return None if old is None else seeds.state_of(old[0], old[1], state["draws"])
    everyone = {**state["global"], "generator": own(state["global"]["generator"])}
    return {**state, "layers": [own(each) for each in state["layers"]], "global": everyone}


# ---- plain data with arrays ------------------------------------------------------------------------------------------

class Unwritable(TypeError):
    """A value that is no plain data."""


def packed(value: Any, arrays: Arrays, name: str) -> Any:
    """The value as JSON, what JSON has no words for as arrays under `name`. Unwritable for objects."""
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiub":
        arrays[name] = np.asarray(value)
        return {"array": name, "scalar": isinstance(value, np.generic)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        if len(value) > 8 and all(type(item) is float for item in value):
            arrays[name] = np.array(value)
            return {"floats": name, "tuple": isinstance(value, tuple)}
        return {"items": [packed(item, arrays, f"{name}/{i}") for i, item in enumerate(value)],
                "tuple": isinstance(value, tuple)}
    if isinstance(value, dict) and all(isinstance(key, (str, int)) for key in value):
        return {"dict": [[key, packed(item, arrays, f"{name}/{i}")] for i, (key, item) in enumerate(value.items())]}
    raise Unwritable(f"{name} is {shown(value)}; needs numbers, texts, arrays, or lists and dicts of them.")


def unpacked(value: Any, arrays: Arrays) -> Any:
    """The value of a packed()."""
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]][()] if value["scalar"] else arrays[value["array"]]
    if "float" in value:
        return float(value["float"])
    if "dict" in value:
        return {key: unpacked(item, arrays) for key, item in value["dict"]}
    items = arrays[value["floats"]].tolist() if "floats" in value else [unpacked(v, arrays) for v in value["items"]]
    return tuple(items) if value["tuple"] else items


# ---- sums of metrics -------------------------------------------------------------------------------------------------

def metric_state(model: Any, arrays: Arrays) -> int:
    """Put the states of all metrics under metrics/; how many metrics there are."""
    for i, metric in enumerate(model.metrics):
        arrays.update((f"metrics/{i}/{j}", v.numpy()) for j, v in enumerate(metric.states()))
    return len(model.metrics)


def put_metric_state(model: Any, arrays: Arrays, count: int) -> bool:
    """What metric_state() put; whether these metrics are the same."""
    found = [(v, arrays.get(f"metrics/{i}/{j}")) for i, metric in enumerate(model.metrics)
             for j, v in enumerate(metric.states())]
    if count != len(model.metrics) or any(a is None or a.shape != v.shape for v, a in found):
        return False
    for v, array in found:
        v.data[...] = array
    return True


def checked(where: Any, make: Any) -> Any:
    """What `make` gives; a ModelFileError where the description is none that was written here."""
    try:
        return make()
    except (KeyError, IndexError, AttributeError, RecursionError, OverflowError, TypeError) as error:
        raise ModelFileError(f"{shown(str(where))}: its description makes no model; it is damaged, or a class has "
                             f"changed since.\n{type(error).__name__}: {shown(str(error), 200)}") from error
