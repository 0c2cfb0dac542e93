/* recurrent.h: how the kernels of recurrent.c and gru.c walk through time.
 *
 * A worker takes rows of the batch through all steps, so workers never wait for each other. It goes on with a few rows
 * at a time (a tile of the product), whose state stays in the first-level cache; the weights are packed once into
 * panels. Running states live in outputs (`h_last`, `c_last`, `dh0`, `dc0`), so they need no room of their own.
 *
 * Rows of one step lie a whole sequence apart in arrays of all steps, often a multiple of 4 KB, where they compete for
 * one place in the cache. So products read and write rows in scratch, which lie together, and what the next step needs
 * of the arrays is fetched a step ahead: the processor does not foresee it. An LSTM's way back (64 sequences, 40 steps,
 * 128 units) took 5.2 ms, and takes 3.8.
 */
#ifndef RECURRENT_H
#define RECURRENT_H

#include <string.h>

#include "gemm/panels.h"
#include "gemm/strided.h"
#include "vector/activate.h"

typedef struct Steps {
    int64_t batch, time, units;
    const uint8_t *mask;      /* (batch, time), or NULL: every step counts */
    int backwards;            /* whether the walk begins at the last step */
} Steps;

static inline const float *given(const Call *call, int i) { return call->inputs[i]->size ? input(call, i) : NULL; }

/* The walk over (batch, time, units), `mask` being input `mask` of the call. */
static inline Steps steps_of(const Call *call, int64_t batch, int64_t time, int64_t units, int mask, int backwards)
{
    return (Steps){batch, time, units, call->inputs[mask]->size ? input(call, mask) : NULL, backwards};
}

/* The n floats of row r of one step in scratch: sums on the way through time (as wide as z), slopes on the way back (as
 * wide as dz). */
static inline float *of_row(const Call *call, int64_t r, int64_t n) { return call->scratch + r * n; }
static inline int64_t sums_scratch(const Call *call) { return input_dim(call, 0, 0) * input_dim(call, 0, 2); }
static inline int64_t slopes_scratch(const Call *call) { return output_dim(call, 0, 0) * output_dim(call, 0, 2); }

static inline int64_t place(const Steps *q, int64_t step) { return q->backwards ? q->time - 1 - step : step; }
static inline int counts(const Steps *q, int64_t row, int64_t t) { return !q->mask || q->mask[row * q->time + t]; }

/* The n floats of a row at time t. */
static inline int64_t at(const Steps *q, int64_t row, int64_t t, int64_t n) { return (row * q->time + t) * n; }

/* The same one step later. */
static inline int64_t next_at(const Steps *q, int64_t row, int64_t step, int64_t n)
{
    return at(q, row, place(q, step + 1 < q->time ? step + 1 : step), n);
}

/* Brings n floats into the second-level cache, for the step that will read them or write there; p may be NULL. On the
 * way through time only what is read is fetched: there the writes wait for nobody. */
enum { LINE = 16 };
static inline void fetch(const float *p, int64_t n)
{
    for (int64_t j = 0; p && j < n; j += LINE) __builtin_prefetch(p + j, 0, 2);
}
static inline void fetch_to_write(float *p, int64_t n)
{
    for (int64_t j = 0; p && j < n; j += LINE) __builtin_prefetch(p + j, 1, 2);
}

/* How many rows go through time together: a tile, but all where the weights do not fit into the panels, since they are
 * packed for every product then. */
static inline int64_t tile_rows(Range rows, int packed)
{
    const int64_t n = rows.end - rows.begin, count = (n + TILE_ROWS - 1) / TILE_ROWS;
    return packed && count ? (n + count - 1) / count : n;
}

/* (k, n) weights as the b of products, packed behind the `used` floats of the panels. */
static Product weights(const float *b, int64_t depth, int64_t column, int64_t n, int64_t k, Range rows, int64_t *used)
{
    Product p = {.b = b, .b_depth = depth, .b_column = column, .n = n, .k = k, .a_depth = 1};
    *used += pack_panels(&p, tile_rows(rows, 1), gemm_panels + *used, PANELS - *used);
    return p;
}

/* c = start + a·w for `rows` rows, `*_row` floats apart. */
static inline void times(Product w, const float *a, int64_t a_row, const float *start, int64_t start_row, float *c,
                         int64_t c_row, int64_t rows, int64_t used)
{
    w.a = a, w.a_row = a_row, w.start = start, w.start_row = start_row, w.c = c, w.c_row = c_row, w.m = rows;
    multiply(&w, gemm_panels + used, PANELS - used);
}

static inline void copy_rows_of(float *to, const float *from, int64_t n)
{
    if (from) memcpy(to, from, n * sizeof *to);
    else memset(to, 0, n * sizeof *to);
}

/* The gradient of a state: what has come back in time plus dh, of this step, which may be NULL. */
static inline void add_row(float *state, const float *dh, int64_t n)
{
    for (int64_t j = 0; dh && j < n; j++) state[j] += dh[j];
}

/* Vectors of n floats, from j on; `left` lanes of the last one count. Where the literal `full` is 1, all lanes of all
 * vectors do, and none is asked about. */
#define EACH_VECTOR(j, n) EACH_VECTOR_OF(j, n, 0)
#define EACH_VECTOR_OF(j, n, full) \
    for (int64_t j = 0, left = (full) ? WIDTH : (n); j < (n); j += WIDTH, left -= (full) ? 0 : WIDTH)
/* f(..., n, full), once compiled for each `full`. */
#define IN_VECTORS(n, f, ...) do { if ((n) % WIDTH) f(__VA_ARGS__, n, 0); else f(__VA_ARGS__, n, 1); } while (0)
#define LOAD(p) v_load_part((p) + j, left, 0)
#define STORE(p, x) v_store_part((p) + j, x, left)
#define STORE_IF(p, x) do { if (p) STORE(p, x); } while (0)
/* The place p + i of an array that may have been left out. */
#define PLACE(p, i) ((p) ? (p) + (i) : NULL)

#endif
