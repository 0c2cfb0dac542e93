/* gemm/pack.h: gemm.c's copies of operands, in the order in which the tiles read them. */
#ifndef GEMM_PACK_H
#define GEMM_PACK_H

#include <string.h>

#include "gemm/tile.h"

enum { DEPTH = 512 };      /* of a block of b: one tile's rows of a (14 x 512) stay in the first-level cache */

static inline int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }

#ifdef __clang__   /* which has no __builtin_shuffle */
static inline void transpose(V x[WIDTH])
{
    float lanes[WIDTH][WIDTH], turned[WIDTH][WIDTH];
    memcpy(lanes, x, sizeof lanes);
    for (int i = 0; i < WIDTH; i++)
        for (int j = 0; j < WIDTH; j++) turned[i][j] = lanes[j][i];
    memcpy(x, turned, sizeof turned);
}
#else
/* Exchanges the off-diagonal halves of every square block of 2 half x 2 half. Called with a literal `half`, so that
 * the lane numbers are constants, for which the compiler knows cheaper instructions than for any shuffle. */
INLINE void exchange(V x[WIDTH], const int half)
{
#if defined(__AVX512F__)
    const I lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif defined(__AVX2__)
    const I lane = {0, 1, 2, 3, 4, 5, 6, 7};
#else
    const I lane = {0, 1, 2, 3};
#endif
    const I upper = lane + (((lane & half) != 0) & (WIDTH - half)), lower = upper + half;
    if (half >= WIDTH) return;
    UNROLL for (int i = 0; i < WIDTH; i++)
        if (!(i & half)) {
            const V top = x[i], bottom = x[i + half];
            x[i] = __builtin_shuffle(top, bottom, upper);
            x[i + half] = __builtin_shuffle(top, bottom, lower);
        }
}

INLINE void transpose(V x[WIDTH])
{
    exchange(x, 1);
    exchange(x, 2);
    exchange(x, 4);
    exchange(x, 8);
}
#endif

/* A transposition of up to 8 deep columns: rows i and i + 8 share a vector, so that half of the exchanges are enough.
 * (32, 8) by (16, 8)^T takes 111 ns, and 134 with whole exchanges. */
#if defined(__AVX512F__) && !defined(__clang__)
enum { SHALLOW = 8 };
INLINE void transpose_shallow(const float *b, int64_t b_column, int64_t depth, int64_t columns, V x[WIDTH])
{
    const __mmask8 mask = (1u << depth) - 1;
    UNROLL for (int i = 0; i < 8; i++) {
        const float *at = b + i * b_column;
        const __m256 top = i < columns ? _mm256_maskz_loadu_ps(mask, at) : _mm256_setzero_ps();
        const __m256 bottom = i + 8 < columns ? _mm256_maskz_loadu_ps(mask, at + 8 * b_column) : _mm256_setzero_ps();
        x[i] = _mm512_insertf32x8(_mm512_castps256_ps512(top), bottom, 1);
        x[i + 8] = (V){0};
    }
    exchange(x, 1);
    exchange(x, 2);
    exchange(x, 4);
}
#else
enum { SHALLOW = 0 };
#define transpose_shallow(b, b_column, depth, columns, x) ((void)0)
#endif

/* Hides from the compiler how p is made: it would keep an address for each of the rows that p walks along. */
#define WALK(p) __asm__("" : "+r"(p))

/* Copies k x columns of b, whose columns are contiguous (b[j * b_column + p]), into panels of `width`. */
static void pack_transposed(const float *b, int64_t b_column, int64_t k, int64_t columns, int64_t width, float *panels)
{
    const int64_t ahead = WIDTH * b_column;
    float *panel = panels;
    for (int64_t j = 0, left = columns; left > 0; j += WIDTH, left -= WIDTH) {
        for (int64_t p = 0; p < k; p += WIDTH) {
            V x[WIDTH];
            const int64_t depth = k - p < WIDTH ? k - p : WIDTH;
            const float *from = b + p;
            float *to = panel + p * width;
            if (k <= SHALLOW) {
                transpose_shallow(b, b_column, depth, left, x);
                UNROLL for (int i = 0; i < SHALLOW; i++)
                    if (i < depth) v_store(to + i * width, x[i]);
                break;
            }
            WALK(from);
            WALK(to);
            if (depth == WIDTH && left >= WIDTH) {
                UNROLL for (int i = 0; i < WIDTH; i++) {       /* (256, 2048) by (2048, 2048)^T: 208 -> 210 GFLOPS */
                    __builtin_prefetch(from + ahead, 0, 2);
                    x[i] = v_load(from);
                    from += b_column;
                }
            } else {
                UNROLL for (int i = 0; i < WIDTH; i++) {
                    x[i] = i < left ? load_some(from, depth) : (V){0};
                    from += b_column;
                }
            }
            transpose(x);
            if (depth == WIDTH) {
                UNROLL for (int i = 0; i < WIDTH; i++) {
                    v_store(to, x[i]);
                    to += width;
                }
            } else {
                UNROLL for (int i = 0; i < WIDTH; i++)
                    if (i < depth) v_store(to + i * width, x[i]);
            }
        }
        b += ahead;
        panel += (j + WIDTH) % width ? WIDTH : width * k - (width - WIDTH);
    }
}

/* The same for a b whose rows are contiguous; a few rows at a time, so that what is read and what is written both lie
 * together: (256, 2048) by (2048, 2048) runs at 208 GFLOPS where one panel is filled after the other, at 215 so. */
static void pack(const float *b, int64_t b_depth, int64_t k, int64_t columns, int64_t width, float *panels)
{
    for (int64_t p0 = 0; p0 < k; p0 += 8) {
        const int64_t p1 = min(p0 + 8, k);
        for (int64_t j = 0; j < columns; j += width) {
            const int64_t n = min(columns - j, width);
            float *panel = panels + j * k;
            for (int64_t p = p0; p < p1; p++)
                for (int64_t v = 0; v < n; v += WIDTH)
                    v_store(panel + p * width + v, n - v < WIDTH ? load_some(b + p * b_depth + j + v, n - v)
                                                                 : v_load(b + p * b_depth + j + v));
        }
    }
}

#endif
