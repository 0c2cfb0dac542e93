"""When a step is recorded again, and what it takes from one run to the next."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Layer, Model, Sequential, layers, optimizers

X = np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32)
Y = (X.sum(axis=1, keepdims=True) > 0).astype(np.float32)


class Runs:
    """A number that the layer below does not hold itself, or its step could not be replayed."""
    count = 0


class Counting(Layer):
    """Passes its input on, and counts how often its Python runs on numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = Runs()

    def call(self, x: Any) -> Any:
        self.runs.count += not x.symbolic
        return x * self.factor if hasattr(self, "factor") else x


def network(*inner: Any) -> tuple[Sequential, Counting]:
    counting = Counting()
    model = Sequential([Input((5,)), layers.Dense(4, kernel_constraint="max_norm"), layers.BatchNormalization(),
                        layers.Dropout(0.2), *inner, counting, layers.Dense(1)])
    model.compile(optimizers.Adam(0.01, clipnorm=1.0), "mse", metrics=["mae"])
    return model, counting


def recordings(model: Any, counting: Counting) -> int:
    """How often Python ran while the model was fitted, evaluated and asked, which is once for each program."""
    before = counting.runs.count
    model.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X[:5], verbose=0)
    model.predict(X, batch_size=32, verbose=0)
    return counting.runs.count - before


ELSEWHERE: dict[str, Callable[[], Any]] = {
    "building": lambda: network()[0].fit(X, Y, verbose=0),
    "adding a layer": lambda: network()[0].add(layers.Dense(3)),
    "freezing": lambda: setattr(network()[0].layers[0], "trainable", False),
    "a new attribute": lambda: setattr(network()[1], "factor", 2.0),
    "another activation": lambda: setattr(network()[0].layers[0], "activation", fastnn.activations.tanh),
    "an optimizer": lambda: setattr(network()[0].optimizer, "clip", None),
    "nothing new": lambda: None,
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_another_model_leaves_a_fitted_one_alone(what: str) -> None:
    model, counting = network()
    recordings(model, counting)
    recordings(model, counting)     # predict of a few rows is recorded when their shape comes twice
    ELSEWHERE[what]()
    model.layers[0].trainable = True        # as it is
    model.layers[0].name = model.layers[0].name
    assert recordings(model, counting) == 0


@pytest.mark.parametrize("edit", [lambda inner: setattr(inner.layers[0], "trainable", False),
                                  lambda inner: setattr(inner.layers[0], "use_bias", False),
                                  lambda inner: setattr(inner.layers[0], "_private", 3),
                                  lambda inner: inner.add(layers.Dense(4))])
def test_a_sublayer_is_part_of_every_model_that_holds_it(edit: Callable[[Any], None]) -> None:
    inner = Sequential([Input((4,)), layers.Dense(4), layers.Dense(4)])
    holders, other = [network(inner), network(layers.Activation("tanh"), inner)], network()
    for model, counting in (*holders, other):
        recordings(model, counting)
        recordings(model, counting)
    edit(inner)
    assert [recordings(model, counting) > 0 for model, counting in (*holders, other)] == [True, True, False]


def test_state_is_what_a_step_changes(any_backend: str) -> None:
    """Run a step; of all arrays that the model's programs hold, those that changed are in the state."""
    model, _ = network(layers.Dense(4, kernel_constraint="max_norm"))
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    steps = model._steps
    state = {id(t) for t in steps.state()}
    held = {id(t): t for _, program in steps.recorder.items() for call in program.calls
            for t in (*call.inputs, *call.outputs) if any(t is each for each in program._outside)}
    held |= {id(v): v for v in (*model.weights, model.optimizer.iterations, *model.optimizer.slot_blocks)
             if hasattr(v, "data")}
    before = {key: t.data.tobytes() for key, t in held.items()}
    model.train_on_batch(X[:16], Y[:16])
    changed = {key for key, t in held.items() if t.data.tobytes() != before[key]}
    memory = [t.data for t in steps.state()]
    for key in changed - state:
        assert any(np.shares_memory(held[key].data, array) for array in memory), held[key].name
    names = {t.name for t in steps.state()}
    assert {"weights", "m", "v", "iterations", "cursor", "learning_rate", "epoch",
            "dropout/seed_generator_state"} <= names


def test_a_bad_first_step_is_gone_back_from(any_backend: str) -> None:
    """The guard has no program to read the state from before the first step; recording it keeps what it overwrites."""
    y, weights = Y.copy(), []
    y[5] = 1e30
    for watched in (True, False):
        fastnn.random.set_seed(3)
        model, _ = network()
        model.compiled.nonfinite_seen = not watched
        if watched:
            with pytest.warns(RuntimeWarning, match="epoch 1, step 1, kernel mean_squared_error of the loss"):
                model.fit(X, y, batch_size=16, verbose=0, shuffle=False)
        else:
            model.fit(X, y, batch_size=16, verbose=0, shuffle=False)
        assert int(model.optimizer.iterations) == 4
        weights.append([v.data.tobytes() for v in (*model.weights, model.optimizer.slot_blocks["m"].flat)])
    assert weights[0] == weights[1]


def test_profile_before_the_first_fit_changes_nothing(any_backend: str) -> None:
    model, _ = network()
    before = [v.numpy() for v in model.weights]
    model.profile(X, Y, seconds=0.01)
    for v, value in zip(model.weights, before):
        np.testing.assert_array_equal(v.data, value)
    assert int(model.optimizer.iterations) == 0 and not model.optimizer.slot_blocks["m"].flat.data.any()


def test_a_functional_model_is_recorded_anew_where_a_shared_layer_was_edited() -> None:
    counting, shared = Counting(), layers.Dense(2)
    x = Input((5,))
    model = Model(x, layers.Dense(1)(counting(shared(x))))
    model.compile("sgd", "mse")
    assert recordings(model, counting) > 0
    recordings(model, counting)
    assert recordings(model, counting) == 0
    shared.activation = fastnn.activations.relu
    assert recordings(model, counting) > 0
