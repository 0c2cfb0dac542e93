/* conv.c: convolutions of images, their transposes and the gradients of their weights; see fastnn/reference/conv.py.
 *
 * Channels are the last axis, so the weights of one tap are a matrix of channels x filters, and pixels that have the
 * same taps inside the image are the rows of a matrix product whose operand is the image itself: nothing is copied.
 * Borders are runs of pixels with fewer taps; a column of them makes as good a tile as a row.
 */
#include "conv/block.h"
#include "gemm/gemm.h"

enum { BLOCK = 128 * 1024 };      /* floats of the weights that stay in the second-level cache while pixels pass by */

/* Along axis 1 or 2 of images: constants are strides, pads, dilation from `constants` on. */
static Axis axis_of(const Tensor *in, const Tensor *out, int64_t kernel, const Constant *constants, int axis)
{
    const int i = axis - 1;
    return (Axis){.in = in->shape[axis], .out = out->shape[axis], .kernel = kernel, .stride = constants[0].items[i],
                  .dilation = constants[2].items[i], .before = constants[1].items[2 * i]};
}

static Conv conv_of(const Call *call, int transposed)
{
    const Tensor *x = call->inputs[0];       /* (batch, rows, columns, channels) */
    const Tensor *w = call->inputs[1];       /* (kernel rows, kernel columns, channels / groups, filters) */
    const Tensor *bias = call->inputs[2];    /* (filters,) */
    const Tensor *y = call->outputs[0];      /* (batch, rows, columns, filters) */
    const Constant *constants = call->constants + transposed;      /* the transposed has `size` before them */
    Conv c = {.x = x->data, .w = w->data, .bias = bias->data, .y = y->data, .images = x->shape[0],
              .channels = x->shape[3], .filters = y->shape[3], .groups = constants[3].integer, .w_step = w->shape[3],
              .activation = (int)constants[4].integer};
    c.vertical = axis_of(x, y, w->shape[0], constants, 1);
    c.horizontal = axis_of(x, y, w->shape[1], constants, 2);
    c.y_pixel = c.filters, c.y_row = y->shape[2] * c.filters;
    c.vertical.transposed = c.horizontal.transposed = transposed;
    return c;
}

/* One channel per group: every channel is convolved with weights of its own. */
static void depthwise(const Conv *c, const Run *rows, const Run *columns, const float *image, float *y)
{
    const int64_t n = c->channels, width = c->horizontal.in, kernel_width = c->horizontal.kernel;
    for (int64_t i = 0; i < rows->count; i++)
        for (int64_t j = 0; j < columns->count; j++) {
            const int64_t in = (rows->in + i * rows->in_step) * width + columns->in + j * columns->in_step;
            const int64_t out = rows->out + i * rows->out_step, along = columns->out + j * columns->out_step;
            const float *from = image + in * n, *w = c->w + (rows->tap * kernel_width + columns->tap) * n;
            float *to = y + (out * c->horizontal.out + along) * n;
            for (int64_t k = 0; k < n; k += WIDTH) {
                V sum = v_load_part(c->bias + k, n - k, 0);
                for (int64_t p = 0; p < rows->taps; p++)
                    for (int64_t q = 0; q < columns->taps; q++)
                        sum += v_load_part(from + (p * rows->in_tap * width + q * columns->in_tap) * n + k, n - k, 0)
                               * v_load_part(w + (p * rows->tap_step * kernel_width + q * columns->tap_step) * n + k,
                                             n - k, 0);
                v_store_part(to + k, sum, n - k);
            }
            activate(to, n, c->activation);
        }
}

/* All images, or the part of them that is this worker's: whole images if there are enough, else rows or columns. */
static void convolve(const Conv *c, Part part)
{
    const Part all = {0, 1};
    const int by_image = c->images >= 2 * part.count, by_row = !by_image && c->vertical.out >= part.count;
    const Range images = share_rows(c->images, by_image ? part : all);
    const Range across = share_rows(c->vertical.out, by_row ? part : all);
    const Range along = share_rows(c->horizontal.out, by_image || by_row ? all : part);
    const int64_t x_size = c->vertical.in * c->horizontal.in * c->channels;
    const int64_t y_size = c->vertical.out * c->horizontal.out * c->filters;
    const int64_t filters = c->filters / c->groups, channels = c->channels / c->groups;
    const int64_t weights = c->vertical.kernel * c->horizontal.kernel * channels;
    const int64_t columns = max(4 * WIDTH, BLOCK / max(1, weights) / (4 * WIDTH) * 4 * WIDTH);

    for (int64_t f = 0; f < filters; f += columns)
        FOR_RUNS(row, &c->vertical, across.begin, across.end)
            FOR_RUNS(column, &c->horizontal, along.begin, along.end)
                for (int64_t i = images.begin; i < images.end; i++) {
                    const float *image = c->x + i * x_size;
                    float *y = c->y + i * y_size;
                    if (channels == 1 && filters == 1) depthwise(c, &row, &column, image, y);
                    else for (int64_t g = 0; g < c->groups; g++)
                        block(c, &row, &column, image, y, g, (Range){f, min(f + columns, filters)});
                }
}

