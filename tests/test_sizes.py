"""Axes of unknown size: shapes with None in models; each size has its program, and gives what the layers give alone."""

from typing import Any

import numpy as np
import pytest

from fastnn import Input, Model, Sequential
from fastnn import layers as L
from fastnn.engine.tensor import Tensor
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.utils import PyDataset

RNG = np.random.default_rng(11)
IMAGES = [
    (lambda: L.Conv2D(4, 3), (None, None, None, 4)), (lambda: L.Conv2D(4, 3, padding="same", strides=2),),
    (lambda: L.Conv2D(4, 3, dilation_rate=2),), (lambda: L.Conv2DTranspose(4, 3, strides=2),),
    (lambda: L.Conv2DTranspose(4, 3, strides=2, padding="same"),), (lambda: L.DepthwiseConv2D(3),),
    (lambda: L.SeparableConv2D(4, 3, padding="same"),), (lambda: L.MaxPooling2D(),),
    (lambda: L.AveragePooling2D(2, padding="same"),), (lambda: L.GlobalAveragePooling2D(), (None, 3)),
    (lambda: L.GlobalMaxPooling2D(keepdims=True), (None, 1, 1, 3)), (lambda: L.ZeroPadding2D(((1, 2), (3, 4))),),
    (lambda: L.Cropping2D(((1, 0), (0, 1))),), (lambda: L.UpSampling2D((2, 3)),),
    (lambda: L.UpSampling2D(2, interpolation="bilinear"),), (lambda: L.Permute((3, 1, 2)), (None, 3, None, None)),
    (lambda: L.Flatten(), (None, None)), (lambda: L.Reshape((-1, 3)), (None, None, 3)),
    (lambda: L.BatchNormalization(),), (lambda: L.LayerNormalization(),), (lambda: L.GroupNormalization(3),),
    (lambda: L.Dense(5, activation="softmax"), (None, None, None, 5)), (lambda: L.ReLU(),),
    (lambda: L.SpatialDropout2D(0.5),), (lambda: L.GaussianNoise(0.1),), (lambda: L.Rescaling([1.0, 2.0, 3.0]),),
    (lambda: L.Normalization(mean=[0, 0, 1.0], variance=[1, 1, 2.0]),), (lambda: L.RandomRotation(0.1),),
    (lambda: L.RandomContrast(0.1),),
]
SEQUENCES = [
    (lambda: L.Conv1D(4, 3), (None, None, 4)), (lambda: L.Conv1D(4, 3, padding="causal"),),
    (lambda: L.Conv1D(4, 3, padding="same", strides=2),), (lambda: L.Conv1DTranspose(4, 3, strides=2),),
    (lambda: L.SeparableConv1D(4, 3),), (lambda: L.DepthwiseConv1D(3),), (lambda: L.MaxPooling1D(2),),
    (lambda: L.AveragePooling1D(2, padding="same"),), (lambda: L.GlobalAveragePooling1D(), (None, 3)),
    (lambda: L.GlobalMaxPooling1D(),), (lambda: L.ZeroPadding1D((1, 2)),), (lambda: L.Cropping1D((1, 1)),),
    (lambda: L.UpSampling1D(2), (None, None, 3)), (lambda: L.Flatten(), (None, None)),
    (lambda: L.Reshape((3, -1)), (None, 3, None)), (lambda: L.Reshape((-1, 3, 1)), (None, None, 3, 1)),
    (lambda: L.BatchNormalization(),), (lambda: L.LayerNormalization(),), (lambda: L.Dense(5), (None, None, 5)),
    (lambda: L.Activation("softmax"),), (lambda: L.SpatialDropout1D(0.5),),
    (lambda: L.Permute((2, 1)), (None, 3, None)),
]
ROWS = [((None, None, 3), *row) for row in IMAGES] + [((None, 3), *row) for row in SEQUENCES]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{type(row[1]()).__name__}{len(row[0])}")
def test_layers_take_unknown_sizes(row: Any) -> None:
    shape, make, *wanted = row
    layer, x = make(), Input(shape)
    y = layer(x)
    model = Model(x, y)
    if wanted:
        assert tuple(y.shape) == wanted[0]
    for sizes in ((8, 9), (6, 7), (8, 9)):
        data = RNG.normal(size=(2, *sizes[:len(shape) - 1], 3)).astype("float32")
        want = layer(data, training=False).numpy()
        assert len(y.shape) == want.ndim and all(n in (None, m) for n, m in zip(y.shape, want.shape))
        for got in (model(data).numpy(), model.predict(data, verbose=0), model.predict(data, batch_size=1, verbose=0)):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def convolutional() -> Model:
    x = Input((None, None, 1))
    y = L.MaxPooling2D(2, padding="same")(L.Conv2D(4, 3, padding="same", strides=2, activation="relu")(x))
    y = L.Add()([y, L.Conv2D(4, 1)(y)])
    return Model(x, L.Dense(2, activation="softmax")(L.GlobalAveragePooling2D()(L.Concatenate()([y, y]))))


