"""Bad arguments and bad data of fit: reliability.md's table, row by row. Nothing changes before errors."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential
from fastnn.errors import LabelError, ShapeError
from fastnn.layers import Dense
from tests.errors import assert_good_error, weights_hash

NAN, INF = float("nan"), float("inf")
X = np.linspace(-1, 1, 60, dtype=np.float32).reshape(20, 3)
Y = (X[:, :1] > 0).astype(np.float32)
LABELS = np.arange(20) % 3


def regression() -> Sequential:
    model = Sequential([Input((3,)), Dense(4, activation="tanh"), Dense(1)])
    model.compile("adam", "mse")
    return model


def binary() -> Sequential:
    model = Sequential([Input((3,)), Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def classes(loss: str = "sparse_categorical_crossentropy") -> Sequential:
    model = Sequential([Input((3,)), Dense(3, activation="softmax", name="head")])
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def refused(model: Any, kind: Any, *fragments: str, x: Any = X, y: Any = Y, **arguments: Any) -> None:
    """fit, evaluate and train_on_batch refuse the same; a trained model is left as it was."""
    if model.history is None:
        good = LABELS if getattr(model.compiled, "loss", "").startswith("sparse") else np.eye(3)[LABELS] \
            if model.output_shape[-1] == 3 else Y
        model.fit(X, good, verbose=0)
    assert_good_error(lambda: model.fit(x, y, verbose=0, **arguments), kind, "fit()", *fragments, unchanged=model)
    if not arguments:
        assert_good_error(lambda: model.evaluate(x, y, verbose=0), kind, "evaluate()", *fragments, unchanged=model)
        assert_good_error(lambda: model.train_on_batch(x, y), kind, "train_on_batch()", *fragments, unchanged=model)
        assert_good_error(lambda: model.fit(X, good_for(model), validation_data=(x, y), verbose=0), kind,
                          "validation_data", *fragments, unchanged=model)


def good_for(model: Any) -> Any:
    if model.output_shape[-1] == 1:
        return Y
    return LABELS if model.compiled.loss.startswith("sparse") else np.eye(3)[LABELS]


def test_lengths_that_differ(any_backend: str) -> None:
    refused(regression(), ValueError, "20", "15", y=Y[:15])
    refused(regression(), ValueError, "no samples", x=X[:0], y=Y[:0])
    deferred = Sequential([Dense(2), Dense(1)])
    deferred.compile("sgd", "mse")
    assert_good_error(lambda: deferred.fit(X, Y[:15], verbose=0), ValueError, "20", "15", unchanged=deferred)
    assert not deferred.built       # a model without a shape takes none from data that were refused


@pytest.mark.parametrize("value, kind", [(0, ValueError), (-1, ValueError), (2.5, TypeError), (2.0, TypeError),
                                         ("32", TypeError), (True, TypeError), (NAN, TypeError), ([32], TypeError)])
@pytest.mark.parametrize("name", ["batch_size", "steps_per_epoch", "validation_freq", "validation_batch_size",
                                  "validation_steps"])
def test_counts(name: str, value: Any, kind: type[Exception]) -> None:
    if name == "validation_freq" and isinstance(value, list):
        return      # the epochs that are validated
    extra = {"validation_data": (X, Y)} if name.startswith("validation") else {}
    refused(regression(), kind, name, **{name: value}, **extra)


@pytest.mark.parametrize("name", ["epochs", "initial_epoch"])
def test_epochs(name: str) -> None:
    for value, kind in ((-1, ValueError), (1.0, TypeError), (True, TypeError), ("3", TypeError), (None, TypeError)):
        refused(regression(), kind, name, **{name: value})
    model = regression()
    before = weights_hash(model)
    assert model.fit(X, Y, epochs=0, verbose=0).history == {}
    assert weights_hash(model) == before


def test_a_batch_larger_than_the_data_is_one_batch(any_backend: str) -> None:
    found = []
    for size in (20, 21, 10 ** 12):
        fastnn.random.set_seed(5)
        model = regression()
        model.fit(X, Y, batch_size=size, epochs=3, verbose=0)
        found.append(weights_hash(model))
    assert len(set(found)) == 1


def test_targets_of_another_shape(any_backend: str) -> None:
    two = Sequential([Input((3,)), Dense(2)])
    two.compile("sgd", "mse")
    two.fit(X, X[:, :2], verbose=0)
    for y in (Y, Y[:, 0], X, X[:, None, :2], np.float32(3)):
        shape = str(np.shape(y))
        assert_good_error(lambda y=y: two.fit(X, y, verbose=0), (ShapeError, ValueError), "y",  # type: ignore[arg-type]
                          shape if np.ndim(y) else "single number", unchanged=two)
    refused(regression(), ShapeError, "(20, 3)", "(N, 1)", y=X)
    refused(regression(), ShapeError, "(20, 1, 1)", y=Y[:, None])


def test_a_row_of_targets_is_a_column_for_one_unit(any_backend: str) -> None:
    found = []
    for y in (Y, Y[:, 0], list(Y[:, 0]), Y.astype(int)[:, 0], Y.astype(bool), Y.astype(np.uint8)):
        fastnn.random.set_seed(5)
        model = binary()
        model.fit(X, y, epochs=2, verbose=0)
        found.append(weights_hash(model))
    assert len(set(found)) == 1


@pytest.mark.parametrize("label, shown", [(-1, "-1"), (3, "3"), (0.5, "0.5"), (NAN, "nan"), (2 ** 32 + 1, "row 7"),
                                          (INF, "inf"), (-INF, "inf"), (2 ** 62, "row 7"), (1e300, "1e+300")])
def test_labels_outside_the_classes(any_backend: str, label: Any, shown: str) -> None:
    y = LABELS.astype(np.float64 if isinstance(label, float) else np.int64)
    y[7] = label
    refused(classes(), LabelError, "row 7", shown, "3 classes", y=y)
    refused(classes(), LabelError, "row 7", shown, "1 rows bad", y=y[:, None])


@pytest.mark.parametrize("dtype", ["u1", "i1", ">i2", "i4", "u4", "i8", "u8", "f2", ">f4", "f8"])
def test_labels_of_any_type(any_backend: str, dtype: str) -> None:
    found = []
    for y in (LABELS, LABELS.astype(dtype), LABELS.astype(dtype)[:, None]):
        fastnn.random.set_seed(5)
        model = classes()
        model.fit(X, y, verbose=0)
        found.append(weights_hash(model))
    assert len(set(found)) == 1
    refused(model, LabelError, "row 3", y=(LABELS.astype(dtype) + np.where(np.arange(20) == 3, 120, 0)).astype(dtype))


def test_one_hot_and_labels_name_the_other_loss(any_backend: str) -> None:
    refused(classes(), ShapeError, "categorical_crossentropy", "argmax", y=np.eye(3)[LABELS])
    dense = classes("categorical_crossentropy")
    refused(dense, ShapeError, "sparse_categorical_crossentropy", "to_categorical", y=LABELS)
    refused(dense, ShapeError, "sparse_categorical_crossentropy", "to_categorical", y=LABELS[:, None])
    refused(dense, LabelError, "-1", "row 0", y=np.eye(3)[LABELS] - 1)
    with pytest.warns(UserWarning, match="not to 1"):
        dense.fit(X, np.eye(3)[LABELS] * 0.5, verbose=0)


def test_binary_labels(any_backend: str) -> None:
    refused(binary(), LabelError, "-1", "(y + 1) / 2", y=Y * 2 - 1)
    refused(binary(), LabelError, "255", "/ 255", y=(Y * 255).astype(np.uint8))
    refused(binary(), LabelError, "255", y=Y * 255)


@pytest.mark.parametrize("bad", [NAN, INF, -INF, 1e300])
def test_values_that_are_not_finite(any_backend: str, bad: float) -> None:
    x = X.astype(np.float64)
    x[11, 2] = x[13, 0] = bad
    refused(regression(), ValueError, "2 values", "row 11", "column 2", "check_finite", x=x)
    y = Y.astype(np.float64)
    y[4] = bad
    refused(regression(), ValueError, "y", "1 values", "row 4", y=y)
    refused(binary(), ValueError, "row 4", y=y)


def test_check_finite_can_be_switched_off() -> None:
    x = X.copy()
    x[3, 1] = NAN
    with pytest.warns(RuntimeWarning, match="not finite"):
        regression().fit(x, Y, verbose=0, check_finite=False)


class Sparse:
    def tocsr(self) -> None: ...


@pytest.mark.parametrize("x, fragment", [
    (np.ma.masked_array(X, X > 0.5), "filled"), (np.full(X.shape, None), "objects"), (X.astype(str), "text"),
    (X.astype(complex), "complex"), (X.astype("M8[s]"), "dates"), (X.astype("m8[s]"), "time"),
    (X.astype("S4"), "bytes"), (Sparse(), "toarray"), ([[1.0, 2.0], [3.0]] * 10, "same length"), ({1, 2}, "objects"),
    (None, "x"), ("text", "text"), (lambda: None, "objects"), (np.zeros(20, dtype=[("a", "f4")]), "needs numbers"),
])
def test_kinds_that_are_no_numbers(x: Any, fragment: str) -> None:
    refused(regression(), TypeError, fragment, x=x)
    if x is not None:
        refused(regression(), TypeError, fragment, y=x)


def test_features_and_ranks_that_differ() -> None:
    refused(regression(), ShapeError, "(20, 2)", "(N, 3)", x=X[:, :2])
    refused(regression(), ShapeError, "(20, 3, 2)", "(N, 3)", x=np.stack([X, X], -1))
    refused(regression(), ShapeError, "x[None]", x=X[0], y=Y[:1])
    refused(regression(), ShapeError, "single number", x=3.0)
    refused(regression(), ValueError, "targets", y=None)


@pytest.mark.parametrize("split", [1, 1.0, -0.1, NAN, INF, 1.5, True, "0.2", 0.999, 1e-20])
def test_validation_split(split: Any) -> None:
    refused(regression(), (ValueError, TypeError), "validation_split", validation_split=split)


def test_validation_data() -> None:
    for given in (X, (X,), (X, Y, Y[:, 0], 1), "data", 3):
        refused(regression(), (ValueError, TypeError), "validation_data", validation_data=given)
    refused(regression(), ShapeError, "(5, 2)", validation_data=(X[:5, :2], Y[:5]))


@pytest.mark.parametrize("weight, kind, fragment", [
    (np.ones(19), ShapeError, "(19,)"), (np.ones((20, 2)), ShapeError, "(20, 2)"),
    (np.where(np.arange(20) == 3, NAN, 1), ValueError, "row 3"), (np.zeros(20), ValueError, "all zero"),
    (np.full(20, INF), ValueError, "row 0"), (["a"] * 20, TypeError, "text"), (3.0, ShapeError, "()"),
])
def test_sample_weight(weight: Any, kind: type[Exception], fragment: str) -> None:
    refused(regression(), kind, "sample_weight", fragment, sample_weight=weight)


@pytest.mark.parametrize("weight, kind, fragment", [
    ({7: 1.0}, ValueError, "[7]"), ({"a": 1.0}, (ValueError, TypeError), "'a'"), ([1, 2, 3], TypeError, "dict"),
    ("balance", TypeError, "balanced"), ({0: -1.0}, ValueError, "-1"), ({0: NAN}, ValueError, "nan"),
    ({0: 0.0, 1: 0.0, 2: 0.0}, ValueError, "0"), ({1: "a"}, TypeError, "'a'"), ({0.5: 1.0}, ValueError, "0.5"),
])
def test_class_weight(weight: Any, kind: Any, fragment: str) -> None:
    refused(classes(), kind, "class_weight", fragment, y=LABELS, class_weight=weight)


def test_class_weight_of_samples_with_several_classes() -> None:
    model = Sequential([Input((3,)), Dense(3, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    for row in ([1, 0, 1], [0, 0, 0]):
        refused(model, ValueError, "class_weight", "sample_weight", y=np.tile(row, (20, 1)), class_weight={0: 2.0})
    model.fit(X, np.tile([0.25, 0.75, 0], (20, 1)), class_weight={0: 2.0}, verbose=0)


@pytest.mark.filterwarnings("ignore:fit.*one class only")
def test_class_weight_may_name_a_class_that_these_data_lack() -> None:
    weights = {0: 1.0, 1: 2.0, 2: 3.0}
    for model, y in ((classes(), LABELS), (classes("categorical_crossentropy"), np.eye(3)[LABELS])):
        model.fit(X[LABELS < 2], y[LABELS < 2], class_weight=weights, verbose=0)
        model.train_on_batch(X[:1], y[:1], class_weight=weights)
    refused(regression(), ValueError, "class_weight", "classes", y=Y + 0.5, class_weight={0: 1.0})
    binary().fit(X, np.ones(20), class_weight={0: 1.0, 1: 2.0}, verbose=0)


def test_dense_after_images_names_the_layer_and_flatten() -> None:
    model = Sequential([Input((6, 6, 1)), fastnn.layers.Conv2D(2, 3), Dense(3, activation="softmax", name="answer")])
    model.compile("adam", "sparse_categorical_crossentropy")
    assert_good_error(lambda: model.fit(np.zeros((4, 6, 6, 1)), np.zeros(4, int), verbose=0), ShapeError, "'answer'",
                      "(4,)", "(N, 4, 4, 3)", "Flatten()")
