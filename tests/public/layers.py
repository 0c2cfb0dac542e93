"""Rows of all public layers."""

from collections.abc import Iterator
from typing import Any

from fastnn import activations, layers
from tests.public.case import Case

_ROWS, _STEPS, _IMAGES = ((2, 6),), ((2, 7, 4),), ((2, 8, 6, 4),)
_LAYER = {"name": "mine", "trainable": False, "activity_regularizer": "l2"}
_BIAS = {"bias_initializer": "ones", "bias_regularizer": "l2", "bias_constraint": "non_neg"}
_KERNEL = {"kernel_initializer": "he_normal", "kernel_regularizer": "l1", "kernel_constraint": "max_norm", **_BIAS}
_DEPTH = {"depthwise_initializer": "he_normal", "depthwise_regularizer": "l1", "depthwise_constraint": "max_norm",
          **_BIAS}
_POINT = {"pointwise_initializer": "he_uniform", "pointwise_regularizer": "l2", "pointwise_constraint": "non_neg"}
_NORM = {"epsilon": 0.01, "beta_initializer": "ones", "gamma_initializer": "zeros", "beta_regularizer": "l1",
         "gamma_regularizer": "l2", "beta_constraint": "non_neg", "gamma_constraint": "max_norm"}
_WARP = {"fill_mode": "constant", "interpolation": "nearest", "fill_value": 0.5, "seed": 3,
         "data_format": "channels_last"}


def _window(rank: int, **more: Any) -> dict[str, Any]:
    return {"kernel_size": (3, 2)[:rank], "strides": (2, 3)[:rank], "padding": "same", "data_format": "channels_last",
            "dilation_rate": (1, 1)[:rank], "activation": "relu", "use_bias": True, **more}


def _layer(name: str, inputs: tuple[tuple[int, ...], ...], **arguments: Any) -> Case:
    return Case(layers, name, {**_LAYER, **arguments}, inputs)


_RECURRENT = {"recurrent_initializer": "he_normal", "recurrent_regularizer": "l2", "recurrent_constraint": "non_neg",
              "dropout": 0.3, "recurrent_dropout": 0.2, "seed": 3, "activation": "relu", "use_bias": True, **_KERNEL}
_GATES = {"recurrent_activation": "hard_sigmoid", **_RECURRENT}
_RNN = {"return_sequences": True, "return_state": False, "go_backwards": True, "stateful": False,
        "zero_output_for_mask": True}
_CELL = {"name": "mine", "trainable": False, "activity_regularizer": "l2"}


