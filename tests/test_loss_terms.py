"""Losses in the structure of the outputs: one for each, several for one, one for several together."""

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, layers, losses, metrics, ops
from tests.errors import assert_good_error
from tests.golden.common import wave

X, A, B, C = wave(24, 3), wave(24, 1, phase=0.2), wave(24, 1, phase=0.7), wave(24, 2, phase=0.5)
Pair = namedtuple("Pair", ["left", "right"])


def model_of(kind: str) -> tuple[Model, Any]:
    """A model whose outputs have such a structure, and targets for it."""
    fastnn.random.set_seed(2)
    x = Input((3,))
    a, b, c = layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x), layers.Dense(2, name="c")(x)
    outputs, y = {"list": ([a, b], [A, B]), "tuple": ((a, b), (A, B)), "dict": ({"p": a, "q": b}, {"p": A, "q": B}),
                  "named": (Pair(a, b), Pair(A, B)), "one": (a, A),
                  "nested": ({"p": (a, b), "q": {"r": c, "s": [b]}}, {"q": {"s": [B], "r": C}, "p": (A, B)})}[kind]
    return Model(x, outputs), y


def apart(y: Any, p: Any) -> Any:
    """A loss of two outputs: how far their difference is from that of the targets."""
    if isinstance(p, dict):
        y, p = list(y.values()), list(p.values())
    return ops.mean(ops.square((y[0] - y[1]) - (p[0] - p[1])), axis=-1)


def numbers(model: Model, weight: Any = 1.0) -> dict[str, float]:
    """What the losses of a pair come to, in NumPy."""
    a, b = (np.float64(p) for p in (lambda p: p.values() if isinstance(p, dict) else p)(model.predict(X, verbose=0)))
    return {"apart": np.mean(weight * ((A - B) - (a - b))[:, 0] ** 2), "a": np.mean(weight * (A - a)[:, 0] ** 2),
            "b": np.mean(weight * np.abs(B - b)[:, 0])}


TOGETHER = {    # losses of the whole beside those of the parts; what history calls them
    "tuple": ([apart, ("mse", "mae")], ["a_b", "a", "b"]), "named": ([apart, Pair("mse", "mae")], ["a_b", "a", "b"]),
    "list": ((apart, ["mse", "mae"]), ["a_b", "a", "b"]),
    "dict": ([apart, {"p": "mse", "q": "mae"}], ["p_q", "p", "q"])}


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("kind", TOGETHER)
def test_a_loss_of_several_outputs_together(any_backend: str, kind: str, eager: bool) -> None:
    model, y = model_of(kind)
    loss, names = TOGETHER[kind]
    weights = [0.5, type(loss[1])(p=2.0, q=3.0)] if kind == "dict" else [0.5, (2.0, 3.0)]
    model.compile("sgd", loss, loss_weights=weights, run_eagerly=eager)
    before = model.get_weights()
    w = np.linspace(0, 1, 24, dtype=np.float32)
    for weight in (None, w):
        want = numbers(model, 1.0 if weight is None else weight)
        logs = model.evaluate(X, y, sample_weight=weight, verbose=0, return_dict=True)
        expected = dict(zip([f"{name}_loss" for name in names], want.values()))
        assert logs == pytest.approx({"loss": 0.5 * want["apart"] + 2 * want["a"] + 3 * want["b"], **expected},
                                     rel=1e-5)
    history = model.fit(X, y, epochs=3, verbose=0).history
    assert set(history) == {"loss", *(f"{name}_loss" for name in names)} and history["loss"][2] < history["loss"][0]
    assert not np.allclose(before[0], model.get_weights()[0])


