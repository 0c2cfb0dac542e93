/* gemm.c: the matrix product; gemm.h says what it computes, naive() below is the same in three loops. */
#include "activate.h"
#include "gemm.h"
#include "gemm_pack.h"
#include "gemm_sums.h"
#include "gemm_tile.h"

enum {
    COPY_STEP = 512,          /* floats between the rows of a transposed a that make copying them worth it */
    BLOCK = 256 * 512,        /* floats of a block of b: half a megabyte, which stays in the second-level cache */
    PACK_TILES = 12,          /* row tiles that must use a block of b before copying it is worth it */
    NAIVE = 16,               /* multiply-adds that take no longer in three loops */
    DIRECT = 64               /* columns and rows of a product that is computed without blocks */
};

/* The panels that a worker packs. One set for all instruction sets: only one of them runs. */
#define OWNER_baseline 1
#if JOIN(OWNER, FASTNN_ISA)
_Thread_local float gemm_b_panels[BLOCK] __attribute__((aligned(64)));
_Thread_local float gemm_a_rows[16 * (DEPTH + 16)] __attribute__((aligned(64)));
#else
extern _Thread_local float gemm_b_panels[BLOCK], gemm_a_rows[16 * (DEPTH + 16)];
#endif
static const float zeros[DIRECT];

static inline int64_t ceil_div(int64_t x, int64_t y) { return (x + y - 1) / y; }

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
        c += (V)_mm512_permutexvar_ps((__m512i)from_a, (__m512)a) * (V)_mm512_permutexvar_ps((__m512i)from_b, (__m512)b);
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

/* Cuts c into a grid of blocks, one per worker: the largest block as small as can be, and rows rather than columns where
 * both are as good. Workers that share columns both pack them, but a worker that has whole rows of a gradient finds
 * them in its own cache when the optimizer comes to them: a step of 784-128-64-10 takes 305 us, by columns 334. */
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
        if (block <= best) best = block, down = d;
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
    const int64_t depth = ceil_div(g->k, depth_blocks);
    const int64_t block_columns = g->k ? BLOCK / depth / width * width : g->n;
    const int transposed = g->b_column != 1;
    const int packed = transposed || (row_tiles >= PACK_TILES && g->b_depth > width);
    /* A tile's rows of a are copied if they are far apart and used for many columns: rows at a distance that is a
     * multiple of 4 KB compete for one place in the cache, and steps of 2 KB and more miss the TLB. */
    const int copy_a = m > 4 && columns.end - columns.begin >= 8 * width
                       && (g->a_depth == 1 ? g->a_row % 1024 == 0 : g->a_depth >= COPY_STEP);
    float *const panels = packed ? gemm_b_panels : NULL, *const a_rows = copy_a ? gemm_a_rows : NULL;

    for (int64_t j0 = columns.begin; j0 < columns.end; j0 += block_columns) {
        const int64_t n = min(columns.end - j0, block_columns);
        for (int64_t p0 = 0; p0 == 0 || p0 < g->k; p0 += depth) {
            const int64_t k = min(g->k - p0, depth);
            const float *b = g->b + p0 * g->b_depth + j0 * g->b_column;
            if (transposed) pack_transposed(b, g->b_column, k, n, width, panels);
            else if (packed) pack(b, g->b_depth, k, n, width, panels);

            for (int64_t r = 0; r < row_tiles; r++) {
                const int64_t i0 = rows.begin + m * r / row_tiles;
                const int64_t tile_rows = rows.begin + m * (r + 1) / row_tiles - i0;
                float *c = g->c + i0 * g->n + j0;
                Tile t = {.a = g->a + i0 * g->a_row + p0 * g->a_depth, .k = k, .a_row = g->a_row, .a_depth = g->a_depth,
                          .b_depth = packed ? width : g->b_depth, .c_row = g->n,
                          .relu = g->activation == RELU && p0 + k >= g->k};
                if (copy_a) copy_rows(&t, tile_rows, a_rows);
                for (int64_t j = 0; j < n; j += width) {
                    const int64_t vectors = ceil_div(min(n - j, width), WIDTH);
                    t.last = min(n - j - (vectors - 1) * WIDTH, WIDTH);
                    t.b = packed ? panels + j * k : b + j;
                    t.c = c + j;
                    t.start_row = p0 ? g->n : 0;
                    t.start = p0 ? t.c : splat ? splat : g->bias ? g->bias + j0 + j : zeros;
                    tiles[tile_rows - 1][vectors - 1](&t);
                }
                if (g->activation <= RELU || p0 + k < g->k) continue;
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
                     .b_depth = g->a_depth, .b_column = g->a_row, .activation = g->activation, .batch = g->batch};
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
            packed.b = gemm_b_panels;
            packed.b_depth = DIRECT;
            pack_transposed(g->b, g->b_column, g->k, g->n, DIRECT, gemm_b_panels);
            g = &packed;
        }
        direct(g, bias ? bias : zeros);
    } else {
        blocks(g, bias == splat ? splat : NULL, part);
    }
}

/* Which way a product goes; which bits come out depends on its sizes only. In the order of the choice:
 *   finish    the partial sums of chunks, added up when all workers are done
 *   chunks    few sums over a long batch: each of CHUNKS pieces of k is read by one worker only
 *   vectors   all three matrices fit in one vector each
 *   naive     up to 16 multiply-adds: what comes before a tile takes as long
 *   product   sum_row: one row of sums over a batch, in four chains, since one would wait for itself
 *             direct: up to 64 x 64, on one worker: no cutting, no blocks
 *             blocks: all others; b and rows of a are copied where they are used often and lie badly */
void gemm(const Gemm *g, Part part)
{
    if (part.index == part.count) {
        if (chunked(g)) add_chunks(g, part.shared);
    } else if (chunked(g)) {
        const Range mine = share(CHUNKS, 1, part);
        for (int64_t i = mine.begin; i < mine.end; i++) {
            const Gemm chunk = chunk_of(g, i, part.shared);
            product(&chunk, (Part){0, 1});
        }
        if (part.count == 1) add_chunks(g, part.shared);
    } else if (part.count == 1 && fits_vectors(g)) {
        vectors(g);
    } else if (part.count == 1 && g->m * g->n * g->k <= NAIVE) {
        naive(g);
    } else {
        product(g, part);
    }
}
