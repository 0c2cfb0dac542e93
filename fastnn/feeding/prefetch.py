"""Prefetch: an iterator that runs in a thread of its own, some items ahead. Floor 4; imports nothing of fastnn."""

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_END = object()


class Prefetch:
    """`start` it and iterate over it: the items, made in the background while the caller computes, `depth` ahead.

    What the iterator raises is raised here, with its own traceback. The thread ends with the iterator, with its
    error, or with `close`. Room is given back for several items at once: where items are cheap, the two threads then
    change places that much less often (45 us a batch otherwise, half of what a small step costs).
    """

    def __init__(self, items: Iterator[Any], depth: int) -> None:
        self._ready: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._room: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._room.put(depth)
        self._bunch = max(1, depth // 2)
        self._taken = 0
        self._closed = self._ended = False
        self._thread = threading.Thread(target=self._work, args=(items,), name="fastnn batches", daemon=True)

    def start(self) -> None:
        """Begin. Not done by __init__: Ctrl-C may come while the thread starts, and somebody must be able to close."""
        self._thread.start()

    def _work(self, items: Iterator[Any]) -> None:
        try:
            while True:
                for _ in range(self._room.get()):
                    if self._closed:
                        return
                    item = next(items, _END)
                    self._ready.put((item, None))
                    if item is _END:
                        return
        except BaseException as error:      # SystemExit too belongs to whoever asked for the batch
            self._ready.put((_END, error))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        item, error = self._ready.get()
        if item is _END:
            self.close()
            if error is not None:
                raise error
            raise StopIteration
        self._taken += 1
        if self._taken % self._bunch == 0:
            self._room.put(self._bunch)
        return item

    def close(self) -> None:
        """End the thread. Waits for the item that is being made; Ctrl-C ends this waiting."""
        self._closed = self._ended = True
        self._room.put(1)
        with contextlib.suppress(RuntimeError):     # not started, or just starting: it will find that it is closed
            self._thread.join()


def in_threads(function: Callable[[int], Any], indices: Iterable[int], workers: int, depth: int) -> Iterator[Any]:
    """function(i) for every index, in order, computed by so many threads, at most `depth` ahead."""
    if workers <= 1:
        yield from map(function, indices)
        return
    from concurrent.futures import ThreadPoolExecutor  # which brings logging; few want workers
    pool = ThreadPoolExecutor(workers, "fastnn batches")
    try:
        waiting: deque[Any] = deque()
        for index in indices:
            waiting.append(pool.submit(function, index))
            if len(waiting) >= depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
