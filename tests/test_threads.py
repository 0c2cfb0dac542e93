"""How many threads C uses, and what limits them."""

import ctypes
import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import layers, ops
from fastnn.engine import backend, threads

ROOT = Path(fastnn.__file__).resolve().parents[1]
needs_openmp = pytest.mark.skipif(backend._engine is None or not backend._engine.openmp_threads(),
                                  reason="the C kernels are not built with OpenMP here")
needs_affinity = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity here")
needs_threadpoolctl = pytest.mark.skipif(not importlib.util.find_spec("threadpoolctl"), reason="needs threadpoolctl")


def said(code: str, **environment: str) -> str:
    """What a new process prints, one that has only these settings."""
    kept = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "FASTNN_NUM_THREADS", "FASTNN_BACKEND")}
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=300,
                          env={**kept, "PYTHONPATH": path, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


NUMBER = "import fastnn; print(fastnn.get_num_threads())"


@needs_openmp
@pytest.mark.parametrize(("environment", "expected"), [
    ({"OMP_NUM_THREADS": "1"}, "1"), ({"OMP_NUM_THREADS": "3"}, "3"), ({"OMP_NUM_THREADS": "2,4"}, "2"),
    ({"OMP_NUM_THREADS": "3", "FASTNN_NUM_THREADS": "5"}, "5")])
def test_the_environment(environment: dict[str, str], expected: str) -> None:
    assert said(NUMBER, **environment) == expected


@needs_affinity
def test_affinity_before_and_after_the_import() -> None:
    assert said("import os\nos.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n" + NUMBER) == "1"
    assert said("import os, fastnn\nall_of_them = fastnn.get_num_threads()\n"
                "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
                "print(all_of_them == len(os.sched_getaffinity(0)) or all_of_them, fastnn.get_num_threads())"
                ).split()[-1] == "1"


@needs_affinity
def test_without_any_setting_it_is_the_cpus_of_this_process() -> None:
    if threads._cgroup_quota < len(os.sched_getaffinity(0)):
        pytest.skip("a container's quota allows fewer")
    assert said(NUMBER) == str(len(os.sched_getaffinity(0)))


@needs_openmp
@needs_affinity
@pytest.mark.parametrize("environment", [{"OMP_PROC_BIND": "true"}, {"OMP_PLACES": "cores"}])
def test_threads_that_openmp_binds_are_all_counted(environment: dict[str, str]) -> None:
    """libgomp puts this thread on the first of its places: its own affinity is one CPU then."""
    assert said(NUMBER, **environment) == said(NUMBER)
    assert said("import os\nos.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n" + NUMBER, **environment) == "1"


@needs_openmp
@needs_threadpoolctl
def test_threadpoolctl_finds_and_limits_it() -> None:
    printed = said("""
import fastnn, numpy as np, threadpoolctl
assert any(pool["user_api"] == "openmp" for pool in threadpoolctl.threadpool_info())
before = fastnn.get_num_threads()
with threadpoolctl.threadpool_limits(1, user_api="openmp"):
    inside = fastnn.get_num_threads()
with threadpoolctl.threadpool_limits(1):
    inside_all = fastnn.get_num_threads()
    with fastnn.config.using(threads=2):
        asked = fastnn.get_num_threads()
print(before == fastnn.get_num_threads(), inside, inside_all, asked)""", OMP_NUM_THREADS="2")
    assert printed == "True 1 1 2"


COUNT = """
import os, numpy as np, fastnn
from fastnn import ops
a = np.ones((512, 512), np.float32)
before = len(os.listdir("/proc/self/task"))
ops.matmul(a, a)
print(len(os.listdir("/proc/self/task")) - before)"""


@needs_openmp
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc")
def test_the_number_is_that_of_real_threads() -> None:
    for wanted in (1, 2, 4):
        assert said(COUNT, OMP_NUM_THREADS=str(wanted)) == str(wanted - 1)


@pytest.mark.parametrize(("text", "expected"), [
    ("max 100000", threads.LIMIT), ("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1),
    ("garbage", threads.LIMIT), ("1 0", threads.LIMIT)])
def test_quota_of_a_container(text: str, expected: int, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/\n")
    (tmp_path / "cpu.max").write_text(text + "\n")
    assert threads._quota(tmp_path, own) == expected


def test_quota_of_a_group_above_holds_below(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/system.slice/job.service\n")
    (tmp_path / "system.slice/job.service").mkdir(parents=True)
    (tmp_path / "system.slice/cpu.max").write_text("300000 100000\n")
    (tmp_path / "system.slice/job.service/cpu.max").write_text("max 100000\n")
    assert threads._quota(tmp_path, own) == 3
    own.write_text("4:cpuset:/\n1:cpu,cpuacct:/job\n")          # version 1
    (tmp_path / "cpu/job").mkdir(parents=True)
    (tmp_path / "cpu/job/cpu.cfs_quota_us").write_text("250000\n")
    (tmp_path / "cpu/job/cpu.cfs_period_us").write_text("100000\n")
    assert threads._quota(tmp_path, own) == 2
    assert threads._quota(tmp_path, tmp_path / "absent") == threads.LIMIT


@needs_openmp
@pytest.mark.skipif(sys.platform != "linux", reason="looks into libgomp")
def test_every_worker_has_its_floating_point_mode_back() -> None:
    """fastnn's own worker threads multiply subnormal numbers after a program and a call have run on them: libgomp gives
    a parallel region of ours the same threads."""
    try:
        gomp = ctypes.CDLL("libgomp.so.1")
    except OSError:
        pytest.skip("the OpenMP runtime is not libgomp")
    seen: dict[int, bool] = {}

    @ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    def look(_: object) -> None:
        seen[threading.get_native_id()] = bool(np.float32(1e-40) * np.float32(1) != 0)
        time.sleep(0.05)      # until all have come

    a = np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32)
    model = fastnn.Sequential([fastnn.Input((512,)), layers.Dense(256, activation="tanh"), layers.Dense(1)])
    model.compile("adam", "mse")
    with fastnn.config.using(threads=3):
        for run in (lambda: ops.matmul(a, a), lambda: model.fit(a, a[:, :1], batch_size=128, verbose=0)):
            run()
            seen.clear()
            gomp.GOMP_parallel(look, None, 3, 0)
            assert len(seen) == 3 and all(seen.values())
