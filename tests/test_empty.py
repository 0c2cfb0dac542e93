"""Arrays with an axis of length 0: an empty or a neutral result, or an error that says what is wrong; never a crash."""

import subprocess
import sys

import numpy as np
import pytest

from fastnn import layers, ops
from fastnn.engine.check import compare
from fastnn.engine.gradient import GradientTape
from fastnn.engine.tensor import Tensor
from tests.cases import CASES
from tests.cases._case import Case
from tests.conftest import needs_c
from tests.errors import FOREIGN
from tests.ops import OPS
from tests.public import CASES as PUBLIC


def without(shapes: list[tuple[int, ...]], length: int) -> list[np.ndarray]:
    """Zeros of these shapes, with all axes of this length made 0."""
    return [np.zeros(tuple(0 if n == length else n for n in shape), np.float32) for shape in shapes]


def emptied(case: Case) -> list[list[np.ndarray]]:
    """The inputs of a kernel's case with all axes of one length made 0, for each length."""
    inputs = case.inputs(case.rng(), dict(zip(case.letters, (3, 5, 7, 11, 13, 17, 19))))
    shapes = [a.shape for a in inputs]
    return [[a.astype(b.dtype) for a, b in zip(without(shapes, length), inputs)]
            for length in sorted({n for shape in shapes for n in shape})]


def walk_ops() -> int:
    """How many calls of ops on empty arrays ran: C must agree with the reference, which computes each of them too."""
    ran = 0
    for case in CASES:
        for arrays in emptied(case):
            print(case, [a.shape for a in arrays], flush=True)
            op = OPS[case.kernel]
            try:
                made = op(*[Tensor(a.copy()) for a in arrays], **case.constants)
            except (ValueError, TypeError) as error:
                assert str(error).startswith((f"{case.kernel}: ", case.kernel.rsplit("_grad", 1)[0])), error
                continue
            outputs = made if isinstance(made, tuple) else (made,)
            problem = compare(op, tuple(arrays), tuple(t.data for t in outputs), case.constants)
            assert not problem, problem
            ran += 1
    return ran


def walk_layers() -> int:
    """How many calls of layers on empty arrays ran, each with the gradients of its weights."""
    ran = 0
    for case in PUBLIC:
        if not case.inputs or not issubclass(case.kind, layers.Layer):
            continue
        for axis in range(max(map(len, case.inputs))):
            inputs = [np.zeros(tuple(0 if i == axis else n for i, n in enumerate(shape)), np.float32)
                      for shape in case.inputs]
            print(case, [x.shape for x in inputs], flush=True)
            try:
                layer = case.make()
                with GradientTape() as tape:
                    made = layer(inputs[0] if len(inputs) == 1 else inputs)
                    total = ops.sum(made[0] if isinstance(made, (list, tuple)) else made)
                for gradient in tape.gradient(total, layer.trainable_variables) if layer.trainable_variables else []:
                    assert gradient is None or axis or not np.asarray(gradient).any(), "nothing has a gradient"
                ran += 1
            except (ValueError, TypeError) as error:
                assert all(phrase not in str(error) for phrase in FOREIGN), error
    return ran


@needs_c
@pytest.mark.parametrize(("walk", "least"), [("ops", 1000), ("layers", 80)])
def test_nothing_dies_of_an_empty_axis(walk: str, least: int) -> None:
    """In a process of its own: a division by 0 in C would end this one."""
    code = f"from tests.test_empty import walk_{walk}; assert walk_{walk}() > {least}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, f"{done.stdout.splitlines()[-1:]}: {done.stderr[-1500:]}"


@needs_c
def test_sums_of_nothing_are_biases() -> None:
    """A product over 0 columns of a large matrix: it did not end."""
    x, w, b = np.zeros((300, 0), np.float32), np.zeros((0, 260), np.float32), np.arange(260, dtype=np.float32)
    np.testing.assert_array_equal(OPS["matmul"](x, w).data, np.zeros((300, 260)))
    np.testing.assert_allclose(OPS["dense"](x, w, b, activation="tanh").data, np.tile(np.tanh(b), (300, 1)), 1e-6)


def test_rows_of_no_positions_are_normalized_to_none() -> None:
    """Of a batch, and where the batch is not known."""
    x = np.zeros((2, 0, 4), np.float32)
    for layer in (layers.LayerNormalization(), layers.BatchNormalization(), layers.GroupNormalization(2)):
        assert layer(x).shape == (2, 0, 4)
        assert layer(Tensor(None, shape=(None, 0, 4), dtype="float32")).shape == (None, 0, 4)
