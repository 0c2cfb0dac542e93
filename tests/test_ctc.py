"""Connectionist temporal classification beside the sum over all ways to write the labels."""

import itertools
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Model, layers, ops
from fastnn.engine import backend
from fastnn.engine.tensor import Variable
from fastnn.errors import PlaceError, ShapeError

RNG = np.random.default_rng(2)
LOGITS = RNG.normal(size=(5, 5, 3))
LABELS, COUNTS, STEPS = np.array([[1, 2], [1, 1], [2, -1], [0, 0], [1, 1]]), [2, 2, 1, 0, 2], [5, 4, 3, 5, 2]


def collapsed(path: Any, blank: int) -> list[int]:
    return [label for label, _ in itertools.groupby(path) if label != blank]


def by_hand(logits: np.ndarray, blank: int = 0) -> np.ndarray:
    """-ln of the sum over all paths that collapse to the labels."""
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found = []
    for b, (count, steps) in enumerate(zip(COUNTS, STEPS)):
        paths = itertools.product(range(logits.shape[2]), repeat=steps)
        likely = sum(np.prod(p[b, range(steps), path]) for path in paths
                     if collapsed(path, blank) == LABELS[b, :count].tolist())
        found.append(-np.log(likely) if likely else np.inf)
    return np.array(found)


def test_the_loss_is_the_sum_over_all_paths(any_backend: str) -> None:
    """Equal neighbours, which need a blank between; no labels; too few steps, which is impossible."""
    got = ops.ctc_loss(LABELS, LOGITS, COUNTS, STEPS).numpy()
    np.testing.assert_allclose(got, by_hand(LOGITS), rtol=1e-5)
    assert np.isinf(got[-1])
    turned = LOGITS[:4, :, [1, 2, 0]]       # the blank is class 2 there, label 1 is 0, 2 is 1
    np.testing.assert_allclose(ops.ctc_loss(LABELS[:4] - 1, turned, COUNTS[:4], STEPS[:4], mask_index=2),
                               by_hand(LOGITS)[:4], rtol=1e-5)


def test_a_blank_counted_from_the_last_class_and_no_steps(any_backend: str) -> None:
    """The blank is the last class: -1 as well as 2. After no step only no label is there."""
    turned = LOGITS[:, :, [1, 2, 0]]
    for blank in (-1, 2):
        np.testing.assert_allclose(ops.ctc_loss(LABELS[:4] - 1, turned[:4], COUNTS[:4], STEPS[:4], mask_index=blank),
                                   by_hand(LOGITS)[:4], rtol=1e-5)
        for strategy in ("greedy", "beam_search"):
            found, there = (ops.ctc_decode(x, STEPS, strategy, mask_index=m)[0].numpy()
                            for x, m in ((turned, blank), (LOGITS, 0)))
            np.testing.assert_array_equal(np.where(found >= 0, found + 1, -1), there)
    np.testing.assert_array_equal(ops.ctc_loss(LABELS[:2], LOGITS[:2], [0, 1], [0, 0]), [0, np.inf])


def test_the_gradient_is_that_of_the_sum() -> None:
    with backend.using(floatx="float64"):
        x = Variable(LOGITS)
        with GradientTape() as tape:
            loss = ops.sum(ops.ctc_loss(LABELS, x, COUNTS, STEPS)[:4])
        gradient = tape.gradient(loss, x).numpy()
    direction = RNG.normal(size=LOGITS.shape)
    ends = [by_hand(LOGITS + s * 1e-6 * direction)[:4].sum() for s in (1, -1)]
    assert (gradient * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)


def test_greedy_labels(any_backend: str) -> None:
    said = np.array([[1, 1, 0, 1, 2], [0, 2, 2, 2, 1]])
    logits = ops.one_hot(said, 3) * 4.0
    labels, score = ops.ctc_decode(logits, [5, 4])
    np.testing.assert_array_equal(labels, [[[1, 1, 2, -1, -1], [2, -1, -1, -1, -1]]])
    np.testing.assert_array_equal(score, [[-20], [-16]])
    np.testing.assert_array_equal(ops.ctc_decode(logits, [5, 4], merge_repeated=False)[0],
                                  [[[1, 1, 1, 2, -1], [2, 2, 2, -1, -1]]])


