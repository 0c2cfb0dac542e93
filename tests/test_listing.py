"""A printed program: every call is there, every tensor has a producer or a name, and no line is too long."""

import os
import re
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers, ops
from fastnn.engine.context import recording, section_scope
from fastnn.engine.program import Program
from fastnn.engine.tensor import Tensor
from fastnn.training.trainer import Trainer
from tests.conftest import needs_c


def trained(*stack: Any, loss: str, y: Any, metrics: Any = ("accuracy",)) -> Any:
    """A model that has been trained, evaluated and asked, so that it has programs of every kind."""
    model = fastnn.Sequential(stack)
    model.compile("adam", loss, metrics=list(metrics))
    x = np.random.default_rng(0).random((24, *stack[0].shape[1:]))
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, validation_data=(x, y))
    model.predict(x, batch_size=8, verbose=0)
    return model


@pytest.fixture(scope="module")
def models() -> list[Any]:
    labels = np.arange(24) % 3
    images = [layers.Input((8, 8, 2)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(),
              layers.BatchNormalization(name="a_normalization_of_batches_with_a_long_name"), layers.Flatten(),
              layers.Dropout(0.2), layers.Dense(3, activation="softmax", kernel_regularizer="l2")]
    steps = [layers.Input((6, 5)), layers.Dense(4, activation="tanh"), layers.Conv1D(3, 2), layers.Flatten(),
             layers.Dense(1)]
    return [trained(*images, loss="sparse_categorical_crossentropy", y=labels),
            trained(*steps, loss="mse", y=labels, metrics=["mae", "mse"])]


@pytest.fixture(scope="module")
def programs(models: list[Any]) -> list[Program]:
    return [program for model in models for program in model.programs]


def train_step(model: Trainer) -> Program:
    return next(program for program in model.programs if program.name.startswith("train"))


@pytest.mark.parametrize("columns", [1, 40, 63, 80, 100, 200])
def test_no_line_is_longer_than_the_terminal_is_wide(programs: list[Program], columns: int,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for program in programs:
        lines = str(program).splitlines()
        assert max(map(len, lines)) <= max(40, columns), program
        assert all(line.strip() for line in lines)


def test_a_hundred_columns_where_there_is_no_terminal(programs: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*descriptor: int) -> os.terminal_size:
        raise OSError("no terminal")
    monkeypatch.setattr(os, "get_terminal_size", none)
    monkeypatch.delenv("COLUMNS", raising=False)
    assert 80 < max(len(line) for program in programs for line in str(program).splitlines()) <= 100


@pytest.mark.parametrize("whole", [True, False])
def test_every_tensor_has_a_producer_or_a_name(programs: list[Program], whole: bool,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    for program in programs:
        made: set[str] = set()
        for line in (program.full() if whole else str(program)).splitlines():
            result, _, call = line.partition(" = ")
            numbers = re.findall(r"%[\d.]+(?<!\.)", call)
            assert set(numbers) <= made, f"{line}: nothing makes it in\n{program.full()}"
            made.update(re.findall(r"%[\d.]+(?<!\.)", result))
        assert made or program.name in ("begin epoch", "log metrics")
        assert not re.search(r"buffer\d|const\d", program.full()), program.full()


def test_a_line_for_every_call(programs: list[Program]) -> None:
    for program in programs:
        lines = program.full().splitlines()
        assert len(lines) == 1 + len(program) and f": {len(program)} calls" in lines[0]
        for call, line in zip(program.calls, lines[1:]):
            assert f" = {call.op.name}(" in line and line.endswith(call.layer)


def test_views_are_listed_with_their_layer_and_are_no_constants(models: list[Any]) -> None:
    text = train_step(models[0]).full()
    assert re.search(r"= reshape\(%\d+\.0, shape=\(-1, 36\)\) +\(8, 36\) +flatten", text)
    assert re.search(r"= reshape\(%\d+, shape=\(8, 3, 3, 4\)\) +\(8, 3, 3, 4\) +flatten", text)      # and back


@needs_c
def test_c_runs_nothing_for_a_view(models: list[Any]) -> None:
    for model in models:
        program = train_step(model)
        views = [call for call in program.calls if call.is_view]
        assert views and len(program.handle()) == len(program) - len(views)
        assert len(program.parts()) == len(program)
        assert all(call.op.name == "reshape" for call in views)


def test_sections_in_order_and_bookkeeping_in_a_line_each(models: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for model in models:
        program = train_step(model)
        lines = str(program).splitlines()
        heads = [line for line in lines[1:] if re.fullmatch(r"\w+", line)]
        assert heads == ["forward", "loss", "backward", "update"]
        folded = [line.split("] ")[0].split(" [")[1] for line in lines if "] " in line]
        drawn = ["random state"] * any(isinstance(layer, layers.Dropout) for layer in model.layers)
        assert folded == ["batch", *drawn, "metrics", "metrics", "next step"]
        numbers = [re.match(r" *(\d+)(?:-(\d+))? ", line) for line in lines[1:] if not line.startswith(" " * 8)]
        spans = [(int(m[1]), int(m[2] or m[1])) for m in numbers if m]
        listed = [n for begin, end in spans for n in range(begin, end + 1)]
        assert listed == list(range(len(program)))      # each call once, folded or not
        assert lines[-1] == "What is in brackets is folded; full() lists every call."


def test_a_program_without_sections_has_no_headings() -> None:
    x = Tensor(np.ones((2, 3), np.float32))
    with recording() as calls:
        y = ops.exp(ops.multiply(x, ops.convert_to_tensor(np.arange(6).reshape(2, 3))))
        with section_scope("tail", folded=True):
            z = ops.relu(y)
    lines = [" ".join(line.split()) for line in str(Program(calls[:-1], "p", keep=[y])).splitlines()]
    assert lines[1:] == ["0 %0 = multiply(buffer1, const2) (2, 3)", "1 %1 = exp(%0) (2, 3)"]
    assert str(Program(calls, "p", keep=[z])).splitlines()[-2] == "  2  [tail] relu"


def test_the_sum_of_many_metrics_stays_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["mae", "mse", "mape", "msle", "cosine_similarity", "hinge", "squared_hinge", "poisson"]
    model = trained(layers.Input((3,)), layers.Dense(1), loss="mse", y=np.ones(24), metrics=names)
    for columns in (60, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = [line for line in str(train_step(model)).splitlines() if "[metrics]" in line]
        assert len(lines) == 2 and all(len(line) <= columns for line in lines)


def test_the_program_of_a_step(models: list[Any]) -> None:
    for model in models:
        for step in ("train", "test", "predict"):
            assert model.program(step).name == f"{step} step of {model.name}, batch 8"
    assert models[0].program() is train_step(models[0])
    with pytest.raises(ValueError, match=r"program\(\): got 'trian'; did you mean 'train'\?"):
        models[0].program("trian")
    with pytest.raises(RuntimeError, match=r"program\(\): .* has recorded no predict step yet; call predict\(\)"):
        fastnn.Sequential([layers.Dense(1, input_shape=(2,))]).program("predict")
