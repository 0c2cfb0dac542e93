/* attention.c: attention head by head, and its way back; see fastnn/reference/attention.py.
 *
 * A worker has whole heads of samples, so nothing is shared. Scores are computed for a few queries at a time and live
 * in the panels' memory, in the caches; the probabilities are not kept but computed anew on the way back, from the
 * logarithm of each row's sum.
 */
#include <string.h>

#include "gemm/panels.h"
#include "gemm/strided.h"
#include "vector/vmath.h"

#define LOG2_E 1.44269504f

typedef struct Heads {
    const float *q;           /* (batch, queries, heads * depth) */
    const float *k;           /* (batch, keys, heads * depth) */
    const float *v;           /* (batch, keys, heads * width) */
    const uint8_t *mask;      /* (batch, queries, keys) or NULL */
    int64_t batch, queries, keys, heads, depth, width;
    float scale;
    int causal;
} Heads;

static Heads heads_of(const Call *call, int first)
{
    const int64_t heads = integer(call, 0);
    const Tensor *mask = call->inputs[first + 3];           /* (batch, queries, keys) or (0,) */
    return (Heads){
        .q = input(call, first), .k = input(call, first + 1), .v = input(call, first + 2),
        .mask = mask->size ? mask->data : NULL, .batch = input_dim(call, first, 0),
        .queries = input_dim(call, first, 1), .keys = input_dim(call, first + 1, 1), .heads = heads,
        .depth = input_dim(call, first, 2) / heads, .width = input_dim(call, first + 2, 2) / heads,
        .scale = (float)number(call, 1), .causal = (int)integer(call, 2)};
}

/* Where a head's columns of sample b begin in an array of (batch, n, heads * width). */
static inline int64_t corner(const Heads *a, int64_t b, int64_t n, int64_t head, int64_t width)
{
    return b * n * a->heads * width + head * width;
}

/* Half of the panels' memory holds scores, the other half packed keys and values. */
enum { HALF_OF_PANELS = PANELS / 2, QUARTER = PANELS / 4, CLOSE = 8192, GROUPS = 8 };

/* How many queries are worked on at once, in parts of one size: up to GROUPS of WIDTH, if no more than CLOSE floats of
 * scores are on the way in so many `arrays`, which the first-level cache holds; else a tile's rows. */
static inline int64_t queries_at_once(const Heads *a, int arrays)
{
    const int64_t row = arrays * (a->keys ? a->keys : 1), close = min(CLOSE / row, GROUPS * WIDTH);
    const int64_t tile = min(TILE_ROWS, HALF_OF_PANELS / row), most = close > tile ? close : tile;
    const int64_t parts = (a->queries + most - 1) / most;
    return parts ? (a->queries + parts - 1) / parts : 1;
}

/* k or v of a head, transposed, as the b of products with queries or their gradients; packed if there is room. */
static Product transposed(const float *b, int64_t row, int64_t n, int64_t k, int64_t rows, float *panels, int64_t room)
{
    Product p = {.b = b, .b_depth = 1, .b_column = row, .n = n, .k = k, .a_depth = 1};
    pack_panels(&p, rows, panels, room);
    return p;
}

/* Keys that queries i0 to i1 - 1 need: with a mask all, since one that may look nowhere looks at all. */
static inline int64_t keys_for(const Heads *a, int64_t i1)
{
    return a->causal && !a->mask ? min(i1, a->keys) : a->keys;
}

/* Row i of n scores that a mask is for: scaled, -inf where the query may not look, zeros if it may look nowhere. */
static void allow(const Heads *a, float *row, int64_t n, int64_t b, int64_t i)
{
    const uint8_t *mask = a->mask + (b * a->queries + i) * a->keys;
    const int64_t end = a->causal ? min(i + 1, n) : n;
    int any = 0;
    for (int64_t j = 0; j < end; j++) {
        any |= mask[j];
        row[j] = mask[j] ? row[j] * a->scale : -INFINITY;
    }
    for (int64_t j = end; j < n; j++) row[j] = -INFINITY;
    if (!any) memset(row, 0, n * sizeof *row);
}

