"""Saved models: what is loaded predicts the same bits, and training goes on as if nothing had happened."""

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, layers, metrics, models, ops, saving, utils
from fastnn.errors import KindError, ModelFileError, NotBuiltError, ShapeError
from fastnn.saving import file
from tests.errors import assert_good_error
from tests.golden.common import wave

X, Y = wave(40, 6), wave(40, 3, phase=0.4)


def sequential() -> Any:
    return Sequential([layers.Input((6,)), layers.Dense(8, activation="relu", kernel_regularizer="l2"),
                       layers.BatchNormalization(), layers.Dropout(0.3), layers.Dense(3)])


def functional() -> Any:
    x = layers.Input((6,))
    a, b = layers.Dense(5, activation="tanh")(x), layers.Dense(5)(x)
    return Model(x, layers.Dense(3)(layers.Concatenate()([a, b])))


def nested() -> Any:
    inner = Sequential([layers.Input((6,)), layers.Dense(4, activation="relu"), layers.Dropout(0.2)])
    return Sequential([layers.Input((6,)), inner, layers.Dense(3)])


MODELS = {"sequential": sequential, "functional": functional, "nested": nested}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_a_loaded_model_goes_on_with_the_same_bits(name: str, optimizer: str, tmp_path: Path) -> None:
    """Weights, slots, counters, the shuffled order, dropout's masks, metrics."""
    fastnn.random.set_seed(4)
    model = MODELS[name]()
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    model.save(tmp_path / "model.fnn")
    fastnn.random.set_seed(99)
    loaded = models.load_model(tmp_path / "model.fnn")
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    assert loaded.predict(X, verbose=0).tobytes() == model.predict(X, verbose=0).tobytes()
    histories = [m.fit(X, Y, batch_size=8, epochs=3, verbose=0).history for m in (model, loaded)]
    assert histories[0] == histories[1]
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()


def test_the_safetensors_package_reads_the_weights(tmp_path: Path) -> None:
    from safetensors.numpy import load_file
    model = sequential()
    model.save(tmp_path / "model.fnn")
    arrays = load_file(tmp_path / "model.fnn")
    assert all(np.array_equal(arrays[f"weights/{i}"], w) for i, w in enumerate(model.get_weights()))


def test_weights_alone(tmp_path: Path) -> None:
    model, other = sequential(), sequential()
    model.save_weights(tmp_path / "w.fnn")
    other.load_weights(tmp_path / "w.fnn")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights()))
    assert_good_error(lambda: models.load_model(tmp_path / "w.fnn"), ModelFileError, "load_weights")
    wider = Sequential([layers.Input((6,)), layers.Dense(9)])
    assert_good_error(lambda: wider.load_weights(tmp_path / "w.fnn"), ShapeError, "skip_mismatch", unchanged=wider)
    with pytest.warns(UserWarning, match="stay as they are"):
        wider.load_weights(tmp_path / "w.fnn", skip_mismatch=True)
    assert_good_error(lambda: Sequential([layers.Dense(2)]).save(tmp_path / "x.fnn"), NotBuiltError, "input shape")
    with pytest.raises(FileExistsError, match="overwrite"):
        model.save(tmp_path / "w.fnn", overwrite=False)


@fastnn.utils.register_keras_serializable("tests")
class Scaled(layers.Layer):
    def __init__(self, factor: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x: Any) -> Any:
        return ops.multiply(x, self.factor)


def test_own_classes_by_name_only(tmp_path: Path) -> None:
    model = Sequential([layers.Input((6,)), Scaled(2.0), layers.Dense(1)])
    model.save(tmp_path / "own.fnn")
    assert np.array_equal(models.load_model(tmp_path / "own.fnn").predict(X, verbose=0), model.predict(X, verbose=0))

    class Unknown(Scaled):
        pass

    unknown = Sequential([layers.Input((6,)), Unknown(2.0), layers.Dense(1)])
    unknown.save(tmp_path / "unknown.fnn")
    assert_good_error(lambda: models.load_model(tmp_path / "unknown.fnn"), ValueError, "Unknown")
    again = models.load_model(tmp_path / "unknown.fnn", custom_objects={"Unknown": Unknown})
    assert np.array_equal(again.predict(X, verbose=0), unknown.predict(X, verbose=0))


