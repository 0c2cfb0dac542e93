"""Every loss, its options and reductions, and weights of samples, classes and outputs: trained, and called."""

from typing import Any

from tests.golden.common import SAMPLE_WEIGHT, Case, net
from tests.golden.direct import Row, array, label, numbers


def _loss(name: str, kind: str, y: str, head: str | None = None, units: int = 3, fit: dict[str, Any] | None = None,
          **settings: Any) -> Case:
    """A net with the loss class `kind`; fit's sample_weight goes to evaluate too."""
    weight = {key: value for key, value in (fit or {}).items() if key == "sample_weight"}
    return Case(f"loss_{name}", lambda k: net(k, head, units), lambda k: dict(loss=getattr(k.losses, kind)(**settings)),
                y, fit=fit or {}, evaluate=weight)


_BINARY, _CATEGORICAL, _SPARSE = "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"
_WEIGHTED = {"sample_weight": SAMPLE_WEIGHT}

CASES = [
    _loss("mse", "MeanSquaredError", "real"),
    _loss("mae", "MeanAbsoluteError", "real"),
    _loss("mape", "MeanAbsolutePercentageError", "parts", "sigmoid"),
    _loss("msle", "MeanSquaredLogarithmicError", "parts", "sigmoid"),
    _loss("huber", "Huber", "real", delta=0.5),
    _loss("log_cosh", "LogCosh", "real"),
    _loss("poisson", "Poisson", "positive", "exponential"),
    _loss("kl_divergence", "KLDivergence", "onehot", "softmax"),
    _loss("hinge", "Hinge", "signs", None, 1),
    _loss("squared_hinge", "SquaredHinge", "signs", None, 1),
    _loss("categorical_hinge", "CategoricalHinge", "onehot"),
    _loss("cosine_similarity", "CosineSimilarity", "real"),
    _loss("cosine_similarity_along_the_batch", "CosineSimilarity", "real", axis=0),
    _loss("binary_focal", "BinaryFocalCrossentropy", "binary", "sigmoid", 1, alpha=0.4, gamma=1.5),
    _loss("binary_focal_balanced", "BinaryFocalCrossentropy", "several", "sigmoid", apply_class_balancing=True,
          label_smoothing=0.1),
    _loss("binary_focal_not_from_sigmoid", "BinaryFocalCrossentropy", "several", "hard_sigmoid"),
    _loss("binary_focal_from_logits", "BinaryFocalCrossentropy", "several", from_logits=True, fit=_WEIGHTED),
    _loss("categorical_focal", "CategoricalFocalCrossentropy", "onehot", "softmax", fit=_WEIGHTED),
    _loss("categorical_focal_from_logits", "CategoricalFocalCrossentropy", "onehot", from_logits=True, gamma=0.5,
          alpha=0.7, label_smoothing=0.1),
    _loss("categorical_focal_not_from_softmax", "CategoricalFocalCrossentropy", "onehot", "softplus", gamma=3),
    _loss("generalized", "CategoricalGeneralizedCrossEntropy", "labels", "softmax"),
    _loss("generalized_weighted", "CategoricalGeneralizedCrossEntropy", "labels", "softmax", q=0.8, fit=_WEIGHTED),
    _loss("dice", "Dice", "several", "sigmoid"),
    _loss("dice_of_each", "Dice", "several", "sigmoid", axis=1, fit=_WEIGHTED),
    _loss("tversky", "Tversky", "several", "sigmoid", alpha=0.3, beta=0.7),
    _loss("tversky_of_each", "Tversky", "several", "sigmoid", axis=[1], reduction="sum", fit=_WEIGHTED),
    *[Case(f"loss_circle{name}", lambda k: net(k, "tanh"),
           lambda k, more=more: dict(loss=k.losses.Circle(gamma=8, **more), optimizer=k.optimizers.SGD(0.01)), "labels",
           fit=fit, evaluate=fit)
      for name, more, fit in [("", {}, {}), ("_itself_too", {"remove_diagonal": False, "margin": 0.2}, _WEIGHTED)]],
    Case("loss_ctc", lambda k: k.Sequential([net(k, units=15), k.layers.Reshape((5, 3))]),
         lambda k: dict(loss=k.losses.CTC()), "text", fit=_WEIGHTED, evaluate=_WEIGHTED),
    _loss("binary", _BINARY, "binary", "sigmoid", 1),
    _loss("binary_several_outputs", _BINARY, "several", "sigmoid"),
    _loss("binary_probabilities_not_from_sigmoid", _BINARY, "several", "hard_sigmoid"),
    _loss("binary_from_logits", _BINARY, "binary", None, 1, from_logits=True),
    _loss("binary_smoothing", _BINARY, "binary", "sigmoid", 1, label_smoothing=0.2),
    _loss("binary_from_logits_smoothing", _BINARY, "several", from_logits=True, label_smoothing=0.1),
    _loss("categorical", _CATEGORICAL, "onehot", "softmax"),
    _loss("categorical_probabilities_not_from_softmax", _CATEGORICAL, "onehot", "softplus"),
    _loss("categorical_from_logits", _CATEGORICAL, "onehot", from_logits=True),
    _loss("categorical_smoothing", _CATEGORICAL, "onehot", "softmax", label_smoothing=0.2),
    _loss("categorical_from_logits_smoothing", _CATEGORICAL, "onehot", from_logits=True, label_smoothing=0.1),
    _loss("sparse", _SPARSE, "labels", "softmax"),
    _loss("sparse_probabilities_not_from_softmax", _SPARSE, "labels", "softplus"),
    _loss("sparse_from_logits", _SPARSE, "labels", from_logits=True),
    _loss("sparse_ignore_class", _SPARSE, "labels", "softmax", ignore_class=2),
    _loss("sparse_from_logits_ignore_class", _SPARSE, "labels", from_logits=True, ignore_class=0),
    _loss("sparse_ignore_minus_1", _SPARSE, "labels_or_nothing", from_logits=True, ignore_class=-1),
    _loss("sparse_ignore_weighted", _SPARSE, "labels", from_logits=True, ignore_class=0, fit=_WEIGHTED),
    *[_loss(f"{loss}_{reduction}{'_weighted' if fit else ''}", kind, y, head, fit=fit, reduction=reduction)
      for loss, kind, y, head in [("mse", "MeanSquaredError", "real", None), ("sparse", _SPARSE, "labels", "softmax")]
      for reduction in ("sum", "sum_over_batch_size", "mean_with_sample_weight") for fit in ({}, _WEIGHTED)],
    _loss("binary_weighted", _BINARY, "binary", "sigmoid", 1, fit=_WEIGHTED),
    _loss("categorical_weighted", _CATEGORICAL, "onehot", "softmax", fit=_WEIGHTED),
    _loss("sparse_class_weight", _SPARSE, "labels", "softmax", fit={"class_weight": {0: 0.5, 1: 2.0, 2: 1.5}}),
    _loss("categorical_class_weight", _CATEGORICAL, "onehot", "softmax",
          fit={"class_weight": {0: 0.5, 1: 2.0, 2: 1.0}}),
    _loss("binary_class_weight", _BINARY, "binary", "sigmoid", 1, fit={"class_weight": {0: 3.0, 1: 0.7}}),
]
CASES += [Case(f"loss_named_{name}", lambda k, head=head, units=units: net(k, head, units),
               lambda k, name=name: dict(loss=name), y)
          for name, y, head, units in [
              ("mae", "real", None, 3), ("mean_squared_error", "real", None, 3),
              ("binary_crossentropy", "binary", "sigmoid", 1), ("categorical_crossentropy", "onehot", "softmax", 3),
              ("sparse_categorical_crossentropy", "labels", "softmax", 3)]]


