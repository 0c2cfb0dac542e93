/* terms.h: losses that are means of independent terms. For kernels/loss.c and kernels/crossentropy.c.
 *
 * Terms are computed on contiguous elements and then averaged in groups, so that rows of one element fill whole
 * vectors.
 */
#ifndef FASTNN_TERMS_H
#define FASTNN_TERMS_H

#include "vector/rows.h"

enum { BLOCK = 512 };

/* The sum of n floats, in an order that depends on n only. */
static float sum_of(const float *x, int64_t n)
{
    float sum = 0;
    int64_t i = 0;
    if (n >= WIDTH) {
        V sums = {0};
        for (; i + WIDTH <= n; i += WIDTH) sums += v_load(x + i);
        sum = v_sum(sums);
    }
    for (; i < n; i++) sum += x[i];
    return sum;
}

/* to = f(keep * y_true + add, y_pred) for `size` elements. */
INLINE void each(float *to, const float *y_true, const float *y_pred, int64_t size, V (*f)(V t, V x), V keep, V add)
{
    int64_t i = 0;
    for (; i + WIDTH <= size; i += WIDTH) v_store(to + i, f(v_load(y_true + i) * keep + add, v_load(y_pred + i)));
    if (i < size) {
        const int64_t n = size - i;
        v_store_part(to + i, f(v_load_part(y_true + i, n, 0) * keep + add, v_load_part(y_pred + i, n, 0)), n);
    }
}

/* loss = the mean of `term` over each row. Smoothed targets are mixed with 1/2. */
INLINE void mean_of_terms(const Call *call, Part part, V (*term)(V t, V x), double smoothing)
{
    const float *restrict y_true = input(call, 0);   /* (…, n) */
    const float *restrict y_pred = input(call, 1);   /* (…, n) */
    float *restrict loss = output(call, 0);          /* (…) */
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const V keep = v_splat(1 - smoothing), add = v_splat(smoothing / 2);
    float block[BLOCK];

    if (n == 1) {
        each(loss + rows.begin, y_true + rows.begin, y_pred + rows.begin, rows.end - rows.begin, term, keep, add);
        return;
    }
    const int64_t step = n < BLOCK ? BLOCK / n : 1;     /* whole rows in a block, or a row in several blocks */
    for (int64_t row = rows.begin; row < rows.end; row += step) {
        const int64_t count = row + step < rows.end ? step : rows.end - row;
        float sum = 0;
        for (int64_t i = 0; i < count * n; i += BLOCK) {
            const int64_t at = row * n + i, size = count * n - i < BLOCK ? count * n - i : BLOCK;
            each(block, y_true + at, y_pred + at, size, term, keep, add);
            if (n > BLOCK) sum += sum_of(block, size);
        }
        if (n > BLOCK) loss[row] = sum / n;
        else for (int64_t r = 0; r < count; r++) loss[row + r] = sum_of(block + r * n, n) / n;
    }
}

/* dx = dy * slope / n, dy being one number per row. */
INLINE void scaled_slopes(const Call *call, Part part, V (*slope)(V t, V x), double smoothing)
{
    const float *restrict dy = input(call, 0);       /* (…) */
    const float *restrict y_true = input(call, 1);   /* (…, n) */
    const float *restrict y_pred = input(call, 2);   /* (…, n) */
    float *restrict dx = output(call, 0);            /* (…, n) */
    const int64_t n = last_dim(call->inputs[2]);
    const Range rows = share_rows(input_size(call, 0), part);
    const V keep = v_splat(1 - smoothing), add = v_splat(smoothing / 2);

    if (n == 1) {   /* in one pass: to read dx back right after it was stored took 8 of 20 ns for 4 rows */
        for (int64_t r = rows.begin; r < rows.end; r += WIDTH) {
            const int64_t some = rows.end - r;
            const V t = v_load_part(y_true + r, some, 0) * keep + add;
            v_store_part(dx + r, slope(t, v_load_part(y_pred + r, some, 0)) * v_load_part(dy + r, some, 0), some);
        }
        return;
    }
    const int64_t step = n < BLOCK ? BLOCK / n : 1;
    for (int64_t row = rows.begin; row < rows.end; row += step) {
        const int64_t count = row + step < rows.end ? step : rows.end - row;
        each(dx + row * n, y_true + row * n, y_pred + row * n, count * n, slope, keep, add);
        for (int64_t r = row; r < row + count; r++) {
            const float scale = dy[r] / n;
            for (int64_t i = r * n; i < (r + 1) * n; i++) dx[i] *= scale;
        }
    }
}

#endif
