"""Every public class with arguments other than its defaults, and a shape of inputs that fits: for tests of the kind.

`CASES` has one row per class; a class, or a parameter, that is not here makes test_configuration.py say so.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastnn import activations, callbacks, constraints, initializers, layers, losses, metrics, optimizers, regularizers


@dataclass(frozen=True)
class Case:
    """arguments: one for every parameter that the class or its bases name. inputs: shapes that a layer is called on."""
    module: Any
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[tuple[int, ...], ...] = ()

    @property
    def kind(self) -> type:
        return getattr(self.module, self.name)

    def make(self, **changes: Any) -> Any:
        return self.kind(**{**self.arguments, **changes})

    def __repr__(self) -> str:
        return f"{self.module.__name__.removeprefix('fastnn.')}.{self.name}"


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


def _losses() -> Iterator[Case]:
    common = {"reduction": "sum", "name": "mine", "dtype": "float32"}
    yield Case(losses, "Loss", common)
    yield Case(losses, "LossFunctionWrapper", {"fn": losses.mean_squared_error, **common})
    yield Case(losses, "BinaryCrossentropy", {**common, "from_logits": True, "label_smoothing": 0.1, "axis": 1})
    yield Case(losses, "CategoricalCrossentropy", {**common, "from_logits": True, "label_smoothing": 0.1, "axis": 1})
    yield Case(losses, "SparseCategoricalCrossentropy", {**common, "from_logits": True, "ignore_class": 3, "axis": 1})
    yield Case(losses, "Huber", {**common, "delta": 0.5})
    focal = {**common, "alpha": 0.5, "gamma": 1.0, "from_logits": True, "label_smoothing": 0.1, "axis": 1}
    yield Case(losses, "BinaryFocalCrossentropy", {**focal, "apply_class_balancing": True})
    yield Case(losses, "CategoricalFocalCrossentropy", focal)
    yield Case(losses, "CategoricalGeneralizedCrossEntropy", {**common, "q": 0.25})
    yield Case(losses, "Dice", {**common, "axis": [0, 1]})
    yield Case(losses, "Tversky", {**common, "alpha": 0.25, "beta": 0.75, "axis": 1})
    yield Case(losses, "Circle", {**common, "gamma": 8.0, "margin": 0.25, "remove_diagonal": False})
    yield Case(losses, "CTC", common)
    yield Case(losses, "CosineSimilarity", {**common, "axis": 1})
    for name in ("CategoricalHinge", "Hinge", "KLDivergence", "LogCosh", "MeanAbsoluteError",
                 "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
                 "SquaredHinge"):
        yield Case(losses, name, common)


def _metrics() -> Iterator[Case]:
    common = {"name": "mine", "dtype": "float32"}
    for name in ("Accuracy", "CategoricalAccuracy", "CategoricalHinge", "Hinge", "KLDivergence", "LogCoshError", "Mean",
                 "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
                 "MeanSquaredLogarithmicError", "Metric", "Poisson", "RootMeanSquaredError",
                 "SparseCategoricalAccuracy", "SquaredHinge", "Sum"):
        yield Case(metrics, name, common)
    yield Case(metrics, "MeanMetricWrapper", {"fn": losses.mean_squared_error, **common})
    yield Case(metrics, "BinaryAccuracy", {**common, "threshold": 0.25})
    yield Case(metrics, "BinaryCrossentropy", {**common, "from_logits": True, "label_smoothing": 0.1})
    yield Case(metrics, "CategoricalCrossentropy", {**common, "from_logits": True, "label_smoothing": 0.1, "axis": 1})
    yield Case(metrics, "SparseCategoricalCrossentropy", {**common, "from_logits": True, "ignore_class": 3, "axis": 1})
    for name in ("Precision", "Recall"):
        yield Case(metrics, name, {**common, "thresholds": [0.25, 0.5], "top_k": None, "class_id": 1})
    yield Case(metrics, "F1Score", {**common, "average": "micro", "threshold": 0.25})
    yield Case(metrics, "FBetaScore", {**common, "average": "micro", "threshold": 0.25, "beta": 2.0})
    yield Case(metrics, "R2Score", {**common, "class_aggregation": None, "num_regressors": 2})
    yield Case(metrics, "TopKCategoricalAccuracy", {**common, "k": 3})
    yield Case(metrics, "SparseTopKCategoricalAccuracy", {**common, "k": 3, "from_sorted_ids": True})
    yield from _curves(common)


def _curves(common: dict[str, Any]) -> Iterator[Case]:
    for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"):
        yield Case(metrics, name, {**common, "thresholds": [0.25, 0.5]})
    yield Case(metrics, "AUC", {**common, "num_thresholds": 4, "curve": "PR", "summation_method": "majoring",
                                "thresholds": [0.25, 0.5], "multi_label": True, "num_labels": 2,
                                "label_weights": [1.0, 2.0], "from_logits": True})
    for name, needed in (("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
                         ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision")):
        yield Case(metrics, name, {**common, needed: 0.25, "num_thresholds": 10, "class_id": 1})
    for name in ("PearsonCorrelation", "ConcordanceCorrelation", "CosineSimilarity"):
        yield Case(metrics, name, {**common, "axis": 0})
    yield Case(metrics, "ConfusionMatrix", {**common, "num_classes": 3, "normalize": "true", "threshold": 0.25})
    yield Case(metrics, "BinaryIoU", {**common, "target_class_ids": [1], "threshold": 0.25})
    table = {**common, "num_classes": 3, "ignore_class": 1, "axis": 1, "sparse_y_pred": True}
    yield Case(metrics, "IoU", {**table, "target_class_ids": [0, 2], "sparse_y_true": False})
    yield Case(metrics, "MeanIoU", {**table, "sparse_y_true": False})
    yield Case(metrics, "OneHotIoU", {**table, "target_class_ids": [0, 2]})
    yield Case(metrics, "OneHotMeanIoU", table)


def _optimizers() -> Iterator[Case]:
    common = {"learning_rate": 0.25, "weight_decay": 0.01, "clipnorm": 2.0, "clipvalue": None, "global_clipnorm": None,
              "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3, "loss_scale_factor": 8.0,
              "gradient_accumulation_steps": 2, "name": "mine"}
    yield Case(optimizers, "Optimizer", common)
    yield Case(optimizers, "SGD", {**common, "momentum": 0.5, "nesterov": True})
    yield Case(optimizers, "RMSprop", {**common, "rho": 0.5, "momentum": 0.25, "epsilon": 0.01, "centered": True})
    for name in ("Adam", "AdamW"):
        yield Case(optimizers, name, {**common, "beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.01, "amsgrad": True})
    yield Case(optimizers, "Adagrad", {**common, "initial_accumulator_value": 0.5, "epsilon": 0.01})
    yield Case(optimizers, "Adadelta", {**common, "rho": 0.5, "epsilon": 0.01})
    yield Case(optimizers, "Ftrl", {**common, "learning_rate_power": -0.25, "initial_accumulator_value": 0.5,
                                    "l1_regularization_strength": 0.125, "l2_regularization_strength": 0.25,
                                    "l2_shrinkage_regularization_strength": 0.5, "beta": 0.75})
    for name in ("Adamax", "Nadam", "Lamb"):
        yield Case(optimizers, name, {**common, "beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.01})
    yield Case(optimizers, "Lion", {**common, "beta_1": 0.5, "beta_2": 0.75})
    yield Case(optimizers, "Adafactor", {**common, "beta_2_decay": -0.5, "epsilon_1": 0.01, "epsilon_2": 0.02,
                                         "clip_threshold": 2.0, "relative_step": False})
    yield Case(optimizers, "Muon", {**common, "adam_beta_1": 0.5, "adam_beta_2": 0.75, "adam_weight_decay": 0.125,
                                    "epsilon": 0.01, "exclude_layers": ["head"], "exclude_embeddings": False,
                                    "muon_a": 3.0, "muon_b": -4.0, "muon_c": 2.0, "adam_lr_ratio": 0.5,
                                    "momentum": 0.5, "ns_steps": 3, "nesterov": False, "rms_rate": 0.5})
    yield Case(optimizers, "LBFGS", {**common, "weight_decay": None, "history_size": 4})


def _schedules() -> Iterator[Case]:
    of = optimizers.schedules
    first = {"initial_learning_rate": 0.5, "name": "mine"}
    yield Case(of, "LearningRateSchedule")
    for name in ("ExponentialDecay", "InverseTimeDecay"):
        yield Case(of, name, {**first, "decay_steps": 20.0, "decay_rate": 0.9, "staircase": True})
    yield Case(of, "PiecewiseConstantDecay", {"boundaries": [2.0, 5.0], "values": [0.5, 0.25, 0.125], "name": "mine"})
    yield Case(of, "PolynomialDecay", {**first, "decay_steps": 20.0, "end_learning_rate": 0.125, "power": 2.0,
                                       "cycle": True})
    yield Case(of, "CosineDecay", {**first, "decay_steps": 20.0, "alpha": 0.125, "warmup_target": 1.0,
                                   "warmup_steps": 3.0})
    yield Case(of, "CosineDecayRestarts", {**first, "first_decay_steps": 20.0, "t_mul": 3.0, "m_mul": 0.5,
                                           "alpha": 0.125})
    yield Case(of, "CyclicalLearningRate", {**first, "maximal_learning_rate": 1.0, "step_size": 4.0,
                                            "mode": "exp_range", "gamma": 0.5})
    yield Case(of, "OneCycle", {"maximal_learning_rate": 1.0, "total_steps": 40.0, "rise": 0.5, "start_divisor": 4.0,
                                "end_divisor": 8.0, "name": "mine"})


def _small() -> Iterator[Case]:
    for name in ("Zeros", "Ones", "Initializer"):
        yield Case(initializers, name)
    yield Case(initializers, "Constant", {"value": 0.5})
    yield Case(initializers, "Identity", {"gain": 2.0})
    yield Case(initializers, "Orthogonal", {"gain": 2.0, "seed": 3})
    yield Case(initializers, "RandomNormal", {"mean": 1.0, "stddev": 2.0, "seed": 3})
    yield Case(initializers, "TruncatedNormal", {"mean": 1.0, "stddev": 2.0, "seed": 3})
    yield Case(initializers, "RandomUniform", {"minval": 1.0, "maxval": 2.0, "seed": 3})
    yield Case(initializers, "VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform", "seed": 3,
                                                   "input_axes": (0,), "output_axes": (1,)})
    for name in ("RandomInitializer", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal",
                 "LecunUniform"):
        yield Case(initializers, name, {"seed": 3})
    yield from _schedules()
    yield Case(regularizers, "Regularizer")
    yield Case(regularizers, "L1", {"l1": 0.5})
    yield Case(regularizers, "L2", {"l2": 0.5})
    yield Case(regularizers, "L1L2", {"l1": 0.5, "l2": 0.25})
    yield Case(regularizers, "OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"})
    for name in ("Constraint", "NonNeg"):
        yield Case(constraints, name)
    yield Case(constraints, "MaxNorm", {"max_value": 3.0, "axis": [0, 1]})
    yield Case(constraints, "UnitNorm", {"axis": 1})
    yield Case(constraints, "MinMaxNorm", {"min_value": 0.5, "max_value": 3.0, "rate": 0.5, "axis": 1})
    yield Case(callbacks, "EarlyStopping", {"monitor": "loss", "min_delta": 0.5, "patience": 2, "verbose": 1,
                                            "mode": "min", "baseline": 1.0, "restore_best_weights": True,
                                            "start_from_epoch": 1})
    yield Case(callbacks, "ModelCheckpoint", {"filepath": "m.fnn", "monitor": "loss", "verbose": 1, "mode": "min",
                                              "save_best_only": True, "save_weights_only": True, "save_freq": 5,
                                              "initial_value_threshold": 0.5})
    yield Case(callbacks, "BackupAndRestore", {"backup_dir": "b", "save_freq": 5, "double_checkpoint": True,
                                               "delete_checkpoint": False})
    yield Case(callbacks, "ReduceLROnPlateau", {"monitor": "loss", "factor": 0.5, "patience": 2, "verbose": 1,
                                                "mode": "min", "min_delta": 0.5, "cooldown": 2, "min_lr": 0.125})
    yield Case(callbacks, "CSVLogger", {"filename": "log.csv", "separator": ";", "append": True})
    yield Case(callbacks, "RemoteMonitor", {"root": "https://a.b", "path": "/c", "field": "d", "headers": {"e": "f"},
                                            "send_as_json": True})
    yield Case(callbacks, "ProgbarLogger")
    yield Case(callbacks, "SwapEMAWeights", {"swap_on_epoch": True})
    yield Case(callbacks, "TensorBoard", {"log_dir": "tb", "histogram_freq": 2, "write_graph": False, "update_freq": 5,
                                          "write_images": True, "write_steps_per_second": True, "profile_batch": None,
                                          "embeddings_freq": None, "embeddings_metadata": None})
    yield Case(callbacks, "TerminateOnNaN", {"raise_error": True})


CASES = [*_layers(), *_sequences(), *_losses(), *_metrics(), *_optimizers(), *_small()]


def parameters(kind: type) -> dict[str, inspect.Parameter]:
    """What the class takes by name: its constructor's parameters, and where that has **kwargs, those of its bases."""
    found: dict[str, inspect.Parameter] = {}
    for cls in kind.__mro__:
        if "__init__" not in vars(cls):
            continue
        own = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
        found = {p.name: p for p in own if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
                 and p.name not in getattr(kind, "filled_in", ())} | found
        if not any(p.kind is p.VAR_KEYWORD for p in own):
            break
    return found
