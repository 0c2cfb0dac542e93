"""Activations against values worked out by hand and against Keras."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import activations
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Tensor, Variable
from tests.golden import store
from tests.golden.activations import CALLS
from tests.golden.direct import close

pytestmark = pytest.mark.usefixtures("any_backend")


@pytest.mark.parametrize(("name", "settings", "x"), CALLS)
def test_as_keras(name: str, settings: dict[str, Any], x: np.ndarray) -> None:
    y = getattr(activations, name)(x, **settings)
    assert isinstance(y, Tensor)
    close(y.numpy(), store.read("activations")["values"][f"{name} {settings}"])


def test_values_by_hand() -> None:
    assert activations.step([-1, 0, 2]).numpy().tolist() == [0, 1, 1]
    assert activations.relu([-2, 0, 3]).numpy().tolist() == [0, 0, 3]
    assert activations.relu([-2, 0.5, 3, 9], negative_slope=0.5, threshold=1, max_value=4).numpy().tolist() == \
        [-1.5, -0.25, 3, 4]
    assert activations.hard_sigmoid([-4, 0, 4]).numpy().tolist() == [0, 0.5, 1]
    close(activations.softmax([[0, np.log(3)]]).numpy(), [0.25, 0.75])
    assert activations.softmax([1000, 1000]).numpy().tolist() == [0.5, 0.5]


def test_sparsemax() -> None:
    """The nearest point of all probabilities: sums to 1, most of it 0; its gradient by central differences."""
    x = np.array([[1.0, 2.3, 0.1], [0.2, 0.1, 0.0]])
    close(activations.sparsemax(x).numpy(), np.array([[0, 1, 0], [13 / 30, 10 / 30, 7 / 30]]))
    close(activations.sparsemax(x.T, axis=0).numpy(), activations.sparsemax(x).numpy().T)
    weights = np.array([[1.0, -2.0, 3.0], [0.5, 2.0, -1.0]])
    with fastnn.config.using(floatx="float64"):
        v = Variable(x)
        with GradientTape() as tape:
            y = fastnn.ops.sum(activations.sparsemax(v) * weights)
        gradient = tape.gradient(y, v).numpy()
        for i in range(3):
            step = 1e-6 * np.eye(3)[i]
            ends = [(activations.sparsemax(x + s * step).numpy() * weights).sum(1) for s in (1, -1)]
            np.testing.assert_allclose(gradient[:, i], (ends[0] - ends[1]) / 2e-6, atol=1e-7)


def test_softmax_has_gradients_along_any_axis() -> None:
    x = Variable(np.array([[0.0, 1.0], [2.0, -1.0]], np.float32))
    with GradientTape() as tape:
        y = fastnn.ops.sum(fastnn.ops.square(activations.softmax(x, axis=0)))
    p = np.exp(x.numpy()) / np.exp(x.numpy()).sum(0)
    close(tape.gradient(y, x).numpy(), p * (2 * p - (2 * p * p).sum(0)))


def test_get_knows_names_functions_and_none() -> None:
    assert activations.get(None) is activations.linear
    assert activations.get("relu") is activations.relu
    assert activations.get("swish") is activations.silu
    assert activations.get(np.tanh) is np.tanh
    for name, function in activations.FUNCTIONS.items():
        assert activations.get(name) is function
        assert activations.deserialize(activations.serialize(function)) is function


def test_mistakes_are_explained() -> None:
    with pytest.raises(ValueError, match=r"Activation: got 'rulu'; did you mean 'relu'\?"):
        activations.get("rulu")
    with pytest.raises(TypeError, match="needs a name"):
        activations.get(3)
    with pytest.raises(ValueError, match="needs a name to write down"):
        activations.serialize(np.tanh)
    with pytest.raises(TypeError, match="negative_slope"):
        activations.leaky_relu([1.0], negative_slope="0.1")
    with pytest.raises(ValueError, match="max_value"):
        activations.relu([1.0], max_value=-1)
    with pytest.raises(ValueError, match="alpha is 0"):
        activations.celu([1.0], alpha=0)
    with pytest.raises(fastnn.ShapeError, match="axis is 2"):
        activations.softmax([[1.0]], axis=2)


def test_step_says_why_it_cannot_be_trained() -> None:
    x = Variable(np.ones(2, np.float32))
    with GradientTape() as tape:
        y = fastnn.ops.sum(activations.step(x))
    with pytest.raises(TypeError, match="sigmoid or relu"):
        tape.gradient(y, x)
