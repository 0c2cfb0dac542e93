"""Finding: something that is wrong with a network, its data or its training; one wording for fit's warnings and the
doctor. Floor 3; imports nothing of fastnn."""

from typing import NamedTuple

# name: (chapter of the study guide, what it is about)
CHAPTERS: dict[str, tuple[int, str]] = {
    # ---- the data ----
    "refused": (52, "steps to build a network"),
    "inputs not scaled": (53, "standardize the features"),
    "constant inputs": (53, "preparing the data"),
    "duplicate inputs": (53, "preparing the data"),
    "ordered samples": (22, "training, validation and test set"),
    "other validation data": (22, "training, validation and test set"),
    "one class": (22, "evaluating"),
    "class imbalance": (22, "precision and recall"),
    "accuracy of a regression": (22, "metrics"),
    "targets out of range": (35, "choosing the activation of the output"),
    # ---- the network ----
    "output against loss": (35, "choosing the activation of the output"),
    "symmetric units": (7, "weights begin at random"),
    "loss at the start": (18, "loss functions"),
    "dropout too high": (25, "dropout"),
    "batch norm not settled": (16, "depth"),
    "dead units": (32, "ReLU"),
    "saturated units": (30, "sigmoid"),
    "vanishing gradient": (30, "sigmoid: vanishing gradients"),
    "exploding gradient": (39, "gradient descent"),
    "weights that never move": (37, "the steps of backpropagation"),
    "same answer for all": (28, "activation functions"),
    # ---- the training ----
    "not a number": (49, "convergence"),
    "learning rate too high": (49, "convergence"),
    "learning rate too low": (49, "convergence"),
    "overfitting": (26, "evaluating overfitting"),
    "underfitting": (24, "bias and variance"),
}


class Finding(NamedTuple):
    """name: of the illness; evidence: what was seen, with numbers; remedy: what to do. `str()` is one sentence."""
    name: str
    evidence: str
    remedy: str

    @property
    def chapter(self) -> int:
        """Of the study guide."""
        return CHAPTERS[self.name][0]

    @property
    def topic(self) -> str:
        """What that chapter says of it."""
        return CHAPTERS[self.name][1]

    def __str__(self) -> str:
        return f"{self.evidence}; {self.remedy}"
