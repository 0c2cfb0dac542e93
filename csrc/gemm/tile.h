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

/* rows x (vectors * WIDTH) elements of c. The three parameters are constants where this is inlined, and
 * every loop over them must be unrolled completely: an `acc` that is indexed at run time lives in memory.
 * Rows are addressed in groups of three from one pointer, (p, p + row, p + 2 row): fourteen pointers
 * would not fit in the general registers. */
#define UNROLL UNROLLED(28)
INLINE void tile(const int rows, const int vectors, const int partial, const Tile *t)
{
    V acc[28], b[4];
    const float *a[5], *b_row = t->b;
    const int64_t a_row = t->a_row, a_depth = t->a_depth, b_depth = t->b_depth, last = t->last;

    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) {
            const float *from = t->start + i * t->start_row + v * WIDTH;
            acc[i * vectors + v] = partial && v == vectors - 1 ? load_some(from, last) : v_load(from);
        }
    UNROLL for (int i = 0; i < rows; i += 3)
        a[i / 3] = t->a + i * a_row;

    for (int64_t p = t->k; p > 0; p--) {
        UNROLL for (int v = 0; v < vectors; v++)
            b[v] = partial && v == vectors - 1 ? load_some(b_row + v * WIDTH, last) : v_load(b_row + v * WIDTH);
        UNROLL for (int i = 0; i < rows; i++)
            UNROLL for (int v = 0; v < vectors; v++)
                acc[i * vectors + v] += a[i / 3][i % 3 * a_row] * b[v];
        UNROLL for (int i = 0; i < rows; i += 3)
            a[i / 3] += a_depth;
        b_row += b_depth;
    }

    if (t->relu) {
        UNROLL for (int i = 0; i < rows * vectors; i++)
            acc[i] = v_relu(acc[i]);
    }
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) {
            float *to = t->c + i * t->c_row + v * WIDTH;
            if (partial && v == vectors - 1) store_some(to, acc[i * vectors + v], last);
            else v_store(to, acc[i * vectors + v]);
        }
}

#define TILE(rows, vectors) \
    static void tile_##rows##x##vectors(const Tile *t) \
    { \
        if (t->last == WIDTH) tile(rows, vectors, 0, t); \
        else tile(rows, vectors, 1, t); \
    }
#define TILES_OF(rows) TILE(rows, 1) TILE(rows, 2)
#define NAMES_OF(rows) {tile_##rows##x1, tile_##rows##x2, tile_##rows##x2, tile_##rows##x2}
#define WIDE_OF(rows) TILES_OF(rows) TILE(rows, 3) TILE(rows, 4)
#define WIDE_NAMES_OF(rows) {tile_##rows##x1, tile_##rows##x2, tile_##rows##x3, tile_##rows##x4}

typedef void (*TileFunction)(const Tile *t);
WIDE_OF(1) WIDE_OF(2)
#if defined(__AVX512F__)
WIDE_OF(3) WIDE_OF(4) WIDE_OF(5) WIDE_OF(6)
TILES_OF(7) TILES_OF(8) TILES_OF(9) TILES_OF(10) TILES_OF(11) TILES_OF(12) TILES_OF(13) TILES_OF(14)
static const TileFunction tiles[TILE_ROWS][4] = {
    WIDE_NAMES_OF(1), WIDE_NAMES_OF(2), WIDE_NAMES_OF(3), WIDE_NAMES_OF(4), WIDE_NAMES_OF(5), WIDE_NAMES_OF(6),
    NAMES_OF(7), NAMES_OF(8), NAMES_OF(9), NAMES_OF(10), NAMES_OF(11), NAMES_OF(12), NAMES_OF(13), NAMES_OF(14),
};
#elif defined(__aarch64__)
WIDE_OF(3) WIDE_OF(4) TILES_OF(5) TILES_OF(6) TILES_OF(7) TILES_OF(8)
static const TileFunction tiles[TILE_ROWS][4] = {
    WIDE_NAMES_OF(1), WIDE_NAMES_OF(2), WIDE_NAMES_OF(3), WIDE_NAMES_OF(4), NAMES_OF(5), NAMES_OF(6), NAMES_OF(7),
    NAMES_OF(8),
};
#else
TILES_OF(3) TILES_OF(4)
#ifdef __AVX2__
TILES_OF(5) TILES_OF(6)
#endif
static const TileFunction tiles[TILE_ROWS][4] = {
    WIDE_NAMES_OF(1), WIDE_NAMES_OF(2), NAMES_OF(3), NAMES_OF(4),
#ifdef __AVX2__
    NAMES_OF(5), NAMES_OF(6),
#endif
};
#endif

#endif
