"""Every kernel, from its case rows: C against the float64 reference, exact integers, threads, replay, gradients."""

import itertools
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from fastnn.engine import backend, threads
from fastnn.engine.check import compare
from fastnn.engine.context import recording
from fastnn.engine.gradient import GradientTape, backward
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from tests.cases import CASES
from tests.cases._case import Case
from tests.conftest import has_c, needs_c
from tests.ops import FAMILY, OPS

SIZES = 12
each_case = pytest.mark.parametrize("case", CASES, ids=repr)


def outputs_for(case: Case, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Output arrays as the op would make them; for an update, the inputs that it overwrites."""
    op = OPS[case.kernel]
    if op.updates:
        return [inputs[op.kernel.inputs.index(name)] for name in op.updates]
    tensors = tuple(Tensor(a) for a in inputs)
    return [np.empty(shape, dtype) for shape, dtype in op.results(tensors, case.constants)]


def run(case: Case, inputs: list[np.ndarray], how: Any = backend.run_c) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(inputs as they were before, outputs)."""
    before = [a.copy() for a in inputs]
    outputs = outputs_for(case, inputs)
    how(OPS[case.kernel].kernel, tuple(inputs), tuple(outputs), case.constants)
    return before, outputs


@needs_c
@each_case
def test_c_agrees_with_the_reference(case: Case) -> None:
    rng = case.rng()
    informative = elements = 0
    for sizes in case.sizes(SIZES):
        before, outputs = run(case, case.inputs(rng, sizes))
        problem = compare(OPS[case.kernel], tuple(before), tuple(outputs), case.constants)
        assert not problem, f"{case} with {sizes}: {problem}"
        informative += sum(int(np.count_nonzero(a)) for a in outputs)
        elements += sum(a.size for a in outputs)
    zeros_tell = elements <= SIZES or case.kernel in ("fill", "step")
    assert informative or zeros_tell, f"{case}: only zeros; the row tests nothing"


OTHERS = [name for name, usable in (backend._engine.isas() if has_c else []) if usable and name != backend.isa]


@needs_c
@pytest.mark.parametrize("family", sorted(set(FAMILY.values())))
@pytest.mark.parametrize("isa", OTHERS)
def test_other_instruction_sets_agree_with_the_reference(isa: str, family: str) -> None:
    """Every row once, on the copies that this machine would not choose; test_install.py has the whole suite on them."""
    copies = backend._engine.kernels(isa)

    def run_copy(kernel: backend.Kernel, *operands: Any) -> None:
        backend.run_c(replace(kernel, c=copies[kernel.name]), *operands)

    for case in CASES:
        if FAMILY[case.kernel] == family and case.kernel in copies:
            sizes = case.sizes(2)[-1]
            before, outputs = run(case, case.inputs(case.rng(8), sizes), run_copy)
            problem = compare(OPS[case.kernel], tuple(before), tuple(outputs), case.constants)
            assert not problem, f"{case} with {sizes}: {problem}"


@needs_c
@pytest.mark.parametrize("case", [c for c in CASES if c.exact], ids=repr)
def test_linear_kernels_are_exact_on_integers(case: Case) -> None:
    rng = case.rng(2)
    for sizes in case.sizes(40):
        before, outputs = run(case, case.inputs(rng, sizes, integers=True))
        expected = OPS[case.kernel].kernel.reference(*[a.astype(np.float64) if a.dtype == np.float32 else a
                                                       for a in before], **case.constants)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for got, want in zip(outputs, expected):
            np.testing.assert_array_equal(got, want)


@needs_c
@pytest.mark.parametrize("case", [c for c in CASES if c.bits], ids=repr)
def test_bit_equal_kernels(case: Case) -> None:
    rng = case.rng(3)
    for sizes in case.sizes(SIZES):
        inputs = case.inputs(rng, sizes)
        twin = [a.copy() for a in inputs]
        _, outputs = run(case, inputs)
        _, expected = run(case, twin, backend.run_reference)
        for got, want in zip(outputs, expected):
            assert got.tobytes() == want.tobytes(), f"{case} with {sizes}"


@needs_c
@each_case
def test_same_bits_for_any_thread_count(case: Case) -> None:
    inputs = case.inputs(case.rng(4), case.large())
    results = set()
    asked = threads.wanted()
    try:
        for count in (1, 2, 3, 4):
            threads.set_num_threads(count)
            _, outputs = run(case, [a.copy() for a in inputs], partial(backend.run_c, parts=count))
            results.add(b"".join(a.tobytes() for a in outputs))
    finally:
        threads.restore(asked)
    assert len(results) == 1


@needs_c
@pytest.mark.parametrize("case", [c for c in CASES if OPS[c.kernel].may_omit], ids=repr)
def test_an_output_that_is_left_out_changes_no_other(case: Case) -> None:
    op = OPS[case.kernel]
    rng, asked = case.rng(9), threads.wanted()
    places = [op.output_names.index(name) for name in sorted(op.may_omit)]
    try:
        for sizes, count in itertools.product(case.sizes(4), (1, 3)):
            threads.set_num_threads(count)
            inputs = case.inputs(rng, sizes)
            _, whole = run(case, inputs)
            for left_out in [*((place,) for place in places), places]:      # each alone, and all
                for how in (backend.run_c, backend.run_reference) if left_out is places else (backend.run_c,):
                    outputs: list[Any] = outputs_for(case, inputs)
                    for place in left_out:
                        outputs[place] = None
                    how(op.kernel, tuple(inputs), tuple(outputs), case.constants)
                    if how is backend.run_c:
                        found = [None if a is None else a.tobytes() for a in outputs]
                        assert found == [None if i in left_out else a.tobytes() for i, a in enumerate(whole)]
                    else:
                        assert not compare(op, tuple(inputs), tuple(outputs), case.constants)
    finally:
        threads.restore(asked)


@each_case
def test_replay_equals_eager(case: Case, any_backend: str) -> None:
    op = OPS[case.kernel]
    sizes = case.sizes(3)[-1]
    inputs = case.inputs(case.rng(5), sizes)
    eager_in = [Tensor(a.copy()) for a in inputs]
    eager = op(*eager_in, **case.constants)
    eager = eager if isinstance(eager, tuple) else (eager,)
    tensors = [Tensor(a.copy()) for a in inputs]
    with recording() as calls:
        recorded = op(*tensors, **case.constants)
    recorded = recorded if isinstance(recorded, tuple) else (recorded,)
    program = Program(calls, keep=recorded)
    for tensor, a in zip(tensors, inputs):
        tensor.data[...] = a        # the recording ran once: put the inputs back before the replay
    program.run()
    for a, b in zip(eager, program.results):
        assert a.data.tobytes() == b.data.tobytes()


@pytest.mark.parametrize("case", [c for c in CASES if c.grad and OPS[c.kernel].vjp], ids=repr)
def test_gradients_in_float64(case: Case) -> None:
    """Directional derivative by central differences against the rules, in float64 on the reference."""
    op = OPS[case.kernel]
    with backend.using(floatx="float64"):
        for sizes in case.sizes(3):
            rng = case.rng(6)
            inputs = [a.astype(np.float64) if a.dtype == np.float32 else a for a in case.inputs(rng, sizes)]
            tensors = [Tensor(a, tracked=True) for a in inputs]
            with GradientTape():
                made = op(*tensors, **case.constants)
            made = made if isinstance(made, tuple) else (made,)
            output = made[0]
            seed = np.asarray(rng.uniform(-1, 1, output.shape))
            names = [n for n, a in zip(case.names, inputs) if n.partition("[")[0] in op.vjp and a.dtype.kind == "f"]
            sources = [tensors[case.names.index(n)] for n in names]
            found = backward(output, sources, Tensor(seed))
            for name, source, gradient in zip(names, sources, found):
                direction = np.asarray(rng.uniform(-1, 1, source.shape))
                step = 1e-6
                values = []
                for sign in (1, -1):
                    moved = [Tensor(t.data + sign * step * direction if t is source else t.data) for t in tensors]
                    y = op(*moved, **case.constants)
                    y = y[0] if isinstance(y, tuple) else y
                    values.append(float((y.data * seed).sum()))
                numeric = (values[0] - values[1]) / (2 * step)
                assert gradient is not None and gradient.shape == source.shape
                exact = float((gradient.data * direction).sum())
                scale = max(1.0, abs(exact), float(np.abs(gradient.data * direction).sum()))
                assert abs(exact - numeric) <= 2e-6 * scale, f"{case} d/d{name} with {sizes}: {exact} but {numeric}"


@pytest.mark.parametrize("case", [c for c in CASES if c.bad], ids=repr)
def test_bad_shapes_are_refused(case: Case) -> None:
    op = OPS[case.kernel]
    for shapes, text in case.bad:
        arrays = []
        good = dict(zip(case.names, case.inputs(case.rng(), case.sizes(1)[0])))
        for name in case.names:
            arrays.append(np.zeros(shapes[name], good[name].dtype) if name in shapes else good[name])
        with pytest.raises(ShapeError, match=op.name) as raised:
            op(*arrays, **case.constants)
        first = str(raised.value).splitlines()[0]
        assert text in str(raised.value) and len(first) <= 200, first


@needs_c
def test_the_comparer_sees_a_one_percent_poke() -> None:
    """A comparer that cannot fail proves nothing: spoil one element of each float kernel's output by 1 %."""
    seen = 0
    for case in CASES:
        before, outputs = run(case, case.inputs(case.rng(7), case.sizes(2)[-1]))
        op = OPS[case.kernel]
        for output in outputs:
            flat = output.reshape(-1)
            if output.dtype.kind != "f" or not flat.size:
                continue
            place = int(np.argmax(np.abs(np.where(np.isfinite(flat), flat, 0))))
            kept = flat[place].copy()
            if not np.isfinite(kept) or abs(kept) < 1e-3:
                continue
            flat[place] = kept * 1.01
            if case.kernel in ("matmul", "dense", "relu", "sum", "adam_step", "softmax_crossentropy", "sigmoid"):
                assert compare(op, tuple(before), tuple(outputs), case.constants), f"{case}: a 1 % error passed"
            seen += bool(compare(op, tuple(before), tuple(outputs), case.constants))
            flat[place] = kept
    assert seen > len(CASES) // 2
