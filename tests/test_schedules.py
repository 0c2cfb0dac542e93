"""Learning rates that follow the step: Keras' numbers, part of the program, in the history, saved; and own ones."""

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers, models, ops, optimizers
from fastnn.engine.call import Call
from fastnn.engine.schedule import Schedule
from fastnn.ops._op import Op
from fastnn.optimizers import schedules
from tests.conftest import needs_c
from tests.errors import assert_good_error
from tests.golden import schedules as golden
from tests.golden import store
from tests.golden.common import wave

X, Y = wave(40, 3), wave(40, 1, phase=0.4)
MADE: dict[str, Any] = {
    **{name: getattr(schedules, kind)(**settings) for name, (kind, settings) in golden.SETTINGS.items()},
    "triangular": schedules.CyclicalLearningRate(0.01, 0.1, 4), "one_cycle": schedules.OneCycle(0.1, 40),
    "triangular2": schedules.CyclicalLearningRate(0.01, 0.1, 4, "triangular2"),
    "exp_range": schedules.CyclicalLearningRate(0.01, 0.1, 4, "exp_range", gamma=0.9)}


def network(rate: Any, eager: bool = False, optimizer: Any = optimizers.SGD) -> Sequential:
    fastnn.random.set_seed(1)
    model = Sequential([Input((3,)), layers.Dense(4, activation="tanh"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(optimizer(rate), "mse", run_eagerly=eager)
    return model


def fit(model: Sequential, epochs: int = 4, **more: Any) -> Any:
    return model.fit(X, Y, epochs=epochs, batch_size=16, verbose=0, **more).history      # 3 steps an epoch


# ---- formulas -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", golden.SETTINGS)
def test_rates_are_keras(name: str) -> None:
    want = store.read("schedules")["values"][name]
    np.testing.assert_allclose(MADE[name].over(len(want)), want, rtol=5e-6, atol=1e-8)


def _triangle(t: int, size: float) -> float:
    """0 at the ends of a cycle, 1 in its middle."""
    return 1 - abs(t % (2 * size) / size - 1)


CYCLES: dict[str, Callable[[int], float]] = {
    "triangular": lambda t: 0.01 + 0.09 * _triangle(t, 4),
    "triangular2": lambda t: 0.01 + 0.09 * _triangle(t, 4) / 2 ** (t // 8),
    "exp_range": lambda t: 0.01 + 0.09 * _triangle(t, 4) * 0.9 ** t,
    "one_cycle": lambda t: (0.004 + 0.096 * (1 - math.cos(math.pi * t / 12)) / 2 if t < 12 else
                            1e-5 + (0.1 - 1e-5) * (1 + math.cos(math.pi * min(t - 12, 28) / 28)) / 2)}


@pytest.mark.parametrize("name", CYCLES)
def test_cycles(name: str) -> None:
    np.testing.assert_allclose(MADE[name].over(50), [CYCLES[name](t) for t in range(50)], rtol=2e-6, atol=1e-9)


@pytest.mark.parametrize("t_mul", [1.0, 1.1, 1.5, 2.0, 3.0])
def test_a_restart_is_at_its_very_step(t_mul: float) -> None:
    """However the logarithm rounds: at the restart the rate is the whole one, just before it nearly nothing."""
    first, begun = 1000, 0.0
    schedule = schedules.CosineDecayRestarts(1.0, first, t_mul)
    for n in range(12):
        length = first * t_mul ** n
        begun += length
        assert float(schedule(math.ceil(begun))) > 0.99, n
        assert float(schedule(math.ceil(begun - max(1, 1e-4 * length)))) < 0.01, n


def test_stairs_are_at_whole_multiples() -> None:
    """A number of steps whose 1 / n is rounded down must not bring a stair a step late."""
    for n in range(1, 120):
        steps = n * np.arange(1, 9)
        stairs = schedules.InverseTimeDecay(1.0, n, 1.0, staircase=True)
        np.testing.assert_allclose(stairs(steps), 1 / np.arange(2.0, 10.0), rtol=1e-6, err_msg=str(n))
        cycle = schedules.PolynomialDecay(1.0, n, 0.0, cycle=True)
        np.testing.assert_allclose(cycle(steps), 0, atol=1e-6, err_msg=str(n))


@pytest.mark.parametrize("name", MADE)
def test_a_step_may_be_a_number_a_tensor_or_many(name: str) -> None:
    schedule = MADE[name]
    for step in (7, 7.0, np.int64(7), ops.convert_to_tensor(7), fastnn.Variable(7)):
        assert float(schedule(step)) == float(schedule(7))
    np.testing.assert_allclose(schedule(np.arange(9)), schedule.over(9), rtol=1e-6)
    assert min(schedule.over(100)) >= 0


# ---- in training ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", MADE)
def test_a_replayed_run_has_the_rates_of_each_step(any_backend: str, name: str) -> None:
    """Bits of a run step by step, of epochs that C runs in one go, and of a run with a callback; the history has the
    rate of the last step of each epoch."""
    runs = []
    for eager, watched in ((True, []), (False, []), (False, [fastnn.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: None)])):
        model = network(MADE[name], eager)
        runs.append((fit(model, callbacks=watched), [w.tobytes() for w in model.get_weights()]))
    assert runs[0][1] == runs[1][1] == runs[2][1]
    assert runs[0][0] == runs[1][0] == runs[2][0]
    np.testing.assert_allclose(runs[0][0]["learning_rate"], MADE[name].over(12)[2::3], rtol=1e-6, atol=1e-9)


@needs_c
def test_a_schedule_costs_no_python_and_no_entry_into_c_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"calls": 0, "entries": 0}

    def watch(owner: Any, name: str, what: str) -> None:
        real = getattr(owner, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            counts[what] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)

    model = network(schedules.CosineDecay(0.1, 1000))
    fit(model, 2)
    fit(model, 2, validation_data=(X, Y))
    for owner, name, what in ((Call, "run", "calls"), (Op, "__call__", "calls"), (Schedule, "run", "entries")):
        watch(owner, name, what)
    history = fit(model, 500)
    assert counts["calls"] <= 10 and counts["entries"] <= 5, counts      # 1500 steps
    assert len(set(history["learning_rate"][:300])) == 300


def test_the_rate_is_in_the_history_with_validation_and_not_in_evaluate() -> None:
    model = network(MADE["exponential"])
    history = fit(model, 3, validation_data=(X, Y))
    assert list(history) == ["learning_rate", "loss", "val_loss"] and len(history["learning_rate"]) == 3
    assert isinstance(model.evaluate(X, Y, verbose=0), float)
    assert isinstance(model.train_on_batch(X, Y), float)
    model.optimizer.learning_rate = 0.25
    assert list(fit(model, 1)) == ["loss"]
    model.optimizer.learning_rate = MADE["cosine"]
    assert "learning_rate" in fit(model, 1) and float(model.optimizer.learning_rate) == float(MADE["cosine"](
        model.optimizer.iterations))


@pytest.mark.parametrize("name", MADE)
def test_saved_and_loaded_it_goes_on(name: str, tmp_path: Path) -> None:
    model = network(MADE[name], optimizer=optimizers.Adam)
    fit(model, 2)
    model.save(tmp_path / "model.fnn")
    loaded = models.load_model(tmp_path / "model.fnn")
    assert fit(model, 3) == fit(loaded, 3)
    assert [w.tobytes() for w in model.get_weights()] == [w.tobytes() for w in loaded.get_weights()]


# ---- own ones -------------------------------------------------------------------------------------------------------

class WithOps(schedules.LearningRateSchedule):
    """Counts how often its Python runs, where the step does not see it."""
    runs: list[int]

    def __call__(self, step: Any) -> Any:
        type(self).runs.append(1)
        return 0.1 / (1 + ops.cast(step, "float32"))


class WithPython(schedules.LearningRateSchedule):
    def __call__(self, step: Any) -> Any:
        return 0.1 if step < 5 else 0.1 * math.exp(-int(step) / 10)


class Countdown(schedules.LearningRateSchedule):
    """Never looks at the step."""

    def __init__(self) -> None:
        self.left = [0.01 * n for n in range(1, 100)]

    def __call__(self, step: Any) -> Any:
        return self.left.pop()


def test_an_own_schedule_with_ops_runs_once_for_each_program() -> None:
    WithOps.runs = []
    model = network(WithOps())
    fit(model, 5)
    assert len(WithOps.runs) == 2       # a batch of 16, and one of 8
    history = fit(model, 5)
    assert len(WithOps.runs) == 2
    np.testing.assert_allclose(history["learning_rate"], [0.1 / (3 * e) for e in range(6, 11)], rtol=1e-6)


_popped = [0.01 * n for n in range(1, 100)]
PLAIN: dict[str, Callable[[], Any]] = {
    "a schedule in Python": WithPython, "a schedule of a list": Countdown,
    "a function of the step": lambda: lambda step: 0.1 / (1 + float(step)),
    "a function of nothing": lambda: list(_popped).pop}


@pytest.mark.parametrize("what", PLAIN)
def test_python_that_gives_the_rate_is_asked_at_every_step(any_backend: str, what: str) -> None:
    found = []
    for eager in (False, True):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = network(PLAIN[what](), eager)
            history = fit(model, 4)
        found.append((history, [w.tobytes() for w in model.get_weights()]))
        texts = [str(w.message) for w in caught if "not replayed" in str(w.message)]
        assert len(texts) == (0 if eager else 1), texts
    assert found[0] == found[1]
    assert len(set(found[0][0]["learning_rate"])) >= 3


def test_functions_of_tensors_are_recorded() -> None:
    """Of the step, or of a variable that the user changes between two epochs."""
    base = fastnn.Variable(0.5, "base", trainable=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = fit(network(lambda step: ops.divide(0.1, ops.add(step, 1))), 3)
        np.testing.assert_allclose(history["learning_rate"], [0.1 / 3, 0.1 / 6, 0.1 / 9], rtol=1e-6)
        model = network(lambda: base * 0.5)
        assert fit(model, 2)["learning_rate"] == [0.25, 0.25]
        base.assign(0.25)
        assert fit(model, 2)["learning_rate"] == [0.125, 0.125]


@pytest.mark.parametrize("give, kind, fragment", [
    (lambda: np.ones(2), TypeError, "a finite number >= 0"), (lambda: -0.1, ValueError, "a finite number >= 0"),
    (lambda: float("nan"), ValueError, "a finite number >= 0"), (lambda: "0.1", TypeError, "a finite number >= 0"),
    (lambda: ops.ones((1,)), fastnn.ShapeError, "single number")])
def test_what_a_rate_cannot_be(give: Any, kind: type[Exception], fragment: str) -> None:
    model = network(give)
    model.build((None, 3))
    assert_good_error(lambda: fit(model, 1), kind, "learning rate", fragment)
    assert int(model.optimizer.iterations) == 0


# ---- arguments, the namespace, the picture --------------------------------------------------------------------------

@pytest.mark.parametrize("make, kind, fragment", [
    (lambda: schedules.ExponentialDecay(-0.1, 10, 0.9), ValueError, "initial_learning_rate"),
    (lambda: schedules.ExponentialDecay(0.1, 0, 0.9), ValueError, "decay_steps"),
    (lambda: schedules.InverseTimeDecay(0.1, 10, "0.9"), TypeError, "decay_rate"),
    (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), ValueError, "one value more"),
    (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), ValueError, "increasing"),
    (lambda: schedules.PolynomialDecay(0.1, 10, cycle="yes"), TypeError, "cycle"),
    (lambda: schedules.CosineDecay(0.1, float("inf")), ValueError, "decay_steps"),
    (lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5), ValueError, "t_mul"),
    (lambda: schedules.CyclicalLearningRate(0.1, 1, 10, "triangle"), ValueError, "'triangular'"),
    (lambda: schedules.OneCycle(0.1, 100, rise=1.0), ValueError, "rise"),
    (lambda: schedules.get("cosine"), ValueError, "LearningRateSchedule"),
    (lambda: schedules.LearningRateSchedule()(3), NotImplementedError, "__call__")])
