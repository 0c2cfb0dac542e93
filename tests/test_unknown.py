"""Ops on symbolic tensors with unknown sizes: what a model makes of data is what the op makes of them alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, layers, models, ops, random
from fastnn.errors import ShapeError

RNG = np.random.default_rng(3)
VECTOR, KERNEL = RNG.normal(size=3), RNG.normal(size=(3, 3, 3, 4))
DEEP = RNG.normal(size=(3, 3, 3, 2))
WHOLE = (None, None, None, 3)
ROWS: list[tuple[Callable[[Any], Any], tuple[int | None, ...]]] = [
    (lambda x: ops.conv(x, KERNEL, strides=2, padding="same"), (None, None, None, 4)),
    (lambda x: ops.conv(x, KERNEL), (None, None, None, 4)),
    (lambda x: ops.depthwise_conv(x, DEEP, padding="SAME"), (None, None, None, 6)),
    (lambda x: ops.max_pool(x, 2, padding="same"), WHOLE), (lambda x: ops.average_pool(x, 3, 2, "same"), WHOLE),
    (lambda x: x * VECTOR, WHOLE), (lambda x: x + VECTOR, WHOLE), (lambda x: ops.maximum(x, VECTOR), WHOLE),
    (lambda x: ops.where(x > VECTOR, x, 0.0), WHOLE), (lambda x: ops.matmul(x, np.ones((3, 4))), (None, None, None, 4)),
    (lambda x: x / ops.sum(x, axis=1, keepdims=True), WHOLE), (lambda x: ops.std(x, axis=(1, 2)), (None, 3)),
    (lambda x: (x - ops.mean(x, (1, 2), True)) * ops.rsqrt(ops.var(x, (1, 2), True)), WHOLE),
    (lambda x: ops.expand_dims(x, -1), (*WHOLE, 1)), (lambda x: ops.squeeze(x[:, :1], 1), (None, None, 3)),
    (lambda x: x[:, ::2], WHOLE), (lambda x: x[:, 1:-1, ::-1], WHOLE), (lambda x: x[:, -1], (None, None, 3)),
    (lambda x: x[..., 0], (None, None, None)), (lambda x: x[:, None], (None, 1, None, None, 3)),
    (lambda x: x[:, :4], WHOLE), (lambda x: ops.softmax(x, (1, 2)), WHOLE),
    (lambda x: ops.log_softmax(x, None), WHOLE), (lambda x: ops.flip(x, 1), WHOLE),
    (lambda x: ops.roll(x, 2, 2), WHOLE),
    (lambda x: ops.repeat(x, 2, 1), WHOLE), (lambda x: ops.tile(x, (1, 2, 1, 1)), WHOLE),
    (lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0)), "reflect"), WHOLE),
    (lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0))), WHOLE),
    (lambda x: ops.rot90(x, 1, (1, 2)), WHOLE), (lambda x: ops.diff(x, axis=1), WHOLE),
    (lambda x: ops.split(x, 1, 1)[0], WHOLE), (lambda x: ops.array_split(x, 2, 2)[1], WHOLE),
    (lambda x: ops.argmax(x, 1), (None, None, 3)), (lambda x: ops.argmin(x), ()),
    (lambda x: ops.prod(x, 1), (None, None, 3)), (lambda x: ops.median(x, (1, 2)), (None, 3)),
    (lambda x: ops.average(x, 1), (None, None, 3)), (lambda x: ops.logsumexp(x, (1, 2)), (None, 3)),
    (lambda x: ops.norm(x, axis=-1), (None, None, None)), (lambda x: ops.cumsum(x, 1), WHOLE),
    (lambda x: ops.tril(x[..., 0]), (None, None, None)), (lambda x: ops.triu(x[..., 0], 1), (None, None, None)),
    (lambda x: ops.trace(x[:, :4, :4], 0, 1, 2), (None, 3)), (lambda x: ops.diag(ops.ravel(x)), (None, None)),
    (lambda x: ops.einsum("bijc,bijd->bcd", x, x), (None, 3, 3)), (lambda x: ops.dot(x, VECTOR), (None, None, None)),
    (lambda x: ops.tensordot(x, np.ones((3, 2)), 1), (None, None, None, 2)), (lambda x: ops.vdot(x, x), ()),
    (lambda x: ops.outer(x, VECTOR), (None, 3)), (lambda x: ops.kron(x, VECTOR), (None, None, None, 9)),
    (lambda x: ops.cross(x, VECTOR), WHOLE), (lambda x: ops.image.resize(x, (4, 6)), (None, 4, 6, 3)),
    (lambda x: ops.image.rgb_to_grayscale(x), (None, None, None, 1)), (lambda x: ops.ones_like(x) + x, WHOLE),
    (lambda x: ops.take_along_axis(x, ops.argsort(x, 1), 1), WHOLE), (lambda x: ops.sort(x, 1), WHOLE),
    (lambda x: ops.reshape(x, (-1, 3)) * VECTOR, (None, 3)),
    (lambda x: ops.meshgrid(x[0, :, 0, 0], VECTOR)[0], (3, None)),
    (lambda x: ops.hstack([x, x[:, ::2]]), WHOLE), (lambda x: ops.vstack([x[:, 0, 0], VECTOR]), (None, 3)),
    (lambda x: ops.vstack([x[0, :, 0, 0], x[0, :, 0, 1]]), (2, None)),
    (lambda x: ops.dstack([x[..., 0], x[..., 1]]), (None, None, None)),
    (lambda x: ops.diagonal(x, 0, 1, 3), (None, None, None)), (lambda x: ops.diag(x[:, 0, 0]), (None,)),
    (lambda x: ops.corrcoef(x[:, 0, 0]), (None, None)),
]


@pytest.mark.parametrize("function, shape", ROWS)
def test_sizes_are_those_of_the_data(function: Callable[[Any], Any], shape: tuple[int | None, ...]) -> None:
    """An op of a functional model computes with the sizes of each batch, and says which are not known."""
    x = Input((None, None, 3))
    y = function(x)
    assert y.shape == shape
    model = Model(x, y)
    for sizes in ((2, 5, 7, 3), (3, 8, 4, 3)):
        images = RNG.uniform(0.5, 1.5, sizes).astype("float32")
        want = np.asarray(function(ops.convert_to_tensor(images)))
        np.testing.assert_array_equal(np.asarray(model(images)), want)
        assert len(want.shape) == len(shape) and all(n in (None, m) for n, m in zip(shape, want.shape))


def test_a_size_that_meets_a_known_one() -> None:
    """What is not known may be what it meets: data say."""
    x, y = Input((None,)), Input((None, 3))
    ones = np.ones((5, 4), "float32")
    for given, output, shape, data in (
            (x, ops.vstack([x, ones]), (None, 4), ones[:2]), (x, ops.hstack([x, ones]), (5, None), ones[:, :2]),
            (x, ops.dstack([x, ones]), (5, 4, 2), ones), (y, y + ones[:, :3], (None, 5, 3), np.ones((2, 5, 3))),
            (y, ops.where(ones[:, :1] > 0, y, 0.0), (None, 5, 3), np.ones((2, 5, 3)))):
        assert output.shape == shape
        got = Model(given, output)(data.astype("float32"))
        assert all(n in (None, m) for n, m in zip(shape, got.shape, strict=True))
    with pytest.raises(ShapeError, match=r"\(None, None, 3\) and \(5, 4\)"):
        y + ones


class Own(layers.Layer):
    """A layer of one function."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def call(self, x: Any) -> Any:
        return self.function(x)


