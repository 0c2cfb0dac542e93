"""Layers, with Keras' names, arguments, defaults and weight order."""

from fastnn.layers.activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from fastnn.layers.core import Activation, Dense, Dropout, Flatten, Reshape
from fastnn.layers.input import Input, InputLayer
from fastnn.layers.layer import Layer
from fastnn.layers.merge import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)

__all__ = ["ELU", "Activation", "Add", "Average", "Concatenate", "Dense", "Dropout", "Flatten", "Input", "InputLayer",
           "Layer", "LeakyReLU", "Maximum", "Minimum", "Multiply", "PReLU", "ReLU", "Reshape", "Softmax", "Subtract",
           "add", "average", "concatenate", "maximum", "minimum", "multiply", "subtract"]
