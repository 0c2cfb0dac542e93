"""What compile() was given: in files, in copies, with functions and a compile() of the user's own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, initializers, layers, metrics, models, ops, optimizers, random, utils
from tests.errors import assert_good_error

X, Y = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3), np.ones((4, 1), np.float32)
ENDINGS = [".safetensors", pytest.param(".keras", marks=pytest.mark.skipif(
    not __import__("importlib.util").util.find_spec("h5py"), reason="files of Keras need h5py"))]


def far(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)


def bent(x: Any) -> Any:
    return x * ops.sigmoid(x)


class Own(Model):
    """compile() with an argument of its own, which no file tells."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def compile(self, second: Any, optimizer: Any = "sgd", loss: Any = "mse") -> None:  # type: ignore[override]
        super().compile(optimizer, loss)
        self.second = optimizers.get(second)


class Told(Own):
    def get_compile_config(self) -> dict[str, Any]:
        return {**super().get_compile_config(), "second": self.second}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        config = utils.deserialize_keras_object(config)
        self.compile(config["second"], config["optimizer"], config["loss"])


class Wrapped(Own):
    def compile(self, *args: Any, **kwargs: Any) -> None:
        Model.compile(self, *args, **kwargs)
        self.told = True


@pytest.mark.parametrize("ending", ENDINGS)
def test_functions_of_ones_own_are_named_in_files(ending: str, tmp_path: Path) -> None:
    model = Sequential([Input((3,)), layers.Dense(2, activation=bent), layers.Dense(1, activation=ops.relu)])
    model.compile("adam", far, metrics=[far])
    model.fit(X, Y, epochs=2, verbose=0)
    path = tmp_path / f"m{ending}"
    model.save(path)
    assert_good_error(lambda: models.load_model(path), ValueError, "'bent'", "custom_objects")
    known = {"bent": bent, "far": far}
    again = models.load_model(path, custom_objects=known)
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert again.compiled.loss is far and again.layers[-1].activation is ops.relu
    with utils.custom_object_scope({"bent": bent}):
        assert_good_error(lambda: models.load_model(path), ValueError, "'far'")
        assert models.load_model(path, compile=False).compiled is None


def test_a_lambda_has_no_name() -> None:
    assert_good_error(lambda: utils.serialize_keras_object(lambda x: x), ValueError, "name")
    config = layers.Dense(1, activation=bent).get_config()
    config["activation"]["module"] = "fastnn.ops"      # no function of fastnn's is meant by another's name
    assert_good_error(lambda: layers.Dense.from_config(config), ValueError, "'bent'")


def built(kind: type[Own]) -> Any:
    model = kind(name="m")
    model(X)
    return model


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_compile_of_ones_own_is_left_out_or_told(ending: str, tmp_path: Path) -> None:
    known = {"Own": Own, "Told": Told, "Wrapped": Wrapped}
    own = built(Own)
    own.compile("adam")
    own.fit(X, Y, verbose=0)
    own.save(tmp_path / f"own{ending}")
    with pytest.warns(UserWarning, match="Own: its own compile"):
        again = models.load_model(tmp_path / f"own{ending}", custom_objects=known)
    assert again.compiled is None
    np.testing.assert_array_equal(again(X), own(X))
    told = built(Told)
    told.compile("adam", optimizers.SGD(0.25), "mae")
    told.fit(X, Y, verbose=0)
    told.save(tmp_path / f"told{ending}")
    again = models.load_model(tmp_path / f"told{ending}", custom_objects=known)
    assert isinstance(again.second, optimizers.Adam) and again.optimizer.learning_rate == 0.25
    assert again.evaluate(X, Y, verbose=0) == told.evaluate(X, Y, verbose=0)
    wrapped = built(Wrapped)
    wrapped.compile("adam", "mse")
    wrapped.save(tmp_path / f"wrapped{ending}")      # before it has trained: no word of an optimizer that is missing
    assert models.load_model(tmp_path / f"wrapped{ending}", custom_objects=known).told


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_may_leave_out_what_compile_was_given(ending: str, tmp_path: Path) -> None:
    model = Sequential([Input((3,)), layers.Dense(1)])
    model.compile("adam", lambda y, p: far(y, p))       # which has no name
    model.fit(X, Y, verbose=0)
    for save in (model.save, lambda path, **how: models.save_model(model, path, **how)):
        save(tmp_path / f"m{ending}", include_optimizer=False)
        again = models.load_model(tmp_path / f"m{ending}")
        assert again.compiled is None
        np.testing.assert_array_equal(again(X), model(X))
    assert_good_error(lambda: model.save(tmp_path / f"m{ending}", include_optimizer="no"), ValueError,
                      "include_optimizer")


def test_a_clone_is_compiled_alike_with_its_own_optimizer_and_metrics() -> None:
    model = Sequential([Input((3,)), layers.Dense(1)])
    assert models.clone_model(model).compiled is None
    model.compile(optimizers.SGD(0.5, momentum=0.9), lambda y, p: far(y, p), metrics=[metrics.MeanAbsoluteError("m")])
    model.fit(X, Y, verbose=0)
    twin = models.clone_model(model)
    twin.set_weights(model.get_weights())
    assert twin.optimizer is not model.optimizer and twin.optimizer.iterations == 0
    assert twin.optimizer.get_config() == model.optimizer.get_config()
    assert twin.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    before = model.get_weights()
    twin.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_errors_are_keras_kinds_too(tmp_path: Path) -> None:
    for error in (FileNotFoundError, ValueError):
        with pytest.raises(error, match=r"none\.keras"):
            models.load_model(tmp_path / "none.keras")
    for error in (TypeError, ValueError):
        assert_good_error(lambda: layers.Dense(1, unit=2), error, "'unit'")
        assert_good_error(lambda: Sequential(layers.Dense(1), layers.Dense(2)), error, "two layers")
        assert_good_error(lambda: Model(Input((2,))), error, "only one of inputs and outputs")
        assert_good_error(lambda: utils.serialize_keras_object(object()), error, "obj")
        assert_good_error(lambda: metrics.IoU(2, target_class_ids=3), error, "target_class_ids")
        assert_good_error(lambda: optimizers.schedules.PiecewiseConstantDecay(3, [1.0]), error, "list")
        assert_good_error(lambda: Sequential([Input((3,)), layers.Dense(1)]).save("x", save_format="h5"), error,
                          "'save_format'")


def test_a_seed_generator_is_written_down() -> None:
    made = initializers.HeNormal(random.SeedGenerator(7))
    again = initializers.deserialize(initializers.serialize(made))
    assert again.get_config() == made.get_config() and isinstance(again.seed, random.SeedGenerator)
    first = initializers.HeNormal(random.SeedGenerator(7))
    np.testing.assert_array_equal(again((3, 2)), first((3, 2)))
    assert fastnn.random.SeedGenerator.from_config(again.seed.get_config()).seed == 7
