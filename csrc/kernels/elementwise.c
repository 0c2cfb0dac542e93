/* elementwise.c: arithmetic on arrays of one shape; see fastnn/reference/elementwise.py.
 *
 * Most kernels are a function of one vector, mapped over the arrays (map1, map2 in simd.h). */
#include <math.h>

#include "fastnn.h"
#include "vector/simd.h"
#include "vector/vmath.h"

INLINE V v_add(V a, V b) { return a + b; }
INLINE V v_subtract(V a, V b) { return a - b; }
INLINE V v_multiply(V a, V b) { return a * b; }
INLINE V v_divide(V a, V b) { return a / b; }
INLINE V v_divide_no_nan(V a, V b) { return v_where(b != 0.0f, a / b); }

static void add(const Call *call, Part part) { map2(call, part, v_add); }
static void subtract(const Call *call, Part part) { map2(call, part, v_subtract); }
static void multiply(const Call *call, Part part) { map2(call, part, v_multiply); }
static void divide(const Call *call, Part part) { map2(call, part, v_divide); }
static void divide_no_nan(const Call *call, Part part) { map2(call, part, v_divide_no_nan); }

/* A NaN in either input is passed on: a's by the second test, b's because no comparison with it holds. */
INLINE V v_maximum(V a, V b) { return v_select((a > b) | (a != a), a, b); }
INLINE V v_minimum(V a, V b) { return v_select((a < b) | (a != a), a, b); }

static void maximum(const Call *call, Part part) { map2(call, part, v_maximum); }
static void minimum(const Call *call, Part part) { map2(call, part, v_minimum); }

static void maximum_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (…) */
    const float *restrict a = input(call, 1);    /* (…) */
    const float *restrict b = input(call, 2);    /* (…) */
    float *restrict da = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++)
        da[i] = a[i] >= b[i] ? dy[i] : 0;
}

static void power(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…) */
    const double exponent = number(call, 0);
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    /* In float64, so that one rounding is left and an exponent such as 0.1 is meant exactly. */
    if (exponent == 3) {
        for (int64_t i = range.begin; i < range.end; i++)
            y[i] = (double)x[i] * x[i] * x[i];
    } else if (exponent == 2) {
        for (int64_t i = range.begin; i < range.end; i++)
            y[i] = x[i] * x[i];
    } else if (exponent == 0.5) {
        for (int64_t i = range.begin; i < range.end; i++)
            y[i] = sqrtf(x[i]);
    } else if (exponent == -1) {
        for (int64_t i = range.begin; i < range.end; i++)
            y[i] = 1 / x[i];
    } else {
        for (int64_t i = range.begin; i < range.end; i++)
            y[i] = pow(x[i], exponent);
    }
}

INLINE V v_negative(V x) { return -x; }
INLINE V v_sign(V x)
{
    const V zero_or_nan = v_where(x != 0.0f, x);       /* also makes -0 to 0 */
    return v_select(x > 0.0f, v_splat(1), v_select(x < 0.0f, v_splat(-1), zero_or_nan));
}
INLINE V v_square(V x) { return x * x; }

static void negative(const Call *call, Part part) { map1(call, part, v_negative); }
static void absolute(const Call *call, Part part) { map1(call, part, v_abs); }
static void sign(const Call *call, Part part) { map1(call, part, v_sign); }
static void square(const Call *call, Part part) { map1(call, part, v_square); }
static void exp_(const Call *call, Part part) { map1(call, part, v_exp); }
static void exp2_(const Call *call, Part part) { map1(call, part, v_exp2); }
static void log_(const Call *call, Part part) { map1(call, part, v_log); }

static void sqrt_(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…) */
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++)
        y[i] = sqrtf(x[i]);
}

static void scale(const Call *call, Part part) { map1_constant(call, part, v_multiply); }
static void add_constant(const Call *call, Part part) { map1_constant(call, part, v_add); }

static void clip(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…) */
    const float low = number(call, 0);
    const float high = number(call, 1);
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    /* A NaN fails both tests and stays. */
    for (int64_t i = range.begin; i < range.end; i++)
        y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
}

static void clip_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (…) */
    const float *restrict x = input(call, 1);    /* (…) */
    const float low = number(call, 0);
    const float high = number(call, 1);
    float *restrict dx = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++)
        dx[i] = x[i] < low || x[i] > high ? 0 : dy[i];
}

enum { SOME = 64 };      /* elements that are converted at a time */

