"""What layers are called on: several arguments, arrays by name, build() with a shape for each, errors of both kinds."""

from typing import Any

import numpy as np
import pytest

from fastnn import Input, InputSpec, Model, layers, ops
from fastnn.errors import KindError, ShapeError
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


@pytest.mark.parametrize("make", [lambda: layers.Dense(3), lambda: layers.LSTM(3), Both,
                                  lambda: layers.GroupedQueryAttention(2, 4, 2)])
@pytest.mark.parametrize("shape", [4, "ab", 2.5])
def test_a_number_in_the_place_of_a_shape(make: Any, shape: Any) -> None:
    """Where all layers take shapes: the last of two, one in a list, and that of a build()."""
    layer = make()
    first = () if isinstance(layer, (layers.Dense, layers.LSTM)) else ((2, 3, 4),)
    assert_good_error(lambda: layer.compute_output_shape(*first, shape), KindError, layer.name, repr(shape), "(None")
    assert_good_error(lambda: layer.compute_output_shape([(2, 3), shape]), KindError, layer.name, repr(shape))
    if not isinstance(layer, Both):
        assert_good_error(lambda: layer.build(*first, shape), KindError, layer.name, repr(shape), "build()")
        assert not layer.built and not layer.weights


@pytest.mark.parametrize("value", [None, 1, 0, "yes"])
def test_trainable_is_a_bool(value: Any) -> None:
    """Of None, a layer would be frozen without a word."""
    assert_good_error(lambda: layers.Dense(2, trainable=value), KindError, "Dense: trainable", repr(value), "True")
    assert not layers.Dense(2, trainable=np.False_).trainable


def test_masks_of_merges_are_lists() -> None:
    a, b, steps = Input((4, 2)), Input((4, 2)), np.array([[True, False, True, True]])
    for layer in (layers.Add(), layers.Multiply(), layers.Maximum(), layers.Concatenate(axis=1)):
        assert layer.compute_mask([a, b], [None, None]) is None
        assert np.asarray(layer.compute_mask([a, b], [steps, steps])).any()
        for wrong in (([a, b], steps), (a, [None, None]), ([a, b], [None])):
            assert_good_error(lambda w=wrong, la=layer: la.compute_mask(*w), ValueError, layer.name, "needs a list")


def test_prelu_shares_and_softmax_sums_along_several_axes() -> None:
    x = np.random.default_rng(0).standard_normal((2, 4, 3, 5)).astype(np.float32)
    layer = layers.PReLU("glorot_uniform", shared_axes=(1, 2))
    model = Model(images := Input((None, None, 5)), layer(images))
    assert layer.alpha.shape == (1, 1, 5)
    np.testing.assert_allclose(model(x), np.where(x > 0, x, layer.alpha.numpy() * x), rtol=1e-6)
    model.compile("sgd", "mse")
    before = layer.alpha.numpy()
    model.fit(x, x, verbose=0)
    assert (layer.alpha.numpy() != before).all()
    assert_good_error(lambda: layers.PReLU(shared_axes=0)(x), ValueError, "shared_axes", "needs")
    assert_good_error(lambda: layers.PReLU(shared_axes=4)(x), ValueError, "shared_axes", "needs")
    mask = x[..., :1] > -1
    e = np.exp(x) * mask
    np.testing.assert_allclose(layers.Softmax(axis=(1, -1))(x, mask=mask), e / e.sum((1, 3), keepdims=True), rtol=1e-5)
    np.testing.assert_array_equal(layers.Softmax()(x[0, 0], mask=np.zeros((3, 5), bool)), np.zeros((3, 5)))


