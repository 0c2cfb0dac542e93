"""Bad arguments of optimizers, bad learning rates on the way, and optimizers shared by models."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import optimizers
from fastnn.optimizers import (
    LBFGS,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Muon,
    Nadam,
    RMSprop,
)
from tests.errors import assert_good_error, fingerprint
from tests.test_bad_fit import X, Y, regression

NAN, INF = float("nan"), float("inf")
ALL = (SGD, RMSprop, Adam, AdamW, Adagrad, Adadelta, Adafactor, Adamax, Ftrl, Lamb, Lion, Muon, Nadam, LBFGS)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("rate, kind", [(-0.1, ValueError), (NAN, ValueError), (INF, ValueError), (True, TypeError),
                                        ("0.1", TypeError), (None, TypeError), ([0.1], TypeError),
                                        (np.ones(2), TypeError), (1j, TypeError)])
def test_learning_rates(make: Any, rate: Any, kind: type[Exception]) -> None:
    assert_good_error(lambda: make(rate), kind, "learning_rate")
    assert_good_error(lambda: make(learning_rate=rate), kind, "learning_rate")
    assert_good_error(lambda: make(lr=rate), kind, "learning_rate")
    optimizer = make()
    before = float(optimizer.learning_rate)
    for change in (lambda: setattr(optimizer, "learning_rate", rate), lambda: setattr(optimizer, "lr", rate),
                   lambda: optimizer.learning_rate.assign(rate)):
        assert_good_error(change, kind, "learning_rate")
        assert float(optimizer.learning_rate) == before


@pytest.mark.parametrize("rate", [0, 0.0, 1, 0.1, np.float32(0.1), np.float64(0.1), np.int64(1), np.array(0.1)])
def test_learning_rates_that_are_fine(rate: Any) -> None:
    assert float(SGD(rate).learning_rate) == pytest.approx(float(rate))
    assert float(SGD(lr=rate).lr) == pytest.approx(float(rate))


def test_a_bad_rate_in_the_middle_of_training(any_backend: str) -> None:
    model = regression()
    model.fit(X, Y, verbose=0)
    for bad in (NAN, -1.0, INF):
        assert_good_error(lambda b=bad: setattr(model.optimizer, "learning_rate", b), ValueError, "learning_rate",
                          unchanged=model)
    model.optimizer.learning_rate = 0.5
    assert float(model.optimizer.learning_rate) == 0.5
    model.fit(X, Y, verbose=0)


def test_a_new_rate_takes_effect_without_compiling_again(any_backend: str) -> None:
    found = []
    for rates in ((0.1, 0.01), (0.1, 0.1)):
        fastnn.random.set_seed(1)
        model = regression()
        model.compile(SGD(rates[0]), "mse")
        model.fit(X, Y, epochs=2, verbose=0)
        model.optimizer.learning_rate = rates[1]
        before = model.get_weights()[0]
        model.fit(X, Y, epochs=1, batch_size=20, verbose=0)
        found.append(model.get_weights()[0] - before)
    np.testing.assert_allclose(found[0] * 10, found[1], rtol=1e-3, atol=1e-6)


OUTSIDE = [(-0.1, ValueError), (1.1, ValueError), (NAN, ValueError), (INF, ValueError), ("0.9", TypeError),
           (True, TypeError), (None, TypeError)]


@pytest.mark.parametrize("value, kind", [*OUTSIDE, (1.0, ValueError)])
@pytest.mark.parametrize("make, name", [(Adam, "beta_1"), (Adam, "beta_2"), (AdamW, "beta_1"), (RMSprop, "rho"),
                                        (Adadelta, "rho"), (Adamax, "beta_1"), (Nadam, "beta_2"), (Lamb, "beta_1"),
                                        (Muon, "adam_beta_1")])
def test_betas(make: Any, name: str, value: Any, kind: type[Exception]) -> None:
    assert_good_error(lambda: make(**{name: value}), kind, name, "< 1" if kind is ValueError else "number")


@pytest.mark.parametrize("value, kind", OUTSIDE)
@pytest.mark.parametrize("make", [SGD, RMSprop])
def test_momentum(make: Any, value: Any, kind: type[Exception]) -> None:
    assert_good_error(lambda: make(momentum=value), kind, "momentum")


@pytest.mark.parametrize("value, kind", [(0, ValueError), (-1e-7, ValueError), (1e-39, ValueError), (NAN, ValueError),
                                         (INF, ValueError), ("1e-7", TypeError), (True, TypeError)])
@pytest.mark.parametrize("make", [Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, Nadam, Lamb, Muon])
def test_epsilon(make: Any, value: Any, kind: type[Exception]) -> None:
    assert_good_error(lambda: make(epsilon=value), kind, "epsilon")


@pytest.mark.parametrize("value, kind", [(0, ValueError), (-1, ValueError), (NAN, ValueError), (INF, ValueError),
                                         ("1", TypeError), (True, TypeError)])
@pytest.mark.parametrize("name", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_clipping(name: str, value: Any, kind: type[Exception]) -> None:
    assert_good_error(lambda: SGD(**{name: value}), kind, name)


def test_other_arguments() -> None:
    assert_good_error(lambda: SGD(clipnorm=1.0, clipvalue=1.0), ValueError, "clipnorm", "clipvalue", "at most one")
    for make, name, value in ((Lion, "beta_1", 0), (Lion, "beta_2", 1.5), (Ftrl, "learning_rate_power", 0.5),
                              (Ftrl, "l1_regularization_strength", -1), (Ftrl, "beta", NAN), (Muon, "ns_steps", 0),
                              (Adafactor, "beta_2_decay", 1), (Adafactor, "clip_threshold", 0),
                              (LBFGS, "history_size", 0)):
        assert_good_error(lambda m=make, n=name, v=value: m(**{n: v}), ValueError, name)
    assert_good_error(lambda: Adam(weight_decay=-1), ValueError, "weight_decay")
    assert_good_error(lambda: Adagrad(initial_accumulator_value=-1), ValueError, "initial_accumulator_value")
    assert_good_error(lambda: Adam(beta1=0.9), TypeError, "'beta1'", "'beta_1'")
    assert_good_error(lambda: SGD(learning_rat=1), TypeError, "'learning_rate'")
    assert_good_error(lambda: optimizers.get("adamm"), ValueError, "'adam'")
    assert_good_error(lambda: optimizers.get(3), TypeError, "Optimizer")
    assert_good_error(lambda: optimizers.Optimizer(0.1).step(*[None] * 5), NotImplementedError,  # type: ignore[arg-type]
                      "step")


@pytest.mark.parametrize("make", ALL)
def test_an_optimizer_shared_by_two_models(any_backend: str, make: Any) -> None:
    a, b, optimizer = regression(), regression(), make()
    a.compile(optimizer, "mse")
    b.compile(optimizer, "mse")
    a.fit(X, Y, verbose=0)
    before = fingerprint(a)
    assert_good_error(lambda: b.fit(X, Y, verbose=0), RuntimeError, "another model", "new one")
    assert fingerprint(a) == before
    a.fit(X, Y, verbose=0)
    b.compile(make(), "mse")
    b.fit(X, Y, verbose=0)


@pytest.mark.parametrize("make", ALL)
def test_slots_stay_with_their_weights_when_others_come_and_go(make: Any) -> None:
    model = regression()
    model.compile(make(), "mse")
    model.fit(X, Y, verbose=0)
    optimizer = model.optimizer

    def slots() -> dict[str, bytes]:
        return {f"{name} {v.name}": view.tobytes() for name, block in optimizer.slot_blocks.items()
                for v, view in zip(optimizer._trained, block.views)}

    before = slots()
    model.layers[1].trainable = False
    optimizer.build(model.trainable_weights)
    assert slots() == {key: value for key, value in before.items() if "dense_1" not in key}
    model.layers[1].trainable = True
    optimizer.build(model.trainable_weights)
    assert slots() == before


def test_a_huge_step_counter(any_backend: str) -> None:
    model = regression()
    model.fit(X, Y, verbose=0)
    model.optimizer.iterations.assign(10 ** 9)      # beta^t is 0 in float32
    model.fit(X, Y, verbose=0)
    assert int(model.optimizer.iterations) == 10 ** 9 + 1
    assert all(np.isfinite(w).all() for w in model.get_weights())
