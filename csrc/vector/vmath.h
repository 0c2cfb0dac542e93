/* vmath.h: exp, log and their kin on vectors, written once for every instruction set.
 *
 * No branches, no tables, no calls: arguments are reduced to a small interval, a polynomial or a quotient of two does
 * the work (coefficients from a minimax fit of the relative error), and the special values come from masks or, with
 * AVX-512, from its own instructions for exponents. s_exp(x) has the bits of v_exp(x).
 *
 * The comment on a function says its largest error in units in the last place; tests/test_vmath.py holds it to
 * them, over all 2^32 floats where asked to (slow), for every instruction set. NaN gives NaN; infinities, both
 * zeros and the ends of the domain are exact.
 * Programs run with subnormal numbers flushed: a subnormal argument counts as 0, and a result below 2^-126 is 0 or,
 * where nothing is flushed, the subnormal number or 0.
 */
#ifndef FASTNN_VMATH_H
#define FASTNN_VMATH_H

#include "vector/simd.h"

static const float LN2 = 0.693147181f;

/* x = k ln 2 + r with whole k and |r| <= ln 2 / 2. Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low
 * bits: `shifted` is k + 1.5 * 2^23. The high part of ln 2 has 10 bits, so k * high is exact even without FMA. */
INLINE V reduce_exp_(V x, V *shifted)
{
    *shifted = x * 1.44269504f + 12582912.0f;
    const V k = *shifted - 12582912.0f;
    return (x - k * 0.693359375f) + k * 2.12194440e-4f;
}

/* (e^r - 1) / r for |r| <= ln 2 / 2. */
INLINE V exp_slope_(V r)
{
    return ((((1.3814539e-3f * r + 8.368745e-3f) * r + 4.166839e-2f) * r + 1.6666521e-1f) * r + 0.49999994f) * r + 1.0f;
}

/* e^x; 1.2 ulp. */
INLINE V v_exp(V x)
{
    V shifted;
#ifdef __AVX512F__      /* p 2^k rounds to 0 or infinity by itself: the ends are only kept where r is small */
    const V r = reduce_exp_(v_min(v_splat(89.0f), v_max(v_splat(-104.0f), x)), &shifted);
    return (V)_mm512_scalef_ps((__m512)(r * exp_slope_(r) + 1.0f), (__m512)(shifted - 12582912.0f));
#else
    const V r = reduce_exp_(x, &shifted);
    const V p = r * exp_slope_(r) + 1.0f;
    V y = (V)((I)p + ((I)shifted << 23));
    y = v_where(x >= -87.336540f, y);                  /* below 2^-126: 0 */
    return v_select(x <= 88.722832f, y, x + INFINITY);   /* too large, or NaN */
#endif
}

/* 2^x; 1.3 ulp, 1 where multiply-adds are fused. x - k is exact, so it takes three multiply-adds less than e^x: for
 * exponents that are scaled anyway. */
INLINE V v_exp2(V x)
{
#ifdef __AVX512F__
    x = v_min(v_splat(129.0f), v_max(v_splat(-151.0f), x));
#endif
    const V shifted = x + 12582912.0f, k = shifted - 12582912.0f, r = x - k;
    const V p = (((((1.5353362e-4f * r + 1.3398875e-3f) * r + 9.61843692e-3f) * r + 5.55033237e-2f) * r
                  + 2.40226477e-1f) * r + LN2) * r + 1.0f;
#ifdef __AVX512F__
    return (V)_mm512_scalef_ps((__m512)p, (__m512)k);
#else
    const V y = v_where(x >= -126.0f, (V)((I)p + ((I)shifted << 23)));
    return v_select(x < 128.0f, y, x + INFINITY);
#endif
}

/* e^x - 1; 2 ulp. From 2^(k-1), as 2^k overflows for k = 128. */
INLINE V v_expm1(V x)
{
    V shifted;
    const V r = reduce_exp_(v_min(v_splat(89.0f), v_max(v_splat(-30.0f), x)), &shifted);
    const V half = (V)(((I)shifted << 23) + (126 << 23));
    return v_copysign(2.0f * (half * (r * exp_slope_(r)) + (half - 0.5f)), x);      /* keeps -0 */
}

