"""Writes keras.json and keras.npz: what Keras gives for every configuration.

Run in an environment with keras and tensorflow-cpu; not part of the tests:
    KERAS_BACKEND=tensorflow python -m tests.golden.make_golden

Cases with several losses run eagerly: Keras means to weight each output's loss by the batch size in the history, but in
a TensorFlow graph, which does not know the size, its short last batch counts as much as the others.
"""

import json
import sys
from typing import Any

import keras
import numpy as np

from tests.golden.cases import ARRAYS, CASES, JSON, TOPICS
from tests.golden.common import run

_INITIALIZERS = ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal",
                 "RandomUniform", "RandomNormal", "TruncatedNormal", "VarianceScaling", "Orthogonal")
_SHAPES = ((300, 200), (3, 3, 20, 30))


def _rounded(value: Any) -> Any:
    """float32 written with 9 digits."""
    return [_rounded(v) for v in value] if isinstance(value, list) else float(f"{np.float32(value):.9g}")


def initializer_facts() -> dict[str, Any]:
    """{name: [[standard deviation, largest value] per shape]} of Keras' draws."""
    return {name: [_rounded([float(w.std()), float(np.abs(w).max())]) for w in
                   (np.asarray(getattr(keras.initializers, name)(seed=7)(shape)) for shape in _SHAPES)]
            for name in _INITIALIZERS}


def main() -> None:
    """Run every case and write both files."""
    assert len(CASES) == sum(map(len, TOPICS.values())), "two cases have one name"
    facts: dict[str, Any] = {"keras": keras.__version__, "backend": keras.backend.backend(),
                             "initializers": initializer_facts(), "cases": {}}
    arrays: dict[str, list[np.ndarray]] = {"weights": [], "predictions": []}
    for name, case in CASES.items():
        print(name, file=sys.stderr)
        keras.utils.clear_session()
        result = run(keras, case, jit_compile=False, run_eagerly=case.eager)
        row = {"history": {key: _rounded(v) for key, v in result["history"].items()},
               "evaluate": _rounded(result["evaluate"]), "params": result["params"]}
        for key, kept in arrays.items():
            row[key] = [list(a.shape) for a in result[key]]
            kept += [a.astype(np.float32).ravel() for a in result[key]]
        assert all(np.isfinite(a).all() for key in arrays for a in result[key]), f"{name} diverges"
        facts["cases"][name] = row
    cases = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in facts.pop("cases").items())
    JSON.write_text(f'{json.dumps(facts)[:-1]},\n"cases": {{\n{cases}\n}}}}\n', encoding="utf-8")
    np.savez_compressed(ARRAYS, **{key: np.concatenate(kept) for key, kept in arrays.items()})


if __name__ == "__main__":
    main()
