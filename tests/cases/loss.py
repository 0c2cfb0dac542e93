"""Cases of the losses of independent terms."""

import numpy as np

from tests.cases._case import Case, floats


def _apart(arrays):
    """Predictions at least 0.05 away from the targets, where |y_pred - y_true| has a kink."""
    y = arrays["y_true"]
    x = arrays["y_pred"]
    arrays["y_pred"] = np.where(np.abs(x - y) < 0.05, y + 0.1, x).astype(np.float32)


DY = floats("b")
PAIR_BAD = [(dict(y_true=(32,), y_pred=(32, 1)), "reshape y_true to (32, 1)"),
            (dict(y_true=(32, 1), y_pred=(32,)), "reshape y_pred to (32, 1)"),
            (dict(y_true=(3, 2), y_pred=(2, 3)), "(2, 3)")]
DY_BAD = [(dict(dy=(32, 10), y_true=(32, 10), y_pred=(32, 10)), "reshape dy to (32,)")]

CASES = [
    Case("mean_squared_error", y_true=floats("b", "c"), y_pred=floats("b", "c"), bad=PAIR_BAD),
    Case("mean_squared_error", y_true=floats("b", "h", 3), y_pred=floats("b", "h", 3)),
    Case("mean_squared_error", y_true=floats(3, 1100), y_pred=floats(3, 1100), grad=False),
    Case("mean_squared_error", y_true=floats("c"), y_pred=floats("c")),
    Case("mean_squared_error_grad", dy=DY, y_true=floats("b", "c"), y_pred=floats("b", "c"), bad=DY_BAD),
    Case("mean_absolute_error", y_true=floats("b", "c"), y_pred=floats("b", "c"), fix=_apart, bad=PAIR_BAD),
    Case("mean_absolute_error_grad", dy=DY, y_true=floats("b", "c"), y_pred=floats("b", "c"), bad=DY_BAD),
]