/* ln x; 1.1 ulp. x = m 2^e with 3/4 <= m < 3/2. */
INLINE V v_log(V x)
{
#ifdef __AVX512F__      /* these do the ends, and negative x gives NaN */
    const V m = (V)_mm512_getmant_ps((__m512)x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
    const V e = (V)_mm512_getexp_ps((__m512)x) - (V)_mm512_getexp_ps((__m512)m);
#else
    const I tiny = x < 1.17549435e-38f;                /* subnormal: scale by 2^25 */
    const V scaled = v_select(tiny, x * 33554432.0f, x);
    const I whole = ((I)scaled - 0x3f400000) >> 23;
    const V m = (V)((I)scaled - (whole << 23));
    const V e = __builtin_convertvector(whole - (tiny & 25), V);
#endif
    const V f = m - 1.0f;
    V p = ((((((-4.50748e-2f * f + 1.04630224e-1f) * f - 1.31611943e-1f) * f + 1.44783944e-1f) * f
             - 1.66473120e-1f) * f + 1.99908614e-1f) * f - 2.50000954e-1f) * f + 3.33334506e-1f;
    V y = e * LN2 + ((p * f - 0.5f) * (f * f) + f);
#ifndef __AVX512F__
    y = v_select(x < INFINITY, y, x);
    y = v_select(x < 0.0f, v_splat(NAN), y);
    y = v_select(x == 0.0f, v_splat(-INFINITY), y);
#endif
    return y;
}

/* ln(1 + t) for 0 <= t <= 1; 1.2 ulp. One polynomial: no exponent to split off. */
INLINE V log1p_inside_(V t)
{
    const V p = ((((((((-3.24402330e-3f * t + 1.98514536e-2f) * t - 5.69595173e-2f) * t + 1.06036544e-1f) * t
                     - 1.53055921e-1f) * t + 1.96759388e-1f) * t - 2.49541342e-1f) * t + 3.33299637e-1f) * t
                - 4.99999017e-1f);
    return p * (t * t) + t;
}

/* 1 / (1 + e^-x); 2.5 ulp. */
INLINE V v_sigmoid(V x) { return 1.0f / (1.0f + v_exp(-x)); }

/* tanh x = q / (q + 1) with q = (e^(2|x|) - 1) / 2; from 9.1 on it rounds to 1. 3.5 ulp.
 * x P(x^2) / Q(x^2) with a quartic P and Q takes 0.19 ns instead of 0.27 but is 5 ulp off. */
INLINE V v_tanh(V x)
{
    V shifted;
    const V r = reduce_exp_(2.0f * v_min(v_splat(9.1f), v_abs(x)), &shifted);
    const V half = (V)(((I)shifted << 23) + (126 << 23));
    const V q = half * (r * exp_slope_(r)) + (half - 0.5f);
    return v_copysign(q / (q + 1.0f), x);
}

/* ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|); 2.7 ulp, 2.3 where multiply-adds are fused. */
INLINE V v_softplus(V x) { return v_max((V){0}, x) + log1p_inside_(v_exp(-v_abs(x))); }

/* The density of the normal distribution over its value at 0: e^(-x^2 / 2). */
INLINE V v_bell(V x)
{
    const V t = v_min(v_splat(14.0f), v_abs(x)), half = 0.5f * t, square = half * t, bell = v_exp(-square);
#ifdef FUSED   /* what the square lost by rounding, which far out is many units of the result's last place */
    return bell - bell * v_multiply_subtract(half, t, square);
#else
    return bell;
#endif
}

/* The distribution function of the normal distribution, given bell = e^(-x^2 / 2). The part to the left of -|x| is bell
 * P(|x|) / Q(|x|) without cancellation. gelu, x times this, is 5 ulp off for x > -1 and 7.5 below (where multiply-adds
 * are not fused, up to x^2 / 2 more): nine roundings, none of them much larger than the others. Below -12.9 it may be
 * 0. */
INLINE V normal_cdf_(V x, V bell)
{
    const V t = v_min(v_splat(13.5f), v_abs(x));
    const V p = (((4.00741434e-3f * t + 3.99120319e-2f) * t + 1.81113567e-1f) * t + 4.35458358e-1f) * t + 0.5f;
    const V q = ((((1.00449561e-2f * t + 1.00051981e-1f) * t + 4.63864142e-1f) * t + 1.19373463f) * t + 1.66880153f) * t
              + 1.0f;
    const V tail = bell * p / q;
    return v_select(x > 0.0f, 1.0f - tail, tail);
}

INLINE float s_exp(float x) { return v_exp(v_splat(x))[0]; }
INLINE float s_log(float x) { return v_log(v_splat(x))[0]; }

#endif
