"""Whole models that race: one optimizer each, the same weights, the same batches. Floor 5."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastnn.callbacks import LambdaCallback
from fastnn.errors import NotBuiltError
from fastnn.models import Model
from fastnn.optimizers import Optimizer
from fastnn.saving.twins import twin_of
from fastnn.teaching.racing.surfaces import weights_at

ROWS = 512          # samples that the contours are computed with


class Trained(NamedTuple):
    """Paths in the plane, losses by epoch, the models, the loss over the plane, and names of its axes."""
    paths: Mapping[str, np.ndarray]
    losses: Mapping[str, np.ndarray]
    models: Mapping[str, Model]
    surface: Callable[..., np.ndarray]
    axes: Sequence[str]


def train(model: Any, racers: Mapping[str, Optimizer], x: Any, y: Any, epochs: int, batch_size: int) -> Trained:
    """Train a copy of the model with each optimizer; the losses are those of all of (x, y) after each epoch."""
    model._ready("race()")
    if x is None:
        raise ValueError("race(): a model races on data; give x and y.")
    if not model.weights:
        raise NotBuiltError("race(): the model has no weights yet; begin it with an Input, or call it on data.")
    visited: dict[str, list[np.ndarray]] = {}
    losses: dict[str, list[float]] = {}
    models: dict[str, Model] = {}
    for name, optimizer in racers.items():
        twin = twin_of(model, optimizer)

        def look(twin: Any = twin, name: str = name) -> None:
            visited.setdefault(name, []).append(np.concatenate([w.data.ravel() for w in _numbers(twin)]))
            losses.setdefault(name, []).append(twin.evaluate(x, y, verbose=0, return_dict=True)["loss"])

        look()
        twin.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[
            LambdaCallback(on_epoch_end=lambda epoch, logs, look=look: look())])
        models[name] = twin
    base, ways, shares = _plane([np.array(v) for v in visited.values()])
    paths = {name: (np.array(v) - base) @ ways.T for name, v in visited.items()}
    part = slice(0, ROWS)
    surface = _surface(next(iter(models.values())), base, ways, _rows(x, part), _rows(y, part))
    axes = [f"direction {i} ({share:.0%} of the way)" for i, share in enumerate(shares, 1)]
    return Trained(paths, {name: np.array(v) for name, v in losses.items()}, models, surface, axes)


def _numbers(model: Any) -> list[Any]:
    """The weights, those too that are averages (of batch norm): the losses on a path are those of its own."""
    return [w for w in model.weights if w.dtype.startswith("float")]


def _rows(data: Any, part: slice) -> Any:
    return data[part] if hasattr(data, "__getitem__") and not isinstance(data, (list, tuple, dict)) else data


def _plane(visited: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(the common start, the two directions in which all paths go farthest from it, their shares)."""
    base = visited[0][0]
    moves = np.concatenate(visited).astype(np.float64) - base
    moves = moves[np.isfinite(moves).all(axis=1)]
    _, sizes, ways = np.linalg.svd(moves, full_matrices=False)
    if len(ways) < 2:
        ways = np.concatenate([ways, np.eye(2, ways.shape[1])])[:2]
    squares = np.concatenate([sizes ** 2, [0.0]])
    return base, ways[:2], squares[:2] / max(squares.sum(), 1e-30)


def _surface(twin: Any, base: np.ndarray, ways: np.ndarray, x: Any, y: Any) -> Callable[..., np.ndarray]:
    """The loss over the plane, with some of the samples."""
    def losses(*grids: np.ndarray) -> np.ndarray:
        weights, found = _numbers(twin), []
        ends = np.cumsum([w.data.size for w in weights])[:-1]
        for at in zip(*(grid.ravel() for grid in grids)):
            parts = np.split(base + np.array(at) @ ways, ends)
            with weights_at(weights, [part.reshape(w.shape) for part, w in zip(parts, weights)]):
                found.append(twin.evaluate(x, y, verbose=0, return_dict=True)["loss"])
        return np.array(found).reshape(grids[0].shape)
    return losses
