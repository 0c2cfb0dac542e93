"""race: optimizers from one start on formulas, on the plane of a loss, and as whole models."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers, ops, optimizers
from fastnn.callbacks import LambdaCallback
from fastnn.optimizers import SGD, Adam, RMSprop
from fastnn.teaching import LossPlane, Race, race
from fastnn.teaching.racing.surfaces import BUILT_IN, Formula
from tests.test_diagnostics import FAMILIES
from tests.test_doctor import X, Y


def guide(x: Any) -> Any:
    """The guide's chapter 8."""
    return x ** 2 + 2 * x + 1


def small(optimizer: Any = "adam") -> Any:
    fastnn.random.set_seed(2)
    model = Sequential([Input((4,)), layers.Dense(6, activation="tanh"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def test_the_path_on_a_parabola_is_the_one_of_the_formula() -> None:
    """x ← x - rate·(2x + 2): the distance from -1 is multiplied by 1 - 2·rate."""
    rates = {"0.1": 0.1, "0.9": 0.9, "1.1": 1.1}
    found = race(guide, {name: SGD(rate) for name, rate in rates.items()}, start=[4.0], steps=20)
    for name, rate in rates.items():
        exact = -1 + 5 * (1 - 2 * rate) ** np.arange(21)
        np.testing.assert_allclose(found.paths[name][:, 0], exact, rtol=2e-5, atol=2e-6)
        np.testing.assert_allclose(found.losses[name], (found.paths[name][:, 0] + 1) ** 2, rtol=1e-4, atol=1e-6)
    assert "by 1 - 0.1·2 = 0.8" in found.verdicts["0.1"] and "changes sides" in found.verdicts["0.9"]
    assert found.verdicts["1.1"] == ("diverges: each step multiplies the distance by 1 - 1.1·2 = -1.2, more than 1 in "
                                     "size; rates below 2/λ = 1 converge")
    assert "1.1 diverges" in found.title and found.order[-1] == "1.1"


@pytest.mark.parametrize("make", [
    lambda: SGD(0.0005, momentum=0.9), lambda: RMSprop(0.05), lambda: Adam(0.1), lambda: SGD(0.01, clipnorm=1.0),
    lambda: SGD(optimizers.schedules.ExponentialDecay(0.002, 5, 0.9))])
def test_the_steps_are_those_of_the_optimizer_itself(make: Any) -> None:
    """The same as a loop with a GradientTape."""
    given = make()
    found = race("rosenbrock", {"it": given}, steps=12)
    assert int(given.iterations) == 0
    own, point = make(), [fastnn.Variable(-1.2, "x"), fastnn.Variable(1.0, "y")]
    for step in range(12):
        with fastnn.GradientTape() as tape:
            loss = BUILT_IN["rosenbrock"].function(*point)
        assert float(loss) == found.losses["it"][step]
        own.apply(tape.gradient(loss, point), point)
        assert [float(v) for v in point] == found.paths["it"][step + 1].tolist()


@pytest.mark.parametrize("name", BUILT_IN)
def test_on_every_built_in_surface_all_racers_come_down(name: str) -> None:
    found = race(name)
    surface = BUILT_IN[name]
    assert not any("diverges" in text for text in found.verdicts.values()), str(found)
    for losses in found.losses.values():
        assert losses[-1] - surface.lowest < 0.2 * (losses[0] - surface.lowest) and losses.min() > surface.lowest - 1e-4
    heights = found.surface(*np.meshgrid(*[np.linspace(-1, 1, 5)] * len(found.axes)))
    assert heights.shape == (5,) * len(found.axes) if len(found.axes) == 2 else heights.shape == (5,)


def test_momentum_comes_along_a_ravine_sooner() -> None:
    found = race("ravine")
    sgd, momentum = (np.flatnonzero(found.losses[name] < 1)[0] for name in ("SGD 0.018", "momentum 0.01"))
    assert momentum < 0.6 * sgd
    assert "by 1 - 0.018·1 = 0.982" in found.verdicts["SGD 0.018"]


def test_why_one_diverges() -> None:
    found = race("ravine", {"plain": SGD(0.021), "momentum": SGD(0.05, momentum=0.9), "adam": Adam(0.1)}, steps=600)
    assert "1 - 0.021·100 = -1.1" in found.verdicts["plain"] and "below 2/λ = 0.02" in found.verdicts["plain"]
    assert "the rate must stay below 2·(1 + 0.9)/λ = 0.038" in found.verdicts["momentum"]
    assert len(found.losses["momentum"]) < 601 and "diverges" not in found.verdicts["adam"]
    found = race("rosenbrock", [SGD(0.1)], steps=30)      # no quadratic: numbers
    assert found.verdicts["SGD 0.1"].startswith("diverges: the loss goes from 24.2 to no number in ")
    np.testing.assert_allclose(Formula(lambda x, y: x ** 2 + 3 * x * y + 4 * y ** 2, None).curvature([1.0, 2.0]),
                               [[2, 3], [3, 8]], rtol=1e-2)


@pytest.mark.parametrize("family", FAMILIES)
def test_whole_models_race_on_the_same_batches(family: str) -> None:
    """Each trains as the model itself would with that optimizer; the model stays as it is."""
    fastnn.random.set_seed(3)
    make, x = FAMILIES[family]
    model = make()
    model.compile("sgd", "binary_crossentropy")
    y, before = Y[:len(x)], model.get_weights()
    found = race(model, {"slow": SGD(0.001), "Adam": Adam(0.02)}, x=x, y=y, epochs=3)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert found.order[0] == "Adam" and found.paths["Adam"].shape == (4, 2) and found.unit == "epoch"
    np.testing.assert_allclose(found.losses["Adam"][0], model.evaluate(x, y, verbose=0), rtol=1e-6)
    assert found.losses["slow"][0] == found.losses["Adam"][0]
    weights = found.models["slow"].get_weights()
    model.optimizer.learning_rate = 0.001
    model.fit(x, y, epochs=3, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))
    if family == "dense":
        assert found.plot().axes[0].get_xlabel().startswith("direction 1 (")
    heights = found.surface(np.zeros((1, 1)), np.zeros((1, 1)))
    assert heights[0, 0] == pytest.approx(found.losses["Adam"][0], rel=1e-3)


def test_a_racer_leaves_out_of_weight_decay_what_its_optimizer_does() -> None:
    decayed = optimizers.AdamW(0.01, weight_decay=0.9)
    model = small(decayed)
    decayed.exclude_from_weight_decay([model.weights[0]], ["bias"])
    found = race(model, {"it": decayed}, x=X, y=Y, epochs=1)
    model.fit(X, Y, epochs=1, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(found.models["it"].get_weights(), model.get_weights()))


def test_the_plane_of_a_loss() -> None:
    model = small()
    before = model.get_weights()
    plane = LossPlane(model, X, Y, start=(0.5, -0.5))
    assert plane.losses(np.zeros(1), np.zeros(1))[0] == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)
    loss, slopes = plane.derive([fastnn.Variable(0.5, "a"), fastnn.Variable(-0.5, "b")])
    step = 1e-2
    for i, slope in enumerate(slopes):
        ends = [plane.losses(*(np.array([v + side * (j == i)]) for j, v in enumerate((0.5, -0.5))))[0]
                for side in (step, -step)]
        assert float(slope) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=2e-2)
    found = race(plane, [SGD(0.05), Adam(0.05)], steps=15)
    assert all(losses[-1] < losses[0] == pytest.approx(float(loss)) for losses in found.losses.values())
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_what_is_printed() -> None:
    found = race("saddle", ["adam", SGD(0.05), SGD(0.05), "sgd"], steps=5)
    assert set(found.losses) == {"adam", "SGD 0.05", "SGD 0.05 (2)", "sgd"} and "saddle: " in str(found)
    assert str(found).count("\n") == 4 and repr(found).startswith("<Race on saddle")
    assert found.table[0]["steps"] == 5 and found.table[0]["first"] == found.losses["adam"][0]


