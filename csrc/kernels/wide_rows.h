/* wide_rows.h: rows of layer_norm whose squares no float32 can hold, in float64 from end to end. For kernels/norm.c
 * only. */
#ifndef FASTNN_WIDE_ROWS_H
#define FASTNN_WIDE_ROWS_H

#include "vector/columns.h"

#define RARE static __attribute__((noinline, cold))      /* keeps the registers of the loop that calls it */

/* y and the mean; 1 / sqrt(variance + epsilon). */
RARE double wide_row(const float *x, const float *gamma, const float *beta, float *y, int64_t n, double epsilon,
                       double *mean)
{
    double squares;
    wide_moments(x, n, 1, mean, &squares);
    const double factor = 1 / sqrt(squares / n + epsilon);
    for (int64_t i = 0; i < n; i++) y[i] = (float)((x[i] - *mean) * factor * gamma[i] + beta[i]);
    return factor;
}

/* A row of layer_norm_grad; the rstd of very large numbers may have become 0, so it is computed anew. */
RARE void wide_row_grad(const float *dy, const float *x, const float *gamma, int64_t n, float *dx, float *to_gamma,
                          float *to_beta, int first)
{
    double mean, squares, sum = 0, product = 0;
    wide_moments(x, n, 1, &mean, &squares);
    const double rstd = 1 / sqrt(squares / n);
    for (int64_t i = 0; i < n; i++) {
        sum += (double)dy[i] * gamma[i];
        product += (double)dy[i] * gamma[i] * ((x[i] - mean) * rstd);
    }
    for (int64_t i = 0; i < n; i++) {
        const double normal = (x[i] - mean) * rstd;
        if (dx) dx[i] = (float)(rstd * ((double)dy[i] * gamma[i] - sum / n - normal * product / n));
        if (to_gamma) to_gamma[i] = (float)((first ? 0 : to_gamma[i]) + dy[i] * normal);
        if (to_beta) to_beta[i] = (first ? 0 : to_beta[i]) + dy[i];
    }
}

#endif
