"""Cases of the cross-entropies of class numbers."""

import numpy as np

from tests.cases._case import Case, floats, ints
from tests.cases.crossentropy import P, X, saturated, sum_1
from tests.cases.loss import DY


def _invalid(arrays):
    """Labels that are no class, and class 0, which is ignored."""
    labels = arrays["labels"].reshape(-1)
    labels[::3] = np.resize(np.array([0, -1, 2 ** 30, -2 ** 31], np.int32), labels[::3].size)


LABELS = ints("b", high="c")
LABEL_BAD = [(dict(labels=(32, 1), y_pred=(32, 10)), "reshape labels to (32,)"),
             (dict(labels=(32, 10), y_pred=(32, 10)), "use categorical_crossentropy"),
             (dict(labels=(31,), y_pred=(32, 10)), "one label per row")]

CASES = [
    Case("sparse_categorical_crossentropy", labels=LABELS, y_pred=P, ignore=-1, bad=LABEL_BAD),
    Case("sparse_categorical_crossentropy", labels=LABELS, y_pred=P, ignore=0),
    Case("sparse_categorical_crossentropy", labels=LABELS, y_pred=P, ignore=1, fix=saturated, grad=False),
    Case("sparse_categorical_crossentropy", labels=ints("b", high=4), y_pred=floats("b", 4, low=0.1, high=0.9),
         ignore=0, fix=_invalid, grad=False),
    Case("sparse_categorical_crossentropy_grad", dy=DY, labels=LABELS, y_pred=P, ignore=0, fix=saturated,
         bad=[(dict(dy=(2, 3), labels=(2,), y_pred=(2, 3)), "reshape dy to (2,)")]),
    Case("sparse_softmax_crossentropy", labels=LABELS, logits=X, ignore=-1,
         bad=[(dict(labels=(32, 10), logits=(32, 10)), "use softmax_crossentropy")]),
    Case("sparse_softmax_crossentropy", labels=LABELS, logits=floats("b", "c", low=-100, high=100), ignore=0),
    Case("sparse_softmax_crossentropy", labels=ints("b", high=4), logits=floats("b", 4), ignore=0, fix=_invalid,
         grad=False),
    Case("sparse_softmax_crossentropy", labels=ints("b", 3, high=19), logits=floats("b", 3, 19), ignore=-1),
    Case("sparse_softmax_crossentropy_grad", dy=DY, labels=LABELS, probabilities=P, ignore=0, fix=sum_1,
         bad=[(dict(dy=(2, 3), labels=(2,), probabilities=(2, 3)), "reshape dy to (2,)")]),
    Case("sparse_softmax_crossentropy_grad", dy=DY, labels=ints("b", high=4),
         probabilities=floats("b", 4, low=0, high=1), ignore=0, fix=_invalid),
]
