/* rows.h: sums, maxima and softmax of the rows of a matrix, WIDTH rows at a time.
 *
 * Each row is first reduced to one vector; then WIDTH such vectors are folded together (v_sum_rows), so that what
 * follows, a logarithm or a division, is done for all rows at once. A row's bits do not depend on its neighbours.
 * The end of a row is padded with values that leave sums and maxima as they are; `end` is the end of the whole array.
 */
#ifndef FASTNN_ROWS_H
#define FASTNN_ROWS_H

#include "vector/vmath.h"

INLINE int64_t last_dim(const Tensor *t) { return t->rank ? t->shape[t->rank - 1] : 1; }
INLINE int64_t row_count(const Tensor *t) { return t->size ? t->size / last_dim(t) : 0; }

/* How many of the rows from `row` on are in this block. */
INLINE int64_t block_rows(int64_t row, Range rows) { return rows.end - row < WIDTH ? rows.end - row : WIDTH; }

/* Rows that are not there count as zeros. (`V sums[WIDTH] = {0}` would be a call of memset.) */
INLINE void no_rows(V *rows, int64_t count)
{
    for (int64_t r = count; r < WIDTH; r++) rows[r] = (V){0};
}

/* For count <= WIDTH rows of n floats from x on: */
INLINE V sum_each(const float *x, int64_t n, int64_t count, const float *end)
{
    V sums[WIDTH];
    for (int64_t r = 0; r < count; r++, x += n) {
        V sum = v_load_row(x, n, end - x, 0);
        for (int64_t i = WIDTH; i < n; i += WIDTH) sum += v_load_row(x + i, n - i, end - x - i, 0);
        sums[r] = sum;
    }
    no_rows(sums, count);
    return v_sum_rows(sums);
}

INLINE V highest_each(const float *x, int64_t n, int64_t count, const float *end)
{
    V most[WIDTH];
    for (int64_t r = 0; r < count; r++, x += n) {
        V high = v_load_row(x, n, end - x, -INFINITY);
        for (int64_t i = WIDTH; i < n; i += WIDTH)
            high = v_max(v_load_row(x + i, n - i, end - x - i, -INFINITY), high);
        most[r] = high;
    }
    no_rows(most, count);
    return v_highest_rows(most);
}

/* The sums of e^(x - high), high being one float per row. */
INLINE V exp_sum_each(const float *x, const float *high, int64_t n, int64_t count, const float *end)
{
    V sums[WIDTH];
    for (int64_t r = 0; r < count; r++, x += n) {
        V sum = {0};
        for (int64_t i = 0; i < n; i += WIDTH)
            sum += v_exp(v_load_row(x + i, n - i, end - x - i, -INFINITY) - high[r]);
        sums[r] = sum;
    }
    no_rows(sums, count);
    return v_sum_rows(sums);
}

/* y = softmax(x), unless it is NULL; high gets the maxima. The sums of e^(x - high). */
INLINE V softmax_each(float *y, const float *x, float *high, int64_t n, int64_t count, const float *end)
{
    V first[WIDTH], sums[WIDTH];     /* e^(x - high) of a row's first lanes, its sum; a short row is not stored yet, as
                                      * the load of a masked store waits: 15 ns a row instead of 7 */
    float scale[WIDTH];
    v_store(high, highest_each(x, n, count, end));
    for (int64_t r = 0; r < count; r++) {
        const float *from = x + r * n;
        V sum = first[r] = v_exp(v_load_row(from, n, end - from, -INFINITY) - high[r]);
        for (int64_t i = WIDTH; i < n; i += WIDTH) {
            const V e = v_exp(v_load_row(from + i, n - i, end - from - i, -INFINITY) - high[r]);
            if (y) v_store_part(y + r * n + i, e, n - i);
            sum += e;
        }
        sums[r] = sum;
    }
    no_rows(sums, count);
    const V total = v_sum_rows(sums);
    if (!y) return total;
    v_store(scale, 1.0f / total);
    for (int64_t r = 0; r < count; r++, y += n) {
        v_store_part(y, first[r] * scale[r], n);
        for (int64_t i = WIDTH; i < n; i += WIDTH) v_store_part(y + i, v_load_part(y + i, n - i, 0) * scale[r], n - i);
    }
    return total;
}

/* The place of the first maximum of a row; a NaN is above everything. */
INLINE int64_t first_highest(const float *x, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (!(x[i] <= x[best]) && x[best] == x[best]) best = i;
    return best;
}

/* The same for count <= WIDTH rows. */
INLINE void first_highest_each(int32_t *places, const float *x, int64_t n, int64_t count, const float *end)
{
    if (n < WIDTH / 2) {
        for (int64_t r = 0; r < count; r++) places[r] = first_highest(x + r * n, n);
        return;
    }
    float high[WIDTH], before[WIDTH];
    V firsts[WIDTH];
    I nan = {0};
    v_store(high, highest_each(x, n, count, end));
    for (int64_t r = 0; r < count; r++) {               /* -i as far as it is exact, so that the first one is highest */
        V first = v_splat(-INFINITY);
        for (int64_t i = 0; i < n; i += WIDTH) {
            const V v = v_load_row(x + r * n + i, n - i, end - x - r * n - i, -INFINITY);
            const V place = __builtin_convertvector(-v_lanes() - (int32_t)i, V);
            nan |= v != v;
            first = v_max(v_select(v == high[r], place, v_splat(-INFINITY)), first);
        }
        firsts[r] = first;
    }
    no_rows(firsts, count);
    v_store(before, v_highest_rows(firsts));
    const int exact = n <= 1 << 24 && v_highest(v_where(nan, v_splat(1))) == 0;
    for (int64_t r = 0; r < count; r++) places[r] = exact ? (int32_t)-before[r] : first_highest(x + r * n, n);
}

#endif
