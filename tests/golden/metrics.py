"""Every metric: history, validation and evaluate(), and called; and the ways to pass validation data."""

from dataclasses import replace
from typing import Any

from tests.golden.common import SAMPLE_WEIGHT, TARGETS, Case, X, net
from tests.golden.direct import Row, array, label, numbers

_SPLIT: dict[str, Any] = {"validation_split": 0.25}


def _binary(name: str, *metrics: Any, y: str = "binary", units: int = 1, **given: Any) -> Case:
    return Case(f"metric_{name}", lambda k: net(k, "sigmoid", units),
                lambda k: dict(loss="binary_crossentropy", metrics=[m(k) for m in metrics]), y, fit=_SPLIT, **given)


def _classes(name: str, *metrics: Any, y: str = "onehot", **given: Any) -> Case:
    loss = "categorical_crossentropy" if y == "onehot" else "sparse_categorical_crossentropy"
    return Case(f"metric_{name}", lambda k: net(k, "softmax"),
                lambda k: dict(loss=loss, metrics=[m(k) for m in metrics]), y, fit=_SPLIT, **given)


def _real(name: str, *metrics: Any, **given: Any) -> Case:
    return Case(f"metric_{name}", net, lambda k: dict(metrics=[m(k) for m in metrics]), fit=_SPLIT, **given)


def _is(value: Any) -> Any:
    return lambda k: value


def _of(kind: str, **arguments: Any) -> Any:
    return lambda k: getattr(k.metrics, kind)(**arguments)


