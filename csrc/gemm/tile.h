/* gemm/tile.h: the inner part of gemm.c: a tile of c that stays in registers while the products are added to it. */
#ifndef GEMM_TILE_H
#define GEMM_TILE_H

#include "vector/activate.h"
#ifdef __AVX2__
#include <immintrin.h>
#endif

/* The tile of c that the micro-kernel keeps in registers is at most TILE_ROWS x 2 vectors: as many
 * accumulators as leave room for two vectors of b and one of a. Up to WIDE_TILE_ROWS rows fit beside 4 vectors,
 * which hides the latency of the multiply-adds when there are few rows. Measured: 14x32 floats with
 * AVX-512 and 6x16 with AVX2 reach the peak; one accumulator more than registers costs 40 %. With NEON gcc takes a
 * register for every row's element of a: 8x8 floats fit its 32, 6x16 did not (from the machine code; never timed). */
#if defined(__AVX512F__)
enum { TILE_ROWS = 14, WIDE_TILE_ROWS = 6 };
#elif defined(__AVX2__)
enum { TILE_ROWS = 6, WIDE_TILE_ROWS = 2 };
#elif defined(__aarch64__)
enum { TILE_ROWS = 8, WIDE_TILE_ROWS = 4 };
#else
enum { TILE_ROWS = 4, WIDE_TILE_ROWS = 2 };
#endif

/* The first `count` lanes and zeros behind them, with the mask instructions where there are any. */
INLINE V load_some(const float *p, int64_t count)
{
#if defined(__AVX512F__)
    return _mm512_maskz_loadu_ps((1u << count) - 1, p);
#elif defined(__AVX2__)
    static const int32_t mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_maskload_ps(p, _mm256_loadu_si256((const __m256i_u *)(mask + 8 - count)));
#else
    V x = {p[0]};
    for (int i = 1; i < WIDTH; i++)
        if (i < count) x[i] = p[i];
    return x;
#endif
}

INLINE void store_some(float *p, V x, int64_t count)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (1u << count) - 1, x);
#else
    v_store_part(p, x, count);   /* masked stores are very slow on AMD before AVX-512 */
#endif
}

/* What a tile needs to know; `start` holds what its accumulators start from. */
typedef struct Tile {
    const float *a, *b, *start;
    float *c;
    int64_t k, a_row, a_depth, b_depth, start_row, c_row;
    int64_t last;             /* columns in the last vector, 1 to WIDTH */
    int relu;                 /* whether the results go through relu */
} Tile;

/* The parts of a tile, here and in conv/tile.h: what its accumulators start from, one more product of a column of a
 * and a row of b, and the results. rows, vectors and partial are constants where these are inlined, and every loop over
 * them must be unrolled completely: an `acc` that is indexed at run time lives in memory. Rows are addressed in groups
 * of three from one pointer, (p, p + row, p + 2 row): fourteen pointers would not fit in the general registers. */
#define UNROLL UNROLLED(28)
INLINE void tile_start(V *acc, const int rows, const int vectors, const int partial, const float *start,
                       int64_t start_row, int64_t last)
{
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) {
            const float *from = start + i * start_row + v * WIDTH;
            acc[i * vectors + v] = partial && v == vectors - 1 ? load_some(from, last) : v_load(from);
        }
}

INLINE void tile_add(V *acc, V *b, const int rows, const int vectors, const int partial, const float *const *a,
                     int64_t a_row, const float *b_row, int64_t last)
{
    UNROLL for (int v = 0; v < vectors; v++)
        b[v] = partial && v == vectors - 1 ? load_some(b_row + v * WIDTH, last) : v_load(b_row + v * WIDTH);
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++)
            acc[i * vectors + v] += a[i / 3][i % 3 * a_row] * b[v];
}

INLINE void tile_step(const float **a, const int rows, int64_t step)
{
    UNROLL for (int i = 0; i < rows; i += 3)
        a[i / 3] += step;
}

INLINE void tile_end(V *acc, const int rows, const int vectors, const int partial, float *c, int64_t c_row,
                     int64_t last, int relu)
{
    if (relu) {
        UNROLL for (int i = 0; i < rows * vectors; i++)
            acc[i] = v_relu(acc[i]);
    }
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) {
            float *to = c + i * c_row + v * WIDTH;
            if (partial && v == vectors - 1) store_some(to, acc[i * vectors + v], last);
            else v_store(to, acc[i * vectors + v]);
        }
}

/* rows x (vectors * WIDTH) elements of c. */
INLINE void tile(const int rows, const int vectors, const int partial, const Tile *t)
{
    V acc[28], b[4];      /* b here: clang puts registers into memory where tile_add() has one of its own */
    const float *a[5], *b_row = t->b;
    const int64_t a_row = t->a_row, a_depth = t->a_depth, b_depth = t->b_depth, last = t->last;

    tile_start(acc, rows, vectors, partial, t->start, t->start_row, last);
    UNROLL for (int i = 0; i < rows; i += 3)
        a[i / 3] = t->a + i * a_row;
    for (int64_t p = t->k; p > 0; p--) {
        tile_add(acc, b, rows, vectors, partial, a, a_row, b_row, last);
        tile_step(a, rows, a_depth);
        b_row += b_depth;
    }
    tile_end(acc, rows, vectors, partial, t->c, t->c_row, last, t->relu);
}

/* A table of functions, tiles[rows - 1][vectors - 1], that each are f with constants in place of rows and vectors. */
#define TILE_OF(f, T, rows, vectors) \
    static void f##_##rows##x##vectors(const T *t) \
    { \
        if (t->last == WIDTH) f(rows, vectors, 0, t); \
        else f(rows, vectors, 1, t); \
    }
#define NARROW(f, T, rows) TILE_OF(f, T, rows, 1) TILE_OF(f, T, rows, 2)
#define WIDE_ROWS(f, T, rows) NARROW(f, T, rows) TILE_OF(f, T, rows, 3) TILE_OF(f, T, rows, 4)
#define NARROW_NAMES(f, T, rows) {f##_##rows##x1, f##_##rows##x2, f##_##rows##x2, f##_##rows##x2},
#define WIDE_NAMES(f, T, rows) {f##_##rows##x1, f##_##rows##x2, f##_##rows##x3, f##_##rows##x4},
#if defined(__AVX512F__)
#define EACH_TILE(N, W, f, T) W(f, T, 1) W(f, T, 2) W(f, T, 3) W(f, T, 4) W(f, T, 5) W(f, T, 6) N(f, T, 7) \
    N(f, T, 8) N(f, T, 9) N(f, T, 10) N(f, T, 11) N(f, T, 12) N(f, T, 13) N(f, T, 14)
#elif defined(__AVX2__)
#define EACH_TILE(N, W, f, T) W(f, T, 1) W(f, T, 2) N(f, T, 3) N(f, T, 4) N(f, T, 5) N(f, T, 6)
#elif defined(__aarch64__)
#define EACH_TILE(N, W, f, T) W(f, T, 1) W(f, T, 2) W(f, T, 3) W(f, T, 4) N(f, T, 5) N(f, T, 6) N(f, T, 7) N(f, T, 8)
#else
#define EACH_TILE(N, W, f, T) W(f, T, 1) W(f, T, 2) N(f, T, 3) N(f, T, 4)
#endif
#define TILES(table, f, T) \
    EACH_TILE(NARROW, WIDE_ROWS, f, T) \
    static void (*const table[TILE_ROWS][4])(const T *t) = { EACH_TILE(NARROW_NAMES, WIDE_NAMES, f, T) };

TILES(tiles, tile, Tile)

#endif
