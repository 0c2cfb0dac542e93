"""What checkers and editors know: names, arguments, arrays, figures; and what mypy finds in a student's script."""

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from fastnn import activations, constraints, initializers, layers, literals, regularizers
from fastnn.layers import _options
from fastnn.losses import serialization as loss_names
from fastnn.metrics import serialization as metric_names
from fastnn.optimizers import serialization as optimizer_names

GOOD = """
import numpy as np
from fastnn import Input, Sequential, callbacks, layers, losses, metrics, optimizers, plotting, regularizers
from fastnn.optimizers import schedules

x = np.zeros((9, 8, 8, 1), "float32")
y = np.zeros(9)
model = Sequential([Input((8, 8, 1)), layers.Conv2D(4, 3, padding="same", activation="relu", name="first"),
                    layers.Flatten(), layers.Dropout(0.5),
                    layers.Dense(1, activation="sigmoid", kernel_initializer="he_normal", kernel_regularizer="l2")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy", metrics.AUC()])
model.compile(optimizers.SGD(schedules.ExponentialDecay(0.1, 10, 0.5), momentum=0.9, clipnorm=1.0),
              losses.BinaryCrossentropy(), metrics="accuracy")
model.compile("sgd", lambda t, p: (t - p) ** 2)
history = model.fit(x, y, epochs=2, verbose=0, class_weight="balanced",
                    callbacks=[callbacks.EarlyStopping(patience=3)])
probability: float = float(model.predict(x).mean())
figure = plotting.loss_curves(history)
figure.savefig("loss.png")
layers.Dense(3, kernel_regularizer=regularizers.L2(0.1), input_shape=(4,), dtype="float32")
layers.LSTM(3, use_cudnn=False, implementation=1)
"""
WRONG = """
layers.Dense(4, activaton="relu")
layers.Dense(4, activation="rleu")
layers.Conv2D(4, 3, padding="smae")
model.compile("adma", "mse")
model.compile("adam", loss="binary_crossentrpy")
model.fit(x, y, epoch=3)
model.predict(x).mena()
optimizers.SGD(learnig_rate=0.1)
callbacks.EarlyStopping(patiance=3)
figure.savfig("loss.png")
layers.Dense("10")
layers.Dense(3, kernel_initializer="he_norml")
"""


@pytest.mark.slow
def test_mypy_finds_a_students_mistakes_and_no_others(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    script = tmp_path / "student.py"
    script.write_text(GOOD + WRONG)
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "c"), "--follow-imports=silent", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1])
    lines = [int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line]
    first = len(GOOD.splitlines()) + 2
    assert sorted(set(lines)) == list(range(first, first + len(WRONG.strip().splitlines()))), done.stdout


@pytest.mark.parametrize(("kind", "registry"), [
    (literals.ActivationName, activations.FUNCTIONS), (literals.LossName, loss_names.CLASSES),
    (literals.MetricName, {**metric_names.CLASSES, **metric_names._BY_SHAPE}),
    (literals.OptimizerName, optimizer_names.CLASSES),
    (literals.InitializerName, initializers.CLASSES), (literals.RegularizerName, regularizers.CLASSES),
    (literals.ConstraintName, constraints.CLASSES)], ids=lambda value: None)
def test_names_are_those_of_the_registries(kind: object, registry: dict[str, object]) -> None:
    assert list(typing.get_args(kind)) == sorted(registry)


def test_every_layer_names_its_arguments() -> None:
    """No layer takes **kwargs of any name: checkers know what there is."""
    for kind in (_options.CommonOptions, _options.LayerOptions, _options.EmbeddingOptions):
        assert {"name", "trainable", "dtype", "input_shape"} <= set(typing.get_type_hints(kind))
    open_ones = []
    for name in layers.__all__:
        kind = getattr(layers, name)
        if inspect.isclass(kind) and issubclass(kind, layers.Layer) and kind is not layers.Layer:
            own = inspect.signature(kind.__init__).parameters.get("kwargs")
            if own is not None and typing.get_origin(own.annotation) is not typing.Unpack:
                open_ones.append(name)
    assert not open_ones, open_ones


def test_what_calls_give_is_typed() -> None:
    from fastnn import Model, plotting
    assert inspect.signature(Model.predict).return_annotation.__name__ == "ndarray"
    for name in plotting.__all__:
        found = inspect.signature(getattr(plotting, name)).return_annotation
        assert found is not inspect.Signature.empty and "Any" not in str(found).split("[")[0], name
