"""Sums over very many terms: as near to the exact ones as short sums are, and the same bits for any number of threads.

A float32 sum of equal terms drifts: the millionth 0.1 is added to 100,000, whose next number is 1/128 away. Chains of
512 terms that start at 0 are 4e-6 off, and so is the sum of any number of them where nothing is lost in adding them up.
"""

from typing import Any

import numpy as np
import pytest

import fastnn as fnn
from fastnn import ops
from fastnn.engine import backend, threads
from tests.conftest import needs_c

pytestmark = needs_c
TENTH = float(np.float32(0.1))
BOUND = 1e-5


def run(name: str, *inputs: np.ndarray, shapes: list[tuple[int, ...]], parts: int = 1,
        **constants: Any) -> list[np.ndarray]:
    """The outputs of a C kernel, computed by `parts` threads."""
    outputs = tuple(np.full(shape, np.nan, np.float32) for shape in shapes)
    asked = threads.wanted()
    try:
        threads.set_num_threads(parts)
        backend.run_c(backend.kernels[name], inputs, outputs, constants, parts=parts)
    finally:
        threads.restore(asked)
    return list(outputs)


def error(sums: np.ndarray, terms: int) -> float:
    """How far sums of `terms` tenths are off, relative to them."""
    return float(np.abs(sums.astype(float) / (terms * TENTH) - 1).max())


def product(name: str, a: np.ndarray, b: np.ndarray, parts: int = 1) -> np.ndarray:
    left = np.ascontiguousarray(a.T if name == "matmul_tn" else a)
    right = np.ascontiguousarray(b.T if name == "matmul_nt" else b)
    return run(name, left, right, shapes=[(a.shape[0], b.shape[1])], parts=parts)[0]


def test_a_product_over_a_million_terms() -> None:
    depth = 1_000_000
    product = ops.matmul(np.ones((8, depth), np.float32), np.full((depth, 16), 0.1, np.float32))
    assert error(fnn.ops.convert_to_numpy(product), depth) < BOUND


@pytest.mark.slow
def test_a_product_over_five_million_terms() -> None:
    depth = 5_000_000
    product = ops.matmul(np.ones((8, depth), np.float32), np.full((depth, 16), 0.1, np.float32))
    assert error(fnn.ops.convert_to_numpy(product), depth) < BOUND


@pytest.mark.parametrize("name", ["matmul", "matmul_nt", "matmul_tn"])
def test_products_of_every_shape_do_not_drift(name: str) -> None:
    """Few columns are two sums, few of both over a batch eight, others one; each is cut where it is long."""
    for depth, sizes in ((70_001, [(1, 1), (8, 16), (1, 40), (40, 1), (70, 70)]), (20_011, [(300, 100), (90, 200)])):
        for m, n in sizes:
            y = product(name, np.ones((m, depth), np.float32), np.full((depth, n), 0.1, np.float32))
            assert error(y, depth) < BOUND, (depth, m, n)


@pytest.mark.parametrize("name", ["matmul", "matmul_nt", "matmul_tn"])
def test_integers_are_exact_at_the_edges_of_pieces_for_any_number_of_threads(name: str) -> None:
    rng = np.random.default_rng(8)
    for depth in (8193, 16_390, 65_550):
        for m, n in ((1, 35), (15, 1), (9, 33), (231, 126)):
            if m * n > 1000 and depth > 20_000:
                continue
            a, b = (rng.integers(-4, 5, shape, np.int8).astype(np.float32) for shape in ((m, depth), (depth, n)))
            want = a @ b      # exact: below 2^24
            for count in (1, 2):
                np.testing.assert_array_equal(product(name, a, b, count), want, err_msg=f"{m, depth, n, count}")


def test_a_row_has_the_same_bits_in_every_batch() -> None:
    rng = np.random.default_rng(9)
    for columns in (5, 130):
        a, b = (rng.uniform(-1, 1, s).astype(np.float32) for s in ((260, 16_400), (16_400, columns)))
        together = product("matmul", a, b)
        for rows in (1, 2, 33):
            for count in (1, 2, 4):
                assert product("matmul", a[:rows], b, count).tobytes() == together[:rows].tobytes(), (rows, count)


@pytest.mark.parametrize("name, axes", [("batch_matmul", (0, 1)), ("batch_matmul_nt", (0, 2)),
                                        ("batch_matmul_tn", (1, 1))])
