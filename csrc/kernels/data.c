/* data.c: moving numbers without computing; see fastnn/reference/data.py.
 *
 * Most of these kernels take any dtype: they move elements of `width` bytes. */
#include "fastnn.h"
#include "vector/move.h"

/* One element of 4 or 8 bytes, whatever its type. */
typedef uint32_t __attribute__((may_alias)) Word;
typedef uint64_t __attribute__((may_alias)) DoubleWord;

static void advance(const Call *call, Part part)
{
    int64_t *restrict counter = output(call, 0);   /* () */

    (void)part;
    *counter += integer(call, 0);
}

static void copy(const Call *call, Part part)
{
    char *restrict target = output(call, 0);        /* (…) */
    const char *restrict source = input(call, 1);   /* (…) */
    const int64_t width = width_of(call->outputs[0]);
    const Range range = share_elements(output_size(call, 0), part);

    move(target + range.begin * width, source + range.begin * width, (range.end - range.begin) * width);
}

static void fill(const Call *call, Part part)
{
    void *restrict target = output(call, 0);   /* (…) */
    const double value = number(call, 0);
    const Range range = share_elements(output_size(call, 0), part);

#define FILL(type, what) for (int64_t i = range.begin; i < range.end; i++) ((type *)target)[i] = what;
    switch ((DType)call->outputs[0]->dtype) {
    case F32: FILL(float, value) break;
    case F64: FILL(double, value) break;
    case I32: FILL(int32_t, value) break;
    case I64: FILL(int64_t, value) break;
    case U8: FILL(uint8_t, value) break;
    case BOOL: FILL(uint8_t, value != 0) break;
    case DTYPE_COUNT: break;
    }
}

/* A constant axis, which may count from the back. */
static inline int axis_of(const Call *call, int constant, const Tensor *t)
{
    const int axis = integer(call, constant);
    return axis < 0 ? axis + t->rank : axis;
}

static void slice_(const Call *call, Part part)
{
    const char *restrict x = input(call, 0);   /* (…) */
    const int axis = axis_of(call, 0, call->inputs[0]);
    const int64_t begin = integer(call, 1);
    char *restrict y = output(call, 0);        /* (…), end - begin long along the axis */
    const int64_t element = inner_size(call->inputs[0], axis + 1) * width_of(call->inputs[0]);
    const int64_t bytes = output_dim(call, 0, axis) * element;
    const int64_t stride = input_dim(call, 0, axis) * element;
    int64_t outer = 1;

    for (int i = 0; i < axis; i++) outer *= output_dim(call, 0, i);
    const Range range = share(outer, 1, part);
    for (int64_t i = range.begin; i < range.end; i++)
        move(y + i * bytes, x + i * stride + begin * element, bytes);
}

static void slice_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (…) */
    const int axis = axis_of(call, 0, call->inputs[0]);
    const int64_t begin = integer(call, 1);
    float *restrict dx = output(call, 0);        /* (…), `size` long along the axis */
    const int64_t element = inner_size(call->inputs[0], axis + 1);
    const int64_t columns = output_dim(call, 0, axis) * element;
    const int64_t from = begin * element, to = from + input_dim(call, 0, axis) * element;
    int64_t outer = 1;

    for (int i = 0; i < axis; i++) outer *= output_dim(call, 0, i);
    const Range range = share(outer, 1, part);
    for (int64_t i = range.begin; i < range.end; i++) {
        for (int64_t j = 0; j < from; j++) dx[i * columns + j] = 0;
        for (int64_t j = from; j < to; j++) dx[i * columns + j] = dy[i * (to - from) + j - from];
        for (int64_t j = to; j < columns; j++) dx[i * columns + j] = 0;
    }
}

/* to[c][r] = from[r][c], within a tile. */
static inline __attribute__((always_inline)) void transpose_tile(
    char *to, const char *from, int64_t rows, int64_t columns, int64_t to_stride, int64_t from_stride, int64_t width)
{
    for (int64_t c = 0; c < columns; c++)
        for (int64_t r = 0; r < rows; r++) {
            const int64_t target = c * to_stride + r, source = r * from_stride + c;
            if (width == 4) ((Word *)to)[target] = ((const Word *)from)[source];
            else if (width == 8) ((DoubleWord *)to)[target] = ((const DoubleWord *)from)[source];
            else to[target] = from[source];
        }
}

