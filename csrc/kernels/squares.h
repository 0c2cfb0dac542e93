/* squares.h: sums of squares in float64, which no float32 is too large or too small for. */
#ifndef FASTNN_SQUARES_H
#define FASTNN_SQUARES_H

#include <stdint.h>

/* Σ x² of n numbers that lie together, in 16 sums and then their sum. */
static inline double square_run(const float *x, int64_t n)
{
    enum { SUMS = 16 };
    double sums[SUMS] = {0};
    int64_t i = 0;
    for (; i + SUMS <= n; i += SUMS)
        for (int l = 0; l < SUMS; l++) sums[l] += (double)x[i + l] * x[i + l];
    for (; i < n; i++) sums[i % SUMS] += (double)x[i] * x[i];
    for (int half = SUMS / 2; half; half /= 2)
        for (int l = 0; l < half; l++) sums[l] += sums[l + half];
    return sums[0];
}

/* totals += x² of `rows` rows of `width` floats, `stride` apart. */
static inline void square_rows_into(double *totals, const float *x, int64_t rows, int64_t width, int64_t stride)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < width; j++) totals[j] += (double)x[r * stride + j] * x[r * stride + j];
}

#endif
