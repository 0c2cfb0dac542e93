"""model.find_lr: a rate, and why; and nothing has changed, to the bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Sequential, layers, metrics, ops, optimizers, teaching
from fastnn.examples._cells import Lesson
from fastnn.optimizers import schedules
from tests.errors import assert_good_error, fingerprint
from tests.golden.common import wave

X = wave(120, 5)
Y = (X[:, :1] + X[:, 1:2] * 0.5 > 0).astype(np.float32)


def network(optimizer: Any) -> Sequential:
    model = Sequential([Input((5,)), layers.Dense(8, activation="tanh", kernel_constraint="max_norm"),
                        layers.BatchNormalization(), layers.Dropout(0.3), layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy", metrics.AUC()])
    return model


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optimizers.SGD(0.1), "adam": lambda: optimizers.Adam(0.01, clipnorm=1.0),
    "a schedule": lambda: optimizers.SGD(schedules.CosineDecay(0.1, 50), momentum=0.9),
    "averages": lambda: optimizers.RMSprop(0.01, use_ema=True, ema_overwrite_frequency=3),
    "accumulation": lambda: optimizers.Nadam(0.01, gradient_accumulation_steps=2, weight_decay=0.1),
    "lbfgs": lambda: optimizers.LBFGS(history_size=2)}


@pytest.mark.parametrize("first", [0, 2])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_as_if_it_had_not_been_asked(name: str, first: int) -> None:
    """Weights, slots, counters, rates, moving means, dropout, the order of the batches, metrics; before the first fit
    and after some epochs."""
    found = []
    for asked in (False, True):
        fastnn.random.set_seed(5)
        model = network(OPTIMIZERS[name]())
        histories = [model.fit(X, Y, epochs=first, batch_size=32, verbose=0).history]
        if asked:
            before = fingerprint(model), [w.tobytes() for w in model.get_weights()]
            found_rates = model.find_lr(X, Y, steps=30, batch_size=16)
            assert len(found_rates.rates) >= 10
            after = fingerprint(model), [w.tobytes() for w in model.get_weights()]
            assert after[1] == before[1] and after[0]["weights"] == before[0]["weights"]
            if first:
                assert after == before
        histories.append(model.fit(X, Y, epochs=3, batch_size=32, verbose=0).history)
        another = Sequential([Input((5,)), layers.Dense(2)])        # what is drawn next is the same, too
        found.append((histories, [v.numpy().tobytes() for v in (*model.weights, *model.optimizer.state().values())],
                      another.get_weights()[0].tobytes(), model.evaluate(X, Y, verbose=0)))
    assert found[0] == found[1]


def test_an_error_inside_changes_nothing() -> None:
    fastnn.random.set_seed(5)
    model = network(optimizers.Adam(0.01))
    model.fit(X, Y, verbose=0)
    before = fingerprint(model)
    for call, kind, text in ((lambda: model.find_lr(X, Y[:5]), ValueError, "find_lr()"),
                             (lambda: model.find_lr(X, Y, lowest=0), ValueError, "lowest"),
                             (lambda: model.find_lr(X, Y, lowest=1.0, highest=0.1), ValueError, "highest"),
                             (lambda: model.find_lr(X, Y, steps=5), ValueError, "steps"),
                             (lambda: model.find_lr(X, Y, batch_size=0), ValueError, "batch_size")):
        assert_good_error(call, kind, text)
    assert fingerprint(model) == before
    assert_good_error(lambda: Sequential([Input((5,)), layers.Dense(1)]).find_lr(X, Y), RuntimeError, "compile")


def test_the_suggestion_trains_better_than_a_tenth_and_ten_times_of_it() -> None:
    """Also where the loss falls from high up, and with another optimizer."""
    for make in (optimizers.SGD, optimizers.Adam):
        fastnn.random.set_seed(1)
        found = network(make(0.01)).find_lr(X, Y, steps=60)
        assert found.suggestion is not None and "falls fastest at" in found.reason and found.reason in str(found)
        losses = []
        for factor in (0.1, 1.0, 10.0):
            fastnn.random.set_seed(1)
            model = network(make(found.suggestion * factor))
            losses.append(model.fit(X, Y, epochs=4, verbose=0).history["loss"][-1])
        assert losses[1] < losses[0]


def test_no_suggestion_where_the_loss_does_not_fall() -> None:
    model = network(optimizers.SGD(0.1))
    found = model.find_lr(X, Y, lowest=1e-9, highest=1e-8, steps=20)
    assert found.suggestion is None and "did not fall" in found.reason and "no suggestion" in str(found)


def test_it_stops_where_the_loss_is_no_number(tmp_path: Path) -> None:
    model = Sequential([Input((5,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    found = model.find_lr(X, Y * 3, lowest=1e-3, highest=1e12, steps=60)
    assert len(found.rates) < 60 and found.suggestion is not None
    figure = found.plot(tmp_path / "rates.png")
    assert len(figure.axes[0].get_lines()) == 3 and (tmp_path / "rates.png").stat().st_size > 5000


def test_own_training_steps_are_asked_too() -> None:
    class Own(Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with GradientTape() as tape:
                loss = ops.mean(ops.square(self(x, training=True) - y))
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            return {"my loss": loss}

    fastnn.random.set_seed(1)
    model = Own([Input((5,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = [w.tobytes() for w in model.get_weights()]
    found = teaching.find_lr(model, X, Y)
    assert found.suggestion is not None and found.losses[0] > 0.1
    assert [w.tobytes() for w in model.get_weights()] == before


# ---- the lessons ----------------------------------------------------------------------------------------------------

def test_a_ravine_holds_plain_gradient_descent_up_and_not_the_others() -> None:
    arrivals = Lesson("optimizers").run()["arrivals"]
    assert min(arrivals, key=lambda name: arrivals[name][0] or 99) == "SGD"
    assert arrivals["SGD"][1] is None and all(arrivals[name][1] for name in ("Momentum", "RMSprop", "Adam"))


def test_of_three_learning_rates_the_middle_one_learns() -> None:
    made = Lesson("learning_rate").run(epochs=8)
    low, right, high = made["accuracies"].values()
    assert right > 0.9 and max(low, high) < 0.5
    assert 0.03 < made["found"].suggestion < 1
