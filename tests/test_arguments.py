"""Arguments: each check by itself; then every parameter of every public class with values that nobody should pass."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fastnn import Input, Sequential, arguments, ops
from fastnn.engine.tensor import Tensor
from fastnn.errors import shown
from fastnn.layers import Dense
from tests.errors import FOREIGN, assert_good_error
from tests.public import CASES, Case, parameters

NAN = float("nan")


class Unprintable:
    """What has no repr."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


# ---- each check -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_whole_numbers(value: Any) -> None:
    found = arguments.whole(value, "f: n")
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize("value", [3.0, "3", True, np.True_, None, NAN, 1j, [3], np.array([3]), b"3", Unprintable()],
                         ids=shown)
def test_no_whole_numbers(value: Any) -> None:
    assert_good_error(lambda: arguments.whole(value, "f: n"), TypeError, "f: n is", "a whole number >= 1")


@pytest.mark.parametrize("value", [0, -1, 2 ** 63, 2 ** 200, 10 ** 5000, -10 ** 5000], ids=shown)
def test_whole_numbers_out_of_range(value: int) -> None:
    assert_good_error(lambda: arguments.whole(value, "f: n"), ValueError, "f: n is", "a whole number >= 1")
    with pytest.raises(ValueError, match="below 2\\*\\*63"):
        arguments.whole(2 ** 63, "f: n", None)


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.array(1.0), Fraction(1), Tensor(np.array(1.0))])
def test_numbers(value: Any) -> None:
    found = arguments.number(value, "f: x")
    assert found == 1
    assert type(found) is float


@pytest.mark.parametrize("value", ["1", True, None, 1j, np.complex64(1), [1.0], np.array([1.0]), b"1", Unprintable(),
                                   Tensor(None, shape=(), dtype="float32")], ids=shown)
def test_no_numbers(value: Any) -> None:
    assert_good_error(lambda: arguments.number(value, "f: x"), TypeError, "f: x is", "a finite number")


@pytest.mark.parametrize(("limits", "bad", "words"), [
    ({}, (NAN, math.inf, -math.inf, 10 ** 400), "needs a finite number."),
    ({"low": 0}, (-1e-9, NAN, math.inf), "needs a finite number >= 0."),
    ({"low": 0, "above": True}, (0, -0.0, NAN), "needs a finite number > 0."),
    ({"low": 0, "high": 1}, (-0.1, 1.1, NAN), "needs a number from 0 to 1."),
    ({"low": 0, "high": 1, "below": True}, (-0.1, 1, NAN), "needs a number >= 0 and < 1."),
    ({"high": 5}, (5.5, -math.inf), "needs a finite number <= 5.")])
def test_numbers_out_of_range(limits: dict[str, Any], bad: tuple[float, ...], words: str) -> None:
    for value in bad:
        assert_good_error(lambda value=value: arguments.number(value, "f: x", **limits), ValueError, "f: x is", words)


def test_flags() -> None:
    assert [arguments.flag(value, "f") for value in (True, False, np.True_, 1, 0, None)] == [
        True, False, True, True, False, False]
    for value in ("no", "False", 2, 0.0, [], np.zeros(2), Unprintable()):
        assert_good_error(lambda value=value: arguments.flag(value, "f: y"), TypeError, "f: y is", "True or False")


def test_choices_name_the_nearest() -> None:
    assert arguments.choice("same", "f: padding", ("same", "valid")) == "same"
    assert_good_error(lambda: arguments.choice("sane", "f: padding", ("same", "valid")), ValueError, "mean 'same'?")
    for value in (3, None, np.zeros(2), ["same"]):
        assert_good_error(lambda value=value: arguments.choice(value, "f: padding", ("same", "valid")), TypeError,
                          "choose from same, valid")


