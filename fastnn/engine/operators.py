"""What Python's signs do with tensors. Floor 1; imports nothing of fastnn: fastnn.ops puts the functions in.

Comparisons are made element by element, so == is no test of identity; a tensor's hash is its own, so that sets and
dicts tell tensors apart.
"""

from collections.abc import Callable, Iterator
from typing import Any

operators: dict[str, Callable[..., Any]] = {}


def _binary(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: operators[name](self, other)


def _reversed(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: operators[name](other, self)


def _relation(name: str) -> Callable[[Any, Any], Any]:
    """With what is no number (None, text) Python compares by identity."""
    return lambda self, other: NotImplemented if other is None or isinstance(
        other, (str, bytes, type)) else operators[name](self, other)


class Operators:
    """The signs of arithmetic, comparison, logic and indexing, for tensors."""
    __slots__ = ()

    __add__, __radd__ = _binary("+"), _reversed("+")
    __sub__, __rsub__ = _binary("-"), _reversed("-")
    __mul__, __rmul__ = _binary("*"), _reversed("*")
    __truediv__, __rtruediv__ = _binary("/"), _reversed("/")
    __floordiv__, __rfloordiv__ = _binary("//"), _reversed("//")
    __mod__, __rmod__ = _binary("%"), _reversed("%")
    __matmul__, __rmatmul__ = _binary("@"), _reversed("@")
    __pow__, __rpow__ = _binary("**"), _reversed("**")
    __and__, __rand__ = _binary("&"), _reversed("&")
    __or__, __ror__ = _binary("|"), _reversed("|")
    __xor__, __rxor__ = _binary("^"), _reversed("^")
    __lshift__, __rlshift__ = _binary("<<"), _reversed("<<")
    __rshift__, __rrshift__ = _binary(">>"), _reversed(">>")
    __lt__, __le__, __gt__, __ge__ = _relation("<"), _relation("<="), _relation(">"), _relation(">=")
    __eq__, __ne__ = _relation("=="), _relation("!=")  # type: ignore[assignment]
    __hash__ = object.__hash__
    __getitem__ = _binary("[]")

    def __neg__(self) -> Any:
        return operators["-x"](self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return operators["|x|"](self)

    def __invert__(self) -> Any:
        return operators["~"](self)

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return operators["//"](self, other), operators["%"](self, other)

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return operators["//"](other, self), operators["%"](other, self)

    def __round__(self, digits: int = 0) -> Any:
        return operators["rounded"](self, digits)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))  # type: ignore[arg-type]
