"""Losses against hand values and Keras; the way through the logits; alignment; mistakes; recording."""

import math
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import activations, losses, ops
from fastnn.engine.context import recording
from fastnn.engine.gradient import GradientTape, backward
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor, Variable
from fastnn.losses.serialization import CLASSES
from tests.errors import assert_good_error
from tests.golden import store
from tests.golden.direct import Row, array, close, label
from tests.golden.losses import REDUCTIONS, ROWS


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_as_keras(row: Row, any_backend: str) -> None:
    kind, arguments, *data = row
    golden = store.read("losses")["values"][label(row)]
    (y_true, y_pred), w = map(array, data), array("w")
    for reduction in REDUCTIONS:
        loss = getattr(losses, kind)(reduction=reduction, **arguments)
        close(loss(y_true, y_pred).numpy(), golden[reduction])
        if len(golden["none"]) == 1:
            with pytest.raises(fastnn.ShapeError, match="one number for all samples"):
                loss(y_true, y_pred, w)
            continue
        close(loss(y_true, y_pred, w).numpy(), golden[f"{reduction} weighted"])
        close(loss(y_true, y_pred, w[:, None]).numpy(), golden[f"{reduction} weighted"])
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()


def test_values_by_hand() -> None:
    assert float(losses.MeanSquaredError()([[1.0, 2.0]], [[2.0, 4.0]])) == 2.5
    assert losses.mean_absolute_error([[1.0, 2.0]], [[2.0, 4.0]]).numpy().tolist() == [1.5]
    assert float(losses.BinaryCrossentropy()([[1.0]], [[0.5]])) == pytest.approx(math.log(2))
    assert float(losses.SparseCategoricalCrossentropy()([1], [[0.25, 0.75]])) == pytest.approx(-math.log(0.75))
    assert float(losses.Huber()([[0.0, 0.0]], [[0.5, 3.0]])) == pytest.approx((0.125 + 2.5) / 2)
    assert float(losses.Hinge()([[0.0], [1.0]], [[0.5], [0.5]])) == 1.0
    assert float(losses.Hinge()([[-1.0], [1.0]], [[0.5], [0.5]])) == 1.0
    assert float(losses.CosineSimilarity()([[1.0, 0.0]], [[3.0, 0.0]])) == pytest.approx(-1)
    assert float(losses.MeanSquaredError(reduction="sum")([[1.0], [2.0]], [[2.0], [4.0]], [2.0, 0.5])) == 4.0


# ---- from the logits --------------------------------------------------------------------------------------------

def _recorded(loss: Any, y_true: np.ndarray, x: Variable, activation: Any) -> tuple[float, np.ndarray, list[str]]:
    target = Tensor(y_true)
    with recording() as calls:
        value = loss(target, activation(x))
        gradient = backward(value, [x])[0]
    assert gradient is not None
    return float(value), gradient.numpy(), [c.op.name for c in calls]


def test_a_loss_after_its_activation_starts_from_the_logits(any_backend: str) -> None:
    x = Variable(np.array([[120.0, 0.0, -120.0]], np.float32))
    value, gradient, names = _recorded(losses.SparseCategoricalCrossentropy(), np.array([2], np.int32), x,
                                       activations.softmax)
    assert value == 240.0 and "sparse_softmax_crossentropy" in names
    close(gradient, [[1, 0, -1]])
    value, gradient, names = _recorded(losses.CategoricalCrossentropy(), np.array([[0, 0, 1]], np.float32), x,
                                       activations.softmax)
    assert value == 240.0 and "softmax_crossentropy" in names
    close(gradient, [[1, 0, -1]])
    value, gradient, names = _recorded(losses.BinaryCrossentropy(), np.array([[0, 0, 1]], np.float32), x,
                                       activations.sigmoid)
    assert value == pytest.approx((240 + math.log(2)) / 3) and "sigmoid_crossentropy" in names
    close(gradient, [[1 / 3, 0.5 / 3, -1 / 3]])


def test_other_predictions_are_taken_as_probabilities() -> None:
    x = Variable(np.array([[0.2, 0.8]], np.float32))
    _, _, names = _recorded(losses.CategoricalCrossentropy(), np.array([[0, 1]], np.float32), x, activations.linear)
    assert "categorical_crossentropy" in names
    _, _, names = _recorded(losses.BinaryCrossentropy(), np.array([[0, 1]], np.float32), x, activations.softmax)
    assert "binary_crossentropy" in names
    impossible = losses.BinaryCrossentropy()([[1.0]], [[0.0]])
    assert float(impossible) == pytest.approx(-math.log(1e-7), rel=1e-6)