CASES = [
    _binary("counts", *[_of(f"{a}{b}") for a in ("True", "False") for b in ("Positives", "Negatives")]),
    _binary("auc", _of("AUC"), _of("AUC", curve="PR", name="pr"), _of("AUC", num_thresholds=7, name="few"),
            _of("AUC", thresholds=[0.4, 0.6], name="given")),
    _binary("auc_summations", *[_of("AUC", curve=curve, summation_method=method, name=f"{curve}_{method}")
                                for curve in ("ROC", "PR", "PRGAIN") for method in ("minoring", "majoring")]),
    _binary("auc_several", _of("AUC", name="together"), _of("AUC", multi_label=True, name="apart"),
            _of("AUC", multi_label=True, num_labels=3, label_weights=[1.0, 2.0, 0.5], name="weighed"),
            y="several", units=3),
    _binary("best_points", _of("SensitivityAtSpecificity", specificity=0.6),
            _of("SpecificityAtSensitivity", sensitivity=0.6), _of("PrecisionAtRecall", recall=0.4),
            _of("RecallAtPrecision", precision=0.7),
            _of("RecallAtPrecision", precision=0.7, num_thresholds=5, name="few")),
    _binary("binary_iou", _of("BinaryIoU"), _of("BinaryIoU", target_class_ids=[1], threshold=0.3, name="ones")),
    _binary("f1_soft_threshold", _of("FBetaScore", beta=0.5, threshold=0.45, average="micro"), y="several", units=3),
    _classes("auc_classes", _of("AUC"), _of("AUC", multi_label=True, name="apart")),
    _classes("iou", _of("OneHotIoU", num_classes=3, target_class_ids=[0, 2]), _of("OneHotMeanIoU", num_classes=3)),
    _classes("iou_sparse", _of("MeanIoU", num_classes=3, sparse_y_pred=False),
             _of("IoU", num_classes=3, target_class_ids=[1], sparse_y_pred=False, ignore_class=0, name="but_0"),
             y="labels"),
    _real("correlation", _of("PearsonCorrelation"), _of("ConcordanceCorrelation"), _of("CosineSimilarity")),
    _real("losses_as_metrics", *[_of(kind) for kind in ("LogCoshError", "MeanAbsolutePercentageError", "Hinge",
                                                        "SquaredHinge", "CategoricalHinge")]),
    _binary("accuracy_binary", _is("accuracy")),
    _binary("acc", _is("acc")),
    _binary("accuracy_several", lambda k: k.metrics.CategoricalAccuracy(name="accuracy"), y="several", units=3),
    _binary("binary_accuracy", _is("binary_accuracy"),
            lambda k: k.metrics.BinaryAccuracy(threshold=0.4, name="at_0.4")),
    _binary("precision_recall", lambda k: k.metrics.Precision(), lambda k: k.metrics.Recall()),
    _binary("precision_recall_threshold", lambda k: k.metrics.Precision(thresholds=0.6),
            lambda k: k.metrics.Recall(thresholds=0.4)),
    _binary("precision_recall_thresholds", lambda k: k.metrics.Precision(thresholds=[0.3, 0.5, 0.7]),
            lambda k: k.metrics.Recall(thresholds=[0.3, 0.5, 0.7])),
    _binary("f1_binary", lambda k: k.metrics.F1Score(threshold=0.5)),
    _binary("two_of_a_kind", _is("accuracy"), _is("mae"), lambda k: k.metrics.Precision(), _is("mse")),
    _classes("accuracy_categorical", _is("accuracy")),
    _classes("accuracy_sparse", _is("accuracy"), y="labels"),
    _classes("categorical_accuracy", _is("categorical_accuracy"),
             lambda k: k.metrics.CategoricalAccuracy(name="again")),
    _classes("sparse_categorical_accuracy", _is("sparse_categorical_accuracy"), y="labels"),
    _classes("top_k", lambda k: k.metrics.TopKCategoricalAccuracy(k=2), _is("top_k_categorical_accuracy"),
             repeats=True),
    _classes("sparse_top_k", lambda k: k.metrics.SparseTopKCategoricalAccuracy(k=2), y="labels"),
    _classes("precision_recall_classes", lambda k: k.metrics.Precision(), lambda k: k.metrics.Recall()),
    *[_classes(f"f1_{average}", lambda k, average=average: k.metrics.F1Score(average=average))
      for average in (None, "micro", "macro", "weighted")],
    *[_classes(f"f1_{average}_threshold", lambda k, average=average: k.metrics.F1Score(average=average, threshold=0.4))
      for average in (None, "micro", "macro", "weighted")],
    _real("mse_mae_rmse", _is("mse"), _is("mae"), lambda k: k.metrics.RootMeanSquaredError()),
    _real("long_names", _is("mean_squared_error"), _is("mean_absolute_error"),
          lambda k: k.metrics.MeanSquaredError(name="error"), lambda k: k.metrics.MeanAbsoluteError(), repeats=True),
    _real("r2", lambda k: k.metrics.R2Score()),
    _real("r2_variance_weighted", lambda k: k.metrics.R2Score(class_aggregation="variance_weighted_average")),
    _real("r2_per_output", lambda k: k.metrics.R2Score(class_aggregation=None)),
]
_VALIDATION = (X[3:16], TARGETS["labels"][3:16])
_WEIGHTED = {"sample_weight": SAMPLE_WEIGHT}


def _validated(name: str, fit: dict[str, Any], **more: Any) -> Case:
    return Case(name, lambda k: net(k, "softmax"),
                lambda k: {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **more}, "labels",
                fit=fit, evaluate=_WEIGHTED if "sample_weight" in fit else {})


