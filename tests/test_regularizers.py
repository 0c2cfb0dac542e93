"""Regularizers and constraints against hand values and Keras; their gradients; mistakes."""

import math
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import constraints, regularizers
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Variable
from tests.golden import store
from tests.golden.direct import close
from tests.golden.penalties import CONSTRAINTS, REGULARIZERS, WEIGHT


@pytest.mark.parametrize(("kind", "arguments"), REGULARIZERS)
def test_penalties_as_keras(kind: str, arguments: dict[str, Any], any_backend: str) -> None:
    penalty = getattr(regularizers, kind)(**arguments)(WEIGHT)
    assert penalty.shape == ()
    close(penalty.numpy(), store.read("penalties")["values"][f"{kind} {arguments}"])


def test_penalties_by_hand() -> None:
    w = Variable(np.array([[1.0, -2.0], [0.0, 3.0]], np.float32))
    with GradientTape(persistent=True) as tape:
        one, two = regularizers.L1(0.1)(w), regularizers.L2(0.5)(w)
        both = regularizers.L1L2(0.1, 0.5)(w)
    assert float(one) == pytest.approx(0.6) and float(two) == pytest.approx(7.0) and float(both) == pytest.approx(7.6)
    close(tape.gradient(one, w).numpy(), [[0.1, -0.1], [0, 0.1]])
    close(tape.gradient(two, w).numpy(), w.numpy())


def test_orthogonal_rows_and_columns() -> None:
    w = np.array([[1.0, 1.0], [0.0, 2.0]])
    cosine = 1 / math.sqrt(2)
    assert float(regularizers.OrthogonalRegularizer(0.5)(w)) == pytest.approx(0.5 * cosine)
    columns = regularizers.OrthogonalRegularizer(1.0, "columns")
    assert float(columns(w)) == pytest.approx(1 / math.sqrt(5))
    assert float(columns(np.eye(3)[:, :1])) == 0.0 and float(columns(np.eye(3))) == 0.0
    with pytest.raises(fastnn.ShapeError, match="needs two axes"):
        columns([1.0])
    v = Variable(w.astype(np.float32))
    with GradientTape() as tape:
        value = columns(v)
    step = tape.gradient(value, v).numpy()
    assert float(columns(w - 0.01 * step)) < float(value)


def test_regularizer_get() -> None:
    assert regularizers.get(None) is None
    assert regularizers.get("l2").l2 == 0.01 and regularizers.get("L1").l1 == 0.01
    assert regularizers.get(regularizers.l1_l2).get_config() == {"l1": 0.0, "l2": 0.0}
    again = regularizers.get({"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}})
    assert repr(again) == "L1L2(l1=0.1, l2=0.2)"
    assert regularizers.get(abs) is abs


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf, True, "0.1", None])
def test_bad_factors(bad: Any) -> None:
    for make in (regularizers.L1, regularizers.L2, regularizers.L1L2):
        with pytest.raises((TypeError, ValueError), match=r"needs a (finite )?number"):
            make(bad)


def test_mistakes_are_explained() -> None:
    with pytest.raises(ValueError, match=r"Regularizer: got 'l3'; needs one of these names:\nL1, L1L2, L2"):
        regularizers.get("l3")
    with pytest.raises(TypeError, match="needs a name"):
        regularizers.get(0.01)
    with pytest.raises(ValueError, match="class_name"):
        regularizers.get({"config": {}})
    with pytest.raises(ValueError, match="did you mean 'MaxNorm'"):
        constraints.get("maxnorm")
    with pytest.raises(fastnn.ShapeError, match="axis is 2"):
        constraints.MaxNorm(axis=2)(np.ones((2, 2)))
    with pytest.raises(TypeError, match="axis is 'a'"):
        constraints.UnitNorm(axis="a")(np.ones((2, 2)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="min_value"):
        constraints.MinMaxNorm(min_value=2, max_value=1)
    with pytest.raises(ValueError, match="max_value is -1"):
        constraints.MaxNorm(-1)


def test_a_regularizer_of_ones_own() -> None:
    class Sparse(regularizers.Regularizer):
        def __init__(self, strength: float) -> None:
            self._strength = strength

    with pytest.raises(NotImplementedError, match="must define __call__"):
        Sparse(0.1)([1.0])
    assert Sparse.from_config(Sparse(0.1).get_config())._strength == 0.1


@pytest.mark.parametrize(("kind", "arguments", "w"), CONSTRAINTS)
def test_constraints_as_keras(kind: str, arguments: dict[str, Any], w: np.ndarray, any_backend: str) -> None:
    made = getattr(constraints, kind)(**arguments)
    result = made(w).numpy()
    assert result.shape == w.shape
    close(result, store.read("penalties")["values"][f"{kind} {arguments}"])
    close(constraints.get({"class_name": kind, "config": made.get_config()})(w).numpy(), result)


def test_constraints_by_hand() -> None:
    w = np.array([[3.0, 0.3], [4.0, 0.4]], np.float32)
    close(constraints.MaxNorm(2)(w).numpy(), [[1.2, 0.3], [1.6, 0.4]])
    close(constraints.UnitNorm()(w).numpy(), [[0.6, 0.6], [0.8, 0.8]])
    assert constraints.NonNeg()([-1.0, 0.0, 2.0]).numpy().tolist() == [0, 0, 2]
    assert constraints.get(None) is None
    assert isinstance(constraints.get("unit_norm"), constraints.UnitNorm)
