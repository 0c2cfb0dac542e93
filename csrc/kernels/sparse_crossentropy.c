/* sparse_crossentropy.c: categorical cross-entropies whose targets are class numbers, and their gradients; see
 * fastnn/reference/sparse_crossentropy.py. WIDTH samples at a time, so that the logarithms and divisions fill a
 * vector. */
#include "kernels/probability.h"
#include "vector/rows.h"

/* The sums of the clipped probabilities of each row. */
INLINE V clipped_sum_each(const float *p, int64_t n, int64_t count, const float *end)
{
    V sums[WIDTH];
    for (int64_t r = 0; r < count; r++, p += n) {
        V sum = {0};
        for (int64_t i = 0; i < n; i += WIDTH)
            sum += v_where(first_lanes(n - i), clip(v_load_row(p + i, n - i, end - p - i, 0)));
        sums[r] = sum;
    }
    no_rows(sums, count);
    return v_sum_rows(sums);
}

/* loss = ln Σ clip(p) - ln clip(p[label]); 0 for labels to ignore, NaN for those that are no class. */
static void sparse_categorical_crossentropy(const Call *call, Part part)
{
    const int32_t *restrict labels = input(call, 0);   /* (…) */
    const float *restrict y_pred = input(call, 1);     /* (…, n) */
    const int64_t ignore = integer(call, 0);
    float *restrict loss = output(call, 0);            /* (…) */
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float *end = y_pred + input_size(call, 1);

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float sum[WIDTH], chosen[WIDTH] = {0};
        v_store(sum, clipped_sum_each(y_pred + row * n, n, count, end));
        for (int64_t r = 0; r < count; r++) {
            const int32_t label = labels[row + r];
            chosen[r] = label >= 0 && label < n ? clip_one(y_pred[(row + r) * n + label]) : NAN;
            if (label == ignore) chosen[r] = sum[r] = 1;
        }
        v_store_part(loss + row, v_log(v_load(sum)) - v_log(v_load(chosen)), count);
    }
}

/* dx = dy / Σ clip(p), less dy / p at the label; 0 where p is clipped, since there it does not count. */
static void sparse_categorical_crossentropy_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);         /* (…) */
    const int32_t *restrict labels = input(call, 1);   /* (…) */
    const float *restrict y_pred = input(call, 2);     /* (…, n) */
    const int64_t ignore = integer(call, 0);
    float *restrict dx = output(call, 0);              /* (…, n) */
    const int64_t n = last_dim(call->inputs[2]);
    const Range rows = share_rows(input_size(call, 0), part);
    const float *end = y_pred + input_size(call, 2);

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float sum[WIDTH];
        v_store(sum, clipped_sum_each(y_pred + row * n, n, count, end));
        for (int64_t r = 0; r < count; r++) {
            const float *p = y_pred + (row + r) * n;
            float *d = dx + (row + r) * n;
            const int32_t label = labels[row + r];
            const int known = label >= 0 && label < n;
            const float slope = label == ignore ? 0 : known ? dy[row + r] / sum[r] : NAN;
            for (int64_t i = 0; i < n; i += WIDTH) {
                const V v = v_load_row(p + i, n - i, end - p - i, 0);
                v_store_part(d + i, v_select(clipped(v), v_splat(0 * slope), v_splat(slope)), n - i);
            }
            if (known && label != ignore && !(p[label] < LOW || p[label] > HIGH))
                d[label] = slope - dy[row + r] / p[label];
        }
    }
}

/* Whether the label is the place of the first maximum of a row's probabilities e^(x - high)·scale, as first_highest()
 * says where either all or none are NaN. p: these, or NULL: then they are computed once more, to the same bits. */
