"""backend.replace: a kernel runs another function, on every backend, and programs know what they were made for."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fastnn.engine import backend
from fastnn.engine.context import recording
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor
from tests.ops import OPS

KERNEL = backend.kernels["relu"]


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    yield
    backend.replace(KERNEL, None)
    OPS["relu"].forget()


def program() -> Program:
    x, w, b = (Tensor(np.ones(shape, np.float32), name) for name, shape in (("x", (2, 3)), ("w", (3, 4)), ("b", (4,))))
    with recording() as calls:
        y = OPS["relu"](OPS["dense"](x, w, b, activation="linear"))
    return Program(calls, keep=[y])


def test_calls_run_it_and_programs_are_made_anew(any_backend: str) -> None:
    before = program()
    assert [call.op.name for call in before.calls] == ["dense"] and before.fits()
    backend.replace(KERNEL, lambda x: np.maximum(x, 0) + 1)
    OPS["relu"].forget()
    assert backend.replaced == {"relu"} and not before.fits() and not before.in_c()
    assert OPS["relu"](np.array([-1.0, 2.0])).numpy().tolist() == [1, 3]
    now = program()
    assert [call.op.name for call in now.calls] == ["dense", "relu"] and now.fits() and not now.in_c()
    now.run(2)
    assert (now.results[0].data == 5).all()
    before.run()        # what was fused before computes what it did
    assert (before.results[0].data == 4).all()
    backend.replace(KERNEL, None)
    OPS["relu"].forget()
    assert not backend.replaced and before.fits() and not now.fits()
    assert OPS["relu"](np.array([-1.0, 2.0])).numpy().tolist() == [0, 2]


def test_a_rule_says_whose_calls_it_takes_the_place_of() -> None:
    from fastnn.engine import rewrite
    gone: list[set[str]] = [rule.gone() for rule in rewrite.rules]
    assert any("relu" in names for names in gone) and all(gone)


def test_what_has_run_in_c_before_does_not_run_there_again() -> None:
    x: Any = np.ones((2, 2), np.float32)
    OPS["relu"](x)
    backend.replace(KERNEL, lambda x: x - 1)
    OPS["relu"].forget()
    assert (OPS["relu"](x).numpy() == 0).all() and (OPS["relu"](x).numpy() == 0).all()