def test_sizes() -> None:
    assert arguments.sizes(3, "f: k", 2) == (3, 3)
    assert arguments.sizes([3, 4], "f: k", 2) == arguments.sizes(np.array([3, 4]), "f: k", 2) == (3, 4)
    for value in ((3, 0), (3,), (1, 2, 3), 0, [2 ** 63, 1], np.zeros((2, 2), int)):
        assert_good_error(lambda value=value: arguments.sizes(value, "f: k", 2), (ValueError, TypeError), "f: k is",
                          "a whole number >= 1, ")
    for value in ((3, 1.5), "34", None, {3: 4}, [None, 3]):
        assert_good_error(lambda value=value: arguments.sizes(value, "f: k", 2), TypeError, "f: k is")


def test_borders() -> None:
    assert arguments.borders(1, "f: p") == ((1, 1), (1, 1))
    assert arguments.borders((1, 2), "f: p") == ((1, 1), (2, 2))
    assert arguments.borders(((1, 2), [3, 4]), "f: p") == ((1, 2), (3, 4))
    for value in (-1, (1,), ((1, 2, 3), 4), "ab", None, ((1, -2), 3)):
        assert_good_error(lambda value=value: arguments.borders(value, "f: p"), (ValueError, TypeError), "f: p is")


def test_intervals() -> None:
    assert arguments.interval(0.25, "f: r", -1, 1) == arguments.interval(-0.25, "f: r", -1, 1) == (-0.25, 0.25)
    assert arguments.interval(0.25, "f: r", 0, 1) == (0, 0.25)
    assert arguments.interval((0.5, -0.25), "f: r", -1, 1) == (-0.25, 0.5)
    for value in (2, NAN, (0,), (0, NAN), "x", None):
        assert_good_error(lambda value=value: arguments.interval(value, "f: r", -1, 1), (ValueError, TypeError), "f: r")


def test_arrays_of_numbers() -> None:
    assert arguments.numbers([[1, 2], [3, 4]], "f: v").dtype == np.float64
    for value in ([1, NAN], [math.inf], [[1], [2, 3]], "x", None, [None], [1j], [True], {}):
        assert_good_error(lambda value=value: arguments.numbers(value, "f: v"), (ValueError, TypeError), "f: v")


def test_shapes_and_axes() -> None:
    assert arguments.shape(3, "f: s") == (3,)
    assert arguments.shape([None, np.int64(2)], "f: s") == (None, 2)
    assert arguments.axes(-1, "f: a") == (-1,)
    assert arguments.axes([0, -1], "f: a") == (0, -1)
    for check in (arguments.shape, arguments.axes):
        for value in ("ab", (1.5,), [True], 2 ** 63, [2 ** 63], NAN, {}, Unprintable()):
            assert_good_error(lambda value=value, check=check: check(value, "f: s"), (ValueError, TypeError), "f: s")


# ---- every parameter of every public class --------------------------------------------------------------------------


NASTY = [NAN, math.inf, -math.inf, -1, 0, 1.5, 2 ** 63, 2 ** 200, 10 ** 400, "nonsense", "", b"x", object(),
         Unprintable(), [], {}, (), [NAN], [None], (1, 2, 3, 4, 5, 6, 7), {"a": 1}, np.array([1.0, NAN]),
         np.zeros((2, 2)), np.array("x"), 1j, np.float32(NAN), np.array(NAN), int, len, [[1, 2], [3]],
         {"class_name": 3}, {"class_name": "nonsense", "config": {}}, {"config": {}}]


def _made(case: Case, name: str, value: Any) -> None:
    """Make the object; call it, where it is a layer."""
    made = case.make(**{name: value})
    if case.inputs and name != "name" and not name.endswith("activation"):
        inputs = [np.zeros(shape, np.float32) for shape in case.inputs]
        made(inputs[0] if len(inputs) == 1 else inputs)


