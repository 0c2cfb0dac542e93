/* conv/tile.h: a tile of pixels x channels that stays in registers while everything is added to it.
 *
 * The tile of gemm/tile.h with three loops around the multiply-adds instead of one: the channels, taps across and taps
 * down of a convolution, or the columns, rows and images of its weights' gradient. With one loop the sums would have
 * to go through memory after every row of taps, which for the first layer of a net are three multiply-adds apart.
 */
#ifndef CONV_TILE_H
#define CONV_TILE_H

#include "vector/activate.h"
#include "gemm/tile.h"

/* Element (i, j) starts at start[i * start_row + j], or at 0, and gets
 *     a[i / 3 * a_group + i % 3 * a_row + Σ p_l a_step[l]] * b[j + Σ p_l b_step[l]]   for p_2, p_1, p_0 in order,
 * p_l < count[l]; then what is negative becomes 0, if relu is set. */
typedef struct ConvTile {
    const float *a, *b, *start;
    float *c;
    int64_t count[3], a_step[3], b_step[3];
    int64_t a_row, a_group, start_row, c_row;
    int64_t last;             /* columns in the last vector, 1 to WIDTH */
    int relu;
} ConvTile;

INLINE void conv_tile(const int rows, const int vectors, const int partial, const ConvTile *t)
{
    V acc[28], b[4];
    const float *a[5], *b_row = t->b;
    const int64_t a_row = t->a_row, a_step = t->a_step[0], b_step = t->b_step[0], last = t->last;
    const int64_t a_next = t->a_step[1] - t->count[0] * a_step, b_next = t->b_step[1] - t->count[0] * b_step;
    const int64_t a_far = t->a_step[2] - t->count[1] * t->a_step[1], b_far = t->b_step[2] - t->count[1] * t->b_step[1];

    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) {
            const float *from = t->start + i * t->start_row + v * WIDTH;
            acc[i * vectors + v] = partial && v == vectors - 1 ? load_some(from, last) : v_load(from);
        }
    UNROLL for (int i = 0; i < rows; i += 3)
        a[i / 3] = t->a + i / 3 * t->a_group;

    for (int64_t r = t->count[2]; r > 0; r--) {
        for (int64_t q = t->count[1]; q > 0; q--) {
            for (int64_t p = t->count[0]; p > 0; p--) {
                UNROLL for (int v = 0; v < vectors; v++)
                    b[v] = partial && v == vectors - 1 ? load_some(b_row + v * WIDTH, last) : v_load(b_row + v * WIDTH);
                UNROLL for (int i = 0; i < rows; i++)
                    UNROLL for (int v = 0; v < vectors; v++)
                        acc[i * vectors + v] += a[i / 3][i % 3 * a_row] * b[v];
                UNROLL for (int i = 0; i < rows; i += 3)
                    a[i / 3] += a_step;
                b_row += b_step;
            }
            UNROLL for (int i = 0; i < rows; i += 3)
                a[i / 3] += a_next;
            b_row += b_next;
        }
        UNROLL for (int i = 0; i < rows; i += 3)
            a[i / 3] += a_far;
        b_row += b_far;
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

#define CONV_TILE(rows, vectors) \
    static void conv_tile_##rows##x##vectors(const ConvTile *t) \
    { \
        if (t->last == WIDTH) conv_tile(rows, vectors, 0, t); \
        else conv_tile(rows, vectors, 1, t); \
    }
#define CONV_TILES_OF(rows) CONV_TILE(rows, 1) CONV_TILE(rows, 2)
#define CONV_NAMES_OF(rows) {conv_tile_##rows##x1, conv_tile_##rows##x2, conv_tile_##rows##x2, conv_tile_##rows##x2}
#define CONV_WIDE_OF(rows) CONV_TILES_OF(rows) CONV_TILE(rows, 3) CONV_TILE(rows, 4)
#define CONV_WIDE_NAMES_OF(rows) \
    {conv_tile_##rows##x1, conv_tile_##rows##x2, conv_tile_##rows##x3, conv_tile_##rows##x4}

typedef void (*ConvTileFunction)(const ConvTile *t);
CONV_WIDE_OF(1) CONV_WIDE_OF(2)
#if defined(__AVX512F__)
CONV_WIDE_OF(3) CONV_WIDE_OF(4) CONV_WIDE_OF(5) CONV_WIDE_OF(6)
CONV_TILES_OF(7) CONV_TILES_OF(8) CONV_TILES_OF(9) CONV_TILES_OF(10)
CONV_TILES_OF(11) CONV_TILES_OF(12) CONV_TILES_OF(13) CONV_TILES_OF(14)
static const ConvTileFunction conv_tiles[TILE_ROWS][4] = {
    CONV_WIDE_NAMES_OF(1), CONV_WIDE_NAMES_OF(2), CONV_WIDE_NAMES_OF(3), CONV_WIDE_NAMES_OF(4),
    CONV_WIDE_NAMES_OF(5), CONV_WIDE_NAMES_OF(6), CONV_NAMES_OF(7), CONV_NAMES_OF(8), CONV_NAMES_OF(9),
    CONV_NAMES_OF(10), CONV_NAMES_OF(11), CONV_NAMES_OF(12), CONV_NAMES_OF(13), CONV_NAMES_OF(14),
};
#elif defined(__aarch64__)
CONV_WIDE_OF(3) CONV_WIDE_OF(4) CONV_TILES_OF(5) CONV_TILES_OF(6) CONV_TILES_OF(7) CONV_TILES_OF(8)
static const ConvTileFunction conv_tiles[TILE_ROWS][4] = {
    CONV_WIDE_NAMES_OF(1), CONV_WIDE_NAMES_OF(2), CONV_WIDE_NAMES_OF(3), CONV_WIDE_NAMES_OF(4), CONV_NAMES_OF(5),
    CONV_NAMES_OF(6), CONV_NAMES_OF(7), CONV_NAMES_OF(8),
};
#else
CONV_TILES_OF(3) CONV_TILES_OF(4)
#ifdef __AVX2__
CONV_TILES_OF(5) CONV_TILES_OF(6)
#endif
static const ConvTileFunction conv_tiles[TILE_ROWS][4] = {
    CONV_WIDE_NAMES_OF(1), CONV_WIDE_NAMES_OF(2), CONV_NAMES_OF(3), CONV_NAMES_OF(4),
#ifdef __AVX2__
    CONV_NAMES_OF(5), CONV_NAMES_OF(6),
#endif
};
#endif

/* rows x columns of a tile's matrix, panel by panel; t is set up for column 0, and left wherever it ends. */
INLINE void conv_columns(ConvTile *t, int64_t rows, int64_t columns)
{
    const int64_t width = WIDTH * (rows <= WIDE_TILE_ROWS ? 4 : 2);
    for (int64_t j = 0; j < columns; j += width) {
        const int64_t n = columns - j < width ? columns - j : width;
        const int64_t vectors = (n + WIDTH - 1) / WIDTH;
        t->last = n - (vectors - 1) * WIDTH;
        conv_tiles[rows - 1][vectors - 1](t);
        t->b += width, t->c += width, t->start += width;
    }
}

#endif
