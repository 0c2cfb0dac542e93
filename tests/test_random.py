"""fastnn.random: the right distributions, new numbers at every step of a recorded function, the same ones from a
seed."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import random
from tests.errors import assert_good_error
from tests.ops import OPS

DRAWS: dict[str, Any] = {
    "normal": lambda seed: random.normal((200, 50), 1.0, 2.0, seed=seed),
    "truncated_normal": lambda seed: random.truncated_normal((200, 50), 1.0, 2.0, seed=seed),
    "uniform": lambda seed: random.uniform((200, 50), -1.0, 3.0, seed=seed),
    "randint": lambda seed: random.randint((200, 50), -2, 5, seed=seed),
    "dropout": lambda seed: random.dropout(np.ones((200, 50), np.float32), 0.3, seed=seed),
    "categorical": lambda seed: random.categorical(np.log([[0.2, 0.5, 0.3]] * 2), 5000, seed=seed),
    "binomial": lambda seed: random.binomial((200, 50), 9, 0.3, seed=seed),
    "gamma": lambda seed: random.gamma((200, 50), 2.5, seed=seed),
    "beta": lambda seed: random.beta((200, 50), 2.0, 5.0, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(200.0), seed=seed),
}


@pytest.mark.parametrize("name", DRAWS)
def test_seeds_repeat_and_generators_go_on(name: str, any_backend: str) -> None:
    draw = DRAWS[name]
    first, second = np.asarray(draw(7)), np.asarray(draw(7))
    assert first.tobytes() == second.tobytes()
    fastnn.random.set_seed(1)
    a, b = np.asarray(draw(None)), np.asarray(draw(None))
    fastnn.random.set_seed(1)
    c, d = np.asarray(draw(None)), np.asarray(draw(None))
    assert a.tobytes() == c.tobytes() and b.tobytes() == d.tobytes() != a.tobytes()
    generator = random.SeedGenerator(3)
    assert np.asarray(draw(generator)).tobytes() != np.asarray(draw(generator)).tobytes()


def test_distributions() -> None:
    normal, cut = np.asarray(DRAWS["normal"](1)), np.asarray(DRAWS["truncated_normal"](1))
    assert abs(normal.mean() - 1) < 0.06 and abs(normal.std() - 2) < 0.05
    assert np.abs(cut - 1).max() <= 4 and abs(cut.mean() - 1) < 0.05
    uniform, whole = np.asarray(DRAWS["uniform"](1)), np.asarray(DRAWS["randint"](1))
    assert uniform.min() >= -1 and uniform.max() < 3 and abs(uniform.mean() - 1) < 0.04
    assert sorted(set(whole.ravel().tolist())) == list(range(-2, 5)) and whole.dtype == np.int32
    for name, mean, variance in (("binomial", 2.7, 1.89), ("gamma", 2.5, 2.5), ("beta", 2 / 7, 10 / 392)):
        draws = np.asarray(DRAWS[name](1))
        assert abs(draws.mean() - mean) < 0.02 * mean and abs(draws.var() - variance) < 0.05 * variance
    small = np.asarray(random.gamma((3000, 2), [0.3, 20.0], seed=1))
    np.testing.assert_allclose(small.mean(0), [0.3, 20], rtol=0.06)
    assert (small > 0).all()
    tiny = np.asarray(random.beta((2000,), 0.01, 0.01, seed=1))      # of gamma draws that are smaller than any float
    assert ((tiny >= 0) & (tiny <= 1)).all() and abs(tiny.mean() - 0.5) < 0.04
    shares = np.bincount(np.asarray(DRAWS["categorical"](1))[0]) / 5000
    np.testing.assert_allclose(shares, [0.2, 0.5, 0.3], atol=0.03)
    assert sorted(np.asarray(DRAWS["shuffle"](1)).tolist()) == list(range(200))
    kept = np.asarray(random.dropout(np.ones((9, 4, 5), np.float32), 0.5, noise_shape=(None, 1, None), seed=2))
    assert (kept == kept[:, :1]).all() and set(np.unique(kept)) == {0.0, 2.0}


@pytest.mark.parametrize("name", DRAWS)
def test_a_recorded_function_draws_anew_each_time(name: str) -> None:
    generator = random.SeedGenerator(5)

    @fastnn.function
    def step(x: Any) -> Any:
        return DRAWS[name](generator), x + 1.0

    seen = {np.asarray(step(np.float32(i))[0]).tobytes() for i in range(6)}
    assert len(seen) == 6


@pytest.mark.parametrize("name", DRAWS)
def test_a_whole_number_draws_the_same_in_a_recorded_function(name: str) -> None:
    @fastnn.function
    def step(x: Any) -> Any:
        return DRAWS[name](7), x + 1.0

    assert {np.asarray(step(np.float32(i))[0]).tobytes() for i in range(4)} == {np.asarray(DRAWS[name](7)).tobytes()}


def test_bounds_that_are_computed() -> None:
    """Bounds of tensors: each its own, drawn anew where a step is replayed."""
    low, high = np.array([0, 10, 20]), np.array([3, 12, 21])

    @fastnn.function
    def step(low: Any, high: Any) -> Any:
        return random.uniform((500, 3), low, high), random.randint((500, 3), low, high)

    for _ in range(3):
        floats, wholes = (np.asarray(t) for t in step(low, high))
        assert (floats >= low).all() and (floats < high).all() and floats.dtype == np.float32
        assert (wholes >= low).all() and wholes.max(0).tolist() == (high - 1).tolist() and wholes.dtype == np.int32


def test_dtypes() -> None:
    """As asked for; a drop of everything leaves nothing."""
    for name in ("normal", "truncated_normal", "uniform"):
        assert getattr(random, name)((2,), dtype="float32").dtype == "float32"
    assert random.randint((2,), 0, 9, "int64").dtype == "int64"
    assert random.categorical(np.ones((1, 2)), 3, "int64").dtype == "int64"
    assert not np.asarray(random.dropout(np.ones((3, 4)), 1.0)).any()


def test_wrong_arguments() -> None:
    assert_good_error(lambda: random.randint((2,), 0, 3, "float32"), ValueError, "dtype", "whole numbers")
    assert_good_error(lambda: random.binomial((2 ** 20,), 900, 0.5), ValueError, "counts", "900")
    assert_good_error(lambda: random.uniform((2,), 0, 3, "int32"), ValueError, "dtype", "randint")
    assert_good_error(lambda: random.randint((2,), 3, 3), ValueError, "minval")
    assert_good_error(lambda: random.normal((2, -1)), ValueError, "shape", "-1")
    assert_good_error(lambda: random.normal((2,), stddev=-1.0), ValueError, "stddev")
    assert_good_error(lambda: random.normal((2,), seed="x"), TypeError, "seed")


@pytest.mark.parametrize("name", ["uniform", "randint", "gamma", "categorical", "shuffle", "dropout"])
def test_in_the_graph_of_a_model_draws_are_refused_and_in_a_layer_they_are_new(name: str) -> None:
    """Among the ops of a graph they would be drawn once and for all."""
    draw: dict[str, Any] = {
        "uniform": lambda x: random.uniform((8, 3), 0.0, x), "randint": lambda x: random.randint((8, 3), 0, 100 * x),
        "gamma": lambda x: random.gamma((8, 3), x), "categorical": lambda x: random.categorical(x, 3),
        "shuffle": random.shuffle, "dropout": lambda x: random.dropout(x, 0.5)}
    inputs = fastnn.Input((3,), batch_size=8)
    assert_good_error(lambda: draw[name](inputs), ValueError, f"random.{name}", "symbolic")
    model = fastnn.Model(inputs, fastnn.layers.Lambda(draw[name])(inputs))
    x = np.arange(1.0, 25.0).reshape(8, 3)
    assert len({np.asarray(model.predict(x, batch_size=8, verbose=0)).tobytes() for _ in range(4)}) == 4


def test_dropout_keeps_a_number_that_is_exactly_the_rate(any_backend: str) -> None:
    """And drops the one below it: uniform numbers are multiples of 2**-24."""
    key, ones = np.array([5, 0, 6]), np.ones(1000, np.float32)
    uniform = np.float64(OPS["random_uniform"](key, shape=(1000,), low=0.0, high=1.0))
    for u in (float(uniform[17]), float(uniform[990])):
        for rate in (u, u + 2.0 ** -24, u - 2.0 ** -24, u + 2.0 ** -30):
            for name in ("dropout", "dropout_grad"):
                kept = np.asarray(OPS[name](ones, key, rate=rate, stream=0)) != 0
                np.testing.assert_array_equal(kept, uniform >= rate)
