"""A whole fit in a file: what a resumed run needs to have the bits of one that never stopped. Floor 5.

Weights, optimizers, random numbers, sums of metrics, history, callbacks, and where the reading of the data is.
"""

import itertools
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import seeds
from fastnn.engine.tensor import Variable
from fastnn.errors import ModelFileError, shown, warn
from fastnn.optimizers import Optimizer
from fastnn.reporting.history import Columns
from fastnn.saving import file
from fastnn.saving.state import (
    Arrays,
    Unwritable,
    checked,
    metric_state,
    one_counter_each,
    optimizer_state,
    packed,
    put_metric_state,
    put_optimizer_state,
    put_random_state,
    random_state,
    unpacked,
)
from fastnn.seeds import SeedGenerator


def callback_states(run: Any) -> list[dict[str, tuple[Any, Arrays]]]:
    """What each callback has in its get_state() now: {name: (the value, the arrays in it)}, copied."""
    states: list[dict[str, tuple[Any, Arrays]]] = []
    for i, callback in enumerate(run.listeners.callbacks):
        states.append({})
        for name, value in callback.get_state().items():
            arrays: Arrays = {}
            try:
                states[-1][name] = packed(value, arrays, f"callbacks/{i}/{name}"), arrays
            except Unwritable:
                continue        # an open file, a thread, a model: what get_state() says is kept
            arrays.update({key: array.copy() for key, array in arrays.items()})
    return states


def _same(a: tuple[Any, Arrays] | None, b: tuple[Any, Arrays]) -> bool:
    return a is not None and json.dumps(a[0]) == json.dumps(b[0]) and a[1].keys() == b[1].keys() and all(
        np.array_equal(a[1][key], b[1][key]) for key in a[1])


def write_backup(path: str | os.PathLike[str], run: Any, middle: bool,
                 began: list[dict[str, tuple[Any, Arrays]]]) -> None:
    """Write the fit that is under way. middle: between two steps of an epoch, else between two epochs. began: the
    states of its callbacks when it began."""
    arrays, content = state_of(run, run.epoch + (not middle), middle, began)
    history = vars(run.listeners.history)
    file.write(path, arrays, {**content, "history": {
        name: packed(_rows(history[name]), arrays, f"history/{name}")
        for name in ("history", "epoch", "runs", "_rows")}})


def state_of(run: Any, epoch: int, middle: bool = False,
             began: Sequence[dict[str, tuple[Any, Arrays]]] = ()) -> tuple[Arrays, dict[str, Any]]:
    """(arrays, plain data): all that a fit goes on from but its history. epoch: the one that is under way, or next;
    began: the states of its callbacks at a moment that they need not be taken back to."""
    model, weights, states = run.model, run.model.weights, _states(run.model)
    arrays: Arrays = {f"weights/{i}": v.numpy() for i, v in enumerate(weights)}
    optimizers = [optimizer_state(each, weights, arrays, f"optimizer/{i}")
                  for i, each in enumerate(model._holds(Optimizer))]
    arrays.update((f"states/{i}", v.numpy()) for i, v in enumerate(states))
    _no_other_state(model, [*weights, *states])
    callbacks = []
    for callback, before, now in itertools.zip_longest(run.listeners.callbacks, began, callback_states(run)):
        changed = {name: each for name, each in now.items() if not _same((before or {}).get(name), each)}
        for _, own in changed.values():
            arrays.update(own)
        if changed:
            callbacks.append([type(callback).__name__, {name: value for name, (value, _) in changed.items()}])
    return arrays, {
        "run": {"epoch": epoch, "middle": middle, "steps": run.listeners.steps,
                "source": run.training.position(), "stop": bool(model.stop_training)},
        "optimizers": optimizers, "random": random_state(model), "metrics": metric_state(model, arrays),
        "callbacks": callbacks}


def _states(model: Any) -> list[Variable]:
    """The variables that are no weights: what layers carry from batch to batch."""
    weights = set(map(id, model.weights))
    return [v for v in model._holds(Variable) if id(v) not in weights]


def _rows(value: Any) -> Any:
    """Ranges as pairs, whole numbers many at a time."""
    if isinstance(value, dict):
        return {name: [[r.start, r.stop] for r in each] if each and isinstance(each[0], range) else each
                for name, each in value.items()}
    return value


