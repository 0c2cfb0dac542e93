"""What goes beyond Keras' names: ops that are rows as they stand, and what declares and takes more. Floor 2."""

from fastnn.ops._op import Op, as_tensor
from fastnn.ops.rows.activation import step
from fastnn.ops.rows.dense import add_bias, dense, matmul_nt, matmul_tn, sum_rows
from fastnn.ops.rows.reduce import expand

__all__ = ["Op", "add_bias", "as_tensor", "dense", "expand", "matmul_nt", "matmul_tn", "step", "sum_rows"]
