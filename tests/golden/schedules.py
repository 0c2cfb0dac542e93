"""Every schedule that Keras has: its rates over the first steps, and three epochs trained with it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.golden.common import ADAM, Case, net

STEPS = 40
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "exponential": ("ExponentialDecay", dict(initial_learning_rate=0.1, decay_steps=4, decay_rate=0.8)),
    "exponential_staircase": ("ExponentialDecay", dict(initial_learning_rate=0.1, decay_steps=3, decay_rate=0.5,
                                                       staircase=True)),
    "inverse_time": ("InverseTimeDecay", dict(initial_learning_rate=0.1, decay_steps=1, decay_rate=0.3)),
    "inverse_time_staircase": ("InverseTimeDecay", dict(initial_learning_rate=0.1, decay_steps=2, decay_rate=0.5,
                                                        staircase=True)),
    "piecewise": ("PiecewiseConstantDecay", dict(boundaries=[2, 5], values=[0.1, 0.05, 0.01])),
    "polynomial": ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=7, end_learning_rate=0.01)),
    "polynomial_power": ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=7, power=0.5)),
    "polynomial_cycle": ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=3, power=2.0, cycle=True)),
    "cosine": ("CosineDecay", dict(initial_learning_rate=0.1, decay_steps=7)),
    "cosine_alpha": ("CosineDecay", dict(initial_learning_rate=0.1, decay_steps=5, alpha=0.2)),
    "cosine_warmup": ("CosineDecay", dict(initial_learning_rate=0.01, decay_steps=6, alpha=0.1, warmup_target=0.2,
                                          warmup_steps=3)),
    "restarts": ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=4)),
    "restarts_all": ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=3, t_mul=1.5, m_mul=0.8,
                                                 alpha=0.1)),
    "restarts_of_one_length": ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=3, t_mul=1.0)),
}


def _schedule(k: Any, name: str) -> Any:
    kind, settings = SETTINGS[name]
    return getattr(k.optimizers.schedules, kind)(**settings)


def _rates(name: str) -> Callable[[Any], list[float]]:
    return lambda k: [float(f"{np.float32(_schedule(k, name)(step)):.9g}") for step in range(STEPS)]


CASES = [Case(f"schedule_{name}", net, lambda k, name=name: dict(optimizer=k.optimizers.SGD(_schedule(k, name))))
         for name in SETTINGS]
CASES += [Case("schedule_adamw", net, lambda k: dict(optimizer=k.optimizers.AdamW(_schedule(k, "cosine_warmup"))),
               atol=1e-5, why=ADAM)]
VALUES = {name: _rates(name) for name in SETTINGS}