/* Whether every output sees one pixel: then all of it is a matrix product. */
static int is_product(const Conv *c)
{
    const Axis *v = &c->vertical, *h = &c->horizontal;
    return v->kernel * h->kernel * c->groups == 1 && v->stride * h->stride == 1 && v->in == v->out && h->in == h->out;
}

static Gemm product_of(const Conv *c)
{
    return (Gemm){.a = c->x, .b = c->w, .bias = c->bias, .c = c->y, .m = c->images * c->vertical.in * c->horizontal.in,
                  .n = c->filters, .k = c->channels, .a_row = c->channels, .a_depth = 1, .b_depth = c->filters,
                  .b_column = 1, .activation = c->activation};
}

static void conv2d(const Call *call, Part part)
{
    const Conv c = conv_of(call, 0);
    if (is_product(&c)) {
        Gemm g = product_of(&c);
        g.scratch = call->scratch;
        gemm(&g, part);
    } else if (part.index < part.count) {
        convolve(&c, part);
    }
}

static int64_t conv2d_scratch(const Call *call)
{
    const Conv c = conv_of(call, 0);
    const Gemm g = product_of(&c);
    return is_product(&c) ? gemm_scratch(&g) : 0;
}

static void conv2d_transpose(const Call *call, Part part)
{
    const Conv c = conv_of(call, 1);
    convolve(&c, part);
}

static void depthwise_products(const WeightsGrad *g, const Run *rows, const Run *columns, const float *x,
                               const float *dy)
{
    const int64_t n = g->channels, width = g->horizontal.in, out = g->horizontal.out;
    for (int64_t p = 0; p < rows->taps; p++)
        for (int64_t q = 0; q < columns->taps; q++) {
            const int64_t tap = (rows->tap + p) * g->horizontal.kernel + columns->tap + q;
            if (tap < g->weights.begin || tap >= g->weights.end) continue;
            const float *from = x + ((rows->in + p * rows->in_tap) * width + columns->in + q * columns->in_tap) * n;
            const float *d = dy + (rows->out * out + columns->out) * n;
            const int64_t piece = g->lost ? max(1, SHORT / columns->count) : rows->count;
            for (int64_t k = 0; k < n; k += WIDTH)
                for (int64_t first = 0; first < rows->count; first += piece) {
                    const int64_t at = tap * n + k, end = min(first + piece, rows->count);
                    V sum = g->lost ? (V){0} : v_load_part(g->dw + at, n - k, 0);
                    for (int64_t i = first; i < end; i++)
                        for (int64_t j = 0; j < columns->count; j++)
                            sum += v_load_part(from + (i * rows->in_step * width + j * columns->in_step) * n + k,
                                               n - k, 0) * v_load_part(d + (i * out + j) * n + k, n - k, 0);
                    float sums[WIDTH];
                    v_store(sums, sum);
                    if (g->lost) add_keeping(g->dw + at, g->lost + at, sums, min(n - k, WIDTH));
                    else v_store_part(g->dw + at, sum, n - k);
                }
        }
}

