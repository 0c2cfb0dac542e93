"""What both sides of a parity test share: data and starting weights from formulas, and one run of a configuration.

`k` is a library with Keras' module tree: keras where the golden values are made, fastnn where they are tested.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SAMPLES, FEATURES, CLASSES, BATCH, EPOCHS = 20, 6, 3, 8, 3      # 8, 8, 4: the last batch is short


def wave(*shape: int, phase: float = 0.0, scale: float = 1.0) -> np.ndarray:
    """scale·sin(…) of the element's position, rounded so that every machine has the same float32."""
    position = np.arange(math.prod(shape), dtype=np.float64)
    return np.round(scale * np.sin(1.7 * position + 0.01 * position ** 2 + phase), 4).astype(np.float32).reshape(shape)


LABELS = (np.arange(SAMPLES) * 7 % 11 % CLASSES).astype(np.int32)
X = wave(SAMPLES, FEATURES) + 0.3 * LABELS[:, None].astype(np.float32)
TARGETS: dict[str, np.ndarray] = {
    "real": wave(SAMPLES, CLASSES, phase=0.4),
    "positive": np.abs(wave(SAMPLES, CLASSES, phase=0.4)) + np.float32(0.1),
    "parts": np.round(0.5 * np.abs(wave(SAMPLES, CLASSES, phase=0.4)) + 0.4, 4).astype(np.float32),
    "one": wave(SAMPLES, 1, phase=0.4),
    "labels": LABELS,
    "labels_or_nothing": np.where(np.arange(SAMPLES) % 4 == 1, -1, LABELS).astype(np.int32),
    "onehot": np.eye(CLASSES, dtype=np.float32)[LABELS],
    "binary": (LABELS > 0).astype(np.float32)[:, None],
    "signs": np.where(LABELS > 0, 1, -1).astype(np.float32)[:, None],
    "rank_1": (LABELS > 0).astype(np.float32),
    "per_step": wave(SAMPLES, 5, CLASSES, phase=0.4),
    "text": np.stack([1 + LABELS % 2, LABELS], axis=1).astype(np.int32),
    "several": (wave(SAMPLES, CLASSES, phase=0.9) > 0).astype(np.float32),
}
SAMPLE_WEIGHT = np.round(1.0 + 0.8 * np.sin(np.arange(SAMPLES) * 2.1), 3).astype(np.float32)
ADAM = "Keras takes Adam's 1 - 0.999^t in float32, which is off by up to 2e-5 of itself"


@dataclass
class Case:
    """One configuration. model(k) builds, compile(k) gives compile's arguments; x and y name or are the data."""
    name: str
    model: Callable[[Any], Any]
    compile: Callable[[Any], dict[str, Any]]
    y: Any = "real"
    x: Any = None
    fit: dict[str, Any] = field(default_factory=dict)
    evaluate: dict[str, Any] = field(default_factory=dict)
    rtol: float = 2e-5
    atol: float = 2e-6
    why: str = ""           # where a case needs more than float32's usual tolerance
    repeats: bool = False   # Keras' evaluate() lists the first of two metrics of one name twice, which fastnn does not
    positive: tuple[int, ...] = ()      # which starting weights are variances
    eager: bool = False     # make the golden values with run_eagerly=True, see make_golden.py

    def data(self) -> tuple[Any, Any]:
        """x and y."""
        y = [TARGETS[name] for name in self.y] if isinstance(self.y, tuple) else TARGETS[self.y]
        return (X if self.x is None else self.x), y


def starting_weights(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Values for weights of these shapes, different for each."""
    return [wave(*shape, phase=0.9 * i, scale=0.6) for i, shape in enumerate(shapes)]


def net(k: Any, head: str | None = None, units: int = CLASSES, **hidden: Any) -> Any:
    """6-5-units."""
    hidden.setdefault("activation", "tanh")
    return k.Sequential([k.Input((FEATURES,)), k.layers.Dense(5, **hidden), k.layers.Dense(units, activation=head)])


def run(k: Any, case: Case, **more: Any) -> dict[str, Any]:
    """Build, set the starting weights, train, evaluate, predict."""
    model = case.model(k)
    model.compile(**{"optimizer": k.optimizers.SGD(0.1), "loss": "mse", **case.compile(k), **more})
    start = starting_weights([w.shape for w in model.get_weights()])
    model.set_weights([np.abs(w) + np.float32(0.2) if i in case.positive else w for i, w in enumerate(start)])
    x, y = case.data()
    fit = {"batch_size": BATCH, "epochs": EPOCHS, "shuffle": False, "verbose": 0, **case.fit}
    history = model.fit(x, y, **fit).history
    scores = model.evaluate(x, y, batch_size=7, verbose=0, **case.evaluate)
    outputs = model.predict(x, batch_size=9, verbose=0)
    return {"history": {key: [np.asarray(v, np.float64).tolist() for v in values] for key, values in history.items()},
            "evaluate": [np.asarray(v, np.float64).tolist() for v in
                         (scores if isinstance(scores, (list, tuple)) else [scores])],
            "params": [model.count_params(), int(sum(math.prod(w.shape) for w in model.trainable_weights))],
            "weights": [np.asarray(w) for w in model.get_weights()],
            "predictions": [np.asarray(p) for p in (outputs if isinstance(outputs, list) else [outputs])]}