def _no_other_state(model: Any, kept: Sequence[Variable]) -> None:
    """ValueError for a variable that training changes and that is neither the model's nor its metrics'."""
    steps = model._steps
    known = {*map(id, (*kept, model._feeds.epoch, steps.log_row, *seeds.states(model._holds(SeedGenerator)),
                       *(v for metric in (*model.metrics, *model.compiled.last.values()) for v in metric.states()),
                       *(v for each in model._holds(Optimizer) for v in each.state().values()),
                       *(v for each in model._holds(Optimizer) for v in each._parts.get("gradients", ())),
                       *(feed.cursor for feed in model._feeds)))}
    for tensor in steps.state():
        if isinstance(tensor, Variable) and id(tensor) not in known:
            raise ValueError(f"BackupAndRestore: training changes the variable {tensor.name!r}, which is no weight of "
                             f"{model.name}.\nMake it an attribute of the model or of a layer of it.")


def read_backup(path: str | os.PathLike[str], run: Any) -> None:
    """Put back the fit of a file; the run goes on where that one was."""
    arrays, content = file.read(path)
    if "run" not in content:
        raise ModelFileError(f"{shown(str(path))} holds a model and no fit; needs a file of BackupAndRestore.")

    def put() -> None:
        put_state(path, run, arrays, content)
        _put_history(run.listeners.history,
                     {name: unpacked(value, arrays) for name, value in content["history"].items()})
    checked(path, put)


def put_model(path: Any, model: Any, arrays: Arrays, content: dict[str, Any]) -> None:
    """What of a state_of() is the model's: weights, states, optimizers, random numbers; path: what messages call it."""
    from fastnn.saving.weights import put_weights
    put_weights(model, arrays, path)
    for i, v in enumerate(_states(model)):
        v.assign(arrays[f"states/{i}"])
    for i, (optimizer, trained) in enumerate(zip(model._holds(Optimizer), content["optimizers"])):
        put_optimizer_state(optimizer, model.weights, arrays, trained, f"optimizer/{i}")
    put_random_state(model, content["random"])


def put_state(path: Any, run: Any, arrays: Arrays, content: dict[str, Any], same_data: bool = True) -> None:
    """Let a run go on from a state_of(); path: what messages call it. same_data: where the reading of them was."""
    model, at, listeners = run.model, content["run"], run.listeners
    if same_data:
        _same_data(path, run, at["source"])
    put_model(path, model, arrays, content)
    seeds.set_state(one_counter_each(content["random"])["global"])
    kept = list(content["callbacks"])
    for callback in listeners.callbacks:
        found = next((pair for pair in kept if pair[0] == type(callback).__name__), None)
        if found is not None:
            kept.remove(found)
            callback.set_state({name: unpacked(value, arrays) for name, value in found[1].items()})
    if kept:
        warn(f"BackupAndRestore: the fit of {shown(str(path))} had the callbacks {[name for name, _ in kept]} too, "
             "this one has not; it goes on without them.")
    listeners.steps = at["steps"]
    run.epoch = at["epoch"]
    model.stop_training = at["stop"]
    if same_data:
        run.training.resume(at["source"])
    if at["middle"]:
        def sums() -> None:
            if not put_metric_state(model, arrays, content["metrics"]):
                warn(f"BackupAndRestore: the metrics of {shown(str(path))} are others; the logs of this epoch have the "
                     "rest of it only.")
        run.middle = sums


def _put_history(history: Any, state: dict[str, Any]) -> None:
    rows = {name: [range(*pair) for pair in pairs] for name, pairs in state["_rows"].items()}
    vars(history).update(history=Columns(state["history"]), epoch=state["epoch"], runs=state["runs"], _rows=rows)


def _same_data(path: Any, run: Any, position: dict[str, Any]) -> None:
    """A warning where the data are not those of the backup; ValueError where there are other batches."""
    before = position.get("data")
    now = run.training.fingerprint() if hasattr(run.training, "fingerprint") else None
    if (before is None) != (now is None) or (before and now and before[:2] != now[:2]):
        had, has = ("batches of a generator" if each is None else f"{each[1]} batches of {each[0]}"
                    for each in (before, now))
        raise ValueError(f"BackupAndRestore: the backup is of a fit with {had}, this one has {has}; needs the same.\n"
                         f"Use the same data and batch_size, or remove {path}.")
    if before != now:
        warn(f"BackupAndRestore: the data are not those of {shown(str(path))}; the fit goes on with these.")
