/* index.c: elements by number, along an axis, one for each place, in order; see fastnn/reference/index.py. */
#include <string.h>

#include "vector/integers.h"
#include "vector/move.h"

enum { BLOCK = 64 };      /* elements of a row that one worker adds up */

/* An array seen as outer x size x inner, its axis in the middle. */
typedef struct View {
    int64_t outer, size, inner;
} View;

static View view_of(const Tensor *t, int axis, int axes)
{
    View v = {1, 1, inner_size(t, axis + axes)};
    for (int i = 0; i < axis; i++) v.outer *= t->shape[i];
    for (int i = axis; i < axis + axes; i++) v.size *= t->shape[i];
    return v;
}

INLINE int64_t place_of(int64_t index, int64_t size)
{
    if (index < 0) index += size;
    return index < 0 ? 0 : index >= size ? size - 1 : index;
}

static void take(const Call *call, Part part)
{
    const char *restrict x = input(call, 0);            /* (outer…, size, inner…) */
    const int32_t *restrict indices = input(call, 1);   /* (…) */
    const int axis = integer(call, 0);
    char *restrict y = output(call, 0);                 /* (outer…, …, inner…) */
    const View v = view_of(call->inputs[0], axis, 1);
    const int64_t count = input_size(call, 1), bytes = v.inner * width_of(call->inputs[0]);
    const Range range = share(v.outer * count, 1, part);

    for (int64_t row = range.begin; row < range.end; row++) {
        const int64_t from = row / count * v.size + place_of(indices[row % count], v.size);
        if (bytes == 4) memcpy(y + row * 4, x + from * 4, 4);
        else memcpy(y + row * bytes, x + from * bytes, bytes);
    }
}

/* dx rows += dy rows, for the columns of one unit; compiled for floats and for whole numbers. */
INLINE void add_rows(void *dx, const void *dy, const int32_t *indices, int64_t count, int64_t size, int64_t inner,
                     int64_t begin, int64_t end, int dtype)
{
    for (int64_t k = 0; k < size; k++)
        for (int64_t j = begin; j < end; j++)
            if (dtype == F32) ((float *)dx)[k * inner + j] = 0;
            else if (dtype == I32) ((int32_t *)dx)[k * inner + j] = 0;
            else ((int64_t *)dx)[k * inner + j] = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t k = place_of(indices[i], size) * inner, from = i * inner;
        for (int64_t j = begin; j < end; j++)
            if (dtype == F32) ((float *)dx)[k + j] += ((const float *)dy)[from + j];
            else if (dtype == I32) ((uint32_t *)dx)[k + j] += ((const uint32_t *)dy)[from + j];
            else ((uint64_t *)dx)[k + j] += ((const uint64_t *)dy)[from + j];
    }
}

static void take_grad(const Call *call, Part part)
{
    const char *restrict dy = input(call, 0);           /* (outer…, …, inner…) */
    const int32_t *restrict indices = input(call, 1);   /* (…) */
    const int axis = integer(call, 0);
    char *restrict dx = output(call, 0);                /* (outer…, size, inner…) */
    const View v = view_of(call->outputs[0], axis, 1);
    const int64_t count = input_size(call, 1), width = width_of(call->outputs[0]);
    const int64_t blocks = (v.inner + BLOCK - 1) / BLOCK;
    const Range range = share(v.outer * blocks, 1, part);

    for (int64_t unit = range.begin; unit < range.end; unit++) {
        const int64_t row = unit / blocks, begin = unit % blocks * BLOCK;
        const int64_t end = begin + BLOCK < v.inner ? begin + BLOCK : v.inner;
        void *to = dx + row * v.size * v.inner * width;
        const void *from = dy + row * count * v.inner * width;
        switch ((DType)call->outputs[0]->dtype) {
        case F32: add_rows(to, from, indices, count, v.size, v.inner, begin, end, F32); break;
        case I32: add_rows(to, from, indices, count, v.size, v.inner, begin, end, I32); break;
        default: add_rows(to, from, indices, count, v.size, v.inner, begin, end, I64); break;
        }
    }
}