static void cast_floats(const double *x, void *y, int64_t n, int dtype)
{
    const double top = dtype == U8 ? UINT8_MAX : dtype == I32 ? INT32_MAX : 0x1.fffffffffffffp62;
    const double bottom = dtype == U8 ? 0 : dtype == I32 ? INT32_MIN : -0x1p63;
    int64_t whole[SOME];

    if (dtype == F32 || dtype == F64) {
        for (int64_t i = 0; i < n; i++)
            if (dtype == F32) ((float *)y)[i] = (float)x[i];
            else ((double *)y)[i] = x[i];
    } else if (dtype == BOOL) {
        for (int64_t i = 0; i < n; i++) ((uint8_t *)y)[i] = x[i] != 0;
    } else {
        for (int64_t i = 0; i < n; i++)
            whole[i] = x[i] != x[i] ? 0 : x[i] > top ? (int64_t)top : x[i] < bottom ? (int64_t)bottom : (int64_t)x[i];
        for (int64_t i = 0; i < n; i++)
            if (dtype == U8) ((uint8_t *)y)[i] = (uint8_t)whole[i];
            else if (dtype == I32) ((int32_t *)y)[i] = (int32_t)whole[i];
            else ((int64_t *)y)[i] = whole[i];
    }
}

static void cast_integers(const int64_t *x, void *y, int64_t n, int dtype)
{
    for (int64_t i = 0; i < n; i++)
        switch ((DType)dtype) {
        case F32: ((float *)y)[i] = (float)x[i]; break;
        case F64: ((double *)y)[i] = (double)x[i]; break;
        case I32: ((int32_t *)y)[i] = (int32_t)x[i]; break;
        case I64: ((int64_t *)y)[i] = x[i]; break;
        case U8: ((uint8_t *)y)[i] = (uint8_t)x[i]; break;
        case BOOL: ((uint8_t *)y)[i] = x[i] != 0; break;
        case DTYPE_COUNT: break;
        }
}

/* What ops that compute in floats are given: bytes and whole numbers. 100,000 bytes take 7 us, the long way 165. */
static void widen(const void *x, float *y, Range range, int bytes)
{
    if (bytes)
        for (int64_t i = range.begin; i < range.end; i++) y[i] = (float)((const uint8_t *)x)[i];
    else
        for (int64_t i = range.begin; i < range.end; i++) y[i] = (float)((const int32_t *)x)[i];
}

/* By way of float64 or int64, one of which holds every value of x exactly. */
static void cast(const Call *call, Part part)
{
    const void *restrict x = input(call, 0);   /* (…) */
    char *restrict y = output(call, 0);        /* (…) */
    const int from = call->inputs[0]->dtype, to = call->outputs[0]->dtype, floats = from == F32 || from == F64;
    const int64_t y_width = to == F32 || to == I32 ? 4 : to == F64 || to == I64 ? 8 : 1;
    const Range range = share_elements(output_size(call, 0), part);

    if (to == F32 && (from == U8 || from == BOOL || from == I32)) {
        widen(x, (float *)y, range, from != I32);
        return;
    }
    for (int64_t i = range.begin; i < range.end; i += SOME) {
        const int64_t n = range.end - i < SOME ? range.end - i : SOME;
        double numbers[SOME];
        int64_t integers[SOME];

        for (int64_t j = 0; j < n; j++)
            switch ((DType)from) {
            case F32: numbers[j] = ((const float *)x)[i + j]; break;
            case F64: numbers[j] = ((const double *)x)[i + j]; break;
            case I32: integers[j] = ((const int32_t *)x)[i + j]; break;
            case I64: integers[j] = ((const int64_t *)x)[i + j]; break;
            case U8: case BOOL: integers[j] = ((const uint8_t *)x)[i + j]; break;
            case DTYPE_COUNT: break;
            }
        if (floats) cast_floats(numbers, y + i * y_width, n, to);
        else cast_integers(integers, y + i * y_width, n, to);
    }
}

extern const Kernel FAMILY(elementwise)[];
const Kernel FAMILY(elementwise)[] = {
    {"add(a, b)", add},
    {"subtract(a, b)", subtract},
    {"multiply(a, b)", multiply},
    {"divide(a, b)", divide},
    {"divide_no_nan(a, b)", divide_no_nan},
    {"maximum(a, b)", maximum},
    {"minimum(a, b)", minimum},
    {"maximum_grad(dy, a, b)", maximum_grad},
    {"power(x, *, exponent)", power},
    {"negative(x)", negative},
    {"absolute(x)", absolute},
    {"sign(x)", sign},
    {"square(x)", square},
    {"sqrt(x)", sqrt_},
    {"exp(x)", exp_},
    {"exp2(x)", exp2_},
    {"log(x)", log_},
    {"scale(x, *, factor)", scale},
    {"add_constant(x, *, value)", add_constant},
    {"clip(x, *, low, high)", clip},
    {"clip_grad(dy, x, *, low, high)", clip_grad},
    {"cast(x, *, dtype)", cast},
    {0},
};
