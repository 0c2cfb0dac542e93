"""Rows of what a Keras user expects of ops and tensors; each was once a wrong number or a script that stopped."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, layers, ops

RNG = np.random.default_rng(1)
X = RNG.normal(size=(3, 4)).astype("float32")
WANTED = [
    "where", "softmax", "log_softmax", "argmax", "argmin", "concatenate", "power", "one_hot", "zeros", "ones",
    "zeros_like", "ones_like", "full", "full_like", "arange", "linspace", "eye", "cast", "array", "convert_to_numpy",
    "convert_to_tensor", "shape", "stack", "unstack", "split", "squeeze", "expand_dims", "tile", "repeat", "pad",
    "take", "take_along_axis", "sort", "argsort", "top_k", "cumsum", "prod", "std", "var", "norm", "dot", "einsum",
    "tensordot", "outer", "round", "floor", "ceil", "sign", "isnan", "isfinite", "all", "any", "less", "less_equal",
    "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not", "logical_xor",
    "swapaxes", "transpose", "flip", "roll", "tril", "triu", "diag", "clip", "maximum", "minimum", "erf", "logsumexp",
    "rsqrt", "sin", "cos", "tan", "stop_gradient", "conv", "max_pool", "average_pool", "binary_crossentropy",
    "categorical_crossentropy", "sparse_categorical_crossentropy", "image.resize",
]


def test_the_names_are_there() -> None:
    missing = [name for name in WANTED if not callable(getattr(getattr(ops, "image", ops) if "." in name else ops,
                                                               name.split(".")[-1], None))]
    assert not missing
    assert [n for n in ("uniform", "normal", "randint", "truncated_normal", "dropout", "shuffle", "categorical")
            if not hasattr(fastnn.random, n)] == []


def test_comparisons_are_made_element_by_element() -> None:
    """T == a was a test of identity: an own accuracy gave 0."""
    def share(y: Any, p: Any) -> Any:
        return ops.mean(ops.cast(ops.round(p) == y, "float32"))

    model = Sequential([Input((4,)), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=[share])
    y = (model.predict(X, verbose=0) > 0.5).astype("float32")
    assert model.evaluate(X, y, verbose=0)[1] == 1
    t = ops.convert_to_tensor(X)
    assert bool(ops.all(t == X)) and not bool(ops.any(t != X))


@pytest.mark.parametrize("other", ["uint8", "int32", "int64", "bool"])
def test_mixed_dtypes_meet(other: str) -> None:
    """Concatenating whole numbers with floats read past the buffer."""
    got = ops.concatenate([X, np.ones((3, 2), other)], axis=1)
    assert got.dtype == "float32"
    np.testing.assert_array_equal(got.numpy(), np.concatenate([X, np.ones((3, 2), "float32")], 1))


DEFAULTS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: ops.concatenate([X, X]), np.concatenate([X, X])), (lambda: ops.argmax(X), np.argmax(X)),
    (lambda: ops.gelu(X), 0.5 * X * (1 + np.tanh(np.sqrt(2 / np.pi) * (X + 0.044715 * X ** 3)))),
    (lambda: ops.sum(X), X.sum()), (lambda: ops.cumsum(X), np.cumsum(X)), (lambda: ops.sort(X), np.sort(X)),
    (lambda: ops.take(X, [1, 5]), np.take(X, [1, 5])), (lambda: ops.repeat(X, 2), np.repeat(X, 2)),
    (lambda: ops.stack([X, X]), np.stack([X, X])), (lambda: ops.expand_dims(X, 0), X[None]),
    (lambda: ops.transpose(X), X.T), (lambda: ops.norm(X), np.linalg.norm(X)), (lambda: ops.std(X), X.std()),
    (lambda: ops.softmax(X), np.exp(X) / np.exp(X).sum(-1, keepdims=True)), (lambda: ops.prod(X), X.prod()),
]


@pytest.mark.parametrize("made, want", DEFAULTS)
def test_defaults_are_those_of_keras(made: Callable[[], Any], want: Any) -> None:
    np.testing.assert_allclose(np.asarray(made()), want, rtol=2e-6, atol=1e-6)


def test_extremes() -> None:
    """The smallest numbers keep their sign; sums of squares of large ones do not run over where a norm is taken."""
    tiny = np.array([-1e-40, 1e-40], np.float32)
    assert (np.asarray(ops.relu(tiny)) >= 0).all() and np.asarray(ops.step(np.float32([-1e-40])))[0] == 0
    assert np.isfinite(np.asarray(layers.LayerNormalization()(np.float32([[1e20, -1e20, 0, 3e20]])))).all()


def test_images_and_sequences_of_any_size() -> None:
    """Padding "same" of unknown sizes was that of size None: fewer rows than the data have."""
    for x, kernel in ((Input((None, None, 3)), np.ones((3, 3, 3, 2))), (Input((None, 3)), np.ones((3, 3, 2)))):
        model = Model(x, ops.conv(x, kernel, strides=2, padding="same") * np.array([1.0, 2.0]))
        for size in (5, 8):
            data = np.ones((2, *[size] * (len(x.shape) - 2), 3), "float32")
            assert model(data).shape == (2, *[-(-size // 2)] * (len(x.shape) - 2), 2)


def test_a_script_of_the_guide_of_autoencoders() -> None:
    """Noise of as many rows as the batch has, in a layer of a functional model."""
    class Sampling(layers.Layer):
        def call(self, inputs: Any) -> Any:
            mean, log_var = inputs
            noise = fastnn.random.normal((ops.shape(mean)[0], ops.shape(mean)[1]))
            return mean + ops.exp(0.5 * log_var) * noise

    x = Input((4,))
    model = Model(x, Sampling()([layers.Dense(2)(x), layers.Dense(2)(x)]))
    assert model.predict(X, verbose=0).shape == (3, 2) and model.output_shape == (None, 2)


def test_variables_made_and_changed_as_in_keras() -> None:
    v = fastnn.Variable(shape=(2, 3), initializer="ones", name="v")
    assert v.assign_add(np.ones((2, 3))) is not None and v.assign_sub(0.5 * np.ones((2, 3))) is not None
    np.testing.assert_array_equal(v.numpy(), np.full((2, 3), 1.5))
    with fastnn.GradientTape() as tape:
        loss = ops.sum(ops.square(v.value))
    np.testing.assert_array_equal(tape.gradient(loss, v).numpy(), np.full((2, 3), 3.0))
    assert v.path == "v" and f"{ops.mean(v):.1f}" == "1.5"
