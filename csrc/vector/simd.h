/* simd.h: one vector of floats, as wide as the instruction set that this copy is compiled for.
 *
 * GCC and Clang vector extensions only: the same source serves every instruction set. C has no ?: on
 * vectors, so choices are made with masks: `x < y` is an I with all bits set where it is true.
 * The end of an array goes through the same code as the rest of it, in a padded vector (v_load_part,
 * v_store_part), so that an element's bits do not depend on where it sits.
 */
#ifndef FASTNN_SIMD_H
#define FASTNN_SIMD_H

#include <math.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <stdint.h>
#include <string.h>

#include "fastnn.h"

#if defined(__AVX512F__)
enum { WIDTH = 16 };
#elif defined(__AVX2__)
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif

typedef float V __attribute__((vector_size(4 * WIDTH)));
typedef int32_t I __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t U __attribute__((vector_size(4 * WIDTH)));
typedef float Quad __attribute__((vector_size(16)));
typedef int32_t QuadI __attribute__((vector_size(16)));
typedef float UnalignedV __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

/* Without this gcc keeps some calls, and a call spills every vector register. */
#define INLINE static inline __attribute__((always_inline))

/* Before a loop of few rounds, at most `most`, whose values are to stay in registers. clang ignores gcc. */
#define PRAGMA_(text) _Pragma(#text)
#ifdef __clang__
#define UNROLLED(most) PRAGMA_(clang loop unroll(full))
#else
#define UNROLLED(most) PRAGMA_(GCC unroll most)
#endif

/* Whether x y + z is rounded once; clang does not say __FP_FAST_FMAF. */
#if defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FUSED 1
#endif

INLINE V v_splat(float x) { return x - (V){0}; }    /* x - 0 is x, also for -0 */
INLINE I i_splat(int32_t x) { return x - (I){0}; }
INLINE V v_select(I mask, V yes, V no) { return (V)((mask & (I)yes) | (~mask & (I)no)); }
INLINE V v_where(I mask, V yes) { return (V)(mask & (I)yes); }      /* 0 where the mask is not set */

INLINE V v_abs(V x) { return (V)((I)x & 0x7fffffff); }
INLINE V v_copysign(V size, V sign) { return (V)(((I)size & 0x7fffffff) | ((I)sign & INT32_MIN)); }
/* The second operand if either is NaN. x86 has an instruction that does just this, which gcc does not find. */
#if defined(__AVX512F__)
INLINE V v_max(V x, V y) { return (V)_mm512_max_ps((__m512)x, (__m512)y); }
INLINE V v_min(V x, V y) { return (V)_mm512_min_ps((__m512)x, (__m512)y); }
#elif defined(__AVX2__)
INLINE V v_max(V x, V y) { return (V)_mm256_max_ps((__m256)x, (__m256)y); }
INLINE V v_min(V x, V y) { return (V)_mm256_min_ps((__m256)x, (__m256)y); }
#else
INLINE V v_max(V x, V y) { return v_select(x > y, x, y); }
INLINE V v_min(V x, V y) { return v_select(x < y, x, y); }
#endif

/* x y - z, rounded once where the instruction set can. */
#if defined(__AVX512F__)
INLINE V v_multiply_subtract(V x, V y, V z) { return (V)_mm512_fmsub_ps((__m512)x, (__m512)y, (__m512)z); }
#elif defined(__FMA__)
INLINE V v_multiply_subtract(V x, V y, V z) { return (V)_mm256_fmsub_ps((__m256)x, (__m256)y, (__m256)z); }
#else
INLINE V v_multiply_subtract(V x, V y, V z) { return x * y - z; }
#endif

INLINE V v_load(const float *p) { return *(const UnalignedV *)p; }
INLINE void v_store(float *p, V x) { *(UnalignedV *)p = x; }

