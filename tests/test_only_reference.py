"""A kernel that C does not have yet: it runs on the reference, and says so."""

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.engine import backend
from fastnn.ops._op import Op, by_name, same
from fastnn.ops.rows.elementwise import scale
from tests.conftest import needs_c
from tests.test_profile import MADE_UP

pytestmark = needs_c


def thrice(x: np.ndarray) -> np.ndarray:
    """y = 3 x. x any shape → y same shape."""
    return x * x.dtype.type(3)


@pytest.fixture
def op(monkeypatch: pytest.MonkeyPatch) -> Op:
    """An op on `thrice`, which no table in csrc has."""
    monkeypatch.setitem(backend.kernels, "thrice", backend.Kernel("thrice", thrice, ("x",), ()))
    monkeypatch.setitem(by_name, "thrice", None)        # which the next line sets; undone with the rest
    made = Op("thrice", shape=same, vjp=dict(x=lambda dy: made(dy)))
    return made


def table() -> dict[str, backend.Kernel]:
    """All kernels, as they are before C's are attached."""
    return {k.name: replace(k, c=None) for k in backend.kernels.values()}


def test_one_warning_names_it(op: Op) -> None:
    kernels = table()
    del kernels["relu"]
    with pytest.raises(ImportError, match=r"relu: the reference declares \(none\) but the C table says relu\(x\)"):
        backend.attach_c(kernels, backend.isa)
    kernels = table()
    with pytest.warns(RuntimeWarning, match="NumPy reference of thrice, .* C has no such kernel") as told:
        backend.attach_c(kernels, backend.isa)
    assert len(told) == 1 and kernels["relu"].c is not None
    assert backend.without_c(kernels) == ["thrice"]


class Tripled(layers.Layer):
    """The layer that a student tries a new kernel in."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def call(self, x: Any) -> Any:
        return self.function(x)


def trained(function: Callable[[Any], Any]) -> tuple[fastnn.Sequential, list[float]]:
    """A net with the function in its middle, and its losses."""
    fastnn.random.set_seed(3)
    x = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    model = fastnn.Sequential([fastnn.Input((6,)), layers.Dense(5, activation="tanh"), Tripled(function),
                               layers.Dense(6)])
    model.compile("sgd", "mse", metrics=["mae"])
    losses = model.fit(x, x, batch_size=16, epochs=3, validation_split=0.2, verbose=0).history["val_loss"]
    return model, [*losses, *model.evaluate(x, x, verbose=0), float(model.predict(x[:1])[0, 0])]


def test_programs_with_it_give_what_c_would(op: Op) -> None:
    """Every step runs from Python, its other kernels in C: the bits of the kernel that C has."""
    model, numbers = trained(op)
    twin, expected = trained(lambda x: scale(x, factor=3.0))
    assert numbers == expected and numbers[2] < numbers[0]
    for one, two in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert one.tobytes() == two.tobytes()


def test_the_tools_walk_them(op: Op, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("fastnn.teaching.profile"), "machine_peak", lambda: MADE_UP)
    model, _ = trained(op)
    x = np.ones((16, 6), np.float32)
    rows = model.profile(x, x, batch_size=16, seconds=0.02).rows
    assert [row.seconds > 0 for row in rows if "thrice(" in row.text] == [True, True]     # and its gradient
    with fastnn.config.using(backend="check"):
        trained(op)


def test_the_configuration_lists_it(op: Op, capsys: pytest.CaptureFixture[str]) -> None:
    assert fastnn.config.configuration()["without_c"] == ["thrice"]
    fastnn.config.show_config()
    assert "(only NumPy reference: thrice)" in capsys.readouterr().out
