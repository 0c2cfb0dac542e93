"""The state of a seed generator is a variable: counted, read, assigned, kept, and moved on by each draw."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers, ops
from fastnn.ops.rows.random import random_normal
from fastnn.random import SeedGenerator, normal
from fastnn.saving.state import one_counter_each, put_random_state, random_state
from tests.errors import assert_good_error

STEPS = np.ones((2, 4, 4), np.float32)
IMAGES = np.ones((2, 6, 6, 3), np.float32)
X = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def drawn(generator: Any) -> bytes:
    return np.asarray(normal((3,), seed=generator)).tobytes()


def test_a_draw_moves_the_state_on_and_assigning_it_draws_again(any_backend: str) -> None:
    for generator, start in ((SeedGenerator(7), [7, 0]), (SeedGenerator(), None)):
        was = generator.state.numpy()
        assert start is None or was.tolist() == start
        first = [drawn(generator) for _ in range(3)]
        assert len(set(first)) == 3 and generator.state.numpy().tolist() == [was[0], was[1] + 3]
        assert generator.next().numpy().tolist() == [was[0], was[1] + 3]
        assert generator.state.numpy().tolist() == [was[0], was[1] + 4]
        generator.state.assign(was)
        assert [drawn(generator) for _ in range(3)] == first
        other = SeedGenerator()
        other.state.assign(was)
        assert [drawn(other) for _ in range(3)] == first


def test_a_whole_number_is_the_first_draw_of_its_generator_and_no_two_draw_the_same() -> None:
    generator, seven = SeedGenerator(), SeedGenerator(7)
    generator.state.assign([7, 1])
    assert drawn(seven) == np.asarray(normal((3,), seed=7)).tobytes() and drawn(seven) == drawn(generator)
    assert len({drawn(each) for each in [SeedGenerator() for _ in range(50)]}) == 50


def test_configs_and_wrong_arguments() -> None:
    made = SeedGenerator.from_config(SeedGenerator(3, name="mine").get_config())
    assert made.get_config() == {"seed": 3, "name": "mine"} and made.state.numpy().tolist() == [3, 0]
    assert_good_error(lambda: SeedGenerator(3, start=4), TypeError, "start", "seed")
    assert_good_error(lambda: SeedGenerator("x"), ValueError, "seed", "'x'")  # type: ignore[arg-type]
    assert_good_error(lambda: SeedGenerator(3).state.assign([1.0]), ValueError, "(1,)", "(2,)")


class Noisy(layers.Layer):
    """Holds generators as an attribute, in a list and in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.seed_generator = SeedGenerator(5)
        self.more = [SeedGenerator(6), {"one": SeedGenerator(7)}]
        self.w = self.add_weight((), "ones")

    def call(self, x: Any) -> Any:
        return x + self.w * normal((1, 4), stddev=0.1, seed=self.seed_generator)


COUNTS: dict[str, tuple[Callable[[], Any], Any, int]] = {
    "dropout": (lambda: layers.Dropout(0.5), X, 1), "nothing dropped": (lambda: layers.Dropout(0.0), X, 0),
    "noise": (lambda: layers.GaussianNoise(0.1), X, 1), "no noise": (lambda: layers.GaussianNoise(0.0), X, 0),
    "no gaussian": (lambda: layers.GaussianDropout(0.0), X, 0), "alpha": (lambda: layers.AlphaDropout(0.1), X, 1),
    "spatial": (lambda: layers.SpatialDropout1D(0.1), STEPS, 1), "lstm": (lambda: layers.LSTM(3), STEPS, 1),
    "both ways": (lambda: layers.Bidirectional(layers.GRU(3)), STEPS, 2),
    "cells": (lambda: layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)]), STEPS, 2),
    "heads": (lambda: layers.MultiHeadAttention(2, 2, dropout=0.1), STEPS, 1),
    "attention without": (lambda: layers.Attention(), STEPS, 0), "flip": (lambda: layers.RandomFlip(), IMAGES, 1),
    "crop": (lambda: layers.RandomCrop(2, 2), IMAGES, 1), "own": (Noisy, X, 3), "none": (lambda: layers.Dense(2), X, 0),
}


@pytest.mark.parametrize("name", COUNTS)
def test_layers_count_the_states_as_keras_does(name: str) -> None:
    make, x, count = COUNTS[name]
    layer = make()
    layer([x, x] if "attention" in name else x, *[x] * (name == "heads"))
    assert len(layer.variables) == len(layer.weights) + count
    assert len(layer.non_trainable_variables) == len(layer.non_trainable_weights) + count
    assert len(layer.trainable_variables) == len(layer.trainable_weights)
    assert len(layer.get_weights()) == len(layer.weights)
    layer.trainable = False
    assert {id(v) for v in layer.non_trainable_variables} == {id(v) for v in layer.variables}
    model = Sequential([Input(x.shape[1:]), layers.Dropout(0.1), layers.Flatten(), layers.Dense(1)])
    assert len(model.variables) == 3 and model.count_params() == x[0].size + 1