static void transpose(const Call *call, Part part)
{
    const char *restrict x = input(call, 0);   /* (…) */
    const Constant *axes = &call->constants[0];
    char *restrict y = output(call, 0);        /* (…), x with its axes in another order */
    const int64_t width = width_of(call->inputs[0]);
    enum { TILE = 16 };

    if (!output_size(call, 0)) return;
    /* Output axes with their strides in x, from the last one; neighbours that stay together are merged. */
    int64_t size[MAX_RANK + 1], stride[MAX_RANK + 1];
    int rank = 0;
    for (int i = (int)axes->count - 1; i >= 0; i--) {
        const int64_t n = input_dim(call, 0, axes->items[i]);
        const int64_t step = inner_size(call->inputs[0], axes->items[i] + 1);
        if (n == 1) continue;
        if (rank && step == stride[rank - 1] * size[rank - 1]) {
            size[rank - 1] *= n;
        } else {
            size[rank] = n;
            stride[rank++] = step;
        }
    }
    if (!rank || stride[0] != 1) {
        /* Tiles over y's last axis and x's last axis, so that both sides move along cache lines. */
        int inner = 0;
        while (inner < rank && stride[inner] != 1) inner++;
        if (!rank) {
            move(y, x, width);
            return;
        }
        int64_t inner_stride = 1, others = 1;
        for (int i = 0; i < inner; i++) inner_stride *= size[i];
        for (int i = 1; i < rank; i++)
            if (i != inner) others *= size[i];
        const int64_t tiles = (size[inner] + TILE - 1) / TILE;
        const Range range = share(others * tiles, 1, part);
        for (int64_t unit = range.begin; unit < range.end; unit++) {
            const int64_t c = unit % tiles * TILE;
            int64_t index = unit / tiles, from = c, to = c * inner_stride, to_stride = size[0];
            for (int i = 1; i < rank; i++) {
                if (i != inner) {
                    from += index % size[i] * stride[i];
                    to += index % size[i] * to_stride;
                    index /= size[i];
                }
                to_stride *= size[i];
            }
            const int64_t columns = size[inner] - c < TILE ? size[inner] - c : TILE;
            for (int64_t r = 0; r < size[0]; r += TILE) {
                const int64_t rows = size[0] - r < TILE ? size[0] - r : TILE;
                char *target = y + (to + r) * width;
                const char *source = x + (from + r * stride[0]) * width;
                if (width == 4) transpose_tile(target, source, rows, columns, inner_stride, stride[0], 4);
                else if (width == 8) transpose_tile(target, source, rows, columns, inner_stride, stride[0], 8);
                else transpose_tile(target, source, rows, columns, inner_stride, stride[0], 1);
            }
        }
        return;
    }
    /* The last axis stays last: runs are copied. */
    const Range range = share(output_size(call, 0) / size[0], 1, part);
    int64_t place[MAX_RANK + 1], index = range.begin, from = 0;
    for (int i = 1; i < rank; i++) {
        place[i] = index % size[i];
        from += place[i] * stride[i];
        index /= size[i];
    }
    for (int64_t run = range.begin; run < range.end; run++) {
        move(y + run * size[0] * width, x + from * width, size[0] * width);
        for (int i = 1; i < rank; i++) {   /* the next place: 1 more, carrying */
            from += stride[i];
            if (++place[i] < size[i]) break;
            from -= place[i] * stride[i];
            place[i] = 0;
        }
    }
}

static void reshape(const Call *call, Part part)
{
    const char *restrict x = input(call, 0);   /* (…) */
    char *restrict y = output(call, 0);        /* (…), as many elements */
    const int64_t width = width_of(call->outputs[0]);
    const Range range = share_elements(output_size(call, 0), part);

    if (x != y) move(y + range.begin * width, x + range.begin * width, (range.end - range.begin) * width);
}

static void one_hot(const Call *call, Part part)
{
    const int32_t *restrict labels = input(call, 0);   /* (…) */
    const int64_t depth = integer(call, 0);
    float *restrict y = output(call, 0);               /* (…, depth) */
    const Range range = share_rows(input_size(call, 0), part);

    for (int64_t row = range.begin; row < range.end; row++)
        for (int64_t i = 0; i < depth; i++) y[row * depth + i] = labels[row] == i;
}

extern const Kernel FAMILY(data)[];
const Kernel FAMILY(data)[] = {
    {"advance(counter, *, by)", advance, WHOLE},
    {"copy(target, source)", copy},
    {"fill(target, *, value)", fill},
    {"slice(x, *, axis, begin, end)", slice_},
    {"slice_grad(dy, *, axis, begin, size)", slice_grad},
    {"transpose(x, *, axes)", transpose},
    {"reshape(x, *, shape)", reshape},
    {"stop_gradient(x)", reshape},
    {"with_gradient(*xs)", reshape},
    {"one_hot(labels, *, depth)", one_hot},
    {0},
};
