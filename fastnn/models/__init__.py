"""Models: Sequential, the functional and subclassed Model, and the Perceptron. Floor 4."""

from fastnn.models.copies import clone_model
from fastnn.models.model import Model
from fastnn.models.perceptron import Perceptron
from fastnn.models.sequential import Sequential

__all__ = [
    "Model",
    "Perceptron",
    "Sequential",
    "clone_model",
]
