"""fastnn.kernel: one's own kernel is refused where it is wrong, used where it is right, and can be taken out again."""

import os
import shlex
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers as L
from fastnn.engine import backend
from fastnn.engine.check import KernelMismatch
from fastnn.errors import ShapeError
from fastnn.ops._op import by_name
from fastnn.teaching import OwnKernel
from fastnn.teaching.compiler import compiler, prototype
from fastnn.teaching.school import MATMUL, SOFTMAX
from fastnn.teaching.trials import trials, tried
from tests.conftest import needs_c

needs_compiler = pytest.mark.skipif(not compiler(), reason="no C compiler")
RELU = "void relu(const float *x, float *y, int64_t n) { for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : 0; }"
X = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def taken_out() -> Iterator[None]:
    yield
    left = backend.replaced
    for name in left:
        backend.replace(backend.kernels[name], None)
        by_name[name].forget()
    assert not left, f"the test left {left}"


def network() -> Any:
    fastnn.random.set_seed(4)
    model = fastnn.Sequential([fastnn.Input((4,)), L.Dense(8, "relu"), L.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_every_model_runs_it_until_it_is_removed(any_backend: str) -> None:
    """Programs recorded before it too, and the one-row predict; results stay what they were."""
    y = np.arange(24) % 3
    plain, model = network(), network()
    plain.fit(X, y, epochs=4, batch_size=8, verbose=0)
    model.fit(X, y, epochs=1, batch_size=8, verbose=0)
    model.predict(X[:1])
    calls = []

    @fastnn.kernel("relu")
    def relu(x: Any) -> Any:
        calls.append(x.shape)
        return np.maximum(x, 0)

    assert isinstance(relu, OwnKernel) and relu.in_use and relu.checked >= 10
    calls.clear()
    model.fit(X, y, epochs=2, batch_size=8, verbose=0)
    assert calls and set(calls) == {(8, 8)} and "relu(" in model.program().full()
    calls.clear()
    model.predict(X[:1])
    assert calls == [(1, 8)] * len(calls) and calls
    fastnn.ops.relu(X)
    assert calls[-1] == (24, 4) and np.array_equal(relu(X), np.maximum(X, 0))
    calls.clear()
    assert "relu(x), yours in Python: in use, right in" in str(relu) and "yours" in relu.times() and repr(relu)
    relu.remove()
    calls.clear()
    model.fit(X, y, epochs=1, batch_size=8, verbose=0)
    model.predict(X[:1])
    fastnn.ops.relu(X)
    assert not calls and not relu.in_use and "removed" in str(relu)
    assert np.allclose(model.get_weights()[0], plain.get_weights()[0], rtol=1e-4, atol=1e-6)


def test_show_config_says_so(capsys: Any) -> None:
    with fastnn.kernel("relu", lambda x: np.maximum(x, 0)):
        fastnn.show_config()
        assert "(yours: relu)" in capsys.readouterr().out and fastnn.config.configuration()["replaced"] == ["relu"]
    fastnn.show_config()
    assert "yours" not in capsys.readouterr().out


def test_a_with_block_and_another_one_in_its_place() -> None:
    first = fastnn.kernel("relu", lambda x: np.where(x > 0, x, 0))
    with fastnn.kernel("relu")(lambda x: np.maximum(x, 0)) as second:
        assert second.in_use and not first.in_use
        first.remove()
        assert second.in_use
    assert not second.in_use and backend.kernels["relu"].own is None
    with first:
        assert first.in_use


@pytest.mark.parametrize(("function", "error", "said"), [
    (np.abs, KernelMismatch, r"kernel relu, on random numbers of shape .*: y\[\d+\] is .* in yours but 0.0 in the ref"),
    (lambda x: x[:1], ShapeError, r"its y has shape \(1,\); needs"),
    (lambda x: (x, x), TypeError, "returns 2 arrays; needs 1: y"),
    (lambda x, y: x, ValueError, r"needs relu\(x\)"),
    (lambda x: np.maximum(x, 0, out=x), KernelMismatch, "changes its input x"),
    (lambda x: np.where(np.abs(x) > 50, 0, np.maximum(x, 0)), KernelMismatch, "on edge numbers"),
    (lambda x: "0", (TypeError, ShapeError), "kernel relu")])
def test_wrong_ones_are_refused_and_change_nothing(function: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        fastnn.kernel("relu")(function)
    assert backend.kernels["relu"].own is None and not backend.replaced


def test_unknown_kernels_and_what_a_kernel_takes() -> None:
    with pytest.raises(ValueError, match="relu"):
        fastnn.kernel("rellu")
    with pytest.raises(TypeError, match="needs one of them"):
        fastnn.kernel("relu", lambda x: x, c=RELU)
    waiting = repr(fastnn.kernel("matmul"))
    assert "kernel matmul(a, b)" in waiting and "a (m, k), b (k, n)" in waiting
    assert "void matmul(const float *a, const float *b, float *y, int64_t m, int64_t k, int64_t n)" in waiting
    assert prototype(by_name["leaky_relu"]).endswith("float *y, int64_t n, float slope)")
    assert "int64_t rows, int64_t n" in prototype(by_name["softmax"])


def test_wrong_on_the_models_numbers_only() -> None:
    """What no trial shows, the first call of a model does: it is compared once at each new shape."""
    model = network()
    with (fastnn.kernel("relu")(lambda x: np.maximum(x, 0) + (x.shape == (8, 8))),
          pytest.raises(KernelMismatch, match="the model's numbers of shape")):
        model.fit(X, np.arange(24) % 3, batch_size=8, epochs=1, verbose=0)


def test_the_check_backend_compares_every_call_of_it() -> None:
    if backend.backend() != "c":
        pytest.skip("needs C")
    late: list[int] = []

    def relu(x: Any) -> Any:
        late.append(1)
        return np.maximum(x, 0) + (len(late) > 40)

    with (fastnn.config.using(backend="check"), fastnn.kernel("relu")(relu),
          pytest.raises(KernelMismatch, match="in yours but")):
        model = network()
        model.fit(X, np.arange(24) % 3, batch_size=4, epochs=20, verbose=0)
    assert model.checked.kernel == "relu" and model.checked.share > 1


def test_what_is_fused_is_not_where_a_part_is_replaced() -> None:
    model = network()
    model.fit(X, np.arange(24) % 3, batch_size=8, epochs=1, verbose=0)
    before = model.program().full()
    with fastnn.kernel("relu")(lambda x: np.maximum(x, 0)):
        model.fit(X, np.arange(24) % 3, batch_size=8, epochs=1, verbose=0)
        during = model.program().full()
        assert "relu(%" in during and "dense(%0, dense/kernel, dense/bias, activation='linear')" in during
        assert "relu(%" not in before and "dense_grad" in during       # the gradient is fastnn's, and fused
    model.fit(X, np.arange(24) % 3, batch_size=8, epochs=1, verbose=0)
    assert model.program().full() == before


def test_what_computes_something_else_is_refused_by_the_trials() -> None:
    """Of most kernels: nothing is known of the arrays of the rest, which the model's own numbers try."""
    count = 0
    for op in by_name.values():
        def wrong(*arrays: np.ndarray, op: Any = op, **constants: Any) -> Any:
            made = op.kernel.reference(*arrays, **constants)
            first, *others = made if isinstance(made, tuple) else (made,)
            return (np.asarray(first) == 0, *others)

        found = list(trials(op))
        if found:
            count += 1
            with pytest.raises(KernelMismatch):
                for trial in found:
                    tried(op, wrong, trial)
    assert count > 150


@needs_compiler
def test_c_source_is_compiled_checked_and_run() -> None:
    with fastnn.kernel("relu", c=RELU) as relu, fastnn.kernel("matmul", c=MATMUL), fastnn.kernel("softmax", c=SOFTMAX):
        assert relu.language == "C" and np.array_equal(fastnn.ops.relu(X).numpy(), np.maximum(X, 0))
        found = fastnn.ops.matmul(X[:, :3], X[:3]).numpy()
        assert np.allclose(found, X[:, :3] @ X[:3], rtol=1e-5, atol=1e-5)
        assert np.allclose(fastnn.ops.softmax(X).numpy().sum(axis=1), 1, atol=1e-6)
        network().fit(X, np.arange(24) % 3, batch_size=8, epochs=1, verbose=0)


@needs_compiler
@pytest.mark.parametrize(("source", "error", "said"), [
    ("void relu(const float *x, float *y, int64_t n) { y[0] = x[0] }", ValueError,
     "(?s)does not compile.*It needs: void re"),
    ("static void relu(const float *x, float *y, int64_t n) { }", ValueError, "no function relu"),
    (RELU.replace("> 0", "> 1"), KernelMismatch, "in yours but")])
def test_c_source_that_is_refused(source: str, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        fastnn.kernel("relu", c=source)


@needs_compiler
@pytest.mark.skipif(os.name == "nt", reason="there is no env")
def test_a_compiler_of_several_words(monkeypatch: Any) -> None:
    monkeypatch.setenv("CC", f"env {shlex.join(compiler())}")
    with fastnn.kernel("relu", c=RELU) as relu:
        assert np.array_equal(relu(X), np.maximum(X, 0))


def test_without_a_compiler_c_is_refused_and_numpy_works(monkeypatch: Any) -> None:
    monkeypatch.setattr("fastnn.teaching.compiler.compiler", list)
    with pytest.raises(RuntimeError, match="no C compiler"):
        fastnn.kernel("relu", c=RELU)
    fastnn.kernel("relu", lambda x: np.maximum(x, 0)).remove()


@needs_c
@needs_compiler
def test_c_under_float64_is_refused_by_name() -> None:
    with (fastnn.kernel("relu", c=RELU), fastnn.config.using(floatx="float64"),
          pytest.raises(TypeError, match="float32")):
        fastnn.ops.relu(X)
