/* functions.c: functions of numbers, from the C library; see fastnn/reference/functions.py. */
#include <math.h>

#include "fastnn.h"
#include "vector/simd.h"

/* y = f(x), one by one; f is inlined. */
INLINE void each1(const Call *call, Part part, float (*f)(float))
{
    const float *restrict x = input(call, 0);   /* (…) */
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) y[i] = f(x[i]);
}

/* y = f(a, b), one by one. */
INLINE void each2(const Call *call, Part part, float (*f)(float, float))
{
    const float *restrict a = input(call, 0);   /* (…) */
    const float *restrict b = input(call, 1);   /* (…) */
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) y[i] = f(a[i], b[i]);
}

INLINE float inverse_root(float x) { return 1 / sqrtf(x); }

static void floor_(const Call *call, Part part) { each1(call, part, floorf); }
static void ceil_(const Call *call, Part part) { each1(call, part, ceilf); }
static void round_(const Call *call, Part part) { each1(call, part, rintf); }
static void trunc_(const Call *call, Part part) { each1(call, part, truncf); }
static void rsqrt_(const Call *call, Part part) { each1(call, part, inverse_root); }
static void sin_(const Call *call, Part part) { each1(call, part, sinf); }
static void cos_(const Call *call, Part part) { each1(call, part, cosf); }
static void tan_(const Call *call, Part part) { each1(call, part, tanf); }
static void arcsin_(const Call *call, Part part) { each1(call, part, asinf); }
static void arccos_(const Call *call, Part part) { each1(call, part, acosf); }
static void arctan_(const Call *call, Part part) { each1(call, part, atanf); }
static void sinh_(const Call *call, Part part) { each1(call, part, sinhf); }
static void cosh_(const Call *call, Part part) { each1(call, part, coshf); }
static void arcsinh_(const Call *call, Part part) { each1(call, part, asinhf); }
static void arccosh_(const Call *call, Part part) { each1(call, part, acoshf); }
static void arctanh_(const Call *call, Part part) { each1(call, part, atanhf); }
static void log1p_(const Call *call, Part part) { each1(call, part, log1pf); }
static void expm1_(const Call *call, Part part) { each1(call, part, expm1f); }
static void log2_(const Call *call, Part part) { each1(call, part, log2f); }
static void log10_(const Call *call, Part part) { each1(call, part, log10f); }
static void erf_(const Call *call, Part part) { each1(call, part, erff); }

/* In float64, so that one rounding is left. */
INLINE float power_of(float base, float exponent) { return (float)pow(base, exponent); }

/* a = quotient b + remainder, the remainder with the sign of b; as Python and NumPy divide floats. */
INLINE float divided(float a, float b, float *quotient)
{
    float remainder = fmodf(a, b);

    *quotient = a / b;
    if (b == 0 || remainder != remainder) return remainder;
    float times = (a - remainder) / b;
    if (remainder == 0) {
        remainder = copysignf(0, b);
    } else if ((b < 0) != (remainder < 0)) {
        remainder += b;
        times -= 1;
    }
    *quotient = times != 0 ? floorf(times + 0.5f) : copysignf(0, a / b);
    return remainder;
}

INLINE float quotient_of(float a, float b)
{
    float quotient;
    const float remainder = divided(a, b, &quotient);
    return remainder != remainder && b != 0 ? remainder : quotient;
}

INLINE float remainder_of(float a, float b)
{
    float quotient;
    return divided(a, b, &quotient);
}

static void arctan2_(const Call *call, Part part) { each2(call, part, atan2f); }
static void pow_(const Call *call, Part part) { each2(call, part, power_of); }
static void floor_divide(const Call *call, Part part) { each2(call, part, quotient_of); }
static void mod(const Call *call, Part part) { each2(call, part, remainder_of); }

extern const Kernel FAMILY(functions)[];
const Kernel FAMILY(functions)[] = {
    {"floor(x)", floor_},
    {"ceil(x)", ceil_},
    {"round(x)", round_},
    {"trunc(x)", trunc_},
    {"rsqrt(x)", rsqrt_},
    {"sin(x)", sin_},
    {"cos(x)", cos_},
    {"tan(x)", tan_},
    {"arcsin(x)", arcsin_},
    {"arccos(x)", arccos_},
    {"arctan(x)", arctan_},
    {"sinh(x)", sinh_},
    {"cosh(x)", cosh_},
    {"arcsinh(x)", arcsinh_},
    {"arccosh(x)", arccosh_},
    {"arctanh(x)", arctanh_},
    {"log1p(x)", log1p_},
    {"expm1(x)", expm1_},
    {"log2(x)", log2_},
    {"log10(x)", log10_},
    {"erf(x)", erf_},
    {"arctan2(a, b)", arctan2_},
    {"pow(base, exponent)", pow_},
    {"floor_divide(a, b)", floor_divide},
    {"mod(a, b)", mod},
    {0},
};
