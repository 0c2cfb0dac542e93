/* loss.c: losses and their gradients, one number per sample; see fastnn/reference/loss.py.
 *
 * The means of independent terms are in terms.h. The others take a row at a time and the logarithms of
 * sixteen rows at once.
 */
#include "terms.h"

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
INLINE V logit_term(V t, V x) { return v_select(x > 0.0f, x, (V){0}) - x * t + v_log1p(v_exp(-v_abs(x))); }
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

/* x = log x for ROWS_AT_ONCE numbers. */
INLINE void log_all(float *x)
{
    for (int i = 0; i < ROWS_AT_ONCE; i += WIDTH) v_store(x + i, v_log(v_load(x + i)));
}

static void categorical_crossentropy(const Call *call, Part part)
{
    const float *y_true = input(call, 0);
    const float *y_pred = input(call, 1);
    const double smoothing = number(call, 0);
    float *loss = output(call, 0);
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float keep = 1 - smoothing, add = smoothing / n;
    const float *t_end = y_true + input_size(call, 0), *p_end = y_pred + input_size(call, 1);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *t = y_true + row * n, *p = y_pred + row * n;
        const V total = v_splat(sum_of(p, n));
        V sum = {0};
        for (int64_t i = 0; i < n; i += WIDTH) {
            const V q = clip(v_load_row(p + i, n - i, p_end - p - i, 1) / total);
            sum -= v_where(first_lanes(n - i), (v_load_row(t + i, n - i, t_end - t - i, 0) * keep + add) * v_log(q));
        }
        loss[row] = v_sum(sum);
    }
}

static void categorical_crossentropy_grad(const Call *call, Part part)
{
    const float *dy = input(call, 0);
    const float *y_true = input(call, 1);
    const float *y_pred = input(call, 2);
    const double smoothing = number(call, 0);
    float *dx = output(call, 0);
    const int64_t n = last_dim(call->inputs[2]);
    const Range rows = share_rows(input_size(call, 0), part);
    const float keep = 1 - smoothing, add = smoothing / n;
    const float *t_end = y_true + input_size(call, 1), *p_end = y_pred + input_size(call, 2);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *t = y_true + row * n, *p = y_pred + row * n;
        float *d = dx + row * n;
        const float total = sum_of(p, n), scale = dy[row] / total;
        V sum = {0};
        for (int64_t i = 0; i < n; i += WIDTH) {        /* d = g, the slope before normalisation */
            const V q = v_load_row(p + i, n - i, p_end - p - i, 0) / v_splat(total);
            const V g = v_where(~clipped(q), -(v_load_row(t + i, n - i, t_end - t - i, 0) * keep + add) / q);
            v_store_part(d + i, g, n - i);
            sum += v_where(first_lanes(n - i), q * g);
        }
        const float mean = v_sum(sum);
        for (int64_t i = 0; i < n; i++) d[i] = scale * (d[i] - mean);
    }
}

typedef struct Exponentials {
    float highest, sum;      /* max x, sum exp(x - max x) */
} Exponentials;

/* p = softmax(x) for one row. */
INLINE Exponentials softmax_row(float *p, const float *x, int64_t n, const float *end)
{
    if (n <= WIDTH) {
        const V v = v_load_row(x, n, end - x, -INFINITY);
        const float highest = v_highest(v);
        const V e = v_where(first_lanes(n), v_exp(v - highest));
        const float sum = v_sum(e);
        v_store_part(p, e * v_splat(1 / sum), n);
        return (Exponentials){highest, sum};
    }
    V most = v_load(x + n - WIDTH), sums = {0};
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) most = v_max(v_load(x + i), most);
    const float highest = v_highest(most);
    for (i = 0; i < n; i += WIDTH) {
        const V e = v_where(first_lanes(n - i), v_exp(v_load_row(x + i, n - i, end - x - i, -INFINITY) - highest));
        v_store_part(p + i, e, n - i);
        sums += e;
    }
    const float sum = v_sum(sums), scale = 1 / sum;
    for (i = 0; i < n; i++) p[i] *= scale;
    return (Exponentials){highest, sum};
}

