"""What the tests of single functions share with the golden values: four rows of data, drawn once, and a comparison."""

from typing import Any

import numpy as np

from tests.golden.store import rounded

DATA: dict[str, Any] = {
    "yt": [[1.31, 0.61, 0.18], [0.13, 1.65, 1.83], [1.25, 1.49, 1.13], [1.88, 1.65, 0.11]],
    "yp": [[1.73, 0.16, 1.49], [0.43, 1.74, 1.13], [0.67, 0.9, 0.15], [0.34, 1.37, 1.33]],
    "bt": [[0, 1, 1], [0, 0, 1], [1, 1, 0], [1, 1, 1]],
    "bp": [[0.68, 0.39, 0.15], [0.71, 0.52, 0.32], [0.49, 0.87, 0.92], [0.36, 0.57, 0.33]],
    "soft": [[0.3, 1, 0.9], [0, 0.2, 1], [1, 1, 0], [0.6, 1, 1]],
    "yes": [1, 0, 1, 0],
    "chance": [0.68, 0.39, 0.33, 0.52],
    "unit": [[0.6, 0.8, 0.0], [0.36, 0.48, 0.8], [0.0, 0.6, -0.8], [-0.48, 0.36, 0.8]],
    "text": [[1, 2], [2, 0], [1, 1], [2, 1]],
    "steps": [[[0.1 * (7 * i * i + 5 * t * c + 3 * t + c * i) % 2.3 - 1 for c in range(3)] for t in range(4)]
              for i in range(4)],
    "lab": [2, 0, 1, 2],
    "oh": [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "logit": [[0.57, -0.97, -0.65], [2.34, -1.64, 0.74], [-2.5, 2.0, 1.72], [-1.56, 2.26, -2.65]],
    "w": [1.0, 0.5, 2.0, 0.0],
}


def array(name: str) -> np.ndarray:
    """One of DATA: float32, labels int32."""
    return np.array(DATA[name], np.int32 if name in ("lab", "text") else np.float32)


def numbers(value: Any) -> list[float]:
    """A result of either library, flat, with seven digits."""
    return rounded(np.asarray(value).ravel().tolist(), 7)


def close(got: Any, want: Any, rtol: float = 2e-5, atol: float = 2e-6) -> None:
    """Equal up to a few float32 roundings, Keras' and ours."""
    np.testing.assert_allclose(np.asarray(got, float).ravel(), np.asarray(want, float).ravel(), rtol=rtol, atol=atol)


Row = tuple[str, dict[str, Any], str, str]      # class, its arguments, names of y_true and y_pred


def label(row: Row) -> str:
    """The name of a row's values, and its test id."""
    kind, arguments, _, y_pred = row
    return f"{kind}-{y_pred}-{arguments}"
