"""predict of a few rows: the straight way gives the bits of the long one, and is taken only where it may be."""

import threading
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.training.few_rows import KEPT, MOST_BYTES

RNG = np.random.default_rng(0)


def a_model() -> Any:
    fastnn.random.set_seed(3)
    return fastnn.Sequential([fastnn.Input((7,)), layers.Dense(11, activation="tanh"), layers.BatchNormalization(),
                              layers.Dense(3, activation="softmax")])


def rows(n: int) -> np.ndarray:
    return RNG.normal(size=(n, 7)).astype(np.float32)


def the_long_way(model: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(x, batch_size=32, verbose=0))


def recorded(model: Any) -> list[int]:
    return [key[0][0] for key in model._straights._found]


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 100, 256])
def test_same_bits_as_the_long_way(n: int, any_backend: str) -> None:
    model, x = a_model(), rows(n)
    for _ in range(3):      # long or recording; recording; replayed
        y = model.predict(x, verbose=0)
        assert y.tobytes() == the_long_way(model, x).tobytes()
        x = rows(n)
    assert recorded(model) == [n]
    before = y.copy()
    model.predict(x, verbose=0)
    np.testing.assert_array_equal(y, before)        # the user's array, not ours


def test_several_rows_are_recorded_when_their_shape_comes_twice() -> None:
    model = a_model()
    for n in (5, 6, 5, 6):
        model.predict(rows(n), verbose=0)
    assert recorded(model) == []
    model.predict(rows(6), verbose=0)
    model.predict(rows(1), verbose=0)
    assert recorded(model) == [6, 1]


def test_new_weights_and_an_edited_model_are_seen() -> None:
    model, x = a_model(), rows(5)
    first = [model.predict(x, verbose=0) for _ in range(3)][-1]
    model.set_weights([w + np.float32(0.5) for w in model.get_weights()])
    second = model.predict(x, verbose=0)
    assert np.abs(first - second).max() > 1e-3 and second.tobytes() == the_long_way(model, x).tobytes()
    model.add(layers.Dense(2))
    assert model.predict(x, verbose=0).shape == (5, 2)


@pytest.mark.parametrize("x", [rows(4).astype(np.float64), RNG.integers(0, 9, (4, 7)), RNG.random((4, 7)) > 0.5,
                               RNG.integers(0, 9, (4, 7), np.uint8), np.asfortranarray(rows(4)), rows(8)[::2]])
def test_any_numbers(x: np.ndarray) -> None:
    model = a_model()
    for _ in range(3):
        assert model.predict(x, verbose=0).tobytes() == the_long_way(model, x).tobytes()
    assert recorded(model) == [4]


def test_where_it_is_not_taken(capsys: pytest.CaptureFixture[str]) -> None:
    model = a_model()
    for _ in range(3):
        model.predict(rows(5), verbose=1)           # there is progress to show
        model.predict(rows(64))
        model.predict(rows(MOST_BYTES // 28 + 1), verbose=0)
        model.predict(list(rows(2)), verbose=0)
        with pytest.raises(fastnn.ShapeError):
            model.predict(np.ones((2, 6), np.float32), verbose=0)
        with pytest.raises(fastnn.ShapeError):
            model.predict(np.ones((1, 6), np.float32), verbose=0)
    assert recorded(model) == []
    assert "1/1" in capsys.readouterr().out
    branch = layers.Dense(2)
    x = fastnn.Input((7,))
    two = fastnn.Model(x, [branch(x), layers.Dense(3)(x)])
    for _ in range(3):
        assert [y.shape for y in two.predict(rows(4), verbose=0)] == [(4, 2), (4, 3)]
    assert recorded(two) == []


def test_layers_run_in_python_where_that_was_asked_for() -> None:
    model, calls = a_model(), []

    class Counting(layers.Layer):
        def call(self, x: Any) -> Any:
            calls.append(x.shape)
            return x * 2.0

    model.add(Counting())
    model.compile("sgd", "mse", run_eagerly=True)
    for _ in range(4):
        model.predict(rows(1), verbose=0)
    assert len(calls) >= 4


def test_buffers_are_kept_for_some_shapes_only() -> None:
    model = a_model()
    for n in range(1, KEPT + 6):
        for _ in range(2):
            model.predict(rows(n), verbose=0)
    assert recorded(model) == list(range(6, KEPT + 6))


def test_two_threads_at_once() -> None:
    model, xs, wrong = a_model(), [rows(9), rows(9)], []
    wanted = [the_long_way(model, x).tobytes() for x in xs]
    model.predict(xs[0], verbose=0)

    def work(i: int) -> None:
        for _ in range(300):
            if model.predict(xs[i], verbose=0).tobytes() != wanted[i]:
                wrong.append(i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
