"""Rows of losses, metrics, optimizers, callbacks and what layers are given: initializers, regularizers, constraints."""

from collections.abc import Iterator
from typing import Any

from fastnn import callbacks, constraints, initializers, losses, metrics, optimizers, regularizers
from tests.public.case import Case


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


def rows() -> Iterator[Case]:
    for kind in (_losses, _metrics, _optimizers, _small):
        yield from kind()
