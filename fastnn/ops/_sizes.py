"""Axes of unknown size, None in a symbolic tensor's shape: images of any height, sequences of any length. Floor 2.

What a layer makes of them is found by trying: its call runs with two sizes in their place, and an axis of the output
that differs between the two is unknown as well. So a layer's Python sees numbers always, when the model is built and
when it runs on data, and may compute with them. (Keras does the same where its backend is JAX.)
"""

from collections.abc import Callable
from typing import Any

from fastnn.engine.tensor import Tensor
from fastnn.nest import flatten, map_structure
from fastnn.ops import _memory

TRIED = (2520, 5040)        # divisible by all numbers up to 10, as a Reshape may want; larger than any window


def unknown(call: Callable[[tuple[Any, ...], dict[str, Any]], Any], args: tuple[Any, ...],
            kwargs: dict[str, Any]) -> Any:
    """call(args, kwargs) with symbolic tensors some of whose axes are unknown."""
    def tried(size: int) -> Any:
        def sized(x: Any) -> Any:
            return _sized(x, size)
        return call(map_structure(sized, args), map_structure(sized, kwargs))

    with _memory.any_size():
        first, second = map(tried, TRIED)
    others = iter(flatten(second, Tensor))
    return map_structure(lambda t: _common(t, next(others)) if isinstance(t, Tensor) else t, first)


def _sized(x: Any, size: int) -> Any:
    """A symbolic tensor with this size for axes that are unknown, but for the batch."""
    if not isinstance(x, Tensor) or not x.symbolic:
        return x
    y = Tensor(None, x.name, shape=(*x.shape[:1], *(size if n is None else n for n in x.shape[1:])), dtype=x.dtype)
    y.source, y.mask = x.source, None if x.mask is None else _sized(x.mask, size)
    return y


def _common(a: Tensor, b: Tensor) -> Tensor:
    """The tensor of which these two are examples."""
    y = Tensor(None, a.name, shape=tuple(m if m == n else None for m, n in zip(a.shape, b.shape)), dtype=a.dtype)
    y.source = a.source
    y.mask = None if a.mask is None or b.mask is None else _common(a.mask, b.mask)
    return y
