/* random.c: random numbers as a pure function of (seed, draws, stream, element); see fastnn/reference/random.py.
 *
 * C and the reference must give the same bits. Integer work does so by itself; the float64 work is written
 * as the same operations in the same order there, and so the compiler must not fuse products with sums. */
#pragma GCC optimize("fp-contract=off")
#pragma STDC FP_CONTRACT OFF

#include <math.h>
#include <string.h>

#include "fastnn.h"
#include "vector/philox.h"

enum { GROUP = 64 };   /* elements drawn at a time; shares are whole groups */

typedef struct { int64_t seed, draws, stream; } Key;

/* The bits of the group that begins at element `begin`; returns how many elements of it there are. */
static inline __attribute__((always_inline)) int64_t draw(uint32_t *bits, int64_t begin, int64_t end, const Key *key)
{
    const int64_t n = end - begin < GROUP ? end - begin : GROUP;
    philox(bits, begin / 4, n, key->seed, key->stream, key->draws);
    return n;
}

static void draw_key(const Call *call, Part part)
{
    enum { DRAWS = 38 };                                /* bits of a place that count draws */
    const int64_t *restrict state = input(call, 0);     /* (2) */
    Key *restrict key = output(call, 0);                /* (3) */

    (void)part;
    *key = (Key){state[0], state[1] & (((int64_t)1 << DRAWS) - 1), state[1] >> DRAWS};
}

static void draw_step(const Call *call, Part part)
{
    int64_t *restrict state = output(call, 0);          /* (2) */

    (void)part;
    state[1]++;
}

static void random_bits(const Call *call, Part part)
{
    const Key *restrict key = input(call, 0);           /* (3) */
    int32_t *restrict y = output(call, 0);              /* (…) */
    const Range range = share_elements(output_size(call, 0), part);
    uint32_t bits[GROUP];

    for (int64_t begin = range.begin; begin < range.end; begin += GROUP) {
        const int64_t n = draw(bits, begin, range.end, key);
        memcpy(y + begin, bits, n * sizeof *y);
    }
}

static void random_uniform(const Call *call, Part part)
{
    const Key *restrict key = input(call, 0);           /* (3) */
    const double low = number(call, 1);
    const double high = number(call, 2);
    float *restrict y = output(call, 0);                /* (…) */
    const Range range = share_elements(output_size(call, 0), part);
    const double span = (float)(high - low);   /* 24 bits times 24 bits: the product below is exact */
    uint32_t bits[GROUP];

    for (int64_t begin = range.begin; begin < range.end; begin += GROUP) {
        const int64_t n = draw(bits, begin, range.end, key);
        for (int64_t i = 0; i < n; i++)
            y[begin + i] = low + span * ((int32_t)(bits[i] >> 8) * 0x1p-24);
    }
}

/* Horner's rule over eight coefficients, the highest first. */
static inline double polynomial(const double *c, double x)
{
    return ((((((c[0] * x + c[1]) * x + c[2]) * x + c[3]) * x + c[4]) * x + c[5]) * x + c[6]) * x + c[7];
}

/* ln x for normal x in (0, 1], without the C library, whose last bit differs between systems:
 * x = m 2^e with m in [1/sqrt 2, sqrt 2), ln m = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1)/(m + 1). */
static inline double natural_log(double x)
{
    int64_t word;
    memcpy(&word, &x, 8);
    const int32_t e = (int32_t)((uint64_t)(word - 0x3FE6A09E667F3BCD) >> 32) >> 20;
    word -= (int64_t)((uint64_t)(int64_t)e << 52);
    double m;
    memcpy(&m, &word, 8);
    const double s = (m - 1) / (m + 1), z = s * s;
    const double series = ((((((((1.0 / 21 * z + 1.0 / 19) * z + 1.0 / 17) * z + 1.0 / 15) * z + 1.0 / 13) * z
                              + 1.0 / 11) * z + 1.0 / 9) * z + 1.0 / 7) * z + 1.0 / 5) * z + 1.0 / 3;
    return e * 0x1.62e42fefa39efp-1 + 2 * (s + s * z * series);
}