def _fault(call: Callable[[], Any], value: Any, words: bool = True) -> str:
    """What is wrong with how a call takes the value: '' for a right result, or an error as it should be."""
    try:
        call()
        if not _finite(value):
            return "accepted"
    except MemoryError:
        return ""
    except Exception as error:
        text, first = str(error), str(error).split("\n")[0]
        if not isinstance(error, (TypeError, ValueError)):
            return f"{type(error).__name__}: {first}"
        if not first or len(first) > 160 or any(phrase.lower() in text.lower() for phrase in FOREIGN):
            return f"words: {first}"
        if words and not any(phrase in text for phrase in ("needs", "choose from", "did you mean")):
            return f"says not what is needed: {first}"
    return ""


def _finite(value: Any) -> bool:
    try:
        return (isinstance(value, list) and value == [None]) or bool(np.isfinite(np.asarray(value, np.float64)).all())
    except (TypeError, ValueError, OverflowError):
        return True


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_arguments_that_nobody_should_pass(case: Case) -> None:
    wrong = []
    for name in parameters(case.kind):
        for value in NASTY:
            own = value is len and name.endswith("_initializer")     # a function of the user's may raise what it likes
            found = "" if own else _fault(lambda name=name, value=value: _made(case, name, value), value)
            if found:
                wrong.append(f"{name}={shown(value)}: {found}")
    assert not wrong, "\n".join(wrong)


_CALLS = {"fit": ("batch_size", "epochs", "initial_epoch", "steps_per_epoch", "validation_split", "validation_data",
                  "validation_batch_size", "validation_steps", "validation_freq", "sample_weight", "class_weight",
                  "verbose", "callbacks", "y", "x"),
          "evaluate": ("batch_size", "steps", "sample_weight", "verbose", "callbacks", "y", "x"),
          "predict": ("batch_size", "steps", "verbose", "callbacks", "x"),
          "train_on_batch": ("sample_weight", "class_weight", "y", "x"),
          "compile": ("optimizer", "loss", "metrics", "weighted_metrics", "loss_weights")}


@pytest.mark.parametrize(("method", "name"), [(method, name) for method, names in _CALLS.items() for name in names])
@pytest.mark.filterwarnings("ignore")
def test_arguments_that_nobody_should_pass_to_a_model(method: str, name: str) -> None:
    x, y = np.ones((4, 3), np.float32), np.ones((4, 1), np.float32)
    model = Sequential([Input((3,)), Dense(1)])
    given: dict[str, Any] = {"fit": dict(x=x, y=y, verbose=0, validation_data=(x, y)), "evaluate": dict(x=x, y=y),
                             "predict": dict(x=x), "train_on_batch": dict(x=x, y=y), "compile": {}}[method]
    if name == "validation_split":
        given.pop("validation_data")
    wrong = []
    for value in NASTY:
        if value is len:
            continue        # a loss of the user's own may raise what it likes
        model.compile("sgd", "mse")
        arguments = {**given, name: value}
        found = _fault(lambda arguments=arguments: _run(model, method, arguments, x, y), value, False)
        if found:
            wrong.append(f"{name}={shown(value)}: {found}")
    assert not wrong, "\n".join(wrong)


def _run(model: Any, method: str, arguments: dict[str, Any], x: np.ndarray, y: np.ndarray) -> None:
    getattr(model, method)(**arguments)
    if method == "compile":
        model.fit(x, y, verbose=0)


@pytest.mark.parametrize("call", [
    lambda: ops.convert_to_tensor(2 ** 63), lambda: ops.convert_to_tensor(2 ** 70), lambda: ops.full((2,), 2 ** 63),
    lambda: ops.add(np.ones(3, np.int32), 2 ** 40), lambda: ops.multiply(np.ones(3, np.uint8), -1),
    lambda: ops.add(np.ones(3, np.uint8), 256), lambda: ops.where(True, np.ones(3, np.int32), -2 ** 31 - 1)])
def test_whole_numbers_that_do_not_fit_are_not_wrapped(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"for numbers of .*; needs a whole number from"):
        call()
    assert int(ops.add(np.ones(1, np.uint8), 254)[0]) == 255 and float(ops.add(np.ones(1), 2 ** 70)[0]) > 1e21
