"""The surface of the package: one changed import line, late modules, what dir() shows, what is absent and why."""

import importlib
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, layers

MODULES = [n for n in dir(fastnn) if n != "keras" and isinstance(getattr(fastnn, n), ModuleType)]


@pytest.mark.parametrize("name", ["", *MODULES, "ops.image", "ops.linalg", "ops.nn", "ops.numpy",
                                  "preprocessing.image"])
def test_dir_shows_what_is_public(name: str) -> None:
    """No imported module, no NumPy, no typing; what is shown is there, and all of __all__ is shown."""
    module = importlib.import_module(f"fastnn.{name}".rstrip("."))
    shown = dir(module)
    assert shown == sorted(set(shown)) and set(getattr(module, "__all__", [])) <= set(shown)
    for each in shown:
        value = getattr(module, each)
        assert not each.startswith("_") or each == "__version__"
        if isinstance(value, ModuleType):
            assert value.__name__.startswith("fastnn"), each
        elif isinstance(value, type):
            assert value.__module__.startswith("fastnn"), each


def test_one_changed_line() -> None:
    """import fastnn as tf, or the import root: the same objects, however they are imported."""
    program = """
import sys
import fastnn as tf
from fastnn.keras import Sequential, layers
from fastnn.keras.layers import Dense
from fastnn.keras.preprocessing.image import ImageDataGenerator
assert tf.keras is tf and tf.keras.layers.Dense is Dense is layers.Dense
assert "matplotlib" not in sys.modules and "fastnn.plotting" not in sys.modules and "fastnn.teaching" not in sys.modules
assert tf.plotting.__name__ == "fastnn.plotting" and tf.__version__
tf.random.set_seed(1)
tf.keras.backend.clear_session()
model = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(1)])
assert model.layers[-1].name == "dense"
from fastnn import *
import math, random as stdlib
assert random is tf.random and stdlib.random
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_late_module_is_one_module_whichever_name_comes_first() -> None:
    program = """
import importlib
import sys
import fastnn
for name in (*fastnn._LATER, "saving.models", "layers", "layers.core", "preprocessing.text"):
    module = importlib.import_module(f"fastnn.keras.{name}")
    assert module is importlib.import_module(f"fastnn.{name}") is sys.modules[f"fastnn.keras.{name}"], name
    assert module.__name__ == module.__spec__.name == f"fastnn.{name}", name
assert importlib.util.find_spec("fastnn.keras.nothing") is None
try:
    import fastnn.keras.nothing
except ModuleNotFoundError as error:
    assert error.name == "fastnn.keras.nothing"
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_is_absent_says_so_in_one_line() -> None:
    for name, words in (("applications", "no pretrained weights"), ("Session", "leave the session"), ("Dense", "Den")):
        with pytest.raises(AttributeError, match=words) as raised:
            getattr(fastnn, name)
        assert len(str(raised.value).splitlines()) == 1 and len(str(raised.value)) < 130


def test_lessons_are_listed() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "fastnn.examples"], capture_output=True, text=True)
    assert done.returncode == 0 and all(name in done.stdout for name in fastnn.examples.LESSONS)


def test_backend_functions() -> None:
    k = fastnn.backend
    x = np.array([[1.0, 4.0], [9.0, 16.0]], "float32")
    assert k.epsilon() == 1e-7 and k.floatx() == "float32" and k.image_data_format() == "channels_last"
    np.testing.assert_allclose(k.mean(k.sqrt(k.variable(x)), axis=-1).numpy(), [1.5, 3.5], rtol=1e-6)
    np.testing.assert_array_equal(k.argmax(x).numpy(), [1, 1])
    np.testing.assert_array_equal(k.eval(k.switch(x > 3, x, k.zeros_like(x))), np.where(x > 3, x, 0))
    v = k.variable(x)
    k.update_add(v, 1.0)
    k.update_sub(v, np.ones((2, 2)))
    k.set_value(v, k.get_value(v) * 2)
    np.testing.assert_array_equal(v.numpy(), 2 * x)
    assert k.int_shape(v) == (2, 2) and k.count_params(v) == 4 and k.batch_flatten(x[None]).shape == (1, 4)
    assert k.is_keras_tensor(Input((3,))) and not k.is_keras_tensor(v)
    assert k.result_type("int32", "float32") == "float32" and k.result_type("bool", "uint8", "int32") == "int32"
    assert k.random_normal((3,), seed=1).shape == (3,) and [k.get_uid("a"), k.get_uid("a")] == [1, 2]
    with pytest.raises(ValueError, match="channels_last"):
        k.set_image_data_format("channels_first")


def test_tensors_in_pandas_and_plots() -> None:
    pandas = pytest.importorskip("pandas")
    x = fastnn.ops.convert_to_tensor([1.0, 2.0, 3.0])
    assert pandas.DataFrame({"x": x})["x"].tolist() == [1.0, 2.0, 3.0] and pandas.Series(x).sum() == 6
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    (line,) = plt.plot(x, x * x)
    assert list(line.get_ydata()) == [1.0, 4.0, 9.0]
    plt.close("all")


def test_ops_in_models_train() -> None:
    """Comparisons, where, indexing and concatenation in an own layer, loss and metric: recorded as they run eagerly."""
    class Gate(layers.Layer):
        def call(self, x: fastnn.Tensor) -> fastnn.Tensor:
            left, right = x[:, :2], x[:, 2:]
            return fastnn.ops.concatenate([fastnn.ops.where(left > right, left, right * 0.5), x[:, ::-1]], axis=-1)

    def loss(y: fastnn.Tensor, p: fastnn.Tensor) -> fastnn.Tensor:
        return fastnn.ops.mean(fastnn.ops.square(y - p) * (1 + 9 * (y == 1)), axis=-1)

    def share(y: fastnn.Tensor, p: fastnn.Tensor) -> fastnn.Tensor:
        return fastnn.ops.mean(fastnn.ops.cast((p > 0.5) == (y > 0.5), "float32"), axis=-1)

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 4)), rng.integers(0, 2, (64, 1))
    found = []
    for eagerly in (False, True):
        fastnn.random.set_seed(2)
        model = Sequential([Input((4,)), layers.Dense(4), Gate(), layers.Dense(1, activation="sigmoid")])
        model.compile("adam", loss, metrics=[share], run_eagerly=eagerly)
        history = model.fit(x, y, epochs=3, verbose=0)
        found.append((history.history["loss"], history.history["share"], model.get_weights()[0].tobytes()))
        assert isinstance(model, Model)
    assert found[0] == found[1]


def test_base_classes_are_at_the_top() -> None:
    """As in Keras 3: what one derives from, without looking for its module."""
    for name in ("Initializer", "Layer", "Loss", "Metric", "Model", "Optimizer", "Regularizer"):
        module = importlib.import_module("fastnn.losses" if name == "Loss" else f"fastnn.{name.lower()}s")
        assert getattr(fastnn, name) is getattr(module, name), name
    assert fastnn.utils.pad_sequences([[1], [2, 3]]).tolist() == [[0, 1], [2, 3]]
