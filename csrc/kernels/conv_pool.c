/* conv_pool.c: convolution, relu and 2x2 max pooling in one, and the way back; see fastnn/reference/conv_pool.py.
 *
 * What the convolution gives, and its gradient, are four times as large as what is pooled, and larger than the caches:
 * for 32 images of the guide's network 2.8 MB, which the separate kernels write or read seven times. Here two rows of
 * one image at a time exist, in the first-level cache.
 */
#include "vector/bytes.h"
#include "conv/block.h"

enum { SCRATCH = 8192, FILTERS = 128, DEAD = 4 };     /* floats of two rows; filters of a block of them */

/* The next `count` rows or columns of outputs from `first` on: without pads all have all taps. */
static Run whole_run(const Axis *a, int64_t first, int64_t count)
{
    return (Run){.out_step = 1, .count = count, .in = first * a->stride, .in_step = a->stride, .in_tap = a->dilation,
                 .tap_step = 1, .taps = a->kernel};
}

static Axis axis_of_pooled(const Tensor *x, int64_t kernel, const Constant *constants, int axis)
{
    return (Axis){.in = x->shape[axis], .kernel = kernel, .stride = constants[0].items[axis - 1],
                  .dilation = constants[1].items[axis - 1]};
}

/* Cells are numbered 0 1 / 2 3, and the first of equal ones counts. A NaN in any, which the sum shows, is the result.
 * The relu comes last: the largest of four is as large with it as without, where it is not 0. */
INLINE void pool_cells(const float *cells, int64_t pixel, int64_t row, int64_t n, float *y, uint8_t *argmax)
{
    const V a = v_load_part(cells, n, 0), b = v_load_part(cells + pixel, n, 0);
    const V c = v_load_part(cells + row, n, 0), d = v_load_part(cells + row + pixel, n, 0);
    const V sum = (v_abs(a) + v_abs(b)) + (v_abs(c) + v_abs(d));
    const I right = b > a, right_below = d > c;       /* -1 where true */
    const V above = v_select(right, b, a), below = v_select(right_below, d, c);
    const I down = below > above;
    const V best = v_select(down, below, above);
    const I cell = (down & (2 - right_below)) | (~down & -right), alive = (best > 0.0f) & (sum == sum);
    v_store_part(y, v_select(sum == sum, v_relu(best), sum), n);
    if (argmax) store_bytes(argmax, (alive & cell) | (~alive & DEAD), n);
}

static void conv2d_relu_pool(const Call *call, Part part)
{
    const Tensor *x = call->inputs[0];               /* (batch, rows, columns, channels) */
    const Tensor *w = call->inputs[1];               /* (kernel rows, kernel columns, channels, filters) */
    const float *restrict bias = input(call, 2);     /* (filters,) */
    const Tensor *y = call->outputs[0];              /* (batch, rows, columns, filters) */
    uint8_t *restrict argmax = output(call, 1);      /* (batch, rows, columns, filters) or NULL */
    const float *weights = w->data;
    const int64_t rows = y->shape[1], columns = y->shape[2], filters = y->shape[3];
    const int64_t x_size = x->shape[1] * x->shape[2] * x->shape[3];
    Conv c = {.channels = x->shape[3], .filters = filters, .groups = 1, .w_step = filters, .activation = LINEAR,
              .vertical = axis_of_pooled(x, w->shape[0], call->constants, 1),
              .horizontal = axis_of_pooled(x, w->shape[1], call->constants, 2)};
    const Range mine = share_rows(x->shape[0] * rows, part);
    _Alignas(64) float scratch[SCRATCH];

    for (int64_t f = 0; f < filters; f += FILTERS) {
        const int64_t n = min(FILTERS, filters - f), wide = SCRATCH / 4 / n;
        c.w = weights + f, c.bias = bias + f;
        for (int64_t i = mine.begin; i < mine.end; i++) {
            const float *image = (const float *)x->data + i / rows * x_size;
            const Run two = whole_run(&c.vertical, i % rows * 2, 2);
            for (int64_t j = 0; j < columns; j += wide) {
                const int64_t count = min(wide, columns - j), at = (i * columns + j) * filters + f;
                const Run pixels = whole_run(&c.horizontal, 2 * j, 2 * count);
                c.y_pixel = n, c.y_row = 2 * count * n;
                block(&c, &two, &pixels, image, scratch, 0, (Range){0, n});
                for (int64_t p = 0; p < count; p++)
                    for (int64_t k = 0; k < n; k += WIDTH)
                        pool_cells(scratch + 2 * p * n + k, n, c.y_row, n - k, (float *)y->data + at + p * filters + k,
                                   argmax ? argmax + at + p * filters + k : NULL);
            }
        }
    }
}