def test_from_logits_is_the_same_as_the_activation() -> None:
    x = array("logit")
    for loss, y, activation in ((losses.BinaryCrossentropy, "bt", activations.sigmoid),
                                (losses.CategoricalCrossentropy, "oh", activations.softmax),
                                (losses.SparseCategoricalCrossentropy, "lab", activations.softmax)):
        close(loss(from_logits=True)(array(y), x).numpy(), loss()(array(y), activation(x).numpy()).numpy())


def test_classes_along_another_axis() -> None:
    x, oh, lab = array("bp"), array("oh"), array("lab")
    close(losses.categorical_crossentropy(oh.T, x.T, axis=0).numpy(), losses.categorical_crossentropy(oh, x).numpy())
    close(losses.SparseCategoricalCrossentropy(axis=0)(lab, x.T).numpy(),
          losses.SparseCategoricalCrossentropy()(lab, x).numpy())
    close(losses.binary_crossentropy(oh.T, x.T, axis=0).numpy(), losses.binary_crossentropy(oh, x).numpy())
    assert oh.shape[0] != oh.shape[1], "else the wrong axis has as many classes"
    for loss in (losses.categorical_crossentropy, losses.categorical_focal_crossentropy, losses.binary_crossentropy,
                 losses.binary_focal_crossentropy):
        for logits in (False, True):
            smoothed = {"label_smoothing": 0.3, "from_logits": logits}
            close(loss(oh.T, x.T, axis=0, **smoothed).numpy(), loss(oh, x, **smoothed).numpy())


# ---- shapes and labels ------------------------------------------------------------------------------------------

def test_rank_one_targets_are_aligned_never_broadcast() -> None:
    y, p = np.array([0.0, 1.0, 2.0]), np.array([[0.5], [1.0], [1.0]])
    assert float(losses.MeanSquaredError()(y, p)) == pytest.approx(1.25 / 3)
    assert losses.mean_squared_error(y, p).shape == (3,)
    assert losses.sparse_categorical_crossentropy([[0], [1]], [[0.5, 0.5], [0.5, 0.5]]).shape == (2,)
    for wrong in (np.zeros((3, 3)), np.zeros((4,)), np.zeros((1, 1)), np.zeros((3, 1, 1)), np.zeros(())):
        with pytest.raises(fastnn.ShapeError):
            losses.MeanSquaredError()(wrong, p)
    for prediction in (np.zeros((3, 2)), np.zeros((3, 1, 1))):
        with pytest.raises(fastnn.ShapeError):
            losses.MeanSquaredError()(y, prediction)
    with pytest.raises(fastnn.ShapeError, match="reshape y_pred"):
        losses.MeanSquaredError()(y[:, None], p[:, 0])


@pytest.mark.parametrize("function", [losses.mape, losses.msle, losses.huber, losses.log_cosh, losses.hinge,
                                      losses.squared_hinge, losses.categorical_hinge, losses.kld, losses.poisson,
                                      losses.cosine_similarity, losses.bce])
def test_no_loss_broadcasts(function: Any) -> None:
    with pytest.raises(fastnn.ShapeError):
        function(np.ones((3, 1)), np.ones((3, 2)))
    assert function(np.ones(3), np.ones((3, 1))).shape == (3,)


def test_the_wrong_form_of_labels_names_the_other_loss() -> None:
    p = np.full((4, 3), 1 / 3)
    with pytest.raises(fastnn.ShapeError, match="categorical_crossentropy"):
        losses.SparseCategoricalCrossentropy()(array("oh"), p)
    with pytest.raises(fastnn.ShapeError, match="sparse_categorical_crossentropy"):
        losses.CategoricalCrossentropy()(array("lab"), p)


@pytest.mark.parametrize("bad", [[0, 3], [-1, 0], [0.5, 1], [math.nan, 0], [2 ** 32 + 1, 0]])
def test_labels_that_are_no_class(bad: list[float]) -> None:
    with pytest.raises(fastnn.LabelError, match=r"Labels must be whole numbers 0\.\.2"):
        losses.SparseCategoricalCrossentropy()(bad, np.full((2, 3), 1 / 3))