def test_bad_arguments(make: Any, kind: type[Exception], fragment: str) -> None:
    assert_good_error(make, kind, fragment)


def test_get_serialize_and_deserialize_are_keras() -> None:
    made = schedules.CosineDecay(0.5, 20, alpha=0.125)
    config = schedules.serialize(made)
    assert (config["module"], config["class_name"]) == ("fastnn.optimizers.schedules", "CosineDecay")
    assert schedules.deserialize(config).get_config() == made.get_config() == schedules.get(config).get_config()
    keras = {**config, "module": "keras.optimizers.schedules"}
    assert schedules.deserialize(keras).get_config() == made.get_config()
    assert schedules.get(None) is None and schedules.get(made) is made
    own = schedules.serialize(WithPython())
    assert type(schedules.deserialize(own, {"WithPython": WithPython})) is WithPython
    optimizer = optimizers.deserialize(optimizers.serialize(optimizers.SGD(made)))
    assert optimizer.schedule.get_config() == made.get_config()


def test_plot(tmp_path: Path) -> None:
    figure = schedules.OneCycle(0.1, 40).plot(60, tmp_path / "rate.png")
    line = figure.axes[0].get_lines()[0]
    assert len(line.get_xdata()) == 60 and max(line.get_ydata()) == pytest.approx(0.1)
    assert (tmp_path / "rate.png").stat().st_size > 5000
    assert_good_error(lambda: MADE["cosine"].plot(0), ValueError, "steps")
