/* whole.c: arithmetic on whole numbers; see fastnn/reference/whole.py.
 *
 * Computed in 64 bits and cut to the width of the result: as if it had been computed in that width. */
#include "kernels/layout.h"
#include "vector/integers.h"

INLINE void pairs(const Call *call, Part part, int64_t (*f)(int64_t, int64_t, int), int dtype)
{
    const void *restrict a = input(call, 0);   /* (…) */
    const void *restrict b = input(call, 1);   /* (…) */
    void *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++)
        put_whole(y, i, dtype, f(whole_at(a, i, dtype), whole_at(b, i, dtype), dtype));
}

/* y = f(a, b), compiled for each width. */
INLINE void map_pairs(const Call *call, Part part, int64_t (*f)(int64_t, int64_t, int))
{
    switch ((DType)call->outputs[0]->dtype) {
    case I32: pairs(call, part, f, I32); break;
    case I64: pairs(call, part, f, I64); break;
    default: pairs(call, part, f, U8); break;
    }
}

/* Sums and products wrap around, which only unsigned numbers do in C. */
INLINE int64_t w_add(int64_t a, int64_t b, int d) { (void)d; return (int64_t)((uint64_t)a + (uint64_t)b); }
INLINE int64_t w_subtract(int64_t a, int64_t b, int d) { (void)d; return (int64_t)((uint64_t)a - (uint64_t)b); }
INLINE int64_t w_multiply(int64_t a, int64_t b, int d) { (void)d; return (int64_t)((uint64_t)a * (uint64_t)b); }
INLINE int64_t w_maximum(int64_t a, int64_t b, int d) { (void)d; return a > b ? a : b; }
INLINE int64_t w_minimum(int64_t a, int64_t b, int d) { (void)d; return a < b ? a : b; }
INLINE int64_t w_and(int64_t a, int64_t b, int d) { (void)d; return a & b; }
INLINE int64_t w_or(int64_t a, int64_t b, int d) { (void)d; return a | b; }
INLINE int64_t w_xor(int64_t a, int64_t b, int d) { (void)d; return a ^ b; }

/* -2^63 / -1 would trap. */
INLINE int64_t w_divide(int64_t a, int64_t b, int d)
{
    (void)d;
    if (b == 0) return 0;
    if (b == -1) return (int64_t)(0 - (uint64_t)a);
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

INLINE int64_t w_mod(int64_t a, int64_t b, int d)
{
    (void)d;
    if (b == 0 || b == -1) return 0;
    const int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

INLINE int64_t bits_of(int d) { return d == I32 ? 32 : d == I64 ? 64 : 8; }
INLINE int64_t w_left(int64_t a, int64_t b, int d)
{
    return b < 0 || b >= bits_of(d) ? 0 : (int64_t)((uint64_t)a << b);
}
INLINE int64_t w_right(int64_t a, int64_t b, int d) { return b < 0 || b >= bits_of(d) ? -(a < 0) : a >> b; }

static void whole_add(const Call *call, Part part) { map_pairs(call, part, w_add); }
static void whole_subtract(const Call *call, Part part) { map_pairs(call, part, w_subtract); }
static void whole_multiply(const Call *call, Part part) { map_pairs(call, part, w_multiply); }
static void whole_floor_divide(const Call *call, Part part) { map_pairs(call, part, w_divide); }
static void whole_mod(const Call *call, Part part) { map_pairs(call, part, w_mod); }
static void whole_maximum(const Call *call, Part part) { map_pairs(call, part, w_maximum); }
static void whole_minimum(const Call *call, Part part) { map_pairs(call, part, w_minimum); }
static void bitwise_and(const Call *call, Part part) { map_pairs(call, part, w_and); }
static void bitwise_or(const Call *call, Part part) { map_pairs(call, part, w_or); }
static void bitwise_xor(const Call *call, Part part) { map_pairs(call, part, w_xor); }
static void left_shift(const Call *call, Part part) { map_pairs(call, part, w_left); }
static void right_shift(const Call *call, Part part) { map_pairs(call, part, w_right); }

/* Each output walks its own terms, the reduced axes, from the first to the last. */
INLINE void reduce_whole(const Call *call, Part part, int64_t (*f)(int64_t, int64_t, int), int is_sum)
{
    const void *restrict x = input(call, 0);   /* (…) */
    void *restrict y = output(call, 0);        /* (…) without the axes */
    const int dtype = call->outputs[0]->dtype == BOOL ? U8 : call->outputs[0]->dtype;
    const Layout l = layout_of(call->inputs[0], &call->constants[0]);
    const int64_t columns = l.last_reduced ? 1 : l.last, run = l.last_reduced ? l.last : 1;
    const Range range = share(output_size(call, 0), 64, part);

    for (int64_t o = range.begin; o < range.end; o++) {
        const int64_t start = offset_of(&l.kept, o / columns) + o % columns;
        int64_t total = 0;
        for (int64_t i = 0; i < l.reduced_outer; i++)
            for (int64_t j = 0, at = start + offset_of(&l.reduced, i); j < run; j++)
                total = i + j || is_sum ? f(total, whole_at(x, at + j, dtype), dtype) : whole_at(x, at + j, dtype);
        put_whole(y, o, dtype, total);
    }
}

static void whole_sum(const Call *call, Part part) { reduce_whole(call, part, w_add, 1); }
static void whole_max(const Call *call, Part part) { reduce_whole(call, part, w_maximum, 0); }
static void whole_min(const Call *call, Part part) { reduce_whole(call, part, w_minimum, 0); }

extern const Kernel FAMILY(whole)[];
const Kernel FAMILY(whole)[] = {
    {"whole_add(a, b)", whole_add},
    {"whole_subtract(a, b)", whole_subtract},
    {"whole_multiply(a, b)", whole_multiply},
    {"whole_floor_divide(a, b)", whole_floor_divide},
    {"whole_mod(a, b)", whole_mod},
    {"whole_maximum(a, b)", whole_maximum},
    {"whole_minimum(a, b)", whole_minimum},
    {"bitwise_and(a, b)", bitwise_and},
    {"bitwise_or(a, b)", bitwise_or},
    {"bitwise_xor(a, b)", bitwise_xor},
    {"left_shift(a, b)", left_shift},
    {"right_shift(a, b)", right_shift},
    {"whole_sum(x, *, axes)", whole_sum},
    {"whole_max(x, *, axes)", whole_max},
    {"whole_min(x, *, axes)", whole_min},
    {0},
};
