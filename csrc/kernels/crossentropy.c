/* crossentropy.c: cross-entropies and their gradients, one number per sample; see fastnn/reference/crossentropy.py.
 *
 * The binary ones are means of independent terms: the term is here, the mean in terms.h. The categorical ones take
 * WIDTH samples (rows) at a time: a row becomes one vector of partial sums, sums[r]; v_sum_rows() makes of WIDTH such
 * vectors one vector with a number a row, so that one logarithm or division serves all rows. The end of a row is filled
 * with values that add nothing. Targets are smoothed as they are read: t = keep y_true + add. tests/test_formulas.py
 * has the same in plain loops. */
#include "kernels/probability.h"
#include "kernels/terms.h"

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
/* max(x, 0) - x t is x times 1 - t or -t, by the sign of x: of a share of 0 nothing, also where x is infinite. */
INLINE V logit_term(V t, V x)
{
    const V share = v_select(x > 0, 1.0f - t, -t);
    return v_where((I)(share != 0), x * share) + log1p_inside_(v_exp(-v_abs(x)));
}
INLINE V logit_slope(V t, V x) { return v_sigmoid(x) - t; }

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

/* loss = -Σ t ln q with q = clip(p / Σ p). */
static void categorical_crossentropy(const Call *call, Part part)
{
    const float *restrict y_true = input(call, 0);   /* (…, n) */
    const float *restrict y_pred = input(call, 1);   /* (…, n) */
    const double smoothing = number(call, 0);
    float *restrict loss = output(call, 0);          /* (…) */
    const int64_t n = last_dim(call->inputs[1]), size = input_size(call, 1);
    const Range rows = share_rows(output_size(call, 0), part);
    const float keep = 1 - smoothing, add = smoothing / n;

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float total[WIDTH];
        V sums[WIDTH];
        v_store(total, sum_each(y_pred + row * n, n, count, y_pred + size));
        for (int64_t r = 0; r < count; r++) {
            V sum = {0};
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH) {
                const V t = v_load_row(y_true + at, n - i, size - at, 0) * keep + add;
                const V q = clip(v_load_row(y_pred + at, n - i, size - at, 1) / total[r]);
                sum -= v_where(first_lanes(n - i), t * v_log(q));
            }
            sums[r] = sum;
        }
        no_rows(sums, count);
        v_store_part(loss + row, v_sum_rows(sums), count);
    }
}

/* With g = -t / q, 0 where q is clipped: dx = dy (g - Σ q g) / Σ p; the sum is there because each p is part of Σ p. A
 * row's g are kept in dx until their sum is known. */
static void categorical_crossentropy_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);       /* (…) */
    const float *restrict y_true = input(call, 1);   /* (…, n) */
    const float *restrict y_pred = input(call, 2);   /* (…, n) */
    const double smoothing = number(call, 0);
    float *restrict dx = output(call, 0);            /* (…, n) */
    const int64_t n = last_dim(call->inputs[2]), size = input_size(call, 2);
    const Range rows = share_rows(input_size(call, 0), part);
    const float keep = 1 - smoothing, add = smoothing / n;

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float total[WIDTH], mean[WIDTH], scale[WIDTH];
        V slopes[WIDTH], sums[WIDTH];                   /* as in softmax_each: the first lanes are not stored yet */
        const V totals = sum_each(y_pred + row * n, n, count, y_pred + size);
        v_store(total, totals);
        v_store(scale, v_load_part(dy + row, count, 0) / totals);
        for (int64_t r = 0; r < count; r++) {
            V sum = {0};
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH) {
                const V t = v_load_row(y_true + at, n - i, size - at, 0) * keep + add;
                const V q = v_load_row(y_pred + at, n - i, size - at, 0) / total[r];
                const V g = v_where(~clipped(q), -t / q);      /* the slope before normalisation */
                if (i == 0) slopes[r] = g;
                else v_store_part(dx + at, g, n - i);
                sum += v_where(first_lanes(n - i), q * g);
            }
            sums[r] = sum;
        }
        no_rows(sums, count);
        v_store(mean, v_sum_rows(sums));
        for (int64_t r = 0; r < count; r++)
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH) {
                const V g = i == 0 ? slopes[r] : v_load_part(dx + at, n - i, 0);
                v_store_part(dx + at, scale[r] * (g - mean[r]), n - i);
            }
    }
}

