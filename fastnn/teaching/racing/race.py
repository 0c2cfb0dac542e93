"""race: several optimizers from the same start, and what became of them. Floor 5."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastnn import optimizers as optimizers_
from fastnn.arguments import number, whole
from fastnn.engine.decorator import Function
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import KindError, shown
from fastnn.models import Model
from fastnn.optimizers import SGD, Adam, Optimizer, RMSprop
from fastnn.saving.twins import like
from fastnn.teaching.racing import training
from fastnn.teaching.racing.surfaces import BUILT_IN, Formula, LossPlane, named
from fastnn.teaching.racing.verdicts import verdicts

__all__ = ["Race", "race"]

STEPS = 100
FAR = 1e6           # from the start, in its own size, and a racer has left


@dataclass(frozen=True)
class Race:
    """Optimizers that ran from one start. paths: {name: (steps + 1, 1 or 2)}, losses: {name: (steps + 1,)}, both
    shorter where one diverged until there were no numbers; verdicts: {name: what became of it, in words}.

    print(race), `.plot(path)`, `.animate(path)`. models: where whole models raced, {name: the trained model}.
    """
    on: str
    axes: Sequence[str]
    paths: Mapping[str, np.ndarray]
    losses: Mapping[str, np.ndarray]
    verdicts: Mapping[str, str]
    surface: Callable[..., np.ndarray] = field(repr=False)
    window: Sequence[float] | None = None
    unit: str = "step"
    models: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def order(self) -> list[str]:
        """The names, the lowest last loss first; those that diverged last."""
        return sorted(self.losses, key=lambda name: (not math.isfinite(self.last(name)), self.last(name)))

    def last(self, name: str) -> float:
        """The loss in the end."""
        return float(self.losses[name][-1])

    @property
    def title(self) -> str:
        """The race in a line."""
        best, *others = self.order
        lost = [name for name in others if "diverges" in self.verdicts[name]]
        text = f"{best} is lowest: {self.last(best):.3g} after {len(self.losses[best]) - 1} {self.unit}s"
        return text + (f"; {', '.join(lost)} diverge{'s' * (len(lost) == 1)}" if lost else "")

    @property
    def table(self) -> list[dict[str, Any]]:
        """A row for each: name, steps, first, last and lowest loss, in which step that was, verdict."""
        return [{"name": name, f"{self.unit}s": len(self.losses[name]) - 1, "first": float(self.losses[name][0]),
                 "last": self.last(name), "lowest": float(np.nanmin(self.losses[name])),
                 "at": int(np.nanargmin(self.losses[name])), "verdict": self.verdicts[name]} for name in self.order]

    def __str__(self) -> str:
        width = max(map(len, self.losses))
        start = ", ".join(f"{v:.3g}" for v in next(iter(self.paths.values()))[0])
        lines = [self.on if self.models else f"{self.on}, from {start}"]
        for row in self.table:
            lines.append(f"{row['name']:<{width}}  last {row['last']:<10.4g} lowest {row['lowest']:<10.4g} "
                         f"in {self.unit} {row['at']:<5}  {row['verdict']}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Race on {self.on}: {', '.join(self.order)}>"

    def plot(self, path: Any = None) -> Any:
        """The paths over the contours of the loss (of one variable: down its curve), and the losses beside them.
        Returns the Figure; saves it to `path` where given."""
        from fastnn.teaching.racing.pictures import plot
        return plot(self, path)

    def animate(self, path: Any, seconds: float = 6.0) -> Any:
        """The same as a film of so many seconds: a .gif, or a page .html with buttons that needs nothing else.
        Returns the path. ValueError for another ending."""
        from fastnn.teaching.racing.pictures import animate
        return animate(self, path, seconds)

    def _repr_png_(self) -> bytes:
        """In a notebook it shows itself."""
        import io
        target = io.BytesIO()
        self.plot().savefig(target, format="png")
        return target.getvalue()


def race(on: Any = "ravine", optimizers: Any = None, start: Sequence[float] | None = None, steps: int = STEPS, *,
         x: Any = None, y: Any = None, epochs: int = 10, batch_size: int = 32) -> Race:
    """Let optimizers run from the same start, and see their paths, losses and what became of each.

    on: a formula of one or two numbers (`lambda x: x**2 + 2*x + 1`; of more than operators, with fastnn.ops); one of
    "parabola", "ravine", "rosenbrock", "saddle", "two valleys", "plateau"; a teaching.LossPlane; or a compiled model,
    which then trains on x, y for `epochs`, each optimizer from its weights of now and on the same batches; the paths
    are drawn in the plane of the two directions that they differ most in. optimizers: names and objects in a list, or
    {name: optimizer}; objects are copied. Unless given: SGD, SGD with momentum, RMSprop and Adam, with rates that suit
    the built-in surfaces. The model stays as it is. start: the point where all begin.

    Raises TypeError or ValueError for what is no formula, no optimizer, no start.

    >>> teaching.race("rosenbrock", {"plain": optimizers.SGD(0.001), "Adam": optimizers.Adam(0.05)}).order
    ['Adam', 'plain']
    """
    count = whole(steps, "race(): steps")
    if isinstance(on, Model):
        if start is not None:
            raise ValueError("race(): a model starts at its own weights; leave start out, or race on a LossPlane.")
        racers = _racers(optimizers, on)
        found = training.train(on, racers, x, y, whole(epochs, "race(): epochs"),
                               whole(batch_size, "race(): batch_size"))
        told = verdicts(None, racers, found.losses, found.paths, "epoch")
        return Race(f"{on.name}, trained for {epochs} epochs", found.axes, found.paths, found.losses, told,
                    found.surface, None, "epoch", found.models)
    if x is not None or y is not None:
        raise ValueError("race(): x and y are for a model; for a formula leave them out.")
    surface: Any
    if isinstance(on, LossPlane):
        surface = on
        surface.start = list(surface.start) if start is None else [number(v, "race(): start") for v in start]
    else:
        surface = named(on, start) if isinstance(on, str) else Formula(on, start)
    racers = _racers(optimizers, on)
    runs = {name: _run(surface, like(optimizer), count) for name, optimizer in racers.items()}
    paths = {name: path for name, (path, _) in runs.items()}
    losses = {name: each for name, (_, each) in runs.items()}
    return Race(surface.text, surface.names, paths, losses, verdicts(surface, racers, losses, paths, "step"),
                surface.losses, surface.window)


def _racers(given: Any, on: Any) -> dict[str, Optimizer]:
    """{name: optimizer}, in order."""
    if given is None:
        rates = BUILT_IN[on].rates if isinstance(on, str) and on in BUILT_IN else (0.05, 0.05, 0.01, 0.05)
        sgd, momentum, rms, adam = rates
        return {f"SGD {sgd:g}": SGD(sgd), f"momentum {momentum:g}": SGD(momentum, momentum=0.9),
                f"RMSprop {rms:g}": RMSprop(rms), f"Adam {adam:g}": Adam(adam)}
    if isinstance(given, Mapping):
        pairs = [(str(name), _optimizer(each)) for name, each in given.items()]
    else:
        items = [given] if isinstance(given, (str, Optimizer)) else list(given)
        pairs = [(_title(each), _optimizer(each)) for each in items]
    found: dict[str, Optimizer] = {}
    for name, optimizer in pairs:
        free = next(n for n in [name, *(f"{name} ({i})" for i in range(2, 99))] if n not in found)
        found[free] = optimizer
    if not found:
        raise ValueError("race(): there are no optimizers; needs some, such as ['sgd', 'adam'].")
    return found


def _optimizer(given: Any) -> Optimizer:
    found = optimizers_.get(given)
    if found is None:
        raise KindError(f"race(): got {shown(given)}; needs optimizers, such as 'adam' or Adam(0.1).")
    return found


def _title(given: Any) -> str:
    """A name for a racer: its kind and rate."""
    if isinstance(given, Optimizer):
        momentum = getattr(given, "momentum", 0)
        rate = "" if given.schedule is not None else f" {float(given.learning_rate):g}"
        return f"{type(given).__name__}{rate}{f', momentum {momentum:g}' if momentum else ''}"
    return str(getattr(given, "__name__", given))


def _run(surface: Any, optimizer: Optimizer, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """(the points, the losses at them), the start first."""
    point = [Variable(value, name) for value, name in zip(surface.start, surface.names)]

    def step() -> Tensor:
        loss, gradients = surface.derive(point)
        optimizer.apply(gradients, point)
        return loss

    one = Function(step) if isinstance(surface, Formula) else step      # a formula is replayed in C
    path, losses = [[float(v) for v in point]], []
    limit = FAR * max(1.0, *map(abs, surface.start))
    with np.errstate(all="ignore"):
        for _ in range(steps):
            losses.append(float(one()))
            path.append([float(v) for v in point])
            if not math.isfinite(losses[-1]) or not max(map(abs, path[-1])) < limit:
                break
        losses.append(float(surface.derive(point)[0]))
    return np.array(path), np.array(losses)
