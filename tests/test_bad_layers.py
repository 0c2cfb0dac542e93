"""Bad arguments of layers, and models that cannot be built: reliability.md's table, row by row."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, layers
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.layers import Activation, Dense, Dropout, Flatten, Reshape
from tests.errors import assert_good_error, weights_hash


@pytest.mark.parametrize("units, kind", [(0, ValueError), (-1, ValueError), (2.5, TypeError), (2.0, TypeError),
                                         ("10", TypeError), (True, TypeError), (None, TypeError), ([3], TypeError),
                                         (np.bool_(True), TypeError), (float("nan"), TypeError)])
def test_units(units: Any, kind: type[Exception]) -> None:
    assert_good_error(lambda: Dense(units), kind, "Dense", "units", "whole number >= 1")


@pytest.mark.parametrize("units", [np.int32(3), np.uint8(3), np.int64(3)])
def test_units_of_numpy_types_are_fine(units: Any) -> None:
    assert Dense(units).units == 3


def test_a_weight_no_machine_holds() -> None:
    for n in (2 ** 31, 2 ** 40, 2 ** 62):
        assert_good_error(lambda n=n: Sequential([Input((n,)), Dense(n)]), ValueError, "GiB", "kernel")
    assert_good_error(lambda: Sequential([Input((4,)), Dense(2 ** 36)]), ValueError, "GiB", "kernel")


@pytest.mark.parametrize("rate, kind", [(1.0, ValueError), (-0.1, ValueError), (float("nan"), ValueError),
                                        (1.5, ValueError), (float("inf"), ValueError), ("0.5", TypeError),
                                        (True, TypeError), (None, TypeError), ([0.5], TypeError)])
def test_dropout_rate(rate: Any, kind: type[Exception]) -> None:
    assert_good_error(lambda: Dropout(rate), kind, "Dropout", "rate")


@pytest.mark.parametrize("make", [lambda: Activation("rulu"), lambda: Dense(3, activation="rulu")])
def test_unknown_activation_names_the_nearest(make: Any) -> None:
    assert_good_error(make, ValueError, "'rulu'", "'relu'")
    assert_good_error(lambda: Activation(3), TypeError, "needs a name")


@pytest.mark.parametrize("make, got, near", [
    (lambda: Dense(3, activaton="relu"), "activaton", "activation"),
    (lambda: Dense(3, kernel_initialiser="zeros"), "kernel_initialiser", "kernel_initializer"),
    (lambda: Dense(3, input_shap=(3,)), "input_shap", "input_shape"),
    (lambda: Dropout(0.5, sead=1), "sead", "seed"),
    (lambda: Flatten(nmae="x"), "nmae", "name"),
])
def test_unknown_argument_names_the_nearest(make: Any, got: str, near: str) -> None:
    assert_good_error(make, TypeError, repr(got), repr(near))


@pytest.mark.parametrize("name, kind", [("", ValueError), ("x" * 256, ValueError), ("a/b", ValueError),
                                        ("..", ValueError), ("a\nb", ValueError), ("\x1b[31m", ValueError),
                                        ("\ud800", ValueError), ("a\u202eb", ValueError), (3, TypeError)])
def test_names(name: Any, kind: type[Exception]) -> None:
    assert_good_error(lambda: Dense(3, name=name), kind, "name")
    assert_good_error(lambda: Input((3,), name=name), kind, "name")
    assert_good_error(lambda: Sequential(name=name), kind, "name")


def test_good_names() -> None:
    for name in ("x" * 255, "Schicht ä", "层", "a.b", "a-b 1"):
        assert Dense(3, name=name).name == name


@pytest.mark.parametrize("shape", [(0,), (-1,), (2.5,), (True,), ("3",), "abc", 0, -2, 2.5, (3, 0)])
def test_input_shapes(shape: Any) -> None:
    assert_good_error(lambda: Input(shape), (ValueError, TypeError), "Input", "shape")  # type: ignore[arg-type]
    assert_good_error(lambda: Dense(3, input_shape=shape), (ValueError, TypeError), "shape")  # type: ignore[arg-type]


def test_input_without_a_shape() -> None:
    assert_good_error(lambda: Input(), TypeError, "Input(shape=(30,))")
    assert_good_error(lambda: Input((3,), dtype="complex64"), ValueError, "complex64")
    assert_good_error(lambda: Input((3,), batch_size=0), ValueError, "batch_size")
    assert_good_error(lambda: Input((3,), batch_size="a"), TypeError, "batch_size")


def test_the_same_layer_twice() -> None:
    layer = Dense(3, name="once")
    assert_good_error(lambda: Sequential([layer, layer]), ValueError, "'once'", "there already")
    assert_good_error(lambda: Sequential([Dense(3, name="a"), Dense(3, name="a")]), ValueError, "'a'", "another name")


def test_a_name_twice_in_a_graph() -> None:
    x = Input((3,))
    y = Dense(3, name="a")(Dense(3, name="a")(x))
    assert_good_error(lambda: Model(x, y), ValueError, "'a'", "two layers")
    shared = Dense(3, name="b")
    Model(x, shared(shared(x)))       # one layer applied twice is no clash


@pytest.mark.parametrize("thing", [3, "dense", None, Dense, np.ones(3), lambda x: x])
def test_no_layers(thing: Any) -> None:
    model = Sequential([Input((3,)), Dense(2)])
    assert_good_error(lambda: model.add(thing), TypeError, "needs a layer")
    assert len(model.layers) == 1


def test_an_input_in_the_middle() -> None:
    model = Sequential([Dense(3)])
    assert_good_error(lambda: model.add(Input((3,))), ValueError, "first")
    assert_good_error(lambda: Sequential().pop(), ValueError, "no layer")


def test_a_layer_that_does_not_fit_is_not_added() -> None:
    model = Sequential([Input((6,)), Dense(4)])
    before = weights_hash(model)
    assert_good_error(lambda: model.add(Reshape((3,), name="bend")), ShapeError, "bend", "(4,)", "(3,)")
    assert len(model.layers) == 1 and weights_hash(model) == before
    model.add(Dense(2))
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize("target, kind", [((0,), ValueError), ((2.5,), TypeError), ((True,), TypeError),
                                          ("ab", TypeError), (None, TypeError), ((-1, -1), ValueError),
                                          ((-2,), ValueError)])
def test_reshape_targets(target: Any, kind: type[Exception]) -> None:
    assert_good_error(lambda: Reshape(target), kind, "Reshape", "target_shape")


def test_flatten_and_merges() -> None:
    assert_good_error(lambda: Flatten("channels_first"), ValueError, "channels_last")
    a, b = Input((3,)), Input((4,))
    assert_good_error(lambda: layers.add([a, b]), ShapeError, "(None, 3)", "(None, 4)")
    assert_good_error(lambda: layers.add([a]), ValueError, "got 1")
    assert_good_error(lambda: layers.add(a), ValueError, "list")
    assert_good_error(lambda: layers.subtract([a, a, a]), ValueError, "got 3", "2")
    assert_good_error(lambda: layers.concatenate([Input((2, 3)), Input((3, 3))]), ShapeError, "(None, 2, 3)")
    assert_good_error(lambda: layers.concatenate([a, a], axis=5), ShapeError, "axis 5")


def test_slopes() -> None:
    for bad, kind in ((-1, ValueError), (float("nan"), ValueError), ("a", TypeError), (True, TypeError)):
        assert_good_error(lambda bad=bad: layers.LeakyReLU(bad), kind, "negative_slope")
        assert_good_error(lambda bad=bad: layers.ELU(bad), kind, "alpha")
    assert_good_error(lambda: layers.Softmax(axis=4)(np.ones((2, 3), np.float32)), ShapeError, "axis")


def test_features_that_differ_name_both(any_backend: str) -> None:
    layer = Dense(2, name="dense")
    layer(np.ones((5, 3), np.float32))
    assert_good_error(lambda: layer(np.ones((5, 4), np.float32)), ShapeError, "dense", "(5, 4)", "3")
    assert_good_error(lambda: layer(np.ones(3, np.float32)), ShapeError, "x[None]")


def test_weights_before_the_shape_is_known() -> None:
    model = Sequential([Dense(3), Dense(1)])
    for call in (lambda: model.set_weights([]), model.count_params):
        assert_good_error(call, NotBuiltError, "input shape", "Input")
    assert_good_error(lambda: Dense(3).get_weights(), NotBuiltError, "input shape")
    assert_good_error(lambda: Dense(3)(Input((None,))), ShapeError, "(None, None)", "known")
    assert_good_error(lambda: Sequential([Input((None, 2)), Flatten(), Dense(2)]), ShapeError, "known")


def test_set_weights_copies_or_refuses(any_backend: str) -> None:
    model = Sequential([Input((3,)), Dense(2), Dense(1)])
    good = model.get_weights()
    before = weights_hash(model)
    for bad in (good[:-1], [*good, np.ones(1)], [good[0].T, *good[1:]], [*good[:-1], np.ones((1, 1))]):
        assert_good_error(lambda bad=bad: model.set_weights(bad), ShapeError, "set_weights")
        assert weights_hash(model) == before
    assert_good_error(lambda: model.set_weights([np.full((3, 2), "a"), *good[1:]]), TypeError, "numbers")
    assert_good_error(lambda: model.set_weights([np.full((3, 2), 1j), *good[1:]]), TypeError, "numbers")
    assert weights_hash(model) == before
    w = np.arange(6, dtype=">f8").reshape(2, 3).T       # big-endian, F order, float64
    w.flags.writeable = False
    model.set_weights([w, *good[1:]])
    np.testing.assert_array_equal(model.get_weights()[0], w)
    assert not np.shares_memory(model.weights[0].data, w)
    model.get_weights()[0][...] = 7       # a copy
    np.testing.assert_array_equal(model.get_weights()[0], w)


def test_models_of_wrong_things() -> None:
    x = Input((3,))
    assert_good_error(lambda: Model(x), TypeError, "inputs and outputs")
    assert_good_error(lambda: Model(Input((3,)), Dense(1)(x)), ValueError, "not among")
    assert_good_error(lambda: Model(np.ones(3), Dense(1)(x)), TypeError, "Input(shape)")
    assert_good_error(lambda: Model(x, 5), TypeError, "symbolic")
    assert_good_error(lambda: fastnn.Model()(np.ones((2, 3), np.float32)), NotImplementedError, "call")
    model = Model(x, Dense(1, name="head")(x))
    assert_good_error(lambda: model.get_layer("haed"), ValueError, "haed", "head")
    assert_good_error(lambda: model.get_layer(index=9), ValueError, "9")
    assert_good_error(lambda: model.get_layer(), ValueError, "name or an index")


def test_no_memory_is_a_memory_error(any_backend: str) -> None:
    big = np.broadcast_to(np.float32(1), (2 ** 20, 3))
    layer = Dense(2 ** 20)
    layer(np.ones((1, 3), np.float32))
    assert_good_error(lambda: layer(big), MemoryError, "GiB", "dense")