CASES += [
    _validated("validation_split", {"validation_split": 0.3}),
    _validated("validation_data", {"validation_data": _VALIDATION}),
    _validated("validation_batch_size", {"validation_data": _VALIDATION, "validation_batch_size": 5}),
    _validated("validation_freq", {"validation_data": _VALIDATION, "validation_freq": 2}),
    _validated("validation_weights", {"validation_data": (*_VALIDATION, SAMPLE_WEIGHT[3:16])},
               weighted_metrics=["sparse_categorical_accuracy"]),
    _validated("validation_split_weights", {"validation_split": 0.25, **_WEIGHTED},
               weighted_metrics=["sparse_categorical_accuracy"]),
    replace(_validated("weighted_metrics_same_name", _WEIGHTED, weighted_metrics=["accuracy"]), repeats=True),
    _validated("weighted_metrics_without_weights", {"validation_split": 0.25},
               weighted_metrics=["sparse_categorical_accuracy"]),
    _validated("class_weight_and_metrics", {"class_weight": {0: 0.5, 1: 2.0, 2: 1.5}, "validation_split": 0.25},
               weighted_metrics=["sparse_categorical_accuracy"]),
    _validated("more_epochs_from_2", {"epochs": 5, "initial_epoch": 2}),
    Case("weighted_confusion", lambda k: net(k, "softmax"),
         lambda k: dict(loss="categorical_crossentropy", weighted_metrics=[
             k.metrics.Precision(), k.metrics.Recall(), k.metrics.F1Score(average="macro"),
             k.metrics.F1Score(average="macro", threshold=0.4, name="f1_at_0.4"), "accuracy"]),
         "onehot", fit=_WEIGHTED, evaluate=_WEIGHTED),
    Case("weighted_curves", lambda k: net(k, "sigmoid", 1), lambda k: dict(
        loss="binary_crossentropy", weighted_metrics=[
            k.metrics.AUC(), k.metrics.AUC(curve="PR", name="pr"), k.metrics.TruePositives(),
            k.metrics.PrecisionAtRecall(0.5), k.metrics.BinaryIoU(dtype="float32")]),
         "binary", fit=_WEIGHTED, evaluate=_WEIGHTED),
    Case("weighted_regression", net, lambda k: dict(weighted_metrics=[
        "mse", "mae", k.metrics.RootMeanSquaredError(), k.metrics.R2Score()]), fit=_WEIGHTED, evaluate=_WEIGHTED),
    Case("rank_1_targets", lambda k: net(k, "sigmoid", 1),
         lambda k: dict(loss="binary_crossentropy", metrics=["accuracy"]), "rank_1"),
]

