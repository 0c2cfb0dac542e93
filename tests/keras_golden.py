"""Numbers that Keras 3.15.1 (TensorFlow 2.21, float32) gave, for the tests of floor 3. Keras is not needed to run them.

`keras_golden.json` was made by a script that calls keras.activations, losses, metrics, constraints and regularizers
eagerly on the arrays stored under "x", "data" and "weight" (drawn with numpy.random.default_rng(0), two decimals), with
the constructor arguments stored under "args", and writes results with seven digits. Losses were called once with each
reduction, with and without the weights `data.w`; metrics were updated with rows 0-2 and then with row 3.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "keras_golden.json").read_text())


def array(name: str) -> np.ndarray:
    """An array of the "data" table: float32, labels int32."""
    return np.array(GOLDEN["data"][name], np.int32 if name == "lab" else np.float32)


def close(got: Any, want: Any, rtol: float = 2e-5, atol: float = 2e-6) -> None:
    """Equal up to a few float32 roundings, Keras' and ours."""
    np.testing.assert_allclose(np.asarray(got, float).ravel(), np.asarray(want, float).ravel(), rtol=rtol, atol=atol)


def label(row: dict[str, Any]) -> str:
    """A test id."""
    kind = next(iter(row))
    return f"{row[kind]}-{row.get('y_pred', '')}-{row['args']}"
