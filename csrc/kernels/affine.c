/* affine.c: affine maps of images; see fastnn/reference/affine.py.
 *
 * Positions are computed in double, in the reference's order of operations. Products of a float and a pixel's number
 * are exact there, so that a compiler may fuse them with sums: C and the reference choose the same pixels. */
#include <math.h>

#include "fastnn.h"

enum { CONSTANT, NEAREST, REFLECT, WRAP };   /* what lies outside of an image */
static const double far = 0x1p30;            /* positions are cut to +-far, so that they fit an integer */

/* sin or cos of |angle| <= pi/4, their Taylor series to a relative 1e-17: the C library's last bit differs between
 * systems. `first` is the first term, `power` its power of the angle. */
static inline double series(double angle, double first, int power)
{
    double term = first, sum = first;
    for (int k = power; k < power + 16; k += 2) {
        term *= -angle * angle / ((k + 1) * (k + 2));
        sum += term;
    }
    return sum;
}

static void affine_matrix(const Call *call, Part part)
{
    const float *restrict turns = input(call, 0);   /* (batch,) */
    const float *restrict zoom = input(call, 1);    /* (batch, 2) */
    const float *restrict shift = input(call, 2);   /* (batch, 2) */
    const int64_t height = integer(call, 0);
    const int64_t width = integer(call, 1);
    float *restrict transform = output(call, 0);    /* (batch, 6) */
    const double x = (width - 1) / 2.0, y = (height - 1) / 2.0;
    const Range range = share_rows(input_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) {
        const double turn = turns[i] - rint(turns[i]);
        const int quarter = fabs(turn) <= 0.5 ? (int)rint(4 * turn) : 0;      /* 0 for NaN */
        const double angle = 2 * 0x1.921fb54442d18p+1 * (turn - quarter / 4.0);
        const double c = series(angle, 1, 0), s = series(angle, angle, 1);
        const double cosine = quarter & 1 ? (quarter & 2 ? s : -s) : quarter & 2 ? -c : c;
        const double sine = quarter & 1 ? (quarter & 2 ? -c : c) : quarter & 2 ? -s : s;
        const double zy = zoom[2 * i], zx = zoom[2 * i + 1];
        const double a0 = zx * cosine, a1 = -zx * sine, b0 = zy * sine, b1 = zy * cosine;
        float *row = transform + 6 * i;
        row[0] = a0;
        row[1] = a1;
        row[2] = x - a0 * x - a1 * y - (double)shift[2 * i + 1] * width;
        row[3] = b0;
        row[4] = b1;
        row[5] = y - b0 * x - b1 * y - (double)shift[2 * i] * height;
    }
}

/* The pixel, of n, that stands for number i; -1 for the fill value. */
static inline int64_t within(int64_t i, int64_t n, int64_t mode)
{
    if (i >= 0 && i < n) return i;
    switch (mode) {
    case CONSTANT: return -1;
    case NEAREST: return i < 0 ? 0 : n - 1;
    case REFLECT:
        i %= 2 * n;
        if (i < 0) i += 2 * n;
        return i < n ? i : 2 * n - 1 - i;
    default:   /* WRAP */
        i %= n;
        return i < 0 ? i + n : i;
    }
}

static inline double nearby(double p) { return p > -far ? p < far ? p : far : -far; }    /* -far for NaN */

/* The numbers of the pixels that an output pixel mixes, counted in floats from the image's first, -1 for the fill
 * value, and their weights; returns how many. */
static inline int mixed(int64_t *place, float *weight, double y, double x, int64_t h, int64_t w, int64_t c,
                        int bilinear, int64_t mode)
{
    if (!bilinear) {
        const int64_t i = within((int64_t)copysign(floor(fabs(y) + 0.5), y), h, mode);
        const int64_t j = within((int64_t)copysign(floor(fabs(x) + 0.5), x), w, mode);
        place[0] = i < 0 || j < 0 ? -1 : (i * w + j) * c;
        weight[0] = 1;
        return 1;
    }
    const double y0 = floor(y), x0 = floor(x);
    const float ty = y - y0, tx = x - x0;
    const int64_t i = y0, j = x0;
    weight[0] = (1 - ty) * (1 - tx);
    weight[1] = (1 - ty) * tx;
    weight[2] = ty * (1 - tx);
    weight[3] = ty * tx;
    if (i >= 0 && i < h - 1 && j >= 0 && j < w - 1) {
        place[0] = (i * w + j) * c;
        place[1] = place[0] + c;
        place[2] = place[0] + w * c;
        place[3] = place[2] + c;
        return 4;
    }
    const int64_t row[2] = {within(i, h, mode), within(i + 1, h, mode)};
    const int64_t column[2] = {within(j, w, mode), within(j + 1, w, mode)};
    for (int k = 0; k < 4; k++)
        place[k] = row[k / 2] < 0 || column[k % 2] < 0 ? -1 : (row[k / 2] * w + column[k % 2]) * c;
    return 4;
}