/* Copies 1 <= n < WIDTH floats as two overlapping halves; memcpy with an unknown size is a call. */
INLINE void copy_part(float *to, const float *from, int64_t n)
{
    if (n >= 8) {
        memcpy(to, from, 32);
        memcpy(to + n - 8, from + n - 8, 32);
    } else if (n >= 4) {
        memcpy(to, from, 16);
        memcpy(to + n - 4, from + n - 4, 16);
    } else if (n >= 2) {
        memcpy(to, from, 8);
        memcpy(to + n - 2, from + n - 2, 8);
    } else if (n == 1) {
        *to = *from;
    }
}

/* Whether a lane of a mask is set. */
INLINE int i_any(I mask)
{
#ifdef __AVX512F__
    return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#else
    uint64_t words[WIDTH / 2], any = 0;
    memcpy(words, &mask, sizeof words);
    for (int i = 0; i < WIDTH / 2; i++) any |= words[i];
    return any != 0;
#endif
}

/* The first n floats of p, then `fill`; n <= 0 reads nothing. */
INLINE V v_load_part(const float *p, int64_t n, float fill)
{
    if (n >= WIDTH) return v_load(p);
#ifdef __AVX512F__      /* a padded copy stalls on its own stores: an add of 8 floats took 17 ns, a mask takes 4 */
    return (V)_mm512_mask_loadu_ps(_mm512_set1_ps(fill), (__mmask16)((1u << n) - 1), p);
#else
    float padded[WIDTH];
    v_store(padded, v_splat(fill));
    copy_part(padded, p, n);
    return v_load(padded);
#endif
}

/* 0, 1, 2, ... */
INLINE I v_lanes(void)
{
    static const int32_t numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    I lanes;
    memcpy(&lanes, numbers, sizeof lanes);
    return lanes;
}

/* Mask of the first n lanes. */
INLINE I first_lanes(int64_t n) { return v_lanes() < i_splat(n < WIDTH ? n : WIDTH); }

/* The same, where `readable` floats of p exist: reading past the row's end is then quicker. */
INLINE V v_load_row(const float *p, int64_t n, int64_t readable, float fill)
{
    (void)readable;
    if (n >= WIDTH) return v_load(p);
#ifndef __AVX512F__
    if (readable >= WIDTH) return v_select(v_lanes() < (int32_t)n, v_load(p), v_splat(fill));
#endif
    return v_load_part(p, n, fill);
}

/* Writes the first n floats of x only. */
INLINE void v_store_part(float *p, V x, int64_t n)
{
    if (n >= WIDTH) {
        v_store(p, x);
        return;
    }
#ifdef __AVX512F__
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
#else
    float padded[WIDTH];
    v_store(padded, x);
    copy_part(p, padded, n);
#endif
}

/* Over all lanes, in an order that is always the same; quarters, since gcc keeps these in registers. */
INLINE float v_sum(V x)
{
    Quad quads[WIDTH / 4];
    memcpy(quads, &x, sizeof x);
    for (int half = WIDTH / 8; half; half /= 2)
        for (int i = 0; i < half; i++) quads[i] += quads[i + half];
    const Quad q = quads[0];
    return (q[0] + q[2]) + (q[1] + q[3]);
}

INLINE float v_highest(V x)
{
    Quad quads[WIDTH / 4];
    memcpy(quads, &x, sizeof x);
    for (int half = WIDTH / 8; half; half /= 2)
        for (int i = 0; i < half; i++) {
            const QuadI above = quads[i] > quads[i + half];
            quads[i] = (Quad)((above & (QuadI)quads[i]) | (~above & (QuadI)quads[i + half]));
        }
    const Quad q = quads[0];
    const float even = q[0] > q[2] ? q[0] : q[2], odd = q[1] > q[3] ? q[1] : q[3];
    return even > odd ? even : odd;
}

