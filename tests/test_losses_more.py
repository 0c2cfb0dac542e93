"""Focal losses, areas, pairs and texts: against their definitions one by one; saturated; trained; mistakes."""

import itertools
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers, losses
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Variable
from tests.golden.direct import array, close


def gradient(loss: Any, y: Any, x: Variable) -> np.ndarray:
    with GradientTape() as tape:
        value = loss(y, x)
    return tape.gradient(value, x).numpy()


# ---- focal ------------------------------------------------------------------------------------------------------

def test_focal_of_gamma_0_is_crossentropy() -> None:
    y, p, oh, x = array("bt"), array("bp"), array("oh"), array("logit")
    close(losses.binary_focal_crossentropy(y, p, gamma=0).numpy(), losses.binary_crossentropy(y, p).numpy())
    close(losses.categorical_focal_crossentropy(oh, x, gamma=0, alpha=1, from_logits=True).numpy(),
          losses.categorical_crossentropy(oh, x, from_logits=True).numpy())
    close(losses.categorical_focal_crossentropy(oh.T, p.T, axis=0).numpy(),
          losses.categorical_focal_crossentropy(oh, p).numpy())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_losses_of_sure_answers_are_finite(gamma: float, any_backend: str) -> None:
    """Far out, right and wrong: losses from the logits, and gradients that are numbers."""
    x = Variable(np.array([[200.0, -200.0], [-200.0, 200.0], [0.0, 0.0]], np.float32))
    y = np.array([[1, 0]] * 3, np.float32)
    binary = losses.BinaryFocalCrossentropy(gamma=gamma, from_logits=True, reduction="none")
    categorical = losses.CategoricalFocalCrossentropy(gamma=gamma, alpha=1, from_logits=True, reduction="none")
    close(binary(y, x).numpy(), [0, 200, 0.5 ** gamma * np.log(2)])
    close(categorical(y, x).numpy(), [0, 400, 0.5 ** gamma * np.log(2)])
    for loss in (binary, categorical):
        assert np.isfinite(gradient(loss, y, x)).all()


def test_generalized_crossentropy_lies_between_its_limits() -> None:
    p, y = array("bp") / array("bp").sum(-1, keepdims=True), array("lab")
    of_class = p[np.arange(4), y]
    close(losses.categorical_generalized_cross_entropy(y, p, 1e-4).numpy(), -np.log(of_class), rtol=1e-3)
    close(losses.categorical_generalized_cross_entropy(y, p, 1 - 1e-6).numpy(), 1 - of_class, rtol=1e-4)
    x = Variable(np.array([[0.0, 1.0]], np.float32))
    assert np.isfinite(gradient(losses.CategoricalGeneralizedCrossEntropy(), [0], x)).all()
    for q in (0.0, 1.0, -1):
        with pytest.raises(ValueError, match="q is"):
            losses.CategoricalGeneralizedCrossEntropy(q)


# ---- areas ------------------------------------------------------------------------------------------------------

def test_dice_and_tversky() -> None:
    y, p = array("bt"), array("bp")
    for axis, keep in ((None, ()), (0, (0,)), (1, (1,)), ([0, 1], (0, 1)), (-1, (1,))):
        axes = None if axis is None else keep
        wanted = 1 - 2 * (y * p).sum(axis=axes) / (y.sum(axis=axes) + p.sum(axis=axes))
        close(losses.dice(y, p, axis=axis).numpy(), wanted)
        close(losses.tversky(y, p, axis=axis).numpy(), wanted)
    close(losses.tversky(y, p, alpha=1, beta=0).numpy(), 1 - (y * p).sum() / y.sum())
    assert float(losses.Dice()(y, y)) == pytest.approx(0, abs=1e-6)
    images = np.random.default_rng(0).random((3, 4, 4, 1)).astype(np.float32)
    assert losses.Dice(axis=(1, 2, 3), reduction="none")(images, images).shape == (3,)
    with pytest.raises(fastnn.ShapeError):
        losses.Dice()(y, p[:, :2])


