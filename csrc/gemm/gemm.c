/* gemm.c: the matrix product; gemm.h says what it computes, naive() in gemm/small.h is the same in three loops. */
#include "vector/activate.h"
#include "gemm/gemm.h"
#include "gemm/pack.h"
#include "gemm/panels.h"
#include "gemm/small.h"
#include "gemm/sums.h"
#include "gemm/tile.h"

enum {
    COPY_STEP = 512,          /* floats between the rows of a transposed a that make copying them worth it */
    BLOCK = PANELS,           /* floats of a block of b, which a worker reads again for every row tile */
    PACK_TILES = 12           /* row tiles that must use a block of b before copying it is worth it */
};

/* Copies the tile's rows of a to where they are close together, in the order they have. */
static void copy_rows(Tile *t, int64_t rows, float *copy)
{
    if (t->a_depth == 1) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(copy + i * (DEPTH + 16), t->a + i * t->a_row, t->k * sizeof(float));
        t->a_row = DEPTH + 16;
    } else {   /* a transposed: a_row is 1 */
        for (int64_t p = 0; p < t->k; p++)
            for (int64_t i = 0; i < rows; i += WIDTH)
                v_store(copy + p * 16 + i, load_some(t->a + p * t->a_depth + i, min(rows - i, WIDTH)));
        t->a_depth = 16;
    }
    t->a = copy;
}

static inline int64_t ceil_div(int64_t x, int64_t y) { return (x + y - 1) / y; }

/* Cuts c into a grid of blocks, one per worker: of the grids whose largest block is within a sixteenth of the smallest
 * possible, the one whose workers read least, and rows rather than columns where both are as good. A worker that has
 * whole rows of a gradient finds them in its own cache when the optimizer comes to them, and again as columns of the
 * transposed weights: a step of 784-128-64-10 took 305 us, by columns 334. */
static void cut(const Gemm *g, Part part, Range *rows, Range *columns)
{
    *rows = (Range){0, g->m};
    *columns = (Range){0, g->n};
    if (part.count == 1) return;
    const int64_t width = 2 * WIDTH, strips = ceil_div(g->n, width);
    int64_t smallest = INT64_MAX, least = INT64_MAX, down = 1;
    for (int64_t d = 1; d <= part.count; d++)
        if (part.count % d == 0) smallest = min(smallest, ceil_div(g->m, d) * ceil_div(strips, part.count / d));
    for (int64_t d = 1; d <= part.count; d++) {
        if (part.count % d) continue;
        const int64_t m = ceil_div(g->m, d), n = ceil_div(strips, part.count / d);
        if (m * n <= smallest + smallest / 16 && m + n * width <= least) least = m + n * width, down = d;
    }
    *rows = share(g->m, 1, (Part){part.index % down, down});
    *columns = share(g->n, width, (Part){part.index / down, part.count / down});
}

/* Any product: this worker's part, in blocks that stay in the caches. `splat`: NULL, or one bias for all columns. */
static void blocks(const Gemm *g, const float *splat, Part part)
{
    Range rows, columns;
    cut(g, part, &rows, &columns);
    const int64_t m = rows.end - rows.begin;
    if (m <= 0 || columns.end <= columns.begin) return;

    const int64_t row_tiles = ceil_div(m, TILE_ROWS);
    const int64_t width = WIDTH * (m <= WIDE_TILE_ROWS ? 4 : 2);
    const int64_t depth_blocks = g->k > DEPTH ? ceil_div(g->k, DEPTH) : 1;
    const int64_t depth = g->k ? ceil_div(g->k, depth_blocks) : 1;      /* sums of nothing are the biases */
    const int64_t block_columns = BLOCK / depth / width * width;
    const int transposed = g->b_column != 1;
    const int packed = transposed || (row_tiles >= PACK_TILES && g->b_depth > width);
    /* A tile's rows of a are copied if they are far apart and used for many columns: rows at a distance that is a
     * multiple of 4 KB compete for one place in the cache, and steps of 2 KB and more miss the TLB. */
    const int copy_a = m > 4 && columns.end - columns.begin >= 8 * width
                       && (g->a_depth == 1 ? g->a_row % 1024 == 0 : g->a_depth >= COPY_STEP);
    float *const panels = packed ? gemm_panels : NULL, *const a_rows = copy_a ? gemm_a_rows : NULL;
    float tile_sums[TILE_ROWS * 4 * WIDTH];      /* a tile's, of a long sum, which are then added to c */

    for (int64_t j0 = columns.begin; j0 < columns.end; j0 += block_columns) {
        const int64_t n = min(columns.end - j0, block_columns);
        for (int64_t p0 = 0; p0 == 0 || p0 < g->k; p0 += depth) {
            const int64_t k = min(g->k - p0, depth);
            const int apart = g->lost && p0, last = p0 + k >= g->k;
            const float *b = g->b + p0 * g->b_depth + j0 * g->b_column;
            if (transposed) pack_transposed(b, g->b_column, k, n, width, panels);
            else if (packed) pack(b, g->b_depth, k, n, width, panels);

            for (int64_t r = 0; r < row_tiles; r++) {
                const int64_t i0 = rows.begin + m * r / row_tiles;
                const int64_t tile_rows = rows.begin + m * (r + 1) / row_tiles - i0;
                float *const c = g->c + i0 * g->n + j0, *const lost = g->lost ? g->lost + i0 * g->n + j0 : NULL;
                Tile t = {.a = g->a + i0 * g->a_row + p0 * g->a_depth, .k = k, .a_row = g->a_row, .a_depth = g->a_depth,
                          .b_depth = packed ? width : g->b_depth, .c_row = apart ? width : g->n,
                          .relu = g->activation == RELU && last && !apart};
                if (copy_a) copy_rows(&t, tile_rows, a_rows);
                for (int64_t j = 0; j < n; j += width) {
                    const int64_t vectors = ceil_div(min(n - j, width), WIDTH);
                    t.last = min(n - j - (vectors - 1) * WIDTH, WIDTH);
                    t.b = packed ? panels + j * k : b + j;
                    t.c = apart ? tile_sums : c + j;
                    t.start_row = p0 && !apart ? g->n : 0;
                    t.start = apart ? zeros : p0 ? t.c : splat ? splat : g->bias ? g->bias + j0 + j : zeros;
                    tiles[tile_rows - 1][vectors - 1](&t);
                    for (int64_t i = 0; apart && i < tile_rows; i++)
                        add_keeping(c + i * g->n + j, lost + i * g->n + j, tile_sums + i * width, min(n - j, width));
                }
                for (int64_t i = 0; lost && !p0 && i < tile_rows; i++) memset(lost + i * g->n, 0, n * sizeof(float));
                if (!last || g->activation == LINEAR || t.relu) continue;
                if (n == g->n) activate(c, tile_rows * n, g->activation);
                else for (int64_t i = 0; i < tile_rows; i++) activate(c + i * g->n, n, g->activation);
            }
        }
    }
}

