"""Metric: sums that grow batch by batch, and the number read from them. Floor 3; imports ops.

The sums are float64 variables that start at 0. `update_state` is written with ops, so that it becomes part of the
training program; `compute` is plain NumPy on the states, whose arrays may have more axes in front (one row per epoch).
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn.arguments import dtype_of, of_weight
from fastnn.configuration import Configurable
from fastnn.engine import backend
from fastnn.engine.context import is_recording, is_symbolic_pass, not_recording
from fastnn.engine.kinds import DType
from fastnn.engine.operators import operators
from fastnn.engine.tensor import Tensor, Variable
from fastnn.engine.watch import Watched, held, note
from fastnn.errors import shown, warn
from fastnn.names import checked_name, snake_case
from fastnn.nest import distinct
from fastnn.ops._convert import broadcast_to
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import elementwise
from fastnn.ops.rows.metric import add_step, mean_step

__all__ = ["Metric"]


def _arithmetic(name: str, compute: Callable[[Any, Any], Any], turned: bool = False) -> Callable[[Any, Any], Any]:
    """An operator of State: an op while a step is recorded, else NumPy's, in float64."""
    def operator(self: "State", other: Any) -> Any:
        if is_recording() or is_symbolic_pass():
            now = elementwise.cast(self, dtype=backend.floatx())
            other = elementwise.cast(other, dtype=backend.floatx()) if isinstance(other, State) else other
            result = operators[name](*((other, now) if turned else (now, other)))
            if name == "+" or (name == "-" and not turned):
                self._sums = [*self._sums, (result, other if name == "+" else -other)]
            return result
        with np.errstate(all="ignore"):
            return compute(np.asarray(other), self.data) if turned else compute(self.data, np.asarray(other))
    return operator


