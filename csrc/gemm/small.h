/* gemm/small.h: products whose matrices are so small that what comes before a tile would take as long as they. For
 * gemm.c only. */
#ifndef GEMM_SMALL_H
#define GEMM_SMALL_H

#include "vector/activate.h"
#include "gemm/gemm.h"
#include "gemm/pack.h"

enum {
    NAIVE = 16,               /* multiply-adds that take no longer in three loops */
    DIRECT = 64               /* columns and rows of a product that is computed without blocks */
};

static const float zeros[DIRECT];

/* x y + sum as the vectors do it: rounded once where the instruction set can. Left to itself, gcc may use
 * vectors for the products only, and round twice. */
INLINE float multiply_add(float x, float y, float sum)
{
#ifdef FUSED
    return __builtin_fmaf(x, y, sum);
#else
    return x * y + sum;
#endif
}

/* gemm() in the words of its definition; the tiles give the same bits. For the smallest products it is also
 * the fastest. */
static void naive(const Gemm *g)
{
    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++) {
            float sum = g->bias ? g->bias[j] : 0;
            for (int64_t p = 0; p < g->k; p++)
                sum = multiply_add(g->a[i * g->a_row + p * g->a_depth], g->b[p * g->b_depth + j * g->b_column], sum);
            g->c[i * g->n + j] = sum;
        }
    activate(g->c, g->m * g->n, g->activation);
}

/* The smallest products: a, b and c fit in one vector each, and lane i n + j computes c[i][j], whatever is transposed.
 * (4, 2) by (2, 4) takes 14 ns, with tiles 20; (4, 1) by (1, 4) takes 13, in three loops 27. */
#if defined(__AVX512F__)
static inline int fits_vectors(const Gemm *g)
{
    return g->m * g->n <= WIDTH && g->k > 0 && (g->m - 1) * g->a_row + (g->k - 1) * g->a_depth < WIDTH
           && (g->n - 1) * g->b_column + (g->k - 1) * g->b_depth < WIDTH;
}

static void vectors(const Gemm *g)
{
    const int32_t m = g->m, n = g->n, k = g->k, a_row = g->a_row, a_depth = g->a_depth, b_depth = g->b_depth,
                  b_column = g->b_column;
    const I lane = v_lanes(), row = lane * ((65535 + n) / n) >> 16, column = lane - row * n;    /* lane / n, lane % n */
    const V a = v_load_part(g->a, (m - 1) * a_row + (k - 1) * a_depth + 1, 0);
    const V b = v_load_part(g->b, (n - 1) * b_column + (k - 1) * b_depth + 1, 0);
    I from_a = row * a_row, from_b = column * b_column;
    V c = {0};

    if (g->bias) c = (V)_mm512_permutexvar_ps((__m512i)column, (__m512)v_load_part(g->bias, n, 0));
    for (int32_t p = 0; p < k; p++, from_a += a_depth, from_b += b_depth)
        c += (V)_mm512_permutexvar_ps((__m512i)from_a, (__m512)a)
             * (V)_mm512_permutexvar_ps((__m512i)from_b, (__m512)b);
    switch (g->activation) {
    case RELU: c = v_relu(c); break;
    case TANH: c = v_tanh(c); break;
    case SIGMOID: c = v_sigmoid(c); break;
    }
    v_store_part(g->c, c, m * n);
}
#else
#define fits_vectors(g) 0
#define vectors(g) ((void)0)
#endif

/* All of a small c by one worker, without blocks: one division is all that comes before the first tile. `start` is the
 * bias or zeros, for as many columns as c has. */
static void direct(const Gemm *g, const float *start)
{
    const int64_t width = WIDTH * (g->m <= WIDE_TILE_ROWS ? 4 : 2);
    const uint32_t row_tiles = (g->m + TILE_ROWS - 1) / TILE_ROWS;
    const int64_t rows = (uint32_t)g->m / row_tiles;
    int64_t more = g->m - rows * row_tiles;      /* so many tiles have one row more */
    float *c = g->c;
    Tile t = {.a = g->a, .k = g->k, .a_row = g->a_row, .a_depth = g->a_depth, .b_depth = g->b_depth, .c_row = g->n,
              .relu = g->activation == RELU};

    for (int64_t i = 0; i < g->m; more--) {
        const int64_t tile_rows = rows + (more > 0);
        for (int64_t j = 0; j < g->n; j += width) {
            const int64_t columns = min(g->n - j, width), vectors = (columns + WIDTH - 1) / WIDTH;
            t.last = columns - (vectors - 1) * WIDTH;
            t.b = g->b + j;
            t.c = c + j;
            t.start = start + j;
            tiles[tile_rows - 1][vectors - 1](&t);
        }
        i += tile_rows;
        c += tile_rows * g->n;
        t.a += tile_rows * g->a_row;
    }
    if (g->activation > RELU) activate(g->c, g->m * g->n, g->activation);
}

#endif
