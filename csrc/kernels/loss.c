/* loss.c: losses that are means of independent terms, one number per sample, and their gradients; see
 * fastnn/reference/loss.py. The loops are in terms.h; the categorical
 * cross-entropies, which take rows, in crossentropy.h. */
#include "kernels/crossentropy.h"
#include "kernels/terms.h"

INLINE V square_term(V t, V x) { return (x - t) * (x - t); }
INLINE V square_slope(V t, V x) { return 2.0f * (x - t); }
INLINE V distance_term(V t, V x) { return v_abs(x - t); }
INLINE V distance_slope(V t, V x)
{
    const V d = x - t;
    return v_select((d < 0.0f) | (d > 0.0f), v_copysign(v_splat(1), d), d);    /* 0 and NaN as they are */
}
INLINE V probability_term(V t, V x)
{
    const V p = clip(x);
    return -(t * v_log(p) + (1.0f - t) * v_log(1.0f - p));
}
INLINE V probability_slope(V t, V x)
{
    const V p = clip(x);
    return v_where(~clipped(x), (1.0f - t) / (1.0f - p) - t / p);
}
INLINE V logit_term(V t, V x) { return (v_max((V){0}, x) - x * t) + log1p_inside_(v_exp(-v_abs(x))); }
INLINE V logit_slope(V t, V x) { return v_sigmoid(x) - t; }

static void mean_squared_error(const Call *call, Part part) { mean_of_terms(call, part, square_term, 0); }
static void mean_squared_error_grad(const Call *call, Part part) { scaled_slopes(call, part, square_slope, 0); }
static void mean_absolute_error(const Call *call, Part part) { mean_of_terms(call, part, distance_term, 0); }
static void mean_absolute_error_grad(const Call *call, Part part) { scaled_slopes(call, part, distance_slope, 0); }

static void binary_crossentropy(const Call *call, Part part)
{
    mean_of_terms(call, part, probability_term, number(call, 0));
}

static void binary_crossentropy_grad(const Call *call, Part part)
{
    scaled_slopes(call, part, probability_slope, number(call, 0));
}

static void sigmoid_crossentropy(const Call *call, Part part)
{
    mean_of_terms(call, part, logit_term, number(call, 0));
}

static void sigmoid_crossentropy_grad(const Call *call, Part part)
{
    scaled_slopes(call, part, logit_slope, number(call, 0));
}

/* Costs of losses are per row: of one element for the means of terms, of ten classes for the categorical ones. */
extern const Kernel FAMILY(loss)[];
const Kernel FAMILY(loss)[] = {
    {"mean_squared_error(y_true, y_pred)", mean_squared_error, ROWS, 0.2},
    {"mean_squared_error_grad(dy, y_true, y_pred)", mean_squared_error_grad, ROWS, 0.3},
    {"mean_absolute_error(y_true, y_pred)", mean_absolute_error, ROWS, 0.2},
    {"mean_absolute_error_grad(dy, y_true, y_pred)", mean_absolute_error_grad, ROWS, 0.3},
    {"binary_crossentropy(y_true, y_pred, *, smoothing)", binary_crossentropy, ROWS, 1},
    {"binary_crossentropy_grad(dy, y_true, y_pred, *, smoothing)", binary_crossentropy_grad, ROWS, 0.5},
    {"sigmoid_crossentropy(y_true, logits, *, smoothing)", sigmoid_crossentropy, ROWS, 1},
    {"sigmoid_crossentropy_grad(dy, y_true, logits, *, smoothing)", sigmoid_crossentropy_grad, ROWS, 0.6},
    {"categorical_crossentropy(y_true, y_pred, *, smoothing)", categorical_crossentropy, ROWS, 8},
    {"categorical_crossentropy_grad(dy, y_true, y_pred, *, smoothing)", categorical_crossentropy_grad, ROWS, 0.8},
    {"softmax_crossentropy(y_true, logits, *, smoothing)", softmax_crossentropy, ROWS, 9},
    {"softmax_crossentropy_grad(dy, y_true, probabilities, *, smoothing)", softmax_crossentropy_grad, ROWS, 0.4},
    {"sparse_categorical_crossentropy(labels, y_pred, *, ignore)", sparse_categorical_crossentropy, ROWS, 5},
    {"sparse_categorical_crossentropy_grad(dy, labels, y_pred, *, ignore)", sparse_categorical_crossentropy_grad,
     ROWS, 0.6},
    {"sparse_softmax_crossentropy(labels, logits, *, ignore)", sparse_softmax_crossentropy, ROWS, 7},
    {"sparse_softmax_crossentropy_grad(dy, labels, probabilities, *, ignore)", sparse_softmax_crossentropy_grad,
     ROWS, 0.25},
    {0},
};
