/* crossentropy.h: categorical cross-entropies and their gradients, one number per sample; see
 * fastnn/reference/loss.py. WIDTH samples at a time, so that the logarithms and divisions fill a vector. */
#ifndef FASTNN_CROSSENTROPY_H
#define FASTNN_CROSSENTROPY_H

#include "vector/rows.h"
#include "kernels/terms.h"

static void categorical_crossentropy(const Call *call, Part part)
{
    const float *y_true = input(call, 0);
    const float *y_pred = input(call, 1);
    const double smoothing = number(call, 0);
    float *loss = output(call, 0);
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

static void categorical_crossentropy_grad(const Call *call, Part part)
{
    const float *dy = input(call, 0);
    const float *y_true = input(call, 1);
    const float *y_pred = input(call, 2);
    const double smoothing = number(call, 0);
    float *dx = output(call, 0);
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

static void softmax_crossentropy(const Call *call, Part part)
{
    const float *y_true = input(call, 0);
    const float *logits = input(call, 1);
    const double smoothing = number(call, 0);
    float *loss = output(call, 0);
    float *probabilities = output(call, 1);
    const int64_t n = last_dim(call->inputs[1]), size = input_size(call, 1);
    const Range rows = share_rows(output_size(call, 0), part);
    const float keep = 1 - smoothing, add = smoothing / n;

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float high[WIDTH];
        const V log_sums =
            v_log(softmax_each(probabilities + row * n, logits + row * n, high, n, count, logits + size));
        const V weights = sum_each(y_true + row * n, n, count, y_true + size) * keep + (float)smoothing;
        V dots[WIDTH];
        for (int64_t r = 0; r < count; r++) {
            V dot = {0};
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH) {   /* the padding has x = max x */
                const V t = v_load_row(y_true + at, n - i, size - at, 0) * keep + add;
                const V below = v_load_row(logits + at, n - i, size - at, high[r]) - high[r];
                dot += v_where(first_lanes(n - i), t * below);
            }
            dots[r] = dot;
        }
        no_rows(dots, count);
        v_store_part(loss + row, log_sums * weights - v_sum_rows(dots), count);
    }
}

static void softmax_crossentropy_grad(const Call *call, Part part)
{
    const float *dy = input(call, 0);
    const float *y_true = input(call, 1);
    const float *probabilities = input(call, 2);
    const double smoothing = number(call, 0);
    float *dx = output(call, 0);
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

/* The sums of the clipped probabilities of each row. */
INLINE V clipped_sum_each(const float *p, int64_t n, int64_t count, const float *end)
{
    V sums[WIDTH];
    for (int64_t r = 0; r < count; r++, p += n) {
        V sum = {0};
        for (int64_t i = 0; i < n; i += WIDTH)
            sum += v_where(first_lanes(n - i), clip(v_load_row(p + i, n - i, end - p - i, 0)));
        sums[r] = sum;
    }
    no_rows(sums, count);
    return v_sum_rows(sums);
}

static void sparse_categorical_crossentropy(const Call *call, Part part)
{
    const int32_t *labels = input(call, 0);
    const float *y_pred = input(call, 1);
    const int64_t ignore = integer(call, 0);
    float *loss = output(call, 0);
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float *end = y_pred + input_size(call, 1);

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float sum[WIDTH], chosen[WIDTH] = {0};
        v_store(sum, clipped_sum_each(y_pred + row * n, n, count, end));
        for (int64_t r = 0; r < count; r++) {
            const int32_t label = labels[row + r];
            chosen[r] = label >= 0 && label < n ? clip_one(y_pred[(row + r) * n + label]) : NAN;
            if (label == ignore) chosen[r] = sum[r] = 1;
        }
        v_store_part(loss + row, v_log(v_load(sum)) - v_log(v_load(chosen)), count);
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
    const float *end = y_pred + input_size(call, 2);

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float sum[WIDTH];
        v_store(sum, clipped_sum_each(y_pred + row * n, n, count, end));
        for (int64_t r = 0; r < count; r++) {
            const float *p = y_pred + (row + r) * n;
            float *d = dx + (row + r) * n;
            const int32_t label = labels[row + r];
            const int known = label >= 0 && label < n;
            const float slope = label == ignore ? 0 : known ? dy[row + r] / sum[r] : NAN;
            for (int64_t i = 0; i < n; i += WIDTH) {
                const V v = v_load_row(p + i, n - i, end - p - i, 0);
                v_store_part(d + i, v_select(clipped(v), v_splat(0 * slope), v_splat(slope)), n - i);
            }
            if (known && label != ignore && !(p[label] < LOW || p[label] > HIGH))
                d[label] = slope - dy[row + r] / p[label];
        }
    }
}

/* Whether the label is the place of the first maximum, as first_highest() says where either all or none are NaN. */
INLINE int is_first_highest(const float *p, int64_t n, int64_t label, const float *end)
{
    if (label < 0 || label >= n) return 0;
    const V mine = v_splat(p[label]);
    I higher = {0};
    for (int64_t i = 0; i < n; i += WIDTH) {
        const V v = v_load_row(p + i, n - i, end - p - i, -INFINITY);
        const I before = v_lanes() + (int32_t)i < i_splat((int32_t)label);
        higher |= (before & ~(v < mine)) | (~before & (v > mine));
    }
    return !i_any(higher);
}

static void sparse_softmax_crossentropy(const Call *call, Part part)
{
    const int32_t *labels = input(call, 0);
    const float *logits = input(call, 1);
    const int64_t ignore = integer(call, 0);
    float *loss = output(call, 0);
    float *probabilities = output(call, 1);
    float *right = output(call, 2);
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float *end = logits + input_size(call, 1), *p_end = probabilities + input_size(call, 1);

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float high[WIDTH], losses[WIDTH], below[WIDTH] = {0};
        const V log_sums = v_log(softmax_each(probabilities + row * n, logits + row * n, high, n, count, end));
        for (int64_t r = 0; r < count; r++) {
            const int32_t label = labels[row + r];
            below[r] = label >= 0 && label < n ? logits[(row + r) * n + label] - high[r] : NAN;
        }
        v_store(losses, log_sums - v_load(below));
        for (int64_t r = 0; r < count; r++) {
            loss[row + r] = labels[row + r] == ignore ? 0 : losses[r];
            right[row + r] = is_first_highest(probabilities + (row + r) * n, n, labels[row + r], p_end);
        }
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
    const float *end = probabilities + input_size(call, 2);

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
        for (int64_t i = 0; i < n; i += WIDTH)
            v_store_part(d + i, slope * v_load_row(p + i, n - i, end - p - i, 0), n - i);
        if (known) d[label] = slope * (p[label] - 1);
    }
}

#endif
