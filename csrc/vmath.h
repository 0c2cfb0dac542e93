/* vmath.h: exp, log and their kin on vectors, written once for every instruction set.
 *
 * No branches, no tables, no calls: arguments are reduced to a small interval, a polynomial does the
 * work (coefficients from a weighted minimax fit), and masks put in the special values. Products that
 * end a function are by powers of two, hence exact, so it makes no difference to the bits whether the
 * compiler fuses them with an addition of the caller's. s_exp(x) has the bits of v_exp(x).
 *
 * The comment on a function says its largest error in units in the last place, measured over every 1021st
 * float and seven million others, with and without FMA. NaN gives NaN; infinities and the ends of the
 * domain are exact; results below 2^-126 may be 0.
 */
#ifndef FASTNN_VMATH_H
#define FASTNN_VMATH_H

#include "simd.h"

/* x = k ln 2 + r with whole k and |r| <= ln 2 / 2. Adding 1.5 * 2^23 rounds to a whole number and leaves
 * it in the low bits. The high part of ln 2 has 10 bits, so k * high is exact even without FMA. */
INLINE V reduce_exp_(V x, I *k)
{
    const V shifted = x * 1.44269504f + 12582912.0f;
    const V whole = shifted - 12582912.0f;
    *k = (I)shifted;
    return (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
}

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2. */
INLINE V exp_rest_(V r)
{
    return (((1.3946745e-3f * r + 8.366756e-3f) * r + 4.1666277e-2f) * r + 1.6666542e-1f) * r + 0.5f;
}

/* e^x; 1.1 ulp. */
INLINE V v_exp(V x)
{
    I k;
    const V r = reduce_exp_(x, &k);
    const V p = r * r * exp_rest_(r) + r + 1.0f;
    V y = (V)((I)p + (k << 23));                       /* p 2^k */
    y = v_where(x >= -87.336540f, y);                  /* below 2^-126: 0 */
    return v_select(x <= 88.722832f, y, x + INFINITY);   /* too large, or NaN */
}

/* e^x - 1 without cancellation, for -100 <= x <= 89 or NaN. */
INLINE V expm1_inside_(V x)
{
    I k;
    const V r = reduce_exp_(x, &k);
    const V p = r * r * exp_rest_(r) + r;
    const V half = (V)((k << 23) + (126 << 23));       /* 2^(k-1), as 2^k overflows for k = 128 */
    return 2.0f * (half * p + (half - 0.5f));
}

/* e^x - 1; 1.7 ulp. */
INLINE V v_expm1(V x)
{
    const V inside = v_select(x < -30.0f, v_splat(-30.0f), v_select(x > 89.0f, v_splat(89.0f), x));
    return v_copysign(expm1_inside_(inside), x);       /* keeps -0 */
}

/* ln(m + rest) + e ln 2, where sqrt(1/2) <= m < sqrt 2 and rest is less than an ulp of m. */
INLINE V log_reduced_(V m, V rest, V e)
{
    const V f = (m - 1.0f) + rest;
    const V square = f * f;
    V p = ((((((-7.634431e-2f * f + 1.2761553e-1f) * f - 1.3160196e-1f) * f + 1.4201762e-1f) * f
             - 1.6623357e-1f) * f + 2.0001227e-1f) * f - 2.5000823e-1f) * f + 3.333333e-1f;
    p = p * (f * square) - e * 2.12194440e-4f;
    return ((p - 0.5f * square) + f) + e * 0.693359375f;
}

/* The exponent e with sqrt(1/2) <= x / 2^e < sqrt 2, for positive normal x. */
INLINE I exponent_(V x) { return ((I)x - 0x3f3504f3) >> 23; }

/* ln x's values outside (0, inf). */
INLINE V log_ends_(V x, V y)
{
    y = v_select(x < INFINITY, y, x);
    y = v_select(x < 0.0f, v_splat(NAN), y);
    return v_select(x == 0.0f, v_splat(-INFINITY), y);
}

/* ln x; 0.9 ulp. */
INLINE V v_log(V x)
{
    const I tiny = x < 1.17549435e-38f;                /* subnormal: scale by 2^25 */
    const V scaled = v_select(tiny, x * 33554432.0f, x);
    const I e = exponent_(scaled);
    const V m = (V)((I)scaled - (e << 23));
    const V y = log_reduced_(m, (V){0}, __builtin_convertvector(e - (tiny & 25), V));
    return log_ends_(x, y);
}

/* ln(1 + x); 1.5 ulp. The rounding error of 1 + x is carried along. */
INLINE V v_log1p(V x)
{
    const V u = 1.0f + x;
    const V x_part = u - 1.0f;
    const V rest = (1.0f - (u - x_part)) + (x - x_part);
    const I e = exponent_(u);
    const V m = (V)((I)u - (e << 23));
    const V scale = v_where(u < 1e9f, (V)((127 - e) << 23));   /* above, the rest is nothing */
    const V y = log_reduced_(m, rest * scale, __builtin_convertvector(e, V));
    return v_copysign(log_ends_(u, y), x);             /* keeps -0 */
}

/* 1 / (1 + e^-x); 2.5 ulp. */
INLINE V v_sigmoid(V x) { return 1.0f / (1.0f + v_exp(-x)); }

/* tanh x = (e^2x - 1) / (e^2x + 1); from 9.1 on it rounds to 1. 2.4 ulp. */
INLINE V v_tanh(V x)
{
    const V size = v_abs(x);
    const V p = expm1_inside_(2.0f * v_select(size > 9.1f, v_splat(9.1f), size));
    return v_copysign(p / (p + 2.0f), x);
}

/* ln(1 + e^x), as max(x, 0) + ln(1 + e) with 0 <= e <= 1, which needs less care than v_log1p.
 * 1.7 ulp. */
INLINE V v_softplus(V x)
{
    const V e = v_exp(-v_abs(x));
    const V u = 1.0f + e;
    const V rest = e - (u - 1.0f);
    const I high = u > 1.41421356f;
    const V y = log_reduced_(v_select(high, 0.5f * u, u), v_select(high, 0.5f * rest, rest), v_where(high, v_splat(1)));
    return v_select(x > 0.0f, x, (V){0}) + y;
}

/* erf t for 0 <= t < 0.92, as t + t * rest. */
INLINE V erf_small_(V t)
{
    const V s = t * t;
    const V rest = (((((8.3167724e-5f * s - 8.130012e-4f) * s + 5.1999064e-3f) * s - 2.685894e-2f) * s
                     + 1.12836875e-1f) * s - 3.7612632e-1f) * s + 1.2837917e-1f;
    return t * rest + t;
}

/* 1 - erf t for 0.92 <= t <= 4, as e^(t * rest). */
INLINE V erfc_large_(V t)
{
    const V rest = (((((-1.24382495e-5f * t + 3.3385085e-4f) * t - 3.6832588e-3f) * t + 2.3839885e-2f) * t
                     - 1.06317736e-1f) * t - 6.3510793e-1f) * t - 1.1286579f;
    return v_exp(t * rest);
}

/* erf x; from 4 on it rounds to 1. 1.3 ulp. */
INLINE V v_erf(V x)
{
    const V size = v_abs(x);
    const V t = v_select(size > 4.0f, v_splat(4.0f), size);
    return v_copysign(v_select(t < 0.92f, erf_small_(t), 1.0f - erfc_large_(t)), x);
}

/* The distribution function of the normal distribution, (1 + erf(x / sqrt 2)) / 2. The left half comes
 * from erfc, without cancellation; below -5.65 it is 0, which is within 1e-8. */
INLINE V v_normal_cdf(V x)
{
    const V size = v_abs(x) * 0.707106781f;
    const V t = v_select(size > 4.0f, v_splat(4.0f), size);
    const V tail = 0.5f * v_where(~(size > 4.0f), erfc_large_(t));
    const V centre = 0.5f * v_copysign(erf_small_(t), x);
    return v_select(t < 0.92f, 0.5f + centre, v_select(x > 0.0f, 1.0f - tail, tail));
}

INLINE float s_exp(float x) { return v_exp(v_splat(x))[0]; }
INLINE float s_expm1(float x) { return v_expm1(v_splat(x))[0]; }
INLINE float s_log(float x) { return v_log(v_splat(x))[0]; }
INLINE float s_log1p(float x) { return v_log1p(v_splat(x))[0]; }
INLINE float s_sigmoid(float x) { return v_sigmoid(v_splat(x))[0]; }
INLINE float s_tanh(float x) { return v_tanh(v_splat(x))[0]; }
INLINE float s_softplus(float x) { return v_softplus(v_splat(x))[0]; }
INLINE float s_erf(float x) { return v_erf(v_splat(x))[0]; }

#endif