BATCHED: list[tuple[Callable[[Any], Any], tuple[int | None, ...]]] = [
    (lambda x: ops.concatenate([x, ops.zeros((ops.shape(x)[0], x.shape[1], 1))], -1), (None, 3, 5)),
    (lambda x: x + random.normal(ops.shape(x), seed=1) * 0, (None, 3, 4)),
    (lambda x: x * random.uniform((ops.shape(x)[0], 1, 1), 1, 1, seed=1), (None, 3, 4)),
    (lambda x: ops.reshape(x, (ops.shape(x)[0], -1)), (None, 12)),
    (lambda x: ops.reshape(x, (ops.shape(x)[0] * 3, 4)), (None, 4)), (lambda x: ops.repeat(x, 2, axis=0), (None, 3, 4)),
    (lambda x: x + ops.tile(np.ones((1, 1, 4)), (x.shape[0], 3, 1)), (None, 3, 4)),
    (lambda x: ops.stack([x[i] for i in range(x.shape[0])]), (None, 3, 4)),
    (lambda x: ops.take(x, ops.arange(ops.shape(x)[0]), axis=0), (None, 3, 4)),
    (lambda x: ops.eye(x.shape[0]), (None, None)), (lambda x: ops.prod(x, axis=0, keepdims=True) + x, (None, 3, 4)),
]


@pytest.mark.parametrize("function, shape", BATCHED)
def test_a_layer_computes_with_the_batch(function: Callable[[Any], Any], shape: tuple[int | None, ...]) -> None:
    """Python in `call` sees a number for the batch whenever it asks: noise of ops.shape(x)[0] rows, and the like."""
    x = Input((3, 4))
    y = Own(function)(x)
    assert y.shape == shape
    for rows in (2, 5):
        data = RNG.normal(size=(rows, 3, 4)).astype("float32")
        want = np.asarray(function(ops.convert_to_tensor(data)))
        np.testing.assert_array_equal(np.asarray(Model(x, y)(data)), want)


