"""From recorded calls to a program: drop what nobody needs or never changes, and lay the buffers into one arena.

Floor 1; imports memory and rewrite. Its time grows with the number of calls, not with its square: networks may be deep.
"""

import collections
import contextlib
import heapq
import math
import mmap
import os
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine.memory import FirstFit, Touches
from fastnn.engine.rewrite import rewrite

ALIGNMENT = 64
HUGE_PAGE = 2 << 20
# Bytes from which memory is asked for in huge pages. A step of 1024-2048-2048-10, batch 256, Adam, on two cores took
# 36.4 ms with them and 37.8 without (medians of three processes); 784-128-64-10 has no block that large.
HUGE = 4 << 20
poison = False      # tests set it: the arena is filled with NaN before every run


class Room:
    """Memory that programs share of which one runs at a time, as nothing in an arena outlives a run: what the largest
    needs is enough for all. Where it has to grow, all of them move."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)
        self._programs: weakref.WeakSet[Any] = weakref.WeakSet()

    def take(self, size: int) -> np.ndarray:
        """An arena of so many bytes."""
        if size > self._memory.nbytes:
            memory = aligned_empty(size)        # or MemoryError, and all is as it was
            for program in self._programs:
                program.move(memory)
            self._memory = memory
        return self._memory[:size]

    def add(self, program: Any) -> None:
        """Let a program move with the others."""
        self._programs.add(program)


def plan(calls: Sequence[Any], keep: Sequence[Any], rules: Sequence[Any],
         room: Room | None = None) -> tuple[list[Any], list[Any], np.ndarray, bool]:
    """(calls over planned tensors, the planned tensors of `keep`, the arena, whether a rule of rewriting rounds)."""
    calls, keep = _once(_needed(_varying(calls), keep), keep)
    calls, keep, rounds = rewrite(calls, keep, rules)
    calls = _needed(calls, keep)
    made = {id(t) for call in calls if not call.op.updates for t in call.outputs}
    calls = _forward_copies(calls, keep)
    roots = _view_roots(calls, made)
    unread = made & _unread(calls, keep)
    offsets, size = _offsets(calls, keep, made - unread, roots)
    arena = aligned_empty(size) if room is None else room.take(size)
    replaced: dict[int, Any] = {}

    def planned(tensor: Any) -> Any:
        """The tensor itself when it existed before the recording, else its twin in the arena, or one without memory."""
        root = roots.get(id(tensor), id(tensor))
        if root not in offsets:
            return tensor.at(None) if id(tensor) in unread else tensor
        if id(tensor) not in replaced:
            data = arena[offsets[root]:offsets[root] + _bytes(tensor)].view(tensor.dtype)
            replaced[id(tensor)] = tensor.at(data.reshape(tensor.shape))
        return replaced[id(tensor)]

    result = [call.over(tuple(map(planned, call.inputs)), tuple(map(planned, call.outputs))) for call in calls]
    return result, [planned(t) for t in keep], arena, rounds


def aligned_empty(size: int) -> np.ndarray:
    """`size` bytes of fresh memory that begin at a multiple of 64. MemoryError says how much was asked for."""
    if size >= machine_memory():
        raise MemoryError(f"a program needs {size / 2**30:,.1f} GiB for its buffers; this machine has "
                          f"{machine_memory() / 2**30:,.1f}.\nUse a smaller batch_size or smaller layers.")
    alignment = HUGE_PAGE if size >= HUGE else ALIGNMENT
    try:
        memory = _huge_pages(size + alignment) if size >= HUGE else np.empty(size + alignment, np.uint8)
    except (OSError, MemoryError):      # mmap's, NumPy's
        raise MemoryError(f"no memory for the {size / 2**20:,.1f} MiB of weights or of a program's buffers.\nUse "
                          "a smaller batch_size or smaller layers, or let go of other models and arrays.") from None
    begin = -memory.ctypes.data % alignment
    return memory[begin:begin + size]


def _huge_pages(size: int) -> np.ndarray:
    """Fresh zeros, on pages of 2 MiB where the system has them; given back when the last array into them dies."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.empty(size, np.uint8)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):      # a kernel without them
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint8)


