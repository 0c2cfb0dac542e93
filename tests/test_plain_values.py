"""Values as plain data and back, in Keras' words."""

import json
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, layers, utils
from fastnn.serialization import deserialize_keras_object, serialize_keras_object
from tests.errors import assert_good_error

VALUES: list[tuple[Any, Any]] = [
    (b"text", {"class_name": "__bytes__", "config": {"value": "text"}}),
    (..., {"class_name": "__ellipsis__", "config": {}}),
    (slice(None, 20, 1), {"class_name": "__slice__", "config": {"start": None, "stop": 20, "step": 1}}),
    (np.array([0, 1]), {"class_name": "__numpy__", "config": {"value": [0, 1], "dtype": "int64"}}),
    (np.array([[True]]), {"class_name": "__numpy__", "config": {"value": [[True]], "dtype": "bool"}}),
    (np.float32(0.5), 0.5), (np.array(3), 3), ((1, (2, b"a")), None), ({"a": [None, 1.5], "b": {"c": slice(1)}}, None),
    (slice(None, np.array([0, 1]), 1), None), (np.dtype("int8"), "int8"), (np.float64, "float64")]


@pytest.mark.parametrize(("value", "wanted"), VALUES, ids=lambda v: str(v)[:20])
def test_values_come_back(value: Any, wanted: Any) -> None:
    written = serialize_keras_object(value)
    if wanted is not None:
        assert written == wanted
    read = deserialize_keras_object(json.loads(json.dumps(written)))
    assert json.dumps(serialize_keras_object(read)) == json.dumps(written)
    if isinstance(value, (bytes, slice, type(...), np.ndarray)) and np.ndim(value):
        assert type(read) is type(value)
        np.testing.assert_array_equal(read, value)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
def test_tensors_come_back_as_tensors(dtype: str) -> None:
    x = fastnn.ops.convert_to_tensor(np.array([[0.0, 1.0]], dtype))
    written = serialize_keras_object({"x": x, "shape": x.shape})
    assert written["x"] == {"class_name": "__tensor__", "config": {"value": np.asarray(x).tolist(), "dtype": x.dtype}}
    read = deserialize_keras_object(json.loads(json.dumps(written)))
    assert type(read["x"]) is type(x) and read["x"].dtype == x.dtype and tuple(read["shape"]) == x.shape
    np.testing.assert_array_equal(read["x"], x)
    symbol = deserialize_keras_object(serialize_keras_object(Input((3,), dtype="int32")))
    assert symbol.shape == (None, 3) and symbol.dtype == "int32"


def test_what_cannot_be_written_or_read_is_refused() -> None:
    assert_good_error(lambda: serialize_keras_object({"a": b"\xff"}), ValueError, "UTF-8")
    assert_good_error(lambda: serialize_keras_object(np.array(["a"])), ValueError, "array")
    assert_good_error(lambda: deserialize_keras_object({"class_name": "__lambda__", "config": {"value": "x"}}),
                      ValueError, "__lambda__", "nothing in a file is run")
    for dtype in ("V99999999999", "(99999,99999)f4", "O", "M8[s]", "nothing"):
        assert_good_error(lambda d=dtype: deserialize_keras_object(
            {"class_name": "__numpy__", "config": {"value": [1], "dtype": d}}), ValueError, dtype)
    assert_good_error(lambda: deserialize_keras_object({"class_name": "__numpy__", "config": {
        "value": [[1], [2, 3]], "dtype": "float32"}}), ValueError, "array")


def test_a_config_of_objects_is_written_down_too() -> None:
    class Twice(layers.Layer):
        def __init__(self, inner: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, x: Any) -> Any:
            return self.inner(self.inner(x))

        def get_config(self) -> dict[str, Any]:
            return {"name": self.name, "inner": self.inner}      # the layer itself, which Keras writes down

    layer = Twice(layers.Dense(2, kernel_initializer="ones"))
    written = json.loads(json.dumps(serialize_keras_object(layer)))
    again = deserialize_keras_object(written, {"Twice": Twice})
    np.testing.assert_array_equal(again(np.ones((1, 2), np.float32)), layer(np.ones((1, 2), np.float32)))

    class Listed(layers.Layer):
        def get_config(self) -> Any:
            return [1]
    assert_good_error(lambda: serialize_keras_object(Listed()), TypeError, "Listed", "get_config")


def test_a_class_without_get_config_is_a_value_error() -> None:
    class Nothing:
        pass
    assert_good_error(lambda: utils.register_keras_serializable()(Nothing), ValueError, "get_config")