/* dy to the cell it comes from, 0 to the other three; returns what the bias gets. */
INLINE V spread(V dy, const uint8_t *argmax, float *cells, int64_t pixel, int64_t row, int64_t n)
{
    const I cell = load_bytes(argmax, n);
    v_store_part(cells, v_where(cell == 0, dy), n);
    v_store_part(cells + pixel, v_where(cell == 1, dy), n);
    v_store_part(cells + row, v_where(cell == 2, dy), n);
    v_store_part(cells + row + pixel, v_where(cell == 3, dy), n);
    return v_where(cell < DEAD, dy);
}

INLINE void add_bias(float *db, float *lost, V sum, int64_t n)
{
    float more[WIDTH];
    v_store(more, sum);
    if (lost) add_keeping(db, lost, more, min(n, WIDTH));
    else v_store_part(db, v_load_part(db, n, 0) + sum, n);
}

/* Where gradients are added up, and of long sums what rounding took, as long (add_keeping), or NULL. */
typedef struct Sums {
    float *dw, *db;          /* NULL where nobody reads them, db also where another worker has the bias */
    float *dw_lost, *db_lost;
} Sums;

/* The filters [f, f + n) of images [begin, end). */
static void add_pooled(WeightsGrad *g, const Call *call, const Sums *sums, int64_t f, int64_t n, Range images)
{
    const Tensor *x = call->inputs[0];                   /* (batch, rows, columns, channels) */
    const Tensor *dy = call->inputs[1];                  /* (batch, rows, columns, filters) */
    const uint8_t *restrict argmax = input(call, 2);     /* (batch, rows, columns, filters) */
    const int64_t rows = dy->shape[1], columns = dy->shape[2], wide = SCRATCH / 4 / n;
    const int64_t kernel_width = g->horizontal.kernel, line = kernel_width * g->channels;
    const int64_t x_row = x->shape[2] * x->shape[3];
    const int whole = g->weights.begin == 0 && g->weights.end == g->vertical.kernel * line && line == 3
                      && g->horizontal.dilation == 1;
    const int merged = g->horizontal.dilation == 1;
    _Alignas(64) float scratch[SCRATCH];

    g->dw = sums->dw ? sums->dw + f : NULL, g->lost = sums->dw_lost ? sums->dw_lost + f : NULL, g->dy_pixel = n;
    for (int64_t i = images.begin * rows; i < images.end * rows; i++) {
        const float *image = (const float *)x->data + i / rows * x->shape[1] * x_row;
        const Run two = whole_run(&g->vertical, i % rows * 2, 2);
        for (int64_t j = 0; j < columns; j += wide) {
            const int64_t count = min(wide, columns - j), at = (i * columns + j) * g->filters + f;
            const Run pixels = whole_run(&g->horizontal, 2 * j, 2 * count);
            const float *from = image + two.in * x_row + pixels.in * g->channels;
            g->dy_row = 2 * count * n;
            for (int64_t k = 0; k < n; k += WIDTH) {
                V sum = {0};
                for (int64_t p = 0; p < count; p++)
                    sum += spread(v_load_part((const float *)dy->data + at + p * g->filters + k, n - k, 0),
                                  argmax + at + p * g->filters + k, scratch + 2 * p * n + k, n,
                                  g->dy_row, n - k);
                if (sums->db) add_bias(sums->db + f + k, sums->db_lost ? sums->db_lost + f + k : NULL, sum, n - k);
            }
            if (!sums->dw) continue;
            if (whole) {
                add_products(g, &two, &pixels, from, scratch, 1, g->weights, g->vertical.dilation * x_row, 0, n);
                continue;
            }
            for (int64_t p = 0; p < g->vertical.kernel; p++)
                for (int64_t q = 0; q < (merged ? 1 : kernel_width); q++) {
                    const int64_t first = p * line + q * g->channels;
                    add_products(g, &two, &pixels, from + p * two.in_tap * x_row + q * pixels.in_tap * g->channels,
                                 scratch, 1, (Range){first, first + (merged ? line : g->channels)}, 3, 0, n);
                }
        }
    }
}

