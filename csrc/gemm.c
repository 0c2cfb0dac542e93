/* gemm.c: the matrix product; gemm.h says what it computes, gemm_naive() below is the same in three loops. */
#include <string.h>

#include "activate.h"
#include "gemm.h"
#include "gemm_tile.h"

enum {
    COPY_STEP = 512,          /* floats between the rows of a transposed a that make copying them worth it */
    DEPTH = 256,              /* of a block of b: one tile's rows of a (14 x 256) stay in the first-level cache */
    BLOCK = 256 * 512,        /* floats of a block of b: half a megabyte, which stays in the second-level cache */
    PACK_TILES = 12,          /* row tiles that must use a block of b before copying it is worth it */
    NAIVE = 32                /* multiply-adds that take no longer in three loops */
};

/* The panels that a worker packs. One set for all instruction sets: only one of them runs. */
#define OWNER_baseline 1
#if JOIN(OWNER, FASTNN_ISA)
_Thread_local float gemm_b_panels[BLOCK] __attribute__((aligned(64)));
_Thread_local float gemm_a_rows[16 * (DEPTH + 16)] __attribute__((aligned(64)));
#else
extern _Thread_local float gemm_b_panels[BLOCK], gemm_a_rows[16 * (DEPTH + 16)];
#endif
static const float zeros[4 * WIDTH];

static inline int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static inline int64_t ceil_div(int64_t x, int64_t y) { return (x + y - 1) / y; }

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

/* Copies k x columns of b, whose columns are contiguous (b[j * b_column + p]), into panels of `width`. */
static void pack_transposed(const float *b, int64_t b_column, int64_t k, int64_t columns, int64_t width, float *panels)
{
    for (int64_t j = 0; j < columns; j += WIDTH) {
        float *panel = panels + j / width * width * k + j % width;
        for (int64_t p = 0; p < k; p += WIDTH) {
            V x[WIDTH];
            const int64_t depth = k - p < WIDTH ? k - p : WIDTH;
            if (depth == WIDTH && columns - j >= WIDTH) {
                UNROLL for (int i = 0; i < WIDTH; i++)
                    x[i] = v_load(b + (j + i) * b_column + p);
            } else {
                UNROLL for (int i = 0; i < WIDTH; i++)
                    x[i] = j + i < columns ? load_some(b + (j + i) * b_column + p, depth) : (V){0};
            }
            transpose(x);
            if (depth == WIDTH) {
                UNROLL for (int i = 0; i < WIDTH; i++)
                    v_store(panel + (p + i) * width, x[i]);
            } else {
                UNROLL for (int i = 0; i < WIDTH; i++)
                    if (i < depth) v_store(panel + (p + i) * width, x[i]);
            }
        }
    }
}

/* The same for a b whose rows are contiguous. */
static void pack(const float *b, int64_t b_depth, int64_t k, int64_t columns, int64_t width, float *panels)
{
    for (int64_t j = 0; j < columns; j += width) {
        const int64_t whole = columns - j < width ? (columns - j) / WIDTH * WIDTH : width;
        const int64_t some = columns - j < width ? columns - j - whole : 0;
        for (int64_t p = 0; p < k; p++, panels += width) {
            for (int64_t v = 0; v < whole; v += WIDTH) v_store(panels + v, v_load(b + p * b_depth + j + v));
            if (some) v_store(panels + whole, load_some(b + p * b_depth + j + whole, some));
        }
    }
}

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

/* x y + sum as the vectors do it: rounded once where the instruction set can. Left to itself, gcc may use
 * vectors for the products only, and round twice. */
INLINE float multiply_add(float x, float y, float sum)
{
#ifdef __FP_FAST_FMAF
    return __builtin_fmaf(x, y, sum);
#else
    return x * y + sum;
#endif
}

/* gemm() in the words of its definition; the tiles give the same bits. For the smallest products it is also
 * the fastest: the preparations below cost as much as thirty multiply-adds. */
static void gemm_naive(const Gemm *g)
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

/* Cuts c into a grid of blocks, one per worker: the largest block as small as can be, and whole rows cut before
 * whole columns only if that is better, since workers that share columns would both pack them. */