static void softmax_crossentropy(const Call *call, Part part)
{
    const float *y_true = input(call, 0);
    const float *logits = input(call, 1);
    const double smoothing = number(call, 0);
    float *loss = output(call, 0);
    float *probabilities = output(call, 1);
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float keep = 1 - smoothing, add = smoothing / n;
    const float *t_end = y_true + input_size(call, 0), *x_end = logits + input_size(call, 1);

    for (int64_t row = rows.begin; row < rows.end; row += ROWS_AT_ONCE) {
        const int64_t count = rows.end - row < ROWS_AT_ONCE ? rows.end - row : ROWS_AT_ONCE;
        float sums[ROWS_AT_ONCE] = {0}, weights[ROWS_AT_ONCE], dots[ROWS_AT_ONCE];
        for (int64_t r = 0; r < count; r++) {
            const float *t = y_true + (row + r) * n, *x = logits + (row + r) * n;
            const Exponentials exponentials = softmax_row(probabilities + (row + r) * n, x, n, x_end);
            V weight = {0}, dot = {0};
            for (int64_t i = 0; i < n; i += WIDTH) {    /* the padding has x = max x */
                const V target = v_load_row(t + i, n - i, t_end - t - i, 0);
                const V below = v_load_row(x + i, n - i, x_end - x - i, exponentials.highest) - exponentials.highest;
                weight += target;
                dot += v_where(first_lanes(n - i), (target * keep + add) * below);
            }
            sums[r] = exponentials.sum;
            weights[r] = v_sum(weight) * keep + smoothing;
            dots[r] = v_sum(dot);
        }
        log_all(sums);
        for (int64_t r = 0; r < count; r++) loss[row + r] = sums[r] * weights[r] - dots[r];
    }
}

static void softmax_crossentropy_grad(const Call *call, Part part)
{
    const float *dy = input(call, 0);
    const float *y_true = input(call, 1);
    const float *probabilities = input(call, 2);
    const double smoothing = number(call, 0);
    float *dx = output(call, 0);
    const int64_t n = last_dim(call->inputs[2]);
    const Range rows = share_rows(input_size(call, 0), part);
    const float keep = 1 - smoothing, add = smoothing / n;
    const float *t_end = y_true + input_size(call, 1), *p_end = probabilities + input_size(call, 2);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *t = y_true + row * n, *p = probabilities + row * n;
        const float weight = sum_of(t, n) * keep + smoothing;
        for (int64_t i = 0; i < n; i += WIDTH) {
            const V target = v_load_row(t + i, n - i, t_end - t - i, 0) * keep + add;
            const V probability = v_load_row(p + i, n - i, p_end - p - i, 0);
            v_store_part(dx + row * n + i, dy[row] * (probability * weight - target), n - i);
        }
    }
}

static void sparse_categorical_crossentropy(const Call *call, Part part)
{
    const int32_t *labels = input(call, 0);
    const float *y_pred = input(call, 1);
    const int64_t ignore = integer(call, 0);
    float *loss = output(call, 0);
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float *p_end = y_pred + input_size(call, 1);

    for (int64_t row = rows.begin; row < rows.end; row += ROWS_AT_ONCE) {
        const int64_t count = rows.end - row < ROWS_AT_ONCE ? rows.end - row : ROWS_AT_ONCE;
        float sums[ROWS_AT_ONCE] = {0}, chosen[ROWS_AT_ONCE] = {0};
        for (int64_t r = 0; r < count; r++) {
            const float *p = y_pred + (row + r) * n;
            const int32_t label = labels[row + r];
            V sum = {0};
            for (int64_t i = 0; i < n; i += WIDTH)
                sum += v_where(first_lanes(n - i), clip(v_load_row(p + i, n - i, p_end - p - i, 0)));
            sums[r] = label == ignore ? 1 : v_sum(sum);
            chosen[r] = label == ignore ? 1 : label >= 0 && label < n ? clip_one(p[label]) : NAN;
        }
        log_all(sums);
        log_all(chosen);
        for (int64_t r = 0; r < count; r++) loss[row + r] = sums[r] - chosen[r];
    }
}

