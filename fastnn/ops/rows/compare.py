"""Comparisons, which give bools and have no gradient, and what is chosen by them. Floor 2."""


from fastnn.ops._arrays import zeros
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

where: Op = Op("where", shape=lambda condition, a, b: same_shapes("where", condition=condition, a=a, b=b),
               dtypes=dict(condition="bool", a="alike", b="alike"), result="a",
               vjp=dict(a=lambda dy, condition: where(condition, dy, zeros(dy)),
                        b=lambda dy, condition: where(condition, zeros(dy), dy)), cost=0.2)
