"""Floor 2. The ops: what layers, losses and schedules are written with, each with its gradient.

Public names are Keras' `ops` where Keras has them. The rows behind them (constants by name, no defaults) are in the
family modules: activation, crossentropy, data, dense, elementwise, loss, metric, optimizer, random, reduce, softmax, …
"""

from fastnn.engine import rewrite as _rewrite
from fastnn.ops._op import (
    Op,
    as_tensor,
)
from fastnn.ops._public import (
    add,
    broadcast_to,
    clip,
    concatenate,
    convert_to_tensor,
    divide,
    elu,
    equal,
    expand_dims,
    greater,
    leaky_relu,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    multiply,
    one_hot,
    power,
    reshape,
    shape,
    size,
    subtract,
    sum,
    transpose,
    where,
)
from fastnn.ops.rewrites import RULES as _RULES
from fastnn.ops.rows.activation import (
    gelu,
    hard_sigmoid,
    hard_silu,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    step,
    tanh,
)
from fastnn.ops.rows.compare import (
    greater_equal,
)
from fastnn.ops.rows.dense import (
    add_bias,
    dense,
    matmul_nt,
    matmul_tn,
    sum_rows,
)
from fastnn.ops.rows.elementwise import (
    absolute,
    divide_no_nan,
    exp,
    log,
    negative,
    sign,
    sqrt,
    square,
)
from fastnn.ops.rows.reduce import (
    argmax,
    expand,
)
from fastnn.ops.rows.softmax import (
    log_softmax,
    softmax,
)

abs = absolute

_rewrite.rules[:] = _RULES       # programs are rewritten by them

__all__ = [
    "Op",
    "abs",
    "absolute",
    "add",
    "add_bias",
    "argmax",
    "as_tensor",
    "broadcast_to",
    "clip",
    "concatenate",
    "convert_to_tensor",
    "dense",
    "divide",
    "divide_no_nan",
    "elu",
    "equal",
    "exp",
    "expand",
    "expand_dims",
    "gelu",
    "greater",
    "greater_equal",
    "hard_sigmoid",
    "hard_silu",
    "leaky_relu",
    "log",
    "log_softmax",
    "matmul",
    "matmul_nt",
    "matmul_tn",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mish",
    "multiply",
    "negative",
    "one_hot",
    "power",
    "relu",
    "relu6",
    "reshape",
    "selu",
    "shape",
    "sigmoid",
    "sign",
    "silu",
    "size",
    "softmax",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "step",
    "subtract",
    "sum",
    "sum_rows",
    "tanh",
    "transpose",
    "where",
]
