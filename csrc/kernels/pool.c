/* pool.c: pooling over windows of images, and the way back; see fastnn/reference/pool.py.
 *
 * Channels lie in vectors. Forward goes by windows; backward goes by the cells of the image and asks which windows
 * saw them, so that each dx is written once, whole, by one worker. */
#include "vector/bytes.h"

typedef enum Mode { MAX, AVERAGE } Mode;

/* The images, the windows, and where each window begins: row * stride_y - top, column * stride_x - left. */
typedef struct Pool {
    int64_t height, width, channels, rows, columns;
    int64_t pool_y, pool_x, stride_y, stride_x, top, left;
} Pool;

static Pool pool_of(const Tensor *image, const Tensor *windows, const Constant *constants)
{
    return (Pool){image->shape[1], image->shape[2], image->shape[3], windows->shape[1], windows->shape[2],
                  constants[0].items[0], constants[0].items[1], constants[1].items[0], constants[1].items[1],
                  constants[2].items[0], constants[2].items[2]};
}

/* The cells of a window that begins at `begin` which lie inside the image. */
static inline Range cells_inside(int64_t begin, int64_t pool, int64_t size)
{
    return (Range){begin < 0 ? -begin : 0, begin + pool > size ? size - begin : pool};
}

/* Cell numbers are bytes, or int32 where windows are large. */
INLINE void store_cells(const Tensor *argmax, int64_t at, I cell, int64_t n)
{
    if (argmax->dtype == I32) {
        int32_t *to = (int32_t *)argmax->data + at;
        for (int64_t i = 0; i < n && i < WIDTH; i++) to[i] = cell[i];
        return;
    }
    store_bytes((uint8_t *)argmax->data + at, cell, n);
}

/* What backward reads: dy, and for a maximum which cell it was. */
typedef struct Given {
    const float *dy;
    const void *cells;
    int wide;              /* cells are int32 */
} Given;

INLINE I load_cells(Given g, int64_t at, int64_t n)
{
    if (!g.wide) return load_bytes((const uint8_t *)g.cells + at, n);
    int32_t cells[WIDTH] = {0};
    for (int64_t i = 0; i < n && i < WIDTH; i++) cells[i] = ((const int32_t *)g.cells)[at + i];
    I cell;
    memcpy(&cell, cells, sizeof cell);
    return cell;
}

/* One window: `from` is where its cell (0, 0) lies, or would lie. */
INLINE void window(Mode mode, const float *from, float *y, const Tensor *argmax, int64_t at, Range rows, Range columns,
                   const Pool *p, int64_t pool_x)
{
    const V count = v_splat((float)((rows.end - rows.begin) * (columns.end - columns.begin)));
    for (int64_t c = 0; c < p->channels; c += WIDTH) {
        const int64_t n = p->channels - c;
        V best = {0};
        I cell = {0};
        for (int64_t ky = rows.begin; ky < rows.end; ky++)
            for (int64_t kx = columns.begin; kx < columns.end; kx++) {
                const V x = v_load_part(from + (ky * p->width + kx) * p->channels + c, n, 0);
                const I here = i_splat((int32_t)(ky * pool_x + kx));
                if (mode == AVERAGE) {
                    best += x;
                } else if (ky == rows.begin && kx == columns.begin) {
                    best = x;
                    cell = here;
                } else {      /* larger, or the first NaN: comparisons with a NaN are false */
                    const I better = ~(x <= best) & (best == best);
                    best = v_select(better, x, best);
                    cell = (better & here) | (~better & cell);
                }
            }
        v_store_part(y + at + c, mode == AVERAGE ? best / count : best, n);
        if (mode == MAX && argmax->data) store_cells(argmax, at + c, cell, n);
    }
}

INLINE void pool(const Call *call, Part part, Mode mode)
{
    const float *restrict x = input(call, 0);   /* (batch, height, width, channels) */
    float *restrict y = output(call, 0);        /* (batch, rows, columns, channels) */
    const Tensor *argmax = mode == MAX ? call->outputs[1] : NULL;     /* as y, its data may be NULL */
    const Pool p = pool_of(call->inputs[0], call->outputs[0], call->constants);
    const Range range = share_rows(output_dim(call, 0, 0) * p.rows, part);

    for (int64_t r = range.begin; r < range.end; r++) {
        const int64_t begin_y = r % p.rows * p.stride_y - p.top;
        const Range rows = cells_inside(begin_y, p.pool_y, p.height);
        const int two = p.pool_y == 2 && p.pool_x == 2 && rows.begin == 0 && rows.end == 2;
        for (int64_t o = 0; o < p.columns; o++) {
            const int64_t begin_x = o * p.stride_x - p.left, at = (r * p.columns + o) * p.channels;
            const Range columns = cells_inside(begin_x, p.pool_x, p.width);
            const float *from = x + ((r / p.rows * p.height + begin_y) * p.width + begin_x) * p.channels;
            if (two && columns.begin == 0 && columns.end == 2)      /* sizes known: the usual window, unrolled */
                window(mode, from, y, argmax, at, (Range){0, 2}, (Range){0, 2}, &p, 2);
            else
                window(mode, from, y, argmax, at, rows, columns, &p, p.pool_x);
        }
    }
}

static void max_pool(const Call *call, Part part) { pool(call, part, MAX); }
static void average_pool(const Call *call, Part part) { pool(call, part, AVERAGE); }

static void zero(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) x[i] = 0;
}

/* What the window at `row`, `column` of an image gives to its cell `cell`. */
INLINE V given(Mode mode, Given g, int64_t at, int32_t cell, V each, int64_t n)
{
    const V d = v_load_part(g.dy + at, n, 0);
    return mode == AVERAGE ? d * each : v_select(load_cells(g, at, n) == cell, d, (V){0});
}

