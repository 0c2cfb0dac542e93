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

    tile_start(acc, rows, vectors, partial, t->start, t->start_row, last);
    UNROLL for (int i = 0; i < rows; i += 3)
        a[i / 3] = t->a + i / 3 * t->a_group;
    for (int64_t r = t->count[2]; r > 0; r--) {
        for (int64_t q = t->count[1]; q > 0; q--) {
            for (int64_t p = t->count[0]; p > 0; p--) {
                tile_add(acc, b, rows, vectors, partial, a, a_row, b_row, last);
                tile_step(a, rows, a_step);
                b_row += b_step;
            }
            tile_step(a, rows, a_next);
            b_row += b_next;
        }
        tile_step(a, rows, a_far);
        b_row += b_far;
    }
    tile_end(acc, rows, vectors, partial, t->c, t->c_row, last, t->relu);
}

TILES(conv_tiles, conv_tile, ConvTile)

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