def test_stacks_of_products(name: str, axes: tuple[int, int]) -> None:
    depth = 30_000
    for m, n in ((3, 5), (5, 131)):
        a = np.ones((2, m, depth) if axes[0] == 0 else (2, depth, m), np.float32)
        b = np.full((2, depth, n) if axes[1] == 1 else (2, n, depth), 0.1, np.float32)
        one, two = (run(name, a, b, shapes=[(2, m, n)], parts=count)[0] for count in (1, 2))
        assert one.tobytes() == two.tobytes() and error(one, depth) < BOUND


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
@pytest.mark.parametrize("units", [7, 140])
def test_a_dense_layer_of_very_many_inputs(activation: str, units: int) -> None:
    depth, rows = 20_000, 15
    x, w = np.ones((rows, depth), np.float32), np.full((depth, units), 0.1, np.float32)
    w[:, ::2] *= -1
    b = np.linspace(-2, 2, units, dtype=np.float32)
    one, two = (run("dense", x, w, b, shapes=[(rows, units)], parts=n, activation=activation)[0] for n in (1, 2))
    exact = x.astype(float) @ w + b
    want = {"linear": exact, "relu": np.maximum(exact, 0), "tanh": np.tanh(exact)}[activation]
    assert one.tobytes() == two.tobytes()
    np.testing.assert_allclose(one, want, rtol=BOUND)


def test_gradients_of_a_dense_layer_over_very_many_rows() -> None:
    rows = 300_000
    for inputs, units in ((20, 40), (4, 3), (1, 1), (7, 1)):
        x, dy = np.full((rows, inputs), 0.1, np.float32), np.ones((rows, units), np.float32)
        dw, db = run("weights_grad", x, dy * np.float32(0.1), shapes=[(inputs, units), (units,)])
        assert error(db, rows) < BOUND and error(dw * np.float32(10), rows) < BOUND, (inputs, units)
        for count in (1, 2):
            assert error(run("sum_rows", x, shapes=[(inputs,)], parts=count)[0], rows) < BOUND


def test_a_recurrent_layer_over_very_many_steps() -> None:
    """The gradient of its input's weights is a product over all steps of all rows."""
    layer = fnn.layers.SimpleRNN(2, activation="linear", return_sequences=True, recurrent_initializer="zeros")
    x = fnn.ops.convert_to_tensor(np.full((100, 2000, 3), 0.1, np.float32))
    layer(x)
    with fnn.GradientTape() as tape:
        total = ops.sum(layer(x))
    kernel, _, bias = tape.gradient(total, layer.trainable_variables)
    assert error(kernel.numpy(), 200_000) < BOUND
    assert abs(bias.numpy() / 200_000 - 1).max() < BOUND


IMAGES = {"few": (16, 3, 16, 1), "one": (16, 1, 5, 1), "each alone": (16, 8, 8, 8), "groups": (16, 8, 16, 4),
          "many": (4, 64, 64, 1)}


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("pad", [0, 1])
def test_gradients_of_a_convolution_over_very_many_pixels(kind: str, pad: int) -> None:
    count, channels, filters, groups = IMAGES[kind]
    size, out = 100, 98 + 2 * pad
    x, dy = np.full((count, size, size, channels), 0.1, np.float32), np.ones((count, out, out, filters), np.float32)
    one, two = (run("conv2d_weights_grad", x, dy, shapes=[(3, 3, channels // groups, filters)], parts=n, size=(3, 3),
                    strides=(1, 1), pads=(pad,) * 4, dilation=(1, 1), groups=groups)[0] for n in (1, 2))
    padded = np.pad(np.full((size, size), TENTH), pad)
    want = np.array([[count * padded[i:i + out, j:j + out].sum() for j in range(3)] for i in range(3)])
    assert one.tobytes() == two.tobytes()
    np.testing.assert_allclose(one, np.broadcast_to(want[..., None, None], one.shape), rtol=BOUND)


@pytest.mark.parametrize("channels, filters", [(1, 8), (3, 70), (16, 64)])
def test_gradients_of_a_pooled_convolution(channels: int, filters: int) -> None:
    count, pooled = (16, 96) if filters < 64 else (1, 130)
    x = np.full((count, 2 * pooled + 2, 2 * pooled + 2, channels), 0.1, np.float32)
    dy = np.full((count, pooled, pooled, filters), 0.1, np.float32)
    argmax = np.zeros(dy.shape, np.uint8)
    outputs = [run("conv2d_relu_pool_grad", x, dy, argmax, shapes=[(3, 3, channels, filters), (filters,)],
                   parts=n, size=(3, 3), strides=(1, 1), dilation=(1, 1)) for n in (1, 2)]
    assert all(a.tobytes() == b.tobytes() for a, b in zip(*outputs))
    dw, db = outputs[0]
    assert error(db, count * pooled ** 2) < BOUND
    assert error(dw * np.float32(10), count * pooled ** 2) < BOUND


def test_what_is_infinite_or_no_number_stays_so() -> None:
    depth = 20_000
    for value in (np.inf, -np.inf, np.nan):
        for place in (0, 3000, depth - 1):
            a, b = np.full((3, depth), 0.1, np.float32), np.ones((depth, 200), np.float32)
            a[1, place] = value
            y = product("matmul", a, b)
            np.testing.assert_array_equal(y[1], np.full(200, value, np.float32))
            assert error(y[[0, 2]], depth) < BOUND
    huge = product("matmul", np.full((2, depth), 1e36, np.float32), np.ones((depth, 200), np.float32))
    np.testing.assert_array_equal(huge, np.full((2, 200), np.inf, np.float32))