def test_ignored_labels_count_for_nothing() -> None:
    p = np.array([[0.5, 0.5], [0.9, 0.1]], np.float32)
    for ignored in (-1, 255):
        loss = losses.SparseCategoricalCrossentropy(ignore_class=ignored)
        assert float(loss([0, ignored], p)) == pytest.approx(math.log(2))
        assert losses.sparse_categorical_crossentropy([0, ignored], p, ignore_class=ignored).numpy()[1] == 0
        assert float(loss([ignored, ignored], p)) == 0


def test_weights_of_a_wrong_shape() -> None:
    for wrong in (np.ones(3), np.ones((4, 3)), np.ones((2, 4))):
        with pytest.raises(fastnn.ShapeError, match="sample_weight"):
            losses.MeanSquaredError()(np.ones((4, 2)), np.zeros((4, 2)), wrong)
    assert float(losses.MeanSquaredError()(np.ones((4, 2)), np.zeros((4, 2)), 0.5)) == 0.5
    weighted = losses.MeanSquaredError()(np.ones((2, 3, 1)), np.zeros((2, 3, 1)), [1.0, 0.0])
    assert float(weighted) == 0.5


# ---- own losses, recording, get -------------------------------------------------------------------------------

def test_a_function_per_sample_per_element_or_in_all_is_a_loss() -> None:
    y, p = array("yt"), array("yp")
    want = float(losses.MeanSquaredError()(y, p))

    def per_element(y_true: Any, y_pred: Any) -> Any:
        return ops.square(y_true - y_pred)

    for function in (per_element, lambda t, q: ops.mean(ops.square(t - q), axis=-1),
                     lambda t, q: ops.mean(ops.square(t - q))):
        assert float(losses.resolve(function)(y, p)) == pytest.approx(want, rel=1e-6)
    assert losses.resolve(per_element).name == "per_element"
    w = array("w")
    weighted = losses.resolve(per_element)(y, p, w)
    assert float(weighted) == pytest.approx(float(losses.MeanSquaredError()(y, p, w)), rel=1e-6)


def test_a_loss_class_of_ones_own() -> None:
    class Cubed(losses.Loss):
        def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
            return ops.mean(ops.power(ops.abs(y_true - y_pred), 3), axis=-1)

    assert Cubed().name == "cubed"
    assert float(Cubed()([0.0, 0.0], [[1.0], [2.0]])) == pytest.approx(4.5)
    with pytest.raises(NotImplementedError, match="must define call"):
        losses.Loss()([1.0], [1.0])


@pytest.mark.parametrize("loss, y, p", [
    (losses.MeanSquaredError(), "yt", "yp"), (losses.Huber(), "yt", "yp"),
    (losses.SparseCategoricalCrossentropy(ignore_class=0), "lab", "bp"),
    (losses.CategoricalHinge(reduction="mean_with_sample_weight"), "oh", "logit")], ids=str)
def test_recorded_losses_follow_their_data(loss: Any, y: str, p: str, any_backend: str) -> None:
    y_true, y_pred, w = Tensor(array(y)), Tensor(array(p)), Tensor(array("w"))
    with recording() as calls:
        value = loss(y_true, y_pred, w)
    program = Program(calls, keep=[value])
    y_true.data[...] = array(y)[::-1]
    y_pred.data[...] = array(p)[::-1] * 0.9
    w.data[...] = [0.5, 1, 1, 2]
    program.run()
    close(program.results[0].numpy(), loss(y_true.data, y_pred.data, w.data).numpy())


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_gradients_against_differences(row: Row) -> None:
    kind, arguments, labels, outputs = row
    with fastnn.config.using(backend="reference", floatx="float64"):
        y_true, start = array(labels), array(outputs).astype(float)
        y_true = y_true if labels in ("lab", "text") else y_true.astype(float)
        if outputs == "bt":
            start = np.clip(start, 0.2, 0.8)
        loss = getattr(losses, kind)(**arguments)
        x = Variable(start)
        direction = np.random.default_rng(5).uniform(-1, 1, start.shape)
        with GradientTape() as tape:
            value = loss(y_true, x)
        slope = float((tape.gradient(value, x).numpy() * direction).sum())
        h = 1e-6
        ahead, behind = (float(loss(y_true, start + s * h * direction)) for s in (1, -1))
        assert slope == pytest.approx((ahead - behind) / (2 * h), rel=1e-5, abs=1e-7)


