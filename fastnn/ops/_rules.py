"""Rules of ops: functions called with the arguments that they name; the shape rules that many share. Floor 2."""

from collections.abc import Callable
from typing import Any

from fastnn.errors import ShapeError
from fastnn.names import parameter_names

Shape = tuple[int | None, ...]


def same(x: Shape) -> Shape:
    """The shape rule of functions of one array `x`: same shape."""
    return x


def same_shapes(name: str, **shapes: Shape) -> Shape:
    """The common shape of all arguments; ShapeError naming the first two that differ."""
    (first, shape), *rest = shapes.items()
    for other, other_shape in rest:
        if unlike(shape, other_shape):
            raise ShapeError(f"{name}: {first} is {shape} and {other} is {other_shape}; the shapes must be equal; "
                             "reshape one of them.")
        shape = tuple(b if a is None else a for a, b in zip(shape, other_shape))
    return shape


def differ(a: int | None, b: int | None) -> bool:
    """Whether two lengths are known and not equal."""
    return a is not None and b is not None and a != b


def unlike(a: Shape, b: Shape) -> bool:
    """Whether two shapes have not as many axes, or lengths that are known and not equal."""
    return len(a) != len(b) or any(map(differ, a, b))


class Rule:
    """A function called with the arguments that its parameters name."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.parameters = parameter_names(function)

    def __call__(self, values: dict[str, Any]) -> Any:
        return self.function(*[values[name] for name in self.parameters])
