"""fastnn gives Keras' numbers: weights, history, evaluate() and predictions of every configuration in tests/golden.

The golden values were made with Keras 3 on TensorFlow by tests/golden/make_golden.py; Keras is not needed here.
"""

import json
from typing import Any

import numpy as np
import pytest

import fastnn
from tests.golden.cases import ARRAYS, CASES, JSON
from tests.golden.common import Case, run

GOLDEN: dict[str, Any] = json.loads(JSON.read_text(encoding="utf-8"))


def _unpack() -> dict[str, dict[str, list[np.ndarray]]]:
    """{case: {"weights": arrays, "predictions": arrays}} from the two flat arrays."""
    found: dict[str, dict[str, list[np.ndarray]]] = {name: {} for name in GOLDEN["cases"]}
    with np.load(ARRAYS) as file:
        for key in ("weights", "predictions"):
            flat, at = file[key], 0
            for name, row in GOLDEN["cases"].items():
                sizes = [int(np.prod(shape)) for shape in row[key]]
                found[name][key] = [flat[at + sum(sizes[:i]):at + sum(sizes[:i + 1])].reshape(shape)
                                    for i, shape in enumerate(row[key])]
                at += sum(sizes)
            assert at == len(flat)
    return found


ARRAYS_OF = _unpack()


def compare(case: Case, got: dict[str, Any]) -> list[str]:
    """What differs between a run and the golden values; empty where nothing does."""
    want: dict[str, Any] = {**GOLDEN["cases"][case.name], **ARRAYS_OF[case.name]}
    found = []
    if list(got["history"]) != list(want["history"]):
        found.append(f"history keys {list(got['history'])}, Keras has {list(want['history'])}")
    if got["params"] != want["params"]:
        found.append(f"[all, trainable] parameters {got['params']}, Keras has {want['params']}")
    pairs = [(f"history[{key!r}]", got["history"].get(key), values) for key, values in want["history"].items()]
    if not case.repeats:
        pairs.append(("evaluate()", got["evaluate"], want["evaluate"]))
    for what in ("weights", "predictions"):
        if [a.shape for a in got[what]] != [a.shape for a in want[what]]:
            found.append(f"shapes of {what} {[a.shape for a in got[what]]}, Keras has {[a.shape for a in want[what]]}")
        else:
            pairs += [(f"{what}[{i}]", a, b) for i, (a, b) in enumerate(zip(got[what], want[what]))]
    return found + [text for text in (_different(case, *pair) for pair in pairs) if text]


def _different(case: Case, what: str, got: Any, want: Any) -> str:
    if got is None:
        return f"{what} is missing"
    if isinstance(want, list) and any(isinstance(item, list) for item in want):      # evaluate() with vectors
        if len(got) != len(want):
            return f"{what} has {len(got)} values, Keras has {len(want)}"
        parts = (_different(case, f"{what}[{i}]", a, b) for i, (a, b) in enumerate(zip(got, want)))
        return "; ".join(filter(None, parts))
    a, b = np.asarray(got, np.float64), np.asarray(want, np.float64)
    if a.shape != b.shape:
        return f"{what} has shape {a.shape}, Keras has {b.shape}"
    if np.allclose(a, b, rtol=case.rtol, atol=case.atol):
        return ""
    worst = np.unravel_index(np.argmax(np.abs(a - b) / (case.atol + case.rtol * np.abs(b))), a.shape)
    return f"{what} differs, most at {tuple(map(int, worst))}: {a[worst]:.9g}, Keras has {b[worst]:.9g}"


def test_every_case_has_golden_values() -> None:
    assert list(GOLDEN["cases"]) == list(CASES), "run tests/golden/make_golden.py again"
    assert JSON.stat().st_size + ARRAYS.stat().st_size < 300_000


@pytest.mark.parametrize("name", CASES)
def test_same_numbers_as_keras(name: str, any_backend: str) -> None:
    """Weights, history and its keys, evaluate(), predictions, parameter counts."""
    differences = compare(CASES[name], run(fastnn, CASES[name]))
    assert not differences, f"{name} on {any_backend}:\n" + "\n".join(differences)


@pytest.mark.parametrize("what", ["weights", "predictions", "history", "evaluate"])
def test_comparer_sees_a_small_difference(what: str) -> None:
    """A change of 0.01 % is reported, and so is another order of the keys."""
    case = CASES["validation_data"]
    got = run(fastnn, case)
    assert compare(case, got) == []
    if what == "history":
        got["history"]["val_loss"][1] *= 1.0001
    elif what == "evaluate":
        got["evaluate"][0] *= 1.0001
    else:
        got[what][0] = got[what][0] * np.float32(1.0001)
    assert len(compare(case, got)) == 1
    got["history"] = dict(reversed(got["history"].items()))
    assert any("history keys" in text for text in compare(case, got))


@pytest.mark.parametrize("name", [n for n in CASES if n.startswith(("merge", "frozen", "nested", "optimizer_sgd"))])
def test_summary_counts(name: str) -> None:
    """The totals that summary() prints are Keras'."""
    case, (total, trainable) = CASES[name], GOLDEN["cases"][name]["params"]
    lines: list[str] = []
    case.model(fastnn).summary(print_fn=lines.append)
    text = "\n".join(lines)
    for title, count in (("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)):
        assert f"{title} params: {count:,} (" in text, text


@pytest.mark.parametrize("name", GOLDEN["initializers"])
def test_initializers_have_keras_spread(name: str) -> None:
    """Standard deviation within 2 %, and, of bounded distributions, the same limit: the fans are Keras'."""
    for shape, (deviation, largest) in zip([(300, 200), (3, 3, 20, 30)], GOLDEN["initializers"][name]):
        values = np.asarray(getattr(fastnn.initializers, name)(seed=3)(shape))
        assert values.shape == shape
        assert abs(values.std() / deviation - 1) < 0.02, (values.std(), deviation)
        if name not in ("RandomNormal", "Orthogonal"):
            assert abs(np.abs(values).max() / largest - 1) < 0.01, (np.abs(values).max(), largest)