ROWS: list[Row] = [
    ("MeanSquaredError", {}, "yt", "yp"),
    ("MeanAbsoluteError", {}, "yt", "yp"),
    ("MeanAbsolutePercentageError", {}, "yt", "yp"),
    ("MeanSquaredLogarithmicError", {}, "yt", "yp"),
    ("RootMeanSquaredError", {}, "yt", "yp"),
    ("LogCoshError", {}, "yt", "yp"),
    ("Poisson", {}, "yt", "yp"),
    ("KLDivergence", {}, "yt", "yp"),
    ("CosineSimilarity", {}, "yt", "yp"),
    ("R2Score", {}, "yt", "yp"),
    ("R2Score", {"class_aggregation": None}, "yt", "yp"),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, "yt", "yp"),
    ("R2Score", {"num_regressors": 2}, "yt", "yp"),
    ("Accuracy", {}, "bt", "oh"),
    ("BinaryAccuracy", {}, "bt", "bp"),
    ("BinaryAccuracy", {"threshold": 0.3}, "bt", "bp"),
    ("CategoricalAccuracy", {}, "oh", "bp"),
    ("SparseCategoricalAccuracy", {}, "lab", "bp"),
    ("TopKCategoricalAccuracy", {"k": 2}, "oh", "bp"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "lab", "bp"),
    ("Precision", {}, "bt", "bp"),
    ("Precision", {"thresholds": 0.3}, "bt", "bp"),
    ("Precision", {"thresholds": [0.2, 0.5, 0.9]}, "bt", "bp"),
    ("Precision", {"class_id": 1}, "bt", "bp"),
    ("Recall", {}, "bt", "bp"),
    ("Recall", {"thresholds": 0.3}, "bt", "bp"),
    ("Recall", {"thresholds": [0.2, 0.5, 0.9]}, "bt", "bp"),
    ("Recall", {"class_id": 1}, "bt", "bp"),
    *[(kind, arguments, "bt", "bp") for kind in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
      for arguments in ({}, {"thresholds": 0.3}, {"thresholds": [0.5, 0.9, 0.2]})],
    *[("AUC", {"curve": curve, "summation_method": method}, "bt", "bp") for curve in ("ROC", "PR", "PRGAIN")
      for method in ("interpolation", "minoring", "majoring")],
    ("AUC", {"num_thresholds": 4}, "bt", "bp"),
    ("AUC", {"thresholds": [0.6, 0.35]}, "bt", "bp"),
    ("AUC", {"thresholds": [0.5], "curve": "PR"}, "bt", "bp"),
    ("AUC", {"multi_label": True}, "bt", "bp"),
    ("AUC", {"multi_label": True, "label_weights": [1.0, 0.5, 3.0], "curve": "PR"}, "bt", "bp"),
    ("AUC", {"label_weights": [1.0, 0.5, 3.0]}, "bt", "bp"),
    ("AUC", {"from_logits": True}, "bt", "logit"),
    *[(kind, {argument: value, **more}, "bt", "bp")
      for kind, argument in [("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
                             ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision")]
      for value, more in [(0.5, {}), (0.9, {"num_thresholds": 20}), (0.3, {"num_thresholds": 1}),
                          (0.7, {"class_id": 1})]],
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2], "sparse_y_pred": False, "dtype": "float32"}, "lab", "bp"),
    ("IoU", {"num_classes": 3, "target_class_ids": [1], "sparse_y_pred": False, "ignore_class": 0, "dtype": "float32"},
     "lab", "bp"),
    ("MeanIoU", {"num_classes": 3, "sparse_y_pred": False, "dtype": "float32"}, "lab", "bp"),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 2], "dtype": "float32"}, "oh", "bp"),
    ("OneHotMeanIoU", {"num_classes": 3, "dtype": "float32"}, "oh", "bp"),
    ("BinaryIoU", {"dtype": "float32"}, "yes", "chance"),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.33, "dtype": "float32"}, "yes", "chance"),
    ("PearsonCorrelation", {}, "yt", "yp"),
    ("ConcordanceCorrelation", {}, "yt", "yp"),
    ("CosineSimilarity", {"axis": 1}, "yt", "yp"),
    ("F1Score", {"average": None, "threshold": 0.5}, "bt", "bp"),
    ("F1Score", {"average": None}, "oh", "bp"),
    ("F1Score", {"average": "micro", "threshold": 0.5}, "bt", "bp"),
    ("F1Score", {"average": "micro"}, "oh", "bp"),
    ("F1Score", {"average": "macro", "threshold": 0.5}, "bt", "bp"),
    ("F1Score", {"average": "macro"}, "oh", "bp"),
    ("F1Score", {"average": "weighted", "threshold": 0.5}, "bt", "bp"),
    ("F1Score", {"average": "weighted"}, "oh", "bp"),
    ("FBetaScore", {"beta": 2.0, "threshold": 0.4}, "bt", "bp"),
    ("FBetaScore", {"beta": 0.5, "threshold": 0.4, "average": "weighted"}, "soft", "bp"),
    ("BinaryCrossentropy", {}, "bt", "bp"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "bt", "logit"),
    ("CategoricalCrossentropy", {}, "oh", "bp"),
    ("SparseCategoricalCrossentropy", {}, "lab", "bp"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "lab", "bp"),
    ("Hinge", {}, "bt", "logit"),
    ("SquaredHinge", {}, "bt", "logit"),
    ("CategoricalHinge", {}, "oh", "logit"),
]


def called(k: Any, row: Row) -> dict[str, Any]:
    """Its name, and its result after an update with three rows and one with the fourth, without and with weights."""
    kind, arguments, y_true, y_pred = row
    found: dict[str, Any] = {}
    for key, weights in (("plain", None), ("weighted", array("w"))):
        metric = getattr(k.metrics, kind)(**arguments)
        for rows in (slice(0, 3), slice(3, 4)):
            metric.update_state(array(y_true)[rows], array(y_pred)[rows], None if weights is None else weights[rows])
        found[key] = numbers(metric.result())
        found.setdefault("name", metric.name.rstrip("_0123456789"))      # Keras counts: precision, precision_1, …
    return found


VALUES = {label(row): lambda k, row=row: called(k, row) for row in ROWS}
