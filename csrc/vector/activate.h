/* activate.h: the formulas of the elementwise activations, on one vector; see
 * fastnn/reference/activation.py for what they are. v_relu_grad is given y, as the reference says. */
#ifndef FASTNN_ACTIVATE_H
#define FASTNN_ACTIVATE_H

#include "vector/vmath.h"

/* Compared as floats, subnormal numbers are 0 here, so the sign of one is looked at in its bits. */
INLINE V v_step(V x) { return v_where((x >= 0.0f) & (((I)x >= 0) | ((I)x == INT32_MIN)), v_splat(1)); }

INLINE V v_relu(V x) { return v_where(~(x <= 0.0f), x); }    /* ~(x <= 0), not x > 0: NaN stays */
INLINE V v_relu_grad(V dy, V y) { return v_where(y > 0.0f, dy); }

INLINE V v_relu6(V x) { return v_select(x > 6.0f, v_splat(6), v_relu(x)); }
INLINE V v_relu6_grad(V dy, V y) { return v_where((y > 0.0f) & (y < 6.0f), dy); }

INLINE V v_leaky_relu(V x, V slope) { return v_select(x > 0.0f, x, slope * x); }
INLINE V v_leaky_relu_grad(V dy, V x, V slope) { return v_select(x > 0.0f, dy, slope * dy); }

INLINE V v_linear_grad(V dy, V y) { (void)y; return dy; }
INLINE V v_sigmoid_grad(V dy, V y) { return dy * (y * (1.0f - y)); }
/* (1 - y)(1 + y): near |y| = 1 the rounding error of y^2 would be all that is left. */
INLINE V v_tanh_grad(V dy, V y) { return dy * ((1.0f - y) * (1.0f + y)); }

INLINE V v_elu(V x, V alpha) { return v_select(x > 0.0f, x, alpha * v_expm1(x)); }
INLINE V v_elu_grad(V dy, V x, V alpha) { return v_select(x > 0.0f, dy, dy * (alpha * v_exp(x))); }

INLINE V v_celu(V x, V alpha) { return v_select(x > 0.0f, x, alpha * v_expm1(x / alpha)); }
INLINE V v_celu_grad(V dy, V x, V alpha) { return v_select(x > 0.0f, dy, dy * v_exp(x / alpha)); }

INLINE V v_selu(V x) { return v_select(x > 0.0f, 1.05070099f * x, 1.75809934f * v_expm1(x)); }
INLINE V v_selu_grad(V dy, V x) { return dy * v_select(x > 0.0f, v_splat(1.05070099f), 1.75809934f * v_exp(x)); }

/* sigmoid(x), and 1 - sigmoid(x) without cancellation. */
INLINE V sigmoid_both_(V x, V *complement)
{
    const V e = v_exp(-v_abs(x));
    const V large = 1.0f / (1.0f + e);
    const V small = e * large;
    *complement = v_select(x < 0.0f, large, small);
    return v_select(x < 0.0f, small, large);
}

INLINE V v_gelu(V x) { return x * normal_cdf_(x, v_bell(x)); }
INLINE V v_gelu_grad(V dy, V x)
{
    const V bell = v_bell(x);
    return dy * (x * (0.39894228f * bell) + normal_cdf_(x, bell));
}

/* (1 + tanh u) / 2 is sigmoid(2u); 2u = x (a + b x^2) with a = 2 sqrt(2/pi), b = 0.044715 a. */
INLINE V v_gelu_tanh(V x) { return x * v_sigmoid(x * (7.1354816e-2f * x * x + 1.5957691f)); }
INLINE V v_gelu_tanh_grad(V dy, V x)
{
    const V square = x * x;
    V complement;
    const V s = sigmoid_both_(x * (7.1354816e-2f * square + 1.5957691f), &complement);
    return dy * (s + x * (s * complement) * (0.21406445f * square + 1.5957691f));
}

INLINE V v_silu(V x) { return x / (1.0f + v_exp(-x)); }
INLINE V v_silu_grad(V dy, V x)
{
    V complement;
    const V s = sigmoid_both_(x, &complement);
    return dy * (s * (1.0f + x * complement));
}

INLINE V v_softplus_grad(V dy, V x) { return dy * v_sigmoid(x); }

INLINE V v_softsign(V x) { return x / (1.0f + v_abs(x)); }
INLINE V v_softsign_grad(V dy, V x)
{
    const V d = 1.0f + v_abs(x);
    return dy / (d * d);
}

/* With e = e^x and n = e(e + 2), tanh(softplus(x)) is n / (n + 2). From x = 15 on it rounds to 1. */
INLINE V v_mish(V x)
{
    const V e = v_exp(v_select(x > 15.0f, v_splat(15), x));
    const V n = e * (e + 2.0f);
    return x * (n / (n + 2.0f));
}
INLINE V v_mish_grad(V dy, V x)
{
    const V inside = v_select(x > 15.0f, v_splat(15), x);
    const V e = v_exp(inside);
    const V n = e * (e + 2.0f);
    const V d = n + 2.0f;
    return dy * ((n * d + 4.0f * inside * (e * (e + 1.0f))) / (d * d));
}

INLINE V v_hard_sigmoid(V x) { return v_relu6(x + 3.0f) * 0.166666667f; }
INLINE V v_hard_sigmoid_grad(V dy, V x) { return v_where((x > -3.0f) & (x < 3.0f), dy * 0.166666667f); }

INLINE V v_hard_silu(V x) { return x * v_hard_sigmoid(x); }
INLINE V v_hard_silu_grad(V dy, V x)
{
    const V slope = v_select(x < 3.0f, x * 0.333333333f + 0.5f, v_splat(1));
    return v_where(x > -3.0f, dy * slope);
}

INLINE void map_row_(float *row, int64_t n, V (*f)(V))
{
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) v_store(row + i, f(v_load(row + i)));
    if (i < n) v_store_part(row + i, f(v_load_part(row + i, n - i, 0)), n - i);
}

/* Applies one of the activations that `dense` can fuse to n floats, in place. */
static inline void activate(float *row, int64_t n, int activation)
{
    switch (activation) {
    case LINEAR: return;
    case RELU: map_row_(row, n, v_relu); return;
    case TANH: map_row_(row, n, v_tanh); return;
    case SIGMOID: map_row_(row, n, v_sigmoid); return;
    }
}

INLINE void map_grad_(float *dx, const float *dy, const float *y, int64_t n, V (*f)(V, V))
{
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) v_store(dx + i, f(v_load(dy + i), v_load(y + i)));
    if (i < n) v_store_part(dx + i, f(v_load_part(dy + i, n - i, 0), v_load_part(y + i, n - i, 0)), n - i);
}

/* dx = dy f'(x) from y = f(x), for the same activations. */
static inline void activate_grad(float *dx, const float *dy, const float *y, int64_t n, int activation)
{
    switch (activation) {
    case LINEAR: map_grad_(dx, dy, y, n, v_linear_grad); return;
    case RELU: map_grad_(dx, dy, y, n, v_relu_grad); return;
    case TANH: map_grad_(dx, dy, y, n, v_tanh_grad); return;
    case SIGMOID: map_grad_(dx, dy, y, n, v_sigmoid_grad); return;
    }
}

#endif
