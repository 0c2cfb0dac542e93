"""Regularizers, in loss and val_loss, and constraints: trained, and called."""

from typing import Any

import numpy as np

from tests.golden.common import ADAM, SAMPLE_WEIGHT, TARGETS, Case, X, net
from tests.golden.direct import numbers

_REGULARIZERS: dict[str, Any] = {
    "l1": lambda k: k.regularizers.L1(0.02), "l2": lambda k: k.regularizers.L2(0.03),
    "l1_l2": lambda k: k.regularizers.L1L2(l1=0.01, l2=0.02), "lower_l1_l2": lambda k: k.regularizers.l1_l2(0.01, 0.02),
    "orthogonal": lambda k: k.regularizers.OrthogonalRegularizer(0.2),
    "orthogonal_columns": lambda k: k.regularizers.OrthogonalRegularizer(0.2, mode="columns"),
    "named_l1": lambda k: "l1", "named_l2": lambda k: "l2",
}
_CONSTRAINTS: dict[str, Any] = {
    "max_norm": lambda k: k.constraints.MaxNorm(0.7), "lower_max_norm": lambda k: k.constraints.max_norm(0.9, axis=1),
    "non_neg": lambda k: k.constraints.NonNeg(), "unit_norm": lambda k: k.constraints.UnitNorm(),
    "min_max_norm": lambda k: k.constraints.MinMaxNorm(0.5, 0.8, rate=0.7), "named_max_norm": lambda k: "max_norm",
    "named_non_neg": lambda k: "non_neg", "named_unit_norm": lambda k: "unit_norm",
}
_VALIDATED = {"validation_data": (X[3:16], TARGETS["real"][3:16])}


def _with(argument: str, make: Any) -> Any:
    return lambda k: net(k, **{argument: make(k)})


CASES = [Case(f"{target}_{name}", _with(f"{target}_regularizer", make), lambda k: dict(), fit=_VALIDATED)
         for name, make in _REGULARIZERS.items() for target in ("kernel", "bias", "activity")
         if "orthogonal" not in name or target == "kernel"]
CASES += [Case(f"kernel_{name}", _with("kernel_constraint", make), lambda k: dict(optimizer=k.optimizers.SGD(0.3)))
          for name, make in _CONSTRAINTS.items()]
CASES += [
    Case("bias_non_neg", _with("bias_constraint", _CONSTRAINTS["non_neg"]), lambda k: dict()),
    Case("bias_max_norm", _with("bias_constraint", lambda k: k.constraints.MaxNorm(0.5)), lambda k: dict()),
    Case("all_penalties", lambda k: net(
        k, kernel_regularizer=k.regularizers.l2(0.01), bias_regularizer=k.regularizers.l1(0.01),
        activity_regularizer=k.regularizers.l2(0.05), kernel_constraint=k.constraints.max_norm(1.0)),
        lambda k: dict(optimizer=k.optimizers.Adam(0.01), metrics=["mse"]),
        fit={**_VALIDATED, "sample_weight": SAMPLE_WEIGHT}, atol=1e-5, why=ADAM),
]

WEIGHT = np.array([[-0.66, -1.4], [-0.2, 1.19], [-1.08, -1.79]], np.float32)
KERNEL = np.array([[[[-0.19, -0.6]], [[-0.82, 0.16]]], [[[-0.4, 0.34]], [[-0.6, 0.88]]]], np.float32)
REGULARIZERS: list[tuple[str, dict[str, Any]]] = [
    ("L1", {}),
    ("L2", {}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1, "l2": 0.02}),
    ("L1", {"l1": 0.5}),
    ("L2", {"l2": 0.3}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]
CONSTRAINTS: list[tuple[str, dict[str, Any], np.ndarray]] = [
    ("MaxNorm", {}, WEIGHT),
    ("MaxNorm", {"max_value": 1.0, "axis": 1}, WEIGHT),
    ("MaxNorm", {"max_value": 0.5, "axis": [0, 1, 2]}, KERNEL),
    ("NonNeg", {}, WEIGHT),
    ("UnitNorm", {}, WEIGHT),
    ("UnitNorm", {"axis": [0, 1]}, WEIGHT),
    ("MinMaxNorm", {}, WEIGHT),
    ("MinMaxNorm", {"min_value": 2.0, "max_value": 2.5, "rate": 0.5, "axis": 1}, WEIGHT),
]

VALUES = {f"{kind} {arguments}": lambda k, kind=kind, arguments=arguments: numbers(
    getattr(k.regularizers, kind)(**arguments)(k.ops.convert_to_tensor(WEIGHT))) for kind, arguments in REGULARIZERS}
VALUES |= {f"{kind} {arguments}": lambda k, kind=kind, arguments=arguments, w=w: numbers(
    getattr(k.constraints, kind)(**arguments)(w)) for kind, arguments, w in CONSTRAINTS}