def _two_outputs(k: Any) -> Any:
    inputs = k.Input((6,))
    hidden = k.layers.Dense(4, activation="tanh", name="hidden")(inputs)
    return k.Model(inputs, [k.layers.Dense(3, name="amounts")(hidden),
                            k.layers.Dense(1, activation="sigmoid", name="yes")(hidden)])


_BOTH = ["mse", "binary_crossentropy"]
_TWO = [
    Case("two_outputs", _two_outputs, lambda k: dict(loss=_BOTH), ("real", "binary")),
    Case("two_outputs_one_loss", _two_outputs, lambda k: dict(loss="mse"), ("real", "binary")),
    Case("two_outputs_weights", _two_outputs, lambda k: dict(loss=_BOTH, loss_weights=[0.3, 2.0]), ("real", "binary")),
    Case("two_outputs_dicts", _two_outputs,
         lambda k: dict(loss={"yes": "binary_crossentropy", "amounts": "mae"},
                        loss_weights={"yes": 0.25, "amounts": 1.5}), ("real", "binary")),
    Case("two_outputs_metrics", _two_outputs,
         lambda k: dict(loss=_BOTH, metrics=[["mae"], ["accuracy", "mae"]]), ("real", "binary")),
    Case("two_outputs_metrics_dict", _two_outputs,
         lambda k: dict(loss=_BOTH, metrics={"yes": ["accuracy"]}), ("real", "binary"), fit={"validation_split": 0.25}),
    Case("two_outputs_sample_weight", _two_outputs,
         lambda k: dict(loss=_BOTH, loss_weights=[1.0, 0.5], weighted_metrics=[["mae"], ["accuracy"]]),
         ("real", "binary"), fit=_WEIGHTED),
]
for _case in _TWO:
    _case.eager = True