/* How many of n scores of query i count; those that a mask is for all do. */
static inline int64_t seen(const Heads *a, int64_t i, int64_t n) { return a->causal && !a->mask ? min(i + 1, n) : n; }

/* Which half of a product with scores counts. */
static inline Triangle half(const Heads *a, Triangle which) { return a->causal && !a->mask ? which : ALL; }

/* What scores are still to be multiplied by. */
static inline float factor(const Heads *a) { return a->mask ? 1 : a->scale; }

/* The scores of queries i0 to i1 - 1 of a head, (i1 - i0, keys) of which the first n are computed. */
static void scores(const Heads *a, Product keys, float *s, int64_t b, int64_t head, int64_t i0, int64_t i1,
                   float *scratch)
{
    const int64_t n = keys_for(a, i1);
    keys.a = a->q + corner(a, b, a->queries, head, a->depth) + i0 * a->heads * a->depth;
    keys.a_row = a->heads * a->depth;
    keys.c = s, keys.c_row = a->keys, keys.m = i1 - i0, keys.n = n;
    keys.triangle = half(a, LOWER_C), keys.diagonal = i0;
    multiply(&keys, scratch, QUARTER);
    for (int64_t i = i0; a->mask && i < i1; i++) allow(a, s + (i - i0) * a->keys, n, b, i);
}

/* A row of scores becomes e^(factor (score - most)) where the query looks, in the first `end` of n, and zeros; their
 * sum. */
static V exponentials_of(float *row, int64_t end, int64_t n, float by, float most)
{
    V sum = {0};
    int64_t j = 0;
    for (; j + WIDTH <= end; j += WIDTH) {
        const V e = v_exp2((v_load(row + j) - most) * by);
        v_store(row + j, e);
        sum += e;
    }
    if (j < end) {
        const V e = v_where(first_lanes(end - j), v_exp2((v_load_part(row + j, end - j, 0) - most) * by));
        v_store_part(row + j, e, n - j);
        sum += e;
        j += WIDTH;
    }
    for (; j < n; j += WIDTH) v_store_part(row + j, (V){0}, n - j);
    return sum;
}

/* Up to WIDTH rows of scores, of queries from i0 on, become exponentials that are 1 at most; `logs` are the logarithms
 * of the sums of exponentials of the scores, `shares` what makes probabilities of them. */
static void exponentials(const Heads *a, float *s, int64_t i0, int64_t rows, int64_t n, V *logs, V *shares)
{
    V highest[WIDTH], sums[WIDTH];
    const float by = factor(a), sign = by < 0 ? -1 : 1;
    const int64_t count = min(rows, WIDTH);
    for (int64_t r = 0; r < count; r++) {
        const float *row = s + r * a->keys;
        const int64_t end = seen(a, i0 + r, n);
        V most = v_splat(-INFINITY);
        int64_t j = 0;
        for (; j + WIDTH <= end; j += WIDTH) most = v_max(v_load(row + j) * sign, most);
        if (j < end) most = v_max(v_load_part(row + j, end - j, -INFINITY * sign) * sign, most);
        highest[r] = most;
    }
    for (int64_t r = count; r < WIDTH; r++) highest[r] = sums[r] = (V){0};
    const V high = v_highest_rows(highest) * sign;
    for (int64_t r = 0; r < count; r++)
        sums[r] = exponentials_of(s + r * a->keys, seen(a, i0 + r, n), n, by * LOG2_E, high[r]);
    const V total = v_sum_rows(sums);
    *logs = high * by + v_log(total), *shares = 1.0f / total;
}

