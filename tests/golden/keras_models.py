"""Models that both Keras and fastnn build, for files that go from one to the other.

    KERAS_BACKEND=tensorflow python -m tests.golden.keras_models     writes keras_models.zip: NAME.keras, NAME.npy (what
                                                                    Keras predicts), NAME.h5 (its weights alone)

`k` is a library with Keras' module tree.
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.common import wave

FILE = Path(__file__).with_name("keras_models.zip")


def dense(k: Any) -> Any:
    la = k.layers
    return k.Sequential([
        k.Input((6,)), la.Dense(8, activation="relu", kernel_regularizer="l2"), la.BatchNormalization(),
        la.Dropout(0.3), la.BatchNormalization(renorm=True, renorm_clipping={"rmax": 3.0}),
        la.Dense(7, use_bias=False), la.LayerNormalization(), la.LeakyReLU(0.1), la.PReLU(), la.ELU(),
        la.GaussianNoise(0.1), la.Rescaling(2.0, 0.5), la.Activation("tanh"), la.Reshape((7, 1)), la.Permute((2, 1)),
        la.Flatten(), la.EinsumDense("ab,bc->ac", 5, bias_axes="c"), la.GaussianDropout(0.2), la.Softmax()])


def images(k: Any) -> Any:
    la = k.layers
    return k.Sequential([
        k.Input((12, 12, 3)), la.ZeroPadding2D(1), la.Conv2D(4, 3, padding="same", activation="relu"),
        la.DepthwiseConv2D(3), la.SeparableConv2D(6, 3, padding="same"), la.GroupNormalization(2), la.MaxPooling2D(),
        la.Conv2DTranspose(4, 3, strides=2), la.AveragePooling2D(2), la.UpSampling2D(2), la.Cropping2D(1),
        la.SpatialDropout2D(0.2), la.BatchNormalization(), la.GlobalAveragePooling2D(), la.Dense(3)])


def series(k: Any) -> Any:
    la = k.layers
    return k.Sequential([
        k.Input((16, 3)), la.Conv1D(4, 3, padding="causal"), la.SeparableConv1D(4, 3), la.DepthwiseConv1D(3),
        la.MaxPooling1D(), la.Conv1DTranspose(3, 2), la.UpSampling1D(2), la.AveragePooling1D(2), la.ZeroPadding1D(1),
        la.Cropping1D(1), la.SpatialDropout1D(0.1), la.GlobalMaxPooling1D(), la.RepeatVector(2), la.Flatten(),
        la.Dense(2)])


def recurrent(k: Any) -> Any:
    la = k.layers
    return k.Sequential([
        k.Input((7, 4)), la.Bidirectional(la.LSTM(3, return_sequences=True, dropout=0.2)),
        la.TimeDistributed(la.Dense(4)), la.GRU(3, return_sequences=True),
        la.GRU(3, return_sequences=True, reset_after=False), la.SimpleRNN(4, return_sequences=True),
        la.RNN(la.StackedRNNCells([la.LSTMCell(3), la.GRUCell(2)])),
        la.Dense(2)])


def attention(k: Any) -> Any:
    la = k.layers
    x = k.Input((5, 8), name="x")
    y = la.MultiHeadAttention(2, 4)(x, x)
    z = la.LayerNormalization()(la.Add()([x, y]))
    z = la.GroupQueryAttention(4, 4, 2)(z, z, use_causal_mask=True)
    z = la.Attention(use_scale=True)([z, x])
    z = la.AdditiveAttention()([z, x])
    return k.Model(x, la.Dense(3)(z))


def text(k: Any) -> Any:
    la = k.layers
    return k.Sequential([k.Input((6,), dtype="int32"), la.Embedding(10, 4, mask_zero=True), la.LSTM(3), la.Dense(2)])


def words(k: Any) -> Any:
    """Text and categories, of vocabularies that were learned, which Keras keeps beside the configuration."""
    la = k.layers
    review, city, code = (k.Input((1,), dtype=dtype, name=name) for name, dtype in (
        ("review", "string"), ("city", "string"), ("code", "int32")))
    read, placed = la.TextVectorization(output_sequence_length=3), la.StringLookup(output_mode="one_hot")
    read.adapt(["a good film", "bad film", "good"])
    placed.adapt(["Rome", "Oslo", "Rome"])
    coded = la.IntegerLookup(vocabulary=[7, 9], num_oov_indices=2, output_mode="multi_hot")
    x = la.Concatenate()([la.Flatten()(la.Embedding(8, 2)(read(review))), placed(city), coded(code)])
    return k.Model([review, city, code], la.Dense(2)(x))


def branches(k: Any) -> Any:
    """Several inputs and outputs, merges, a layer used twice, a model in the model."""
    la = k.layers
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    shared = la.Dense(4, activation="tanh", name="shared")
    inner = k.Sequential([k.Input((4,)), la.Dense(3), la.Dense(4)], name="inner")
    deep = k.Model(a, la.Dense(4)(la.Dense(2)(a)), name="deep")
    u, v = shared(a), shared(b)
    merged = [la.Multiply()([u, v]), la.Average()([u, v]), la.Maximum()([u, v]), la.Subtract()([u, v]), inner(u),
              deep(v)]
    one, two = la.Dense(2, name="one")(la.Concatenate()(merged)), la.Dense(1, name="two")(la.Dot(1)([u, v]))
    return k.Model([a, b], [one, two])


def trained(k: Any) -> Any:
    """With an optimizer that has slots."""
    model = k.Sequential([k.Input((6,)), k.layers.Dense(4, activation="relu"), k.layers.Dense(1)])
    model.compile(k.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


MODELS: dict[str, tuple[Callable[[Any], Any], Callable[[], Any]]] = {
    "dense": (dense, lambda: wave(5, 6)), "images": (images, lambda: wave(3, 12, 12, 3)),
    "series": (series, lambda: wave(4, 16, 3)), "recurrent": (recurrent, lambda: wave(4, 7, 4)),
    "attention": (attention, lambda: wave(3, 5, 8)),
    "branches": (branches, lambda: [wave(5, 4), wave(5, 4, phase=0.5)]),
    "text": (text, lambda: np.array([[1, 2, 3, 0, 0, 0], [4, 5, 6, 7, 8, 9]], np.int32)),
    "words": (words, lambda: [np.array([["Good film!"], ["ugly"]], object), np.array([["Oslo"], ["Bonn"]], object),
                              np.array([[9], [4]], np.int32)]),
    "trained": (trained, lambda: wave(8, 6))}


def filled(model: Any) -> Any:
    """The model with weights from a formula; variances positive."""
    model.set_weights([np.abs(wave(*w.shape, phase=i, scale=0.5)) + 0.1 if np.all(w == 1) else
                       wave(*w.shape, phase=i, scale=0.5) for i, w in enumerate(model.get_weights())])
    return model


def outputs(model: Any, x: Any) -> list[np.ndarray]:
    """What it predicts, as a list."""
    y = model.predict(x, verbose=0)
    return list(y) if isinstance(y, (list, tuple)) else [y]


def main() -> None:
    """Write the file."""
    import tempfile

    import keras
    import tensorflow as tf
    with zipfile.ZipFile(FILE, "w", zipfile.ZIP_DEFLATED) as archive, tempfile.TemporaryDirectory() as folder:
        for name, (build, data) in MODELS.items():
            model = filled(build(keras))
            if name == "trained":
                model.fit(data(), wave(8, 1), epochs=2, shuffle=False, verbose=0)
            model.save(Path(folder) / f"{name}.keras")
            model.save_weights(Path(folder) / f"{name}.weights.h5")
            archive.write(Path(folder) / f"{name}.keras", f"{name}.keras")
            archive.write(Path(folder) / f"{name}.weights.h5", f"{name}.h5")
            if name != "words":         # what has no place in the older format
                model.save(Path(folder) / f"{name}.old.h5")
                archive.write(Path(folder) / f"{name}.old.h5", f"{name}.old.h5")
            x = [tf.constant(a) if a.dtype == object else a for a in data()] if name == "words" else data()
            for i, y in enumerate(outputs(model, x)):
                made = io.BytesIO()
                np.save(made, y)
                archive.writestr(f"{name}.{i}.npy", made.getvalue())


if __name__ == "__main__":
    main()
