"""Cases of the cross-entropies."""

import numpy as np

from tests.cases._case import Case, floats
from tests.cases.loss import DY, DY_BAD, PAIR_BAD


def saturated(arrays):
    """Probabilities at, beyond and next to the limits of clipping."""
    p = arrays["y_pred"].reshape(-1)
    edges = np.array([0, 1, 1e-8, 1e-7, 1 - 1e-7, -0.5, 1.5, 1 - 2 ** -24], np.float32)
    p[::2] = np.resize(edges, p[::2].size)


def sum_1(arrays):
    """Probabilities as a softmax gives them."""
    p = arrays["probabilities"]
    arrays["probabilities"] = (p / p.sum(axis=-1, keepdims=True)).astype(np.float32)


T, X = floats("b", "c", low=0, high=1), floats("b", "c", low=-6, high=6)
P = floats("b", "c", low=0.05, high=0.95)
ONE_HOT_BAD = [(dict(y_true=(32,), y_pred=(32, 10)), "use sparse_categorical_crossentropy or one-hot"),
               (dict(y_true=(32, 9), y_pred=(32, 10)), "10"),
               (dict(y_true=(), y_pred=()), "at least 1")]

CASES = [
    Case("binary_crossentropy", y_true=T, y_pred=P, smoothing=0.0, bad=PAIR_BAD),
    Case("binary_crossentropy", y_true=floats("b", 1, low=0, high=1), y_pred=floats("b", 1, low=0.05, high=0.95),
         smoothing=0.1),
    Case("binary_crossentropy", y_true=T, y_pred=P, smoothing=0.2, fix=saturated, grad=False),
    Case("binary_crossentropy_grad", dy=DY, y_true=T, y_pred=P, smoothing=0.0, fix=saturated, bad=DY_BAD),
    Case("binary_crossentropy_grad", dy=DY, y_true=T, y_pred=P, smoothing=0.1),
    Case("sigmoid_crossentropy", y_true=T, logits=X, smoothing=0.0,
         bad=[(dict(y_true=(32,), logits=(32, 1)), "reshape y_true to (32, 1)")]),
    Case("sigmoid_crossentropy", y_true=T, logits=floats("b", "c", low=-120, high=120), smoothing=0.1),
    Case("sigmoid_crossentropy_grad", dy=DY, y_true=T, logits=X, smoothing=0.1,
         bad=[(dict(dy=(2, 1), y_true=(2, 3), logits=(2, 3)), "reshape dy to (2,)")]),
    Case("categorical_crossentropy", y_true=T, y_pred=P, smoothing=0.0, bad=ONE_HOT_BAD),
    Case("categorical_crossentropy", y_true=T, y_pred=P, smoothing=0.1),
    Case("categorical_crossentropy_grad", dy=DY, y_true=T, y_pred=P, smoothing=0.0, bad=DY_BAD),
    Case("categorical_crossentropy_grad", dy=DY, y_true=T, y_pred=P, smoothing=0.1),
    Case("softmax_crossentropy", y_true=T, logits=X, smoothing=0.0,
         bad=[(dict(y_true=(32,), logits=(32, 10)), "use sparse_softmax_crossentropy")]),
    Case("softmax_crossentropy", y_true=T, logits=floats("b", "c", low=-100, high=100), smoothing=0.1),
    Case("softmax_crossentropy_grad", dy=DY, y_true=T, probabilities=P, smoothing=0.1, fix=sum_1,
         bad=[(dict(dy=(2, 3), y_true=(2, 3), probabilities=(2, 3)), "reshape dy to (2,)")]),
]
