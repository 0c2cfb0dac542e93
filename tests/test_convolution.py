"""Convolutions as layers: bad input, the guide's network, fusion with pooling, the same bits for any thread count."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, config, layers, ops
from fastnn.engine import backend
from fastnn.engine.gradient import GradientTape, backward
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.ops.rows.conv import conv2d
from fastnn.ops.rows.conv_pool import conv2d_relu_pool
from fastnn.ops.rows.pool import max_pool
from tests.conftest import needs_c
from tests.errors import assert_good_error, digest, weights_hash

LAYERS = [layers.Conv1D, layers.Conv2D, layers.Conv1DTranspose, layers.Conv2DTranspose, layers.SeparableConv1D,
          layers.SeparableConv2D]
RNG = np.random.default_rng(0)
X = RNG.random((40, 12, 11, 1)).astype(np.float32)
Y = RNG.integers(0, 3, 40).astype(np.int32)


def guide(size: tuple[int, ...] = (28, 28, 1), classes: int = 10) -> Any:
    """The guide's network (chapter 15)."""
    return Sequential([layers.Conv2D(32, (3, 3), activation="relu", input_shape=size), layers.MaxPooling2D((2, 2)),
                       layers.Flatten(), layers.Dense(64, activation="relu"),
                       layers.Dense(classes, activation="softmax")])


def fitted(model: Any, **settings: Any) -> Any:
    """The model after two epochs on 40 images, the last batch short."""
    for i, v in enumerate(model.weights):
        v.assign(np.random.default_rng(i).uniform(-0.3, 0.3, v.shape))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", **settings)
    model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return model


def test_the_guides_network_has_its_parameters() -> None:
    model = guide()
    assert model.count_params() == 347_146
    assert [layer.output_shape for layer in model.layers[:3]] == [(None, 26, 26, 32), (None, 13, 13, 32), (None, 5408)]


@pytest.mark.parametrize("kind", LAYERS)
def test_bad_sizes(kind: Any) -> None:
    name = kind.__name__
    assert_good_error(lambda: kind(0, 3), ValueError, name, "filters")
    assert_good_error(lambda: kind(4, 0), ValueError, name, "kernel_size")
    assert_good_error(lambda: kind(4, 2.5), TypeError, name, "kernel_size")
    assert_good_error(lambda: kind(4, (3, 3, 3)), ValueError, name, "kernel_size")
    assert_good_error(lambda: kind(4, 3, strides=0), ValueError, name, "strides")
    assert_good_error(lambda: kind(4, 3, dilation_rate=-1), ValueError, name, "dilation_rate")
    assert_good_error(lambda: kind(4, 3, strides=2, dilation_rate=2), ValueError, name, "at most one")
    assert_good_error(lambda: kind(4, 3, padding="full"), ValueError, name, "padding", "same")
    assert_good_error(lambda: kind(4, 3, data_format="channels_first"), ValueError, name, "channels_last")
    assert_good_error(lambda: kind(4, 3, activation="rulu"), ValueError, "relu")


def test_groups_and_channels() -> None:
    assert_good_error(lambda: layers.Conv2D(5, 3, groups=2), ValueError, "filters is 5", "groups 2")
    assert_good_error(lambda: Sequential([Input((8, 8, 3)), layers.Conv2D(4, 3, groups=2, name="one")]), ShapeError,
                      "one", "(None, 8, 8, 3)", "groups")
    assert_good_error(lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), ValueError, "depth_multiplier")
    assert_good_error(lambda: layers.Conv2DTranspose(2, 3, strides=2, output_padding=2), ValueError, "output_padding")


@pytest.mark.parametrize("kind", [layers.Conv2D, layers.SeparableConv2D])
def test_inputs_that_do_not_fit(kind: Any) -> None:
    layer = kind(4, (3, 3), name="here")
    assert_good_error(lambda: Sequential([Input((2, 8, 3)), kind(4, 3, name="small")]), ShapeError, "small",
                      "(None, 2, 8, 3)", "(3, 3)")
    assert_good_error(lambda: layer(np.zeros((8, 8, 3), np.float32)), ShapeError, "here", "(8, 8, 3)", "channels")
    layer(np.zeros((2, 8, 8, 3), np.float32))
    assert_good_error(lambda: layer(np.zeros((2, 8, 8, 4), np.float32)), ShapeError, "here", "(2, 8, 8, 4)",
                      "3 channels")
    assert_good_error(lambda: layer(np.zeros((2, 8, 2, 3), np.float32)), ShapeError, "here", "(2, 8, 2, 3)", "(3, 3)")


