/* image.c: ranges of values, borders, sizes and mirrors of images; see fastnn/reference/image.py. */
#include <string.h>

#include "fastnn.h"

static void rescale(const Call *call, Part part)
{
    const void *restrict x = input(call, 0);   /* (…) */
    const float scale = number(call, 0);
    const float offset = number(call, 1);
    float *restrict y = output(call, 0);       /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    switch (call->inputs[0]->dtype) {
    case U8:
    case BOOL:
        for (int64_t i = range.begin; i < range.end; i++) y[i] = ((const uint8_t *)x)[i] * scale + offset;
        break;
    case I32:
        for (int64_t i = range.begin; i < range.end; i++) y[i] = ((const int32_t *)x)[i] * scale + offset;
        break;
    case I64:
        for (int64_t i = range.begin; i < range.end; i++) y[i] = ((const int64_t *)x)[i] * scale + offset;
        break;
    case F64:
        for (int64_t i = range.begin; i < range.end; i++) y[i] = (float)((const double *)x)[i] * scale + offset;
        break;
    case F32:
        for (int64_t i = range.begin; i < range.end; i++) y[i] = ((const float *)x)[i] * scale + offset;
        break;
    }
}

static void scale_shift(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);        /* (…, n) */
    const float *restrict center = input(call, 1);   /* (n,) */
    const float *restrict scale = input(call, 2);    /* (n,) */
    const float *restrict shift = input(call, 3);    /* (n,) */
    float *restrict y = output(call, 0);             /* (…, n) */
    const int64_t n = input_size(call, 1);
    const Range rows = share_rows(n ? output_size(call, 0) / n : 0, part);

    if (n == 1) {                    /* one channel: the numbers of all pixels lie in a row */
        const float c = *center, f = *scale, s = *shift;
        for (int64_t i = rows.begin; i < rows.end; i++) y[i] = (x[i] - c) * f + s;
        return;
    }
    for (int64_t row = rows.begin; row < rows.end; row++)
        for (int64_t j = 0; j < n; j++) y[row * n + j] = (x[row * n + j] - center[j]) * scale[j] + shift[j];
}

/* How pad and crop go through a small array inside of a large one: along the last axis that has a border, together
 * with the axes behind it, numbers lie next to each other in both. */
typedef struct Frame {
    int axis;                          /* that axis */
    int64_t left, run, right;          /* numbers along it: border, inside, border */
    int64_t outer;                     /* how many runs the axes before it make, of the array that is walked */
} Frame;

static Frame frame_of(const Call *call, const Tensor *small, const Tensor *walked)
{
    const Constant *before = &call->constants[0], *after = &call->constants[1];
    int axis = small->rank - 1;
    while (axis > 0 && !before->items[axis] && !after->items[axis]) axis--;
    const int64_t inner = inner_size(small, axis + 1);
    Frame frame = {axis, before->items[axis] * inner, small->shape[axis] * inner, after->items[axis] * inner, 1};
    for (int k = 0; k < axis; k++) frame.outer *= walked->shape[k];
    return frame;
}

static void pad(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…) */
    const Constant *before = &call->constants[0];
    const float value = number(call, 2);
    float *restrict y = output(call, 0);        /* (…), x and its borders */
    const Tensor *small = call->inputs[0], *large = call->outputs[0];      /* (…), without borders and with them */
    const Frame frame = frame_of(call, small, large);
    const Range range = share(frame.outer, 1, part);

    y += range.begin * (frame.left + frame.run + frame.right);
    for (int64_t i = range.begin; i < range.end; i++) {
        int64_t rest = i, from = 0, stride = 1, inside = 1;
        for (int k = frame.axis - 1; k >= 0; k--) {
            const int64_t place = rest % large->shape[k] - before->items[k];
            rest /= large->shape[k];
            inside &= place >= 0 && place < small->shape[k];
            from += place * stride;
            stride *= small->shape[k];
        }
        const int64_t left = inside ? frame.left : frame.left + frame.run + frame.right;
        for (int64_t j = 0; j < left; j++) *y++ = value;
        if (!inside) continue;
        for (int64_t j = 0; j < frame.run; j++) *y++ = x[from * frame.run + j];
        for (int64_t j = 0; j < frame.right; j++) *y++ = value;
    }
}

