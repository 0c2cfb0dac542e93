"""Floor 5. Pictures: how training went, how a network is built, what a classifier
decides, where it errs, what a convolution sees, and the activation functions.

Every function returns a matplotlib Figure and, given `path`, saves it (PNG, SVG or PDF by its ending). Nothing opens
a window; matplotlib is imported when something is drawn, and pyplot never.
"""

from fastnn.plotting.classifiers import (
    confusion_counts,
    confusion_matrix,
    decision_boundary,
    digits_grid,
)
from fastnn.plotting.curves import (
    activation_functions,
    learning_rate_curve,
    loss_curves,
)
from fastnn.plotting.images import (
    feature_maps,
    filters,
    image_rows,
)
from fastnn.plotting.network import plot_model
from fastnn.plotting.worth import (
    classification_report,
    roc_curve,
)

__all__ = [
    "activation_functions",
    "classification_report",
    "confusion_counts",
    "confusion_matrix",
    "decision_boundary",
    "digits_grid",
    "feature_maps",
    "filters",
    "image_rows",
    "learning_rate_curve",
    "loss_curves",
    "plot_model",
    "roc_curve",
]


def __dir__() -> list[str]:
    return sorted(__all__)
