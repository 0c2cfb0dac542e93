"""One call for the gradients of a dense layer gives the bits of the three that it stands for."""

import itertools

import numpy as np
import pytest

from fastnn import ops
from fastnn.engine import backend
from fastnn.ops.rows.activation import before_activation
from fastnn.ops.rows.dense import dense_grad, weights_grad

SIZES = [*itertools.product((1, 4, 16, 17, 32, 33, 130), (1, 2, 4, 15, 16, 17, 18, 30, 33),
                            (1, 2, 4, 8, 9, 15, 16, 17)), (600, 5, 7), (4100, 9, 3), (5000, 3, 1)]


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh", "sigmoid"])
def test_same_bits_as_three_calls(activation: str) -> None:
    rng = np.random.default_rng(1)
    for batch, rows, columns in SIZES:
        x, dy, y = (rng.uniform(-1, 1, (batch, n)).astype(backend.floatx()) for n in (rows, columns, columns))
        dz, dw, db = dense_grad(x, dy, y, activation=activation)
        want = before_activation(ops.convert_to_tensor(dy), ops.convert_to_tensor(y), activation).numpy()
        sizes = f"{batch} rows, {rows} x {columns}"
        assert dz.numpy().tobytes() == want.tobytes(), sizes
        for one, two in ((dw, ops.matmul_tn(x, want)), (db, ops.sum_rows(want))):
            assert one.numpy().tobytes() == two.numpy().tobytes(), sizes
        for one, two in zip((dw, db), weights_grad(x, want)):
            assert one.numpy().tobytes() == two.numpy().tobytes(), sizes
