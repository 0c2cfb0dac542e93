"""Choices and loops. What depends on a tensor's number is decided in Python: such a step is not replayed. Floor 2."""

from collections.abc import Callable, Sequence
from typing import Any

from fastnn import nest
from fastnn.engine.kinds import TensorLike
from fastnn.ops._convert import tensor
from fastnn.ops._shaping import flip, stack

__all__ = ["cond", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop"]


def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """true_fn() where pred is true, else false_fn(). `where` decides element by element."""
    return true_fn() if bool(tensor(pred)) else false_fn()


def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """The branch of this number, called with the operands; the first or last one for a number beyond."""
    return branches[min(max(int(tensor(index)), 0), len(branches) - 1)](*operands)


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any,
               maximum_iterations: int | None = None) -> Any:
    """body(*loop_vars) again and again while cond(*loop_vars) is true."""
    several = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if several else (loop_vars,)
    count = 0
    while (maximum_iterations is None or count < maximum_iterations) and bool(cond(*values)):
        found = body(*values)
        values = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        count += 1
    return values if several else values[0]


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """val = body_fun(i, val) for i from lower to upper - 1."""
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """f of each element along the first axis, the results stacked."""
    count = nest.flatten(xs)[0].shape[0]
    return _stacked([f(_element(xs, i)) for i in range(count)])


vectorized_map = map


def scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any = None, length: int | None = None,
         reverse: bool = False, unroll: int = 1) -> tuple[Any, Any]:
    """carry, y = f(carry, x) for each x along the first axis: the last carry, and all y stacked."""
    count = length if xs is None else nest.flatten(xs)[0].shape[0]
    carry, found = init, []
    for i in range(count or 0)[::-1 if reverse else 1]:
        carry, y = f(carry, None if xs is None else _element(xs, i))
        found.append(y)
    ys = _stacked(found)
    return carry, nest.map_structure(lambda t: flip(t, 0), ys) if reverse and ys is not None else ys


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
