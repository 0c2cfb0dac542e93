/* conv/block.h: the parts that convolutions are made of: outputs that have the same taps, and what pixels say to
 * weights. */
#ifndef CONV_BLOCK_H
#define CONV_BLOCK_H

#include "conv/axis.h"
#include "conv/tile.h"
#include "vector/chunks.h"

static inline int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static inline int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }
static inline int64_t ceil_div(int64_t x, int64_t y) { return (x + y - 1) / y; }

typedef struct Conv {
    const float *x, *w, *bias;
    float *y;
    Axis vertical, horizontal;
    int64_t images, channels, filters, groups;      /* of x, of y, and what both are divided into */
    int64_t w_step;                                 /* between the weights of a channel and of the next */
    int64_t y_pixel, y_row;                         /* between outputs */
    int activation;
} Conv;

/* The filters [begin, end) of one group, at the pixels of a block: rows x columns that have the same taps. */
static void block(const Conv *c, const Run *rows, const Run *columns, const float *image, float *y, int64_t group,
                  Range filters)
{
    const int64_t channels = c->channels / c->groups, width = c->horizontal.in, tap = channels * c->filters;
    const int64_t first = c->w_step == c->filters ? 0 : group * channels * c->w_step;    /* row of w, or its column: */
    const int64_t filter = group * (c->filters / c->groups) + filters.begin;
    const int64_t column = c->w_step == c->filters ? filter : filters.begin;
    const int merged = c->groups == 1 && columns->in_tap == 1;
    ConvTile t = {
        .relu = c->activation == RELU,
        .count = {merged ? channels * columns->taps : channels, merged ? 1 : columns->taps, rows->taps},
        .a_step = {1, columns->in_tap * c->channels, rows->in_tap * width * c->channels},
        .b_step = {c->w_step, columns->tap_step * tap, rows->tap_step * c->horizontal.kernel * tap},
    };
    const float *a = image + (rows->in * width + columns->in) * c->channels + group * channels;
    float *to = y + rows->out * c->y_row + columns->out * c->y_pixel + filter;
    /* a tile is a piece of a row or of a column, whichever cut leaves fewer of them */
    const int64_t of_columns = columns->count * ceil_div(rows->count, TILE_ROWS);
    const int down = of_columns < rows->count * ceil_div(columns->count, TILE_ROWS);
    const Run *along = down ? rows : columns, *across = down ? columns : rows;
    const int64_t a_along = along->in_step * c->channels * (down ? width : 1);
    const int64_t a_across = across->in_step * c->channels * (down ? 1 : width);
    const int64_t to_along = along->out_step * (down ? c->y_row : c->y_pixel);
    const int64_t to_across = across->out_step * (down ? c->y_pixel : c->y_row);
    const int64_t tiles = ceil_div(along->count, TILE_ROWS), n = filters.end - filters.begin;

    const int64_t least = along->count / tiles, more = along->count % tiles;      /* pixels; tiles with one more */
    const float *w = c->w + (rows->tap * c->horizontal.kernel + columns->tap) * tap + first + column;

    t.a_row = a_along, t.a_group = 3 * a_along, t.c_row = to_along;
    for (int64_t i = 0; i < across->count; i++)
        for (int64_t r = 0, begin = 0; r < tiles; r++) {
            const int64_t pixels = least + (r < more);
            float *y_tile = to + i * to_across + begin * to_along;
            t.a = a + i * a_across + begin * a_along, t.b = w, t.start = c->bias + filter, t.c = y_tile;
            conv_columns(&t, pixels, n);
            if (c->activation == TANH || c->activation == SIGMOID)
                for (int64_t p = 0; p < pixels; p++) activate(y_tile + p * to_along, n, c->activation);
            begin += pixels;
        }
}

/* Into how many chunks of images the gradient of dw is cut. Of few weights all workers compute all, each for some
 * images; with many, they take different weights. */
static inline int64_t image_chunks(int64_t weights, int64_t images)
{
    enum { CHUNKS = 8, FEW_WEIGHTS = 8192 };
    return weights >= FEW_WEIGHTS ? 1 : max(1, min(CHUNKS, images));
}

/* Sums over more pixels than LONG would drift: they are cut into pieces of up to SHORT, see gemm/gemm.h. The pieces
 * take 5 % longer: (128, 28, 28, 1) by 32 filters, 10816 pixels a chunk, are left in one. */