/* 1 / (cells of the window inside the image). */
static inline float share_of(const Pool *p, int64_t row, int64_t column)
{
    const Range rows = cells_inside(row * p->stride_y - p->top, p->pool_y, p->height);
    const Range columns = cells_inside(column * p->stride_x - p->left, p->pool_x, p->width);
    return 1.0f / (float)((rows.end - rows.begin) * (columns.end - columns.begin));
}

/* Row `iy` of an image where no two windows overlap: along the windows of its row, each seen once. */
INLINE void apart(Mode mode, Given g, float *dx, int64_t image, int64_t iy, const Pool *p, int64_t pool_x)
{
    const int64_t row = (iy + p->top) / p->stride_y, ky = (iy + p->top) % p->stride_y;
    if (row >= p->rows || ky >= p->pool_y) {
        zero(dx, p->width * p->channels);
        return;
    }
    int64_t written = 0;       /* columns of dx; where they jump, no window covers them */
    for (int64_t o = 0; o < p->columns; o++) {
        const int64_t begin = o * p->stride_x - p->left;
        const Range columns = cells_inside(begin, pool_x, p->width);
        const int64_t at = ((image * p->rows + row) * p->columns + o) * p->channels;
        if (begin > written) zero(dx + written * p->channels, (begin - written) * p->channels);
        const V each = v_splat(mode == AVERAGE ? share_of(p, row, o) : 0);
        for (int64_t c = 0; c < p->channels; c += WIDTH) {
            const int64_t n = p->channels - c;
            const V d = v_load_part(g.dy + at + c, n, 0);
            const I cell = mode == MAX ? load_cells(g, at + c, n) - (int32_t)(ky * pool_x) : (I){0};
            for (int64_t kx = columns.begin; kx < columns.end; kx++)
                v_store_part(dx + (begin + kx) * p->channels + c,
                             mode == AVERAGE ? d * each : v_select(cell == (int32_t)kx, d, (V){0}), n);
        }
        written = begin + columns.end;
    }
    zero(dx + written * p->channels, (p->width - written) * p->channels);
}

/* The windows along one axis that see place i. */
static inline Range windows_over(int64_t i, int64_t before, int64_t pool, int64_t stride, int64_t count)
{
    const int64_t first = i + before - pool + 1, end = (i + before) / stride + 1;
    return (Range){first > 0 ? (first + stride - 1) / stride : 0, end < count ? end : count};
}

/* Row `iy` where windows overlap: for each cell, over the windows that see it. */
INLINE void gathered(Mode mode, Given g, float *dx, int64_t image, int64_t iy, const Pool *p)
{
    const Range rows = windows_over(iy, p->top, p->pool_y, p->stride_y, p->rows);
    for (int64_t ix = 0; ix < p->width; ix++) {
        const Range columns = windows_over(ix, p->left, p->pool_x, p->stride_x, p->columns);
        for (int64_t c = 0; c < p->channels; c += WIDTH) {
            const int64_t n = p->channels - c;
            V sum = {0};
            for (int64_t row = rows.begin; row < rows.end; row++)
                for (int64_t o = columns.begin; o < columns.end; o++) {
                    const int64_t at = ((image * p->rows + row) * p->columns + o) * p->channels + c;
                    const int64_t ky = iy + p->top - row * p->stride_y, kx = ix + p->left - o * p->stride_x;
                    const V each = v_splat(mode == AVERAGE ? share_of(p, row, o) : 0);
                    sum += given(mode, g, at, (int32_t)(ky * p->pool_x + kx), each, n);
                }
            v_store_part(dx + ix * p->channels + c, sum, n);
        }
    }
}

INLINE void pool_grad(const Call *call, Part part, Mode mode)
{
    const float *restrict dy = input(call, 0);   /* (batch, rows, columns, channels) */
    const Tensor *argmax = mode == MAX ? call->inputs[1] : NULL;      /* as dy */
    float *restrict dx = output(call, 0);        /* (batch, height, width, channels) */
    const Given g = {dy, argmax ? argmax->data : NULL, argmax && argmax->dtype == I32};
    const Pool p = pool_of(call->outputs[0], call->inputs[0], call->constants + 1);
    const Range range = share_rows(output_dim(call, 0, 0) * p.height, part);
    const int overlapping = p.stride_y < p.pool_y || p.stride_x < p.pool_x;

    for (int64_t r = range.begin; r < range.end; r++) {
        const int64_t image = r / p.height, iy = r % p.height;
        float *to = dx + r * p.width * p.channels;
        if (overlapping) gathered(mode, g, to, image, iy, &p);
        else if (p.pool_x == 2 && !g.wide) apart(mode, (Given){g.dy, g.cells, 0}, to, image, iy, &p, 2);
        else apart(mode, g, to, image, iy, &p, p.pool_x);
    }
}

static void max_pool_grad(const Call *call, Part part) { pool_grad(call, part, MAX); }
static void average_pool_grad(const Call *call, Part part) { pool_grad(call, part, AVERAGE); }

extern const Kernel FAMILY(pool)[];
const Kernel FAMILY(pool)[] = {
    {"max_pool(x, *, pool, strides, pads)", max_pool},
    {"max_pool_grad(dy, argmax, *, shape, pool, strides, pads)", max_pool_grad},
    {"average_pool(x, *, pool, strides, pads)", average_pool},
    {"average_pool_grad(dy, *, shape, pool, strides, pads)", average_pool_grad},
    {0},
};