/* The inverse of the normal distribution function: Wichura 1988, AS 241, PPND16. Its last branch, for p below 1e-11,
 * cannot occur here: p is at least 2^-33. The central branch is for |p - 1/2| <= 0.425. */
static const double central_a[] = {
    2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
    13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608};
static const double central_b[] = {
    5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
    5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1};
static const double tail_c[] = {
    7.7454501427834140764e-4, .0227238449892691845833, .24178072517745061177, 1.27045825245236838258,
    3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734};
static const double tail_d[] = {
    1.05075007164441684324e-9, 5.475938084995344946e-4, .0151986665636164571966, .14810397642748007459,
    .68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1};

static inline double normal_quantile(double p)
{
    const double q = p - 0.5;
    const double r = 0.180625 - q * q;
    const double central = q * polynomial(central_a, r) / polynomial(central_b, r);
    const double nearer = q < 0 ? p : 1 - p;
    const double t = sqrt(-natural_log(nearer)) - 1.6;
    const double tail = polynomial(tail_c, t) / polynomial(tail_d, t);
    return fabs(q) <= 0.425 ? central : q < 0 ? -tail : tail;
}

/* y = mean + stddev z, where z is normal, cut to the quantiles between `from` and `to`. */
static inline __attribute__((always_inline)) void normal(const Call *call, Part part, double from, double to)
{
    const Key *restrict key = input(call, 0);           /* (3) */
    const double mean = number(call, 1);
    const double stddev = number(call, 2);
    float *restrict y = output(call, 0);                /* (…) */
    const Range range = share_elements(output_size(call, 0), part);
    uint32_t bits[GROUP];

    for (int64_t begin = range.begin; begin < range.end; begin += GROUP) {
        const int64_t n = draw(bits, begin, range.end, key);
        for (int64_t i = 0; i < n; i++) {
            const double u = (bits[i] + 0.5) * 0x1p-32;
            y[begin + i] = mean + stddev * normal_quantile(from + (to - from) * u);
        }
    }
}

static void random_normal(const Call *call, Part part) { normal(call, part, 0, 1); }

static void truncated_normal(const Call *call, Part part)   /* the quantiles of -2 and 2 */
{
    normal(call, part, 0.022750131948179207, 0.9772498680518208);
}

/* y = x / (1 - rate) where the element is kept: where a uniform number is at least the rate. */
static void dropout(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);           /* (…) */
    const Key given = *(const Key *)input(call, 1);     /* (3) */
    const double rate = number(call, 0);
    const Key key = {given.seed, given.draws, given.stream + integer(call, 1)};
    float *restrict y = output(call, 0);                /* (…) */
    const Range range = share_elements(output_size(call, 0), part);
    const float factor = 1 / (1 - rate);
    const int32_t least = (int32_t)ceil(rate * 0x1p24);   /* of the 24 bits of a uniform number */
    uint32_t bits[GROUP];

    for (int64_t begin = range.begin; begin < range.end; begin += GROUP) {
        const int64_t n = draw(bits, begin, range.end, &key);
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++)
            y[begin + i] = (int32_t)(bits[i] >> 8) >= least ? factor * x[begin + i] : 0;
    }
}

extern const Kernel FAMILY(random)[];
const Kernel FAMILY(random)[] = {
    {"draw_key(state)", draw_key, WHOLE},
    {"draw_step(state)", draw_step, WHOLE},
    {"random_bits(key, *, shape)", random_bits},
    {"random_uniform(key, *, shape, low, high)", random_uniform},
    {"random_normal(key, *, shape, mean, stddev)", random_normal},
    {"truncated_normal(key, *, shape, mean, stddev)", truncated_normal},
    {"dropout(x, key, *, rate, stream)", dropout},
    {"dropout_grad(dy, key, *, rate, stream)", dropout},   /* the same mask and factor */
    {0},
};
