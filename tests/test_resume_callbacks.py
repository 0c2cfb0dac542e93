"""What callbacks bring back into a resumed fit, and small things of theirs; arguments that were taken as they came."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers, losses, optimizers
from fastnn.datasets import _words

RNG = np.random.default_rng(3)
X = RNG.normal(size=(30, 4)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)
TOKENS = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]], [[1, 1, 1], [2, 4, 0], [3, 3, 0]]])


def network(optimizer: Any = "sgd") -> Any:
    fastnn.random.set_seed(3)
    model = fastnn.Sequential([fastnn.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


class Every(callbacks.Callback):
    """Counts, and keeps what it made of its argument and a list that it fills."""

    def __init__(self, steps: int) -> None:
        self.steps, self.double, self.table = steps, 2 * steps, {"of": [steps]}
        self.seen, self.count = [0.5], 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(float(epoch))
        self.count += 1


def test_what_follows_from_the_arguments_is_that_of_the_new_ones(tmp_path: Path) -> None:
    def fitted(epochs: int, *heard: Any) -> None:
        backup = callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
        network().fit(X, Y, epochs=epochs, verbose=0, callbacks=[*heard, backup])

    fitted(2, Every(3))
    resumed = Every(10)
    fitted(3, resumed)
    assert (resumed.steps, resumed.double, resumed.table) == (10, 20, {"of": [10]})
    assert resumed.count == 3 and resumed.seen == [0.5, 0.0, 1.0, 2.0]
    again = Every(10)
    fitted(4, again)        # what was brought back is kept once more
    assert again.count == 4 and again.double == 20


@pytest.mark.parametrize("backup_first", [False, True])
def test_a_fit_with_averages_may_be_extended(backup_first: bool, tmp_path: Path) -> None:
    def weights(epochs: int, folder: str) -> list[Any]:
        model = network(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8))
        heard = [callbacks.SwapEMAWeights(swap_on_epoch=True),
                 callbacks.BackupAndRestore(tmp_path / folder, delete_checkpoint=False)]
        model.fit(X, Y, epochs=epochs, batch_size=10, verbose=0, callbacks=heard[::-1] if backup_first else heard)
        return [w.copy() for w in model.get_weights()]

    weights(2, "b")
    for extended, whole in zip(weights(4, "b"), weights(4, "other")):
        assert extended.tobytes() == whole.tobytes()


def test_tensorboard_closes_what_is_open_only(tmp_path: Path) -> None:
    board = callbacks.TensorBoard(tmp_path)
    board.set_model(network())
    board.on_test_end()


def test_lbfgs_refuses_decay_beside_the_loss() -> None:
    with pytest.raises(ValueError, match=r"LBFGS: weight_decay is 0\.1; needs None.*\n.*kernel_regularizer"):
        optimizers.LBFGS(weight_decay=0.1)


def test_the_limits_of_words() -> None:
    texts = [[1, 5, 9], [2, 3]]
    assert list(_words.limited("d", texts, None, 0, 2)) == [[1, 5, 2], [2, 3]]
    for arguments, word in (((0, 0, 2), "num_words"), ((2.5, 0, 2), "num_words"), ((None, -1, 2), "skip_top"),
                            ((4, 4, 2), "skip_top"), ((None, 0, -2), "oov_char")):
        with pytest.raises((ValueError, TypeError), match=f"datasets.d: {word}"):
            _words.limited("datasets.d", texts, *arguments)


def test_a_layer_for_each_step_reads_words_with_their_mask(any_backend: str) -> None:
    tokens = fastnn.Input((None, 3))
    embedded = layers.Embedding(5, 4, mask_zero=True)(tokens)
    words, steps = layers.LSTM(3), layers.LSTM(2)
    model = fastnn.Model(tokens, steps(layers.TimeDistributed(words)(embedded)))
    model.compile("sgd", "mse")
    got = model.predict(TOKENS, verbose=0)
    for row, found in zip(TOKENS, got):        # by hand: each step its words alone, then the steps that have some
        kept = [layers.Embedding.call(model.layers[1], fastnn.ops.array(step[step != 0][None])) for step in row
                if step.any()]
        sentence = fastnn.ops.stack([words(each)[0] for each in kept])[None]
        np.testing.assert_allclose(found, steps(sentence).numpy()[0], rtol=1e-4, atol=1e-6)
    model.fit(TOKENS, np.zeros((2, 2)), verbose=0)
    inside = layers.TimeDistributed(layers.LSTM(3, return_sequences=True))
    assert inside(layers.Embedding(5, 4, mask_zero=True)(TOKENS)).mask.shape == (2, 3, 3)


@pytest.mark.parametrize("loss", [losses.Dice(), losses.Tversky(0.3, 0.7), losses.Dice(axis=(1, 2))])
def test_areas_leave_out_what_the_mask_does(loss: Any) -> None:
    p, y = RNG.random((2, 4, 1)).astype(np.float32), RNG.integers(0, 2, (2, 4, 1)).astype(np.float32)
    mask = np.array([[True, True, False, False], [True] * 4])
    masked = fastnn.ops.array(p)
    masked.mask = fastnn.ops.array(mask)
    blank = np.where(mask[..., None], 1, 0).astype(np.float32)
    assert loss(y, masked).numpy() == pytest.approx(loss(y * blank, p * blank).numpy(), rel=1e-6)


def test_a_mask_that_no_loss_fits_is_named() -> None:
    masked = fastnn.ops.array(RNG.random((2, 4, 3)).astype(np.float32))
    masked.mask = fastnn.ops.array(np.ones((2, 4), bool))
    total = losses.LossFunctionWrapper(lambda t, p: fastnn.ops.mean(p))
    with pytest.raises(fastnn.ShapeError, match=r"y_pred has a mask of shape \(2, 4\) and the losses have shape \(\)"):
        total(np.zeros((2, 4, 3)), masked)
