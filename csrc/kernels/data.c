/* data.c: moving numbers without computing; see fastnn/reference/data.py.
 *
 * Most of these kernels take any dtype: they move elements of `width` bytes. */
#include <string.h>

#include "fastnn.h"
#include "vector/move.h"
#include "vector/philox.h"

/* One element of 4 or 8 bytes, whatever its type. */
typedef uint32_t __attribute__((may_alias)) Word;
typedef uint64_t __attribute__((may_alias)) DoubleWord;

/* Rows of bytes or floats as floats, y = scale x + offset. */
static void gather_rescaled(const Call *call, Range range, float scale, float offset)
{
    const int32_t *order = (const int32_t *)input(call, 1) + *(const int64_t *)input(call, 2);
    const int64_t columns = inner_size(call->inputs[0], 1);

    for (int64_t row = range.begin; row < range.end; row++) {
        float *y = (float *)output(call, 0) + row * columns;
        if (call->inputs[0]->dtype == U8) {
            const uint8_t *x = (const uint8_t *)input(call, 0) + order[row] * columns;
            for (int64_t i = 0; i < columns; i++) y[i] = x[i] * scale + offset;
        } else {
            const float *x = (const float *)input(call, 0) + order[row] * columns;
            for (int64_t i = 0; i < columns; i++) y[i] = x[i] * scale + offset;
        }
    }
}

static void gather_rows(const Call *call, Part part)
{
    const char *x = input(call, 0);
    const int32_t *order = input(call, 1);
    const int64_t *cursor = input(call, 2);
    char *y = output(call, 0);   /* its rows are the constant `batch` */
    const int64_t columns = inner_size(call->inputs[0], 1), bytes = columns * width_of(call->inputs[0]);
    const int64_t batch = output_dim(call, 0, 0);
    const Range range = share_rows(batch, part);

    if (*cursor + batch > input_size(call, 1)) return;    /* run by hand after the last batch: nothing to gather */
    order += *cursor;
    for (int64_t row = range.begin; row < range.end; row++) {
        /* The rows lie anywhere: ask for the beginning of a later one now; the hardware sees the rest. Asking for whole
         * rows of 3,136 bytes takes 30 us for 128 of them instead of 24 (two cores, 160 MB of rows). */
        if (row + 4 < range.end) __builtin_prefetch(x + order[row + 4] * bytes);
        move(y + row * bytes, x + order[row] * bytes, bytes);
    }
}

static void gather_rows_rescaled(const Call *call, Part part)
{
    const int64_t *cursor = input(call, 2);
    const int64_t batch = integer(call, 0);
    const float scale = number(call, 1), offset = number(call, 2);

    if (*cursor + batch > input_size(call, 1)) return;
    gather_rescaled(call, share_rows(batch, part), scale, offset);
}

static void store_step(const Call *call, Part part)
{
    char *result = output(call, 0);
    const char *rows = input(call, 1);
    const int64_t *cursor = input(call, 2);
    const int64_t rows_stored = input_dim(call, 1, 0), bytes = inner_size(call->inputs[1], 1) * width_of(call->inputs[1]);

    (void)part;
    if (*cursor + rows_stored > output_dim(call, 0, 0)) return;
    memcpy(result + *cursor * bytes, rows, rows_stored * bytes);
}

static void advance(const Call *call, Part part)
{
    int64_t *counter = output(call, 0);

    (void)part;
    *counter += integer(call, 0);
}

static void copy(const Call *call, Part part)
{
    char *target = output(call, 0);
    const char *source = input(call, 1);
    const int64_t width = width_of(call->outputs[0]);
    const Range range = share_elements(output_size(call, 0), part);

    move(target + range.begin * width, source + range.begin * width, (range.end - range.begin) * width);
}

