"""model.trace of every layer and optimizer: lines for all of them, whose formulas give their numbers."""

import math
import re
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers as L
from fastnn import optimizers as O
from fastnn.engine import backend
from fastnn.teaching.trace.board import ALL, Limits
from tests.test_trace import FAMILIES, bits, dense, lines


def rng() -> np.random.Generator:
    """The same numbers for every test, whichever ran before."""
    return np.random.default_rng(8)
NAMES = {"tanh": math.tanh, "sqrt": math.sqrt, "exp": math.exp, "ln": lambda x: math.log(max(x, 1e-30)), "max": max,
         "relu": lambda x: max(x, 0.0), "sigmoid": lambda x: 1 / (1 + math.exp(-x)), "sign": np.sign,
         "min": min, "mean": lambda *x: sum(x) / len(x)}


def value_of(text: str) -> Any:
    """What a formula with numbers comes to, with their four digits; None where there are words in it."""
    text = text.replace("·", "*").replace("²", "**2").replace("√", "sqrt").replace("^", "**")
    text = re.sub(r"e\*\*(\(?-?[\d.e+-]+\)?)", r"exp(\1)", text)
    text = re.sub(r"(sqrt|ln) ?(?!\()([\d.e+-]+)", r"\1(\2)", text)
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    try:
        return eval(text, {"__builtins__": {"abs": abs}}, NAMES)
    except (SyntaxError, NameError, TypeError, OverflowError, ZeroDivisionError, ValueError):
        return None


def right(items: Any) -> int:
    """How many of the lines have a formula with numbers; each of them gives the line's value."""
    count = 0
    for line in lines(items):
        found = value_of(line.parts[-1]) if len(line.parts) > 1 and line.value is not None else None
        if found is not None:
            largest = max([1e-6, *(abs(float(n)) for n in re.findall(r"\d+\.?\d*(?:e[+-]\d+)?", line.parts[-1]))])
            assert abs(found - float(line.value)) <= 4e-3 * max(abs(found), abs(float(line.value)), largest), line
            count += 1
    return count


@pytest.mark.parametrize("family", FAMILIES)
def test_formulas_give_their_numbers(family: Any, any_backend: str) -> None:
    fastnn.random.set_seed(6)
    model, x, y = family()
    model.fit(x, y, epochs=2, batch_size=3, verbose=0)
    board = model.trace(x, y).board(Limits(2, 3, 99))
    counts = {section.title: right(section.items) for section in board}
    assert counts["forward"] >= 12 and counts["loss"] >= 3 and counts["backward"] >= 12 and counts["update"] >= 12


LAYERS = [
    L.SimpleRNN(3), L.GRU(3), L.GRU(3, reset_after=False), L.Bidirectional(L.LSTM(2)), L.Conv1D(3, 2),
    L.LayerNormalization(), L.UnitNormalization(), L.PReLU(), L.SpatialDropout1D(0.5), L.AveragePooling1D(2),
    L.TimeDistributed(L.Dense(2, "gelu")), L.ELU(), L.GaussianNoise(0.1), L.LSTM(2, go_backwards=True),
    L.GlobalMaxPooling1D(), L.UpSampling1D(2), L.Activation("softmax"), L.SeparableConv1D(2, 2)]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_every_layer_has_lines(layer: Any) -> None:
    model = fastnn.Sequential([fastnn.Input((4, 3)), type(layer).from_config(layer.get_config()), L.Flatten(),
                               L.Dense(2)])
    model.compile("sgd", "mae")
    trace = model.trace(rng().normal(size=(2, 4, 3)), rng().normal(size=(2, 2)))
    forward, backward = (next(s for s in trace.board(Limits(2, 2, 99)) if s.title == title)
                         for title in ("forward", "backward"))
    assert str(trace) and trace.full() and len(lines(forward.items)) > 2
    assert right(forward.items) > 2 and right(backward.items) > 2


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "adagrad", "adamax", "lion", "lamb", "nadam", "ftrl",
                                       "adafactor", "adadelta"])