/* Whether the sums of a chunk are long: of the four pixels of a pooled one, three have no gradient. */
static int is_long(const Call *call, int64_t chunks)
{
    return input_dim(call, 1, 0) * input_dim(call, 1, 1) * input_dim(call, 1, 2) > LONG * chunks;
}

static void conv2d_relu_pool_grad(const Call *call, Part part)
{
    const Tensor *x = call->inputs[0];       /* (batch, rows, columns, channels) */
    const int64_t *kernel = call->constants[0].items;
    float *restrict dw = output(call, 0);    /* (kernel rows, kernel columns, channels, filters) or NULL */
    float *restrict db = output(call, 1);    /* (filters,) or NULL */
    const int64_t filters = input_dim(call, 1, 3), rows = kernel[0] * kernel[1] * x->shape[3], size = rows * filters;
    const int64_t images = x->shape[0], chunks = image_chunks(size, images);
    float *const dbs = call->scratch + (chunks - 1) * size;      /* the chunks of db, behind those of dw */
    float *const losts = is_long(call, chunks) ? dbs + (chunks - 1) * filters : NULL;
    WeightsGrad g = {.channels = x->shape[3], .filters = filters, .groups = 1,
                     .vertical = axis_of_pooled(x, kernel[0], call->constants + 1, 1),
                     .horizontal = axis_of_pooled(x, kernel[1], call->constants + 1, 2),
                     .weights = chunks > 1 ? (Range){0, rows} : share_rows(rows, part)};
    const Range mine = share_rows(chunks, chunks > 1 ? part : (Part){0, 1});

    for (int64_t c = mine.begin; c < mine.end; c++) {
        Sums sums = {.dw = chunk_at(dw, call->scratch, c, size), .db = chunk_at(db, dbs, c, filters)};
        if (chunks == 1 && part.index) sums.db = NULL;
        if (losts) {
            sums.dw_lost = losts + c * (size + filters);
            if (sums.db) sums.db_lost = sums.dw_lost + size;
        }
        clear(sums.dw, &g), clear(sums.dw_lost, &g);
        if (sums.db) memset(sums.db, 0, filters * sizeof(float));
        if (sums.db_lost) memset(sums.db_lost, 0, filters * sizeof(float));
        for (int64_t f = 0; f < filters; f += FILTERS)
            add_pooled(&g, call, &sums, f, min(FILTERS, filters - f),
                       (Range){c * images / chunks, (c + 1) * images / chunks});
    }
    if (is_last(part)) {
        add_chunks(dw, call->scratch, chunks, size);
        add_chunks(db, dbs, chunks, filters);
    }
}

static int64_t pooled_scratch(const Call *call)
{
    const int64_t *kernel = call->constants[0].items;
    const int64_t rows = kernel[0] * kernel[1] * input_dim(call, 0, 3), filters = input_dim(call, 1, 3);
    const int64_t chunks = image_chunks(rows * filters, input_dim(call, 0, 0));
    return (chunks - 1 + (is_long(call, chunks) ? chunks : 0)) * (rows + 1) * filters;
}

extern const Kernel FAMILY(conv_pool)[];
const Kernel FAMILY(conv_pool)[] = {
    {"conv2d_relu_pool(x, w, b, *, strides, dilation)", conv2d_relu_pool},
    {"conv2d_relu_pool_grad(x, dy, argmax, *, size, strides, dilation)", conv2d_relu_pool_grad, FINISH, pooled_scratch},
    {0},
};