static void take_along(const Call *call, Part part)
{
    const char *restrict x = input(call, 0);            /* (outer…, size, inner…) */
    const int32_t *restrict indices = input(call, 1);   /* (outer…, count, inner…) */
    const int axis = integer(call, 0);
    char *restrict y = output(call, 0);                 /* (outer…, count, inner…) */
    const View v = view_of(call->inputs[0], axis, 1);
    const int64_t count = input_dim(call, 1, axis), width = width_of(call->inputs[0]);
    const Range range = share(v.outer * count, 1, part);

    for (int64_t row = range.begin; row < range.end; row++)
        for (int64_t j = 0; j < v.inner; j++) {
            const int64_t to = row * v.inner + j;
            const int64_t from = (row / count * v.size + place_of(indices[to], v.size)) * v.inner + j;
            if (width == 4) memcpy(y + to * 4, x + from * 4, 4);
            else memcpy(y + to * width, x + from * width, width);
        }
}

static void take_along_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);          /* (outer…, count, inner…) */
    const int32_t *restrict indices = input(call, 1);   /* (outer…, count, inner…) */
    const int axis = integer(call, 0);
    float *restrict dx = output(call, 0);               /* (outer…, size, inner…) */
    const View v = view_of(call->outputs[0], axis, 1);
    const int64_t count = input_dim(call, 0, axis);
    const Range range = share(v.outer, 1, part);

    for (int64_t o = range.begin; o < range.end; o++) {
        float *to = dx + o * v.size * v.inner;
        for (int64_t i = 0; i < v.size * v.inner; i++) to[i] = 0;
        for (int64_t i = 0; i < count * v.inner; i++) {
            const int64_t at = o * count * v.inner + i;
            to[place_of(indices[at], v.size) * v.inner + i % v.inner] += dy[at];
        }
    }
}

/* Whether element i of a row comes before element j: the smaller, a number before NaN, else the earlier. */
INLINE int before(const void *x, int64_t i, int64_t j, int dtype)
{
    if (dtype == F32) {
        const float a = ((const float *)x)[i], b = ((const float *)x)[j];
        if (a != a || b != b) return a == a ? 1 : b == b ? 0 : i < j;
        return a < b || (a == b && i < j);
    }
    if (dtype == F64) {
        const double a = ((const double *)x)[i], b = ((const double *)x)[j];
        if (a != a || b != b) return a == a ? 1 : b == b ? 0 : i < j;
        return a < b || (a == b && i < j);
    }
    const int64_t a = whole_at(x, i, dtype), b = whole_at(x, j, dtype);
    return a < b || (a == b && i < j);
}

/* The element at `root` sinks until it is not before its children. */
INLINE void sink(int32_t *heap, int64_t root, int64_t n, const void *x, int dtype)
{
    const int32_t moved = heap[root];
    for (int64_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && before(x, heap[child], heap[child + 1], dtype)) child++;
        if (!before(x, moved, heap[child], dtype)) break;
        heap[root] = heap[child];
    }
    heap[root] = moved;
}

/* Heap sort: it needs no second array, and as no two elements are equal in `before`, its order is the stable one. */
INLINE void sort_row(int32_t *order, const void *x, int64_t n, int dtype)
{
    for (int64_t i = 0; i < n; i++) order[i] = (int32_t)i;
    for (int64_t i = n / 2 - 1; i >= 0; i--) sink(order, i, n, x, dtype);
    for (int64_t last = n - 1; last > 0; last--) {
        const int32_t largest = order[0];
        order[0] = order[last];
        order[last] = largest;
        sink(order, 0, last, x, dtype);
    }
}

static void argsort(const Call *call, Part part)
{
    const char *restrict x = input(call, 0);   /* (…, n) */
    int32_t *restrict y = output(call, 0);     /* (…, n) */
    const int64_t n = input_dim(call, 0, call->inputs[0]->rank - 1), width = width_of(call->inputs[0]);

    if (!n) return;
    const Range range = share(input_size(call, 0) / n, 1, part);
    for (int64_t row = range.begin; row < range.end; row++) {
        const void *from = x + row * n * width;
        int32_t *order = y + row * n;
        switch ((DType)call->inputs[0]->dtype) {
        case F32: sort_row(order, from, n, F32); break;
        case F64: sort_row(order, from, n, F64); break;
        case I32: sort_row(order, from, n, I32); break;
        case I64: sort_row(order, from, n, I64); break;
        default: sort_row(order, from, n, U8); break;
        }
    }
}