static void crop(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…) */
    const Constant *before = &call->constants[0];
    float *restrict y = output(call, 0);        /* (…), x without its borders */
    const Tensor *large = call->inputs[0], *small = call->outputs[0];      /* (…), with borders and without them */
    const Frame frame = frame_of(call, small, small);
    const int64_t whole = frame.left + frame.run + frame.right;
    const Range range = share(frame.outer, 1, part);

    for (int64_t i = range.begin; i < range.end; i++) {
        int64_t rest = i, from = 0, stride = 1;
        for (int k = frame.axis - 1; k >= 0; k--) {
            from += (rest % small->shape[k] + before->items[k]) * stride;
            rest /= small->shape[k];
            stride *= large->shape[k];
        }
        for (int64_t j = 0; j < frame.run; j++) y[i * frame.run + j] = x[from * whole + frame.left + j];
    }
}

static void upsample(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (batch, h, w, c) */
    const int64_t rows = integer(call, 0);
    const int64_t columns = integer(call, 1);
    float *restrict y = output(call, 0);        /* (batch, h * rows, w * columns, c) */
    const int64_t batch = input_dim(call, 0, 0), h = input_dim(call, 0, 1);
    const int64_t w = input_dim(call, 0, 2), c = input_dim(call, 0, 3), wide = w * columns * c;
    const Range range = share_rows(batch * h, part);

    for (int64_t row = range.begin; row < range.end; row++) {
        const float *from = x + row * w * c;
        float *first = y + row * rows * wide, *to = first;
        for (int64_t q = 0; q < w; q++, from += c)
            for (int64_t s = 0; s < columns; s++)
                for (int64_t k = 0; k < c; k++) *to++ = from[k];
        for (int64_t r = 1; r < rows; r++) memcpy(first + r * wide, first, wide * sizeof *y);
    }
}

static void upsample_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (batch, h * rows, w * columns, c) */
    const int64_t rows = integer(call, 0);
    const int64_t columns = integer(call, 1);
    float *restrict dx = output(call, 0);        /* (batch, h, w, c) */
    const int64_t batch = output_dim(call, 0, 0), h = output_dim(call, 0, 1);
    const int64_t w = output_dim(call, 0, 2), c = output_dim(call, 0, 3);
    const Range range = share_rows(batch * h, part);

    for (int64_t row = range.begin; row < range.end; row++) {
        const float *from = dy + row * rows * w * columns * c;
        float *first = dx + row * w * c;
        for (int64_t i = 0; i < w * c; i++) first[i] = 0;
        for (int64_t r = 0; r < rows; r++)
            for (float *to = first; to < first + w * c; to += c)
                for (int64_t s = 0; s < columns; s++, from += c)
                    for (int64_t k = 0; k < c; k++) to[k] += from[k];
    }
}

/* The two pixels, of n, around the middle of the part-th of `times` parts of pixel q, and the second one's weight. */
typedef struct Between {
    int64_t low, high;
    float t;
} Between;

static inline Between between(int64_t q, int64_t n, int64_t part, int64_t times)
{
    const float offset = (float)(2 * part + 1 - times) / (float)(2 * times);    /* from the middle of pixel q */
    const int64_t low = offset < 0 ? q - 1 : q;
    return (Between){low < 0 ? 0 : low, low + 1 < n ? low + 1 : n - 1, offset < 0 ? 1 + offset : offset};
}