static void cut(const Gemm *g, Part part, Range *rows, Range *columns)
{
    *rows = (Range){0, g->m};
    *columns = (Range){0, g->n};
    if (part.count == 1) return;
    const int64_t width = 2 * WIDTH;
    int64_t best = INT64_MAX, down = 1;
    for (int64_t d = 1; d <= part.count; d++) {
        if (part.count % d) continue;
        const int64_t block = ceil_div(g->m, d) * ceil_div(ceil_div(g->n, width), part.count / d);
        if (block < best) best = block, down = d;
    }
    *rows = share(g->m, 1, (Part){part.index % down, down});
    *columns = share(g->n, width, (Part){part.index / down, part.count / down});
}

void gemm(const Gemm *given, Part part)
{
    if (given->m * given->n * given->k <= NAIVE && part.count == 1) {
        gemm_naive(given);
        return;
    }
    Gemm g = *given;
    float splat[4 * WIDTH];
    if (g.n == 1 && g.m > 1) {   /* a column: computed as its transpose, a row, with the vectors along it */
        g = (Gemm){.a = g.b, .b = g.a, .c = g.c, .m = 1, .n = g.m, .k = g.k, .a_row = 0, .a_depth = g.b_depth,
                   .b_depth = g.a_depth, .b_column = g.a_row, .activation = g.activation};
        for (int i = 0; given->bias && i < 4 * WIDTH; i++) splat[i] = *given->bias;
    }
    Range rows, columns;
    cut(&g, part, &rows, &columns);
    const int64_t m = rows.end - rows.begin;
    if (m <= 0 || columns.end <= columns.begin) return;

    const int64_t row_tiles = ceil_div(m, TILE_ROWS);
    const int64_t width = WIDTH * (m <= WIDE_TILE_ROWS ? 4 : 2);
    const int64_t depth_blocks = g.k > DEPTH ? ceil_div(g.k, DEPTH) : 1;
    const int64_t depth = ceil_div(g.k, depth_blocks);
    const int64_t block_columns = g.k ? BLOCK / depth / width * width : g.n;
    const int transposed = g.b_column != 1;
    const int packed = transposed || (row_tiles >= PACK_TILES && g.b_depth > width);
    /* A tile's rows of a are copied if they are far apart and used for many columns: rows at a distance that is a
     * multiple of 4 KB compete for one place in the cache, and steps of 2 KB and more miss the TLB. */
    const int copy_a = m > 4 && columns.end - columns.begin >= 8 * width
                       && (g.a_depth == 1 ? g.a_row % 1024 == 0 : g.a_depth >= COPY_STEP);
    float *const panels = packed ? gemm_b_panels : NULL, *const a_rows = copy_a ? gemm_a_rows : NULL;

    for (int64_t j0 = columns.begin; j0 < columns.end; j0 += block_columns) {
        const int64_t n = min(columns.end - j0, block_columns);
        for (int64_t p0 = 0; p0 == 0 || p0 < g.k; p0 += depth) {
            const int64_t k = min(g.k - p0, depth);
            const float *b = g.b + p0 * g.b_depth + j0 * g.b_column;
            if (transposed) pack_transposed(b, g.b_column, k, n, width, panels);
            else if (packed) pack(b, g.b_depth, k, n, width, panels);

            for (int64_t r = 0; r < row_tiles; r++) {
                const int64_t i0 = rows.begin + m * r / row_tiles, tile_rows = rows.begin + m * (r + 1) / row_tiles - i0;
                float *c = g.c + i0 * g.n + j0;
                Tile t = {.a = g.a + i0 * g.a_row + p0 * g.a_depth, .k = k, .a_row = g.a_row, .a_depth = g.a_depth,
                          .b_depth = packed ? width : g.b_depth, .c_row = g.n};
                if (copy_a) copy_rows(&t, tile_rows, a_rows);
                for (int64_t j = 0; j < n; j += width) {
                    const int64_t vectors = ceil_div(min(n - j, width), WIDTH);
                    t.last = min(n - j - (vectors - 1) * WIDTH, WIDTH);
                    t.b = packed ? panels + j * k : b + j;
                    t.c = c + j;
                    t.start_row = p0 ? g.n : 0;
                    t.start = p0 ? t.c : g.bias ? g.bias + j0 + j : given->bias ? splat : zeros;
                    tiles[tile_rows - 1][vectors - 1](&t);
                }
                if (g.activation == LINEAR || p0 + k < g.k) continue;
                if (n == g.n) activate(c, tile_rows * n, g.activation);
                else for (int64_t i = 0; i < tile_rows; i++) activate(c + i * g.n, n, g.activation);
            }
        }
    }
}
