"""The error budgets of csrc/vector/vmath.h: C against float64 NumPy, over sampled floats, and over all 2^32 (slow)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fastnn.engine import backend
from tests.conftest import needs_c

SMALLEST = 2.0 ** -126          # of the normal floats; programs flush what is below
ISAS = [name for name, usable in backend._engine.isas() if usable] if backend._engine else []
SPECIALS = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 3.4e38, -3.4e38], np.float32)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(x))


def _gelu(x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return x * pytest.importorskip("scipy.special").ndtr(x)


# Kernel: float64 judge, largest error in ulp as vmath.h says it, constants, values at 0, -0, inf, -inf.
BUDGETS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float, tuple[float, ...], tuple[float, ...]]] = {
    "exp": (np.exp, 1.2, (), (1, 1, np.inf, 0)),
    "exp2": (np.exp2, 1.3, (), (1, 1, np.inf, 0)),
    "log": (np.log, 1.1, (), (-np.inf, -np.inf, np.inf, np.nan)),
    "sigmoid": (_sigmoid, 2.5, (), (0.5, 0.5, 1, 0)),
    "tanh": (np.tanh, 3.5, (), (0, -0.0, 1, -1)),
    "softplus": (_softplus, 2.7, (), (np.float32(np.log(2)), np.float32(np.log(2)), np.inf, 0)),
    "elu": (_elu, 2.0, (1.0,), (0, -0.0, np.inf, -1)),
    "gelu": (_gelu, 5.0, (), (0, -0.0, np.inf, np.nan)),
}
each_function = pytest.mark.parametrize("name", BUDGETS)
each_isa = pytest.mark.parametrize("isa", ISAS)


def budget(isa: str, name: str, x: np.ndarray) -> Any:
    """The ulp allowed at x: those of BUDGETS, but for the tail of gelu, which vmath.h explains."""
    if name != "gelu":
        return BUDGETS[name][1]
    with np.errstate(all="ignore"):
        tail = np.where(x > -12.9, 7.5 + (x * x / 2 if isa == "baseline" else 0), np.inf)
    return np.where(x > -1, BUDGETS[name][1], tail)


def computed(isa: str, name: str, x: np.ndarray) -> np.ndarray:
    y = np.empty_like(x)
    backend._engine.call(backend._engine.kernels(isa)[name], (x,), (y,), BUDGETS[name][2], 1, 1)
    return y


@dataclass(frozen=True)
class Judge:
    """What a function should give for x; a subnormal argument counts as 0."""
    x: np.ndarray
    want: np.ndarray        # float64
    rounded: np.ndarray
    unit: np.ndarray        # in the last place of the result
    small: np.ndarray       # where 0 will do: results below 2^-125

    @classmethod
    def of(cls, name: str, x: np.ndarray) -> "Judge":
        with np.errstate(all="ignore"):
            want = BUDGETS[name][0](np.where(np.abs(x) < SMALLEST, np.copysign(0, x), x).astype(np.float64))
            rounded = want.astype(np.float32)
            unit = np.spacing(np.maximum(np.abs(rounded), np.float32(SMALLEST))).astype(np.float64)
            return cls(x, want, rounded, unit, np.abs(want) < 2 * SMALLEST)

    def worst_ulp(self, y: np.ndarray, allowed: Any = 1.0) -> tuple[float, float]:
        """(error in units in the last place, x) where it is largest, or exceeds most what is allowed; inf where one
        side only is NaN or infinite."""
        with np.errstate(all="ignore"):
            error = np.abs(y - self.want) / self.unit
            fine = (y == self.rounded) | (np.isnan(y) & np.isnan(self.want))
            fine |= self.small & (np.abs(y) < 2 * SMALLEST)
        error[fine | np.isinf(allowed)] = 0
        error[np.isnan(error)] = np.inf
        place = int(np.argmax(error / allowed))
        return float(error[place]), float(self.x[place])


def blocks(step: int) -> Iterator[np.ndarray]:
    """Every `step`-th of the 2^32 floats, in blocks of at most 2^22."""
    width = step << 22
    for begin in range(0, 1 << 32, width):
        yield np.arange(begin, min(begin + width, 1 << 32), step, dtype=np.int64).astype(np.uint32).view(np.float32)


def check(isas: list[str], name: str, x: np.ndarray) -> None:
    judge = Judge.of(name, x)
    for isa in isas:
        error, where = judge.worst_ulp(computed(isa, name, x), budget(isa, name, x))
        most = np.max(budget(isa, name, np.float32([where])))
        assert error <= most, f"{name} on {isa}: {error:.3f} ulp at x = {where!r}"


@needs_c
@each_isa
@each_function
def test_sampled_floats_keep_the_budget(isa: str, name: str) -> None:
    check([isa], name, np.concatenate([*blocks(65521), np.linspace(-20, 20, 100_001).astype(np.float32), SPECIALS]))


@needs_c
@each_isa
@each_function
def test_special_values_are_exact(isa: str, name: str) -> None:
    y = computed(isa, name, SPECIALS)
    want = np.array(BUDGETS[name][3], np.float32)
    np.testing.assert_array_equal(y[:4], want)
    finite = ~np.isnan(want)
    assert (np.signbit(y[:4]) == np.signbit(want))[finite].all()
    assert np.isnan(y[4])


@needs_c
@each_isa
def test_whole_powers_of_two_are_exact(isa: str) -> None:
    x = np.arange(-126, 128).astype(np.float32)
    np.testing.assert_array_equal(computed(isa, "exp2", x), np.ldexp(np.float32(1), x.astype(int)))


@needs_c
@each_isa
@each_function
def test_an_element_has_the_same_bits_wherever_it_sits(isa: str, name: str) -> None:
    x = np.linspace(-6, 6, 61, dtype=np.float32)
    whole = computed(isa, name, x)
    for size in range(1, 34):
        assert computed(isa, name, x[-size:].copy()).tobytes() == whole[-size:].tobytes()


@needs_c
@each_isa
def test_functions_that_saturate_stay_in_their_range(isa: str) -> None:
    x = np.linspace(-30, 30, 300_001).astype(np.float32)
    assert np.abs(computed(isa, "tanh", x)).max() == 1
    y = computed(isa, "sigmoid", x)
    assert y.min() >= 0 and y.max() == 1


@needs_c
def test_the_judge_sees_an_error_of_eight_ulp() -> None:
    x = np.linspace(0.5, 5, 1001).astype(np.float32)
    for name in BUDGETS:
        y = computed(ISAS[-1], name, x)
        y[500] += 8 * np.spacing(y[500])
        assert Judge.of(name, x).worst_ulp(y)[0] > BUDGETS[name][1]


@needs_c
@pytest.mark.slow
@each_function
def test_all_floats_keep_the_budget(name: str) -> None:
    """Two to three minutes a function; every instruction set is held against the same judge."""
    for x in blocks(1):
        check(ISAS, name, x)