def machine_memory() -> int:
    """The bytes of memory this machine has, 1 TiB where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2 ** 40


def _bytes(tensor: Any) -> int:
    return math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize


def _varying(calls: Sequence[Any]) -> list[Any]:
    """The calls whose results change from run to run. What depends on constants alone was computed by the recording."""
    result = []
    for call in calls:
        if not call.op.updates and call.inputs and all(t.constant for t in call.inputs):
            for t in call.outputs:
                t.constant = True
        else:
            result.append(call)
    return result


def _once(calls: Sequence[Any], keep: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """(calls, keep) without what was computed before: the same op on the same inputs with the same constants. Only of
    what the program computes: buffers from outside may change."""
    changing = {id(t) for call in calls if call.op.updates for t in call.outputs}
    made: set[int] = set()
    known: dict[Any, tuple[Any, ...]] = {}      # (op, its inputs, its constants): its outputs
    same: dict[int, Any] = {}                   # a result: the one before
    result = []
    for call in calls:
        if any(id(t) in same for t in call.inputs):
            call = call.over(tuple(same.get(id(t), t) for t in call.inputs), call.outputs)
        if not call.op.updates and not any(id(t) in changing for t in call.outputs):
            made.update(id(t) for t in call.outputs)
            if all(id(t) in made for t in call.inputs):
                key = call.op, *map(id, call.inputs), repr(sorted(call.constants.items()))
                before = known.setdefault(key, call.outputs)
                if before is not call.outputs:
                    same.update((id(t), other) for t, other in zip(call.outputs, before))
                    continue
        result.append(call)
    return result, [same.get(id(t), t) for t in keep]


def _needed(calls: Sequence[Any], keep: Sequence[Any]) -> list[Any]:
    """The calls whose results somebody reads, or that update a buffer in place."""
    wanted = {id(t) for t in keep}
    result = []
    for call in reversed(calls):
        if call.op.updates or any(id(t) in wanted for t in call.outputs):
            wanted.update(id(t) for t in call.inputs)
            result.append(call)
    return result[::-1]


def _forward_copies(calls: list[Any], keep: Sequence[Any]) -> list[Any]:
    """Where an intermediate is only made to be copied elsewhere, make it there (gradients into their block)."""
    producer = {id(t): i for i, call in enumerate(calls) if not call.op.updates and not call.op.view
                for t in call.outputs}
    made = {id(t) for call in calls if not call.op.updates for t in call.outputs}
    readers = collections.Counter(id(t) for call in calls for t in call.inputs)
    kept = {id(t) for t in keep}
    touched = Touches(t.data for call in calls for t in (*call.inputs, *call.outputs) if id(t) not in made)
    result: list[Any] = list(calls)
    for i, call in enumerate(calls):
        if call.op.moves:
            target, source = call.inputs
            begin = producer.get(id(source))
            if (begin is not None and readers[id(source)] == 1 and id(source) not in kept
                    and id(target) not in made and target.dtype == source.dtype
                    and touched.last(target.data) < begin):
                maker = result[begin]
                result[begin] = maker.over(maker.inputs, tuple(target if t is source else t for t in maker.outputs))
                result[i] = None
        for t in (*call.inputs, *call.outputs):
            if id(t) not in made:
                touched.touch(t.data, i)
    return [call for call in result if call is not None]


def _unread(calls: Sequence[Any], keep: Sequence[Any]) -> set[int]:
    """The outputs that nobody reads and that their kernel may leave out."""
    read = {id(t) for call in calls for t in call.inputs} | {id(t) for t in keep}
    return {id(t) for call in calls if call.op.may_omit
            for name, t in zip(call.op.output_names, call.outputs) if name in call.op.may_omit and id(t) not in read}


def _view_roots(calls: list[Any], made: set[int]) -> dict[int, int]:
    """{view: the intermediate whose memory it shares}. Views of other buffers are copies: a buffer's array may be
    replaced, and what an update changes is something else afterwards than what the view has shown."""
    changing = {id(t) for call in calls if call.op.updates for t in call.outputs}
    roots: dict[int, int] = {}
    for call in calls:
        if call.op.view and id(call.inputs[0]) in made:
            source, view = id(call.inputs[0]), id(call.outputs[0])
            if source not in changing and view not in changing:
                roots[view] = roots.get(source, source)
    return roots


def _offsets(calls: list[Any], keep: Sequence[Any], made: set[int],
             roots: dict[int, int]) -> tuple[dict[int, int], int]:
    """Where each intermediate begins in the arena, first fit by liveness, and the arena's size in bytes."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for i, call in enumerate(calls):
        outputs = [] if call.op.updates else call.outputs
        for t in (*call.inputs, *outputs):
            root = roots.get(id(t), id(t))
            if root in made:
                first.setdefault(root, i)
                last[root] = i
                sizes[root] = max(sizes.get(root, 0), _bytes(t))
    for t in keep:
        if roots.get(id(t), id(t)) in made:
            last[roots.get(id(t), id(t))] = len(calls)
    offsets: dict[int, int] = {}
    space = FirstFit()
    live: list[tuple[int, int, int]] = []       # (last use, offset, end), a heap
    for root in sorted(first, key=first.__getitem__):
        while live and live[0][0] < first[root]:
            space.give(*heapq.heappop(live)[1:])
        need = max(ALIGNMENT, -(-sizes[root] // ALIGNMENT) * ALIGNMENT)
        offsets[root] = space.take(need)
        heapq.heappush(live, (last[root], offsets[root], offsets[root] + need))
    return offsets, space.most