/* Lane r is f over the lanes of rows[r], in the order of v_sum: WIDTH rows at once. `one` does a row. */
INLINE V fold_rows_(const V *rows, V (*f)(V, V), float (*one)(V))
{
#ifdef __AVX512F__      /* pairs of vectors are halved together: 3 instructions a row instead of 10 */
    const __m512i low = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0), high = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
    V v[8];
    (void)one;
    for (int r = 0; r < 8; r++) {
        const __m512 a = (__m512)rows[r], b = (__m512)rows[r + 8];
        v[r] = f((V)_mm512_shuffle_f32x4(a, b, 0x44), (V)_mm512_shuffle_f32x4(a, b, 0xee));
    }
    for (int r = 0; r < 4; r++) {
        const __m512d a = (__m512d)v[r], b = (__m512d)v[r + 4];
        v[r] = f((V)_mm512_permutex2var_pd(a, low, b), (V)_mm512_permutex2var_pd(a, high, b));
    }
    for (int r = 0; r < 2; r++) {
        const __m512d a = (__m512d)v[r], b = (__m512d)v[r + 2];
        v[r] = f((V)_mm512_unpacklo_pd(a, b), (V)_mm512_unpackhi_pd(a, b));
    }
    const __m512 a = (__m512)v[0], b = (__m512)v[1];
    const V folded = f((V)_mm512_shuffle_ps(a, b, 0x88), (V)_mm512_shuffle_ps(a, b, 0xdd));
    return (V)_mm512_permute_ps((__m512)folded, 0xd8);
#else
    float folded[WIDTH];
    (void)f;
    for (int r = 0; r < WIDTH; r++) folded[r] = one(rows[r]);
    return v_load(folded);
#endif
}

INLINE V add_(V x, V y) { return x + y; }
INLINE V v_sum_rows(const V *rows) { return fold_rows_(rows, add_, v_sum); }
INLINE V v_highest_rows(const V *rows) { return fold_rows_(rows, v_max, v_highest); }

/* y = f(x) over this worker's share; f is inlined. */
INLINE void map1(const Call *call, Part part, V (*f)(V))
{
    const float *restrict x = input(call, 0);   /* (…) */
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);
    int64_t i = range.begin;

    for (; i + WIDTH <= range.end; i += WIDTH) v_store(y + i, f(v_load(x + i)));
    if (i < range.end) v_store_part(y + i, f(v_load_part(x + i, range.end - i, 0)), range.end - i);
}

/* y = f(a, b). */
INLINE void map2(const Call *call, Part part, V (*f)(V, V))
{
    const float *restrict a = input(call, 0);   /* (…) */
    const float *restrict b = input(call, 1);   /* (…) */
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);
    int64_t i = range.begin;

    for (; i + WIDTH <= range.end; i += WIDTH) v_store(y + i, f(v_load(a + i), v_load(b + i)));
    if (i < range.end) {
        const int64_t n = range.end - i;
        v_store_part(y + i, f(v_load_part(a + i, n, 0), v_load_part(b + i, n, 0)), n);
    }
}

/* y = f(x, c) with the first constant of the call in every lane of c. */
INLINE void map1_constant(const Call *call, Part part, V (*f)(V, V))
{
    const float *restrict x = input(call, 0);   /* (…) */
    const V c = v_splat(number(call, 0));
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);
    int64_t i = range.begin;

    for (; i + WIDTH <= range.end; i += WIDTH) v_store(y + i, f(v_load(x + i), c));
    if (i < range.end) v_store_part(y + i, f(v_load_part(x + i, range.end - i, 0), c), range.end - i);
}

/* y = f(a, b, c). */
INLINE void map2_constant(const Call *call, Part part, V (*f)(V, V, V))
{
    const float *restrict a = input(call, 0);   /* (…) */
    const float *restrict b = input(call, 1);   /* (…) */
    const V c = v_splat(number(call, 0));
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);
    int64_t i = range.begin;

    for (; i + WIDTH <= range.end; i += WIDTH) v_store(y + i, f(v_load(a + i), v_load(b + i), c));
    if (i < range.end) {
        const int64_t n = range.end - i;
        v_store_part(y + i, f(v_load_part(a + i, n, 0), v_load_part(b + i, n, 0), c), n);
    }
}

#endif