INLINE int is_first_highest(const float *p, const float *x, float high, float scale, int64_t n, int64_t label,
                            const float *end)
{
    if (label < 0 || label >= n) return 0;
    const V mine = p ? v_splat(p[label]) : v_exp(v_splat(x[label]) - high) * scale;
    I higher = {0};
    for (int64_t i = 0; i < n; i += WIDTH) {
        const V v = p ? v_load_row(p + i, n - i, end - x - i, -INFINITY)
                      : v_exp(v_load_row(x + i, n - i, end - x - i, -INFINITY) - high) * scale;
        const I before = v_lanes() + (int32_t)i < i_splat((int32_t)label);
        higher |= first_lanes(n - i) & ((before & ~(v < mine)) | (~before & (v > mine)));
    }
    return !i_any(higher);
}

/* loss = ln Σ e^(x - high) - (x[label] - high), with high the row's largest x; and whether the label was the
 * prediction, so that an accuracy beside the loss need not look for the maximum again. */
static void sparse_softmax_crossentropy(const Call *call, Part part)
{
    const int32_t *restrict labels = input(call, 0);   /* (…) */
    const float *restrict logits = input(call, 1);     /* (…, n) */
    const int64_t ignore = integer(call, 0);
    float *restrict loss = output(call, 0);            /* (…) */
    float *restrict probabilities = output(call, 1);   /* (…, n) or NULL */
    float *restrict right = output(call, 2);           /* (…) or NULL */
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float *end = logits + input_size(call, 1);

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float high[WIDTH], scale[WIDTH], losses[WIDTH], below[WIDTH] = {0};
        float *p = probabilities ? probabilities + row * n : NULL;
        const V sums = softmax_each(p, logits + row * n, high, n, count, end);
        for (int64_t r = 0; r < count; r++) {
            const int32_t label = labels[row + r];
            below[r] = label >= 0 && label < n ? logits[(row + r) * n + label] - high[r] : NAN;
        }
        v_store(losses, v_log(sums) - v_load(below));
        for (int64_t r = 0; r < count; r++) loss[row + r] = labels[row + r] == ignore ? 0 : losses[r];
        if (!right) continue;
        v_store(scale, 1.0f / sums);
        for (int64_t r = 0; r < count; r++)
            right[row + r] = is_first_highest(p ? p + r * n : NULL, logits + (row + r) * n, high[r], scale[r], n,
                                              labels[row + r], end);
    }
}

/* dx = dy p, and dy (p - 1) at the label. */
static void sparse_softmax_crossentropy_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);              /* (…) */
    const int32_t *restrict labels = input(call, 1);        /* (…) */
    const float *restrict probabilities = input(call, 2);   /* (…, n) */
    const int64_t ignore = integer(call, 0);
    float *restrict dx = output(call, 0);                   /* (…, n) */
    const int64_t n = last_dim(call->inputs[2]);
    const Range rows = share_rows(input_size(call, 0), part);
    const float *end = probabilities + input_size(call, 2);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *p = probabilities + row * n;
        float *d = dx + row * n;
        const int32_t label = labels[row];
        const int known = label >= 0 && label < n;
        if (label == ignore) {
            memset(d, 0, n * sizeof *d);
            continue;
        }
        const float slope = known ? dy[row] : NAN;
        for (int64_t i = 0; i < n; i += WIDTH)
            v_store_part(d + i, slope * v_load_row(p + i, n - i, end - p - i, 0), n - i);
        if (known) d[label] = slope * (p[label] - 1);
    }
}

extern const Kernel FAMILY(sparse_crossentropy)[];
const Kernel FAMILY(sparse_crossentropy)[] = {
    {"sparse_categorical_crossentropy(labels, y_pred, *, ignore)", sparse_categorical_crossentropy},
    {"sparse_categorical_crossentropy_grad(dy, labels, y_pred, *, ignore)",
     sparse_categorical_crossentropy_grad},
    {"sparse_softmax_crossentropy(labels, logits, *, ignore)", sparse_softmax_crossentropy},
    {"sparse_softmax_crossentropy_grad(dy, labels, probabilities, *, ignore)",
     sparse_softmax_crossentropy_grad},
    {0},
};