static void attention(const Call *call, Part part)
{
    const Heads a = heads_of(call, 0);
    float *restrict y = output(call, 0);         /* (batch, queries, heads * width) */
    float *restrict log_sum = output(call, 1);   /* (batch, heads, queries) */
    float *const s = gemm_panels, *const panels = gemm_panels + HALF_OF_PANELS;
    const int64_t some = queries_at_once(&a, 1), row = a.heads * a.width;
    const Range mine = share_rows(a.batch * a.heads, part);

    for (int64_t each = mine.begin; each < mine.end; each++) {
        const int64_t b = each / a.heads, head = each % a.heads;
        const Product keys = transposed(a.k + corner(&a, b, a.keys, head, a.depth), a.heads * a.depth, a.keys, a.depth,
                                        min(some, a.queries), panels, QUARTER);
        for (int64_t i0 = 0; i0 < a.queries; i0 += some) {
            const int64_t i1 = min(i0 + some, a.queries), n = keys_for(&a, i1);
            float *const to = y + corner(&a, b, a.queries, head, a.width) + i0 * row;
            V shares[GROUPS], logs;
            scores(&a, keys, s, b, head, i0, i1, panels);
            for (int64_t i = i0, g = 0; i < i1; i += WIDTH, g++) {
                exponentials(&a, s + (i - i0) * a.keys, i, i1 - i, n, &logs, &shares[g]);
                if (log_sum) v_store_part(log_sum + each * a.queries + i, logs, i1 - i);
            }
            multiply(&(Product){.a = s, .a_row = a.keys, .a_depth = 1, .b = a.v + corner(&a, b, a.keys, head, a.width),
                                .b_depth = row, .b_column = 1, .c = to, .c_row = row, .m = i1 - i0, .n = a.width,
                                .k = n, .triangle = half(&a, LOWER_A), .diagonal = i0}, NULL, 0);
            for (int64_t i = 0; i < i1 - i0; i++)
                for (int64_t j = 0; j < a.width; j += WIDTH)
                    v_store_part(to + i * row + j, v_load_part(to + i * row + j, a.width - j, 0)
                                 * shares[i / WIDTH][i % WIDTH], a.width - j);
        }
    }
}

/* Zeros in a head's columns of n rows. */
static void clear(float *x, int64_t row, int64_t n, int64_t width)
{
    for (int64_t i = 0; i < n; i++) memset(x + i * row, 0, width * sizeof *x);
}

/* dy · y of up to WIDTH rows, in one order for all sizes. */
static V inner_products(const float *dy, const float *y, int64_t rows, int64_t row, int64_t n)
{
    V sums[WIDTH];
    for (int64_t r = 0; r < WIDTH; r++) {
        sums[r] = (V){0};
        for (int64_t j = 0; r < rows && j < n; j += WIDTH)
            sums[r] += v_load_part(dy + r * row + j, n - j, 0) * v_load_part(y + r * row + j, n - j, 0);
    }
    return v_sum_rows(sums);
}

/* The scores and dp = dy·v of query i become the probabilities p and the gradient of the product q·k. Both are read
 * before one is written: they lie a multiple of 4 KB apart, and a read would wait for the write that looks the same. */
static void slopes(const Heads *a, float *p, float *dp, int64_t i, int64_t n, float log_sum, float inner)
{
    const int64_t end = seen(a, i, n);
    const float by = factor(a), scale = a->scale;
    int64_t j = 0;
    for (; j + WIDTH <= end; j += WIDTH) {
        const V d = v_load(dp + j) - inner, e = v_exp2((v_load(p + j) * by - log_sum) * LOG2_E);
        v_store(p + j, e);
        v_store(dp + j, scale * e * d);
    }
    if (j < end) {
        const I looks = first_lanes(end - j);
        const V e = v_where(looks, v_exp2((v_load_part(p + j, end - j, 0) * by - log_sum) * LOG2_E));
        v_store_part(dp + j, v_where(looks, scale * e * (v_load_part(dp + j, end - j, 0) - inner)), n - j);
        v_store_part(p + j, e, n - j);
        j += WIDTH;
    }
    for (; j < n; j += WIDTH) v_store_part(p + j, (V){0}, n - j), v_store_part(dp + j, (V){0}, n - j);
}

