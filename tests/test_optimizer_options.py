"""What every optimizer can do beside its step: averages, accumulated gradients, scaled losses, exceptions of decay."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Sequential, Variable, layers, models, ops, optimizers
from fastnn.engine.call import Call
from fastnn.engine.schedule import Schedule
from fastnn.ops._op import Op
from fastnn.optimizers import schedules
from fastnn.optimizers.serialization import CLASSES
from tests.conftest import has_c, needs_c
from tests.errors import assert_good_error
from tests.golden.common import wave

X, Y = wave(40, 3), wave(40, 1, phase=0.4)
ALL = sorted(set(CLASSES.values()), key=lambda kind: kind.__name__)
OPTIONS: dict[str, dict[str, Any]] = {
    "decay and ema": dict(weight_decay=0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3),
    "accumulation": dict(gradient_accumulation_steps=3, clipnorm=0.5),
    "all": dict(gradient_accumulation_steps=2, use_ema=True, ema_overwrite_frequency=2, weight_decay=0.1,
                loss_scale_factor=64.0, global_clipnorm=0.5)}


def given(kind: Any, **options: Any) -> dict[str, Any]:
    """The options that the optimizer takes: LBFGS refuses a decay, which is no part of the loss that it follows."""
    return {name: value for name, value in options.items() if kind is not optimizers.LBFGS or name != "weight_decay"}


def network(optimizer: Any, eager: bool = False) -> Sequential:
    fastnn.random.set_seed(1)
    model = Sequential([Input((3,)), layers.Dense(4, activation="tanh"), layers.Dropout(0.2),
                        layers.Dense(1, kernel_constraint="max_norm")])
    model.compile(optimizer, "mse", run_eagerly=eager)
    return model


def fit(model: Sequential, epochs: int = 3, **more: Any) -> Any:
    return model.fit(X, Y, epochs=epochs, batch_size=16, verbose=0, **more).history      # 3 steps an epoch


def state(model: Sequential) -> list[bytes]:
    return [v.data.tobytes() for v in (*model.weights, *model.optimizer.state().values())]


# ---- every optimizer, every option ----------------------------------------------------------------------------------

@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", ALL)
def test_a_replayed_run_is_the_run_step_by_step(kind: Any, options: str) -> None:
    found = []
    for eager in (True, False):
        model = network(kind(**given(kind, **OPTIONS[options])), eager)
        found.append((fit(model), state(model)))
    assert found[0] == found[1]
    steps = model.optimizer.gradient_accumulation_steps or 1
    assert int(model.optimizer.iterations) == 9 // steps


def test_the_reference_does_the_same_steps() -> None:
    """float32 in NumPy, other roundings."""
    found = []
    for backend in ("reference", "c" if has_c else "reference"):
        with fastnn.config.using(backend=backend):
            model = network(optimizers.Adam(0.01, **OPTIONS["all"]))
            fit(model, 2)
            found.append(model.get_weights())
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", ALL)
def test_saved_and_loaded_it_goes_on_with_the_same_bits(kind: Any, options: str, tmp_path: Path) -> None:
    model = network(kind(schedules.CosineDecay(0.01, 50), **given(kind, **OPTIONS[options])))
    fit(model, 2)
    model.save(tmp_path / "model.fnn")
    loaded = models.load_model(tmp_path / "model.fnn")
    assert state(loaded) == state(model)
    assert fit(loaded, 3) == fit(model, 3)
    assert state(loaded) == state(model)


@pytest.mark.parametrize("kind", ALL)
def test_accumulated_gradients_are_those_of_one_large_batch(kind: Any) -> None:
    """Rows by rows, or all rows at once: the same step, whatever the optimizer."""
    start, found = wave(3, 2), []
    gradients = [wave(3, 2, phase=float(i)) for i in range(6)]
    for steps in (3, None):
        w = Variable(start, "w")
        optimizer = kind(**given(kind, weight_decay=0.05), gradient_accumulation_steps=steps)
        for i in range(2):
            part = gradients[3 * i:3 * i + 3]
            for g in part if steps else [np.mean(part, axis=0)]:
                before = w.numpy()
                optimizer.apply_gradients([(g, w)])
        if steps:
            assert int(optimizer._iterations) == 6
        assert int(optimizer.iterations) == 2 and not np.array_equal(w.numpy(), before)
        found.append(w.numpy())
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-6)


@needs_c
@pytest.mark.parametrize("kind", ALL)
def test_options_cost_no_python_a_step(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"calls": 0, "entries": 0}

    def watch(owner: Any, name: str, what: str) -> None:
        real = getattr(owner, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            counts[what] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)

    model = network(kind(**given(kind, **OPTIONS["all"])))
    fit(model, 2)
    for owner, name, what in ((Call, "run", "calls"), (Op, "__call__", "calls"), (Schedule, "run", "entries")):
        watch(owner, name, what)
    fit(model, 200)
    assert counts["calls"] <= 10 and counts["entries"] <= 5, counts      # 600 steps


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind is not optimizers.LBFGS])     # one vector to it
def test_what_has_no_gradient_stays_as_it_is(kind: Any) -> None:
    """No decay, no momentum from before, no step."""
    a, b = Variable(wave(3, 2), "a"), Variable(wave(2, phase=1.0), "b")
    optimizer = kind(weight_decay=0.1)
    optimizer.apply([wave(3, 2), wave(2)], [a, b])
    before = [v.data.tobytes() for v in (a, b)]
    with pytest.warns(UserWarning, match="does not reach 1 of 2 weights, which stay as they are: b"):
        kind().apply([wave(3, 2), None], [Variable(wave(3, 2), "a"), Variable(wave(2), "b")])
    optimizer._reach_checked = True
    optimizer.apply([wave(3, 2), None], [a, b])
    assert b.data.tobytes() == before[1] and a.data.tobytes() != before[0]


# ---- averages -------------------------------------------------------------------------------------------------------

def test_averages_by_hand() -> None:
    w = Variable([3.0, 5.0], "w")
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3)
    found = []
    for _ in range(3):
        optimizer.apply_gradients([(np.ones(2, np.float32), w)])
        found.append((w.numpy().tolist(), optimizer.state()["average/0"].numpy().tolist()))
    np.testing.assert_allclose(found, [([2, 4], [2, 4]), ([1, 3], [1.9, 3.9]), ([1.71, 3.71], [1.71, 3.71])], rtol=1e-6)


def test_fit_ends_with_the_averages() -> None:
    model = network(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
    seen: list[Any] = []
    fit(model, 2, callbacks=[fastnn.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0]))])
    averages = model.optimizer.state()
    assert not np.array_equal(seen[-1], averages["average/0"].numpy())
    for i, v in enumerate(model.trainable_weights):
        np.testing.assert_array_equal(v.numpy(), averages[f"average/{i}"].numpy())


def test_a_weight_that_joins_later_begins_its_average_with_itself() -> None:
    model = network(optimizers.SGD(0.0, use_ema=True))
    model.layers[0].trainable = False
    fit(model, 1)
    model.layers[0].trainable = True
    before = model.get_weights()
    fit(model, 1)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6)


# ---- L-BFGS ---------------------------------------------------------------------------------------------------------

def minimize(optimizer: Any, loss: Any, start: Any, most: int) -> tuple[Variable, list[float]]:
    """The weights after so many steps, and the losses."""
    w = Variable(np.asarray(start, np.float32), "w")

    @fastnn.function
    def step() -> Any:
        with GradientTape() as tape:
            value = loss(w)
        optimizer.apply_gradients([(tape.gradient(value, w), w)])
        return value

    return w, [float(step()) for _ in range(most)]


def rosenbrock(w: Any) -> Any:
    return ops.square(1 - w[0]) + 100 * ops.square(w[1] - ops.square(w[0]))


def test_lbfgs_finds_the_bottom_of_a_bent_valley() -> None:
    """In tens of steps, where gradient descent takes thousands; however far the first steps overshoot."""
    for start in ([-1.2, 1.0], [2.0, -2.0], [0.0, 0.0], [-3.0, 4.0]):
        w, losses = minimize(optimizers.LBFGS(history_size=4), rosenbrock, start, 120)
        assert losses[-1] < 1e-8, (start, losses[-1])
        np.testing.assert_allclose(w.numpy(), [1, 1], atol=1e-3)
    assert minimize(optimizers.SGD(0.001), rosenbrock, [-1.2, 1.0], 120)[1][-1] > 1


@pytest.mark.parametrize("size", [1, 3, 10])
def test_lbfgs_on_a_quadratic_is_near_newtons_method(size: int) -> None:
    matrix = wave(6, 6)
    matrix = matrix @ matrix.T + 0.5 * np.eye(6, dtype=np.float32)
    target = wave(6, phase=0.7)
    want = np.linalg.solve(matrix.astype(np.float64), target)
    w, _ = minimize(optimizers.LBFGS(history_size=size), lambda w: ops.sum(w * ops.matmul(matrix, w)) * 0.5 - ops.sum(
        w * target), np.zeros(6), 60)
    np.testing.assert_allclose(w.numpy(), want, atol=2e-3)


def test_lbfgs_comes_back_from_where_the_loss_is_no_number() -> None:
    w, losses = minimize(optimizers.LBFGS(1000.0), lambda w: ops.sum(ops.exp(w) - 3 * w), [0.5, 1.0], 200)
    assert any(not np.isfinite(loss) for loss in losses)
    np.testing.assert_allclose(w.numpy(), np.log([3, 3]), atol=1e-3)


def test_lbfgs_learns_xor_in_tens_of_epochs() -> None:
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([[0], [1], [1], [0]], np.float32)
    fastnn.random.set_seed(1)
    model = Sequential([Input((2,)), layers.Dense(4, activation="tanh"), layers.Dense(1, activation="sigmoid")])
    model.compile("lbfgs", "binary_crossentropy")
    assert model.fit(x, y, epochs=60, verbose=0).history["loss"][-1] < 0.01


# ---- the object -----------------------------------------------------------------------------------------------------

def test_weights_of_an_optimizer_move_to_another() -> None:
    a, b = network(optimizers.Adam(0.01)), network(optimizers.Adam(0.5))
    fit(a)
    assert_good_error(lambda: b.optimizer.set_weights(a.optimizer.variables), ValueError, "build(variables)")
    b.optimizer.build(b.trainable_weights)
    b.optimizer.set_weights(a.optimizer.variables)
    assert [v.data.tobytes() for v in b.optimizer.variables] == [v.data.tobytes() for v in a.optimizer.variables]
    assert_good_error(lambda: b.optimizer.set_weights(a.optimizer.variables[:-1]), fastnn.ShapeError, "shapes")
    slot = a.optimizer.variables[-1]
    slot.assign(np.full(slot.shape, 7.0))
    assert (a.optimizer.slot_blocks["v"].views[-1] == 7).all()


def test_gradients_without_variables_go_to_those_of_build() -> None:
    w = Variable([1.0, 2.0], "w")
    optimizer = optimizers.SGD(1.0)
    assert_good_error(lambda: optimizer.apply([np.ones(2)]), ValueError, "build(variables)")
    optimizer.build([w])
    optimizer.apply([np.ones(2, np.float32)])
    np.testing.assert_array_equal(w.numpy(), [0, 1])
    assert_good_error(lambda: optimizer.apply([None], [w]), ValueError, "no gradient", "needs a loss")


def test_names_are_counted() -> None:
    assert [optimizers.Adam().name for _ in range(2)] == ["adam", "adam_1"] and optimizers.AdamW().name == "adam_w"
    assert optimizers.deserialize(optimizers.serialize(optimizers.Adam())).name == "adam_2"


def test_bad_options() -> None:
    make = optimizers.SGD
    for arguments, kind in (({"use_ema": "yes"}, TypeError), ({"ema_momentum": 1.5}, ValueError),
                            ({"ema_overwrite_frequency": 0}, ValueError), ({"ema_overwrite_frequency": 2.5}, TypeError),
                            ({"loss_scale_factor": 0}, ValueError), ({"loss_scale_factor": "8"}, TypeError),
                            ({"gradient_accumulation_steps": 1}, ValueError), ({"weight_decay": -1}, ValueError)):
        assert_good_error(lambda a=arguments: make(**a), kind, next(iter(arguments)))
    assert_good_error(lambda: optimizers.AdamW(weight_decay=None), ValueError, "weight_decay")
    for wrong, kind in (("nestrov", make), ("history_sizes", optimizers.LBFGS), ("clip_norm", optimizers.Muon)):
        assert_good_error(lambda w=wrong, k=kind: k(**{w: 1}), TypeError, f"'{wrong}'", "did you mean")
    with pytest.raises(TypeError, match=re.escape("'pairs'; needs one of these names:\n")):   # it has a local of it
        optimizers.LBFGS(pairs=1)
    with pytest.warns(UserWarning, match="decay is gone"):
        make(decay=1e-3)
    assert optimizers.get(None) is None
    assert type(optimizers.get({"class_name": "sgd", "config": {"momentum": 0.5}})) is optimizers.SGD