/* A product that is not cut along k. */
static void product(const Gemm *g, Part part)
{
    Gemm row;
    float splat[DIRECT];
    const float *bias = g->bias;
    if (g->n == 1 && g->m > 1) {   /* a column: computed as its transpose, a row, with the vectors along it */
        row = (Gemm){.a = g->b, .b = g->a, .c = g->c, .m = 1, .n = g->m, .k = g->k, .a_depth = g->b_depth,
                     .b_depth = g->a_depth, .b_column = g->a_row, .activation = g->activation, .batch = g->batch,
                     .lost = g->lost};
        for (int i = 0; bias && i < DIRECT; i++) splat[i] = *bias;
        if (bias) bias = splat;
        g = &row;
    }
    if (g->batch && g->m == 1 && g->k > NAIVE) {
        sum_row(g, part);
    } else if (part.count == 1 && g->m <= DIRECT && g->n <= DIRECT && g->k <= DEPTH) {
        Gemm packed;
        if (g->b_column != 1) {
            packed = *g;
            packed.b = gemm_panels;
            packed.b_depth = DIRECT;
            pack_transposed(g->b, g->b_column, g->k, g->n, DIRECT, gemm_panels);
            g = &packed;
        }
        direct(g, bias ? bias : zeros);
    } else {
        blocks(g, bias == splat ? splat : NULL, part);
    }
}

/* A halved product: pairs of workers take the halves of a small c, others take rows. */
static void halves(const Gemm *g, Part part)
{
    const int pairs = part.count % 2 == 0 && g->m * g->n <= PAIRED;
    if (part.index == part.count) {
        if (pairs) add_half(g->c, g->scratch, g->m * g->n, g->activation);
    } else if (pairs) {
        const int second = part.index % 2;
        const Gemm half = half_of(g, second, second ? g->scratch : g->c);
        product(&half, (Part){part.index / 2, part.count / 2});
    } else {
        const Range rows = share(g->m, 1, part);
        for (int64_t i = rows.begin; i < rows.end; i += HALF / g->n) {
            Gemm some = *g;
            some.m = min(rows.end - i, HALF / g->n);
            some.a += i * g->a_row;
            some.c += i * g->n;
            if (g->lost) some.lost += 2 * i * g->n;
            const Gemm first = half_of(&some, 0, some.c), second = half_of(&some, 1, gemm_half);
            product(&first, (Part){0, 1});
            product(&second, (Part){0, 1});
            add_half(some.c, gemm_half, some.m * g->n, g->activation);
        }
    }
}

/* Which way a product goes; which bits come out depends on its sizes only. In the order of the choice:
 *   halves    many weights for few columns: two sums, which two workers compute (see gemm/sums.h)
 *   chunks    few sums over a long batch: each of CHUNKS pieces of k is read by one worker only
 *   vectors   all three matrices fit in one vector each
 *   naive     up to 16 multiply-adds: what comes before a tile takes as long
 *   product   sum_row: one row of sums over a batch, in four chains, since one would wait for itself
 *             direct: up to 64 x 64, on one worker: no cutting, no blocks
 *             blocks: all others; b and rows of a are copied where they are used often and lie badly */
void gemm(const Gemm *g, Part part)
{
    Gemm long_one;
    if (g->m == 0 || g->n == 0) return;
    if (is_long(g)) {
        long_one = *g;
        long_one.lost = g->scratch + sums_scratch(g);
        g = &long_one;
    }
    if (halved(g)) {
        halves(g, part);
    } else if (chunked(g)) {
        const Range mine = share(CHUNKS, 1, part);
        for (int64_t i = mine.begin; i < mine.end; i++) {
            const Gemm chunk = chunk_of(g, i);
            product(&chunk, (Part){0, 1});
        }
        if (is_last(part)) add_chunks(g->c, g->scratch, CHUNKS, g->m * g->n);
    } else if (part.index == part.count) {
        return;
    } else if (part.count == 1 && fits_vectors(g)) {
        vectors(g);
    } else if (part.count == 1 && g->m * g->n * g->k <= NAIVE) {
        naive(g);
    } else {
        product(g, part);
    }
}

int64_t gemm_scratch(const Gemm *g)
{
    return sums_scratch(g) + (is_long(g) ? sums(g) * g->m * g->n : 0);
}

int64_t gemm_row_scratch(const Gemm *g)
{
    Gemm row = *g;
    row.m = 1;
    return is_long(&row) ? gemm_scratch(&row) : 0;
}