def test_normalization_has_the_axes_of_its_inputs() -> None:
    layer = layers.Normalization(axis=(1, 2), mean=np.arange(5.0), variance=np.ones(5))
    layer.build((2, 7, 5, 3))
    assert layer.mean.shape == layer.variance.shape == (1, 7, 5, 1)
    np.testing.assert_array_equal(layer.mean.numpy()[0, 3, :, 0], np.arange(5))
    x = np.random.default_rng(0).random((2, 7, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(layer(x), x - np.arange(5)[:, None], rtol=1e-5)
    adapted = layers.Normalization()
    adapted.adapt([(x[:1], 0), (x[1:], 0)])
    np.testing.assert_allclose(adapted.mean.numpy().ravel(), x.mean((0, 1, 2)), rtol=1e-5)
    assert adapted(x[0]).shape == (7, 5, 3)     # axes count from the end
    built = layers.LayerNormalization()
    built.build((2, 3))
    assert built(np.ones((2, 4, 3))).shape == (2, 4, 3)
    assert_good_error(lambda: layers.BatchNormalization(synchronized=True), ValueError, "synchronized", "needs")


def test_stacked_cells_give_states_as_each_has_them() -> None:
    class One(layers.Layer):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.state_size = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight((input_shape[-1], self.state_size), "ones")

        def call(self, x: Any, states: Any) -> Any:
            h = ops.matmul(x, self.kernel) + states[0]
            return h, [h]

    x = np.arange(24.0).reshape(2, 3, 4)
    y, first, second = layers.RNN([One(3), One(2)], return_state=True)(x)
    np.testing.assert_array_equal(first, np.cumsum(x.sum(-1), 1)[:, -1:].repeat(3, 1))
    np.testing.assert_array_equal(second, y)
    np.testing.assert_array_equal(y, 3 * np.cumsum(np.cumsum(x.sum(-1), 1), 1)[:, -1:].repeat(2, 1))
    _, again, lstm = layers.RNN([One(3), layers.LSTMCell(2)], return_state=True)(x)
    assert again.shape == (2, 3) and [t.shape for t in lstm] == [(2, 2), (2, 2)]


class Checked(Layer):
    """A weight for the last axis, which its input_spec names from then on."""

    def __init__(self, spec: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = spec

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight((shape[-1], 2), "ones")
        self.input_spec = InputSpec(min_ndim=2, axes={-1: shape[-1]})

    def call(self, x: Any) -> Any:
        return x @ self.kernel


def test_an_input_spec_is_heeded() -> None:
    layer = Checked(InputSpec(min_ndim=2))
    assert layer(B).shape == (4, 2) and layer(Input((2,))).shape == (None, 2)
    assert_good_error(lambda: layer(np.ones((4, 3), np.float32)), ShapeError, "needs 2 along axis -1")
    for spec, words in ((InputSpec(ndim=3), "needs 3 axes"), (InputSpec(shape=(None, 4)), "needs shape (None, 4)"),
                        (InputSpec(max_ndim=1), "1 axes at most"), (InputSpec(min_ndim=3), "3 axes at least"),
                        (InputSpec(dtype="int32"), "needs dtype int32"),
                        (InputSpec(axes={1: 3}), "needs 3 along axis 1")):
        assert_good_error(lambda s=spec: Checked(s)(B), ShapeError, words)  # type: ignore[misc]
        assert_good_error(lambda s=spec: Checked(s)(Input((2,))), ShapeError, words)  # type: ignore[misc]


def test_several_input_specs() -> None:
    class Sum(Layer):
        def __init__(self, spec: Any) -> None:
            super().__init__()
            self.input_spec = spec

        def call(self, inputs: Any) -> Any:
            return inputs["a"] + inputs["b"] if isinstance(inputs, dict) else inputs[0] + inputs[1]

    two = InputSpec(ndim=2)
    assert Sum([two, None])([A, B]).shape == Sum({"a": two, "b": two})({"a": A, "b": B}).shape == (4, 2)
    assert Sum([InputSpec(ndim=2, name="a"), InputSpec(ndim=2, name="b")])({"a": A, "b": B}).shape == (4, 2)
    assert_good_error(lambda: Sum([two])([A, B]), KindError, "got 2 inputs; needs 1")
    assert_good_error(lambda: Sum({"a": two, "c": two})({"a": A, "b": B}), KindError, "'c'")
    assert_good_error(lambda: Sum([two, InputSpec(ndim=3)])([A, B]), ShapeError, "input 1")


def test_input_specs_that_say_nothing_sensible() -> None:
    assert_good_error(lambda: InputSpec(ndim=2, axes={3: 1}), ValueError, "axes below 2")
    assert_good_error(lambda: InputSpec(axes=[1]), KindError, "a dict of sizes")  # type: ignore[arg-type]
    squeezed = InputSpec(shape=(None, 28, 28, 1), allow_last_axis_squeeze=True)
    assert not squeezed.wrong((2, 28, 28), "float32") and not squeezed.wrong((2, 28, 28, 1), "float32")
    assert squeezed.wrong((2, 28), "float32") == "needs 4 axes"
    for spec in (InputSpec(ndim=3), InputSpec(min_ndim=2, axes={-1: 3}, name="a", optional=True), squeezed):
        assert repr(InputSpec.from_config(spec.get_config())) == repr(spec)
    assert repr(InputSpec(axes={-1: 3}, optional=True)) == "InputSpec(axes={-1: 3}, optional=True)"


class Outer(Layer):
    """A layer that builds others inside of itself, one when it is called and one when it is built."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.called, self.made = layers.Dense(2, name="called"), layers.Dense(2, name="made")

    def build(self, input_shape: Any) -> None:
        self.made.build(input_shape)
        self.scale = self.add_weight((1,), name="scale")

    def call(self, x: Any) -> Any:
        return self.called(self.made(x)) * self.scale


def test_the_path_of_a_weight_names_the_layers_around_it() -> None:
    layer = Outer(name="outer")
    layer(B)
    assert [w.path for w in layer.weights] == ["outer/scale", "outer/called/kernel", "outer/called/bias",
                                               "outer/made/kernel", "outer/made/bias"]
    x = Input((2,))
    model = Model(x, layers.Dense(3, name="last")(Outer(name="again")(x)))
    assert [w.path for w in model.weights][-3:] == ["again/made/bias", "last/kernel", "last/bias"]