def _sequences() -> Iterator[Case]:
    for kind, more in (("SimpleRNN", _RECURRENT), ("LSTM", {**_GATES, "unit_forget_bias": False}),
                       ("GRU", {**_GATES, "reset_after": False})):
        yield Case(layers, f"{kind}Cell", {**_CELL, "units": 3, **more})
        yield _layer(kind, _STEPS, units=3, unroll=True, **more, **_RNN)
    yield Case(layers, "StackedRNNCells", {**_CELL, "cells": [layers.GRUCell(3, name="a"),
                                                              layers.LSTMCell(2, name="b")]})
    yield _layer("RNN", _STEPS, cell=layers.GRUCell(3, name="inside"), unroll=True, **_RNN)
    yield _layer("Bidirectional", _STEPS, layer=layers.GRU(3, name="inside"), merge_mode="sum", weights=None,
                 backward_layer=layers.GRU(3, go_backwards=True, name="back"))
    for kind in ("TimeDistributed", "Wrapper"):
        yield _layer(kind, _STEPS if kind != "Wrapper" else (), layer=layers.Dense(3, name="inside"))
    for kind, rank in (("ConvLSTM1D", 1), ("ConvLSTM2D", 2)):
        yield _layer(kind, ((2, 3, *(7, 6)[:rank], 2),), filters=2, **_window(rank), unit_forget_bias=False,
                     **{k: v for k, v in _GATES.items() if k not in ("activation", "use_bias")}, **_RNN)
    yield _layer("Masking", _STEPS, mask_value=2.0)
    yield Case(layers, "Embedding", {**_LAYER, "input_dim": 9, "output_dim": 3, "embeddings_initializer": "ones",
                                     "embeddings_regularizer": "l2", "embeddings_constraint": "non_neg",
                                     "mask_zero": True, "weights": None})
    heads = {"dropout": 0.1, "use_bias": False, "attention_axes": (1,), "output_shape": 5, "value_dim": 3, "seed": 3,
             "use_gate": True, "sliding_window": 3}
    yield Case(layers, "MultiHeadAttention", {**_LAYER, **heads, "num_heads": 2, "key_dim": 4, **_KERNEL})
    yield Case(layers, "GroupedQueryAttention", {**_LAYER, **heads, "head_dim": 4, "num_query_heads": 4,
                                                 "num_key_value_heads": 2, **_KERNEL})
    yield _layer("Identity", _ROWS)
    yield Case(layers, "Lambda", {**_LAYER, "function": activations.tanh, "output_shape": (6,), "mask": None,
                                  "arguments": None})
    yield Case(layers, "ActivityRegularization", {"name": "mine", "trainable": False, "l1": 0.1, "l2": 0.2}, _ROWS)
    yield _layer("UnitNormalization", _STEPS, axis=1)
    yield _layer("RMSNormalization", _STEPS, axis=(1, 2), epsilon=0.01)
    yield Case(layers, "SpectralNormalization", {**_LAYER, "layer": layers.Dense(3), "power_iterations": 2}, _ROWS)
    yield _layer("AlphaDropout", _ROWS, rate=0.3, noise_shape=(None, 1), seed=3)
    size = {"height": 3, "width": 4, "data_format": "channels_last"}
    yield _layer("Resizing", _IMAGES, **size, interpolation="nearest", crop_to_aspect_ratio=True,
                 pad_to_aspect_ratio=False, fill_mode="constant", fill_value=0.5, antialias=True)
    yield _layer("CenterCrop", _IMAGES, **size)
    yield _layer("RandomCrop", _IMAGES, **size, seed=3)
    yield Case(layers, "CategoryEncoding", {**_LAYER, "num_tokens": 5, "output_mode": "count", "sparse": False})
    yield Case(layers, "Discretization", {**_LAYER, "bin_boundaries": [0.0, 1.0], "num_bins": None, "epsilon": 0.1,
                                          "output_mode": "count", "sparse": False}, _ROWS)
    yield Case(layers, "InputSpec", {"dtype": "int32", "shape": (None, 3), "ndim": 2, "max_ndim": 3, "min_ndim": 1,
                                     "axes": {-1: 3}, "allow_last_axis_squeeze": True, "name": "mine",
                                     "optional": True})
    yield Case(layers, "InputLayer", {"batch_shape": (None, 3), "dtype": "int32", "optional": True, "name": "mine"})
    yield Case(layers, "Attention", {**_LAYER, "use_scale": True, "score_mode": "concat", "dropout": 0.1, "seed": 3})
    yield Case(layers, "AdditiveAttention", {**_LAYER, "use_scale": False, "score_mode": "concat", "dropout": 0.1,
                                             "seed": 3})
    block = {"intermediate_dim": 8, "num_heads": 2, "dropout": 0.1, "activation": "gelu", "layer_norm_epsilon": 0.01,
             "normalize_first": True, "seed": 3}
    yield _layer("TransformerEncoder", _STEPS, **block)
    yield _layer("TransformerDecoder", _STEPS, **block)
    yield _layer("SinusoidalPositions", _STEPS)
    yield Case(layers, "TokenAndPositionEmbedding", {**_LAYER, "vocabulary_size": 9, "sequence_length": 7,
                                                     "embedding_dim": 3, "embeddings_initializer": "ones",
                                                     "mask_zero": True})
    yield _layer("EinsumDense", _STEPS, equation="abc,cd->abd", output_shape=(None, 4), bias_axes="d",
                 activation="tanh", **{key: value for key, value in _KERNEL.items() if key != "use_bias"})
    yield _layer("Dot", _STEPS * 2, axes=(2, 2), normalize=True)
    lookup = {"max_tokens": 9, "num_oov_indices": 2, "idf_weights": None, "invert": False, "output_mode": "count",
              "pad_to_max_tokens": True}
    yield Case(layers, "StringLookup", {**_LAYER, **lookup, "mask_token": "-", "oov_token": "?", "sparse": False,
                                        "vocabulary": ["a", "b"], "encoding": "latin-1", "salt": [3, 4]})
    yield Case(layers, "IntegerLookup", {**_LAYER, **lookup, "mask_token": 0, "oov_token": 1, "vocabulary": [7, 8],
                                         "vocabulary_dtype": "int64", "sparse": False, "oov_method": "farmhash",
                                         "salt": [3, 4]})
    yield Case(layers, "Hashing", {**_LAYER, "num_bins": 4, "mask_value": "a", "salt": [3, 4], "output_mode": "count",
                                   "sparse": False})
    yield Case(layers, "TextVectorization", {
        **_LAYER, "max_tokens": 9, "standardize": "lower", "split": "character", "ngrams": (1, 2),
        "output_mode": "count", "output_sequence_length": None, "pad_to_max_tokens": True, "vocabulary": ["a", "b"],
        "idf_weights": None, "sparse": False, "ragged": False, "encoding": "latin-1"})


