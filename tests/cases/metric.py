"""Cases of the metrics."""

import numpy as np

from tests.cases._case import Case, floats, ints, scalar, wide


def _binary(arrays):
    """Targets of 0 and 1, and predictions that hit the threshold."""
    arrays["y_true"] = (arrays["y_true"] > 0).astype(np.float32)
    arrays["y_pred"].reshape(-1)[::5] = 0.5


def _ties(arrays):
    """Few different values, so that maxima tie; rows of zeros, NaN and infinity."""
    p = arrays["y_pred"] = np.round(arrays["y_pred"])
    p[::4] = 0
    p.reshape(-1)[7::31] = np.inf
    p.reshape(-1)[5::37] = np.nan
    if "y_true" in arrays:
        arrays["y_true"] = np.round(arrays["y_true"])
    else:
        arrays["labels"][::6] = -1
        arrays["labels"][1::6] = p.shape[-1]


def _levels(arrays):
    """Rising thresholds, some of which predictions hit; a prediction that is NaN, one above and one below all."""
    arrays["thresholds"] = np.sort(arrays["thresholds"])
    p = arrays["y_pred"].reshape(-1)
    p[::3] = arrays["thresholds"][-1]
    p[:1], p[1:2], p[2:3] = np.nan, np.inf, -np.inf
    arrays["y_true"] = np.clip(arrays["y_true"], 0, 1)


Y, SUM = floats("b", "c"), wide(scalar(2.5))
WEIGHTS, STATE = floats("b", low=0), wide(floats("c", low=0))
LABELS = ints("b", high="c")
LABEL_BAD = [(dict(labels=(32, 1), y_pred=(32, 10)), "reshape labels to (32,)")]

CASES = [
    Case("binary_accuracy", y_true=Y, y_pred=Y, threshold=0.5, fix=_binary,
         bad=[(dict(y_true=(32,), y_pred=(32, 1)), "reshape y_true to (32, 1)")]),
    Case("binary_accuracy", y_true=floats("b", 1), y_pred=floats("b", 1), threshold=0.1, fix=_binary),
    Case("categorical_accuracy", y_true=Y, y_pred=Y, fix=_ties,
         bad=[(dict(y_true=(32,), y_pred=(32, 10)), "use sparse_categorical_accuracy")]),
    Case("sparse_categorical_accuracy", labels=LABELS, y_pred=Y, fix=_ties, bad=LABEL_BAD),
    Case("keep_top_k", x=floats("m", "n"), k=3, bits=True, bad=[(dict(x=(3,)), "rows")]),
    Case("keep_top_k", x=wide(ints("m", "n", high=4), "float32"), k=2, bits=True),
    Case("top_k_accuracy", y_true=Y, y_pred=Y, k=2, fix=_ties,
         bad=[(dict(y_true=(32,), y_pred=(32, 10)), "use sparse_top_k_accuracy")]),
    Case("sparse_top_k_accuracy", labels=LABELS, y_pred=Y, k=5, bad=LABEL_BAD),
    Case("sparse_top_k_accuracy", labels=LABELS, y_pred=Y, k=3, fix=_ties),
    Case("mean_step", total=SUM, count=SUM, values=floats("n"),
         bad=[(dict(total=(1,), count=(), values=(3,)), "total")]),
    Case("mean_step", total=SUM, count=SUM, values=floats("n", 3)),
    Case("weighted_mean_step", total=SUM, count=SUM, values=floats("n"), weights=floats("n"),
         bad=[(dict(total=(), count=(), values=(3,), weights=(4,)), "weights")]),
    Case("add_step", total=wide(floats("n", 3)), values=floats("n", 3),
         bad=[(dict(total=(3,), values=(4,)), "values")]),
    *[Case("confusion_step", counts=wide(floats(2, levels + 1, "c")), y_true=Y, y_pred=Y,
           weights=floats("b", "c", low=0), thresholds=floats(levels), fix=_levels,
           bad=[(dict(counts=(2, 2, 2), y_true=(5, 3), y_pred=(5, 3), weights=(5, 3), thresholds=(1,)), "counts"),
                (dict(counts=(2, 2, 3), y_true=(5, 3), y_pred=(5, 3), weights=(4, 3), thresholds=(1,)), "weights"),
                (dict(counts=(2, 2, 3), y_true=(3,), y_pred=(3,), weights=(3,), thresholds=(1,)), "(batch, columns)")])
      for levels in (1, 9)],
    Case("count_step", counts=wide(floats(3, 4)), rows=ints("n", low=-1, high=4), columns=ints("n", low=-1, high=6),
         weights=floats("n"),
         bad=[(dict(counts=(3, 4), rows=(5,), columns=(6,), weights=(5,)), "columns"),
              (dict(counts=(3,), rows=(5,), columns=(5,), weights=(5,)), "two axes")]),
    Case("r2_step", squared_sum=STATE, sum=STATE, residual=STATE, count=SUM, y_true=Y, y_pred=Y, weights=WEIGHTS,
         bad=[(dict(squared_sum=(2,), sum=(3,), residual=(3,), count=(), y_true=(5, 3), y_pred=(5, 3), weights=(5,)),
               "squared_sum")]),
]
