"""The activations that products, convolutions and recurrent steps apply to what they compute. NumPy only."""

import numpy as np

from fastnn.reference import activation as _activation
from fastnn.reference._types import Array


def apply(z: Array, activation: str) -> Array:
    """f(z), f being linear, relu, tanh or sigmoid."""
    y: Array = z if activation == "linear" else getattr(_activation, activation)(z)
    return y


def gradient(dy: Array, y: Array, activation: str) -> Array:
    """d loss / d z of y = f(z)."""
    dz: Array = np.array(dy) if activation == "linear" else getattr(_activation, f"{activation}_grad")(dy, y)
    return dz