def test_get() -> None:
    assert losses.get(None) is None
    for name in CLASSES:
        found = losses.get(name)
        assert isinstance(found, losses.Loss) if name in vars(losses) and isinstance(vars(losses)[name], type) else \
            found is getattr(losses, found.__name__)
        assert isinstance(losses.resolve(name), losses.Loss)
        kind = "labels" if "sparse" in name.lower() or "eneralized" in name else "float"
        assert losses.resolve(name).label_kind == ("ids" if name.lower() in ("circle", "ctc") else kind)
    assert losses.get("mse") is losses.get("MSE") is losses.mean_squared_error
    assert losses.get(losses.mse) is losses.mse and type(losses.resolve(losses.mse)) is losses.MeanSquaredError
    assert type(losses.get(losses.Huber)) is losses.Huber
    own = losses.Huber(2.0)
    assert losses.get(own) is own
    assert losses.get({"class_name": "Huber", "config": {"delta": 3.0}}).delta == 3.0
    with pytest.raises(ValueError, match="Loss: got 'binary_crossentrpy'; did you mean 'binary_crossentropy'"):
        losses.get("binary_crossentrpy")
    for name in ("crossentropy", "ce"):     # the name is good for a metric; which loss, only the targets tell
        assert_good_error(lambda name=name: losses.get(name), ValueError, name, "'binary_crossentropy' for 0 and 1",
                          "'sparse_categorical_crossentropy'", "'categorical_crossentropy'")
    with pytest.raises(TypeError, match="needs a name"):
        losses.get(3)


def test_reduction_mean_is_sum_over_batch_size() -> None:
    y, p, w = array("yt"), array("yp"), array("w")
    both = [losses.Huber(reduction=reduction)(y, p, w).numpy() for reduction in ("mean", "sum_over_batch_size")]
    assert both[0] == both[1]
    assert losses.Huber(reduction=None)(y, p).shape == (4,)


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="reduction is 'avg'"):
        losses.MeanSquaredError(reduction="avg")
    with pytest.raises(ValueError, match=r"label_smoothing is 1\.5"):
        losses.BinaryCrossentropy(label_smoothing=1.5)
    with pytest.raises(TypeError, match="ignore_class"):
        losses.SparseCategoricalCrossentropy(ignore_class=1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="delta is 0"):
        losses.huber([[1.0]], [[1.0]], delta=0)
    with pytest.raises(ValueError, match="floatx"):
        losses.MeanSquaredError(dtype="float16")
    with pytest.raises(fastnn.ShapeError, match="axis is 3"):
        losses.categorical_crossentropy([[1.0]], [[1.0]], axis=3)


def test_a_class_that_is_impossible_costs_nothing_where_it_has_no_share(any_backend: str) -> None:
    """logits of -inf: log 2 of two equal others, as sparse labels give, and gradients that are numbers."""
    logits = np.array([[0.0, 0.0, -np.inf], [1.0, -np.inf, 1.0]], "float32")
    x, kinds = Variable(logits), np.array([0, 2])
    for loss, y in ((losses.CategoricalCrossentropy(from_logits=True), np.eye(3, dtype="float32")[kinds]),
                    (losses.SparseCategoricalCrossentropy(from_logits=True), kinds)):
        with GradientTape() as tape:
            value = loss(y, x)
        assert float(value) == pytest.approx(np.log(2), rel=1e-6)
        np.testing.assert_allclose(tape.gradient(value, x).numpy(), [[-0.25, 0.25, 0], [0.25, 0, -0.25]], atol=1e-7)


def test_logits_that_are_infinite_and_right_cost_nothing(any_backend: str) -> None:
    loss = losses.BinaryCrossentropy(from_logits=True, reduction=None)
    logits = np.array([[np.inf], [-np.inf], [0.0]], "float32")
    np.testing.assert_allclose(loss(np.array([[1.0], [0.0], [1.0]], "float32"), logits).numpy(), [0, 0, np.log(2)],
                               atol=1e-7)
    assert np.isposinf(loss(np.array([[0.0], [1.0]], "float32"), logits[:2]).numpy()).all()
