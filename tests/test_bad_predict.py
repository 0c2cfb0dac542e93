"""Bad arguments of predict and evaluate, and what predict promises about the arrays it returns."""

import threading
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.layers import Dense
from tests.conftest import alike
from tests.errors import assert_good_error, fingerprint
from tests.test_bad_fit import X, Y, binary, classes, regression


def test_before_build() -> None:
    assert_good_error(lambda: Sequential().predict(X), NotBuiltError, "predict()", "no layers")
    model = Sequential([Dense(2)])
    assert model.predict(X, verbose=0).shape == (20, 2)       # data give the shape
    assert_good_error(lambda: Sequential([Dense(2)]).predict(X[0, 0]), ShapeError, "single number")


def test_features_and_ranks(any_backend: str) -> None:
    model = regression()
    for x in (X[:, :2], np.ones((5, 4)), np.ones((1, 4)), np.ones((0, 4))):
        assert_good_error(lambda x=x: model.predict(x), ShapeError, "predict()", str(x.shape), "(N, 3)",
                          unchanged=model)
    assert_good_error(lambda: model.predict(X[0]), ShapeError, "x[None]", unchanged=model)
    assert_good_error(lambda: model.predict(X[0, 0]), ShapeError, "single number")
    assert_good_error(lambda: model.predict(X[None]), ShapeError, "(1, 20, 3)", "(N, 3)")
    image = Sequential([Input((2, 3)), fastnn.layers.Flatten(), Dense(1)])
    assert_good_error(lambda: image.predict(np.ones((2, 3))), ShapeError, "x[None]")
    assert image.predict(np.ones((1, 2, 3))).shape == (1, 1)


@pytest.mark.parametrize("value, kind", [(0, ValueError), (-1, ValueError), (2.5, TypeError), ("32", TypeError),
                                         (True, TypeError)])
def test_batch_sizes_and_steps(value: Any, kind: type[Exception]) -> None:
    model = regression()
    model.fit(X, Y, verbose=0)
    for x, y in ((X, Y), (X[:1], Y[:1])):
        for name in ("batch_size", "steps"):
            assert_good_error(lambda n=name, x=x: model.predict(x, **{n: value}), kind, name, unchanged=model)
            assert_good_error(lambda n=name, x=x, y=y: model.evaluate(x, y, **{n: value}), kind, name, unchanged=model)


NOTHING = np.full(X.shape, None)


@pytest.mark.parametrize("x", [X.astype(str), NOTHING, X.astype(complex), np.ma.masked_array(X), [[1], [1, 2]],
                               X[:1].astype(complex), NOTHING[:1], np.ma.masked_array(X[:1])])
def test_kinds(any_backend: str, x: Any) -> None:
    model = regression()
    model.predict(X[:1])
    assert_good_error(lambda: model.predict(x), TypeError, "predict(): x")


def test_no_rows(any_backend: str) -> None:
    for model, width in ((regression(), 1), (classes(), 3)):
        empty = model.predict(X[:0])
        assert empty.shape == (0, width) and empty.dtype == np.float32
        assert_good_error(lambda m=model: m.evaluate(X[:0], Y[:0]), ValueError, "no samples")
    x = Input((3,))
    model = Model(x, [Dense(2)(x), Dense(4)(x)])
    assert [a.shape for a in model.predict(X[:0])] == [(0, 2), (0, 4)]


def test_some_steps_only(any_backend: str) -> None:
    model = regression()
    full = model.predict(X, verbose=0)
    assert alike(model.predict(X, batch_size=8, steps=2, verbose=0), full[:16])
    with pytest.warns(UserWarning, match=r"predict\(\): steps is 9 and the data have 3 batches"):
        assert alike(model.predict(X, batch_size=8, steps=9, verbose=0), full)


def test_results_are_the_callers(any_backend: str) -> None:
    model = regression()
    for x in (X, X[:1], X[:7]):
        first = model.predict(x, verbose=0)
        kept = first.copy()
        assert (first.flags.writeable and first.flags.owndata) or first.base is not None
        model.predict(x + 1, verbose=0)
        model.fit(X, Y, verbose=0)
        np.testing.assert_array_equal(first, kept)
        first[...] = 7
        second = model.predict(x, verbose=0)
        assert not (second == 7).any() and not np.shares_memory(first, second)


