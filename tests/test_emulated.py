"""On CPUs that this machine does not have: qemu runs fastnn on an old one, and CPUID decides what is used."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn
from fastnn.engine import backend
from tests.conftest import needs_c
from tests.test_gemm import loops

ROOT = Path(fastnn.__file__).resolve().parents[1]
QEMU = shutil.which("qemu-x86_64")
ARM_GCC, ARM_QEMU = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
ARM_FLAGS = ["-O3", "-std=gnu11", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-static",
             "-Wno-unknown-pragmas", "-Wno-psabi", "-Wno-unused-function", "-DFASTNN_ISA=baseline", "-DHAVE_baseline"]
# A CPU model of qemu, and the instruction set that must be chosen on it: SSE4.2 without AVX; AVX2 and FMA.
CPUS = [("Nehalem", "baseline"), ("Haswell", "avx2")]

pytestmark = needs_c
needs_qemu = pytest.mark.skipif(not QEMU, reason="qemu-x86_64 is not there (qemu-user)")
needs_arm = pytest.mark.skipif(not (ARM_GCC and ARM_QEMU and (ROOT / "csrc").is_dir()),
                               reason="needs aarch64-linux-gnu-gcc, qemu-aarch64 and the sources")

SCRIPT = """
import numpy as np, fastnn
from fastnn import ops
print("isa", fastnn.config.configuration()["isa"])
rng = np.random.default_rng(0)
with fastnn.config.using(backend="check"):      # each call on C and on the reference; an error where they differ
    for n in (1, 7, 33):
        a = rng.normal(size=(n, 19)).astype(np.float32)
        b = rng.normal(size=(19, n + 4)).astype(np.float32)
        for y in (ops.matmul(a, b), ops.tanh(a), ops.exp(a), ops.softmax(a), ops.sum(a), ops.argmax(a)):
            assert np.isfinite(y.numpy()).all()
    model = fastnn.Sequential([fastnn.Input((5,)), fastnn.layers.Dense(18, activation="relu"),
                               fastnn.layers.Dropout(0.2), fastnn.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = rng.normal(size=(50, 5)).astype(np.float32)
    model.fit(x, rng.integers(0, 3, 50).astype(np.int32), epochs=1, batch_size=20, verbose=0)
x, y = rng.normal(size=(64, 2)).astype(np.float32), np.zeros(64, np.float32)
y[x[:, 0] * x[:, 1] > 0] = 1
model = fastnn.Sequential([fastnn.Input((2,)), fastnn.layers.Dense(12, activation="tanh"),
                           fastnn.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy")
loss = model.fit(x, y, epochs=60, batch_size=16, verbose=0).history["loss"]
assert loss[-1] < loss[0], loss
print("trained")
"""


def emulated(cpu: str, *words: str) -> str:
    """What Python printed on that CPU."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FASTNN_", "PYTEST"))}
    done = subprocess.run([str(QEMU), "-cpu", cpu, sys.executable, *words], cwd=ROOT, text=True, timeout=600,
                          env={**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
                               "PYTHONDONTWRITEBYTECODE": "1", "FASTNN_NUM_THREADS": "2"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if "NumPy was built with baseline optimizations" in done.stdout:
        pytest.skip(f"NumPy itself does not run on {cpu}")
    assert done.returncode == 0, f"on {cpu}:\n{done.stdout}"
    return done.stdout


@needs_qemu
@pytest.mark.parametrize(("cpu", "isa"), CPUS)
def test_kernels_and_a_fit_on_an_older_cpu(cpu: str, isa: str) -> None:
    if isa not in dict(backend._engine.isas()):
        pytest.skip(f"{isa} is not in this build")
    printed = emulated(cpu, "-c", SCRIPT)
    assert f"isa {isa}\n" in printed and "trained" in printed


@needs_qemu
def test_an_instruction_set_that_the_cpu_lacks_is_refused() -> None:
    printed = emulated("Nehalem", "-c", "import os\nos.environ['FASTNN_ISA'] = 'avx2'\n"
                       "try:\n    import fastnn\nexcept ImportError as error:\n    print('refused:', error)")
    assert "refused: FASTNN_ISA=avx2" in printed and ("cannot run it" in printed or "not an instruction" in printed)


@needs_qemu
@pytest.mark.slow
def test_the_core_of_the_kernel_suite_without_avx() -> None:
    """Half a minute; on Haswell, where qemu emulates AVX2 and FMA, it would be many."""
    printed = emulated("Nehalem", "-m", "pytest", "-p", "no:cacheprovider", "tests/test_kernels.py", "-k",
                       "test_c_agrees and (dense or matmul or softmax or mean or adam or tanh)")
    assert " passed" in printed


@needs_arm
def test_products_and_functions_with_neon(tmp_path: Path) -> None:
    """The kernels in C only: Python for arm64 is not there. Also: the tile's loop has its fused multiply-adds, and
    nothing goes through the stack."""
    program = tmp_path / "arm64"
    sources = [*(ROOT / "csrc").rglob("*.c"), ROOT / "tests/arm64.c"]
    subprocess.run([str(ARM_GCC), *ARM_FLAGS, f"-I{ROOT / 'csrc'}", *map(str, sources), "-o", str(program), "-lm"],
                   check=True, timeout=300)
    done = subprocess.run([str(ARM_QEMU), str(program)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "baseline: 2187 products, 3 functions" in done.stdout, done.stdout + done.stderr
    objdump = shutil.which("aarch64-linux-gnu-objdump")
    if objdump:
        text = subprocess.run([objdump, "-d", "--no-show-raw-insn", str(program)], capture_output=True, text=True,
                              check=True).stdout
        tile = text[text.index("<tile_8x2>:"):].split("\n\n")[0].splitlines()[1:]
        inner = [loop for loop in loops(tile) if sum("fmla" in line for line in loop) == 16 and len(loop) < 50]
        assert inner and not [line for loop in inner for line in loop if "[sp" in line]
