"""to_categorical, set_random_seed and normalize do what Keras' do, and say so where Keras guesses."""

import random
import sys
import types
from typing import Any

import numpy as np
import pytest

from fastnn.engine.tensor import Tensor
from fastnn.ops import convert_to_tensor
from fastnn.utils import normalize, set_random_seed, to_categorical


# Outputs of keras.utils.to_categorical, Keras 3.15.
@pytest.mark.parametrize("shape, expected", [
    ((), (3,)), ((1,), (1, 3)), ((4,), (4, 3)), ((4, 1), (4, 3)), ((1, 1), (1, 3)), ((2, 5), (2, 5, 3)),
    ((2, 5, 1), (2, 5, 3)), ((2, 1, 5), (2, 1, 5, 3)), ((0,), (0, 3)), ((0, 1), (0, 3)), ((2, 0), (2, 0, 3)),
])
def test_to_categorical_shapes(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    x = np.arange(int(np.prod(shape))).reshape(shape) % 3
    y = to_categorical(x, num_classes=3)
    assert y.shape == expected and y.dtype == np.float64
    assert np.array_equal(y.reshape(-1, 3), np.eye(3)[x.reshape(-1)])


@pytest.mark.parametrize("x", [
    [0, 2, 1], (0, 2, 1), np.array([0, 2, 1], dtype=np.uint8), np.array([0.0, 2.0, 1.0]),
    np.array([0, 2, 1], dtype=object), np.array([0, 2, 1], dtype=">i4"), np.array([[0], [2], [1]]), ["0", "2", "1"],
    np.array([0, 9, 2, 9, 1])[::2],
])
def test_to_categorical_inputs(x: Any) -> None:
    assert to_categorical(x).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_to_categorical_num_classes() -> None:
    assert to_categorical([0, 1]).shape == (2, 2)
    assert to_categorical([0, 1], np.int64(5)).shape == (2, 5)  # type: ignore[arg-type]
    assert to_categorical([True, False]).tolist() == [[0, 1], [1, 0]]
    x = np.array([1, 0])
    to_categorical(x)[:] = 7
    assert x.tolist() == [1, 0]


@pytest.mark.parametrize("x, classes, message", [
    ([0, 3], 3, r"label 3; with num_classes=3 labels must be 0 \.\. 2; .*num_classes=4"),
    ([-1, 1], None, r"label -1; labels must not be negative; renumber"),
    ([-1, 1], 3, r"label -1"),
    ([0, 0.5], None, r"0\.5; labels must be whole"),
    ([0, float("nan")], None, r"nan; labels must be whole"),
    ([0, float("inf")], None, r"inf; labels must be whole"),
    ([0, 1e300], None, r"1e\+300; labels must be whole"),
    (np.array([2**64 - 1], dtype=np.uint64), None, r"labels must not be negative"),
    (["cat", "dog"], None, r"not an array of numbers .*np\.unique"),
    ([[0, 1], [0]], None, r"not an array of numbers"),
    ([None], None, r"nan; labels must be whole|not an array of numbers"),
    ([1 + 2j], None, r"not an array of numbers .*complex"),
    (np.array(["2020-01-01"], dtype="M8[D]"), None, r"not an array of numbers"),
    ([], None, r"x is empty"),
    ([0], 0, r"num_classes is 0"),
    ([0], -3, r"num_classes is -3"),
    ([0], 2.0, r"num_classes is 2\.0"),
    ([0], "2", r"num_classes is '2'"),
    ([0], True, r"num_classes is True"),
])
def test_to_categorical_refuses(x: Any, classes: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"^to_categorical: .*({message})"):
        to_categorical(x, classes)


@pytest.fixture
def own_seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stands in for fastnn.random and collects the seeds it is given."""
    seeds: list[int] = []
    stand_in = types.ModuleType("fastnn.random")
    stand_in.set_seed = seeds.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fastnn.random", stand_in)
    return seeds


@pytest.fixture(autouse=True)
def global_generators() -> Any:
    states = random.getstate(), np.random.get_state()
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1, np.int64(42)])
def test_set_random_seed_seeds_all_three(own_seeds: list[int], seed: int) -> None:
    set_random_seed(seed)
    drawn = random.random(), np.random.random()
    assert own_seeds == [int(seed)] and type(own_seeds[0]) is int
    assert drawn == (random.Random(int(seed)).random(), np.random.RandomState(int(seed)).random())


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", None, True, float("nan"), [1]])
def test_set_random_seed_refuses(own_seeds: list[int], seed: Any) -> None:
    before = random.getstate(), np.random.get_state()[1].tobytes()  # type: ignore[index, union-attr]
    with pytest.raises((TypeError, ValueError), match=r"set_random_seed: seed is .*needs a whole number"):
        set_random_seed(seed)
    assert own_seeds == []
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before  # type: ignore[index, union-attr]


def test_set_random_seed_reaches_fastnn() -> None:
    from fastnn.seeds import new_stream

    before = new_stream()
    for _ in range(2):
        set_random_seed(5)
        assert new_stream() == (5, 1)
    set_random_seed(0)
    assert new_stream() != before


@pytest.mark.parametrize("axis, order", [(-1, 2), (0, 2), (1, 1), (1, np.inf), ((0, 1), 2)])
def test_normalize(axis: Any, order: float) -> None:
    x = np.random.RandomState(0).randn(4, 4).astype(np.float32)
    y = normalize(x, axis, order)
    assert y.dtype == np.float32 and y.shape == x.shape
    if isinstance(axis, int):
        np.testing.assert_allclose(np.linalg.norm(y, order, axis), 1, rtol=1e-6)
    np.testing.assert_allclose(y * np.linalg.norm(x, order, axis, keepdims=True), x, rtol=1e-5)


def test_normalize_small_cases() -> None:
    assert normalize([3, 4]).tolist() == [0.6, 0.8]
    assert normalize([[0, 0], [0, 2]]).tolist() == [[0, 0], [0, 1]]
    assert normalize(np.ones((2, 2)), axis=None).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_tensors_give_tensors() -> None:
    x = convert_to_tensor([[3.0, 4.0], [0.0, 0.0]])
    for found, want in ((normalize(x), [[0.6, 0.8], [0, 0]]),
                        (to_categorical(convert_to_tensor([0, 2]), 3), [[1, 0, 0], [0, 0, 1]])):
        assert isinstance(found, Tensor)
        np.testing.assert_allclose(found.numpy(), want)