def test_the_gradient_reaches_all_of_them() -> None:
    """The step of SGD on the joint loss alone, against the gradient by hand."""
    model, y = model_of("tuple")
    model.compile(fastnn.optimizers.SGD(0.1), [apart])
    a, b = (np.float64(p) for p in model.predict(X, verbose=0))
    kernels = model.get_weights()
    far = (a - b) - (A - B)
    gradient = 2 * X.T.astype(np.float64) @ far / 24
    assert model.fit(X, y, batch_size=24, verbose=0).history.keys() == {"loss"}
    after = model.get_weights()
    np.testing.assert_allclose(after[0], kernels[0] - 0.1 * gradient, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(after[2], kernels[2] + 0.1 * gradient, rtol=1e-5, atol=1e-6)


def test_a_class_of_the_users_and_a_generator() -> None:
    class Apart(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return apart(y_true, y_pred)

    found = []
    for given in (apart, Apart()):
        model, y = model_of("tuple")
        model.compile("sgd", [given, (None, "mae")])
        found.append(model.fit(((X, y) for _ in range(3)), verbose=0).history)
    assert found[0] == found[1] and set(found[0]) == {"loss", "a_b_loss", "b_loss"}


def test_nested_outputs_have_nested_losses_and_targets(any_backend: str) -> None:
    model, y = model_of("nested")
    model.compile("sgd", {"p": [apart, (None, "mae")], "q": {"r": "mse", "s": ["mae"]}}, metrics=["mae"])
    logs = model.evaluate(X, y, verbose=0, return_dict=True)
    p = model.predict(X, verbose=0)
    a, b, c = (np.float64(t) for t in (*p["p"], p["q"]["r"]))
    want = {"p_loss": np.mean(((A - B) - (a - b)) ** 2), "p/b_loss": np.mean(np.abs(B - b)),
            "q/r_loss": np.mean((C - c) ** 2), "q/s/b_loss": np.mean(np.abs(B - b))}
    maes = {f"output_{i}_mae": np.mean(np.abs(t - v)) for i, (t, v) in enumerate([(A, a), (B, b), (C, c), (B, b)])}
    assert logs == pytest.approx({"loss": sum(want.values()), **want, **maes}, rel=1e-5)
    model.compile("sgd", "mse")
    assert model.fit(X, y, epochs=2, verbose=0).history.keys() == {"loss", "p/a_loss", "p/b_loss", "q/r_loss",
                                                                   "q/s/b_loss"}


def test_weights_in_the_structure_of_nested_outputs(any_backend: str) -> None:
    model, y = model_of("nested")
    model.compile("sgd", {"p": ("mse", None), "q": {"s": ["mae"]}}, weighted_metrics={"output_0": "mae"})
    w = np.linspace(0, 1, 24, dtype=np.float32)
    logs = model.evaluate(X, y, sample_weight={"q": {"r": w, "s": [1 - w]}, "p": (w, w)}, verbose=0, return_dict=True)
    a, b = (np.float64(p) for p in model.predict(X, verbose=0)["p"])
    want = {"p/a_loss": np.mean(w * (A - a)[:, 0] ** 2), "q/s/b_loss": np.mean((1 - w) * np.abs(B - b)[:, 0]),
            "output_0_mae": np.average(np.abs(A - a)[:, 0], weights=w)}
    assert logs == pytest.approx({"loss": want["p/a_loss"] + want["q/s/b_loss"], **want}, rel=1e-5)
    assert_good_error(lambda: model.evaluate(X, y, sample_weight={"p": w}, verbose=0), ValueError, "sample_weight",
                      "['p']")


def test_several_losses_of_one_output_are_shown_as_their_sum() -> None:
    model, y = model_of("list")
    model.compile("sgd", ["mse", ["mse", "mae"]])
    logs = model.evaluate(X, y, verbose=0, return_dict=True)
    assert set(logs) == {"loss", "a_loss", "b_loss"}
    model.compile("sgd", [None, "mse"])
    mse = model.evaluate(X, y, verbose=0)
    model.compile("sgd", [None, "mae"])
    assert logs["b_loss"] == pytest.approx(mse + model.evaluate(X, y, verbose=0), rel=1e-6)
    assert logs["loss"] == pytest.approx(logs["a_loss"] + logs["b_loss"], rel=1e-6)


def test_targets_of_those_outputs_only_that_have_a_loss(any_backend: str) -> None:
    model, _ = model_of("list")
    model.compile("sgd", ["mse", None])
    logs = model.evaluate(X, [A, None], verbose=0)
    assert model.evaluate(X, A, verbose=0) == model.evaluate(X, [A], verbose=0) == logs
    assert model.evaluate(((X, A) for _ in range(1)), verbose=0) == logs
    x = Input((3,))
    three = Model(x, [layers.Dense(1)(x), layers.Dense(2)(x), layers.Dense(1)(x)])
    three.compile("sgd", ["mse", None, "mae"])
    assert three.evaluate(X, [A, B], verbose=0) == three.evaluate(X, [A, None, B], verbose=0)
    assert_good_error(lambda: three.fit(X, [A], verbose=0), ValueError, "1 arrays", "3 outputs", unchanged=three)


def test_one_weight_for_one_loss_of_all() -> None:
    model, y = model_of("list")
    model.compile("sgd", "mse")
    plain = model.evaluate(X, y, verbose=0)
    model.compile("sgd", "mse", loss_weights=0.25)
    assert model.evaluate(X, y, verbose=0) == pytest.approx([0.25 * plain[0], *plain[1:]], rel=1e-6)


@pytest.mark.parametrize(("kind", "loss", "weights", "fragments"), [
    ("tuple", ["mse", ("mse", "mae")], None, ("2 outputs together", "a_b")),
    ("nested", {"p": "mse"}, None, ("2 outputs together", "p")),
    ("nested", {"p": ("mse", "mae"), "z": "mse"}, None, ("'z'", "['p', 'q']")),
    ("nested", {"q": ["mse", {"t": "mae"}]}, None, ("'t'", "of q")),
    ("nested", {"p": {"a": "mse"}}, None, ("'p'", "structure")),
    ("nested", {"p": ("mse", "mae")}, [1.0], ("1 loss_weights", "2 losses")),
    ("list", ["mse", "mae"], 0.5, ("loss_weights is 0.5", "one for each")),
    ("list", ["mse", "mae", "mse"], None, ("3 items for loss", "2 outputs")),
    ("one", ["mse", "mae"], None, ("2 items", "1 outputs")),
])
def test_what_does_not_fit_is_refused(kind: str, loss: Any, weights: Any, fragments: tuple[str, ...]) -> None:
    model, y = model_of(kind)
    model.compile("sgd", loss, loss_weights=weights)
    assert_good_error(lambda: model.fit(X, y, verbose=0), ValueError, *fragments, unchanged=model)


@pytest.mark.parametrize("arguments", [{"loss": {"p": "mse", "z": "mse"}}, {"loss": "mse", "metrics": {"z": "mae"}},
                                       {"loss": {"p": "mse", "q": "mse"}, "loss_weights": {"z": 1.0}}])
def test_names_of_no_output_are_errors_of_both_kinds(arguments: dict[str, Any]) -> None:
    model, y = model_of("dict")
    model.compile("sgd", **arguments)
    for kind in (KeyError, ValueError):
        text = assert_good_error(lambda: model.fit(X, y, verbose=0), kind, "'z'", "['p', 'q']", unchanged=model)
        assert text.startswith("compile(): ")


def test_weights_of_each_output_do_not_go_with_a_joint_loss() -> None:
    model, y = model_of("tuple")
    model.compile("sgd", [apart])
    assert_good_error(lambda: model.fit(X, y, sample_weight=[np.ones(24), np.ones(24)], verbose=0), ValueError, "a_b",
                      "one array")


def test_a_step_of_ones_own_may_split_an_output() -> None:
    class Split(Model):
        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                         training: bool = True) -> Any:
            return super().compute_loss(x, y, [y_pred, y_pred], sample_weight, training)

    x = Input((3,))
    model = Split(x, layers.Dense(1)(x))
    model.compile("sgd", ["mse", "mae"])
    history = model.fit(X, (A, B), epochs=2, verbose=0).history
    assert set(history) == {"loss", "mean_squared_error_loss", "mean_absolute_error_loss"}
    assert history["loss"] == pytest.approx(np.add(history["mean_squared_error_loss"],
                                                   history["mean_absolute_error_loss"]), rel=1e-6)


def test_metrics_that_a_model_updates_itself_are_shown(any_backend: str) -> None:
    class Watched(Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense, self.size = layers.Dense(1), metrics.Mean(name="size")

        def call(self, x: Any) -> Any:
            self.size.update_state(ops.abs(x))
            return self.dense(x)

    model = Watched()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, A, epochs=3, batch_size=8, verbose=0, validation_data=(X[:8], A[:8])).history
    assert set(history) == {"loss", "mae", "size", "val_loss", "val_mae", "val_size"}
    assert history["size"] == pytest.approx([np.abs(X).mean()] * 3, rel=1e-6)
    assert history["val_size"] == pytest.approx([np.abs(X[:8]).mean()] * 3, rel=1e-6)
    assert model.metrics_names == ["loss", "mae", "size"]

    class Own(Watched):
        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
            return super().compute_loss(x, y, y_pred, sample_weight)

    own = Own()
    own.compile("sgd", "mse", metrics=["mae"])
    assert own.evaluate(X, A, verbose=0, return_dict=True)["size"] == pytest.approx(np.abs(X).mean(), rel=1e-6)


def test_metrics_that_a_model_holds_for_steps_of_its_own() -> None:
    """Those that nobody has updated yet: 0, or nothing where they wait for the first shapes."""
    class Holding(Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)
            self.held = [metrics.F1Score(threshold=0.5), metrics.R2Score(), metrics.AUC(), metrics.Mean(name="mine")]

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Holding()
    model.compile("sgd", "mse")
    history = model.fit(X, A, epochs=3, verbose=0).history
    assert history.keys() == {"loss", "auc", "mine"} and history["mine"] == history["auc"] == [0.0] * 3
    assert model.evaluate(X, A, verbose=0, return_dict=True).keys() == {"loss", "auc", "mine"}
