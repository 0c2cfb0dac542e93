"""What a call is taken to cost decides how many workers it is worth: by its sizes, whatever its kernel's axes are."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.engine.tensor import Tensor
from fastnn.engine.threads import WORTH_A_WORKER, parts
from tests.cases import CASES
from tests.cases._case import Case
from tests.conftest import needs_c
from tests.ops import OPS


def parts_of(name: str, *shapes: tuple[int, ...], labels: bool = False, **constants: Any) -> int:
    """The most workers of an op on arrays of these shapes."""
    arrays = [Tensor(np.zeros(shape, np.int32 if labels and not i else np.float32)) for i, shape in enumerate(shapes)]
    return OPS[name].parts(arrays, constants)


def test_a_worker_is_for_so_many_nanoseconds() -> None:
    found = [parts(x * WORTH_A_WORKER) for x in (0.0, 0.99, 1.99, 2.0, 7.5, 1e9, float("inf"))]
    assert found == [1, 1, 1, 2, 7, 10 ** 9, 2 ** 40]


@pytest.mark.parametrize("name", ["matmul", "matmul_nt", "matmul_tn"])
def test_narrow_products_are_priced_by_whole_vectors(name: str) -> None:
    """(10000, 16) by (16, 4) takes 50 us on one core, a third of what (10000, 64) by (64, 4) takes."""
    a, b = ((16, 10000), (16, 4)) if name == "matmul_tn" else ((10000, 16), (4, 16) if name == "matmul_nt" else (16, 4))
    assert 4 <= parts_of(name, a, b) <= 10


def test_the_depth_of_a_sum_is_work() -> None:
    assert parts_of("sum", (1000000, 4), axes=(0,)) > 10
    assert parts_of("sum", (1000000, 4), axes=(0, 1)) == 1         # one number is one worker's
    assert parts_of("prelu_alpha_grad", (100000, 3), (100000, 3)) > 2


def test_a_loss_is_priced_by_its_classes() -> None:
    few, many = (parts_of("sparse_softmax_crossentropy", (64,), (64, n), labels=True, ignore=-1) for n in (10, 5000))
    assert few == 1 and many > 10


def test_a_convolution_is_priced_by_its_taps() -> None:
    settings = dict(strides=(1, 1), pads=(0, 0, 0, 0), dilation=(1, 1), groups=1, activation="linear")
    one, nine, many = (parts_of("conv2d", (8, 32 + k - 1, 32 + k - 1, 8), (k, k, 8, 16), (16,), **settings)
                       for k in (1, 3, 7))
    assert 4 * one < nine < many / 4


def test_cutting_and_gathering_are_priced_by_what_they_give() -> None:
    assert parts_of("slice", (100000, 10), axis=0, begin=0, end=10) == 1
    x, order, cursor = np.zeros((100000, 10), np.float32), np.zeros(100000, np.int32), np.zeros((), np.int64)
    assert OPS["gather_rows"].parts([Tensor(x), Tensor(order), Tensor(cursor)], dict(batch=32)) == 1


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_every_rule_knows_its_sizes(case: Case) -> None:
    for sizes in case.sizes(3):
        arrays = [Tensor(a) for a in case.inputs(case.rng(), sizes)]
        assert OPS[case.kernel].parts(arrays, case.constants) >= 1


@needs_c
def test_a_small_net_is_one_worker_s() -> None:
    """The whole step of the study guide's chapter 53: what a second worker costs is more than it could save."""
    model = fastnn.Sequential([layers.Dense(16, activation="relu", input_shape=(30,)),
                               layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((64, 30)), np.arange(64) % 2, verbose=0)
    for program in model.programs:
        assert set(program.parts()) == {1}, program
