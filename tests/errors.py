"""What a good error is, asserted in one place: right type, readable text, and nothing changed."""

import copy
import hashlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastnn import seeds

# what Cython, NumPy and Python say when nobody checked before them
FOREIGN = ("Buffer dtype", "buffer source", "Big-endian", "memoryview", "not subscriptable", "has no attribute",
           "could not be broadcast", "could not broadcast", "unexpected keyword", "positional argument",
           "cannot be interpreted", "only length-1", "only 0-dimensional", "object is not", "unsupported operand",
           "setting an array element", "slice indices", "out of bounds", "cannot convert float", "is ambiguous",
           "invalid literal", "must be a string", "takes exactly", "required positional", "multiple values for")


def assert_mistake(call: Callable[[], Any], pattern: str) -> None:
    """`call` raises an error of a user's mistake, in whose text the pattern is found."""
    with pytest.raises((TypeError, ValueError, AttributeError, RuntimeError)) as raised:
        call()
    assert re.search(pattern, str(raised.value), re.DOTALL), str(raised.value)


def assert_good_error(call: Callable[[], Any], kind: Any, *fragments: str,
                      unchanged: Any = None) -> str:
    """`call` raises `kind` (or a subclass, or one of several), says what was got and needed, and holds the fragments.

    unchanged: a model whose weights, optimizer, history and random state must be the same afterwards.
    """
    before = None if unchanged is None else fingerprint(unchanged)
    with pytest.raises(kind) as caught:
        call()
    text = str(caught.value)
    first = text.split("\n")[0]
    assert first, "the error has no text"
    assert len(first) <= 160, f"the first line has {len(first)} characters: {first}"
    assert all(phrase.lower() not in text.lower() for phrase in FOREIGN), f"a foreign phrase: {text}"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), f"control characters: {text!r}"
    for fragment in fragments:
        assert fragment in text, f"{fragment!r} is not in: {text}"
    if unchanged is not None:
        assert fingerprint(unchanged) == before, f"the failed call changed the model ({text})"
    return text


def fingerprint(model: Any) -> dict[str, Any]:
    """Hashes of all that a failed call must leave alone."""
    optimizer = model.optimizer
    state = [] if optimizer is None else [optimizer.iterations.data, optimizer._rate.data,
                                          *(block.flat.data for block in optimizer.slot_blocks.values())]
    return {"weights": weights_hash(model), "optimizer": [digest(a) for a in state],
            "random": (seeds._state.seed, seeds._state.streams),
            "draws": [g.state.data.tolist() for g in model._holds(seeds.SeedGenerator)],
            "history": None if model.history is None else (id(model.history), copy.deepcopy(model.history.history))}


def weights_hash(model: Any) -> str:
    """One SHA-256 over all weights."""
    return digest(*(v.data for v in model.weights))


def digest(*arrays: np.ndarray) -> str:
    """SHA-256 of shapes, dtypes and bytes."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.shape}{array.dtype}".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
