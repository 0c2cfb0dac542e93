"""Cases of the losses."""

import numpy as np

from tests.cases._case import Case, floats, ints


def _apart(arrays):
    """Predictions at least 0.05 away from the targets, where |y_pred - y_true| has a kink."""
    y = arrays["y_true"]
    x = arrays["y_pred"]
    arrays["y_pred"] = np.where(np.abs(x - y) < 0.05, y + 0.1, x).astype(np.float32)


def _saturated(arrays):
    """Probabilities at, beyond and next to the limits of clipping."""
    p = arrays["y_pred"].reshape(-1)
    edges = np.array([0, 1, 1e-8, 1e-7, 1 - 1e-7, -0.5, 1.5, 1 - 2 ** -24], np.float32)
    p[::2] = np.resize(edges, p[::2].size)


def _invalid(arrays):
    """Labels that are no class, and class 0, which is ignored."""
    labels = arrays["labels"].reshape(-1)
    labels[::3] = np.resize(np.array([0, -1, 2 ** 30, -2 ** 31], np.int32), labels[::3].size)


def _sum_1(arrays):
    """Probabilities as a softmax gives them."""
    p = arrays["probabilities"]
    arrays["probabilities"] = (p / p.sum(axis=-1, keepdims=True)).astype(np.float32)


T, X, DY = floats("b", "c", low=0, high=1), floats("b", "c", low=-6, high=6), floats("b")
P = floats("b", "c", low=0.05, high=0.95)
LABELS = ints("b", high="c")
ONE_HOT_BAD = [(dict(y_true=(32,), y_pred=(32, 10)), "use sparse_categorical_crossentropy or one-hot"),
               (dict(y_true=(32, 9), y_pred=(32, 10)), "10"),
               (dict(y_true=(), y_pred=()), "at least 1")]
PAIR_BAD = [(dict(y_true=(32,), y_pred=(32, 1)), "reshape y_true to (32, 1)"),
            (dict(y_true=(32, 1), y_pred=(32,)), "reshape y_pred to (32, 1)"),
            (dict(y_true=(3, 2), y_pred=(2, 3)), "(2, 3)")]
LABEL_BAD = [(dict(labels=(32, 1), y_pred=(32, 10)), "reshape labels to (32,)"),
             (dict(labels=(32, 10), y_pred=(32, 10)), "use categorical_crossentropy"),
             (dict(labels=(31,), y_pred=(32, 10)), "one label per row")]
DY_BAD = [(dict(dy=(32, 10), y_true=(32, 10), y_pred=(32, 10)), "reshape dy to (32,)")]

CASES = [
    Case("mean_squared_error", y_true=floats("b", "c"), y_pred=floats("b", "c"), bad=PAIR_BAD),
    Case("mean_squared_error", y_true=floats("b", "h", 3), y_pred=floats("b", "h", 3)),
    Case("mean_squared_error", y_true=floats(3, 1100), y_pred=floats(3, 1100), grad=False),
    Case("mean_squared_error", y_true=floats("c"), y_pred=floats("c")),
    Case("mean_squared_error_grad", dy=DY, y_true=floats("b", "c"), y_pred=floats("b", "c"), bad=DY_BAD),
    Case("mean_absolute_error", y_true=floats("b", "c"), y_pred=floats("b", "c"), fix=_apart, bad=PAIR_BAD),
    Case("mean_absolute_error_grad", dy=DY, y_true=floats("b", "c"), y_pred=floats("b", "c"), bad=DY_BAD),
    Case("binary_crossentropy", y_true=T, y_pred=P, smoothing=0.0, bad=PAIR_BAD),
    Case("binary_crossentropy", y_true=floats("b", 1, low=0, high=1), y_pred=floats("b", 1, low=0.05, high=0.95),
         smoothing=0.1),
    Case("binary_crossentropy", y_true=T, y_pred=P, smoothing=0.2, fix=_saturated, grad=False),
    Case("binary_crossentropy_grad", dy=DY, y_true=T, y_pred=P, smoothing=0.0, fix=_saturated, bad=DY_BAD),
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
    Case("softmax_crossentropy_grad", dy=DY, y_true=T, probabilities=P, smoothing=0.1, fix=_sum_1,
         bad=[(dict(dy=(2, 3), y_true=(2, 3), probabilities=(2, 3)), "reshape dy to (2,)")]),
    Case("sparse_categorical_crossentropy", labels=LABELS, y_pred=P, ignore=-1, bad=LABEL_BAD),
    Case("sparse_categorical_crossentropy", labels=LABELS, y_pred=P, ignore=0),
    Case("sparse_categorical_crossentropy", labels=LABELS, y_pred=P, ignore=1, fix=_saturated, grad=False),
    Case("sparse_categorical_crossentropy", labels=ints("b", high=4), y_pred=floats("b", 4, low=0.1, high=0.9),
         ignore=0, fix=_invalid, grad=False),
    Case("sparse_categorical_crossentropy_grad", dy=DY, labels=LABELS, y_pred=P, ignore=0, fix=_saturated,
         bad=[(dict(dy=(2, 3), labels=(2,), y_pred=(2, 3)), "reshape dy to (2,)")]),
    Case("sparse_softmax_crossentropy", labels=LABELS, logits=X, ignore=-1,
         bad=[(dict(labels=(32, 10), logits=(32, 10)), "use softmax_crossentropy")]),
    Case("sparse_softmax_crossentropy", labels=LABELS, logits=floats("b", "c", low=-100, high=100), ignore=0),
    Case("sparse_softmax_crossentropy", labels=ints("b", high=4), logits=floats("b", 4), ignore=0, fix=_invalid,
         grad=False),
    Case("sparse_softmax_crossentropy", labels=ints("b", 3, high=19), logits=floats("b", 3, 19), ignore=-1),
    Case("sparse_softmax_crossentropy_grad", dy=DY, labels=LABELS, probabilities=P, ignore=0, fix=_sum_1,
         bad=[(dict(dy=(2, 3), labels=(2,), probabilities=(2, 3)), "reshape dy to (2,)")]),
    Case("sparse_softmax_crossentropy_grad", dy=DY, labels=ints("b", high=4),
         probabilities=floats("b", 4, low=0, high=1), ignore=0, fix=_invalid),
]
