/* columns.h: passes over channels that lie side by side, for the kernels of normalization.
 *
 * Means and variances are one pass over deviations from a guess, the mean of the first rows; sums go to float64 every
 * TERMS rows. The guess is the mean of m of the n values, so it is at most n/m variances away, and nothing cancels
 * where the mean is far larger than the spread. Numbers whose squares no float32 can hold, from 2e19 on, go through the
 * same formulas in float64 (the `wide_` functions): where a sum has become infinite, or the spread is above WIDE. */
#ifndef FASTNN_COLUMNS_H
#define FASTNN_COLUMNS_H

#include <float.h>

#include "vector/simd.h"

#define WIDE 0x1p+50      /* spreads (roots of variances) that are worth float64 */

/* AHEAD: rows fetched early. A worker's channels are read in jumps, which the hardware does not foresee: batch_norm of
 * (128, 14, 14, 64) on two cores took 1049 us without, 795 with. */
enum { STRIP = 4 * WIDTH, TERMS = 16, FIRST = 64, AHEAD = 32 };

/* Up to STRIP channels that lie side by side, in all rows; arrays are full, the places past `width` unused. */
typedef struct Strip {
    int64_t rows, width, stride;
} Strip;

static inline void load_strip(float *to, const float *from, int64_t width)
{
    for (int64_t j = 0; j < STRIP; j++) to[j] = j < width ? from[j] : 0;
}

static inline void store_strip(float *to, const double *from, int64_t width)
{
    for (int64_t j = 0; j < width; j++) to[j] = (float)from[j];
}

/* (float)x, kept: gcc 12 at -O3 without AVX takes (double)(float)x for x, and (float)x - x for 0, in vectors of two. */
static inline float rounded(double x)
{
    volatile float nearest = (float)x;
    return nearest;
}

INLINE void add_lanes(double *totals, V part)
{
    float lanes[WIDTH];
    v_store(lanes, part);
    for (int l = 0; l < WIDTH; l++) totals[l] += lanes[l];
}

/* Mean and summed squared deviations of numbers that lie `stride` apart. */
static void wide_moments(const float *x, int64_t rows, int64_t stride, double *mean, double *squares)
{
    double sum = 0, square = 0;
    for (int64_t r = 0; r < rows; r++) sum += x[r * stride];
    *mean = sum / rows;
    for (int64_t r = 0; r < rows; r++) square += (x[r * stride] - *mean) * (x[r * stride] - *mean);
    *squares = square;
}

/* Mean and summed squared deviations of each column. */
static void column_moments(const float *x, Strip s, double *mean, double *squares)
{
    for (int64_t v = 0; v < s.width; v += WIDTH) {
        const int64_t n = s.width - v, first = s.rows < FIRST ? s.rows : FIRST;
        V guess = {0};
        for (int64_t r = 0; r < first; r++) guess += v_load_part(x + r * s.stride + v, n, 0);
        guess /= v_splat((float)first);
        double sum[WIDTH] = {0}, square[WIDTH] = {0};
        for (int64_t begin = 0; begin < s.rows; begin += TERMS) {
            const int64_t end = begin + TERMS < s.rows ? begin + TERMS : s.rows;
            V part = {0}, part_square = {0};
            for (int64_t r = begin; r < end; r++) {
                __builtin_prefetch(x + (r + AHEAD) * s.stride + v);
                const V d = v_load_part(x + r * s.stride + v, n, 0) - guess;
                part += d;
                part_square += d * d;
            }
            add_lanes(sum, part);
            add_lanes(square, part_square);
        }
        for (int l = 0; l < WIDTH; l++) {
            const double rest = square[l] - sum[l] * sum[l] / s.rows;
            mean[v + l] = guess[l] + sum[l] / s.rows;
            squares[v + l] = rest < 0 ? 0 : rest;
            if (!(rest < INFINITY) && l < n) wide_moments(x + v + l, s.rows, s.stride, mean + v + l, squares + v + l);
        }
    }
}

/* Σ dy and Σ dy (x - centre) of each column. */
static void column_sums(const float *dy, const float *x, const float *centre, Strip s, double *sums, double *products)
{
    for (int64_t v = 0; v < s.width; v += WIDTH) {
        const int64_t n = s.width - v;
        const V middle = v_load(centre + v);
        for (int l = 0; l < WIDTH; l++) sums[v + l] = products[v + l] = 0;
        for (int64_t begin = 0; begin < s.rows; begin += TERMS) {
            const int64_t end = begin + TERMS < s.rows ? begin + TERMS : s.rows;
            V part = {0}, product = {0};
            for (int64_t r = begin; r < end; r++) {
                __builtin_prefetch(dy + (r + AHEAD) * s.stride + v);
                __builtin_prefetch(x + (r + AHEAD) * s.stride + v);
                const V d = v_load_part(dy + r * s.stride + v, n, 0);
                part += d;
                product += d * (v_load_part(x + r * s.stride + v, n, 0) - middle);
            }
            add_lanes(sums + v, part);
            add_lanes(products + v, product);
        }
    }
}

static void wide_sums(const float *dy, const float *x, const float *centre, Strip s, double *sums, double *products)
{
    for (int64_t j = 0; j < s.width; j++) {
        sums[j] = products[j] = 0;
        for (int64_t r = 0; r < s.rows; r++) {
            const double d = dy[r * s.stride + j];
            sums[j] += d;
            products[j] += d * ((double)x[r * s.stride + j] - centre[j]);
        }
    }
}

/* y = (x - mean) scale + beta, column by column. */
static void wide_scale(const float *x, float *y, const double *mean, const double *scale, const float *beta, Strip s)
{
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t j = 0; j < s.width; j++)
            y[r * s.stride + j] = (float)((x[r * s.stride + j] - mean[j]) * scale[j] + beta[j]);
}

/* dx = a dy + b (x - centre) + c, column by column. */
static void wide_combine(const float *dy, const float *x, float *dx, const float *centre, const double *a,
                         const double *b, const double *c, Strip s)
{
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t j = 0; j < s.width; j++) {
            const int64_t at = r * s.stride + j;
            dx[at] = (float)(a[j] * dy[at] + b[j] * ((double)x[at] - centre[j]) + c[j]);
        }
}

/* y = (x - centre) scale + shift, column by column. */
static void scale_columns(const float *x, float *y, const float *centre, const float *scale, const float *shift,
                          Strip s)
{
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t v = 0; v < s.width; v += WIDTH) {
            const int64_t at = r * s.stride + v, n = s.width - v;
            __builtin_prefetch(x + at + AHEAD * s.stride);
            __builtin_prefetch(y + at + AHEAD * s.stride, 1);
            const V d = v_load_part(x + at, n, 0) - v_load(centre + v);
            v_store_part(y + at, d * v_load(scale + v) + v_load(shift + v), n);
        }
}

/* dx = a dy + b (x - centre) + c, column by column. */
static void combine_columns(const float *dy, const float *x, float *dx, const float *centre, const float *a,
                            const float *b, const float *c, Strip s)
{
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t v = 0; v < s.width; v += WIDTH) {
            const int64_t at = r * s.stride + v, n = s.width - v;
            __builtin_prefetch(x + at + AHEAD * s.stride);
            __builtin_prefetch(dy + at + AHEAD * s.stride);
            __builtin_prefetch(dx + at + AHEAD * s.stride, 1);
            const V d = v_load_part(x + at, n, 0) - v_load(centre + v);
            const V moved = d * v_load(b + v) + v_load(c + v);
            v_store_part(dx + at, v_load_part(dy + at, n, 0) * v_load(a + v) + moved, n);
        }
}

#endif