/* One row of output; with c and bilinear known to the compiler where it matters. */
static inline __attribute__((always_inline)) void transform_row(
    float *y, const float *x, const float *t, int64_t i, int64_t h, int64_t w, int64_t c, int bilinear, int64_t mode,
    float fill)
{
    const double x_row = t[1] * (double)i + t[2], y_row = t[4] * (double)i + t[5];
    for (int64_t j = 0; j < w; j++, y += c) {
        int64_t place[4];
        float weight[4];
        const int count = mixed(place, weight, nearby(y_row + t[3] * (double)j), nearby(x_row + t[0] * (double)j), h, w,
                                c, bilinear, mode);
        if (bilinear && place[0] >= 0 && place[1] >= 0 && place[2] >= 0 && place[3] >= 0) {
            const float *p = x + place[0], *q = x + place[1], *r = x + place[2], *s = x + place[3];
            for (int64_t k = 0; k < c; k++)
                y[k] = weight[0] * p[k] + weight[1] * q[k] + weight[2] * r[k] + weight[3] * s[k];
            continue;
        }
        for (int64_t k = 0; k < c; k++) {
            float sum = weight[0] * (place[0] < 0 ? fill : x[place[0] + k]);
            for (int n = 1; n < count; n++) sum += weight[n] * (place[n] < 0 ? fill : x[place[n] + k]);
            y[k] = sum;
        }
    }
}

static void affine_transform(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);           /* (batch, h, w, c) */
    const float *restrict transform = input(call, 1);   /* (batch, 6) */
    const int bilinear = integer(call, 0);
    const int64_t fill_mode = integer(call, 1);
    const float fill_value = number(call, 2);
    float *restrict y = output(call, 0);                /* (batch, h, w, c) */
    const int64_t batch = output_dim(call, 0, 0), h = output_dim(call, 0, 1);
    const int64_t w = output_dim(call, 0, 2), c = output_dim(call, 0, 3);
    const Range rows = share_rows(batch * h, part);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *from = x + row / h * h * w * c, *t = transform + row / h * 6;
        float *to = y + row * w * c;
        if (c == 1 && bilinear) transform_row(to, from, t, row % h, h, w, 1, 1, fill_mode, fill_value);
        else if (c == 3 && bilinear) transform_row(to, from, t, row % h, h, w, 3, 1, fill_mode, fill_value);
        else transform_row(to, from, t, row % h, h, w, c, bilinear, fill_mode, fill_value);
    }
}

static void affine_transform_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);          /* (batch, h, w, c) */
    const float *restrict transform = input(call, 1);   /* (batch, 6) */
    const int bilinear = integer(call, 0);
    const int64_t fill_mode = integer(call, 1);
    float *restrict dx = output(call, 0);               /* (batch, h, w, c) */
    const int64_t batch = output_dim(call, 0, 0), h = output_dim(call, 0, 1);
    const int64_t w = output_dim(call, 0, 2), c = output_dim(call, 0, 3);
    const Range images = share_rows(batch, part);

    for (int64_t image = images.begin; image < images.end; image++) {
        const float *t = transform + image * 6, *from = dy + image * h * w * c;
        float *to = dx + image * h * w * c;
        for (int64_t k = 0; k < h * w * c; k++) to[k] = 0;
        for (int64_t i = 0; i < h; i++) {
            const double x_row = t[1] * (double)i + t[2], y_row = t[4] * (double)i + t[5];
            for (int64_t j = 0; j < w; j++, from += c) {
                int64_t place[4];
                float weight[4];
                const int count = mixed(place, weight, nearby(y_row + t[3] * (double)j),
                                        nearby(x_row + t[0] * (double)j), h, w, c, bilinear, fill_mode);
                for (int n = 0; n < count; n++)
                    for (int64_t k = 0; place[n] >= 0 && k < c; k++) to[place[n] + k] += weight[n] * from[k];
            }
        }
    }
}

extern const Kernel FAMILY(affine)[];
const Kernel FAMILY(affine)[] = {
    {"affine_matrix(turns, zoom, shift, *, height, width)", affine_matrix},
    {"affine_transform(x, transform, *, bilinear, fill_mode, fill_value)", affine_transform},
    {"affine_transform_grad(dy, transform, *, bilinear, fill_mode)", affine_transform_grad},
    {0},
};
