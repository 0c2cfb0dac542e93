"""fastnn.function: recorded once per shapes and replayed, with the numbers of now, or run in Python by name."""

import warnings
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Sequential, Variable, layers, losses, metrics, ops, optimizers

X = np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)


def parts(*inner: Any) -> tuple[Sequential, Any, Any]:
    fastnn.random.set_seed(1)
    model = Sequential([Input((5,)), layers.Dense(8, activation="tanh"), *inner, layers.Dense(1)])
    return model, optimizers.Adam(0.01), losses.MeanSquaredError()


def own_step(model: Sequential, optimizer: Any, loss_of: Any, mean: Any) -> Any:
    def step(x: Any, y: Any) -> Any:
        with GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        mean.update_state(loss)
        return {"loss": loss}
    return step


def test_an_own_loop_gives_what_it_gives_in_python(any_backend: str) -> None:
    found = []
    for wrap in (fastnn.function, lambda step: step):
        model, optimizer, loss_of = parts(layers.BatchNormalization())
        mean = metrics.Mean()
        step = wrap(own_step(model, optimizer, loss_of, mean))
        values = [float(step(X[i:i + 16], Y[i:i + 16])["loss"]) for _ in range(3) for i in range(0, 64, 16)]
        values.append(float(step(X[:10], Y[:10])["loss"]))
        found.append((values, float(mean.result()), [w.tolist() for w in model.get_weights()]))
        assert int(optimizer.iterations) == 13
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-5)
    for a, b in zip(found[0][2], found[1][2]):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_python_runs_once_per_shapes_dtypes_and_constants(any_backend: str) -> None:
    runs: list[Any] = []

    @fastnn.function
    def f(x: Any, scale: float = 1.0) -> Any:
        """Doc."""
        runs.append(x.shape)
        return x * scale

    assert f.__name__ == "f" and f.__doc__ == "Doc."
    for _ in range(3):
        for x in (X[:2], X[:3]):
            np.testing.assert_array_equal(f(x), x)
            np.testing.assert_array_equal(f(x, scale=2.0), 2 * x)
    assert len(runs) == 4
    f(X[:2].astype(np.float64))     # becomes floatx
    assert len(runs) == 4


def test_structures_go_in_and_out(any_backend: str) -> None:
    v = Variable([1.0, 2.0])

    @fastnn.function()
    def f(pair: Any, table: Any, name: str) -> Any:
        v.assign_add(pair[0])
        return {"sum": pair[0] + pair[1], "name": name, "v": v, "same": table["a"], "none": None,
                "list": [ops.convert_to_tensor([3.0]), 5]}

    for i in range(3):
        a = np.full(2, i, np.float32)
        out = f((a, a + 1), {"a": a}, name="n")
        np.testing.assert_array_equal(out["sum"], 2 * a + 1)
        np.testing.assert_array_equal(out["same"], a)
        assert out["name"] == "n" and out["none"] is None and out["v"] is v and out["list"][1] == 5
        np.testing.assert_array_equal(out["list"][0], [3.0])
    np.testing.assert_array_equal(v, [4.0, 5.0])
    kept = out["sum"]
    f((a + 9, a), {"a": a}, name="n")
    np.testing.assert_array_equal(kept, 2 * a + 1)      # the user's own


def test_what_it_uses_may_change(any_backend: str) -> None:
    model, _, _ = parts()
    f = fastnn.function(lambda x: model(x))
    for change in (lambda: None, lambda: setattr(model.layers[0], "activation", fastnn.activations.relu),
                   lambda: model.set_weights([w + 0.5 for w in model.get_weights()]),
                   lambda: model.add(layers.Dense(2))):
        change()
        for _ in range(2):
            np.testing.assert_allclose(f(X[:4]), model(X[:4]), rtol=1e-6)


def test_fit_and_a_function_train_the_same_weights(any_backend: str) -> None:
    """Each optimizer holds the weights in a block of its own."""
    found = []
    for wrap in (fastnn.function, lambda step: step):
        model, optimizer, loss_of = parts()
        model.compile("sgd", "mse")
        step = wrap(own_step(model, optimizer, loss_of, metrics.Mean()))
        for _ in range(3):
            step(X, Y)
            model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_random_layers_draw_anew(any_backend: str) -> None:
    dropout = layers.Dropout(0.5)
    f = fastnn.function(lambda x: dropout(x, training=True))
    ones = np.ones((4, 50), np.float32)
    draws = [f(ones).numpy() for _ in range(5)]
    assert len({d.tobytes() for d in draws}) == 5 and all(set(np.unique(d)) == {0.0, 2.0} for d in draws)


def test_python_that_reads_runs_every_time(any_backend: str) -> None:
    @fastnn.function
    def clipped(x: Any) -> Any:
        return x * 0.5 if float(ops.max(x)) > 1 else x

    with pytest.warns(UserWarning, match=r"(?s)function clipped.*float\(ops.max\(x\)\) > 1.*not replayed"):
        found = [clipped(np.full(2, n, np.float32)).numpy()[0] for n in (0.5, 2.0, 0.5, 4.0)]
    assert found == [0.5, 1.0, 0.5, 2.0]


def test_inside_a_tape_it_has_gradients(any_backend: str) -> None:
    v = Variable([1.0, 2.0])
    square = fastnn.function(lambda x: ops.sum(x * x))
    for _ in range(2):
        with GradientTape() as tape:
            y = square(v)
        np.testing.assert_array_equal(tape.gradient(y, v), [2.0, 4.0])
        assert float(square(v)) == 5.0


def test_too_many_constants_are_told() -> None:
    f = fastnn.function(lambda x, factor: x * factor)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(30):
            f(X[:2], i + 0.5)
    assert len(caught) == 1 and "np.float32" in str(caught[0].message) and caught[0].filename == __file__
    with pytest.raises(TypeError, match="function of tensors"):
        fastnn.function(3)


def test_an_error_leaves_it_usable() -> None:
    f = fastnn.function(lambda x: ops.matmul(x, X))
    with pytest.raises(fastnn.ShapeError):
        f(X)
    np.testing.assert_allclose(f(X.T), X.T @ X, rtol=1e-5)