# ---- pairs and texts --------------------------------------------------------------------------------------------

def test_circle_against_its_definition() -> None:
    y, e = np.array([0, 1, 0, 1, 7]), np.random.default_rng(2).normal(size=(5, 4))
    e /= np.linalg.norm(e, axis=1, keepdims=True)
    gamma, m = 6.0, 0.3
    wanted = []
    for i in range(5):
        d = [max(1 - float(e[i] @ e[j]), 0) for j in range(5)]
        near = sum(np.exp(gamma * (m + d[j]) * (d[j] - m)) for j in range(5) if y[j] == y[i] and j != i)
        far = sum(np.exp(gamma * max(1 + m - d[j], 0) * (1 - m - d[j])) for j in range(5) if y[j] != y[i])
        wanted.append(np.log1p(near * far))
    close(losses.circle(y, e, gamma=gamma, margin=m).numpy(), wanted, rtol=1e-4)
    mean = float(losses.Circle(gamma, m)(y, e.astype(np.float32)))
    assert mean == pytest.approx(sum(wanted) / 4, rel=1e-4), "the last has no pair, and does not count"
    alone = losses.circle([0, 1], e[:2], ref_labels=[0, 1, 1], ref_embeddings=e[:3], remove_diagonal=False)
    assert alone.shape == (2,)
    assert np.isfinite(gradient(losses.Circle(), [0, 1, 2, 3], Variable(e[:4].astype(np.float32)))).all()
    with pytest.raises(fastnn.ShapeError, match="a label for each row"):
        losses.circle([0, 1, 2], e)


def test_ctc_against_all_ways_to_spell(any_backend: str) -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(3, 5, 3)).astype(np.float32)
    chances = np.exp(logits.astype(float))
    chances /= chances.sum(-1, keepdims=True)
    texts = np.array([[1, 2, 1], [2, 2, 0], [0, 0, 0]])
    wanted = []
    for text, chance in zip(texts, chances):
        total = 0.0
        for way in itertools.product(range(3), repeat=5):
            spelled = [c for c, _ in itertools.groupby(way) if c != 0]
            if spelled == [c for c in text if c]:
                total += np.prod([chance[t, c] for t, c in enumerate(way)])
        wanted.append(-np.log(total))
    close(losses.ctc(texts, logits).numpy(), wanted, rtol=1e-4)
    assert np.isfinite(gradient(losses.CTC(), texts, Variable(logits))).all()
    assert float(losses.CTC()([[1, 1, 1, 1]], logits[:1])) > 1e29, "seven steps would be needed"
    with pytest.raises(fastnn.ShapeError, match="needs labels"):
        losses.ctc([1, 2], logits)


def test_targets_of_their_own_shape_are_trained_with(any_backend: str) -> None:
    rng = np.random.default_rng(5)
    x, text = rng.normal(size=(20, 4)).astype(np.float32), rng.integers(1, 3, (20, 2))
    model = fastnn.Sequential([fastnn.Input((4,)), layers.Dense(12), layers.Reshape((4, 3))])
    model.compile("adam", losses.CTC(), metrics=[losses.CTC()])
    history = model.fit(x, text, batch_size=8, epochs=3, verbose=0, validation_data=(x, text)).history
    assert history["loss"][-1] < history["loss"][0]
    assert history["val_ctc"][-1] == pytest.approx(history["val_loss"][-1], rel=1e-5)
    near = fastnn.Sequential([fastnn.Input((4,)), layers.Dense(3)])
    near.compile("adam", "circle")
    near.fit(x, np.arange(20) // 2 + 5, verbose=0)      # more classes than outputs
    with pytest.raises(fastnn.LabelError, match="whole numbers"):
        near.fit(x, np.arange(20) / 2, verbose=0)
