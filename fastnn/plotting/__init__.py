"""Floor 5. Pictures: how training went, how a network is built and what it weighs, what it sees inside, what a
classifier decides and where it errs, and the functions that it is made of.

Every function returns a matplotlib Figure and, given `path`, saves it (PNG, SVG or PDF by its ending). Nothing opens
a window; matplotlib is imported when something is drawn, and pyplot never.
"""

import sys

from fastnn.frames import entrances
from fastnn.plotting._figure import subplots
from fastnn.plotting.attention import attention_maps
from fastnn.plotting.classifiers import (
    decision_boundary,
    digits_grid,
)
from fastnn.plotting.confusion import (
    confusion_counts,
    confusion_matrix,
)
from fastnn.plotting.curves import (
    learning_rate_curve,
    loss_curves,
)
from fastnn.plotting.functions import (
    activation_functions,
    losses,
    step_and_sigmoid,
)
from fastnn.plotting.gradients import gradient_sizes
from fastnn.plotting.hidden import (
    activations,
    dead_units,
    hidden_space,
)
from fastnn.plotting.images import (
    feature_maps,
    filters,
    image_rows,
)
from fastnn.plotting.network import plot_model
from fastnn.plotting.neurons import (
    network,
    neuron,
)
from fastnn.plotting.numbers import (
    curve_fits,
    predicted_against_true,
    probabilities,
    weight_histogram,
)
from fastnn.plotting.worth import (
    classification_report,
    roc_curve,
)

__all__ = [
    "activation_functions",
    "activations",
    "attention_maps",
    "classification_report",
    "confusion_counts",
    "confusion_matrix",
    "curve_fits",
    "dead_units",
    "decision_boundary",
    "digits_grid",
    "feature_maps",
    "filters",
    "gradient_sizes",
    "hidden_space",
    "image_rows",
    "learning_rate_curve",
    "loss_curves",
    "losses",
    "network",
    "neuron",
    "plot_model",
    "predicted_against_true",
    "probabilities",
    "roc_curve",
    "step_and_sigmoid",
    "subplots",
    "weight_histogram",
]


def __dir__() -> list[str]:
    return sorted(__all__)

entrances(sys.modules[__name__])
