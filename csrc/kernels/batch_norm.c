/* batch_norm.c: normalization of batches, and the way back; see fastnn/reference/batch_norm.py.
 * Work is split by channels, never inside a sum. */
#include "vector/columns.h"

enum { LINE = 16 };      /* channels in a cache line, which belong to one worker */

static void batch_norm(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);       /* (…, channels) */
    const float *restrict gamma = input(call, 1);   /* (channels,) */
    const float *restrict beta = input(call, 2);    /* (channels,) */
    const double epsilon = number(call, 0);
    float *restrict y = output(call, 0);            /* (…, channels) */
    float *restrict mean = output(call, 1);         /* (channels,) or NULL */
    float *restrict variance = output(call, 2);     /* (channels,) or NULL */
    const int64_t channels = input_size(call, 1), rows = channels ? input_size(call, 0) / channels : 0;
    const Range range = share(channels, LINE, part);

    for (int64_t c = range.begin; c < range.end; c += STRIP) {
        const Strip s = {rows, range.end - c < STRIP ? range.end - c : STRIP, channels};
        double means[STRIP] = {0}, variances[STRIP] = {0};
        float centre[STRIP], scale[STRIP], shift[STRIP];
        load_strip(scale, gamma + c, s.width);
        load_strip(shift, beta + c, s.width);
        column_moments(x + c, s, means, variances);
        for (int64_t j = 0; j < STRIP; j++) {      /* what rounding the mean leaves goes into the shift */
            variances[j] /= rows;
            centre[j] = rounded(means[j]);
            const double factor = scale[j] / sqrt(variances[j] + epsilon);
            scale[j] = (float)factor;
            shift[j] = (float)(shift[j] + (centre[j] - means[j]) * factor);
        }
        scale_columns(x + c, y + c, centre, scale, shift, s);
        if (mean) store_strip(mean + c, means, s.width);
        if (variance) store_strip(variance + c, variances, s.width);
    }
}

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
        double sums[STRIP] = {0}, products[STRIP] = {0};
        float centre[STRIP], spread[STRIP], a[STRIP], b[STRIP], c[STRIP];
        load_strip(centre, mean + col, s.width);
        load_strip(spread, variance + col, s.width);
        load_strip(a, gamma + col, s.width);
        column_sums(dy + col, x + col, centre, s, sums, products);
        for (int64_t j = 0; j < STRIP; j++) {
            const double rstd = 1 / sqrt(spread[j] + epsilon), factor = a[j] * rstd;
            products[j] *= rstd;
            a[j] = (float)factor;
            b[j] = (float)(-factor * rstd * products[j] / rows);
            c[j] = (float)(-factor * sums[j] / rows);
        }
        if (dx) combine_columns(dy + col, x + col, dx + col, centre, a, b, c, s);
        if (dgamma) store_strip(dgamma + col, products, s.width);
        if (dbeta) store_strip(dbeta + col, sums, s.width);
    }
}

static void batch_norm_inference(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);          /* (…, channels) */
    const float *restrict gamma = input(call, 1);      /* (channels,) */
    const float *restrict beta = input(call, 2);       /* (channels,) */
    const float *restrict mean = input(call, 3);       /* (channels,) */
    const float *restrict variance = input(call, 4);   /* (channels,) */
    const double epsilon = number(call, 0);
    float *restrict y = output(call, 0);               /* (…, channels) */
    const int64_t channels = input_size(call, 1);
    const Range range = share_rows(channels ? input_size(call, 0) / channels : 0, part);

    for (int64_t c = 0; c < channels; c += STRIP) {
        const Strip s = {range.end - range.begin, channels - c < STRIP ? channels - c : STRIP, channels};
        float centre[STRIP], scale[STRIP], shift[STRIP], spread[STRIP];
        load_strip(centre, mean + c, s.width);
        load_strip(spread, variance + c, s.width);
        load_strip(scale, gamma + c, s.width);
        load_strip(shift, beta + c, s.width);
        for (int64_t j = 0; j < STRIP; j++) scale[j] = (float)(scale[j] / sqrt(spread[j] + epsilon));
        const int64_t at = range.begin * channels + c;
        scale_columns(x + at, y + at, centre, scale, shift, s);
    }
}

extern const Kernel FAMILY(batch_norm)[];
const Kernel FAMILY(batch_norm)[] = {
    {"batch_norm(x, gamma, beta, *, epsilon)", batch_norm},
    {"batch_norm_grad(dy, x, gamma, mean, variance, *, epsilon)", batch_norm_grad},
    {"batch_norm_inference(x, gamma, beta, mean, variance, *, epsilon)", batch_norm_inference},
    {0},
};
