"""Where optimizers race: formulas of one or two variables, and the loss of a model along two directions. Floor 5.

A surface gives the loss and its gradient at a point, as tensors, and the losses on a grid, for the picture.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastnn import ops
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import KindError, nearest, shown
from fastnn.feeding import arguments
from fastnn.feeding.arrays import Arrays
from fastnn.models import Model
from fastnn.nest import flatten

__all__ = ["LossPlane"]


class BuiltIn(NamedTuple):
    """A surface that is there by name: its function, text, start, window (x from, to, y from, to), lowest loss, and
    the learning rates of SGD, SGD with momentum, RMSprop and Adam that suit it."""
    function: Callable[..., Any]
    text: str
    start: tuple[float, ...]
    window: tuple[float, ...]
    lowest: float
    rates: tuple[float, float, float, float]


BUILT_IN = {
    "parabola": BuiltIn(lambda x: x ** 2 + 2 * x + 1, "x² + 2x + 1", (4.0,), (-7.0, 5.0), 0.0, (0.1, 0.05, 0.2, 0.3)),
    "ravine": BuiltIn(lambda x, y: 0.5 * x ** 2 + 50 * y ** 2, "½x² + 50y²", (-4.0, 1.0), (-5.0, 3.0, -1.3, 1.3),
                      0.0, (0.018, 0.01, 0.1, 0.2)),
    "rosenbrock": BuiltIn(lambda x, y: (1 - x) ** 2 + 100 * (y - x ** 2) ** 2, "(1-x)² + 100(y-x²)²", (-1.2, 1.0),
                          (-2.0, 2.0, -1.0, 3.0), 0.0, (0.001, 0.0003, 0.01, 0.05)),
    "saddle": BuiltIn(lambda x, y: 0.5 * x ** 2 - y ** 2 + 0.25 * y ** 4, "½x² - y² + ¼y⁴", (-2.0, 0.01),
                      (-2.5, 1.5, -2.2, 2.2), -1.0, (0.05, 0.02, 0.05, 0.1)),
    "two valleys": BuiltIn(lambda x, y: (x ** 2 + y - 11) ** 2 + (x + y ** 2 - 7) ** 2,
                           "(x²+y-11)² + (x+y²-7)²", (-0.5, -0.9), (-5.0, 5.0, -5.0, 5.0), 0.0,
                           (0.01, 0.003, 0.05, 0.2)),
    "plateau": BuiltIn(lambda x, y: ops.tanh(0.4 * (x ** 2 + y ** 2)), "tanh(0.4(x²+y²))", (-2.6, 0.8),
                       (-3.0, 2.0, -2.0, 2.0), 0.0, (0.5, 0.2, 0.05, 0.1)),
}


class Formula:
    """A function of one or two numbers, written with operators and fastnn.ops."""

    def __init__(self, function: Callable[..., Any], start: Sequence[float] | None, text: str = "",
                 window: Sequence[float] | None = None, lowest: float = math.nan) -> None:
        count = _arguments(function)
        self.function, self.window, self.lowest = function, window, lowest
        self.names = ["x", "y"][:count]
        self.text = text or f"{getattr(function, '__name__', 'f').replace('<lambda>', 'f')}({', '.join(self.names)})"
        given = [2.0] * count if start is None else list(np.atleast_1d(np.asarray(start, np.float64)))
        if len(given) != count or not np.isfinite(given).all():
            raise ValueError(f"race(): start is {shown(start)}; needs {count} finite number{'s' * (count > 1)}, for "
                             f"{' and '.join(self.names)}.")
        self.start = [float(value) for value in given]
        self.derive([Variable(value, name) for value, name in zip(self.start, self.names)])     # what is wrong is said

    def derive(self, point: Sequence[Variable]) -> tuple[Tensor, list[Tensor]]:
        """(the loss, its derivative by each number)."""
        with GradientTape() as tape:
            loss = self.function(*point)
        if not isinstance(loss, Tensor) or loss.shape != ():
            what = f"a tensor of shape {loss.shape}" if isinstance(loss, Tensor) else shown(loss)
            raise TypeError(f"race(): the formula gives {what}; needs one number made with operators and fastnn.ops of "
                            f"{' and '.join(self.names)}.")
        gradients = tape.gradient(loss, list(point))
        return loss, [ops.zeros(()) if g is None else g for g in gradients]

    def losses(self, *grids: np.ndarray) -> np.ndarray:
        """The losses at points, in the shape of the grids."""
        given = [Tensor(grid.astype(np.float32), name) for grid, name in zip(grids, self.names)]
        with np.errstate(all="ignore"):
            try:
                found = self.function(*given)
                if getattr(found, "shape", None) == grids[0].shape:
                    return np.asarray(found.data, np.float64)
            except (ValueError, TypeError):
                pass        # a formula of numbers only
            points = [[Variable(float(v), n) for v, n in zip(at, self.names)]
                      for at in zip(*(grid.ravel() for grid in grids))]
            return np.array([float(self.function(*point)) for point in points]).reshape(grids[0].shape)

    def curvature(self, at: Sequence[float]) -> np.ndarray:
        """The second derivatives at a point, by differences of first ones."""
        columns = []
        for i in range(len(at)):
            step = 1e-2 * max(1.0, abs(at[i]))
            slopes = []
            for side in (step, -step):
                moved = [Variable(v + side * (j == i), n) for j, (v, n) in enumerate(zip(at, self.names))]
                slopes.append([float(g) for g in self.derive(moved)[1]])
            columns.append((np.array(slopes[0]) - slopes[1]) / (2 * step))
        return np.array(columns)


def _arguments(function: Any) -> int:
    """How many numbers a formula takes: 1 or 2."""
    if not callable(function):
        raise KindError(f"race(): got {shown(function)}; needs a formula such as lambda x: x**2 + 2*x + 1, one of "
                        f"{', '.join(map(repr, BUILT_IN))}, or a compiled model with x and y.")
    try:
        parameters = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    except ValueError:
        parameters = []
    if len(parameters) not in (1, 2) or any(p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                                            for p in parameters):
        raise TypeError(f"race(): the formula takes {len(parameters)} arguments; needs one or two numbers.")
    return len(parameters)


def named(name: str, start: Sequence[float] | None) -> Formula:
    """A built-in surface; ValueError naming the nearest."""
    if name not in BUILT_IN:
        raise ValueError(f"race(): got {shown(name)}; {nearest(name, BUILT_IN)}")
    found = BUILT_IN[name]
    return Formula(found.function, found.start if start is None else start, f"{name}: {found.text}", found.window,
                   found.lowest)


class LossPlane:
    """loss(w + a·u + b·v): the loss of a compiled model on all of (x, y) along two random directions through its
    weights, each direction as long in every weight as that is (Li et al. 2018). A surface for race(); the model's own
    weights stay as they are.

    start: (a, b). seed: other directions. Layers run as in evaluate: no dropout.
    """

    def __init__(self, model: Model, x: Any, y: Any, start: Sequence[float] = (1.0, 1.0), seed: int = 0) -> None:
        model._ready("LossPlane()")
        arrays = arguments.adapt(model, x, y, None, "LossPlane()")
        self.model, self.names, self.window, self.lowest = model, ["a", "b"], None, math.nan
        self.text = f"loss of {model.name}: a, b along two directions through its weights"
        self.start = [float(value) for value in start]
        self._arrays = arrays
        self._weights = list(model.trainable_weights)
        self._at = [w.data.copy() for w in self._weights]
        draw = np.random.default_rng(seed)
        self._ways = [[_as_long(draw.normal(size=w.shape), w) for w in self._at] for _ in self.names]

    def derive(self, point: Sequence[Variable]) -> tuple[Tensor, list[Tensor]]:
        """(the loss, its derivative along each direction: the gradient by the weights, times the direction)."""
        loss, gradients = self._loss([float(v) for v in point], derive=True)
        slopes = [sum(float(np.vdot(g.data, u)) for g, u in zip(gradients, way) if g is not None)
                  for way in self._ways]
        return loss, [ops.convert_to_tensor(np.float32(slope)) for slope in slopes]

    def losses(self, *grids: np.ndarray) -> np.ndarray:
        """The losses at points, in the shape of the grids."""
        found = [float(self._loss(at)[0]) for at in zip(*(g.ravel() for g in grids))]
        return np.array(found).reshape(grids[0].shape)

    def _loss(self, point: Sequence[float], derive: bool = False) -> tuple[Tensor, Any]:
        """(the loss of all samples with the weights of that point, its gradients by them where they are wanted)."""
        model = self.model
        values = [w + sum(c * way[i] for c, way in zip(point, self._ways)) for i, w in enumerate(self._at)]
        with model._working("LossPlane()"), weights_at(self._weights, values), model.compiled.put_back():
            source = Arrays(model, "evaluate", self._arrays, len(self._arrays["x0"]))
            feed, _, ((rows, _), *_) = source.reading()
            with model._steps.put_back():
                model._steps.begin(feed, False)
                data = feed.batch(rows)
                with GradientTape() as tape, model._steps.inference():
                    outputs = flatten(model(arguments.of_form(feed.template[0], data)), Tensor)
                    loss = model.compiled.total_loss(data, outputs, model.losses, rows)
                return loss, tape.gradient(loss, self._weights) if derive else None


def _as_long(direction: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return direction * (float(np.linalg.norm(weight)) / max(float(np.linalg.norm(direction)), 1e-12))


class weights_at:
    """In the `with` block the weights are these."""

    def __init__(self, weights: Sequence[Any], values: Sequence[np.ndarray]) -> None:
        self.weights, self.values = weights, values

    def __enter__(self) -> None:
        self._before = [w.data.copy() for w in self.weights]
        for w, value in zip(self.weights, self.values):
            w.data[...] = value

    def __exit__(self, *exception: object) -> None:
        for w, value in zip(self.weights, self._before):
            w.data[...] = value