static void upsample_bilinear(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (batch, h, w, c) */
    const int64_t rows = integer(call, 0);
    const int64_t columns = integer(call, 1);
    float *restrict y = output(call, 0);        /* (batch, h * rows, w * columns, c) */
    const int64_t batch = input_dim(call, 0, 0), h = input_dim(call, 0, 1);
    const int64_t w = input_dim(call, 0, 2), c = input_dim(call, 0, 3);
    const Range range = share_rows(batch * h * rows, part);

    for (int64_t row = range.begin; row < range.end; row++) {
        const int64_t image = row / (h * rows), i = row % (h * rows);
        const Between v = between(i / rows, h, i % rows, rows);
        const float *top = x + (image * h + v.low) * w * c, *bottom = x + (image * h + v.high) * w * c;
        float *to = y + row * w * columns * c;
        for (int64_t q = 0; q < w; q++)
            for (int64_t s = 0; s < columns; s++, to += c) {
                const Between u = between(q, w, s, columns);
                const int64_t left = u.low * c, right = u.high * c;
                for (int64_t k = 0; k < c; k++) {
                    const float above = (1 - u.t) * top[left + k] + u.t * top[right + k];
                    const float below = (1 - u.t) * bottom[left + k] + u.t * bottom[right + k];
                    to[k] = (1 - v.t) * above + v.t * below;
                }
            }
    }
}

static void upsample_bilinear_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (batch, h * rows, w * columns, c) */
    const int64_t rows = integer(call, 0);
    const int64_t columns = integer(call, 1);
    float *restrict dx = output(call, 0);        /* (batch, h, w, c) */
    const int64_t batch = output_dim(call, 0, 0), h = output_dim(call, 0, 1);
    const int64_t w = output_dim(call, 0, 2), c = output_dim(call, 0, 3);
    const Range images = share_rows(batch, part);

    for (int64_t image = images.begin; image < images.end; image++) {
        float *to = dx + image * h * w * c;
        const float *from = dy + image * h * rows * w * columns * c;
        for (int64_t i = 0; i < h * w * c; i++) to[i] = 0;
        for (int64_t i = 0; i < h * rows; i++) {
            const Between v = between(i / rows, h, i % rows, rows);
            for (int64_t q = 0; q < w; q++)
                for (int64_t s = 0; s < columns; s++, from += c) {
                    const Between u = between(q, w, s, columns);
                    for (int64_t k = 0; k < c; k++) {
                        const float above = (1 - v.t) * from[k], below = v.t * from[k];
                        to[(v.low * w + u.low) * c + k] += (1 - u.t) * above;
                        to[(v.low * w + u.high) * c + k] += u.t * above;
                        to[(v.high * w + u.low) * c + k] += (1 - u.t) * below;
                        to[(v.high * w + u.high) * c + k] += u.t * below;
                    }
                }
        }
    }
}

static void flip(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);      /* (batch, h, w, c) */
    const float *restrict coin = input(call, 1);   /* (batch,) */
    const int64_t rows = integer(call, 0);
    const int64_t columns = integer(call, 1);
    float *restrict y = output(call, 0);           /* (batch, h, w, c) */
    const int64_t batch = input_dim(call, 0, 0), h = input_dim(call, 0, 1);
    const int64_t w = input_dim(call, 0, 2), c = input_dim(call, 0, 3);
    const Range range = share_rows(batch * h, part);

    for (int64_t row = range.begin; row < range.end; row++) {
        const int64_t image = row / h, i = row % h, flipped = coin[image] <= 0.5f;
        const float *from = x + (image * h + (flipped && rows ? h - 1 - i : i)) * w * c;
        float *to = y + row * w * c;
        if (!flipped || !columns) {
            memcpy(to, from, w * c * sizeof *to);
            continue;
        }
        for (from += (w - 1) * c; to < y + (row + 1) * w * c; from -= 2 * c)
            for (int64_t k = 0; k < c; k++) *to++ = *from++;
    }
}

extern const Kernel FAMILY(image)[];
const Kernel FAMILY(image)[] = {
    {"rescale(x, *, scale, offset)", rescale},
    {"scale_shift(x, center, scale, shift)", scale_shift},
    {"pad(x, *, before, after, value)", pad},
    {"crop(x, *, before, after)", crop},
    {"upsample(x, *, rows, columns)", upsample},
    {"upsample_grad(dy, *, rows, columns)", upsample_grad},
    {"upsample_bilinear(x, *, rows, columns)", upsample_bilinear},
    {"upsample_bilinear_grad(dy, *, rows, columns)", upsample_bilinear_grad},
    {"flip(x, coin, *, rows, columns)", flip},
    {0},
};
