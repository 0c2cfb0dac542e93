"""Calls, programs, the planner, schedules, tensors and the three backends."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import ops
from fastnn.engine import backend, plan
from fastnn.engine.block import Block
from fastnn.engine.check import KernelMismatch
from fastnn.engine.context import recording
from fastnn.engine.gradient import GradientTape, backward
from fastnn.engine.program import Program
from fastnn.engine.schedule import Schedule
from fastnn.engine.tensor import Tensor, Variable
from fastnn.errors import ShapeError
from fastnn.ops import rows
from fastnn.ops._op import KNOWN
from fastnn.ops.rows.data import advance, copy, fill
from fastnn.ops.rows.optimizer import ema_step, sgd_step
from tests.conftest import needs_c


def tensor(*shape: int) -> Tensor:
    return Tensor(np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))


@pytest.mark.parametrize("kind", [np.int64, np.int32])
def test_constants_are_whole_numbers_of_numpy_too(kind: type, any_backend: str) -> None:
    """They were 0 to a kernel in C that reads whole numbers."""
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(rows.index.cumsum(x, axis=kind(1), reverse=False).data, np.cumsum(x, 1))


def test_a_large_whole_number_of_numpy_is_not_rounded(any_backend: str) -> None:
    bits = [rows.random.random_bits(np.array(0), seed=seed, stream=0, shape=(8,)).data.tolist()
            for seed in (2 ** 60 + 1, np.int64(2 ** 60 + 1), 2 ** 60)]
    assert bits[0] == bits[1] != bits[2]


def test_a_program_drops_what_nobody_needs(any_backend: str) -> None:
    x = tensor(4, 3)
    with recording() as calls:
        y = ops.relu(x)
        ops.exp(y)          # nobody reads it
    program = Program(calls, keep=[y])
    assert [call.op.name for call in program.calls] == ["relu"]


def test_calls_on_constants_are_computed_once(any_backend: str) -> None:
    x = tensor(3)
    with recording() as calls:
        two = ops.exp(ops.convert_to_tensor([0.0, 0.0, 0.0]))
        y = ops.add(x, two)
    program = Program(calls, keep=[y])
    assert [call.op.name for call in program.calls] == ["add"]
    x.data = np.ones(3, np.float32)
    program.run()
    np.testing.assert_array_equal(program.results[0].data, [2, 2, 2])


def test_what_nobody_reads_has_no_memory(any_backend: str) -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype(np.float32))
    how = dict(pool=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0))
    with recording() as calls:
        y, argmax = rows.pool.max_pool(x, **how)
    lean, whole = Program(calls, keep=[y]), Program(calls, keep=[y, argmax])
    assert [t.data is None for t in lean.calls[0].outputs] == [False, True]
    assert len(lean.calls[0].made) == 1 and lean.calls[0].outputs[1].shape == (2, 3, 3, 3)
    assert lean.arena_bytes < whole.arena_bytes and "%0.0, _ = max_pool(" in lean.full()
    for program in (lean, whole):
        program.arena.fill(0)
        program.run()
        for result, want in zip(program.results, (y, argmax)):
            assert result.data.tobytes() == want.data.tobytes()


def test_what_a_loss_gives_too_is_not_computed_twice(any_backend: str) -> None:
    """Here the probabilities and which of them are right, also in rows of equal, infinite and NaN logits."""
    x = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    x[1], x[2, 1], x[3, 2], x[4] = 1, np.nan, np.inf, [1, 3, 3, 0]
    labels = np.array([0, 0, 1, 2, 1, 2, 4, -1, 3], np.int32)
    for read_before in (False, True):
        with np.errstate(all="ignore"), recording() as calls:
            logits, y = rows.elementwise.scale(Tensor(x), factor=2.0), rows.elementwise.scale(Tensor(x), factor=0.5)
            numbers = rows.batch.gather_rows(labels, np.arange(9, dtype=np.int32), Tensor(np.array(0)), batch=9)
            p = ops.softmax(logits)
            before = rows.elementwise.square(p) if read_before else y
            loss, *_ = rows.sparse_crossentropy.sparse_softmax_crossentropy(numbers, logits, ignore=-1)
            right = rows.metric.sparse_categorical_accuracy(numbers, p)
            after = [rows.elementwise.scale(t, factor=3.0) for t in (p, right)]
        wanted = [t.numpy().tobytes() for t in after]
        program = Program(calls, keep=[loss, before, *after])
        names = [call.op.name for call in program.calls]
        assert not {"softmax", "sparse_categorical_accuracy"} & set(names)
        with np.errstate(all="ignore"):
            program.run()
        assert [t.numpy().tobytes() for t in program.results[2:]] == wanted


def test_the_arena_is_reused_and_aligned() -> None:
    x = tensor(64, 64)
    with recording() as calls:
        y = x
        for _ in range(10):
            y = ops.tanh(y)
    program = Program(calls, keep=[y])
    assert program.arena_bytes == 2 * 64 * 64 * 4       # ping and pong
    for call in program.calls:
        assert call.outputs[0].data.ctypes.data % 64 == 0


def test_a_copy_of_an_intermediate_is_made_in_place_of_the_copy(any_backend: str) -> None:
    x, target = tensor(4), Variable(np.zeros(4), "target")
    with recording() as calls:
        copy(target, ops.square(x))
    program = Program(calls)
    assert [call.op.name for call in program.calls] == ["square"]
    target.assign(np.zeros(4))
    program.run()
    np.testing.assert_allclose(target.numpy(), x.data ** 2, rtol=1e-6)


def test_a_copy_stays_where_the_target_is_read_in_between(any_backend: str) -> None:
    x, target = tensor(4), Variable(np.full(4, 5.0), "target")
    with recording() as calls:
        y = ops.square(x)
        z = ops.exp(target)     # reads the old value
        copy(target, y)
    program = Program(calls, keep=[z])
    assert [call.op.name for call in program.calls] == ["square", "exp", "copy"]


def test_views_share_memory_and_run_nothing(any_backend: str) -> None:
    x = tensor(4, 6)
    with recording() as calls:
        y = ops.reshape(ops.relu(x), (2, 12))
        z = ops.exp(y)
    program = Program(calls, keep=[z])
    assert [call.op.name for call in program.calls] == ["relu", "reshape", "exp"]
    assert [call.is_view for call in program.calls] == [False, True, False]
    assert program.calls[1].outputs[0].data.ctypes.data == program.calls[0].outputs[0].data.ctypes.data
    program.run()
    np.testing.assert_allclose(program.results[0].data, np.exp(np.maximum(x.data, 0)).reshape(2, 12), rtol=1e-5)


def test_a_view_keeps_its_numbers_when_an_update_changes_what_it_shows(any_backend: str) -> None:
    for changed in (0, 1):
        x = tensor(4, 6)
        with recording() as calls:
            a = ops.relu(x)
            b = ops.reshape(a, (24,))
            fill((a, b)[changed], value=7.0)
            y, z = ops.exp(a), ops.exp(b)
        program = Program(calls, keep=[y, z])
        wanted = [y.numpy(), z.numpy()]
        program.run()
        for result, want in zip(program.results, wanted):
            np.testing.assert_array_equal(result.data, want)


def test_a_view_of_an_outside_buffer_follows_the_buffer(any_backend: str) -> None:
    x = tensor(4, 6)
    with recording() as calls:
        z = ops.exp(ops.reshape(x, (24,)))
    program = Program(calls, keep=[z])
    x.data = np.zeros((4, 6), np.float32)
    program.run()
    np.testing.assert_array_equal(program.results[0].data, np.ones(24))


def test_an_update_that_reads_what_it_writes_reads_the_old_numbers(any_backend: str) -> None:
    """Kernels may read an input after they have written; one that lies in the updated array is copied before."""
    for _ in range(2):      # by the rules, then as the op remembers it
        line = np.arange(1.0, 101.0, dtype=np.float32)
        target, source = Tensor(line[1:]), Tensor(line[:-1])
        ema_step(target, source, momentum=0.5)
        np.testing.assert_array_equal(line, [1.0, *np.arange(1.5, 100.0)])
        weights = Variable(np.arange(4.0))
        with recording() as calls:
            weights.assign(weights)
            sgd_step(weights, weights, np.float32(0.5))
        program = Program(calls)
        program.run(2)
        np.testing.assert_array_equal(weights.data, np.arange(4.0) / 8)


def test_planning_takes_as_long_as_there_are_calls() -> None:
    """Lines of the planner that are run for a chain of layers, its backward and the copies into a block."""
    def lines(layers: int) -> int:
        block = Block([(4, 4)] * layers, "float32", "gradients")
        x, variables = tensor(8, 4), [Variable(np.eye(4), "w") for _ in range(layers)]
        with recording() as calls:
            y = x
            for w in variables:
                y = ops.tanh(ops.matmul(y, w))
            for gradient, view in zip(backward(ops.sum(y), variables), block.views):
                copy(Tensor(view), gradient)
            sgd_step(Tensor(np.zeros_like(block.flat.data)), block.flat, np.float32(0.1))
        count = 0

        def trace(frame, event, argument):  # type: ignore[no-untyped-def]
            nonlocal count
            count += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(lambda frame, *_: trace if "fastnn/engine" in frame.f_code.co_filename else None)
        try:
            Program(calls)
        finally:
            sys.settrace(before)
        return count

    assert lines(320) < 9 * lines(40)


def test_random_graphs_replay_to_the_same_bits(any_backend: str) -> None:
    rng = np.random.default_rng(0)
    functions = [ops.relu, ops.tanh, ops.exp, ops.square, ops.sigmoid, ops.negative]
    for _ in range(30):
        x, pool = tensor(5, 7), []
        with recording() as calls:
            pool.append(ops.add(x, 0.5))
            for _ in range(20):
                a, b = (pool[i] for i in rng.integers(0, len(pool), 2))
                pool.append(functions[rng.integers(len(functions))](ops.tanh(ops.add(a, b))))
        kept = [pool[i] for i in rng.integers(0, len(pool), 3)]
        program = Program(calls, keep=kept)
        program.run()
        for eager, replayed in zip(kept, program.results):
            assert eager.data.tobytes() == replayed.data.tobytes()


def test_a_schedule_stops_between_steps_and_goes_on(any_backend: str) -> None:
    counter, other = (Variable(0, "n", dtype="int64", trainable=False) for _ in range(2))
    with recording() as calls:
        advance(counter, by=1)
    one = Program(calls)
    with recording() as calls:
        advance(other, by=1)
    two = Program(calls)
    counter.assign(0)
    other.assign(0)
    schedule = Schedule([(one, 300_000 if any_backend == "c" else 3_000), (two, 1)], rounds=2)
    while not schedule.run(0.002):
        assert int(other) <= 2
    assert int(counter) == (600_000 if any_backend == "c" else 6_000)
    assert int(other) == 2


def test_the_listing_names_every_call() -> None:
    model = fastnn.Sequential([fastnn.layers.Dense(3, activation="relu", input_shape=(4,)), fastnn.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 4)), np.ones((8, 1)), batch_size=4, verbose=0)
    text = next(p for p in model.programs if p.name.startswith("train")).full()
    for part in ("gather_rows(x0, order, cursor, batch=4)", "dense/kernel", "activation='relu'", "sgd_step(weights",
                 "(4, 3)", "dense_1"):
        assert part in text
    lines = text.splitlines()
    assert len(lines) == 1 + int(lines[0].split(": ")[1].split()[0])


def test_same_operator_rules_as_numpy() -> None:
    a, b = tensor(3, 4), tensor(4)
    np.testing.assert_allclose((a + b).numpy(), a.data + b.data)
    np.testing.assert_allclose((a * b - 2.0 / (a + 3)).numpy(), a.data * b.data - 2 / (a.data + 3), rtol=1e-6)
    np.testing.assert_allclose((np.ones((3, 4), np.float32) - a).numpy(), 1 - a.data)
    np.testing.assert_allclose(a[1:, 2].numpy(), a.data[1:, 2])
    np.testing.assert_allclose((b - tensor(4, 1)).numpy().shape, (4, 4))
    with pytest.raises(ShapeError, match="subtract: got shapes"):
        tensor(4) - tensor(3)


def test_gradients_meet_where_paths_join() -> None:
    x = Variable([0.5, -0.25], "x")
    with GradientTape() as tape:
        y = ops.sum(x * x + ops.exp(x) * x)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), 2 * x.data + np.exp(x.data) * (1 + x.data), rtol=1e-6)
    constant = Variable([1.0], "unused")
    assert tape.gradient(y, [x, constant])[1] is None


def test_only_gradients_on_the_path_are_computed() -> None:
    x, w = Tensor(np.ones((4, 3), np.float32)), Variable(np.ones((3, 2)), "w")
    with recording() as calls:
        y = ops.sum(ops.matmul(x, w))
        backward(y, [w])
    assert "matmul_nt" not in [call.op.name for call in calls]      # dX of the first layer


def test_training_through_step_is_an_error_that_explains() -> None:
    w = Variable([0.5], "w")
    with GradientTape():
        y = ops.sum(ops.step(w))
    with pytest.raises(TypeError, match="step: has no gradient"):
        backward(y, [w])


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Reference counts alone free memory: graphs have no cycles."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("taped", [False, True])
def test_own_loops_keep_no_graph(taped: bool, no_collector: None) -> None:
    """`total = total + loss` outside a tape and inside: one batch's tensors are gone when the next one is there."""
    w, total = Variable([0.5, -0.5], "w"), ops.convert_to_tensor(0.0)
    alive = []
    for _ in range(5):
        with GradientTape() as tape:
            middle = ops.exp(w)
            loss = ops.sum(middle * w)
            if taped:
                total = total + loss
        if not taped:
            total = total + loss
        gradient = tape.gradient(loss, w)
        np.testing.assert_allclose(gradient.data, np.exp(w.data) * (1 + w.data), rtol=1e-6)
        alive.append(weakref.ref(middle))
        del middle, loss, tape
        assert sum(ref() is not None for ref in alive) <= taped
    np.testing.assert_allclose(float(total), 5 * np.sum(np.exp(w.data) * w.data), rtol=1e-6)


