/* batch_norm.c: normalization of batches, and the way back; see fastnn/reference/batch_norm.py.
 * Work is never split inside a sum.
 *
 * A strip is as many channels as four vectors hold (vector/columns.h): what is one number in the formula is an array of
 * STRIP numbers here, one a channel, and a sum over a batch goes down the rows of the strip. Sums and statistics are in
 * float64; what touches every element is in float32. */
#include "vector/columns.h"

enum { LINE = 16 };      /* channels in a cache line, which belong to one worker */

/* y = (x - mean) scale + shift with scale = gamma / sqrt(variance + epsilon). The batch's statistics are sums over all
 * rows of a channel, so a worker has channels; the moving ones are there, and it has rows. */
static void batch_norm(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);                   /* (…, channels) */
    const float *restrict gamma = input(call, 1);               /* (channels,) */
    const float *restrict beta = input(call, 2);                /* (channels,) */
    const float *restrict moving_mean = input(call, 3);         /* (channels,) or (0,) */
    const float *restrict moving_variance = input(call, 4);     /* (channels,) or (0,) */
    const double epsilon = number(call, 0);
    float *restrict y = output(call, 0);                        /* (…, channels) */
    float *restrict mean = output(call, 1);                     /* (channels,) or NULL */
    float *restrict variance = output(call, 2);                 /* (channels,) or NULL */
    const int64_t channels = input_size(call, 1), rows = channels ? input_size(call, 0) / channels : 0;
    const int moving = input_size(call, 3) > 0, tells = !moving || part.index == 0;
    const Range across = moving ? (Range){0, channels} : share(channels, LINE, part);
    const Range down = moving ? share_rows(rows, part) : (Range){0, rows};

    for (int64_t c = across.begin; c < across.end; c += STRIP) {
        const Strip s = {down.end - down.begin, across.end - c < STRIP ? across.end - c : STRIP, channels};
        const int64_t at = down.begin * channels + c;
        double means[STRIP] = {0}, variances[STRIP] = {0}, factors[STRIP];
        float centre[STRIP], scale[STRIP], shift[STRIP];
        int wide = 0;
        load_strip(scale, gamma + c, s.width);
        load_strip(shift, beta + c, s.width);
        if (moving) {
            for (int64_t j = 0; j < s.width; j++) means[j] = moving_mean[c + j], variances[j] = moving_variance[c + j];
        } else {
            column_moments(x + c, s, means, variances);
            for (int64_t j = 0; j < STRIP; j++) variances[j] /= rows;
        }
        for (int64_t j = 0; j < STRIP; j++) {      /* what rounding the mean leaves goes into the shift */
            centre[j] = rounded(means[j]);
            const double factor = factors[j] = scale[j] / sqrt(variances[j] + epsilon);
            scale[j] = (float)factor;
            shift[j] = (float)(shift[j] + (centre[j] - means[j]) * factor);
            wide |= variances[j] > WIDE * WIDE;
            if (variances[j] > FLT_MAX) variances[j] = FLT_MAX;      /* which stays finite in a moving mean of it */
        }
        if (wide) wide_scale(x + at, y + at, means, factors, beta + c, s);
        else scale_columns(x + at, y + at, centre, scale, shift, s);
        if (mean && tells) store_strip(mean + c, means, s.width);
        if (variance && tells) store_strip(variance + c, variances, s.width);
    }
}

/* dx = factor (dy - Σ dy / n - x̂ Σ dy x̂ / n) with factor = gamma rstd and x̂ = (x - mean) rstd is computed as
 * a dy + b (x - mean) + c: a = factor, b = -factor rstd Σ dy x̂ / n, c = -factor Σ dy / n. The two sums are dbeta and
 * dgamma. */
static void batch_norm_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);         /* (…, channels) */
    const float *restrict x = input(call, 1);          /* (…, channels) */
    const float *restrict gamma = input(call, 2);      /* (channels,) */
    const float *restrict mean = input(call, 3);       /* (channels,) */
    const float *restrict variance = input(call, 4);   /* (channels,) */
    const double epsilon = number(call, 0);
    float *restrict dx = output(call, 0);              /* (…, channels) or NULL */
    float *restrict dgamma = output(call, 1);          /* (channels,) or NULL */
    float *restrict dbeta = output(call, 2);           /* (channels,) or NULL */
    const int64_t channels = input_size(call, 2), rows = channels ? input_size(call, 0) / channels : 0;
    const Range range = share(channels, LINE, part);

    for (int64_t col = range.begin; col < range.end; col += STRIP) {
        const Strip s = {rows, range.end - col < STRIP ? range.end - col : STRIP, channels};
        double sums[STRIP] = {0}, products[STRIP] = {0}, means[STRIP], squares[STRIP];
        double wide_a[STRIP], wide_b[STRIP], wide_c[STRIP];
        float centre[STRIP], spread[STRIP], a[STRIP], b[STRIP], c[STRIP];
        int wide = 0;
        load_strip(centre, mean + col, s.width);
        load_strip(spread, variance + col, s.width);
        load_strip(a, gamma + col, s.width);
        for (int64_t j = 0; j < s.width; j++) wide |= spread[j] > WIDE * WIDE;
        if (wide) column_moments(x + col, s, means, squares);      /* of a variance that became FLT_MAX */
        (wide ? wide_sums : column_sums)(dy + col, x + col, centre, s, sums, products);
        for (int64_t j = 0; j < STRIP; j++) {
            const double variance = spread[j] == FLT_MAX ? squares[j] / rows : spread[j];
            const double rstd = 1 / sqrt(variance + epsilon), factor = a[j] * rstd;
            products[j] *= rstd;
            a[j] = (float)(wide_a[j] = factor);
            b[j] = (float)(wide_b[j] = -factor * rstd * products[j] / rows);
            c[j] = (float)(wide_c[j] = -factor * sums[j] / rows);
        }
        if (dx && wide) wide_combine(dy + col, x + col, dx + col, centre, wide_a, wide_b, wide_c, s);
        else if (dx) combine_columns(dy + col, x + col, dx + col, centre, a, b, c, s);
        if (dgamma) store_strip(dgamma + col, products, s.width);
        if (dbeta) store_strip(dbeta + col, sums, s.width);
    }
}

extern const Kernel FAMILY(batch_norm)[];
const Kernel FAMILY(batch_norm)[] = {
    {"batch_norm(x, gamma, beta, moving_mean, moving_variance, *, epsilon)", batch_norm},
    {"batch_norm_grad(dy, x, gamma, mean, variance, *, epsilon)", batch_norm_grad},
    {0},
};
