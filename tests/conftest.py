"""What every test runs under: an arena full of NaN, a fixed seed, and nothing changed outside fastnn."""

import functools
import os
import random as python_random
import signal
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import registration
from fastnn.engine import backend, plan
from fastnn.names import reset_names
from tests.golden.keras_models import FILE

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

# A shell starts its background jobs with Ctrl-C ignored, and Python then leaves it so: the tests that interrupt a fit
# would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

fastnn.config.disable_traceback_filtering()     # who mends a failing test wants all frames

has_c = backend._engine is not None
needs_c = pytest.mark.skipif(not has_c, reason="the C kernels are not built here: " + backend.missing)


def shared(name: str) -> Path:
    """A folder of ../shared/data, or a skip that says why."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


def alike(got: np.ndarray, want: np.ndarray) -> bool:
    """Whether rows that went through a model in batches of different sizes are what is promised: the same bits in C; on
    the reference, whose products are NumPy's BLAS, a few roundings of the largest number."""
    if backend.backend() == "c":
        return got.tobytes() == want.tobytes()
    return got.shape == want.shape and bool(np.abs(got - want).max() <= 2 ** -20 * np.abs(want).max())


def _subnormals_survive() -> bool:
    return bool(np.float32(1e-40) * np.float32(1.0) != 0)


def _world() -> dict[str, Any]:
    """What fastnn must leave as it found it."""
    return {
        "np.random": np.random.get_state()[1].tobytes(), "random": python_random.getstate(),
        "errstate": np.geterr(), "subnormals": _subnormals_survive(), "cwd": os.getcwd(),
        "environment": {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST" and not k.startswith("KMP_")},
        "SIGINT": signal.getsignal(signal.SIGINT), "filters": list(warnings.filters), "umask": _umask(),
        "backend": (backend.backend(), backend.floatx()),
    }


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the suite must bear: any order of the tests, any BLAS."""
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in a random order")
    parser.addoption("--other-blas", action="store_true",
                     help="let the reference's products round otherwise for another number of rows")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """--shuffle: another order of the files, and of the tests in each, so that what a file shares is made once."""
    seed = config.getoption("shuffle")
    if seed is not None:
        generator = python_random.Random(seed)
        place: dict[str, float] = {}
        items.sort(key=lambda item: (place.setdefault(item.nodeid.partition("::")[0], generator.random()),
                                     generator.random()))


def pytest_configure(config: pytest.Config) -> None:
    """--other-blas."""
    for name in ("matmul", "matmul_nt", "matmul_tn", "dense", "conv2d") if config.getoption("other_blas") else ():
        kernel = backend.kernels[name]
        kernel.reference = _rounded_by_rows(kernel.reference)


def _rounded_by_rows(product: Any) -> Any:
    @functools.wraps(product)
    def other(*arrays: np.ndarray, **constants: Any) -> Any:
        y = product(*arrays, **constants)
        return y * np.float32(1 + 2.0 ** -23 * (len(arrays[0]) % 3 - 1)) if y.dtype == np.float32 else y
    return other


@pytest.fixture(autouse=True)
def outside_world(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing outside fastnn changes: RNGs, floating-point state, environment, signals, warnings, cwd."""
    before = _world()
    yield
    allowed = {"np.random", "random"} if request.node.get_closest_marker("seeds_numpy") else set()
    after = _world()
    changed = [key for key in before if key not in allowed and before[key] != after[key]]
    assert not changed, f"the test changed {changed} of the world outside fastnn"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """The same seed and layer names for every test; stale arena contents cannot go unseen."""
    fastnn.random.set_seed(1234)
    reset_names()
    plan.poison = True
    yield
    plan.poison = False


@pytest.fixture(params=["c", "reference"])
def any_backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs the test on both backends."""
    if request.param == "c" and not has_c:
        pytest.skip("the C kernels are not built here: " + backend.missing)
    with fastnn.config.using(backend=request.param):
        yield request.param


@pytest.fixture
def registered() -> Iterator[None]:
    """What a test registers for its configurations is forgotten after it."""
    before = dict(registration.registered)
    yield
    registration.registered.clear()
    registration.registered.update(before)


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that Keras wrote."""
    folder = tmp_path_factory.mktemp("keras")
    with zipfile.ZipFile(FILE) as archive:
        archive.extractall(folder)
    return folder