def test_a_loss_without_a_name_is_left_out_with_a_word(tmp_path: Path) -> None:
    model = sequential()
    model.compile("adam", lambda y, p: ops.mean(ops.square(ops.subtract(y, p))))
    with pytest.warns(UserWarning, match="Compile it again"):
        model.save(tmp_path / "model.fnn")
    assert models.load_model(tmp_path / "model.fnn").compiled is None


def test_json_has_the_layers_and_no_weights() -> None:
    model = functional()
    twin = models.model_from_json(model.to_json())
    assert twin.count_params() == model.count_params() and twin.get_config() == model.get_config()


def test_a_description_of_more_weights_than_the_file_has(tmp_path: Path) -> None:
    """Refused before they are made: what a file says costs no more memory than it has itself."""
    model = Sequential([layers.Input((6,)), layers.Dense(3)])
    model.save(tmp_path / "m.fnn")
    arrays, content = file.read(tmp_path / "m.fnn")
    content["model"]["config"]["layers"][1]["config"]["units"] = 10 ** 8
    file.write(tmp_path / "large.fnn", arrays, {k: v for k, v in content.items() if k != "format"})
    assert_good_error(lambda: models.load_model(tmp_path / "large.fnn"), ModelFileError, "2400000000 bytes")
    assert models.load_model(tmp_path / "m.fnn").count_params() == 21      # and the limit is gone


def test_descriptions_that_make_no_model(tmp_path: Path) -> None:
    """Well signed files whose description is wrong: refused, not crashed."""
    system = {"class_name": "os.system", "config": {}}
    for model in ({"class_name": "Sequential", "config": {}}, 3, None,
                  {"module": "os", "class_name": "system", "config": 1},
                  {"class_name": "Sequential", "config": {"name": "a", "layers": [system]}}):
        content = {"model": model}
        file.write(tmp_path / "bad.fnn", {"weights/0": np.zeros(3, np.float32)}, content)
        with pytest.raises((ModelFileError, ValueError, ShapeError)):
            models.load_model(tmp_path / "bad.fnn")


class Blocks(Model):
    """Layers in lists of lists and in dicts, two arguments, no Input: built by what it is called on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = layers.Dense(3)
        self.table = layers.Embedding(7, 3)
        self.blocks = {"a": [[layers.Dense(3), layers.Dense(3)], [layers.Dense(3)]], "b": (layers.Dense(2),)}

    def call(self, x: Any, ids: Any = None) -> Any:
        y = self.first(x) if ids is None else self.first(x) + ops.mean(self.table(ids), axis=1)
        for block in self.blocks["a"]:
            for layer in block:
                y = layer(y)
        return self.blocks["b"][0](y)


@pytest.mark.parametrize("ending", [".safetensors", ".keras"])
@pytest.mark.parametrize("several", [False, True])
def test_a_subclass_that_was_built_by_a_call_comes_back_with_its_weights(several: bool, ending: str,
                                                                         tmp_path: Path) -> None:
    if ending == ".keras":
        pytest.importorskip("h5py")
    x, ids = np.linspace(-1, 1, 8, dtype="float32").reshape(2, 4), np.array([[1, 2], [6, 0]], "int32")
    data = (x, ids) if several else (x,)
    with utils.custom_object_scope({"Blocks": Blocks}):
        model = Blocks()
        y = model(*data).numpy()
        model.save(tmp_path / f"m{ending}")
        again = models.load_model(tmp_path / f"m{ending}")
    assert len(again.weights) == len(model.weights) == 10 + several
    np.testing.assert_array_equal(again(*data).numpy(), y)


def test_a_subclass_that_cannot_be_built_from_its_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with utils.custom_object_scope({"Blocks": Blocks}):
        model = Blocks()
        model(np.ones((1, 4), "float32"))
        model._build_shape = None
        model.save(path)
        assert_good_error(lambda: models.load_model(path), NotBuiltError, "call it on data, and load_weights(path)")


@pytest.mark.parametrize("ending", [".safetensors", ".keras"])
def test_how_often_callbacks_hear_of_batches_is_kept(ending: str, tmp_path: Path) -> None:
    if ending == ".keras":
        pytest.importorskip("h5py")
    model = sequential()
    model.compile("sgd", "mse", steps_per_execution=4)
    model.save(tmp_path / f"m{ending}")
    assert models.load_model(tmp_path / f"m{ending}").steps_per_execution == 4


def test_what_save_model_and_deserialize_are_told(tmp_path: Path) -> None:
    """Keras' save_format and others are not ignored; safe_mode is the only way there is."""
    model = Sequential([Input((2,)), layers.Dense(1)])
    assert_good_error(lambda: saving.save_model(model, tmp_path / "m.safetensors", save_format="tf"), KindError,
                      "save_format")
    assert not list(tmp_path.iterdir())
    made = saving.deserialize_keras_object(saving.serialize_keras_object(layers.Dense(3)), safe_mode=False)
    assert made.units == 3
    with saving.CustomObjectScope(None):
        assert saving.get_registered_object("Blocks") is None


