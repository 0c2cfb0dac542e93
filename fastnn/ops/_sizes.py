"""Axes of unknown size, None in a symbolic tensor's shape: any batch, images of any height, sequences of any length.
Floor 2.

What a layer or an op makes of them is found by trying: it runs with two sizes in their place, and an axis of the output
that differs between the two is unknown as well. So Python sees numbers always, when a model is built and when it runs
on data, and may compute with them. (Keras does the same where its backend is JAX.) A layer keeps its batch unknown
while that does, as it mostly does.
"""

import contextlib
import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.nest import flatten, map_structure
from fastnn.ops import _memory

AXES = (2520, 5040)         # divisible by all numbers up to 10, as a Reshape may want; larger than any window
BATCHES = (12, 24)          # of a layer
ANY = (120, 240)            # of an op, which may put several axes into one

F = TypeVar("F", bound=Callable[..., Any])
Pair = tuple[int, int] | tuple[None, None]


def unknown(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """call(args, kwargs), a layer's, with symbolic tensors some of whose axes are unknown."""
    several = any(None in t.shape[1:] for t in flatten([*args, kwargs], Tensor) if t.symbolic)
    axes: Pair = AXES if several else (None, None)
    try:
        return _tried(call, args, kwargs, (None, None), axes) if several else call(args, kwargs)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        if not any(None in t.shape[:1] for t in flatten([*args, kwargs], Tensor) if t.symbolic):
            raise
        try:
            return _tried(call, args, kwargs, BATCHES, axes)
        except Exception:       # the mistake is another one: say what was wrong with the sizes that are there
            raise error from None


def _tried(call: Callable[..., Any], args: Any, kwargs: Any, batches: Pair, axes: Pair) -> Any:
    """call(args, kwargs) with the first and with the second sizes, as one."""
    found = []
    with _memory.trying(*["batch"] * (batches[0] is not None), *["axes"] * (axes[0] is not None)):
        for sizes in zip(batches, axes):
            args_now, kwargs_now = (map_structure(functools.partial(_sized, sizes=sizes), given) for given in (
                args, kwargs))
            found.append(call(args_now, kwargs_now))
    first, second = (flatten(each, Tensor) for each in found)
    if len(first) != len(second):
        raise ShapeError(f"got a size that is not known yet, on which it depends whether {len(first)} or {len(second)} "
                         "tensors come out; give the shape in full.")
    others = iter(second)
    return map_structure(lambda t: _common(t, next(others)) if isinstance(t, Tensor) else t, found[0])


def _sized(x: Any, sizes: tuple[int | None, int | None]) -> Any:
    """A symbolic tensor with these sizes for a batch and for other axes that are unknown."""
    if not isinstance(x, Tensor) or not x.symbolic or None not in x.shape:
        return x
    shape = tuple(n if n is not None else sizes[min(i, 1)] for i, n in enumerate(x.shape))
    y = Tensor(None, x.name, shape=shape, dtype=x.dtype)
    y.source, y.mask = x.source, None if x.mask is None else _sized(x.mask, sizes)
    return y


def _common(a: Tensor, b: Tensor) -> Tensor:
    """The tensor of which these two are examples."""
    y = Tensor(None, a.name, shape=tuple(m if m == n else None for m, n in zip(a.shape, b.shape)), dtype=a.dtype)
    y.source = a.source
    y.mask = None if a.mask is None or b.mask is None else _common(a.mask, b.mask)
    return y


# ---- functions of tensors as nodes of a graph -----------------------------------------------------------------------


class Applied:
    """A function called on symbolic tensors: a node of a model's graph, which calls it again on data. `op` and
    `constants` are used as those of a Call."""

    def __init__(self, function: "Function", args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.op, self.outputs = function, flatten(outputs, Tensor)
        self.inputs = flatten([args, kwargs], Tensor)
        places = iter(range(len(self.inputs)))

        def placed(leaf: Any) -> Any:
            return {"input": next(places)} if isinstance(leaf, Tensor) else leaf
        self.constants = {"args": map_structure(placed, list(args)), "kwargs": map_structure(placed, kwargs)}
        for t in self.outputs:
            t.source = self


class Function:
    """A function of tensors by its name, called with the tensors first and the rest as Applied keeps it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name, self.function = function.__name__, function

    def __call__(self, *inputs: Tensor, args: Any, kwargs: Any) -> Any:
        def is_place(value: Any) -> bool:
            return isinstance(value, dict) and list(value) == ["input"]

        def value(leaf: Any) -> Any:
            return inputs[leaf["input"]] if is_place(leaf) else leaf
        outputs = self.function(*map_structure(value, args, is_place), **map_structure(value, kwargs, is_place))
        if any(t.symbolic for t in flatten(outputs, Tensor)) and not any(t.symbolic for t in inputs):
            raise ValueError(f"{self.name}: its function uses a symbolic tensor that it was not given, and so never "
                             "meets the data; needs all in its arguments; hand it in with the others.")
        return outputs


FUNCTIONS: dict[str, Function] = {}      # what a saved graph may name


def _meeting(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """function(args, kwargs) with sizes in place of those that are unknown. Where these do not fit, one of the unknown
    is a size that it meets among the known: the first for which they do."""
    def call(a: Any, k: Any) -> Any:
        return function(*a, **k)
    try:
        return _tried(call, args, kwargs, ANY, ANY)
    except ShapeError as error:
        tensors = flatten([args, kwargs], Tensor)
        known = dict.fromkeys(n for t in tensors for n in t.shape if n is not None)
        for one, axis in [(t, i) for t in tensors if t.symbolic for i, n in enumerate(t.shape) if n is None]:
            for n in known:
                fitted = Tensor(None, one.name, shape=(*one.shape[:axis], n, *one.shape[axis + 1:]), dtype=one.dtype)
                fitted.source = one.source
                given = map_structure(lambda x: fitted if x is one else x, [list(args), kwargs])  # noqa: B023
                with contextlib.suppress(ShapeError):
                    return _tried(call, given[0], given[1], ANY, ANY)
        raise error from None


def of_any_size(function: F) -> F:
    """An op whose Python computes with sizes: where some are not known yet it is tried, and is one node of a graph."""
    @functools.wraps(function)
    def sized(*args: Any, **kwargs: Any) -> Any:
        if has_unknown(args) or (kwargs and has_unknown(kwargs.values())):
            try:
                outputs = _meeting(function, args, kwargs)
            except ShapeError as error:     # speak of the sizes as they are
                with contextlib.suppress(TypeError):
                    function(*args, **kwargs)
                raise ShapeError(re.sub(rf"\b({ANY[0]}|{ANY[1]})\b", "None", str(error))) from None
            Applied(applied, args, kwargs, outputs)
            return outputs
        return function(*args, **kwargs)
    applied = FUNCTIONS[function.__name__] = Function(sized)
    return sized  # type: ignore[return-value]


def by_rule(rule: Callable[..., Any]) -> Callable[[F], F]:
    """An op whose results for symbolic tensors are like those that rule(*args, **kwargs) gives, where it gives any: one
    node of a graph, as its Python needs numbers, or makes results whose size depends on them."""
    def decorated(function: F) -> F:
        @functools.wraps(function)
        def ruled(*args: Any, **kwargs: Any) -> Any:
            if not any(t.symbolic for t in flatten([args, kwargs], Tensor)):
                return function(*args, **kwargs)
            like = rule(*args, **kwargs)
            if like is None:
                return function(*args, **kwargs)
            outputs = map_structure(lambda t: None if t is None else symbol(t.shape, t.dtype), like)
            Applied(applied, args, kwargs, outputs)
            return outputs
        applied = FUNCTIONS[function.__name__] = Function(ruled)
        return ruled  # type: ignore[return-value]
    return decorated


def symbol(shape: Any, dtype: str) -> Tensor:
    """A symbolic tensor."""
    return Tensor(None, shape=tuple(shape), dtype=dtype)


def has_unknown(values: Any) -> bool:
    """Whether one of these, or in a list of them, is a symbolic tensor with a size that is not known."""
    for x in values:
        if isinstance(x, Tensor):
            if x.data is None and None in x.shape:
                return True
        elif isinstance(x, (list, tuple)) and x and has_unknown(x):
            return True
    return False