/* With high the row's largest x: -Σ t ln softmax(x) = ln(Σ e^(x - high)) Σ t - Σ t (x - high). Nothing overflows, and
 * no logarithm of 0 is taken where a probability is too small for a float. Σ t is 1 but for targets that are none. */
static void softmax_crossentropy(const Call *call, Part part)
{
    const float *restrict y_true = input(call, 0);     /* (…, n) */
    const float *restrict logits = input(call, 1);     /* (…, n) */
    const double smoothing = number(call, 0);
    float *restrict loss = output(call, 0);            /* (…) */
    float *restrict probabilities = output(call, 1);   /* (…, n) or NULL */
    const int64_t n = last_dim(call->inputs[1]), size = input_size(call, 1);
    const Range rows = share_rows(output_size(call, 0), part);
    const float keep = 1 - smoothing, add = smoothing / n;

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float high[WIDTH];
        const V log_sums =
            v_log(softmax_each(probabilities ? probabilities + row * n : NULL, logits + row * n, high, n, count,
                               logits + size));
        const V weights = sum_each(y_true + row * n, n, count, y_true + size) * keep + (float)smoothing;
        V dots[WIDTH];
        for (int64_t r = 0; r < count; r++) {
            V dot = {0};
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH) {   /* the padding has x = max x */
                const V t = v_load_row(y_true + at, n - i, size - at, 0) * keep + add;
                const V below = v_load_row(logits + at, n - i, size - at, high[r]) - high[r];
                dot += v_where(first_lanes(n - i) & (I)(t != 0), t * below);      /* 0 of a class with x = -inf is 0 */
            }
            dots[r] = dot;
        }
        no_rows(dots, count);
        v_store_part(loss + row, log_sums * weights - v_sum_rows(dots), count);
    }
}

/* dx = dy (p Σ t - t). */
static void softmax_crossentropy_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);              /* (…) */
    const float *restrict y_true = input(call, 1);          /* (…, n) */
    const float *restrict probabilities = input(call, 2);   /* (…, n) */
    const double smoothing = number(call, 0);
    float *restrict dx = output(call, 0);                   /* (…, n) */
    const int64_t n = last_dim(call->inputs[2]), size = input_size(call, 2);
    const Range rows = share_rows(input_size(call, 0), part);
    const float keep = 1 - smoothing, add = smoothing / n;

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float weight[WIDTH];
        v_store(weight, sum_each(y_true + row * n, n, count, y_true + size) * keep + (float)smoothing);
        for (int64_t r = 0; r < count; r++)
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH) {
                const V t = v_load_row(y_true + at, n - i, size - at, 0) * keep + add;
                const V p = v_load_row(probabilities + at, n - i, size - at, 0);
                v_store_part(dx + at, dy[row + r] * (p * weight[r] - t), n - i);
            }
    }
}

extern const Kernel FAMILY(crossentropy)[];
const Kernel FAMILY(crossentropy)[] = {
    {"binary_crossentropy(y_true, y_pred, *, smoothing)", binary_crossentropy},
    {"binary_crossentropy_grad(dy, y_true, y_pred, *, smoothing)", binary_crossentropy_grad},
    {"sigmoid_crossentropy(y_true, logits, *, smoothing)", sigmoid_crossentropy},
    {"sigmoid_crossentropy_grad(dy, y_true, logits, *, smoothing)", sigmoid_crossentropy_grad},
    {"categorical_crossentropy(y_true, y_pred, *, smoothing)", categorical_crossentropy},
    {"categorical_crossentropy_grad(dy, y_true, y_pred, *, smoothing)", categorical_crossentropy_grad},
    {"softmax_crossentropy(y_true, logits, *, smoothing)", softmax_crossentropy},
    {"softmax_crossentropy_grad(dy, y_true, probabilities, *, smoothing)", softmax_crossentropy_grad},
    {0},
};
