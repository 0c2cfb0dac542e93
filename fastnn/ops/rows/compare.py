"""Comparisons, which give bools and have no gradient, and what is chosen by them. Floor 2."""

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.ops._op import Op, same, same_shapes


def _relation(name: str) -> Op:
    return Op(name, shape=lambda a, b: same_shapes(name, a=a, b=b), dtypes=dict(a="alike", b="alike"), result="bool")


def _kind(name: str) -> Op:
    return Op(name, shape=same, result="bool")


equal = _relation("equal")
not_equal = _relation("not_equal")
less = _relation("less")
less_equal = _relation("less_equal")
greater = _relation("greater")
greater_equal = _relation("greater_equal")
logical_not = Op("logical_not", shape=same, dtypes=dict(x="bool"), result="bool")
isnan = _kind("isnan")
isinf = _kind("isinf")
isfinite = _kind("isfinite")

def _zeros(like: Tensor) -> Tensor:
    return Tensor(np.zeros(like.shape, like.dtype), "zeros", constant=True)


where: Op = Op("where", shape=lambda condition, a, b: same_shapes("where", condition=condition, a=a, b=b),
               dtypes=dict(condition="bool", a="alike", b="alike"), result="a",
               vjp=dict(a=lambda dy, condition: where(condition, dy, _zeros(dy)),
                        b=lambda dy, condition: where(condition, _zeros(dy), dy)), cost=0.2)
