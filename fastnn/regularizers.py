"""Penalties on weights: functions of a tensor that give a number to add to the loss. Floor 3; imports ops.

λ·Σ|w| and λ·Σw², as Keras: without a half, and not divided by the number of samples.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from fastnn.arguments import number
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import Watched
from fastnn.errors import nearest, shown
from fastnn.names import snake_case
from fastnn.ops._op import as_tensor
from fastnn.ops.rows import elementwise, reduce


class Configured(Watched):
    """Base of small objects that are their constructor's arguments, each kept as the attribute of its name."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments. Raises NotImplementedError if one is not an attribute of the same name."""
        names = list(inspect.signature(type(self)).parameters)
        missing = [name for name in names if not hasattr(self, name)]
        if missing:
            raise NotImplementedError(f"{type(self).__name__} keeps no attribute {missing[0]!r}; define get_config().")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The object of a get_config()."""
        return cls(**config)

    def __repr__(self) -> str:
        names = inspect.signature(type(self)).parameters
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in names if hasattr(self, n))})"


class Regularizer(Configured):
    """Base: `__call__(x)` gives a 0-d Tensor, made with fastnn.ops; `get_config()` the constructor's arguments."""

    def __call__(self, x: TensorLike) -> Tensor:
        """The penalty on x."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, x).")


class L1L2(Regularizer):
    """penalty = l1·Σ|x| + l2·Σx². Both 0 unless given. Raises TypeError/ValueError for what is no number >= 0."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = number(l1, "L1L2: l1", 0), number(l2, "L1L2: l2", 0)

    def __call__(self, x: TensorLike) -> Tensor:
        """l1·Σ|x| + l2·Σx²."""
        if not self.l1:
            return _l2(x, self.l2)
        return elementwise.add(_l1(x, self.l1), _l2(x, self.l2)) if self.l2 else _l1(x, self.l1)


class L1(Regularizer):
    """penalty = l1·Σ|x|, l1 = 0.01 unless given. Drives weights to 0."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = number(l1, "L1: l1", 0)

    def __call__(self, x: TensorLike) -> Tensor:
        """l1·Σ|x|."""
        return _l1(x, self.l1)


class L2(Regularizer):
    """penalty = l2·Σx², l2 = 0.01 unless given. Keeps weights small; its gradient is 2·l2·x."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = number(l2, "L2: l2", 0)

    def __call__(self, x: TensorLike) -> Tensor:
        """l2·Σx²."""
        return _l2(x, self.l2)


l1 = L1
l2 = L2
l1_l2 = L1L2

CLASSES: dict[str, type] = {"L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": L1L2}


def get(identifier: object) -> Any:
    """The regularizer of a name, class, object, function or config dict; None for None. ValueError: nearest name."""
    return identified("Regularizer", identifier, CLASSES)


def identified(what: str, identifier: object, classes: Mapping[str, Any]) -> Any:
    """An object from what Keras takes for one: None, a name, a {"class_name", "config"} dict, a class or an object.

    Classes are called without arguments. Raises ValueError with the nearest of the names, or TypeError.
    """
    config: dict[str, Any] = {}
    if isinstance(identifier, dict):
        config, identifier = identifier.get("config") or {}, identifier.get("class_name")
        if not isinstance(identifier, str) or not isinstance(config, dict):
            raise ValueError(f"{what}: got a dict without a class name; needs {{'class_name': …, 'config': {{…}}}}.")
    if isinstance(identifier, str):
        if identifier not in classes:
            raise ValueError(f"{what}: got {shown(identifier)}; {nearest(identifier, classes)}")
        identifier = classes[identifier]
    if inspect.isclass(identifier):
        try:
            inspect.signature(identifier).bind(**config)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{what}: got {identifier.__name__} with {shown(config)}; needs an object; make one, as "
                            f"{error}.") from None
        identifier = identifier(**config)
    if identifier is not None and not callable(identifier):
        raise TypeError(f"{what}: got {shown(identifier)}; needs a name, a class, an object, a function or None.")
    return identifier


def snake_names(*classes: type) -> dict[str, type]:
    """Each class under its own name and under that name in snake case."""
    return {c.__name__: c for c in classes} | {snake_case(c.__name__): c for c in classes}


def _l1(x: TensorLike, factor: float) -> Tensor:
    x = as_tensor(x)
    return elementwise.scale(reduce.sum(elementwise.absolute(x), axes=tuple(range(x.ndim))), factor=factor)


def _l2(x: TensorLike, factor: float) -> Tensor:
    x = as_tensor(x)
    return elementwise.scale(reduce.sum(elementwise.square(x), axes=tuple(range(x.ndim))), factor=factor)
