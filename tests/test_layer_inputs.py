"""What layers are called on: several arguments, arrays by name, build() with a shape for each, errors of both kinds."""

from typing import Any

import numpy as np

from fastnn import Input, Model, layers, ops
from fastnn.layers import Layer
from tests.errors import assert_good_error

A, B = np.ones((4, 1), np.float32), np.full((4, 2), 2, np.float32)


class Both(Layer):
    """One weight for each of two inputs."""

    def build(self, b_shape: Any, a_shape: Any) -> None:
        self.seen = {"a": a_shape, "b": b_shape}
        self.wa = self.add_weight((a_shape[-1],), "ones")
        self.wb = self.add_weight((b_shape[-1],), "ones")

    def call(self, a: Any, b: Any, factor: float = 1.0) -> Any:
        return factor * (ops.sum(a * self.wa, axis=-1) + ops.sum(b * self.wb, axis=-1))


def test_build_gets_a_shape_for_each_argument() -> None:
    for call in (lambda la: la(A, B), lambda la: la(A, b=B), lambda la: la(a=A, b=B), lambda la: la(b=B, a=A)):
        layer = Both()
        np.testing.assert_array_equal(call(layer), [5] * 4)
        assert layer.seen == {"a": (4, 1), "b": (4, 2)}
    a, b = Input((1,)), Input((2,))
    model = Model([a, b], Both()(a, b, factor=2.0))
    np.testing.assert_array_equal(model([A, B]), [10] * 4)
    assert Both().compute_output_shape((None, 1), (None, 2)) == (None,)
    assert Both().compute_output_shape(b_shape=(None, 2), a_shape=(None, 1)) == (None,)


def test_build_configs_of_several_shapes() -> None:
    layer = Both()
    layer(A, B)
    config = layer.get_build_config()
    assert config == {"shapes_dict": {"a_shape": (4, 1), "b_shape": (4, 2)}}
    again = Both()
    again.build_from_config(config)
    assert [w.shape for w in again.weights] == [(1,), (2,)]


def test_one_parameter_gets_the_first_shape_whatever_its_name() -> None:
    class Any_(Layer):
        def build(self, whatever: Any, more: Any = None) -> None:
            self.seen = whatever

        def call(self, a: Any, b: Any) -> Any:
            return a

    layer = Any_()
    layer(A, B)
    assert layer.seen == (4, 1)
    nested = Any_()
    nested({"p": A, "q": [B, None]}, None)
    assert nested.seen == {"p": (4, 1), "q": [(4, 2), None]}


def test_names_that_call_has_not_are_refused() -> None:
    class Wrong(Layer):
        def build(self, a_shape: Any, c_shape: Any) -> None:
            raise AssertionError

        def call(self, a: Any, b: Any) -> Any:
            return a

    class Bare(Wrong):
        def build(self, a_shape: Any, b: Any) -> None:
            raise AssertionError

    for kind in (Wrong, Bare):
        assert_good_error(lambda kind=kind: kind()(A, B), ValueError, "build()", "a_shape, b_shape")


def test_arrays_reach_call_as_tensors_and_flags_as_they_are() -> None:
    class Shows(Layer):
        def call(self, x: Any, more: Any = None, flag: bool = False, number: Any = 0) -> Any:
            self.seen = [type(each).__name__ for each in (x, more, flag, number)]
            return x

    layer = Shows()
    layer(A, {"more": [B, None]}, True, 3)
    assert layer.seen == ["Tensor", "dict", "bool", "int"]
    layer(A.tolist(), more=B, number=1.5)
    assert layer.seen == ["Tensor", "Tensor", "bool", "float"]
    states = layers.LSTM(2)(np.ones((3, 4, 1)), initial_state=[np.ones((3, 2)), np.zeros((3, 2))])
    assert states.shape == (3, 2)


def test_a_wrong_kind_is_an_error_of_both_types() -> None:
    """A TypeError, as Python's; a ValueError, as scripts expect that ran with Keras."""
    for make in (lambda: layers.Dense("64"), lambda: layers.Dense(2.5), lambda: layers.Cropping2D("1"),
                 lambda: layers.ReLU(threshold=None), lambda: layers.Dense(3, trainable="yes"),
                 lambda: layers.TimeDistributed("Dense"), lambda: layers.Permute(2)):
        for kind in (TypeError, ValueError):
            assert_good_error(make, kind, "needs")
