"""Weight decay and its exceptions, scaled losses, schedules of the rate."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Sequential, Variable, layers, models, ops, optimizers
from fastnn.optimizers import schedules
from tests.test_optimizer_options import fit, network

# ---- decay, scale, schedules ----------------------------------------------------------------------------------------

def test_weights_that_do_not_decay() -> None:
    model = network(optimizers.SGD(0.0))
    kernel = model.trainable_weights[0]
    for given, kept in ((dict(var_names=["bias"]), "bias"), (dict(var_list=[kernel]), kernel.name),
                        (dict(var_list=[kernel], var_names=["^dense/b"]), "^dense/"), ({}, "nothing")):
        optimizer = optimizers.SGD(0.5, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(**given)
        decayed = [bool(optimizer.decay_of(v)) for v in model.trainable_weights]
        assert decayed == [not re.search(kept, v.name) for v in model.trainable_weights]
        weights = [Variable(np.ones(v.shape), v.name) for v in model.trainable_weights]
        if "var_list" not in given:
            optimizer.apply([np.zeros(v.shape, np.float32) for v in weights], weights)
            assert [float(v.numpy().max()) for v in weights] == [0.75 if d else 1.0 for d in decayed]


def test_an_exception_made_between_two_fits_counts() -> None:
    model = network(optimizers.SGD(0.01, weight_decay=0.9))
    fit(model, 1)
    model.optimizer.exclude_from_weight_decay(var_names=["."])
    before = model.get_weights()[0]
    fit(model, 1)
    assert np.abs(model.get_weights()[0]).sum() > 0.98 * np.abs(before).sum()


def test_exceptions_from_decay_are_saved(tmp_path: Path) -> None:
    for given in ({}, dict(var_names=["bias", "(?i)^DENSE/k"]), dict(var_names=["gamma"]), dict(var_list=[1, 2])):
        model = network(optimizers.SGD(0.1, weight_decay=0.5))
        own = [model.weights[i] for i in given.get("var_list", ())]
        model.optimizer.exclude_from_weight_decay(own, given.get("var_names"))
        fit(model, 1)
        model.save(tmp_path / "model.fnn")
        loaded = models.load_model(tmp_path / "model.fnn")
        left_out = [model.optimizer.excluded(v) for v in model.weights]
        assert [loaded.optimizer.excluded(v) for v in loaded.weights] == left_out
        assert any(left_out) == ("bias" in str(given) or bool(own))
        assert fit(loaded, 1) == fit(model, 1)


def test_a_file_of_keras_has_no_place_for_exceptions_from_decay(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    model = network(optimizers.SGD(0.1, weight_decay=0.5))
    model.optimizer.exclude_from_weight_decay(var_names=["bias"])
    with pytest.warns(UserWarning, match="exclude_from_weight_decay"):
        model.save(tmp_path / "model.keras")


@pytest.mark.parametrize("factor", [2.0 ** -10, 1024.0])
def test_a_scaled_loss_trains_with_the_same_bits_and_shows_itself_unscaled(factor: float) -> None:
    found = []
    for scale in (None, factor):        # a power of 2 loses nothing
        model = network(optimizers.Adam(0.01, loss_scale_factor=scale))
        found.append((fit(model), [w.tobytes() for w in model.get_weights()]))
    assert found[0] == found[1]


def test_an_own_train_step_scales_its_loss() -> None:
    class Own(Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with GradientTape() as tape:
                loss = ops.mean(ops.square(self(x, training=True) - y))
                scaled = self.optimizer.scale_loss(loss)
            self.optimizer.apply(tape.gradient(scaled, self.trainable_weights), self.trainable_weights)
            return {"loss": loss}

    found = []
    for kind in (Sequential, Own):
        fastnn.random.set_seed(3)
        model = kind([Input((3,)), layers.Dense(1)])
        model.compile(optimizers.SGD(0.1, loss_scale_factor=8.0), "mse")
        fit(model)
        found.append(model.get_weights()[0])
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_a_schedule_counts_batches_as_keras() -> None:
    model = network(optimizers.SGD(schedules.InverseTimeDecay(0.1, 1, 1.0), gradient_accumulation_steps=3))
    assert fit(model, 2)["learning_rate"] == pytest.approx([0.1 / 3, 0.1 / 6])
