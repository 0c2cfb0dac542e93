"""Rules of rewriting: each is met, changes no bit (or what the order of a sum may), and holds back where it must."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers, ops
from fastnn.engine import rewrite
from fastnn.engine.context import recording
from fastnn.engine.gradient import backward
from fastnn.engine.program import Program
from fastnn.engine.rewrite import Rewrite
from fastnn.engine.tensor import Tensor, Variable
from fastnn.ops._op import by_name
from fastnn.ops._rewrites import RULES
from fastnn.ops.rows.data import fill
from tests.conftest import needs_c

Example = Callable[[Callable[..., Tensor]], list[Tensor]]
SETTINGS = dict(strides=(1, 1), pads=(0, 0, 0, 0), dilation=(1, 1), groups=1)
POOL = dict(pool=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0))
ACTIVATIONS = ("relu", "tanh", "sigmoid")


def drawn() -> Callable[..., Tensor]:
    """draw(shape, dtype): a tensor that existed before the recording."""
    rng = np.random.default_rng(0)

    def draw(*shape: int, dtype: str = "float32", tracked: bool = False) -> Tensor:
        numbers = rng.normal(size=shape) if dtype == "float32" else rng.integers(0, 3, shape)
        return Tensor(numbers.astype(dtype), "drawn", tracked=tracked)
    return draw


def product(kind: str, activation: str) -> Example:
    def example(draw: Callable[..., Tensor]) -> list[Tensor]:
        if kind == "dense":
            z = by_name["dense"](draw(5, 4), draw(4, 3), draw(3), activation="linear")
        elif kind == "conv2d":
            z = by_name["conv2d"](draw(2, 6, 6, 3), draw(3, 3, 3, 4), draw(4), activation="linear", **SETTINGS)
        else:
            z = by_name["conv2d_transpose"](draw(2, 4, 4, 3), draw(3, 3, 3, 2), draw(2), activation="linear",
                                            size=(6, 6), **SETTINGS)
        return [by_name[activation](z)]
    return example


def batch(dtype: str, then: Callable[[Tensor], Tensor]) -> Example:
    """Rows of a batch and what is done with them first."""
    def example(draw: Callable[..., Tensor]) -> list[Tensor]:
        order, cursor = Tensor(np.array([4, 1, 3], np.int32)), Tensor(np.array(0))
        return [then(by_name["gather_rows"](draw(5, 3, dtype=dtype), order, cursor, batch=2))]
    return example


def small_layer(activation: str) -> Example:
    """A dense layer over three axes, and its gradients: the change of shape is in between."""
    def example(draw: Callable[..., Tensor]) -> list[Tensor]:
        x, w, b = draw(2, 3, 4, tracked=True), draw(4, 3, tracked=True), draw(3, tracked=True)
        z = by_name["dense"](by_name["reshape"](x, shape=(6, 4)), w, b, activation="linear")
        y = by_name["reshape"](z, shape=(2, 3, 3))
        if activation != "linear":
            y = by_name[activation](y)
        return [y, *(g for g in backward(y, [x, w, b], draw(2, 3, 3)) if g is not None)]
    return example


def pooled(padded: bool = False) -> Example:
    """A convolution with relu and max pooling, and its gradients."""
    def example(draw: Callable[..., Tensor]) -> list[Tensor]:
        x, w, b = draw(3, 9, 9, 2, tracked=True), draw(2, 2, 2, 5, tracked=True), draw(5, tracked=True)
        settings = SETTINGS | (dict(pads=(1, 1, 1, 1)) if padded else {})
        y = by_name["relu"](by_name["conv2d"](x, w, b, activation="linear", **settings))
        p, _ = by_name["max_pool"](y, **POOL)
        return [p, *(g for g in backward(p, [x, w, b], draw(*p.shape)) if g is not None)]
    return example


def scored(loss: str) -> Example:
    """A loss from logits, and a metric of the probabilities."""
    def example(draw: Callable[..., Tensor]) -> list[Tensor]:
        x = by_name["scale"](draw(6, 3), factor=2.0)
        p = by_name["softmax"](x)
        if loss == "softmax_crossentropy":
            losses, _ = by_name[loss](draw(6, 3), x, smoothing=0.1)
            return [losses, by_name["categorical_accuracy"](draw(6, 3), p)]
        labels = by_name["gather_rows"](draw(9, dtype="int32"), np.arange(9, dtype=np.int32), np.array(0), batch=6)
        losses, *_ = by_name[loss](labels, x, ignore=-1)
        return [losses, by_name["sparse_categorical_accuracy"](labels, p), by_name["square"](p)]
    return example


# (what is computed, the kernels that a program of it has)
EXAMPLES: dict[str, tuple[Example, list[str]]] = {
    **{f"{kind} {f}": (product(kind, f), [kind]) for kind in ("dense", "conv2d", "conv2d_transpose")
       for f in ACTIVATIONS},
    "bytes": (batch("uint8", lambda x: by_name["cast"](x, dtype="float32")), ["gather_rows_rescaled"]),
    "bytes rescaled": (batch("uint8", lambda x: by_name["rescale"](by_name["cast"](x, dtype="float32"), scale=0.1,
                                                                   offset=1.0)), ["gather_rows_rescaled"]),
    "floats rescaled": (batch("float32", lambda x: by_name["rescale"](x, scale=0.1, offset=1.0)),
                        ["gather_rows_rescaled"]),
    "small linear": (small_layer("linear"), ["reshape", "dense", "reshape", "reshape", "weights_grad", "matmul_nt",
                                             "reshape"]),
    **{f"small {f}": (small_layer(f), ["reshape", "dense", "reshape", "reshape", "dense_grad", "matmul_nt", "reshape"])
       for f in ACTIVATIONS},
    "pooled": (pooled(), ["conv2d_relu_pool", "max_pool_grad", "conv2d_relu_pool_grad", "transpose",
                          "conv2d_transpose"]),
    "padded and pooled": (pooled(padded=True), ["conv2d", "max_pool", "relu_grad", "max_pool_grad", "sum_rows",
                                                "conv2d_weights_grad", "transpose", "conv2d_transpose"]),
    "scored one-hot": (scored("softmax_crossentropy"), ["scale", "softmax_crossentropy", "categorical_accuracy"]),
    "scored labels": (scored("sparse_softmax_crossentropy"), ["scale", "gather_rows", "sparse_softmax_crossentropy",
                                                              "square"]),
}


def names(program: Program) -> list[str]:
    return [call.op.name for call in program.calls]


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Rewrite]]:
    """The rules that have found something."""
    found: list[Rewrite] = []
    apply = rewrite._Graph.apply

    def spy(graph: Any, rule: Rewrite) -> bool:
        used = apply(graph, rule)
        found.extend([rule] if used else [])
        return used
    monkeypatch.setattr(rewrite._Graph, "apply", spy)
    yield found


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_calls_are_fewer_and_the_bits_the_same(name: str, any_backend: str, applied: list[Rewrite],
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    example, expected = EXAMPLES[name]
    with recording() as calls:
        results = example(drawn())
    program = Program(calls, keep=results)
    assert names(program) == expected
    assert program.rounds == any(rule.rounds for rule in applied)
    monkeypatch.setattr(rewrite, "rules", [])
    plain = Program(calls, keep=results)
    assert len(plain) > len(program) or name == "padded and pooled"
    program.run()
    plain.run()
    for eager, one, other in zip(results, program.results, plain.results, strict=True):
        assert eager.data.tobytes() == other.data.tobytes()
        if program.rounds:
            np.testing.assert_allclose(one.data, other.data, rtol=1e-5, atol=1e-5)
        else:
            assert one.data.tobytes() == other.data.tobytes()


def test_there_is_an_example_of_every_rule(applied: list[Rewrite]) -> None:
    for example, _ in EXAMPLES.values():
        with recording() as calls:
            results = example(drawn())
        Program(calls, keep=results)
    assert not set(RULES) - set(applied)
    assert rewrite.rules == RULES


def test_a_layer_of_many_weights_keeps_a_call_for_each_gradient() -> None:
    with recording() as calls:
        x, w, b = (Variable(np.ones(shape), "v") for shape in ((64, 64), (64, 64), (64,)))
        y = ops.relu(by_name["dense"](x, w, b, activation="linear"))
        results = backward(ops.sum(y), [w, b])
    assert {"relu_grad", "matmul_tn", "sum_rows"} <= set(names(Program(calls, keep=results)))


# ---- where it must not ----------------------------------------------------------------------------------------------

RELU = Rewrite("z = dense(x, w, b, activation='linear'); y = relu(z)", "y = dense(x, w, b, activation='relu')", by_name)


def layer(draw: Callable[..., Tensor]) -> tuple[Variable, Tensor]:
    """Weights, and the layer before its activation."""
    w = Variable(np.full((4, 3), 2.0), "w")
    return w, by_name["dense"](draw(5, 4), w, draw(3), activation="linear")


def test_what_is_kept_or_read_by_others_stays(any_backend: str) -> None:
    for kept in (True, False):
        with recording() as calls:
            _, z = layer(drawn())
            y = ops.relu(z)
            other = z if kept else ops.exp(z)
        assert names(Program(calls, keep=[y, other]))[:2] == ["dense", "relu"]


def test_updates_in_between_are_seen(any_backend: str) -> None:
    """Of the weights: the product is made before. Of what it has made: there the two calls stay two."""
    for weights in (True, False):
        with recording() as calls:
            w, z = layer(drawn())
            fill(w if weights else z, value=1.0)
            y = ops.relu(z)
        program = Program(calls, keep=[y])
        wanted = y.numpy()
        w.assign(np.full((4, 3), 2.0))
        program.run()
        assert program.results[0].data.tobytes() == wanted.tobytes()
        assert names(program) == (["dense", "fill"] if weights else ["dense", "fill", "relu"])


def test_updates_of_other_buffers_do_not_matter() -> None:
    with recording() as calls:
        w, z = layer(drawn())
        fill(Variable(np.zeros(3), "other"), value=1.0)
        y = ops.relu(z)
        fill(w, value=0.0)
    assert names(Program(calls, keep=[y])) == ["fill", "dense", "fill"]


@needs_c
def test_the_check_backend_has_programs_of_its_own() -> None:
    x = np.random.default_rng(0).random((8, 6, 6, 1))
    stack = [layers.Conv2D(2, 3, activation="relu", input_shape=(6, 6, 1)), layers.MaxPooling2D(), layers.Flatten(),
             layers.Dense(1, activation="tanh")]
    model = fastnn.Sequential(stack)
    model.compile("sgd", "mse")
    found = []
    for backend in ("c", "check", "c"):
        with fastnn.config.using(backend=backend):
            model.fit(x, np.ones(8), epochs=2, verbose=0)
            found.append(names(model.program()))
    assert "conv2d_relu_pool" in found[0] and found[0] == found[2]
    assert {"conv2d", "relu", "max_pool", "dense", "tanh"} <= set(found[1]) and "conv2d_relu_pool" not in found[1]


def test_the_first_step_has_the_bits_of_all_others(any_backend: str) -> None:
    """Recorded and then run by its program, where a sum's order is another there: two fits are one."""
    x, y = np.random.default_rng(0).normal(size=(40, 8, 8, 1)), np.arange(40) % 3
    weights = []
    for times in (1, 4):
        fastnn.random.set_seed(1)
        model = fastnn.Sequential([layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)), layers.MaxPooling2D(),
                                   layers.Flatten(), layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        for _ in range(times):
            model._steps.clear()        # recorded anew every time
            model.fit(x, y, epochs=4 // times, batch_size=20, verbose=0)
        assert model.program().rounds
        weights.append(b"".join(w.tobytes() for w in model.get_weights()))
    assert weights[0] == weights[1]


# ---- rules that are none -------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("calls", "instead"), [
    ("y = relu(x, z)", "y = tanh(x)"), ("y, z = relu(x)", "y = tanh(x)"), ("y = relu(x)", "y = leaky_relu(x)"),
    ("y = relu(x)", "y = leaky_relu(x, slope=0.1, more=1)"), ("y = relu(x, slope=1)", "y = tanh(x)")])
def test_a_rule_names_inputs_outputs_and_constants_as_the_op_does(calls: str, instead: str) -> None:
    with pytest.raises(TypeError, match=r"needs \w*relu\(x"):
        Rewrite(calls, instead, by_name).read()


def test_a_rule_that_gives_a_tensor_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrite, "rules", [Rewrite("y = relu(x)", "y = sum(x, axes=(0,))", by_name)])
    with recording() as calls:
        y = ops.relu(drawn()(3, 2))
    with pytest.raises(TypeError, match=r"y is float32 \(3, 2\), but sum makes it float32 \(2,\)"):
        Program(calls, keep=[y])
