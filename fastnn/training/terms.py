"""Terms: which loss of compile() reads which outputs, with which weight. Floor 4."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastnn import losses
from fastnn.arguments import number
from fastnn.errors import UnknownNameError, shown
from fastnn.losses.loss import is_own
from fastnn.nest import flatten, map_structure

NESTED = (list, tuple, dict)


@dataclass
class Term:
    """A loss, and what it reads: the number of an output, or a structure of them, which it gets together.

    name: what history shows it as, with "_loss" behind it; terms of one name are shown as their sum. outputs: their
    numbers. kind: 'labels', 'ids' or 'float', what the loss takes as y.
    """
    places: Any
    loss: Any
    weight: float
    name: str

    def __post_init__(self) -> None:
        self.outputs: list[int] = flatten(self.places)
        self.kind = str(getattr(self.loss, "label_kind", "float"))


@dataclass(frozen=True)
class _Place:
    """An output, and what names it."""
    output: int
    label: str


@dataclass
class _Given:
    """A loss as compile() was given it, and its weight."""
    loss: Any
    weight: float


def terms(loss: Any, weights: Any, names: Sequence[str], form: Any) -> list[Term]:
    """The terms of compile(loss=…, loss_weights=…) for outputs of these names.

    form: the structure of the outputs, the names of their layers in their places. A loss, or a list or dict of one for
    each output; or the structure of the outputs, or of a part of them, in which a loss may stand for a structure that
    it is to read together, and a list, where the outputs have none, for several losses of the same.
    Raises ValueError where loss or weights do not fit the outputs.
    """
    deep = isinstance(form, NESTED) and any(isinstance(each, NESTED) for each in _items(form))
    labels = iter(flatten(form) if deep else
                  ["" if label is None else name for label, name in zip(flatten(form), names)])
    places = iter(range(len(names)))
    placed = map_structure(lambda _: _Place(next(places), next(labels)), form)
    if _plain(loss, names, form):
        one = loss is not None and not isinstance(loss, NESTED) and not isinstance(weights, NESTED)
        factors = [weights] * len(names) if one else per_output(weights, names, "loss_weights", spread=False)
        each = iter([_Given(_alone(item), _number(factor))
                     for item, factor in zip(per_output(loss, names, "loss"), factors)])
        return list(_matched(map_structure(lambda _: next(each), form), placed, ()))
    found = list(_matched(_weighted(loss, weights), placed, ()))
    for term in found:
        if isinstance(term.places, NESTED) and not is_own(term.loss):
            raise ValueError(f"compile(): the loss {term.loss.name!r} stands for {len(term.outputs)} outputs together "
                             f"({term.name}); it reads one. Give one for each, in their structure.")
    return found


def _items(value: Any) -> list[Any]:
    """What a list, tuple or dict holds itself."""
    return list(value.values() if isinstance(value, dict) else value)


def _plain(loss: Any, names: Sequence[str], form: Any) -> bool:
    """Whether loss is one, or a list or dict of one for each output."""
    if not isinstance(loss, NESTED):
        return True
    if any(isinstance(_alone(item), NESTED) for item in _items(loss)):
        return False
    if isinstance(loss, dict):
        return not isinstance(form, dict) or set(loss) <= set(names) or set(form) == set(names)
    return len(loss) == len(names) or len(names) == 1 or isinstance(form, type(loss))


def _weighted(loss: Any, weights: Any) -> Any:
    """loss with a _Given in the place of each; ValueError where the weights are not one for each."""
    factors = flatten(weights) if weights is not None else [None] * len(flatten(loss))
    if len(factors) != len(flatten(loss)):
        raise ValueError(f"compile(): got {len(factors)} loss_weights; there are {len(flatten(loss))} losses. Give one "
                         "for each, in the structure of loss.")
    each = iter(factors)
    return map_structure(lambda item: _Given(item, _number(next(each))), loss)


def _matched(loss: Any, placed: Any, path: tuple[Any, ...]) -> Iterator[Term]:
    """The terms of the part of the losses that belongs to a part of the outputs, found there by `path`."""
    if (isinstance(loss, (list, tuple)) and isinstance(placed, NESTED) and len(loss) == len(flatten(placed))
            and not any(isinstance(item, NESTED) for item in loss)):
        each = iter(loss)       # one for each output, in order
        loss = map_structure(lambda _: next(each), placed)
    if isinstance(loss, _Given):
        if loss.loss is not None:
            made = losses.resolve(loss.loss)
            yield Term(map_structure(lambda place: place.output, placed), made, loss.weight,
                       _name(placed, path) or made.name)
        return
    leaf = isinstance(placed, _Place)
    if isinstance(loss, (list, tuple)) and (leaf or not isinstance(placed, type(loss))):
        for item in loss:       # several losses of the same outputs
            yield from _matched(item, placed, path)
        return
    where = "/".join(map(str, path))
    if leaf or isinstance(loss, dict) != isinstance(placed, dict):
        raise ValueError(f"compile(): loss has {shown(_bare(loss))} for the output {where or _name(placed, ())!r}, "
                         "whose structure is another; needs the same.")
    for key, item in loss.items() if isinstance(loss, dict) else enumerate(loss):
        there = key in placed if isinstance(placed, dict) else key < len(placed)
        if not there:
            has = list(placed) if isinstance(placed, dict) else f"{len(placed)} outputs"
            of = f" of {where}" if where else ""
            raise UnknownNameError(f"compile(): loss names the output {shown(key)}{of}; the "
                             f"model has {has}.")
        if not (isinstance(item, _Given) and item.loss is None):
            yield from _matched(item, placed[key], (*path, key))


def _bare(loss: Any) -> Any:
    return map_structure(lambda given: given.loss, loss)


def _name(placed: Any, path: tuple[Any, ...]) -> str:
    """Keras' names: the way to the output, whose name stands for a last number; all names for all outputs together."""
    if isinstance(placed, _Place):
        path = (*path[:-1], placed.label) if not path or isinstance(path[-1], int) else path
    elif not path:
        return "_".join(placed if isinstance(placed, dict) else [place.label for place in flatten(placed)])
    return "/".join(map(str, path))


def _number(weight: Any) -> float:
    return 1.0 if weight is None else float(number(weight, "compile(): loss_weights"))


def _alone(item: Any) -> Any:
    """A loss that stands in a list of its own, as metrics may."""
    return item[0] if isinstance(item, (list, tuple)) and len(item) == 1 else item


def per_output(value: Any, names: Sequence[str], what: str, *, spread: bool = True, lists: bool = False) -> list[Any]:
    """One item per output from a single value, a list or a dict by output name."""
    n, names = len(names), list(names)
    if isinstance(value, dict):
        unknown = sorted(set(value) - set(names))
        if unknown:
            raise UnknownNameError(f"compile(): {what} names the outputs {shown(unknown)}; the outputs are {names}.")
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        nested = any(isinstance(v, (list, tuple)) for v in value)
        if lists and (n == 1 or not nested) and not (n > 1 and len(value) == n and nested):
            return [value] * n if n == 1 or len(value) != n else [[v] for v in value]
        if len(value) != n:
            raise ValueError(f"compile(): got {len(value)} items for {what}; the model has {n} outputs, {names}.")
        return list(value)
    if not spread and n > 1 and value is not None:
        raise ValueError(f"compile(): {what} is {shown(value)}; the model has {n} outputs, {names}: give one for each.")
    return [value] * n