def test_outside_a_tape_nothing_has_a_gradient() -> None:
    w = Variable([0.5], "w")
    y = ops.exp(w)
    with GradientTape() as tape:
        z = ops.sum(y * w)
    assert y.source is None
    np.testing.assert_allclose(tape.gradient(z, w).numpy(), np.exp([0.5]), rtol=1e-6)


def test_tapes_in_tapes_give_second_derivatives() -> None:
    x = Variable([0.5, 2.0], "x")
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = ops.sum(x * x * x)
        slope = inner.gradient(y, x)
        total = ops.sum(slope)
    np.testing.assert_allclose(slope.numpy(), 3 * x.data ** 2, rtol=1e-6)
    np.testing.assert_allclose(outer.gradient(total, x).numpy(), 6 * x.data, rtol=1e-6)


@needs_c
def test_signatures_are_compared_as_text() -> None:
    table = {"relu": backend.Kernel("relu", lambda: None, ("x", "y"), ())}
    c_only = dict(backend.kernels)
    c_only["relu"] = table["relu"]
    with pytest.raises(ImportError, match=r"relu\(x, y\).*relu\(x\)"):
        backend.attach_c({k: backend.Kernel(v.name, v.reference, v.inputs, v.constants) for k, v in c_only.items()},
                         backend.isa)


