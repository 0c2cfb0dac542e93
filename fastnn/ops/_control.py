"""Choices and loops. What depends on a tensor's number is decided in Python: such a step is not replayed. Floor 2."""

from collections.abc import Callable, Sequence
from typing import Any

from fastnn import nest
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._arithmetic import clip
from fastnn.ops._compare import equal, where
from fastnn.ops._convert import axis_of, ids, tensor, whole_numbers
from fastnn.ops._creation import zeros
from fastnn.ops._shaping import concatenate, flip, pad, stack
from fastnn.ops._sizes import by_rule, symbol
from fastnn.ops.rows import data

__all__ = ["associative_scan", "cond", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop"]


def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """true_fn() where pred is true, else false_fn(). `where` decides element by element.

    For a symbolic pred both are called, and what they give is chosen from.
    """
    pred = tensor(pred)
    return _chosen(pred, true_fn(), false_fn()) if pred.symbolic else true_fn() if bool(pred) else false_fn()


def _chosen(pred: Tensor, yes: Any, no: Any) -> Any:
    """The one or the other, of one structure, shapes and dtypes. ShapeError where they differ."""
    if yes is None and no is None:
        return None
    others = [tensor(t) for t in nest.flatten(no)]
    for a, b in zip([tensor(t) for t in nest.flatten(yes)], others, strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ShapeError(f"cond: one branch gives {a.shape} of {a.dtype}, the other {b.shape} of {b.dtype}; they "
                             "must be alike.")
    left = iter(others)
    return nest.map_structure(lambda t: where(pred, t, next(left)), yes)


def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """The branch of this number, called with the operands; the first or last one for a number beyond.

    For a symbolic index all are called, and what they give is chosen from.
    """
    index = tensor(index)
    if not index.symbolic:
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)
    found = branches[-1](*operands)
    for i, branch in list(enumerate(branches[:-1]))[::-1]:
        found = _chosen(equal(clip(ids(index), 0, len(branches) - 1), i), branch(*operands), found)
    return found


def _tensors(values: Any) -> Any:
    """The numbers of a structure as tensors."""
    return nest.map_structure(lambda t: None if t is None else tensor(t), values)


def _as_they_came(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    return nest.map_structure(tensor, loop_vars)


@by_rule(_as_they_came)
def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any,
               maximum_iterations: int | None = None) -> Any:
    """body(*loop_vars) again and again while cond(*loop_vars) is true; tensors at the end."""
    several = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if several else (loop_vars,)
    count = 0
    while (maximum_iterations is None or count < maximum_iterations) and bool(cond(*values)):
        found = body(*values)
        values = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        count += 1
    return _tensors(values if several else values[0])


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """val = body_fun(i, val) for i from lower to upper - 1."""
    value = init_val
    for i in range(*whole_numbers("fori_loop", (lower, upper))):
        value = body_fun(i, value)
    return value


def _mapped(f: Callable[[Any], Any], xs: Any) -> Any:
    """Where the length is not known: the first result, that many times."""
    if nest.flatten(xs)[0].shape[0] is not None:
        return None
    return nest.map_structure(lambda t: symbol((None, *t.shape), t.dtype), f(_element(xs, 0)))


@by_rule(_mapped)
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """f of each element along the first axis, the results stacked."""
    count = nest.flatten(xs)[0].shape[0]
    if count == 0:      # f says of what shape
        one = _tensors(f(nest.map_structure(lambda t: symbol(t.shape[1:], t.dtype), _tensors(xs))))
        return nest.map_structure(lambda t: zeros((0, *t.shape), t.dtype), one)
    return _stacked([f(_element(xs, i)) for i in range(count)])


vectorized_map = map


def _scanned(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any = None, length: int | None = None,
             reverse: bool = False, unroll: int = 1) -> Any:
    """Where the length is not known: what one step gives, its y so many times."""
    if xs is None or not callable(f) or nest.flatten(xs)[0].shape[0] is not None:
        return None
    carry, y = f(init, _element(xs, 0))
    return _tensors(carry), nest.map_structure(lambda t: None if t is None else symbol((None, *t.shape), t.dtype),
                                               _tensors(y))


@by_rule(_scanned)
def scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any = None, length: int | None = None,
         reverse: bool = False, unroll: int = 1) -> tuple[Any, Any]:
    """carry, y = f(carry, x) for each x along the first axis, or `length` times: the last carry, and all y stacked."""
    if not callable(f):
        raise TypeError(f"scan: f is {shown(f)}; needs a function of carry and x.")
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ValueError(f"scan: unroll is {shown(unroll)}; needs a whole number >= 1, or a bool.")
    if xs is None and length is None:
        raise ValueError("scan: got neither xs nor length; needs one of them, to know how many steps.")
    count = length if xs is None else nest.flatten(xs)[0].shape[0]
    carry, found = init, []
    for i in range(count or 0)[::-1 if reverse else 1]:
        carry, y = f(carry, None if xs is None else _element(xs, i))
        found.append(y)
    ys = _stacked(found)
    return _tensors(carry), nest.map_structure(lambda t: flip(t, 0), ys) if reverse and ys is not None else ys


