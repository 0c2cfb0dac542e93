"""What a program may compute in one call instead of several. Floor 2; imports the ops and engine.rewrite.

Ops, layers and losses say what is computed and know nothing of this; a program made of their calls is rewritten by
these rules, from the first to the last. Run eagerly (run_eagerly, a GradientTape outside of a program) and under the
`check` backend, every call stays what it is. A rule changes no bit, or, where it says `rounds`, the order of a sum.
What changes more than that is no rule: a loss that starts from the logits does so by itself (Op.probabilities).
"""

import importlib
from typing import Any

from fastnn.engine.backend import families, floatx
from fastnn.engine.rewrite import Rewrite
from fastnn.ops._op import by_name

for _family in families:      # all ops, so that they are in by_name
    importlib.import_module(f"fastnn.ops.rows.{_family}")

_ACTIVATIONS = ("relu", "tanh", "sigmoid")      # those that products and convolutions can apply to what they compute
_PRODUCTS = ("dense(x, w, b", "conv2d(x, w, b", "conv2d_transpose(x, w, b")

# Multiply-adds of a layer whose gradients are one call, on one worker. (batch, in, out) of (4, 2, 8): 21 ns, as three
# calls 43; (32, 8, 1): 33 and 79; (32, 30, 16): 257 and 295; (32, 64, 32): 900 and 970. Larger: two workers.
_SMALL = 64 * 1024


def _is_small(x: Any, dz: Any) -> bool:
    return bool(x.shape[0] * x.shape[1] * dz.shape[1] <= _SMALL)


def _rule(calls: str, instead: str, **more: Any) -> Rewrite:
    return Rewrite(calls, instead, by_name, **more)


RULES = [
    # ---- a batch's rows, made floats and rescaled while they are gathered ----
    _rule("y = gather_rows(x, order, cursor, batch=n); z = cast(y, dtype=d)",
          "z = gather_rows_rescaled(x, order, cursor, batch=n, scale=1.0, offset=0.0)",
          where=lambda x, d: x.dtype == "uint8" and d == floatx()),
    _rule("y = gather_rows(x, order, cursor, batch=n); z = rescale(y, scale=s, offset=t)",
          "z = gather_rows_rescaled(x, order, cursor, batch=n, scale=s, offset=t)",
          where=lambda x: x.dtype in ("uint8", floatx())),
    _rule("""y = gather_rows_rescaled(x, order, cursor, batch=n, scale=1.0, offset=0.0)
             z = rescale(y, scale=s, offset=t)""",
          "z = gather_rows_rescaled(x, order, cursor, batch=n, scale=s, offset=t)", where=lambda x: x.dtype == "uint8"),

    # ---- an activation: before a change of shape, so that it meets its product, and in the product ----
    *(_rule(f"v = reshape(z, shape=s); y = {f}(v)", f"u = {f}(z); y = reshape(u, shape=s)") for f in _ACTIVATIONS),
    *(_rule(f"y = reshape(u, shape=s); d = {f}_grad(dy, y); dz = reshape(d, shape=t)",
            f"y = reshape(u, shape=s); du = reshape(dy, shape=t); dz = {f}_grad(du, u)") for f in _ACTIVATIONS),
    *(_rule(f"z = {product}, activation='linear', **more); y = {f}(z)", f"y = {product}, activation='{f}', **more)")
      for product in _PRODUCTS for f in _ACTIVATIONS),

    # ---- the gradients of a small dense layer ----
    _rule("dw = matmul_tn(x, dz); db = sum_rows(dz)", "dw, db = weights_grad(x, dz)", where=_is_small),
    *(_rule(f"dz = {f}_grad(dy, y); dw, db = weights_grad(x, dz)",
            f"dz, dw, db = dense_grad(x, dy, y, activation='{f}')", where=_is_small) for f in _ACTIVATIONS),

    # ---- convolution, relu and 2x2 max pooling in one, and their way back ----
    _rule("p, a = max_pool(y, **to); d = max_pool_grad(dp, a, **back); dz = relu_grad(d, y)",
          "p, a = max_pool(y, **to); e = relu_grad(dp, p); dz = max_pool_grad(e, a, **back)"),
    _rule("""y = conv2d(x, w, b, strides=s, pads=(0, 0, 0, 0), dilation=d, groups=1, activation='relu')
             p, a = max_pool(y, pool=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0))""",
          "p, a = conv2d_relu_pool(x, w, b, strides=s, dilation=d)"),
    _rule("""p, a = conv2d_relu_pool(x, w, b, **how); d = relu_grad(dp, p); dz = max_pool_grad(d, a, **back)""",
          "p, a = conv2d_relu_pool(x, w, b, **how); dz = max_pool_grad(dp, a, **back)"),     # a knows where p is 0
    _rule("""p, a = conv2d_relu_pool(x, w, b, strides=s, dilation=d)
             dz = max_pool_grad(dp, a, shape=n, pool=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0))
             dw = conv2d_weights_grad(x, dz, size=k, strides=s, pads=(0, 0, 0, 0), dilation=d, groups=1)
             db = sum_rows(dz)""",
          """p, a = conv2d_relu_pool(x, w, b, strides=s, dilation=d)
             dw, db = conv2d_relu_pool_grad(x, dp, a, size=k, strides=s, dilation=d)""", shared=("dz",), rounds=True),

    # ---- probabilities, and whether they are right: a loss that starts from the logits has computed both ----
    _rule("p = softmax(x); loss, q = softmax_crossentropy(y, x, smoothing=s)",
          "loss, p = softmax_crossentropy(y, x, smoothing=s); q = p"),
    _rule("p = softmax(x); loss, q, right = sparse_softmax_crossentropy(y, x, ignore=i)",
          "loss, p, right = sparse_softmax_crossentropy(y, x, ignore=i); q = p"),
    _rule("loss, p, right = sparse_softmax_crossentropy(y, x, ignore=i); r = sparse_categorical_accuracy(y, p)",
          "loss, p, right = sparse_softmax_crossentropy(y, x, ignore=i); r = right"),
]