class State(Variable):
    """A float64 variable of a metric; in `result` it may be used in arithmetic like the array it holds.

    While a step is recorded, arithmetic is that of ops, in floatx; but n.assign(n + 1) adds in float64, as assign_add
    does: in float32 a count ends at 2^24.
    """
    __slots__ = ("_sums",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sums: list[tuple[Tensor, Any]] = []       # (self + a, a), computed since it last changed

    def assign(self, value: Any) -> "State":
        """Copy a value of the same shape in, as a Variable does."""
        sums, self._sums = self._sums, []
        for result, more in sums:
            if value is result and value.shape == self.shape:
                return self.assign_add(more)
        super().assign(value)
        return self

    def assign_add(self, value: Any) -> "State":
        """Add a value of the same shape, or one number; to a 0-d state also the sum of a tensor. In float64, an op."""
        self._sums = []
        if is_symbolic_pass():
            return self
        value = as_tensor(value, "any")
        value = value if value.dtype == backend.floatx() else elementwise.cast(value, dtype=backend.floatx())
        if self.shape:
            add_step(self, broadcast_to(value, self.shape))
        else:
            mean_step(self, Tensor(np.zeros(()), "unused"), value)
        return self

    __add__, __radd__ = _arithmetic("+", np.add), _arithmetic("+", np.add, True)
    __sub__, __rsub__ = _arithmetic("-", np.subtract), _arithmetic("-", np.subtract, True)
    __mul__, __rmul__ = _arithmetic("*", np.multiply), _arithmetic("*", np.multiply, True)
    __truediv__, __rtruediv__ = _arithmetic("/", np.divide), _arithmetic("/", np.divide, True)


class Reading(Tensor):
    """What result() gives while a step is recorded: whoever shows the logs asks the metric again. A step that computes
    with it is not replayed."""
    __slots__ = ("metric",)
    momentary = True

    def __init__(self, metric: "Metric", value: Any) -> None:
        super().__init__(np.asarray(value, backend.floatx()), f"the result of {metric.name}")
        self.metric = metric


def _readable(result: Callable[["Metric"], Any]) -> Callable[["Metric"], Any]:
    @functools.wraps(result)
    def read(self: "Metric") -> Any:
        if not is_recording():
            return result(self)
        with not_recording():
            return Reading(self, result(self))
    return read


def _noted(update: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(update)
    def take_in(self: "Metric", *args: Any, **kwargs: Any) -> Any:
        note(self)
        y_true = args[0] if args else kwargs.get("y_true")
        if y_true is not None and not is_recording() and type(self).check_targets is not Metric.check_targets:
            y_true = y_true.data if isinstance(y_true, Tensor) else np.asarray(y_true)
            if y_true is not None:
                self.check_targets(y_true, self.name)
        return update(self, *args, **kwargs)
    return take_in


class Metric(Configurable, Watched):
    """Base of metrics: a subclass makes states with `add_variable`, fills them in `update_state`, reads in `result`.

    `update_state(y_true, y_pred, sample_weight=None)` is written with fastnn.ops. `label_kind`: "labels" if y_true are
    int32 class labels, else "float". Source: keras.metrics.Metric.
    """

    label_kind = "float"
    _direction: str | None = None        # "up" or "down", which callbacks ask for

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """What it overrides is noted where it updates, and read as a number where a step is recorded."""
        super().__init_subclass__(**kwargs)
        for name, wrap in (("result", _readable), ("update_state", _noted)):
            if name in vars(cls):
                setattr(cls, name, wrap(vars(cls)[name]))

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        self.dtype = dtype_of(dtype, f"{type(self).__name__}: dtype", ("float32", "float64", "int32", "int64"))
        if self.dtype.startswith("int"):
            warn(f"{type(self).__name__}: dtype is {self.dtype!r}; sums are float64 here always, and values are not "
                 "cut to whole numbers as Keras does then.")
        self.name = checked_name(name, type(self).__name__) or snake_case(type(self).__name__)
        self.variables: list[Variable] = []

    def add_variable(self, first: Any = None, second: Any = None, /, dtype: DType = None, name: str | None = None, *,
                     shape: Sequence[int] | None = None, initializer: Any = None, **_: Any) -> State:
        """A new float64 state. first, second: shape, () unless given, and initializer; or name and shape. It starts at
        0 always; ValueError for another initializer."""
        shape, initializer, name = of_weight(self.name, first, second, name, shape, initializer)
        if initializer is not None and "zero" not in str(getattr(initializer, "__name__", type(initializer).__name__
                                                       if not isinstance(initializer, str) else initializer)).lower():
            raise ValueError(f"{self.name}: initializer is {shown(initializer)}; the states of a metric start at zero, "
                             "as they are set to zero at the beginning of each epoch.")
        state = State(np.zeros(tuple(shape or ())), f"{self.name}/{name or len(self.variables)}", trainable=False,
                      dtype="float64")
        self.variables.append(state)
        return state

    add_weight = add_variable

    def settle(self, y_true_shape: tuple[int | None, ...], y_pred_shape: tuple[int | None, ...]) -> None:
        """What a metric decides, `label_kind` for one, once a compiled model knows the shapes of its data."""

    def check_targets(self, y_true: np.ndarray, where: str) -> None:
        """LabelError, with `where` in front, for targets that this metric cannot count. Asked before anything changes:
        by fit and evaluate for all targets, else for each batch."""

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take a batch in."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state(self, y_true, y_pred, "
                                  "sample_weight=None).")

    @property
    def _computed(self) -> bool:
        """Whether compute() alone says what it shows: a result() of its class's own, or of its own, may say anything
        else."""
        return (hasattr(self, "compute") and self.__class__.result is Metric.result
                and "result" not in self.__dict__)

    @property
    def _resets(self) -> bool:
        """Whether its class, or somebody for it alone, says how it is reset."""
        return self.__class__.reset_state is not Metric.reset_state or "reset_state" in self.__dict__

    @_readable
    def result(self) -> Any:
        """The value so far: a float, or an array where the metric has several."""
        if not hasattr(self, "compute"):
            raise NotImplementedError(f"{type(self).__name__} must define result(self).")
        with np.errstate(all="ignore"):
            value = np.asarray(self.compute(*[v.data for v in self.variables]))
        return float(value) if value.ndim == 0 else value

    def reset_state(self) -> None:
        """Start again from 0, the metrics inside too."""
        for v in self.states():
            v.data.fill(0)

    def states(self) -> list[Variable]:
        """Its own variables, then those of the metrics that it holds."""
        inside = held(self, Metric, ("_given", "_holders", "variables"))
        return distinct([*self.variables, *(v for m in inside for v in m.states())]) if inside else self.variables

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """update_state, then result."""
        self.update_state(*args, **kwargs)
        return self.result()
