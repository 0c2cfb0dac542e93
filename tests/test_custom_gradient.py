"""Gradients of one's own: in a tape, in a layer, in a graph, replayed; and what is refused."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Model, layers, ops
from fastnn.engine import backend
from fastnn.engine.tensor import Variable
from fastnn.errors import ShapeError

RNG = np.random.default_rng(4)
X = RNG.normal(size=(3, 4)).astype("float32")


@ops.custom_gradient
def log1pexp(x: Any) -> Any:
    """ln(1 + eˣ), whose gradient by the chain is NaN where eˣ is infinite: as Keras writes it."""
    e = ops.exp(x)

    def grad(*args: Any, upstream: Any = None) -> Any:
        if upstream is None:
            (upstream,) = args
        return upstream * (1.0 - 1.0 / (1 + e))
    return ops.log(1 + e), grad


@ops.custom_gradient
def reversed_(x: Any, by: float) -> Any:
    """Backward with the sign turned, as a domain-adversarial network has it."""
    return x * 1.0, lambda dy: (-by * dy, None)


@ops.custom_gradient
def straight(x: Any) -> Any:
    return ops.round(x), lambda dy: dy


def gradient_of(function: Any, *xs: Any) -> Any:
    tensors = [ops.convert_to_tensor(x) for x in xs]
    with GradientTape() as tape:
        tape.watch(tensors)
        loss = ops.sum(function(*tensors) * 3)
    return tape.gradient(loss, tensors)


def test_a_gradient_that_is_right_where_the_chain_is_not(any_backend: str) -> None:
    x = np.array([100, 0, -1], "float32")
    np.testing.assert_allclose(gradient_of(log1pexp, x)[0], 3 / (1 + np.exp(-x)), rtol=1e-6)
    np.testing.assert_allclose(log1pexp(x[1:]), np.log1p(np.exp(x[1:])), rtol=1e-6)
    np.testing.assert_allclose(gradient_of(lambda x: reversed_(x, 0.5), X)[0], np.full_like(X, -1.5))
    np.testing.assert_array_equal(gradient_of(straight, X)[0], np.full_like(X, 3))


def test_each_argument_has_its_own_and_none_is_none() -> None:
    @ops.custom_gradient
    def product(a: Any, b: Any) -> Any:
        return a * b, lambda dy: [dy * 7, None]

    first, second = gradient_of(product, X, X + 1)
    np.testing.assert_allclose(first, np.full_like(X, 21))
    assert second is None


def test_what_it_uses_beside_keeps_its_gradient() -> None:
    w = Variable(np.float32(2.0))

    @ops.custom_gradient
    def scaled(x: Any) -> Any:
        return x * w, lambda dy: 5 * dy

    with GradientTape() as tape:
        loss = ops.sum(scaled(X))
    assert float(tape.gradient(loss, w)) == pytest.approx(X.sum(), rel=1e-5)


def derivatives(function: Any, x: Any, count: int) -> list[Any]:
    """f, f', f'', …: each the gradient of the sum of the one before."""
    if not count:
        return [function(x)]
    with GradientTape() as tape:
        tape.watch(x)
        found = derivatives(function, x, count - 1)
        total = ops.sum(found[-1])
    return [*found, tape.gradient(total, x)]


@ops.custom_gradient
def times(a: Any, b: Any) -> Any:
    return a * b, lambda dy: (dy * b, dy * a)


@pytest.mark.parametrize(("own", "plain"), [
    (log1pexp, lambda x: ops.log(1 + ops.exp(x))),
    (lambda x: log1pexp(2 * x) ** 3, lambda x: ops.log(1 + ops.exp(2 * x)) ** 3),
    (lambda x: times(times(x, ops.exp(x)), x), lambda x: x * x * ops.exp(x))])
def test_derivatives_of_any_order_are_those_of_what_it_says(own: Any, plain: Any, any_backend: str) -> None:
    with backend.using(floatx="float64"):
        x = ops.convert_to_tensor(X[0])
        for found, right in zip(derivatives(own, x, 4), derivatives(plain, x, 4)):
            np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9)


class Straight(layers.Layer):
    def call(self, x: Any) -> Any:
        return straight(x)


def test_it_is_replayed_and_a_node_of_a_graph(any_backend: str) -> None:
    """In a layer or between layers, step by step or replayed: the same weights, which move."""
    y = (X.sum(1, keepdims=True) > 0).astype("float32")
    found = []
    for make, eagerly in ((Straight(), True), (Straight(), False), (straight, False)):
        fastnn.random.set_seed(1)
        x = Input((4,))
        model = Model(x, layers.Dense(1, "sigmoid")(make(2 * layers.Dense(5)(x))))
        model.compile("sgd", "binary_crossentropy", run_eagerly=eagerly)
        before = model.get_weights()[0]
        model.fit(X, y, epochs=3, verbose=0, shuffle=False)
        assert not np.array_equal(model.get_weights()[0], before)
        found.append(model.get_weights()[0])
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-6)


def test_refusals() -> None:
    with pytest.raises(TypeError, match="needs \\(result, gradient\\)"):
        ops.custom_gradient(lambda x: x)(ops.convert_to_tensor(X))
    with pytest.raises(ShapeError, match=r"is \(4,\) for an argument of shape \(3, 4\)"):
        gradient_of(ops.custom_gradient(lambda x: (x * 1.0, lambda dy: ops.sum(dy, 0))), X)
    with pytest.raises(TypeError, match=r"tensors in a list.*use f\(\*xs\)"):
        gradient_of(lambda x: ops.custom_gradient(lambda xs: (xs[0] * 1.0, lambda dy: dy))([x]), X)
    with pytest.raises(TypeError, match="gives 2 gradients"):
        gradient_of(ops.custom_gradient(lambda x: (x * 1.0, lambda dy: (dy, dy))), X)