/* y = x combined with all before it; a block of columns side by side, in float64 or 64 bits. */
INLINE void scan(const Call *call, Part part, int is_sum, int reverse, int dtype)
{
    const void *restrict x = input(call, 0);   /* (outer…, size, inner…) */
    void *restrict y = output(call, 0);        /* (outer…, size, inner…) */
    const View v = view_of(call->inputs[0], (int)integer(call, 0), 1);
    const int64_t blocks = (v.inner + BLOCK - 1) / BLOCK;
    const Range range = share(v.outer * blocks, 1, part);

    for (int64_t unit = range.begin; unit < range.end; unit++) {
        const int64_t begin = unit % blocks * BLOCK, start = unit / blocks * v.size * v.inner + begin;
        const int64_t columns = v.inner - begin < BLOCK ? v.inner - begin : BLOCK;
        double numbers[BLOCK];
        uint64_t whole[BLOCK];
        for (int64_t j = 0; j < columns; j++) {
            numbers[j] = !is_sum;
            whole[j] = !is_sum;
        }
        for (int64_t k = 0; k < v.size; k++) {
            const int64_t at = start + (reverse ? v.size - 1 - k : k) * v.inner;
            for (int64_t j = 0; j < columns; j++)
                if (dtype == F32) {
                    const double value = ((const float *)x)[at + j];
                    numbers[j] = is_sum ? numbers[j] + value : numbers[j] * value;
                    ((float *)y)[at + j] = (float)numbers[j];
                } else {
                    const uint64_t value = (uint64_t)whole_at(x, at + j, dtype);
                    whole[j] = is_sum ? whole[j] + value : whole[j] * value;
                    put_whole(y, at + j, dtype, (int64_t)whole[j]);
                }
        }
    }
}

INLINE void scan_any(const Call *call, Part part, int is_sum, int reverse)
{
    switch ((DType)call->inputs[0]->dtype) {
    case F32: scan(call, part, is_sum, reverse, F32); break;
    case I32: scan(call, part, is_sum, reverse, I32); break;
    default: scan(call, part, is_sum, reverse, I64); break;
    }
}

static void cumsum(const Call *call, Part part) { scan_any(call, part, 1, (int)integer(call, 1)); }
static void cumprod(const Call *call, Part part) { scan_any(call, part, 0, 0); }

/* With S_j = dy_j + x_{j+1} S_{j+1} and P_j = x_0 … x_{j-1}: dx_j = P_j S_j. */
static void cumprod_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (outer…, size, inner…) */
    const float *restrict x = input(call, 1);    /* (outer…, size, inner…) */
    float *restrict dx = output(call, 0);        /* (outer…, size, inner…) */
    const View v = view_of(call->inputs[1], (int)integer(call, 0), 1);
    const Range range = share(v.outer * v.inner, 1, part);

    for (int64_t column = range.begin; column < range.end; column++) {
        const int64_t start = column / v.inner * v.size * v.inner + column % v.inner;
        double later = 0, product = 1;
        for (int64_t j = v.size - 1; j >= 0; j--) {
            const int64_t at = start + j * v.inner;
            later = dy[at] + (j + 1 < v.size ? x[at + v.inner] * later : 0);
            dx[at] = (float)later;
        }
        for (int64_t j = 0; j < v.size; j++) {
            const int64_t at = start + j * v.inner;
            dx[at] = (float)(product * dx[at]);
            product *= x[at];
        }
    }
}

extern const Kernel FAMILY(index)[];
const Kernel FAMILY(index)[] = {
    {"take(x, indices, *, axis)", take},
    {"take_grad(dy, indices, *, axis, size)", take_grad},
    {"take_along(x, indices, *, axis)", take_along},
    {"take_along_grad(dy, indices, *, axis, size)", take_along_grad},
    {"argsort(x)", argsort},
    {"cumsum(x, *, axis, reverse)", cumsum},
    {"cumprod(x, *, axis)", cumprod},
    {"cumprod_grad(dy, x, *, axis)", cumprod_grad},
    {0},
};