CASES += _TWO

REDUCTIONS = ("none", "sum", "sum_over_batch_size", "mean_with_sample_weight")
ROWS: list[Row] = [
    ("MeanSquaredError", {}, "yt", "yp"),
    ("MeanAbsoluteError", {}, "yt", "yp"),
    ("MeanAbsolutePercentageError", {}, "yt", "yp"),
    ("MeanSquaredLogarithmicError", {}, "yt", "yp"),
    ("Huber", {}, "yt", "yp"),
    ("LogCosh", {}, "yt", "yp"),
    ("Poisson", {}, "yt", "yp"),
    ("KLDivergence", {}, "yt", "yp"),
    ("CosineSimilarity", {}, "yt", "yp"),
    ("Huber", {"delta": 0.5}, "yt", "yp"),
    ("CosineSimilarity", {"axis": 1}, "yt", "yp"),
    ("Hinge", {}, "bt", "logit"),
    ("SquaredHinge", {}, "bt", "logit"),
    ("CategoricalHinge", {}, "oh", "logit"),
    ("KLDivergence", {}, "bt", "bp"),
    ("BinaryCrossentropy", {}, "bt", "bp"),
    ("BinaryCrossentropy", {"from_logits": True}, "bt", "logit"),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, "bt", "bp"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "bt", "logit"),
    ("BinaryCrossentropy", {}, "bt", "bt"),
    ("BinaryFocalCrossentropy", {}, "bt", "bp"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.6, "gamma": 0.5}, "bt", "bp"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.2, "gamma": 3}, "bt", "logit"),
    ("CategoricalFocalCrossentropy", {}, "oh", "bp"),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 1.5, "alpha": 0.6}, "oh", "logit"),
    ("CategoricalFocalCrossentropy", {"label_smoothing": 0.1, "gamma": 0}, "oh", "bp"),
    ("CategoricalGeneralizedCrossEntropy", {}, "lab", "bp"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.9}, "lab", "bp"),
    ("Dice", {}, "bt", "bp"),
    ("Dice", {"axis": 1}, "bt", "bp"),
    ("Tversky", {"alpha": 0.2, "beta": 0.9}, "bt", "bp"),
    ("Tversky", {"axis": [1]}, "soft", "bp"),
    ("Circle", {}, "lab", "unit"),
    ("Circle", {"gamma": 4.0, "margin": 0.1, "remove_diagonal": False}, "lab", "unit"),
    ("CTC", {}, "text", "steps"),
    ("CategoricalCrossentropy", {}, "oh", "bp"),
    ("CategoricalCrossentropy", {"from_logits": True}, "oh", "logit"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "oh", "bp"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "oh", "logit"),
    ("SparseCategoricalCrossentropy", {}, "lab", "bp"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "lab", "logit"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0}, "lab", "bp"),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}, "lab", "logit"),
]


def called(k: Any, row: Row) -> dict[str, list[float]]:
    """The loss in each reduction, without and with sample weights."""
    kind, arguments, y_true, y_pred = row
    found = {}
    for reduction in REDUCTIONS:
        loss = getattr(k.losses, kind)(reduction=reduction, **arguments)
        found[reduction] = numbers(loss(array(y_true), array(y_pred)))
        if len(found["none"]) == 1:         # of all samples: weights of samples are refused
            continue
        found[f"{reduction} weighted"] = numbers(loss(array(y_true), array(y_pred), array("w")))
    return found


VALUES = {label(row): lambda k, row=row: called(k, row) for row in ROWS}
