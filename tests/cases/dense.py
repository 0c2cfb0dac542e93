"""Rows for fastnn/reference/dense.py."""

from tests.cases._case import BIG, Case, floats, ints, wide

CASES = [
    Case("matmul", a=floats("m", "k"), b=floats("k", "n"), exact=True,
         bad=[(dict(a=(2, 3), b=(4, 5)), "columns"), (dict(a=(2, 3, 1), b=(3, 5)), "two matrices")]),
    Case("matmul", a=floats(BIG, "k"), b=floats("k", BIG), exact=True, grad=False),
    Case("matmul", a=floats("m", 600), b=floats(600, "n"), exact=True, grad=False),
    Case("matmul", a=floats("m", "k"), b=floats("k", 1), exact=True),
    Case("matmul", a=floats(170, 1024), b=floats(1024, 300), exact=True, grad=False),
    Case("matmul_nt", a=floats("m", "k"), b=floats("n", "k"), exact=True,
         bad=[(dict(a=(2, 3), b=(3, 5)), "columns"), (dict(a=(3,), b=(3, 5)), "two matrices")]),
    Case("matmul_nt", a=floats("m", 600), b=floats(BIG, 600), exact=True, grad=False),
    Case("matmul_tn", a=floats("k", "m"), b=floats("k", "n"), exact=True,
         bad=[(dict(a=(2, 3), b=(3, 5)), "rows"), (dict(a=(3,), b=(3, 5)), "two matrices")]),
    Case("matmul_tn", a=floats(600, 520), b=floats(600, BIG), exact=True, grad=False),
    *(Case("dense", x=floats("m", "k"), w=floats("k", "n"), b=floats("n"), activation=activation,
           exact=activation in ("linear", "relu"), grad=activation != "relu",
           bad=[(dict(x=(2, 3), w=(4, 5), b=(5,)), "features"), (dict(x=(2, 3), w=(3, 5), b=(3,)), "bias")])
      for activation in ("linear", "relu", "tanh", "sigmoid")),
    Case("dense", x=floats("m", "k"), w=floats("k", 1), b=floats(1), activation="sigmoid"),
    Case("dense", x=floats(4, 2), w=floats(2, 4), b=floats(4), activation="tanh"),
    Case("dense", x=floats("m", 600), w=floats(600, BIG), b=floats(BIG), activation="relu", exact=True, grad=False),
    Case("add_bias", x=floats("m", "n"), b=floats("n"), exact=True, bits=True,
         bad=[(dict(x=(2, 3), b=(2,)), "last axis"), (dict(x=(), b=(1,)), "last axis")]),
    Case("add_bias", x=floats("m", 3, "n"), b=floats("n"), exact=True, bits=True),
    Case("sum_rows", x=floats("m", "n"), exact=True, bad=[(dict(x=()), "axis")]),
    Case("sum_rows", x=floats("m", 3, "n"), exact=True),
    Case("sum_rows", x=floats("n"), exact=True),
    Case("weights_grad", x=floats("b", "m"), dz=floats("b", "n"), exact=True,
         bad=[(dict(x=(2, 3), dz=(4, 5)), "rows"), (dict(x=(2,), dz=(2, 5)), "batch")]),
    Case("weights_grad", x=floats("b", 30), dz=floats("b", 1), exact=True),
    *(Case("dense_grad", x=floats("b", "m"), dy=floats("b", "n"), y=floats("b", "n", low=-1, high=1),
           activation=activation, exact=activation in ("linear", "relu"),
           bad=[(dict(x=(2, 3), dy=(4, 5), y=(4, 5)), "rows"), (dict(x=(2, 3), dy=(2, 5), y=(2, 4)), "equal")])
      for activation in ("linear", "relu", "tanh", "sigmoid")),
    Case("dense_grad", x=floats("b", 17), dy=floats("b", 16), y=floats("b", 16), activation="relu", exact=True),
    Case("perceptron_step", w=wide(floats(4)), x=wide(ints("m", 3, low=0, high=2)),
         y=wide(ints("m", low=0, high=2)), learning_rate=0.1, bits=True,
         bad=[(dict(w=(3,), x=(4, 3), y=(4,)), "bias"), (dict(w=(4,), x=(4, 3), y=(3,)), "bias")]),
]
