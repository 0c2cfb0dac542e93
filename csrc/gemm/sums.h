/* gemm/sums.h: products whose sums are long. They are one chain of multiply-adds only by definition; here they are
 * several, whose number and order depend on m, n and k alone, and for a prediction on n and k alone. */
#ifndef GEMM_SUMS_H
#define GEMM_SUMS_H

#include "vector/activate.h"
#include "vector/chunks.h"
#include "gemm/gemm.h"
#include "gemm/tile.h"

/* A sum of more multiply-adds than this is cut, see gemm.h. */
enum { LONG = 8192 };

/* The sums over CHUNKS pieces of k. The gradient of a (9, 32) kernel over 21632 pixels on two workers: 120 us in one
 * piece, since both read everything, 42 in chunks. */
enum { CHUNKS = 8, CHUNKED_SIZE = 4096, CHUNKED_DEPTH = 4096 };

static inline int chunked(const Gemm *g) { return g->batch && g->k >= CHUNKED_DEPTH && g->m * g->n <= CHUNKED_SIZE; }

static inline Gemm chunk_of(const Gemm *g, int64_t index)
{
    Gemm chunk = *g;
    const int64_t depth = g->k / CHUNKS, begin = index * depth;
    chunk.k = index == CHUNKS - 1 ? g->k - begin : depth;
    chunk.a += begin * g->a_depth;
    chunk.b += begin * g->b_depth;
    chunk.c = chunk_at(g->c, g->scratch, index, g->m * g->n);
    if (g->lost) chunk.lost += index * g->m * g->n;
    return chunk;
}

/* A deep product with few columns, as of a dense layer after Flatten: two sums, over the halves of k. Two workers then
 * read one half of the weights each, the one that their half of the optimizer's and of the gradient's rows left in
 * their caches. (32, 5408) by (5408, 64) in a step of the guide's CNN: 173 us in one piece. */
enum { HALVED_DEPTH = 512, HALVED_COLUMNS = 128, PAIRED = 7 * 4096 };      /* PAIRED: floats of a c that two share */

static inline int halved(const Gemm *g)
{
    return !g->batch && g->b_column == 1 && g->k >= HALVED_DEPTH && g->n > 0 && g->n <= HALVED_COLUMNS;
}

/* The first half starts from the bias. The activation is for the sum. */
static inline Gemm half_of(const Gemm *g, int second, float *c)
{
    Gemm half = *g;
    const int64_t depth = g->k / 2;
    half.activation = LINEAR;
    half.k = second ? g->k - depth : depth;
    half.c = c;
    if (g->lost) half.lost += second * g->m * g->n;
    if (!second) return half;
    half.a += depth * g->a_depth;
    half.b += depth * g->b_depth;
    half.bias = NULL;
    return half;
}

/* How many sums each element is, what all but the first need of the scratch, and whether each is cut in its turn. */
static inline int64_t sums(const Gemm *g) { return halved(g) ? 2 : chunked(g) ? CHUNKS : 1; }
static inline int is_long(const Gemm *g) { return g->k > LONG && g->k > LONG * sums(g); }
static inline int64_t sums_scratch(const Gemm *g)
{
    return halved(g) && g->m * g->n > PAIRED ? 0 : (sums(g) - 1) * g->m * g->n;
}

static inline void add_half(float *c, const float *second, int64_t n, int activation)
{
    for (int64_t i = 0; i < n; i++) c[i] += second[i];
    activate(c, n, activation);
}

/* A row of sums in four chains, one over each quarter of k; what is left of k goes to the last. One chain takes the
 * four cycles that a multiply-add takes, for every row of the batch: 32 rows of 8 columns 52 ns instead of 31. */
INLINE void sum_columns(const int vectors, const int partial, const Gemm *g, int64_t column, int64_t last)
{
    V acc[16];
    const int64_t quarter = g->k / 4, a_depth = g->a_depth, b_depth = g->b_depth;
    const float *a = g->a, *b = g->b + column;

#define SUM_B(at, v) (partial && v == vectors - 1 ? load_some((at) + v * WIDTH, last) : v_load((at) + v * WIDTH))
    UNROLL for (int i = 0; i < 4 * vectors; i++) acc[i] = (V){0};
    for (int64_t p = 0; p < quarter; p++, a += a_depth, b += b_depth)
        UNROLL for (int chain = 0; chain < 4; chain++)
            UNROLL for (int v = 0; v < vectors; v++)
                acc[chain * vectors + v] += a[chain * quarter * a_depth] * SUM_B(b + chain * quarter * b_depth, v);
    a += 3 * quarter * a_depth;
    b += 3 * quarter * b_depth;
    for (int64_t p = 4 * quarter; p < g->k; p++, a += a_depth, b += b_depth)
        UNROLL for (int v = 0; v < vectors; v++)
            acc[3 * vectors + v] += *a * SUM_B(b, v);
#undef SUM_B
    UNROLL for (int v = 0; v < vectors; v++) {
        const V sum = ((acc[v] + acc[vectors + v]) + acc[2 * vectors + v]) + acc[3 * vectors + v];
        if (partial && v == vectors - 1) store_some(g->c + column + v * WIDTH, sum, last);
        else v_store(g->c + column + v * WIDTH, sum);
    }
}

/* As many vectors at once as leave registers for the four chains of each. */
enum { SUM_VECTORS = TILE_ROWS < 14 ? 2 : 4, SUM_COLUMNS = SUM_VECTORS * WIDTH };

static void sum_some_columns(const Gemm *g, Range columns)
{
    int64_t j = columns.begin;
    for (; j + SUM_COLUMNS <= columns.end; j += SUM_COLUMNS)
        sum_columns(SUM_VECTORS, 0, g, j, WIDTH);
    for (; j + WIDTH <= columns.end; j += WIDTH)
        sum_columns(1, 0, g, j, WIDTH);
    if (j < columns.end) sum_columns(1, 1, g, j, columns.end - j);
}

static void sum_row(const Gemm *g, Part part)
{
    const Range columns = share(g->n, SUM_COLUMNS, part);
    if (!g->lost) {
        sum_some_columns(g, columns);
        return;
    }
    for (int64_t j = columns.begin; j < columns.end; j += SUM_COLUMNS) {
        const Range some = {0, min(columns.end - j, SUM_COLUMNS)};
        for (int64_t p = 0; p < g->k; p += 4 * DEPTH) {
            float sums[SUM_COLUMNS];
            Gemm piece = {.a = g->a + p * g->a_depth, .b = g->b + p * g->b_depth + j, .c = p ? sums : g->c + j,
                          .k = min(g->k - p, 4 * DEPTH), .a_depth = g->a_depth, .b_depth = g->b_depth};
            sum_some_columns(&piece, some);
            if (p) add_keeping(g->c + j, g->lost + j, sums, some.end);
            else memset(g->lost + j, 0, some.end * sizeof(float));
        }
    }
}

#endif