static void attention_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);        /* (batch, queries, heads * width) */
    const float *restrict y = input(call, 5);         /* (batch, queries, heads * width) */
    const float *restrict log_sum = input(call, 6);   /* (batch, heads, queries) */
    float *restrict dq = output(call, 0);             /* (batch, queries, heads * depth) */
    float *restrict dk = output(call, 1);             /* (batch, keys, heads * depth) */
    float *restrict dv = output(call, 2);             /* (batch, keys, heads * width) */
    const Heads a = heads_of(call, 1);
    const int64_t some = queries_at_once(&a, 2), row = a.heads * a.width, inner_row = a.heads * a.depth;
    float *const p = gemm_panels, *const dp = p + some * a.keys, *const key_panels = gemm_panels + HALF_OF_PANELS,
          *const value_panels = key_panels + QUARTER;
    const int at_once = some == a.queries && keys_for(&a, a.queries) == a.keys;
    const Range mine = share_rows(a.batch * a.heads, part);

    for (int64_t each = mine.begin; each < mine.end; each++) {
        const int64_t b = each / a.heads, head = each % a.heads, rows = min(some, a.queries);
        const int64_t at_k = corner(&a, b, a.keys, head, a.depth), at_v = corner(&a, b, a.keys, head, a.width);
        const Product keys = transposed(a.k + at_k, inner_row, a.keys, a.depth, rows, key_panels, QUARTER);
        Product values = transposed(a.v + at_v, row, a.keys, a.width, rows, value_panels, QUARTER);
        if (!at_once) clear(dk + at_k, inner_row, a.keys, a.depth), clear(dv + at_v, row, a.keys, a.width);
        for (int64_t i0 = 0; i0 < a.queries; i0 += some) {
            const int64_t i1 = min(i0 + some, a.queries), n = keys_for(&a, i1);
            const int64_t at_q = corner(&a, b, a.queries, head, a.depth) + i0 * inner_row;
            const int64_t at_y = corner(&a, b, a.queries, head, a.width) + i0 * row;
            scores(&a, keys, p, b, head, i0, i1, key_panels);
            values.a = dy + at_y, values.a_row = row, values.c = dp, values.c_row = a.keys;
            values.m = i1 - i0, values.n = n, values.triangle = half(&a, LOWER_C), values.diagonal = i0;
            multiply(&values, value_panels, QUARTER);
            for (int64_t i = i0; i < i1; i += WIDTH) {
                const int64_t r = i - i0, some_rows = min(i1 - i, WIDTH);
                const V inner = inner_products(dy + at_y + r * row, y + at_y + r * row, some_rows, row, a.width);
                for (int64_t k = 0; k < some_rows; k++)
                    slopes(&a, p + (r + k) * a.keys, dp + (r + k) * a.keys, i + k, n,
                           log_sum[each * a.queries + i + k], inner[k]);
            }
            multiply(&(Product){.a = p, .a_row = 1, .a_depth = a.keys, .b = dy + at_y, .b_depth = row, .b_column = 1,
                                .start = at_once ? NULL : dv + at_v, .start_row = row, .c = dv + at_v, .c_row = row,
                                .m = n, .n = a.width, .k = i1 - i0, .triangle = half(&a, UPPER_A), .diagonal = i0},
                     NULL, 0);
            multiply(&(Product){.a = dp, .a_row = 1, .a_depth = a.keys, .b = a.q + at_q, .b_depth = inner_row,
                                .b_column = 1, .start = at_once ? NULL : dk + at_k, .start_row = inner_row,
                                .c = dk + at_k, .c_row = inner_row, .m = n, .n = a.depth, .k = i1 - i0,
                                .triangle = half(&a, UPPER_A), .diagonal = i0}, NULL, 0);
            multiply(&(Product){.a = dp, .a_row = a.keys, .a_depth = 1, .b = a.k + at_k, .b_depth = inner_row,
                                .b_column = 1, .c = dq + at_q, .c_row = inner_row, .m = i1 - i0, .n = a.depth, .k = n,
                                .triangle = half(&a, LOWER_A), .diagonal = i0}, NULL, 0);
        }
    }
}

extern const Kernel FAMILY(attention)[];
const Kernel FAMILY(attention)[] = {
    {"attention(q, k, v, mask, *, heads, scale, causal)", attention},
    {"attention_grad(dy, q, k, v, mask, y, log_sum, *, heads, scale, causal)", attention_grad},
    {0},
};