def test_predict_changes_nothing(any_backend: str) -> None:
    model = binary()
    model.fit(X, Y, verbose=0)
    before = fingerprint(model)
    metrics = [m.result() for m in model.metrics]
    for x in (X, X[:1], X[:7]):
        model.predict(x, verbose=0)
    assert fingerprint(model) == before
    assert [m.result() for m in model.metrics] == metrics
    model.evaluate(X, Y, verbose=0)
    assert fingerprint(model) == before


@pytest.mark.parametrize("any_backend", ["c"], indirect=True)
def test_a_row_alone_has_the_bits_it_has_in_a_batch(any_backend: str) -> None:
    """C only: the reference multiplies with NumPy's BLAS, whose bits depend on the shape."""
    rng = np.random.default_rng(0)
    for trial in range(200):
        features, hidden, units = (int(n) for n in rng.integers(1, 200, 3))
        n = int(rng.integers(1, 70))
        activation = ["relu", "tanh", "sigmoid", "linear", "gelu"][trial % 5]
        model = Sequential([Input((features,)), Dense(hidden, activation=activation),
                            Dense(units, activation="softmax" if units > 1 else "sigmoid", use_bias=trial % 3 > 0)])
        x = rng.normal(size=(n, features)).astype(np.float32)
        whole = model.predict(x, batch_size=n, verbose=0)
        size = int(rng.integers(1, n + 1))
        cut = model.predict(x, batch_size=size, verbose=0)
        assert whole.tobytes() == cut.tobytes(), (features, hidden, units, n, size)
        for i in (0, n - 1):
            assert whole[i].tobytes() == model.predict(x[i:i + 1])[0].tobytes(), (features, hidden, units, n, i)


def test_nan_stays_in_its_row(any_backend: str) -> None:
    model = regression()
    x = X.copy()
    clean = model.predict(x, verbose=0)
    x[4, 1] = np.nan
    y = model.predict(x, verbose=0)
    assert np.isnan(y[4]).all()
    np.testing.assert_array_equal(np.delete(y, 4, 0), np.delete(clean, 4, 0))
    assert np.isnan(model.predict(x[4:5])).all()


def test_several_threads_predict_with_one_model(any_backend: str) -> None:
    model = regression()
    inputs = [np.random.default_rng(i).normal(size=(50 + i % 3, 3)).astype(np.float32) for i in range(8)]
    expected = [model.predict(x, verbose=0) for x in inputs]
    wrong: list[Any] = []

    def work(i: int) -> None:
        try:
            for _ in range(20):
                rows = model.predict(inputs[i], batch_size=16, verbose=0)
                one = model.predict(inputs[i][:1])
                if not alike(rows, expected[i]) or not alike(one, expected[i][:1]):
                    wrong.append(i)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_predict_inside_its_own_callback(any_backend: str) -> None:
    model = regression()
    expected = model.predict(X, verbose=0)

    class Again(fastnn.callbacks.Callback):
        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            found.append(model.predict(X[::-1], verbose=0))

    found: list[Any] = []
    assert alike(model.predict(X, batch_size=8, verbose=0, callbacks=[Again()]), expected)
    assert len(found) == 3
    for y in found:
        assert alike(y, expected[::-1])


def test_outputs_without_a_row_for_each_sample_are_refused(any_backend: str) -> None:
    """Sums over the batch were given back as rows of it, filled up with zeros."""
    class Sums(Model):
        def call(self, x: Any) -> Any:
            return fastnn.ops.sum(x, axis=0)

    model = Sums()
    assert model(X[:7]).shape == (X.shape[1],)
    assert_good_error(lambda: model.predict(X[:7], verbose=0), ShapeError, f"({X.shape[1]},)", "7 samples", "needs",
                      "model(x)")


class Turned(Model):
    def call(self, x: Any) -> Any:
        return fastnn.ops.transpose(x)


class Summed(Model):
    def call(self, x: Any) -> Any:
        return fastnn.ops.sum(x, axis=0, keepdims=True)


@pytest.mark.parametrize("kind", [Turned, Summed])
def test_outputs_without_rows_are_refused_every_time(kind: Any) -> None:
    """However the rows come; of the same few rows the first predict only was looked at."""
    model = kind()
    for _ in range(3):
        assert_good_error(lambda: model.predict(X[:7], verbose=0), ShapeError, "7 samples", "needs one row", "model(x)")
    assert_good_error(lambda: model.predict(iter([X[:7]]), verbose=0), ShapeError, "7 samples", "needs one row")
    assert_good_error(lambda: model.predict(X[:40], batch_size=20, verbose=0), ShapeError, "needs one row")
