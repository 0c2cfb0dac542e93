/* gemm/strided.h: products inside other kernels, by one worker: any strides, sums that go on from what is there.
 *
 * c = start + a b, where rows of a, c and start lie a_row, c_row and start_row floats apart (start may be c itself, or
 * one row for all with start_row 0, or NULL for zeros). Every element is one chain of multiply-adds over p = 0, 1, ...
 * k-1, as in gemm.h, so its bits do not depend on how the rows are cut.
 */
#ifndef GEMM_STRIDED_H
#define GEMM_STRIDED_H

#include "gemm/pack.h"

/* What of a product counts, where one of its matrices is a triangle: the other half of a is zeros, of c nobody's. Tiles
 * that have no part in it are left out. */
typedef enum Triangle {
    ALL,
    LOWER_C,                  /* columns j <= diagonal + i of c, and some more */
    LOWER_A,                  /* terms p <= diagonal + i */
    UPPER_A                   /* terms p >= i - diagonal */
} Triangle;

typedef struct Product {
    const float *a, *b, *start;
    float *c;
    int64_t m, n, k, a_row, a_depth, b_depth, b_column, start_row, c_row;
    const float *panels;      /* b as pack_panels left it, or NULL: then b is read where it is, or packed here */
    int64_t width;            /* columns of a panel: panel_width of the most rows that are multiplied at once */
    Triangle triangle;
    int64_t diagonal;
} Product;

/* Columns of a panel for products of m rows: four vectors for few rows, which hides the latency of the
 * multiply-adds. */
static inline int64_t panel_width(int64_t m) { return WIDTH * (m <= WIDE_TILE_ROWS ? 4 : 2); }

/* Packs b for products of up to `rows` rows into `panels`, if `room` is enough; the floats it took. */
static int64_t pack_panels(Product *p, int64_t rows, float *panels, int64_t room)
{
    p->width = panel_width(rows);
    const int64_t floats = (p->n + p->width - 1) / p->width * p->width * p->k;
    if (floats > room) return 0;
    if (p->b_column == 1) pack(p->b, p->b_depth, p->k, p->n, p->width, panels);
    else pack_transposed(p->b, p->b_column, p->k, p->n, p->width, panels);
    p->panels = panels;
    return floats;
}

/* All columns of c from packed panels, or from a b whose rows are contiguous. */
static void multiply_columns(const Product *p, const float *panels, int64_t width, int64_t j0, int64_t j1)
{
    static const float zeros[4 * WIDTH];
    const int64_t row_tiles = (p->m + TILE_ROWS - 1) / TILE_ROWS;
    for (int64_t r = 0; r < row_tiles; r++) {
        const int64_t i = p->m * r / row_tiles, rows = p->m * (r + 1) / row_tiles - i, past = p->diagonal + i + rows;
        const int64_t columns = p->triangle == LOWER_C ? min(j1, (past + WIDTH - 1) / WIDTH * WIDTH) : j1;
        const int64_t first = p->triangle == UPPER_A && i > p->diagonal ? min(i - p->diagonal, p->k) : 0;
        Tile t = {.a = p->a + i * p->a_row + first * p->a_depth, .a_row = p->a_row, .a_depth = p->a_depth,
                  .k = p->triangle == LOWER_A ? min(p->k, past) : p->k - first,
                  .b_depth = panels ? width : p->b_depth, .start_row = p->start ? p->start_row : 0, .c_row = p->c_row};
        for (int64_t j = j0; j < columns; j += width) {
            const int64_t vectors = (min(columns - j, width) + WIDTH - 1) / WIDTH;
            t.last = min(columns - j - (vectors - 1) * WIDTH, WIDTH);
            t.b = (panels ? panels + (j - j0) * p->k : p->b + j) + first * t.b_depth;
            t.start = p->start ? p->start + i * p->start_row + j : zeros;
            t.c = p->c + i * p->c_row + j;
            tiles[rows - 1][vectors - 1](&t);
        }
    }
}

/* The product; `scratch` of `room` floats holds panels of a transposed b that was not packed before. */
static void multiply(const Product *p, float *scratch, int64_t room)
{
    if (p->m <= 0 || p->n <= 0) return;
    if (p->panels || p->b_column == 1) {
        multiply_columns(p, p->panels, p->panels ? p->width : panel_width(p->m), 0, p->n);
        return;
    }
    const int64_t width = panel_width(p->m), most = p->k ? room / p->k / width * width : p->n;
    const int64_t columns = most < width ? width : most;
    for (int64_t j = 0; j < p->n; j += columns) {
        const int64_t n = min(p->n - j, columns);
        pack_transposed(p->b + j * p->b_column, p->b_column, p->k, n, width, scratch);
        multiply_columns(p, scratch, width, j, j + n);
    }
}

#endif