enum { LONG = 16384, SHORT = 512 };

/* The gradient's rows are the weights' (kernel row, kernel column, channel); its depth, the pixels. */
typedef struct WeightsGrad {
    const float *x, *dy;
    float *dw;
    float *lost;               /* of long sums, like dw: see add_keeping; or NULL */
    Axis vertical, horizontal;
    int64_t channels, filters, groups;
    int64_t dy_pixel, dy_row, dy_image;
    Range weights;             /* this worker's rows of dw */
} WeightsGrad;

/* Zeros in the rows of weights that are this worker's, of an array like dw; or NULL. */
static void clear(float *sums, const WeightsGrad *g)
{
    const int64_t begin = g->weights.begin * g->filters, end = g->weights.end * g->filters;
    if (sums) memset(sums + begin, 0, (end - begin) * sizeof *sums);
}

/* What conv_columns(&t, rows, columns) does, piece by piece of up to SHORT pixels. */
static void add_pieces(ConvTile t, int64_t rows, int64_t columns, float *lost)
{
    enum { PANEL = 4 * WIDTH };
    static const float zeros[PANEL];
    int64_t piece[3];
    for (int l = 0, left = SHORT; l < 3; l++) piece[l] = min(t.count[l], max(1, left)), left /= piece[l];

    for (int64_t r = 0; r < t.count[2]; r += piece[2])
        for (int64_t q = 0; q < t.count[1]; q += piece[1])
            for (int64_t p = 0; p < t.count[0]; p += piece[0])
                for (int64_t j = 0; j < columns; j += PANEL) {
                    const int64_t n = min(columns - j, PANEL);
                    float sums[TILE_ROWS * PANEL];
                    ConvTile some = t;
                    some.a += p * t.a_step[0] + q * t.a_step[1] + r * t.a_step[2];
                    some.b += p * t.b_step[0] + q * t.b_step[1] + r * t.b_step[2] + j;
                    some.count[0] = min(t.count[0] - p, piece[0]);
                    some.count[1] = min(t.count[1] - q, piece[1]);
                    some.count[2] = min(t.count[2] - r, piece[2]);
                    some.start = zeros, some.start_row = 0, some.c = sums, some.c_row = PANEL;
                    conv_columns(&some, rows, n);
                    for (int64_t i = 0; i < rows; i++)
                        add_keeping(t.c + i * t.c_row + j, lost + i * t.c_row + j, sums + i * PANEL, n);
                }
}

/* Adds to the rows `weights` of dw, as far as they are this worker's, the products of their inputs, which begin at a,
 * with the outputs of a block in `images` images. Groups of three rows have inputs that lie a_group apart. */
static void add_products(const WeightsGrad *g, const Run *rows, const Run *columns, const float *a, const float *dy,
                         int64_t images, Range weights, int64_t a_group, int64_t group, int64_t filters)
{
    const Range mine = {max(weights.begin, g->weights.begin), min(weights.end, g->weights.end)};
    const int64_t n = mine.end - mine.begin;
    const int64_t step = a_group == 3 ? 1 : 3, tiles = ceil_div(n, TILE_ROWS / step * step);    /* groups stay whole */
    const int64_t x_row = g->horizontal.in * g->channels;
    ConvTile t = {
        .a_row = 1, .a_group = a_group, .start_row = g->filters, .c_row = g->filters,
        .count = {columns->count, rows->count, images},
        .a_step = {columns->in_step * g->channels, rows->in_step * x_row, g->vertical.in * x_row},
        .b_step = {g->dy_pixel, g->dy_row, g->dy_image},
    };
    for (int64_t r = 0; r < tiles; r++) {
        const int64_t begin = n / step * r / tiles * step, end = n / step * (r + 1) / tiles * step;
        const int64_t at = (mine.begin + begin) * g->filters + group * filters;
        t.a = a + (mine.begin - weights.begin) + begin / 3 * (a_group - 3) + begin;
        t.b = dy + rows->out * g->dy_row + columns->out * g->dy_pixel + group * filters;
        t.start = t.c = g->dw + at;
        if (g->lost) add_pieces(t, end - begin, filters, g->lost + at);
        else conv_columns(&t, end - begin, filters);
    }
}

#endif