def test_causal_sees_no_future() -> None:
    layer = layers.Conv1D(3, 3, padding="causal", dilation_rate=2)
    x = RNG.random((1, 9, 2)).astype(np.float32)
    before = np.array(layer(x).data)
    x[0, 6] += 1
    after = layer(x).data
    np.testing.assert_array_equal(before[0, :6], after[0, :6])
    assert (before[0, 6] != after[0, 6]).any()


@needs_c
@pytest.mark.parametrize("last", ["relu", "tanh"])
def test_same_bits_for_any_thread_count(last: str) -> None:
    """Fused with pooling ("relu") and not."""
    def net() -> Any:
        return Sequential([Input((12, 11, 1)), layers.Conv2D(32, 3, activation=last), layers.MaxPooling2D(),
                           layers.Conv2D(40, 3, padding="same", activation="relu"), layers.DepthwiseConv2D(3),
                           layers.Flatten(), layers.Dense(3, activation="softmax")])
    hashes = set()
    for count in (1, 2, 3, 4):
        with config.using(backend="c", threads=count):
            hashes.add(weights_hash(fitted(net())))
    assert len(hashes) == 1


@needs_c
def test_a_program_fuses_convolution_relu_and_pooling() -> None:
    """The fused kernels are in the program, and give what the separate ones of the reference give."""
    with config.using(backend="c"):
        model = fitted(guide((12, 11, 1), 3))
        text = str(model.profile(X, Y, batch_size=16))
        assert "conv2d_relu_pool(" in text and "conv2d_relu_pool_grad(" in text and "max_pool(" not in text
        got = model.get_weights()
    with config.using(backend="reference"):
        want = fitted(guide((12, 11, 1), 3)).get_weights()
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)


@needs_c
def test_the_fused_kernel_has_the_bits_of_the_three() -> None:
    with config.using(backend="c"):
        x, w = RNG.normal(size=(3, 11, 12, 1)).astype(np.float32), RNG.normal(size=(3, 3, 1, 20)).astype(np.float32)
        x[0, 4, 4] = np.nan
        b = RNG.normal(size=20).astype(np.float32)
        y, argmax = conv2d_relu_pool(x, w, b, strides=(1, 1), dilation=(1, 1))
        z = conv2d(x, w, b, strides=(1, 1), pads=(0, 0, 0, 0), dilation=(1, 1), groups=1, activation="relu")
        pooled, cells = max_pool(z, pool=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0))
    assert digest(y.data) == digest(pooled.data) and np.isnan(y.data).any()
    alive = pooled.data > 0
    assert 0 < alive.sum() < alive.size
    np.testing.assert_array_equal(argmax.data[alive], cells.data[alive])
    assert (argmax.data[~alive] == 4).all()


def test_gradients_of_the_fused_kernel() -> None:
    """In float64 on the reference, those of convolution, relu and pooling one after the other."""
    with backend.using(floatx="float64"):
        tensors = [Tensor(RNG.normal(size=s), tracked=True) for s in ((2, 9, 8, 3), (3, 2, 3, 5), (5,))]
        settings: dict[str, Any] = dict(strides=(1, 1), dilation=(1, 2))
        with GradientTape():
            fused = conv2d_relu_pool(*tensors, **settings)[0]
            z = conv2d(*tensors, pads=(0, 0, 0, 0), groups=1, activation="relu", **settings)
            apart = max_pool(z, pool=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0))[0]
        seed = Tensor(RNG.normal(size=fused.shape))
        for a, b in zip(backward(fused, tensors, seed), backward(apart, tensors, seed)):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-12)


def test_an_output_between_is_still_there() -> None:
    """A model that also gives what the convolution gives, before pooling."""
    inputs = Input((12, 11, 1))
    features = layers.Conv2D(4, 3, activation="relu")(inputs)
    model = fastnn.Model(inputs, [features, layers.MaxPooling2D()(features)])
    z, y = model.predict(X, verbose=0)
    assert z.shape == (40, 10, 9, 4)
    np.testing.assert_array_equal(y, z[:, :, :8].reshape(40, 5, 2, 4, 2, 4).max(axis=(2, 4)))
    assert ops.max(z).data > 0
