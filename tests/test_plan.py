"""The planner: what is dropped, computed once, shared, copied in place, and what views of it see."""

import sys

import numpy as np

from fastnn import ops
from fastnn.engine.block import Block
from fastnn.engine.context import recording
from fastnn.engine.gradient import backward
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor, Variable
from fastnn.ops import rows
from fastnn.ops.rows.data import copy, fill
from fastnn.ops.rows.optimizer import ema_step, sgd_step


def tensor(*shape: int) -> Tensor:
    return Tensor(np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))


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