def noisy() -> Any:
    fastnn.random.set_seed(4)
    model = Sequential([Input((4,)), layers.Dense(8, "relu"), layers.Dropout(0.5, seed=2), layers.Dense(4), Noisy(),
                        layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def states(model: Any) -> list[list[int]]:
    return [v.numpy().tolist() for v in model.variables if v.dtype == "int64"]


def fitted(model: Any, **options: Any) -> list[float]:
    return list(model.fit(X, Y, batch_size=3, shuffle=False, verbose=0, **options).history["loss"])


def test_a_fit_moves_the_states_on_by_its_steps_and_put_back_they_repeat(any_backend: str) -> None:
    model = noisy()
    start, weights = states(model), model.get_weights()
    losses = fitted(model, epochs=2)
    assert states(model) == [[2, 8], [5, 8], [6, 0], [7, 0]]
    assert fitted(model, epochs=2) != losses
    model.set_weights(weights)
    for variable, was in zip([v for v in model.variables if v.dtype == "int64"], start):
        variable.assign(was)
    assert fitted(model, epochs=2) == losses        # its programs were recorded before


def test_replayed_eagerly_and_in_an_own_loop_the_draws_are_the_same() -> None:
    replayed, eager, own = noisy(), noisy(), noisy()
    eager.run_eagerly = True
    assert fitted(replayed, epochs=2) == fitted(eager, epochs=2)
    for begin in (*range(0, 12, 3), *range(0, 12, 3)):
        with fastnn.GradientTape() as tape:
            loss = ops.mean(ops.square(own(X[begin:begin + 3], training=True) - Y[begin:begin + 3]))
        own.optimizer.apply(tape.gradient(loss, own.trainable_weights), own.trainable_weights)
    assert states(replayed) == states(eager) == states(own)
    for a, b in zip(replayed.get_weights(), own.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_draws_outside_of_a_fit_are_not_drawn_again_in_it() -> None:
    """One state for all, wherever a draw is made: by hand, in a function, in a step, in predict()."""
    layer = layers.Dropout(0.5, seed=3)
    ones = np.ones((4, 50), np.float32)

    class Always(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.drop = layer

        def call(self, x: Any) -> Any:
            return self.drop(x, training=True)

    model = Sequential([Input((50,)), Always()])
    function = fastnn.function(lambda x: layer(x, training=True))
    found = [np.asarray(layer(ones, training=True)) for _ in range(2)]
    found += [np.asarray(function(ones)) for _ in range(3)]
    found += list(np.split(model.predict(np.ones((12, 50)), batch_size=4, verbose=0), 3))
    found += [np.asarray(layer(ones, training=True)), np.asarray(function(ones))]
    assert len({y.tobytes() for y in found}) == len(found) == int(layer.seed_generator.state[1])
    again = layers.Dropout(0.5, seed=3)
    assert all(np.asarray(again(ones, training=True)).tobytes() == y.tobytes() for y in found)


def test_a_generator_made_in_a_step_is_made_at_every_step() -> None:
    """With a seed its first draw comes each time, as where Python runs the step."""
    @fastnn.function
    def step(x: Any) -> Any:
        generator = SeedGenerator(5)
        return normal((3,), seed=generator), normal((3,), seed=generator), x + 1.0

    seen = {tuple(np.asarray(y).tobytes() for y in step(np.float32(i))[:2]) for i in range(4)}
    generator = SeedGenerator(5)
    assert seen == {(drawn(generator), drawn(generator))}


def test_assigned_and_asked_in_a_recorded_step() -> None:
    generator = SeedGenerator(5)

    @fastnn.function
    def step(x: Any) -> Any:
        generator.state.assign(x)
        return generator.next(), generator.next(), normal((3,), seed=generator)

    for start in ([5, 0], [9, 4], [5, 0]):
        one, two, draws = step(np.array(start, np.int32))
        assert [np.asarray(t).tolist() for t in (one, two)] == [start, [start[0], start[1] + 1]]
        seeds = SeedGenerator(start[0])
        seeds.state.assign([start[0], start[1] + 2])
        assert np.asarray(draws).tobytes() == drawn(seeds)


def test_files_from_before_states_were_variables() -> None:
    """One counter, `draws`, counted the steps of all generators."""
    model = noisy()
    fitted(model, epochs=2)
    now = random_state(model)
    old = {**now, "draws": 8, "trials": 2 ** 40, "layers": [[seed, 0, 0] for seed, _ in now["layers"]],
           "global": {**now["global"], "generator": [3, 9, 2]}}
    other = noisy()
    put_random_state(other, old)
    assert states(other)[:2] == states(model)[:2]
    everyone = SeedGenerator()
    everyone.state.assign(one_counter_each(old)["global"]["generator"])
    want = random_normal(np.array([3, 8, 9]), shape=(3,), mean=0.0, stddev=1.0)     # seed, draws, stream
    assert drawn(everyone) == np.asarray(want).tobytes()


class Drawing(layers.Layer):
    """Draws without a seed."""

    def call(self, x: Any) -> Any:
        return x + normal((1, 4))


def test_set_seed_starts_draws_without_a_seed_again_in_what_was_recorded() -> None:
    model = Sequential([Input((4,)), Drawing(), layers.Dense(1)])
    model.compile("sgd", "mse")
    weights = model.get_weights()
    doubled = fastnn.function(lambda x: normal((3,)) + x)

    def run() -> tuple[Any, ...]:
        fastnn.random.set_seed(4)
        model.set_weights(weights)
        drawn = [doubled(np.float32(0)).numpy().tolist() for _ in range(3)]
        return fitted(model, epochs=2), drawn, model.predict(X, verbose=0).tolist()

    first = run()
    assert first[1][0] != first[1][1]
    assert run() == first and run() == first


def test_set_seed_in_a_step_repeats_its_draws_at_every_step() -> None:
    @fastnn.function
    def step(x: Any) -> Any:
        fastnn.random.set_seed(3)
        return normal((3,)) + x

    with pytest.warns(UserWarning, match="set_seed"):
        seen = {step(np.float32(0)).numpy().tobytes() for _ in range(5)}
    fastnn.random.set_seed(3)
    assert seen == {np.asarray(normal((3,))).tobytes()}
