"""Axes of unknown size, None in a symbolic tensor's shape: any batch, images of any height, sequences of any length.
Floor 2.

What a layer or an op makes of them is found by trying: it runs with two large sizes in their place, and with one, and
an axis of the output that differs among these is unknown as well. So Python sees numbers always, when a model is built
and when it runs on data, and may compute with them. (Keras does the same where its backend is JAX.) Where no large size
fits, a size that is not known may be one that it meets, as in a sum with an array of five rows. A layer keeps its batch
unknown while that does, as it mostly does.
"""

import contextlib
import functools
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.nest import flatten, map_structure
from fastnn.ops import _memory

AXES = (2520, 5040)         # divisible by all numbers up to 10, as a Reshape may want; larger than any window
BATCHES = (12, 24)          # of a layer
ANY = (120, 240)            # of an op, which may put several axes into one
ALONE = (1, 2, 3)           # what ops ask for by themselves: axes to squeeze, points of two and three numbers, colours
ONE = 1                     # shows what is only so long where there is enough, as x[:, :4]

F = TypeVar("F", bound=Callable[..., Any])
Pair = tuple[int, int] | tuple[None, None]


def unknown(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """call(args, kwargs), a layer's, with symbolic tensors some of whose axes are unknown."""
    several = any(None in t.shape[1:] for t in flatten([*args, kwargs], Tensor) if t.symbolic)
    axes: Pair = AXES if several else (None, None)
    try:
        return _meeting(call, args, kwargs, (None, None), axes) if several else call(args, kwargs)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        if not any(None in t.shape[:1] for t in flatten([*args, kwargs], Tensor) if t.symbolic):
            raise _as_they_are(error) from None
        try:
            return _tried(call, args, kwargs, BATCHES, axes)
        except Exception:       # the mistake is another one: say what was wrong with the sizes that are there
            raise _as_they_are(error) from None


def _as_they_are(error: Exception) -> Exception:
    """The same mistake, of sizes that are not known where they had been tried."""
    said = re.sub("|".join(rf"\b{n}\b" for n in (*AXES, *ANY)), "None", str(error))
    same = not isinstance(error, ShapeError) or said == str(error)
    return error if same else ShapeError(said).with_traceback(error.__traceback__)


def _tried(call: Callable[..., Any], args: Any, kwargs: Any, batches: Pair, axes: Pair) -> Any:
    """call(args, kwargs) with the first and with the second sizes, and with one if it can be, as one."""
    def run(sizes: tuple[int | None, int | None]) -> tuple[Any, list[Tensor]]:
        made = call(*(map_structure(functools.partial(_sized, sizes=sizes), given) for given in (args, kwargs)))
        return made, flatten(made, Tensor)
    with _memory.trying(*["batch"] * (batches[0] is not None), *["axes"] * (axes[0] is not None)):
        (outputs, first), (_, second) = map(run, zip(batches, axes))
        if len(first) != len(second):
            raise ShapeError(f"got a size that is not known yet, on which it depends whether {len(first)} or "
                             f"{len(second)} tensors come out; give the shape in full.")
        found = list(map(_common, first, second))
        with contextlib.suppress(Exception):
            least = run((batches[0] and ONE, axes[0] and ONE))[1]
            if [t.ndim for t in least] == [t.ndim for t in found]:
                found = list(map(_common, found, least))
    others = iter(found)
    return map_structure(lambda t: next(others) if isinstance(t, Tensor) else t, outputs)


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


def _meeting(call: Callable[..., Any], args: Any, kwargs: Any, batches: Pair, axes: Pair) -> Any:
    """call(args, kwargs) with sizes in place of those that are unknown. Where these do not fit, one or two of the
    unknown are sizes that they meet among the known: all that fit, as one."""
    try:
        return _tried(call, args, kwargs, batches, axes)
    except ShapeError as error:
        unknown = [(t, i) for t in flatten([args, kwargs], Tensor) if t.symbolic for i, n in enumerate(t.shape)
                   if n is None and (i or batches[0])]
        known = dict.fromkeys((*_known([*args, *kwargs.values()]), *ALONE))
        known.update(dict.fromkeys([2 * n for n in known]))      # where twice as many fit too, it is no one size
        for count in (1, 2):
            found = []
            for places in itertools.combinations(unknown, count):
                for sizes in itertools.product(known, repeat=count):
                    a, k = _filled([list(args), kwargs], dict(zip([(id(t), i) for t, i in places], sizes)))
                    with contextlib.suppress(ShapeError):
                        found.append(_tried(call, a, k, batches, axes))
            if found:
                return _all_alike(found)
        raise error from None


def _all_alike(found: list[Any]) -> Any:
    """The outputs of which all these are examples. ShapeError where their number or their axes differ."""
    tensors = [flatten(each, Tensor) for each in found]
    if len({tuple(t.ndim for t in each) for each in tensors}) > 1:
        raise ShapeError("got a size that is not known yet, on which it depends how many axes come out; give the shape "
                         "in full.")
    common = iter([functools.reduce(_common, each) for each in zip(*tensors)])
    return map_structure(lambda t: next(common) if isinstance(t, Tensor) else t, found[0])


def _known(values: Any) -> Iterator[int]:
    """The sizes among these that are known: of tensors, arrays and lists, and numbers that may be some."""
    for x in values:
        if isinstance(x, (Tensor, np.ndarray)):
            yield from (n for n in x.shape if n is not None)
        elif isinstance(x, (list, tuple)):
            yield len(x)
            yield from _known(x)
        elif type(x) is int and x > 0:
            yield x


def _filled(values: Any, sizes: dict[tuple[int, int], int]) -> Any:
    """The same with these sizes, each for an axis of one of the tensors, by its id, and of its mask."""
    def filled(x: Tensor, t: Tensor) -> Tensor:
        y = Tensor(None, t.name, shape=tuple(sizes.get((id(x), i), n) for i, n in enumerate(t.shape)), dtype=t.dtype)
        y.source, y.mask = t.source, None if t.mask is None else filled(x, t.mask)
        return y
    return map_structure(lambda x: filled(x, x) if isinstance(x, Tensor) and any(
        key[0] == id(x) for key in sizes) else x, values)


def of_any_size(function: F) -> F:
    """An op whose Python computes with sizes: where some are not known yet it is tried, and is one node of a graph."""
    @functools.wraps(function)
    def sized(*args: Any, **kwargs: Any) -> Any:
        if has_unknown(args) or (kwargs and has_unknown(kwargs.values())):
            try:
                outputs = _meeting(lambda a, k: function(*a, **k), args, kwargs, ANY, ANY)
            except ShapeError as error:     # speak of the sizes as they are
                with contextlib.suppress(TypeError):
                    function(*args, **kwargs)
                raise _as_they_are(error) from None
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