class Sizes(PyDataset):
    """Batches of images, each batch of another size."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        rng = np.random.default_rng(index)
        side = 6 + index % 3
        return rng.normal(size=(4, side, side + 1, 1)).astype("float32"), rng.integers(0, 2, 4)


def test_batches_of_different_sizes_train_one_model(any_backend: str) -> None:
    """The same weights as step by step with run_eagerly; one program a size."""
    results = []
    for eagerly in (False, True):
        import fastnn
        fastnn.random.set_seed(3)
        model = convolutional()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=eagerly)
        history = model.fit(Sizes(), epochs=3, verbose=0, shuffle=False, validation_data=Sizes())
        results.append((model.get_weights(), history.history, model.evaluate(Sizes(), verbose=0)))
        if not eagerly:
            names = [str(p).splitlines()[0] for p in model.programs]
            assert sum("train step" in name for name in names) == 3
    for a, b in zip(results[0][0], results[1][0]):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(results[0][2], results[1][2], rtol=1e-5)


def test_sequences_of_different_lengths(any_backend: str) -> None:
    model = Sequential([Input((None, 3)), L.Conv1D(4, 3, padding="same"), L.Dense(2)])
    assert model.output_shape == (None, None, 2)
    model.compile("sgd", "mse")
    for steps in (5, 8, 5):
        x, y = RNG.normal(size=(4, steps, 3)), RNG.normal(size=(4, steps, 2))
        before = model.evaluate(x, y, verbose=0)
        model.fit(x, y, epochs=5, verbose=0)
        assert model.evaluate(x, y, verbose=0) < before
        assert model.predict(x, verbose=0).shape == (4, steps, 2)


class Halves(L.Layer):
    """Computes with the sizes of what it gets, and has two outputs."""

    def call(self, x: Tensor) -> Any:
        half = x.shape[1] // 2
        return x[:, :half], x[:, half:]


def test_a_layer_of_ones_own_may_compute_with_sizes() -> None:
    x = Input((None, 3))
    a, b = Halves()(x)
    assert a.shape == b.shape == (None, None, 3)
    model = Model(x, L.Concatenate(axis=1)([b, a]))
    for steps in (4, 7):
        data = RNG.normal(size=(2, steps, 3)).astype("float32")
        want = np.concatenate([data[:, steps // 2:], data[:, :steps // 2]], 1)
        np.testing.assert_array_equal(model.predict(data, verbose=0), want)


def test_models_within_models() -> None:
    inner = convolutional()
    x = Input((None, None, 1))
    model = Model(x, L.Dense(1)(inner(x)))
    data = RNG.normal(size=(2, 9, 5, 1)).astype("float32")
    np.testing.assert_allclose(model.predict(data, verbose=0), model.layers[-1](inner(data)).numpy(), rtol=1e-5)


def test_what_must_be_known_is_asked_for() -> None:
    with pytest.raises(ShapeError, match=r"conv2d: got inputs of shape \(None, None, None, None\); needs the"):
        L.Conv2D(4, 3)(Input((None, None, None)))
    with pytest.raises((ShapeError, NotBuiltError), match=r"dense"):
        L.Dense(4)(L.Flatten()(Input((None, 3))))
    with pytest.raises(ShapeError, match="cannot become"):
        Model(x := Input((None, 3)), L.Reshape((2, -1))(x)).predict(RNG.normal(size=(2, 5, 3)), verbose=0)