def test_a_sampling_layer_trains() -> None:
    """The sampling layer of a variational autoencoder, as guides write it, in a functional model of any batch."""
    class Sampling(layers.Layer):
        def call(self, inputs: Any) -> Any:
            mean, log_var = inputs
            batch, dim = ops.shape(mean)[0], ops.shape(mean)[1]
            return mean + ops.exp(0.5 * log_var) * random.normal(shape=(batch, dim))

    x = Input((6,))
    code = Sampling()([layers.Dense(2)(x), layers.Dense(2)(x)])
    model = Model(x, layers.Dense(6)(code))
    model.compile("adam", "mse")
    data = RNG.normal(size=(40, 6))
    losses = model.fit(data, data, batch_size=16, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and model.predict(data[:5], verbose=0).shape == (5, 6)


def test_a_mistake_keeps_its_words() -> None:
    """What is wrong is said of the shapes that are there, not of sizes that were tried."""
    with pytest.raises(ShapeError, match=r"\(None, 4\)") as raised:
        Own(lambda x: ops.matmul(x, np.ones((3, 2))))(Input((3, 4)))
    assert "12" not in str(raised.value) and "36" not in str(raised.value)
    with pytest.raises(ShapeError, match="None") as raised:
        ops.tensordot(Input((4, None)), np.ones((5, 2)), [[1], [0]])
    assert "120" not in str(raised.value)
    with pytest.raises(TypeError, match="not known yet"):
        ops.zeros((Input((3,)).shape[0], 2))
    with pytest.raises(ShapeError, match="layer's call"):
        ops.reshape(Input((None, 4)), (None, None, 2, -1))
    with pytest.raises(ShapeError, match="cannot become"):       # a mistake in what is known is found before any data
        layers.Reshape((7,))(Input((3,)))
    with pytest.raises(ShapeError, match="axis 0 must be known"):
        Own(lambda x: list(ops.unstack(x, axis=0)))(Input((3, 4)))


def test_such_models_are_copied_and_saved(tmp_path: Any) -> None:
    x = Input((None, None, 3))
    y = ops.einsum("bijc,c->bij", ops.conv(x, KERNEL[..., :3], padding="same")[:, ::2], VECTOR)
    model = Model(x, layers.Dense(2)(ops.reshape(ops.mean(y, axis=1)[:, :4], (-1, 4))))
    images = RNG.normal(size=(2, 5, 7, 3)).astype("float32")
    want = model(images).numpy()
    model.save(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=r"the op '(conv|_sliced|einsum)' between layers"):
        model.save(tmp_path / "m.keras")
    for other in (models.load_model(tmp_path / "m.safetensors"), Model.from_config(model.get_config())):
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other(images).numpy(), want)
    assert models.clone_model(model)(images).shape == (2, 2)


def test_channels_first() -> None:
    """The same windows with the channels in front: what they are of the transposed images, transposed."""
    images = RNG.normal(size=(2, 6, 5, 3))
    first = images.transpose(0, 3, 1, 2)
    for function in (lambda x, f: ops.conv(x, KERNEL, 2, "same", f), lambda x, f: ops.max_pool(x, 2, data_format=f),
                     lambda x, f: ops.average_pool(x, 2, padding="same", data_format=f),
                     lambda x, f: ops.depthwise_conv(x, DEEP, data_format=f),
                     lambda x, f: ops.separable_conv(x, DEEP, np.ones((1, 1, 6, 2)), data_format=f)):
        want = function(images, "channels_last").numpy().transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(function(first, "channels_first").numpy(), want)
    steps = RNG.normal(size=(2, 8, 3))
    want = ops.conv(steps, KERNEL[0], padding="same").numpy().transpose(0, 2, 1)
    got = ops.conv(steps.transpose(0, 2, 1), KERNEL[0], padding="same", data_format="channels_first")
    np.testing.assert_array_equal(got.numpy(), want)
    with pytest.raises(ValueError, match="data_format"):
        ops.max_pool(images, 2, data_format="last")


@pytest.mark.parametrize("op, shapes, out", [
    (ops.inner, [(None,), (3,)], ()), (ops.inner, [(5, None), (4, 3)], (5, 4)),
    (ops.dot, [(None, 3), (None, None, 2)], (None, None, 2)), (ops.cross, [(2, 3, 3), (None, 1, 3)], (2, 3, 3)),
    (lambda x, i: ops.take_along_axis(x, i, 1), [(None, 3, 3), (1, 3, None)], (None, 3, 3)),
    (lambda x: ops.einsum("ii", x), [(None, 3)], ())])
def test_an_unknown_size_that_meets_a_known_one_may_be_it(op: Any, shapes: list[Any], out: Any) -> None:
    assert op(*[Input(batch_shape=s) for s in shapes]).shape == out


def test_sizes_that_cannot_meet_are_refused() -> None:
    with pytest.raises(ShapeError, match="must be equal"):
        ops.tensordot(Input(batch_shape=(None, 3)), Input(batch_shape=(4, 2)), axes=1)


def test_an_unknown_size_that_met_a_known_one_on_data() -> None:
    a, b = Input((None,)), Input((3,))
    model = Model([a, b], ops.einsum("bi,bi->b", a, b))
    y = model.predict([np.full((2, 3), 2.0), np.ones((2, 3))], verbose=0)
    np.testing.assert_array_equal(y, [6, 6])
    with pytest.raises(ValueError):
        model.predict([np.ones((2, 4)), np.ones((2, 3))], verbose=0)
