"""Which way a measured number should go, told by its name. Imports nothing of fastnn."""

import re

_RISING = ("acc", "accuracy", "auc", "precision", "recall", "score", "cosine_similarity", "iou", "io_u",
           "true_positives", "true_negatives", "sensitivity", "specificity")
_FALLING = ("loss", "error", "mse", "mae", "mape", "msle", "rmse", "bce", "kld", "crossentropy", "divergence", "hinge",
            "poisson", "log_cosh", "logcosh", "false_positives", "false_negatives")


def direction(name: str) -> str:
    """"max" for accuracies and scores, "min" for losses and errors, "" where the name does not tell."""
    stem = "_" + re.sub(r"(_\d+|_end)$", "", name)
    for mode, words in (("max", _RISING), ("min", _FALLING)):
        if any(stem.endswith("_" + word) for word in words):
            return mode
    return ""