static void fill(const Call *call, Part part)
{
    void *target = output(call, 0);
    const double value = number(call, 0);
    const Range range = share_elements(output_size(call, 0), part);

    switch ((DType)call->outputs[0]->dtype) {
    case F32:
        for (int64_t i = range.begin; i < range.end; i++) ((float *)target)[i] = value;
        break;
    case F64:
        for (int64_t i = range.begin; i < range.end; i++) ((double *)target)[i] = value;
        break;
    case I32:
        for (int64_t i = range.begin; i < range.end; i++) ((int32_t *)target)[i] = value;
        break;
    case I64:
        for (int64_t i = range.begin; i < range.end; i++) ((int64_t *)target)[i] = value;
        break;
    case U8:
        for (int64_t i = range.begin; i < range.end; i++) ((uint8_t *)target)[i] = value;
        break;
    case BOOL:
        for (int64_t i = range.begin; i < range.end; i++) ((uint8_t *)target)[i] = value != 0;
        break;
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
    const char *x = input(call, 0);
    const int axis = axis_of(call, 0, call->inputs[0]);
    const int64_t begin = integer(call, 1);
    char *y = output(call, 0);   /* its size along the axis is end - begin */
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
    const float *dy = input(call, 0);
    const int axis = axis_of(call, 0, call->inputs[0]);
    const int64_t begin = integer(call, 1);
    float *dx = output(call, 0);   /* `size` long along the axis */
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
    const char *x = input(call, 0);
    const Constant *axes = &call->constants[0];
    char *y = output(call, 0);
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
    const char *x = input(call, 0);
    char *y = output(call, 0);
    const int64_t width = width_of(call->outputs[0]);
    const Range range = share_elements(output_size(call, 0), part);

    if (x != y) move(y + range.begin * width, x + range.begin * width, (range.end - range.begin) * width);
}

static void shuffle_step(const Call *call, Part part)
{
    int32_t *order = output(call, 0);
    int64_t *keys = output(call, 1);
    const int64_t *counter = input(call, 2);
    const int64_t seed = integer(call, 0);
    const int64_t stream = integer(call, 1);
    const int64_t n = output_size(call, 0);
    enum { GROUP = 64, FEW = 8 };
    uint32_t bits[GROUP];

    /* Keys (31 random bits, index) are put into about n / 2 buckets by their leading bits, which leaves them nearly
     * sorted; one insertion sort finishes. As the bits can be drawn twice, once to count and once to place, it needs
     * no second array; until the end `order` holds the buckets' counts. With one bucket nothing need be counted. */
    (void)part;
    if (n <= FEW) {   /* a key's place is the number of smaller ones: no branch depends on the random bits */
        int64_t unsorted[FEW];
        philox(bits, 0, n, seed, stream, *counter);
        for (int64_t i = 0; i < n; i++) unsorted[i] = (int64_t)(bits[i] >> 1) << 32 | i;
        for (int64_t i = 0; i < n; i++) {
            int64_t place = 0;
            for (int64_t j = 0; j < n; j++) place += unsorted[j] < unsorted[i];
            keys[place] = unsorted[i];
            order[place] = (int32_t)i;
        }
        return;
    }
    int shift = 31;
    while (n > 32 && shift > 1 && (int64_t)1 << (33 - shift) <= n) shift--;
    const int64_t buckets = (int64_t)1 << (31 - shift);
    for (int64_t i = 0; i < buckets && i < n; i++) order[i] = 0;
    for (int pass = buckets == 1; pass < 2; pass++) {
        for (int64_t begin = 0; begin < n; begin += GROUP) {
            const int64_t count = n - begin < GROUP ? n - begin : GROUP;
            philox(bits, begin / 4, count, seed, stream, *counter);
            if (pass == 0)
                for (int64_t i = 0; i < count; i++) order[bits[i] >> 1 >> shift]++;
            else
                for (int64_t i = 0; i < count; i++)
                    keys[order[bits[i] >> 1 >> shift]++] = (int64_t)(bits[i] >> 1) << 32 | (begin + i);
        }
        if (pass) break;
        int32_t place = 0;   /* from how many are in a bucket to where it begins */
        for (int64_t i = 0; i < buckets; i++) {
            const int32_t here = order[i];
            order[i] = place;
            place += here;
        }
    }
    for (int64_t i = 1; i < n; i++) {
        const int64_t key = keys[i];
        int64_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--) keys[j] = keys[j - 1];
        keys[j] = key;
    }
    for (int64_t i = 0; i < n; i++) order[i] = (int32_t)keys[i];
}

static void one_hot(const Call *call, Part part)
{
    const int32_t *labels = input(call, 0);
    const int64_t depth = integer(call, 0);
    float *y = output(call, 0);
    const Range range = share_rows(input_size(call, 0), part);

    for (int64_t row = range.begin; row < range.end; row++)
        for (int64_t i = 0; i < depth; i++) y[row * depth + i] = labels[row] == i;
}

extern const Kernel FAMILY(data)[];
const Kernel FAMILY(data)[] = {
    {"gather_rows(x, order, cursor, *, batch)", gather_rows},
    {"gather_rows_rescaled(x, order, cursor, *, batch, scale, offset)", gather_rows_rescaled},
    {"store_step(result, rows, cursor)", store_step, WHOLE},
    {"advance(counter, *, by)", advance, WHOLE},
    {"copy(target, source)", copy},
    {"fill(target, *, value)", fill},
    {"slice(x, *, axis, begin, end)", slice_},
    {"slice_grad(dy, *, axis, begin, size)", slice_grad},
    {"transpose(x, *, axes)", transpose},
    {"reshape(x, *, shape)", reshape},
    {"stop_gradient(x)", reshape},
    {"shuffle_step(order, keys, counter, *, seed, stream)", shuffle_step, WHOLE},
    {"one_hot(labels, *, depth)", one_hot},
    {0},
};
