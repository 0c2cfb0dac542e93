"""Program: a training step as a flat list that can be walked, printed and replayed.

Floor 1. Imports backend, call, plan and schedule; knows nothing of ops, layers or gradients.
"""

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.engine import backend, listing, plan, rewrite
from fastnn.engine.call import Call
from fastnn.engine.schedule import Schedule

if TYPE_CHECKING:
    from fastnn.engine.tensor import Tensor

_DATA = operator.attrgetter("data")


class Program:
    """A flat list of calls over fixed buffers, replayed by C (or, call by call, by the reference).

    `calls`: what was recorded, less what nobody needs, over the arena and the buffers that existed before. Views are
    there too; they share the memory of what they show, and C has nothing to run for them.
    Some calls may have been rewritten into others (rewrite.py); where sums are added up in another order then, and the
    last bits of results may differ from what the recording gave, `rounds` is True.
    `results`: the tensors that `keep` asked for, readable after each run, until another program of the same `room`
    runs. `arena_bytes`: size of the arena.
    Programs over the same tensors see a tensor's new array when its `data` is replaced.
    """

    def __init__(self, calls: Sequence[Call], name: str = "program", keep: Sequence[Any] = (),
                 room: "plan.Room | None" = None) -> None:
        self.name = name
        self._made_for = checks, replaced = backend.made_for()
        # Checked kernel by kernel, nothing is fused; nor is a kernel that a user has replaced.
        rules = () if checks else [rule for rule in rewrite.rules if not replaced & rule.gone()]
        self.calls, self.results, self.arena, self.rounds = plan.plan(calls, keep, rules, room)
        self.arena_bytes = self.arena.nbytes
        if room is not None:
            room.add(self)
        self._look_outside()

    def fits(self) -> bool:
        """Whether the backend in use would have made the same of the recorded calls."""
        return self._made_for == backend.made_for()

    def _look_outside(self) -> None:
        """Find the tensors that are not in the arena and the kernels that C lacks; its program is yet to be made."""
        tensors = {id(t): t for call in self.calls for t in (*call.inputs, *call.made)}
        self._outside = [t for t in tensors.values() if not np.may_share_memory(t.data, self.arena)]
        self._all_in_c = all(call.is_view or call.op.kernel.in_c for call in self.calls)
        self._handle: Any = None

    def move(self, memory: np.ndarray) -> None:
        """Let the arena begin where this memory does. What the last run left in it does not come along."""
        begin = self.arena.__array_interface__["data"][0]
        tensors = {id(t): t for call in self.calls for t in (*call.inputs, *call.made)} | {
            id(t): t for t in self.results}
        outside = {id(t) for t in self._outside}
        arena = memory[:self.arena_bytes]
        for t in tensors.values():
            if id(t) not in outside and np.may_share_memory(t.data, self.arena):
                offset = t.data.__array_interface__["data"][0] - begin
                t.data = arena[offset:offset + t.data.nbytes].view(t.data.dtype).reshape(t.data.shape)
        self.arena = arena
        self._look_outside()

    def updated(self) -> list[Any]:
        """The tensors that its update calls write: the state that it takes from one run to the next."""
        return list({id(t): t for call in self.calls if call.op.updates for t in call.outputs}.values())

    def between(self, make: Callable[[int], Call]) -> "Program":
        """The same calls over the same buffers, with the call make(0) before the first, make(1) after it, and so on."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.calls = [make(0), *(each for i, call in enumerate(self.calls, 1) for each in (call, make(i)))]
        twin._look_outside()
        return twin

    def parts(self) -> list[int]:
        """For each call, the most workers that C divides it among; decided by sizes alone."""
        handle, index = self.handle(), itertools.count()
        return [1 if call.is_view else handle.parts(next(index)) for call in self.calls]

    def run(self, times: int = 1) -> None:
        """Run it `times` times. Ctrl-C stops between two runs."""
        Schedule([(self, times)]).run()

    def in_c(self) -> bool:
        """Whether C replays it: the backend in use is C, and C has all of its kernels, and runs them."""
        return self._all_in_c and backend.backend() == "c" and self.fits()

    def handle(self) -> Any:
        """The C program, made at the first use, bound to the arrays of now."""
        if self._handle is None:
            self._make_handle()
        self.bind()
        if plan.poison:
            self.arena.fill(0xFF)
        return self._handle

    def bind(self) -> None:
        """Let the C program see the arrays that tensors have now."""
        if self._handle is not None:
            for i in itertools.compress(itertools.count(), map(operator.is_not, map(_DATA, self._movable), self._seen)):
                tensor = self._movable[i]
                self._handle.bind(self._places[id(tensor)], tensor.data)
                self._seen[i], self._fits[i] = tensor.data, tensor.data.shape == tensor.shape

    def check_arrays(self) -> None:
        """RuntimeError where a tensor's array was let go of, or replaced by one of another shape."""
        if self._handle is not None and all(self._fits):        # of the arrays that it is bound to
            return
        for tensor in self._outside:
            if tensor.data.shape != tensor.shape:
                raise RuntimeError(f"{self.name}: {tensor.name!r} is an array of shape {tensor.data.shape} now; needs "
                                   f"{tensor.shape}.\nData are there during fit, evaluate and predict only: call one "
                                   "of them; change weights by assign().")

    def _make_handle(self) -> None:
        places: dict[int, int] = {}
        tensors: list[Any] = []

        def place(tensor: "Tensor") -> int:
            if id(tensor) not in places:
                places[id(tensor)] = len(tensors)
                tensors.append(tensor)
            return places[id(tensor)]

        running = [call for call in self.calls if not call.is_view]
        calls = [(call.op.kernel.c, [place(t) for t in call.inputs], [place(t) for t in call.outputs],
                  tuple(call.constants[name] for name in call.op.kernel.constants), call.parts)
                 for call in running]
        first: dict[int, int] = {}
        for i, call in enumerate(running):
            for t in call.outputs if call.op.updates else ():
                first.setdefault(places[id(t)], i)
        self._places = places
        self.divided = any(parts > 1 for *_, parts in calls)
        self._movable = [t for t in self._outside if id(t) in places]
        self._seen: list[Any] = [None] * len(self._movable)
        self._fits = [False] * len(self._movable)
        # Last: an interrupt leaves no half.
        self._handle = backend._engine.Program([t.data for t in tensors], calls, list(first.items()))

    def step(self) -> None:
        """Run it once, call by call from Python, on the backend in use."""
        for call in self.calls:
            call.run()

    def __len__(self) -> int:
        return len(self.calls)

    def __str__(self) -> str:
        """The calls by section, as wide as the terminal, bookkeeping folded."""
        return listing.listing(self)

    def full(self) -> str:
        """Every call on a line of its own, however long."""
        return listing.full(self)

    def __repr__(self) -> str:
        return f"<Program {self.name}: {len(self.calls)} calls; print() lists them>"

    def _repr_html_(self) -> str:
        return listing.html(self)