@needs_c
def test_check_catches_a_planted_one_percent_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fastnn.Sequential([fastnn.layers.Dense(5, activation="tanh", input_shape=(4,)), fastnn.layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(32, 4))
    with fastnn.config.using(backend="check"):
        model.fit(x, x[:, :1], epochs=3, batch_size=8, verbose=0)       # passes as it is
        real = backend.run_c

        def spoiled(kernel, inputs, outputs, constants, parts):  # type: ignore[no-untyped-def]
            real(kernel, inputs, outputs, constants, parts)
            if kernel.name == "dense":
                outputs[0][...] *= 1.01

        monkeypatch.setattr(backend, "run_c", spoiled)
        with pytest.raises(KernelMismatch, match=r"kernel dense in layer 'dense': y\[0, 0\]"):
            model.fit(x, x[:, :1], epochs=1, batch_size=8, verbose=0)


def test_using_puts_everything_back() -> None:
    before = backend.backend(), backend.floatx(), fastnn.get_num_threads()
    with pytest.raises(ZeroDivisionError), fastnn.config.using(backend="reference", threads=1, floatx="float64"):
        assert (backend.backend(), backend.floatx(), fastnn.get_num_threads()) == ("reference", "float64", 1)
        raise ZeroDivisionError
    assert (backend.backend(), backend.floatx(), fastnn.get_num_threads()) == before


@pytest.mark.parametrize("call", [lambda: fastnn.config.set_backend("cuda"), lambda: fastnn.config.set_floatx("f2"),
                                  lambda: fastnn.set_num_threads(0), lambda: fastnn.set_num_threads(True),
                                  lambda: fastnn.set_num_threads(10 ** 9), lambda: fastnn.set_num_threads("2,2")])
def test_bad_settings_are_refused(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"set_"):
        call()


@pytest.mark.parametrize(("variable", "value"), [("FASTNN_NUM_THREADS", "garbage"), ("FASTNN_NUM_THREADS", "-1"),
                                                 ("FASTNN_ISA", "avx9"), ("FASTNN_BACKEND", "gpu")])
def test_bad_environment_is_an_error_that_names_it(variable: str, value: str) -> None:
    if variable == "FASTNN_ISA" and backend._engine is None:
        pytest.skip("needs the C kernels")
    result = subprocess.run([sys.executable, "-c", "import fastnn"], env={**os.environ, variable: value},
                            capture_output=True, text=True)
    assert result.returncode != 0 and variable in result.stderr.splitlines()[-1]


def _child(queue) -> None:  # type: ignore[no-untyped-def]
    a = np.ones((512, 512), np.float32)
    queue.put(float(ops.sum(ops.matmul(a, a))))


@needs_c
def test_fork_after_parallel_work_does_not_hang() -> None:
    a = np.ones((512, 512), np.float32)
    with fastnn.config.using(threads=2):
        ops.matmul(a, a)
        context = multiprocessing.get_context("fork")
        for _ in range(3):
            queue = context.Queue()
            process = context.Process(target=_child, args=(queue,))
            process.start()
            assert queue.get(timeout=300) == 512.0 ** 3
            process.join(300)
            assert process.exitcode == 0


@needs_c
def test_the_gil_is_released_while_c_runs() -> None:
    x, n = Variable(np.zeros(100_000), "x"), Variable(0, "n", dtype="int64", trainable=False)
    with recording() as calls:
        sgd_step(x, np.ones(100_000, np.float32), np.float32(1e-3))
        advance(n, by=1)
    program = Program(calls)
    program.run()
    done = threading.Event()
    worker = threading.Thread(target=lambda: (Schedule([(program, 10 ** 9)]).run(0.5), done.set()))
    worker.start()
    seen = set()
    while not done.is_set():
        seen.add(int(n))
        time.sleep(0.001)
    worker.join()
    assert len(seen) > 3        # this thread saw the steps go by


@needs_c
def test_ctrl_c_stops_between_two_steps() -> None:
    x, n = Variable(np.zeros(100_000), "x"), Variable(0, "n", dtype="int64", trainable=False)
    with recording() as calls:
        sgd_step(x, np.full(100_000, -1.0, np.float32), np.float32(1.0))
        advance(n, by=1)
    program = Program(calls)
    fill(x, value=0.0)
    fill(n, value=0)

    def interrupt() -> None:
        while int(n) < 100:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        program.run(10 ** 12)
    thread.join()
    assert int(n) >= 100
    assert (x.data == float(int(n))).all()      # whole steps only


def test_an_arena_of_nan_changes_nothing(any_backend: str) -> None:
    results = []
    for poison in (True, False):
        fastnn.random.set_seed(3)
        plan.poison = poison
        model = fastnn.Sequential([fastnn.layers.Dense(5, activation="tanh", input_shape=(4,)), fastnn.layers.Dense(1)])
        model.compile("adam", "mse")
        x = np.random.default_rng(0).normal(size=(20, 4))
        model.fit(x, x[:, :1], epochs=3, batch_size=8, verbose=0)
        results.append(b"".join(w.tobytes() for w in model.get_weights()))
    assert results[0] == results[1]


# ---- eager calls ------------------------------------------------------------------------------------------------

def _python_calls(function: Callable[[], Any]) -> int:
    """How many Python functions run when `function` does."""
    found = 0

    def count(frame: Any, event: str, _: Any) -> None:
        nonlocal found
        found += event == "call"

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found


@needs_c
@pytest.mark.parametrize("name", ["add", "matmul", "relu", "softmax", "exp"])
def test_an_eager_op_is_one_look_up_and_one_c_call(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules run once per shapes and dtypes; the next call takes a few Python functions (40 before)."""
    op = getattr(rows, {"matmul": "dense", "add": "elementwise", "exp": "elementwise"}.get(
        name, "softmax" if name == "softmax" else "activation"))
    op = getattr(op, name)
    x = tensor(4, 4)
    arguments = (x, x) if name in ("add", "matmul") else (x,)
    first = op(*arguments)
    assert _python_calls(lambda: op(*arguments)) <= 12
    monkeypatch.setattr(type(op), "_by_rules", lambda *_: pytest.fail("the rules ran again"))
    assert op(*arguments).data.tobytes() == first.data.tobytes()
    assert op(*(tensor(4, 4) for _ in arguments)).shape == (4, 4)


@needs_c
def test_what_an_op_remembers_fits_only_what_it_fits() -> None:
    """Another shape, dtype or constant that a rule reads, symbolic tensors, arrays and mistakes go by the rules."""
    x = tensor(4, 6)
    for axes, shape in (((0,), (6,)), ((1,), (4,)), ((0, 1), ())):
        for _ in range(2):
            assert rows.reduce.sum(x, axes=axes).shape == shape
    for factor in (2, 2.0, 0.5, -0.0, True):
        got = rows.elementwise.scale(x, factor=factor)
        assert got.data.tobytes() == (x.data * np.float32(factor)).tobytes()
    assert rows.elementwise.scale(Tensor(None, shape=(4, 6), dtype="float32"), factor=2.0).symbolic
    np.testing.assert_array_equal(rows.elementwise.scale(x.data, factor=2.0).data, 2 * x.data)
    with pytest.raises(TypeError, match="scale"):
        rows.elementwise.scale(x)
    with pytest.raises(TypeError, match="scale"):
        rows.elementwise.scale(x, factor=1.0, value=2.0)
    with pytest.raises(TypeError, match="scale"):
        rows.elementwise.scale(x, x, factor=1.0)
    moved = tensor(4, 6)
    rows.elementwise.add(x, moved)
    moved.data = np.zeros((2, 6), np.float32)
    with pytest.raises(ShapeError, match=r"shape \(2, 6\) now"):
        rows.elementwise.add(x, moved)
    for n in range(2 * KNOWN):
        rows.elementwise.negative(np.zeros(n, np.float32))
    assert len(rows.elementwise.negative._memory.calls) <= KNOWN


@needs_c
def test_two_threads_run_one_ready_call() -> None:
    arrays = [tensor(50, 50) for _ in range(8)]
    wanted = [rows.elementwise.exp(a).data.tobytes() for a in arrays]
    found: list[Any] = [None] * 8

    def work(i: int) -> None:
        found[i] = {rows.elementwise.exp(arrays[i]).data.tobytes() for _ in range(300)}

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [{each} for each in wanted]