static void sparse_categorical_crossentropy_grad(const Call *call, Part part)
{
    const float *dy = input(call, 0);
    const int32_t *labels = input(call, 1);
    const float *y_pred = input(call, 2);
    const int64_t ignore = integer(call, 0);
    float *dx = output(call, 0);
    const int64_t n = last_dim(call->inputs[2]);
    const Range rows = share_rows(input_size(call, 0), part);
    const float *p_end = y_pred + input_size(call, 2);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *p = y_pred + row * n;
        float *d = dx + row * n;
        const int32_t label = labels[row];
        const int known = label >= 0 && label < n;
        V sum = {0};
        for (int64_t i = 0; i < n; i += WIDTH)
            sum += v_where(first_lanes(n - i), clip(v_load_row(p + i, n - i, p_end - p - i, 0)));
        const float slope = label == ignore ? 0 : known ? dy[row] / v_sum(sum) : NAN;
        for (int64_t i = 0; i < n; i++) d[i] = (p[i] < LOW) | (p[i] > HIGH) ? 0 * slope : slope;
        if (known && label != ignore && !(p[label] < LOW || p[label] > HIGH)) d[label] -= dy[row] / p[label];
    }
}

static void sparse_softmax_crossentropy(const Call *call, Part part)
{
    const int32_t *labels = input(call, 0);
    const float *logits = input(call, 1);
    const int64_t ignore = integer(call, 0);
    float *loss = output(call, 0);
    float *probabilities = output(call, 1);
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float *x_end = logits + input_size(call, 1);

    for (int64_t row = rows.begin; row < rows.end; row += ROWS_AT_ONCE) {
        const int64_t count = rows.end - row < ROWS_AT_ONCE ? rows.end - row : ROWS_AT_ONCE;
        float sums[ROWS_AT_ONCE] = {0}, chosen[ROWS_AT_ONCE];
        for (int64_t r = 0; r < count; r++) {
            const float *x = logits + (row + r) * n;
            const int32_t label = labels[row + r];
            const Exponentials exponentials = softmax_row(probabilities + (row + r) * n, x, n, x_end);
            sums[r] = label == ignore ? 1 : exponentials.sum;
            chosen[r] = label == ignore ? 0 : label >= 0 && label < n ? x[label] - exponentials.highest : NAN;
        }
        log_all(sums);
        for (int64_t r = 0; r < count; r++) loss[row + r] = sums[r] - chosen[r];
    }
}

static void sparse_softmax_crossentropy_grad(const Call *call, Part part)
{
    const float *dy = input(call, 0);
    const int32_t *labels = input(call, 1);
    const float *probabilities = input(call, 2);
    const int64_t ignore = integer(call, 0);
    float *dx = output(call, 0);
    const int64_t n = last_dim(call->inputs[2]);
    const Range rows = share_rows(input_size(call, 0), part);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *p = probabilities + row * n;
        float *d = dx + row * n;
        const int32_t label = labels[row];
        const int known = label >= 0 && label < n;
        if (label == ignore) {
            memset(d, 0, n * sizeof *d);
            continue;
        }
        const float slope = known ? dy[row] : NAN;
        for (int64_t i = 0; i < n; i++) d[i] = slope * p[i];
        if (known) d[label] = slope * (p[label] - 1);
    }
}

/* Costs of losses are per row: of one element for the means of terms, of ten classes for the others. */
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
    {"categorical_crossentropy(y_true, y_pred, *, smoothing)", categorical_crossentropy, ROWS, 20},
    {"categorical_crossentropy_grad(dy, y_true, y_pred, *, smoothing)", categorical_crossentropy_grad, ROWS, 1.5},
    {"softmax_crossentropy(y_true, logits, *, smoothing)", softmax_crossentropy, ROWS, 20},
    {"softmax_crossentropy_grad(dy, y_true, probabilities, *, smoothing)", softmax_crossentropy_grad, ROWS, 1},
    {"sparse_categorical_crossentropy(labels, y_pred, *, ignore)", sparse_categorical_crossentropy, ROWS, 7},
    {"sparse_categorical_crossentropy_grad(dy, labels, y_pred, *, ignore)", sparse_categorical_crossentropy_grad,
     ROWS, 0.8},
    {"sparse_softmax_crossentropy(labels, logits, *, ignore)", sparse_softmax_crossentropy, ROWS, 13},
    {"sparse_softmax_crossentropy_grad(dy, labels, probabilities, *, ignore)", sparse_softmax_crossentropy_grad,
     ROWS, 0.3},
    {0},
};