/* The images [begin, end): a few at a time, so that a tile has a hundred pixels to add and its operands stay close. */
static void add_images(const WeightsGrad *g, const float *x, const float *dy, Range images)
{
    const int64_t channels = g->channels / g->groups, kernel_width = g->horizontal.kernel;
    const int64_t x_row = g->horizontal.in * g->channels;
    const int64_t x_size = g->vertical.in * x_row, dy_size = g->vertical.out * g->horizontal.out * g->filters;

    FOR_RUNS(row, &g->vertical, 0, g->vertical.out)
        FOR_RUNS(column, &g->horizontal, 0, g->horizontal.out) {
            const int merged = g->groups == 1 && column.in_tap == 1;
            const int whole = merged && g->weights.begin == 0
                              && g->weights.end == g->vertical.kernel * kernel_width * channels
                              && kernel_width * channels == 3 && column.taps == kernel_width;
            const int64_t some = max(1, (g->lost ? SHORT : 128) / (row.count * column.count));
            for (int64_t i = images.begin; i < images.end; i += some) {
                const float *from = x + i * x_size + row.in * x_row + column.in * g->channels, *d = dy + i * dy_size;
                const int64_t count = min(some, images.end - i);
                if (channels == 1 && g->filters == g->groups) {
                    for (int64_t k = 0; k < count; k++)
                        depthwise_products(g, &row, &column, x + (i + k) * x_size, d + k * dy_size);
                    continue;
                }
                if (whole) {     /* one pass for all rows of taps: a single row of three would wait for its own sums */
                    add_products(g, &row, &column, from, d, count, (Range){row.tap * 3, (row.tap + row.taps) * 3},
                                 row.in_tap * x_row, 0, g->filters);
                    continue;
                }
                for (int64_t p = 0; p < row.taps; p++)
                    for (int64_t q = 0; q < (merged ? 1 : column.taps); q++)
                        for (int64_t group = 0; group < g->groups; group++) {
                            const int64_t first = ((row.tap + p) * kernel_width + column.tap + q) * channels;
                            const float *a = from + p * row.in_tap * x_row + q * column.in_tap * g->channels;
                            add_products(g, &row, &column, a + group * channels, d, count,
                                         (Range){first, first + channels * (merged ? column.taps : 1)}, 3, group,
                                         g->filters / g->groups);
                        }
            }
        }
}

static int is_long(const Tensor *dy, int64_t chunks)
{
    return dy->shape[0] * dy->shape[1] * dy->shape[2] > LONG * chunks;
}

static void conv2d_weights_grad(const Call *call, Part part)
{
    const Tensor *x = call->inputs[0];       /* (batch, rows, columns, channels) */
    const Tensor *dy = call->inputs[1];      /* (batch, rows, columns, filters) */
    const Tensor *dw = call->outputs[0];     /* (kernel rows, kernel columns, channels / groups, filters) */
    const Constant *constants = call->constants + 1;
    const int64_t rows = dw->shape[0] * dw->shape[1] * dw->shape[2], images = x->shape[0];
    const int64_t chunks = image_chunks(dw->size, images);
    const int keeps = is_long(dy, chunks);
    WeightsGrad g = {.x = x->data, .dy = dy->data, .channels = x->shape[3], .filters = dw->shape[3],
                     .groups = constants[3].integer, .weights = chunks > 1 ? (Range){0, rows} : share_rows(rows, part)};
    const Range mine = share_rows(chunks, chunks > 1 ? part : (Part){0, 1});

    g.vertical = axis_of(x, dy, dw->shape[0], constants, 1);
    g.horizontal = axis_of(x, dy, dw->shape[1], constants, 2);
    g.dy_pixel = g.filters, g.dy_row = dy->shape[2] * g.filters, g.dy_image = dy->shape[1] * g.dy_row;
    for (int64_t c = mine.begin; c < mine.end; c++) {
        g.dw = chunk_at(dw->data, call->scratch, c, dw->size);
        if (keeps) g.lost = call->scratch + (chunks - 1 + c) * dw->size;
        clear(g.dw, &g), clear(g.lost, &g);
        add_images(&g, g.x, g.dy, (Range){c * images / chunks, (c + 1) * images / chunks});
    }
    if (is_last(part)) add_chunks(dw->data, call->scratch, chunks, dw->size);
}

static int64_t weights_scratch(const Call *call)
{
    const Tensor *dy = call->inputs[1];      /* (batch, rows, columns, filters) */
    const Tensor *dw = call->outputs[0];     /* (kernel rows, kernel columns, channels / groups, filters) */
    const int64_t chunks = image_chunks(dw->size, dy->shape[0]);
    return (chunks - 1 + (is_long(dy, chunks) ? chunks : 0)) * dw->size;
}

extern const Kernel FAMILY(conv)[];
const Kernel FAMILY(conv)[] = {
    {"conv2d(x, w, b, *, strides, pads, dilation, groups, activation)", conv2d, FINISH,
     conv2d_scratch},
    {"conv2d_transpose(x, w, b, *, size, strides, pads, dilation, groups, activation)", conv2d_transpose},
    {"conv2d_weights_grad(x, dy, *, size, strides, pads, dilation, groups)", conv2d_weights_grad, FINISH,
     weights_scratch},
    {0},
};
