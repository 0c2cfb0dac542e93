"""fastnn gives Keras' numbers: weights, history, evaluate() and predictions of every configuration in tests/golden.

The golden values were made with Keras 3 on TensorFlow by tests/golden/make_golden.py; Keras is not needed here. Those
of single functions, "values" of a topic, are tested where the functions are.
"""

from typing import Any

import numpy as np
import pytest

import fastnn
from tests.golden import initializers, store
from tests.golden.common import Case, run

CASES: dict[str, Case] = {case.name: case for topic in store.TOPICS
                          for case in getattr(store.module(topic), "CASES", [])}
GOLDEN: dict[str, Any] = {name: row for topic in store.TOPICS for name, row in store.read(topic)["cases"].items()}


def compare(case: Case, got: dict[str, Any]) -> list[str]:
    """What differs between a run and the golden values; empty where nothing does."""
    want: dict[str, Any] = GOLDEN[case.name]
    found = []
    known = [key for key in got["history"] if key != "learning_rate"]       # Keras keeps no schedule's rates
    if known != list(want["history"]):
        found.append(f"history keys {known}, Keras has {list(want['history'])}")
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


@pytest.mark.parametrize("topic", store.TOPICS)
def test_every_case_and_value_is_in_the_file_of_its_topic(topic: str) -> None:
    """Names in the same order, so that no two cases have one name; files small enough to be in the repository."""
    module, golden = store.module(topic), store.read(topic)
    for key, names in (("cases", [case.name for case in getattr(module, "CASES", [])]),
                       ("values", list(getattr(module, "VALUES", {})))):
        assert list(golden[key]) == names, f"run python -m tests.golden.make_golden {topic} again"
    assert golden["cases"] or golden["values"]
    assert store.file(topic).stat().st_size < 150_000


def test_no_topic_is_left_out_and_no_name_is_used_twice() -> None:
    folder = store.file("").parent
    shared = {"__init__", "common", "direct", "keras_models", "make_golden", "store"}
    assert {path.stem for path in folder.glob("*.py")} - shared == set(store.TOPICS)
    assert {path.stem for path in folder.glob("*.json")} == set(store.TOPICS)
    assert len(CASES) == sum(len(store.read(topic)["cases"]) for topic in store.TOPICS)


@pytest.mark.filterwarnings("ignore:LayerNormalization. rms_scaling")
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
    case, (total, trainable) = CASES[name], GOLDEN[name]["params"]
    lines: list[str] = []
    case.model(fastnn).summary(print_fn=lines.append)
    text = "\n".join(lines)
    for title, count in (("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)):
        assert f"{title} params: {count:,} (" in text, text


@pytest.mark.parametrize("name", initializers.NAMES)
def test_initializers_have_keras_spread(name: str) -> None:
    """Standard deviation within 2 %, and, of bounded distributions, the same limit: the fans are Keras'."""
    for shape, (deviation, largest) in zip(initializers.SHAPES, store.read("initializers")["values"][name]):
        values = np.asarray(getattr(fastnn.initializers, name)(seed=3)(shape))
        assert values.shape == shape
        assert abs(values.std() / deviation - 1) < 0.02, (values.std(), deviation)
        if name not in ("RandomNormal", "Orthogonal"):
            assert abs(np.abs(values).max() / largest - 1) < 0.01, (np.abs(values).max(), largest)