@pytest.mark.parametrize("make", [*MODELS.values(), Blocks])
@pytest.mark.parametrize("copied", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_pickled_and_copied(make: Any, copied: Any) -> None:
    """joblib, multiprocessing, deepcopy: weights, optimizer and random numbers go on with the same bits."""
    model = make()
    if make is Blocks:
        model(X)
    model.compile("adam", "mse")
    y = Y[:, :2] if make is Blocks else Y
    model.fit(X, y, epochs=1, batch_size=8, verbose=0)
    twin = copied(model)
    assert type(twin) is type(model) and twin.weights[0] is not model.weights[0]
    for each in (model, twin):
        each.fit(X, y, epochs=2, batch_size=8, verbose=0)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_without_weights_is_pickled_too() -> None:
    twin = pickle.loads(pickle.dumps(Sequential([layers.Dense(3), layers.Dense(2)])))
    assert not twin.built and [layer.units for layer in twin.layers] == [3, 2]


def test_weights_by_name_first() -> None:
    """add_weight("kernel", shape=…), as the guides of TensorFlow 2 write it, and an array in a list of its own."""
    class Own(layers.Layer):
        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight("kernel", shape=[shape[-1], 2], initializer="ones")
            self.bias = self.add_weight("bias", (2,))
            self.gain = self.add_weight((2,), "zeros", name="gain", autocast=False)
            self.steps = self.add_variable((), "zeros", dtype="int32", trainable=False, name="steps")

        def call(self, x: Any) -> Any:
            return x @ self.kernel + self.bias * self.gain

    layer = Own()
    np.testing.assert_array_equal(layer(np.ones((1, 3), "float32")), [[3, 3]])
    assert [(w.name.split("/")[1], w.shape) for w in layer.weights] == [
        ("kernel", (3, 2)), ("bias", (2,)), ("gain", (2,)), ("steps", ())]
    np.testing.assert_array_equal(layer.add_weight("more", (2,), initializer="ones").numpy(), [1, 1])
    assert metrics.Mean().add_weight("total", (2,), initializer="zeros").shape == (2,)
    assert metrics.Mean().add_weight("total").name == "mean/total"
    for wrong in (lambda: layer.add_weight("kernel", name="k"), lambda: layer.add_weight((2,), shape=(2,)),
                  lambda: layer.add_weight((2,), "ones", initializer="ones")):
        assert_good_error(wrong, KindError, "add_weight got")
    assert_good_error(lambda: layer.add_weight("kernel", (2,), "float32", "ones"), KindError, "trainable is 'ones'")
    a, b = Input((3,)), Input((3,))
    model = Model([a, b], [layers.Dense(1)(a), layers.Dense(2)(b)])
    assert [y.shape for y in model(([X[:2, :3]], X[:2, :3]))] == [(2, 1), (2, 2)]


def test_arguments_that_no_layer_can_have() -> None:
    assert_good_error(lambda: layers.ConvLSTM1D(1, 1, strides=2, dilation_rate=2), ValueError, "dilation_rate")
    assert_good_error(lambda: layers.IntegerLookup(max_tokens=1), ValueError, "max_tokens")
    for square in (np.ones((2, 3), "float32"), Input(batch_shape=(4, 2, 3))):
        assert_good_error(lambda x=square: ops.eig(x), ShapeError, "square")  # type: ignore[misc]