def test_beams_that_are_wide_enough_find_the_likeliest() -> None:
    """Among all labels, each with the sum over all its paths."""
    labels, scores = ops.ctc_decode(LOGITS, STEPS, "beam_search", beam_width=400, top_paths=2)
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
    for b, steps in enumerate(STEPS):
        likely: dict[tuple[int, ...], float] = {}
        for path in itertools.product(range(3), repeat=steps):
            key = tuple(collapsed(path, 0))
            likely[key] = likely.get(key, 0) + np.prod(p[b, range(steps), path])
        best = sorted(likely, key=lambda key: -likely[key])[:2]
        assert [tuple(row[row >= 0].tolist()) for row in labels.numpy()[:, b]] == best
        np.testing.assert_allclose(scores.numpy()[b], np.log([likely[key] for key in best]), rtol=1e-5)
    narrow = ops.ctc_decode(LOGITS, STEPS, "beam_search", beam_width=1)[0]
    assert narrow.shape == (1, 5, 5)


def test_a_network_learns_the_order(any_backend: str) -> None:
    """The labels are where an input is high, after training with the loss as a function of one's own."""
    fastnn.random.set_seed(3)
    places = np.array([[0, 1, 0, 2, 0, 0], [2, 0, 0, 1, 0, 1], [0, 0, 1, 0, 0, 2], [1, 0, 2, 0, 2, 0]])
    labels = np.array([[1, 2, -1], [2, 1, 1], [1, 2, -1], [1, 2, 2]])

    def loss(y: Any, p: Any) -> Any:
        return ops.ctc_loss(y, p, ops.sum(ops.cast(y >= 0, "int32"), 1), np.full(4, 6))
    x = Input((6, 3))
    model = Model(x, layers.Dense(3)(x))
    model.compile(fastnn.optimizers.Adam(0.1), loss)
    history = model.fit(np.eye(3)[places], labels, batch_size=4, epochs=60, verbose=0).history["loss"]
    assert history[-1] < history[0] / 3
    found = ops.ctc_decode(model.predict(np.eye(3)[places], verbose=0), np.full(4, 6))[0].numpy()[0, :, :3]
    np.testing.assert_array_equal(found, labels)


def test_in_a_graph_and_refusals() -> None:
    x = Input((None, 4))
    said = ops.ctc_decode(x, Input(batch_shape=(None,), dtype="int32"))
    assert [t.shape for t in said] == [(1, None, None), (None, 1)]
    for call in (lambda: ops.ctc_loss(LABELS[0], LOGITS, COUNTS, STEPS), lambda: ops.ctc_decode(LOGITS[0], STEPS),
                 lambda: ops.ctc_loss(LABELS, LOGITS, COUNTS[:2], STEPS)):
        with pytest.raises(ShapeError):
            call()
    for wrong in (lambda: ops.ctc_loss(LABELS + 2, LOGITS, COUNTS, STEPS),
                  lambda: ops.ctc_loss(LABELS, LOGITS, [3, 2, 1, 0, 2], STEPS),
                  lambda: ops.ctc_loss(LABELS, LOGITS, COUNTS, [6, 4, 3, 5, 2]),
                  lambda: ops.ctc_loss(LABELS, LOGITS, COUNTS, STEPS, mask_index=3),
                  lambda: ops.ctc_decode(LOGITS, [-1, 4, 3, 5, 2]),
                  lambda: ops.ctc_decode(LOGITS, STEPS, mask_index=3),
                  lambda: ops.ctc_decode(LOGITS, [6, 4, 3, 5, 2], "beam_search")):
        with pytest.raises(PlaceError):
            wrong()
    searched = ops.ctc_decode(x, Input(batch_shape=(None,), dtype="int32"), "beam_search", top_paths=3)
    assert [t.shape for t in searched] == [(3, None, None), (None, 3)]
    for arguments in (("best",), ("greedy", 100, 2), ("beam_search", 0), ("beam_search", 9, 1.5),
                      ("beam_search", 9, 1, False)):
        with pytest.raises(ValueError, match=r"needs|choose"):
            ops.ctc_decode(LOGITS, STEPS, *arguments)
