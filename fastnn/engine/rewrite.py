"""Rewriting the calls of a program: where some calls are found, others take their place. Floor 1; knows no op.

A rule is written as a listing is printed, what to look for and what to compute instead:

    Rewrite("z = dense(x, w, b, activation='linear'); y = relu(z)",
            "y = dense(x, w, b, activation='relu')", ops)

Names stand for any tensors, the same name for the same one. A constant is as written, or a name that stands for any
value; `**more` are all others. What is made on the left only must not be read by anyone else, or kept. `q = p` on the
right says that q is p. A call that is on both sides stays where it is.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fastnn.engine.memory import Writes
from fastnn.names import parameter_names

rules: list["Rewrite"] = []     # what programs apply; fastnn.ops puts its own in


class Pattern(NamedTuple):
    """A call as it is written: names of tensors, and for each constant a value or a Name."""
    op: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: dict[str, Any]
    more: str       # the name of all constants that are not listed, or ""


class Name(str):
    """A constant that may have any value, by its name."""
    __slots__ = ()


Bound = dict[str, Any]          # tensors and constants by their names in the rule


class Rewrite:
    """One rule. ops: {name: op}. where: a function of some of the names, tensors and constants, which must be true too.
    shared: names of tensors that others may read nevertheless; what makes them stays where somebody does. rounds:
    whether the results may differ in the last bits, as sums are added up in another order."""

    def __init__(self, calls: str, instead: str, ops: Mapping[str, Any], where: Callable[..., bool] | None = None,
                 shared: Sequence[str] = (), rounds: bool = False) -> None:
        self.text = f"{' '.join(calls.split())} -> {' '.join(instead.split())}"
        self.where, self.shared, self.rounds = where, frozenset(shared), rounds
        self.wanted = parameter_names(where) if where else ()
        self._written: Any = calls, instead, ops

    def read(self) -> "Rewrite":
        """Take the rule in, when a program first asks for it. TypeError for calls that the ops do not fit."""
        if self._written is None:
            return self
        calls, instead, ops = self._written
        self.calls, _ = _parsed(calls, ops)
        new, self.same = _parsed(instead, ops)
        self.new = [pattern for pattern in new if pattern not in self.calls]
        self.stays = frozenset(i for i, pattern in enumerate(self.calls) if pattern in new)
        self.given = {name for pattern in self.new for name in pattern.outputs} | set(self.same)
        self.order = _order(self.calls)
        self._written = None
        return self

    def gone(self) -> set[str]:
        """The kernels of the calls that others take the place of."""
        self.read()
        return {pattern.op.kernel.name for i, pattern in enumerate(self.calls) if i not in self.stays}

    def __repr__(self) -> str:
        return f"<Rewrite {self.text}>"


def _parsed(text: str, ops: Mapping[str, Any]) -> tuple[list[Pattern], dict[str, str]]:
    """The calls of a side of a rule, and its {name: name of the same tensor}."""
    patterns, same = [], {}
    for line in ast.parse("\n".join(part.strip() for part in text.replace(";", "\n").splitlines())).body:
        assert isinstance(line, ast.Assign), text
        target = line.targets[0]
        outputs = tuple(ast.unparse(name) for name in (target.elts if isinstance(target, ast.Tuple) else [target]))
        value = line.value
        if isinstance(value, ast.Name):
            same[outputs[0]] = value.id
            continue
        assert isinstance(value, ast.Call), text
        constants = {k.arg: Name(k.value.id) if isinstance(k.value, ast.Name) else ast.literal_eval(k.value)
                     for k in value.keywords if k.arg}
        more = "".join(ast.unparse(k.value) for k in value.keywords if not k.arg)
        op = ops[ast.unparse(value.func)]
        if (len(value.args), len(outputs)) != (len(op.kernel.inputs), len(op.output_names)) or not (
                set(constants) <= set(op.kernel.constants) if more else set(constants) == set(op.kernel.constants)):
            raise TypeError(f"{ast.unparse(line)}: needs {op.kernel.signature} with {len(op.output_names)} outputs.")
        patterns.append(Pattern(op, tuple(map(ast.unparse, value.args)), outputs, constants, more))
    return patterns, same


def _order(patterns: Sequence[Pattern]) -> list[tuple[int, str, bool]]:
    """(pattern, a tensor of it that is known already, whether the pattern makes that tensor), in the order in which to
    look for them; the last of the rule is found first, by its op."""
    known, left = {*patterns[-1].inputs, *patterns[-1].outputs}, set(range(len(patterns) - 1))
    found = [(len(patterns) - 1, "", False)]
    while left:
        i, name, makes = next((i, name, makes) for makes in (True, False) for i in sorted(left, reverse=True)
                              for name in (patterns[i].outputs if makes else patterns[i].inputs) if name in known)
        known |= {*patterns[i].inputs, *patterns[i].outputs}
        left.remove(i)
        found.append((i, name, makes))
    return found


def rewrite(calls: Sequence[Any], keep: Sequence[Any],
            applied: Sequence[Rewrite]) -> tuple[list[Any], list[Any], bool]:
    """(the calls after all rules, one after the other; `keep`, with other tensors that hold the same; whether a rule
    was used that rounds)."""
    graph = _Graph(calls, keep)
    used = [rule.rounds for rule in applied if graph.apply(rule.read())]
    return graph.calls(), [graph.known_as(t) for t in keep], any(used)


class _Graph:
    """The calls of a program while rules are applied: where each stands, who makes a tensor and who reads it."""

    def __init__(self, calls: Sequence[Any], keep: Sequence[Any]) -> None:
        self.place: dict[Any, tuple[int, ...]] = {}     # calls that replace one stand at its place + (0,), + (1,), …
        self.maker: dict[int, Any] = {}
        self.readers: dict[int, dict[Any, None]] = {}
        self.by_op: dict[Any, dict[Any, None]] = {}
        self.kept = {id(t) for t in keep}
        self.same: dict[int, Any] = {}
        for i, call in enumerate(calls):
            self._add(call, (i,))
        self.writes = Writes((t.data, i) for i, call in enumerate(calls) if call.op.updates for t in call.outputs)
        self.changing = {id(t) for call in calls if call.op.updates for t in call.outputs}

    def calls(self) -> list[Any]:
        """The calls in their order."""
        return sorted(self.place, key=self.place.__getitem__)

    def known_as(self, tensor: Any) -> Any:
        """The tensor, or the one that holds the same and stands for it now."""
        while id(tensor) in self.same:
            tensor = self.same[id(tensor)]
        return tensor

    def apply(self, rule: Rewrite) -> bool:
        """Replace what the rule finds, until it finds nothing; whether it found anything."""
        used, more = False, True
        while more:
            more = False
            for anchor in list(self.by_op.get(rule.calls[-1].op, ())):
                if anchor in self.place:
                    more |= any(self._replace(rule, *match) for match in self._matches(rule, anchor))
            used |= more
        return used

    def _add(self, call: Any, place: tuple[int, ...]) -> None:
        self.place[call] = place
        self.by_op.setdefault(call.op, {})[call] = None
        for t in call.inputs:
            self.readers.setdefault(id(t), {})[call] = None
        if not call.op.updates:
            self.maker.update((id(t), call) for t in call.outputs)

    def _remove(self, call: Any) -> None:
        del self.place[call], self.by_op[call.op][call]
        for t in call.inputs:
            self.readers[id(t)].pop(call, None)

    # ---- finding ----------------------------------------------------------------------------------------------

    def _matches(self, rule: Rewrite, anchor: Any, step: int = 0, bound: Bound | None = None,
                 found: tuple[Any, ...] = ()) -> Iterator[tuple[Bound, dict[int, Any]]]:
        """(what the names stand for, {pattern: call}) of every way in which the rule fits around its last call."""
        if step == len(rule.order):
            yield bound or {}, {rule.order[i][0]: call for i, call in enumerate(found)}
            return
        i, name, makes = rule.order[step]
        if not step:
            candidates = [anchor]
        elif makes:
            candidates = [self.maker.get(id((bound or {})[name]))]
        else:
            candidates = list(self.readers.get(id((bound or {})[name]), ()))
        for call in candidates:
            if call is not None and call not in found:
                more = _unified(rule.calls[i], call, bound or {})
                if more is not None:
                    yield from self._matches(rule, anchor, step + 1, more, (*found, call))

    # ---- replacing --------------------------------------------------------------------------------------------

    def _replace(self, rule: Rewrite, bound: Bound, found: dict[int, Any]) -> bool:
        """Put the new calls in the place of those found; False, and nothing done, where that would change a result."""
        made = {name: bound[name] for i in found for name in rule.calls[i].outputs}
        if rule.where is not None and not rule.where(*[bound[name] for name in rule.wanted]):
            return False
        if any(id(t) in self.changing for t in made.values()):
            return False        # an update writes into it: two names would be the same memory
        ours = set(found.values())
        stays = {found[i] for i in rule.stays}
        for name, t in made.items():
            if name not in rule.given and self.maker[id(t)] not in stays and self._read_by_others(t, ours):
                if name not in rule.shared:
                    return False
                stays.add(self.maker[id(t)])
        place = self._free_place(rule, bound, made, ours - stays)
        if place is None:
            return False
        gone = [found[i] for i in sorted(found) if found[i] not in stays]
        for call in gone:
            self._remove(call)
        for k, pattern in enumerate(rule.new):
            self._add(_made(rule, pattern, bound, gone), (*place, k))
        for name, other in rule.same.items():
            self._rename(bound[name], bound[other])
        return True

    def _read_by_others(self, tensor: Any, ours: set[Any]) -> bool:
        return id(tensor) in self.kept or any(call not in ours for call in self.readers.get(id(tensor), ()))

    def _free_place(self, rule: Rewrite, bound: Bound, made: Mapping[str, Any],
                    gone: set[Any]) -> tuple[int, ...] | None:
        """The last place of a call that goes which lies behind all that the new calls read and before whoever reads
        what they make, with no update of an input in between; None where there is no such place."""
        inputs = [bound[name] for pattern in rule.new for name in pattern.inputs if name in bound]
        ready = max((self.place[self.maker[id(t)]] for t in inputs
                     if id(t) in self.maker and self.maker[id(t)] not in gone), default=())
        readers = [self.place[call] for name in rule.given if name in made
                   for call in self.readers.get(id(made[name]), ()) if call not in gone]
        for place in sorted((self.place[call] for call in gone), reverse=True):
            if place > ready and all(place < reader for reader in readers) and not any(
                    self.writes.between(t.data, *sorted((place, self.place[call])))
                    for call in gone for t in call.inputs if t.data is not None):
                return place
        return None

    def _rename(self, tensor: Any, other: Any) -> None:
        """Let everybody read `other` instead of the tensor, which holds the same."""
        self.same[id(tensor)] = other
        if id(tensor) in self.kept:
            self.kept.add(id(other))
        for call in list(self.readers.get(id(tensor), ())):
            place = self.place[call]
            self._remove(call)
            self._add(call.over(tuple(other if t is tensor else t for t in call.inputs), call.outputs), place)


def _unified(pattern: Pattern, call: Any, bound: Bound) -> Bound | None:
    """The names with those of the pattern, if the call is what it says and fits what is known; else None."""
    if call.op is not pattern.op:
        return None
    bound = dict(bound)
    for name, tensor in zip((*pattern.inputs, *pattern.outputs), (*call.inputs, *call.outputs), strict=True):
        if bound.setdefault(name, tensor) is not tensor:
            return None
    rest = dict(call.constants)
    for key, value in pattern.constants.items():
        given = rest.pop(key)
        wanted = bound.setdefault(value, given) if isinstance(value, Name) else value
        if given != wanted:
            return None
    if pattern.more:
        return bound if bound.setdefault(pattern.more, rest) == rest else None
    return None if rest else bound


def _made(rule: Rewrite, pattern: Pattern, bound: Bound, gone: Sequence[Any]) -> Any:
    """The call of a pattern, in the layer and section of those that it stands for. Tensors that are new get no memory:
    the planner gives it. TypeError for a rule that gives a tensor another shape or dtype."""
    constants = {key: bound[value] if isinstance(value, Name) else value for key, value in pattern.constants.items()}
    constants |= bound[pattern.more] if pattern.more else {}
    inputs = tuple(bound[name] for name in pattern.inputs)
    for name, tensor in zip(pattern.outputs, pattern.op.symbols(inputs, constants), strict=True):
        known = bound.setdefault(name, tensor)
        if (known.shape, known.dtype) != (tensor.shape, tensor.dtype):
            raise TypeError(f"{rule}: {name} is {known.dtype} {known.shape}, but {pattern.op.name} makes it "
                            f"{tensor.dtype} {tensor.shape}.")
    like = next((call for call in gone if call.op is pattern.op), gone[-1])
    return type(like)(pattern.op, inputs, tuple(bound[name] for name in pattern.outputs), constants, like.layer,
                      like.section)
