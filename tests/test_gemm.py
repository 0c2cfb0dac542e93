"""The matrix product: exact at every edge, the same bits along every path and for any number of threads; the machine
code of its tiles.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastnn.engine import backend, threads
from tests.conftest import needs_c

pytestmark = needs_c
LAYERS = [(2048, 64, 48), (512, 512, 512), (128, 784, 128), (256, 520, 2048), (32, 5408, 64), (4096, 64, 192),
          (21632, 9, 32), (32, 30, 16), (32, 8, 1), (1, 784, 128)]


def product(name: str, a: np.ndarray, b: np.ndarray, count: int = 1) -> np.ndarray:
    """a b from operands laid out as the kernel wants them, on `count` threads."""
    left = np.ascontiguousarray(a.T if name == "matmul_tn" else a)
    right = np.ascontiguousarray(b.T if name == "matmul_nt" else b)
    y = np.full((a.shape[0], b.shape[1]), np.nan, np.float32)
    asked = threads.wanted()
    try:
        threads.set_num_threads(count)
        backend.run_c(backend.kernels[name], (left, right), (y,), {}, parts=count)
    finally:
        threads.restore(asked)
    return y


def uniform(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("name", ["matmul", "matmul_nt", "matmul_tn"])
def test_integers_are_exact_at_every_edge(name: str) -> None:
    rng = np.random.default_rng(5)
    for m in (1, 2, 5, 6, 7, 13, 14, 15, 29, 65):
        for n in (1, 2, 3, 8, 15, 16, 17, 33, 63, 64, 65):
            for k in (1, 3, 7, 8, 9, 17, 64, 257):
                a, b = (rng.integers(-8, 9, shape).astype(np.float32) for shape in ((m, k), (k, n)))
                np.testing.assert_array_equal(product(name, a, b), a.astype(int) @ b.astype(int), err_msg=f"{m, k, n}")


@pytest.mark.parametrize("depth", [4095, 4096, 4103, 9001])
def test_integers_are_exact_where_the_sums_are_cut_into_chunks(depth: int) -> None:
    rng = np.random.default_rng(6)
    for m, n in ((1, 1), (1, 40), (9, 32), (64, 64), (65, 64)):
        a, b = (rng.integers(-8, 9, shape).astype(np.float32) for shape in ((m, depth), (depth, n)))
        for count in (1, 2, 3):
            np.testing.assert_array_equal(product("matmul_tn", a, b, count), a.astype(int) @ b.astype(int))


@pytest.mark.parametrize("depth", [511, 512, 513, 5408])
@pytest.mark.parametrize("columns", [1, 2, 17, 64, 128, 129])
def test_deep_products_of_few_columns_are_exact_and_alike_in_every_batch(depth: int, columns: int) -> None:
    """Pairs of workers take halves of the depth, other numbers of them rows, many rows go in blocks."""
    rng = np.random.default_rng(7)
    a, b = (rng.integers(-8, 9, shape).astype(np.float32) for shape in ((450, depth), (depth, columns)))
    for count in (1, 2, 3, 4):
        np.testing.assert_array_equal(product("matmul", a, b, count), a.astype(int) @ b.astype(int))
    a, b = uniform(450, depth), uniform(depth, columns)
    all_rows = product("matmul", a, b)
    for rows in (1, 2, 32, 131):
        for count in (1, 2, 3, 4):
            assert product("matmul", a[:rows], b, count).tobytes() == all_rows[:rows].tobytes(), (rows, count)


@pytest.mark.parametrize("shape", LAYERS, ids=str)
def test_a_layer_and_its_gradients_have_the_same_bits_for_any_number_of_threads(shape: tuple[int, int, int]) -> None:
    batch, inputs, units = shape
    x, w, dy = uniform(batch, inputs), uniform(inputs, units), uniform(batch, units)
    for name, a, b in (("matmul", x, w), ("matmul_nt", dy, w.T), ("matmul_tn", x.T, dy)):
        assert len({product(name, a, b, count).tobytes() for count in (1, 2, 3, 4)}) == 1, name


def test_every_path_gives_the_bits_of_the_three_loops() -> None:
    """One element alone is computed by the three loops (k <= 16); the same rows and columns inside larger products, by
    tiles, directly, transposed, in blocks and from copies."""
    for k in (1, 5, 16):
        a, b = uniform(300, k), uniform(k, 530)
        places = [(0, 0), (3, 17), (13, 31), (63, 63), (64, 1), (299, 529)]
        alone = [product("matmul", a[i:i + 1], np.ascontiguousarray(b[:, j:j + 1]))[0, 0] for i, j in places]
        for name in ("matmul", "matmul_nt", "matmul_tn"):
            for m, n in ((300, 530), (64, 64), (14, 32), (4, 32), (64, 1), (1, 64)):
                y = product(name, a[:m], b[:, :n])
                for (i, j), expected in zip(places, alone):
                    if i < m and j < n:
                        assert y[i, j] == expected, (name, m, k, n, i, j)


def test_a_row_has_the_same_bits_in_every_batch() -> None:
    w = uniform(784, 100)
    x = uniform(256, 784)
    together = product("matmul", x, w)
    for rows in (1, 2, 33, 100):
        assert product("matmul", x[:rows], w).tobytes() == together[:rows].tobytes()


@pytest.mark.parametrize("n", [1, 3, 17, 40])
def test_relu_of_minus_zero_is_zero_along_every_path(n: int) -> None:
    zeros, y = np.zeros((n, n), np.float32), np.full((n, n), np.nan, np.float32)
    backend.run_c(backend.kernels["dense"], (-zeros, zeros + 1, -zeros[0]), (y,), {"activation": "relu"}, parts=1)
    assert (y == 0).all() and not np.signbit(y).any()


SUMS = "from tests.test_gemm import check_isa; check_isa()"


def check_isa() -> None:
    """For a process with another FASTNN_ISA."""
    for name in ("matmul", "matmul_nt", "matmul_tn"):
        for m, k, n in ((5, 9, 3), (65, 300, 33), (32, 8, 1), (1, 32, 8), (9, 5000, 32), (200, 40, 90)):
            a, b = (np.rint(8 * uniform(*shape)) for shape in ((m, k), (k, n)))
            for count in (1, 2):
                np.testing.assert_array_equal(product(name, a, b, count), a.astype(int) @ b.astype(int))


@pytest.mark.parametrize("isa", [name for name, usable in backend._engine.isas() if usable] if backend._engine else [])
def test_every_instruction_set(isa: str) -> None:
    result = subprocess.run([sys.executable, "-c", SUMS], env={**os.environ, "FASTNN_ISA": isa}, capture_output=True,
                            text=True, timeout=300, cwd=Path(__file__).parents[1])
    assert result.returncode == 0, result.stderr


def functions(pattern: str) -> dict[str, list[list[str]]]:
    """{name: instructions of each copy} of the compiled functions whose name matches."""
    if shutil.which("objdump") is None:
        pytest.skip("objdump is not installed")
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", backend._engine.__file__], capture_output=True,
                          text=True, check=True).stdout
    found: dict[str, list[list[str]]] = {}
    for block in text.split("\n\n"):
        lines = block.strip().splitlines()
        name = re.fullmatch(r"[0-9a-f]+ <(.+)>:", lines[0]) if lines else None
        if name and re.fullmatch(pattern, name[1]):
            found.setdefault(name[1], []).append([line.strip() for line in lines[1:]])
    if not found:
        pytest.skip("the module was stripped of its symbols")
    return found


def loops(instructions: list[str]) -> list[list[str]]:
    """The stretches between a backward jump and its target."""
    addresses = [int(line.split(":")[0], 16) for line in instructions]
    found = []
    for end, line in enumerate(instructions):
        jump = re.search(r"\b(?:j[a-z]+|b\.[a-z]+)\s+([0-9a-f]+)", line)      # of x86 and of arm64
        if jump and int(jump[1], 16) in addresses[:end]:
            found.append(instructions[addresses.index(int(jump[1], 16)):end + 1])
    return found


@pytest.mark.parametrize("register, tile", [("zmm", (14, 2)), ("zmm", (6, 4)), ("ymm", (6, 2))])
def test_the_inner_loop_stays_in_registers(register: str, tile: tuple[int, int]) -> None:
    rows, vectors = tile
    copies = [copy for copy in functions(rf"tile_{rows}x{vectors}").get(f"tile_{rows}x{vectors}", [])
              if any(f"%{register}" in line and "vfmadd" in line for line in copy)]
    if not copies:
        pytest.skip(f"this build has no tile of {rows} x {vectors} in {register}")
    for copy in copies:
        inner = [loop for loop in loops(copy) if sum("vfmadd" in line for line in loop) == rows * vectors
                 and len(loop) <= 3 * rows * vectors]      # longer ones go back to what comes before the loop
        assert inner, "no loop with one fused multiply-add per accumulator"
        for loop in inner:
            assert not [line for line in loop if re.search(r"\(%r[sb]p", line)], "a register was spilled"
            assert not [line for line in loop if re.search(r"vmov\w+\s+%[xyz]mm\d+,.*\(", line)], "a store in the loop"
