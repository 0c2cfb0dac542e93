/* compare.c: comparisons, which give bools, and what is chosen by them; see fastnn/reference/compare.py.
 *
 * The comparison is a constant where a kernel names it, so each loop is compiled for one of them. */
#include <math.h>
#include <string.h>

#include "fastnn.h"
#include "vector/simd.h"

typedef enum Relation { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL } Relation;

/* y = whether the relation holds between inputs `left` and `right`, of any one dtype. */
INLINE void compare(const Call *call, Part part, Relation r, int left, int right)
{
    const void *restrict a = input(call, left);    /* (…) */
    const void *restrict b = input(call, right);   /* (…) */
    uint8_t *restrict y = output(call, 0);         /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

#define COMPARE(type) \
    for (int64_t i = range.begin; i < range.end; i++) { \
        const type p = ((const type *)a)[i], q = ((const type *)b)[i]; \
        y[i] = r == EQUAL ? p == q : r == NOT_EQUAL ? p != q : r == LESS ? p < q : p <= q; \
    }
    switch ((DType)call->inputs[0]->dtype) {
    case F32: COMPARE(float) break;
    case F64: COMPARE(double) break;
    case I32: COMPARE(int32_t) break;
    case I64: COMPARE(int64_t) break;
    case U8: case BOOL: COMPARE(uint8_t) break;
    case DTYPE_COUNT: break;
    }
}

static void equal(const Call *call, Part part) { compare(call, part, EQUAL, 0, 1); }
static void not_equal(const Call *call, Part part) { compare(call, part, NOT_EQUAL, 0, 1); }
static void less(const Call *call, Part part) { compare(call, part, LESS, 0, 1); }
static void less_equal(const Call *call, Part part) { compare(call, part, LESS_EQUAL, 0, 1); }
static void greater(const Call *call, Part part) { compare(call, part, LESS, 1, 0); }
static void greater_equal(const Call *call, Part part) { compare(call, part, LESS_EQUAL, 1, 0); }

static void logical_not(const Call *call, Part part)
{
    const uint8_t *restrict x = input(call, 0);   /* (…) */
    uint8_t *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) y[i] = !x[i];
}

/* By the bits, as a compiler may take isnan() to be false everywhere. */
typedef enum Kind { NOT_A_NUMBER, INFINITE, FINITE } Kind;

INLINE void classify(const Call *call, Part part, Kind kind)
{
    const float *restrict x = input(call, 0);   /* (…) */
    uint8_t *restrict y = output(call, 0);      /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7fffffff;
        y[i] = kind == NOT_A_NUMBER ? bits > 0x7f800000 : kind == INFINITE ? bits == 0x7f800000 : bits < 0x7f800000;
    }
}

static void isnan_(const Call *call, Part part) { classify(call, part, NOT_A_NUMBER); }
static void isinf_(const Call *call, Part part) { classify(call, part, INFINITE); }
static void isfinite_(const Call *call, Part part) { classify(call, part, FINITE); }

static void where(const Call *call, Part part)
{
    const uint8_t *restrict condition = input(call, 0);   /* (…) */
    const void *restrict a = input(call, 1);              /* (…) */
    const void *restrict b = input(call, 2);              /* (…) */
    void *restrict y = output(call, 0);                   /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

#define CHOOSE(type) \
    for (int64_t i = range.begin; i < range.end; i++) \
        ((type *)y)[i] = condition[i] ? ((const type *)a)[i] : ((const type *)b)[i];
    switch ((DType)call->outputs[0]->dtype) {      /* by its width: numbers are only moved */
    case F32: case I32: CHOOSE(uint32_t) break;
    case F64: case I64: CHOOSE(uint64_t) break;
    case U8: case BOOL: CHOOSE(uint8_t) break;
    case DTYPE_COUNT: break;
    }
}

extern const Kernel FAMILY(compare)[];
const Kernel FAMILY(compare)[] = {
    {"equal(a, b)", equal},
    {"not_equal(a, b)", not_equal},
    {"less(a, b)", less},
    {"less_equal(a, b)", less_equal},
    {"greater(a, b)", greater},
    {"greater_equal(a, b)", greater_equal},
    {"logical_not(x)", logical_not},
    {"isnan(x)", isnan_},
    {"isinf(x)", isinf_},
    {"isfinite(x)", isfinite_},
    {"where(condition, a, b)", where},
    {0},
};