def _layers() -> Iterator[Case]:
    yield _layer("Layer", ())
    yield _layer("Dense", _ROWS, units=3, activation="tanh", use_bias=True, **_KERNEL)
    yield _layer("Activation", _ROWS, activation="tanh")
    yield _layer("Flatten", _IMAGES, data_format="channels_last")
    yield _layer("Reshape", _ROWS, target_shape=(3, -1))
    yield _layer("Dropout", _STEPS, rate=0.25, noise_shape=(None, 1, None), seed=3)
    yield _layer("SpatialDropout1D", _STEPS, rate=0.25, seed=3)
    yield _layer("SpatialDropout2D", _IMAGES, rate=0.25, data_format="channels_last", seed=3)
    yield _layer("GaussianNoise", _ROWS, stddev=0.5, seed=3)
    yield _layer("GaussianDropout", _ROWS, rate=0.5, seed=3)
    for rank, inputs in ((1, _STEPS), (2, _IMAGES)):
        yield _layer(f"Conv{rank}D", inputs, filters=4, groups=2, **_window(rank), **_KERNEL)
        yield _layer(f"Conv{rank}DTranspose", inputs, filters=3, output_padding=(1, 1)[:rank], **_window(rank),
                     **_KERNEL)
        yield _layer(f"DepthwiseConv{rank}D", inputs, depth_multiplier=2, **_window(rank, strides=(2, 2)[:rank]),
                     **_DEPTH)
        yield _layer(f"SeparableConv{rank}D", inputs, filters=3, depth_multiplier=2,
                     **_window(rank, strides=(2, 2)[:rank]), **_DEPTH, **_POINT)
        for kind in ("Max", "Average"):
            yield _layer(f"{kind}Pooling{rank}D", inputs, pool_size=(3, 2)[:rank], strides=(1, 2)[:rank],
                         padding="same", data_format="channels_last")
            yield _layer(f"Global{kind}Pooling{rank}D", inputs, data_format="channels_last", keepdims=True)
    yield _layer("ReLU", _ROWS, max_value=2.0, negative_slope=0.25, threshold=0.5)
    yield _layer("LeakyReLU", _ROWS, negative_slope=0.125)
    yield _layer("ELU", _ROWS, alpha=0.5)
    yield _layer("PReLU", _ROWS, alpha_initializer="ones", alpha_regularizer="l1", alpha_constraint="non_neg",
                 shared_axes=None)
    yield _layer("Softmax", _STEPS, axis=1)
    for kind in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"):
        yield _layer(kind, _ROWS * 2)
    yield _layer("Concatenate", _STEPS * 2, axis=1)
    yield _layer("BatchNormalization", _STEPS, axis=1, momentum=0.5, center=True, scale=True,
                 moving_mean_initializer="ones", moving_variance_initializer="zeros", renorm=True,
                 renorm_clipping={"rmax": 3.0, "dmax": 5.0}, renorm_momentum=0.75, **_NORM)
    yield _layer("LayerNormalization", _STEPS, axis=[1, 2], center=True, scale=True, rms_scaling=False, **_NORM)
    yield _layer("GroupNormalization", _STEPS, groups=2, axis=2, center=True, scale=True, **_NORM)
    yield _layer("Rescaling", _ROWS, scale=0.5, offset=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    yield _layer("Normalization", _ROWS, axis=-1, mean=[1.0] * 6, variance=[4.0] * 6, invert=True)
    yield _layer("RandomFlip", _IMAGES, mode="vertical", seed=3, data_format="channels_last")
    yield _layer("RandomRotation", _IMAGES, factor=(-0.1, 0.2), **_WARP)
    yield _layer("RandomZoom", _IMAGES, height_factor=(-0.1, 0.2), width_factor=0.3, **_WARP)
    yield _layer("RandomTranslation", _IMAGES, height_factor=(-0.1, 0.2), width_factor=0.3, **_WARP)
    yield _layer("RandomContrast", _IMAGES, factor=(0.1, 0.2), value_range=(0, 1), seed=3,
                 data_format="channels_last")
    yield _layer("RandomBrightness", _IMAGES, factor=(-0.1, 0.2), value_range=(0, 1), seed=3,
                 data_format="channels_last")
    yield _layer("ZeroPadding1D", _STEPS, padding=(1, 2), data_format="channels_last")
    yield _layer("ZeroPadding2D", _IMAGES, padding=((1, 2), (0, 3)), data_format="channels_last")
    yield _layer("Cropping1D", _STEPS, cropping=(1, 2))
    yield _layer("Cropping2D", _IMAGES, cropping=((1, 2), (0, 3)), data_format="channels_last")
    yield _layer("UpSampling1D", _STEPS, size=3)
    yield _layer("UpSampling2D", _IMAGES, size=(3, 2), data_format="channels_last", interpolation="bilinear")
    yield _layer("RepeatVector", _ROWS, n=3)
    yield _layer("Permute", _STEPS, dims=(2, 1))


def rows() -> Iterator[Case]:
    for kind in (_layers, _sequences):
        yield from kind()