def _element(xs: Any, i: int) -> Any:
    """Number i along the first axis of each tensor."""
    return nest.map_structure(lambda t: tensor(t)[i], xs)


def _stacked(results: list[Any]) -> Any:
    """Results of one structure as that structure of stacks."""
    if not results or results[0] is None:
        return None
    flat = [nest.flatten(r) for r in results]
    stacks = iter([stack(list(each)) for each in zip(*flat)])
    return nest.map_structure(lambda _: next(stacks), results[0])


def _unknown_length(f: Any, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Where the length is not known: each as it came."""
    return nest.map_structure(tensor, elems) if any(t.shape[axis] is None for t in nest.flatten(elems)) else None


@by_rule(_unknown_length)
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """y[i] = f(y[i - 1], x[i]) along the axis, y[0] = x[0], for an f with f(f(a, b), c) = f(a, f(b, c)), of tensors or
    structures of them: f is called on many pairs at a time, about 2 log₂ n times in all. Source: Blelloch 1990.

    >>> associative_scan(lambda a, b: a + b, ops.arange(4)).numpy()
    array([0, 1, 3, 6], dtype=int32)
    """
    if not callable(f):
        raise TypeError(f"associative_scan: f is {shown(f)}; needs a function of two arguments.")
    flat = [tensor(t) for t in nest.flatten(elems)]
    place = axis_of(flat[0], axis)
    if len({t.shape[place] for t in flat}) > 1:
        raise ShapeError(f"associative_scan: got shapes {[t.shape for t in flat]}; needs one length along axis {axis}.")

    def joined(a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        one, other = iter(a), iter(b)
        return nest.flatten(f(nest.map_structure(lambda _: next(one), elems),
                              nest.map_structure(lambda _: next(other), elems)))

    def cut(ts: list[Tensor], begin: int, end: int, step: int = 1) -> list[Tensor]:
        keys = (slice(None),) * place + (slice(begin, end, step),)
        return [t[keys] for t in ts]

    def scanned(ts: list[Tensor]) -> list[Tensor]:
        size = ts[0].shape[place]
        if size < 2:
            return ts
        odd = scanned(joined(cut(ts, 0, size - 1, 2), cut(ts, 1, size, 2)))      # y[1], y[3], …
        even = cut(ts, 0, 1)
        if size > 2:
            rest = joined(cut(odd, 0, (size - 1) // 2), cut(ts, 2, size, 2))
            even = [concatenate([a, b], place) for a, b in zip(even, rest, strict=True)]
        return [_woven(a, b, place) for a, b in zip(even, odd, strict=True)]

    turned = [flip(t, place) if reverse else t for t in flat]
    found = iter([flip(t, place) if reverse else t for t in scanned(turned)])
    return nest.map_structure(lambda _: next(found), elems)


def _woven(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    """even[0], odd[0], even[1], odd[1], …; even may be one longer."""
    count = even.shape[axis] + odd.shape[axis]
    if odd.shape[axis] < even.shape[axis]:
        odd = pad(odd, [(0, int(i == axis)) for i in range(odd.ndim)])
    both = stack([even, odd], axis + 1)
    y: Tensor = data.slice(data.reshape(both, shape=(*even.shape[:axis], -1, *even.shape[axis + 1:])), axis=axis,
                           begin=0, end=count)
    return y
