"""How far Keras' initializers spread, and the fans that they take a shape to have."""

from typing import Any

import numpy as np

from tests.golden.store import rounded

NAMES = ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal",
         "RandomUniform", "RandomNormal", "TruncatedNormal", "VarianceScaling", "Orthogonal")
SHAPES = ((300, 200), (3, 3, 20, 30))
FANS: tuple[tuple[int, ...], ...] = ((), (5,), (4, 7), (3, 4, 5), (3, 3, 4, 8))


def spread(k: Any, name: str) -> list[list[float]]:
    """[standard deviation, largest value] of the draws of each shape."""
    draws = [np.asarray(getattr(k.initializers, name)(seed=7)(shape)) for shape in SHAPES]
    return [rounded([float(w.std()), float(np.abs(w).max())]) for w in draws]


def fans(k: Any, shape: tuple[int, ...]) -> list[int]:
    """[fan in, fan out]; Keras' function is not public."""
    from keras.src.initializers.random_initializers import compute_fans
    return list(compute_fans(shape))


VALUES = {name: lambda k, name=name: spread(k, name) for name in NAMES}
VALUES |= {f"fans {shape}": lambda k, shape=shape: fans(k, shape) for shape in FANS}
