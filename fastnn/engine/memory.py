"""Bytes and who uses them when: free places in an arena, and which call touched a buffer last. Floor 1; NumPy only."""

import bisect
import math
from collections.abc import Iterable

import numpy as np


class FirstFit:
    """An endless row of bytes. `take` finds the first free place that is large enough, `give` frees one; `most` is how
    far the places went at most."""

    def __init__(self) -> None:
        self.most = 0
        self._gaps: list[tuple[int, float]] = [(0, math.inf)]      # (begin, end), in order, never touching each other

    def take(self, size: int) -> int:
        """The offset of `size` bytes that nobody has."""
        for i, (begin, end) in enumerate(self._gaps):
            if end - begin >= size:
                self._gaps[i:i + 1] = [(begin + size, end)] if end - begin > size else []
                self.most = max(self.most, begin + size)
                return begin
        raise AssertionError("the last gap has no end")

    def give(self, begin: int, end: int) -> None:
        """Free the bytes from begin up to end."""
        i = bisect.bisect_left(self._gaps, (begin, end))
        last: float = end
        if self._gaps[i][0] == end:
            last = self._gaps.pop(i)[1]
        if i and self._gaps[i - 1][1] == begin:
            i -= 1
            begin = self._gaps.pop(i)[0]
        self._gaps.insert(i, (begin, last))


class Touches:
    """Which call touched any byte of an array last. The arrays, known beforehand, may overlap in any way: a block and
    the views into it. They are contiguous."""

    def __init__(self, arrays: Iterable[np.ndarray]) -> None:
        ranges = {_range(array) for array in arrays}
        self._cuts = sorted({cut for each in ranges for cut in each})       # between them, all bytes are touched alike
        self._last = np.full(len(self._cuts), -1)

    def touch(self, array: np.ndarray, call: int) -> None:
        """Say that the call, a number larger than those before, reads or writes the array."""
        self._last[self._pieces(array)] = call

    def last(self, array: np.ndarray) -> int:
        """The last call that touched the array, -1 if none did."""
        return int(self._last[self._pieces(array)].max(initial=-1))

    def _pieces(self, array: np.ndarray) -> slice:
        begin, end = _range(array)
        return slice(bisect.bisect_left(self._cuts, begin), bisect.bisect_left(self._cuts, end))


class Writes:
    """Which calls write to any byte of an array. What is written to is known beforehand: (array, number of the call),
    in the order of the calls; call 3 stands at the place (3,)."""

    def __init__(self, writes: Iterable[tuple[np.ndarray, int]]) -> None:
        ranges = [(*_range(array), call) for array, call in writes]
        self._cuts = sorted({cut for begin, end, _ in ranges for cut in (begin, end)})
        self._places: list[list[tuple[int, ...]]] = [[] for _ in self._cuts]        # of those that write behind a cut
        for begin, end, call in ranges:
            for piece in range(bisect.bisect_left(self._cuts, begin), bisect.bisect_left(self._cuts, end)):
                self._places[piece].append((call,))

    def between(self, array: np.ndarray, first: tuple[int, ...], last: tuple[int, ...]) -> bool:
        """Whether a call behind the place `first` and before `last` writes to the array."""
        begin, end = _range(array)
        first_piece = max(0, bisect.bisect_right(self._cuts, begin) - 1)
        for places in self._places[first_piece:bisect.bisect_left(self._cuts, end)]:
            i = bisect.bisect_right(places, first)
            if i < len(places) and places[i] < last:
                return True
        return False


def _range(array: np.ndarray) -> tuple[int, int]:
    """The addresses of its first byte and of the one after its last."""
    begin = array.__array_interface__["data"][0]
    return begin, begin + array.nbytes