def test_pictures_and_films(tmp_path: Path) -> None:
    found = race("ravine", {"a": SGD(0.018), "b": SGD(0.03)}, steps=6)
    figure = found.plot(tmp_path / "race.png")
    assert figure._suptitle.get_text().endswith("b diverges") and len(figure.axes) == 2
    assert (tmp_path / "race.png").read_bytes()[:4] == b"\x89PNG"
    assert found.animate(tmp_path / "race.gif", seconds=1).endswith("race.gif")
    from PIL import Image
    with Image.open(tmp_path / "race.gif") as film:
        assert getattr(film, "n_frames", 1) >= 7
    with pytest.raises(ValueError, match=r"needs .gif or .html"):
        found.animate(tmp_path / "race.png")
    assert race(guide, [SGD(0.1)], steps=3)._repr_png_()[:4] == b"\x89PNG"


@pytest.mark.parametrize(("given", "says"), [
    (dict(on="ravin"), "did you mean 'ravine'"), (dict(on=3), r"race\(\): got 3; needs a formula"),
    (dict(on=lambda: 1), "takes 0 arguments; needs one or two"), (dict(on=lambda x, y, z: x), "takes 3 arguments"),
    (dict(on=guide, start=[1, 2]), r"start is \[1, 2\]; needs 1 finite number"),
    (dict(on=lambda x: float(x)), "the formula gives .*; needs one number made with operators and fastnn.ops"),
    (dict(on=lambda x: ops.stack([x, x])), r"a tensor of shape \(2,\)"),
    (dict(optimizers=["adm"]), "did you mean 'adam'"),
    (dict(optimizers=[]), "there are no optimizers"), (dict(steps=0), r"race\(\): steps"),
    (dict(on="ravine", x=X), "x and y are for a model"),
])
def test_what_is_no_race_is_refused_by_name(given: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        race(**{"on": "ravine", **given})
    with pytest.raises(ValueError, match="a model races on data"):
        race(small())
    with pytest.raises(ValueError, match="starts at its own weights"):
        race(small(), start=[1.0], x=X, y=Y)


def test_a_race_changes_nothing_of_the_world() -> None:
    model, seeds = small(), fastnn.seeds.get_state()
    heard: list[int] = []
    found = race(model, ["sgd"], x=X, y=Y, epochs=1)
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[LambdaCallback(on_epoch_end=lambda e, logs: heard.append(e))])
    assert isinstance(found, Race) and heard == [0]
    with pytest.raises(ValueError, match="they must be equal"):
        race(model, ["sgd"], x=X, y=Y[:5], epochs=1)
    assert fastnn.seeds.get_state() == seeds