def test_every_optimizer_has_lines_for_each_weight(optimizer: str) -> None:
    model = fastnn.Sequential([fastnn.Input((3,)), L.Dense(2, "elu"), L.Dense(1)])
    model.compile(optimizer, "mse")
    trace = model.trace(rng().normal(size=(2, 3)), rng().normal(size=(2, 1)))
    update = trace.board(ALL)[-2]
    assert update.title == "update"
    rule, *folds = update.items
    assert rule.startswith(type(model.optimizer).__name__ + ": ")
    for fold, weight in zip(folds, trace.weights, strict=True):
        last = [line for line in lines(fold.items) if line.left == "new w"]
        assert [line.value for line in last] == list(weight.after.ravel())
        assert len(lines(fold.items)) > len(last)


def test_convolution_relu_and_pooling_in_one_kernel() -> None:
    model = fastnn.Sequential([fastnn.Input((8, 8, 1)), L.Conv2D(2, 3, activation="relu"), L.MaxPooling2D(2),
                               L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    trace = model.trace(rng().random((2, 8, 8, 1)), rng().random((2, 1)))
    names = {record.name for record in trace.records}
    assert "conv2d_relu_pool" in names or backend.backend() != "c"
    assert "max(0, z of the 2x2 window)" in str(trace) or backend.backend() != "c"


def test_what_is_refused() -> None:
    model, x, y = dense()
    with pytest.raises(ValueError, match="trace"):
        model.trace(x, y, samples=0)
    with pytest.raises(TypeError, match="update"):
        model.trace(x, y, update="yes")
    fresh = fastnn.Sequential([fastnn.Input((2,)), L.Dense(1)])
    with pytest.raises(RuntimeError, match="compile"):
        fresh.trace(x, y)


@pytest.mark.filterwarnings("ignore:(?s).*not replayed")
def test_a_step_without_a_program_is_refused() -> None:
    def loss(t: Any, p: Any) -> Any:
        error = fastnn.ops.mean(fastnn.ops.square(t - p))
        return error * 2 if float(error) > 1 else error

    model = fastnn.Sequential([fastnn.Input((2,)), L.Dense(1)])
    model.compile("sgd", loss)
    before = bits(model)
    with pytest.raises(RuntimeError, match="not recorded"):
        model.trace(rng().normal(size=(2, 2)), rng().normal(size=(2, 1)))
    assert bits(model) == before


OPTIONS = {"clipnorm": O.SGD(0.1, clipnorm=0.1), "clipvalue": O.Adam(clipvalue=0.01),
           "decay": O.AdamW(weight_decay=0.1), "global": O.Adam(global_clipnorm=0.1),
           "centered": O.RMSprop(momentum=0.9, centered=True),
           "amsgrad": O.Adam(amsgrad=True), "scaled": O.Adam(loss_scale_factor=8.0), "ema": O.Adam(use_ema=True),
           "accumulated": O.Adam(gradient_accumulation_steps=2), "nesterov": O.SGD(0.1, 0.9, nesterov=True)}


@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_optimizers_are_written_out(option: str) -> None:
    """A weight's lines tell of that weight: all their formulas give their numbers."""
    model = fastnn.Sequential([fastnn.Input((3,)), L.Dense(2, "tanh", kernel_constraint="max_norm"), L.Dense(1)])
    model.compile(OPTIONS[option], "mse")
    trace = model.trace(rng().normal(size=(4, 3)), rng().normal(size=(4, 1)) + 1)
    update = trace.board()[-1]
    assert right(update.items) >= 8
    for fold in update.items[1:]:
        for element in fold.items[:2]:
            names = [line.left for line in lines([element])]
            assert names[-1] == "new w" and names.count("g") <= 1 and len(names) >= 2, names
