/* softmax.c: softmax, its logarithm and their gradients; see fastnn/reference/softmax.py. Rows are those of the last
 * axis. */
#include "vector/rows.h"

static void softmax(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…, n) */
    float *restrict y = output(call, 0);        /* (…, n) */
    const int64_t n = last_dim(call->outputs[0]);
    const Range rows = share_rows(row_count(call->outputs[0]), part);
    const float *end = x + input_size(call, 0);
    float high[WIDTH];

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH)
        softmax_each(y + row * n, x + row * n, high, n, block_rows(row, rows), end);
}

static void softmax_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (…, n) */
    const float *restrict y = input(call, 1);    /* (…, n) */
    float *restrict dx = output(call, 0);        /* (…, n) */
    const int64_t n = last_dim(call->outputs[0]);
    const Range rows = share_rows(row_count(call->outputs[0]), part);
    const int64_t size = output_size(call, 0);

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        V sums[WIDTH];
        float mean[WIDTH];
        for (int64_t r = 0; r < count; r++) {
            V sum = {0};
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH)
                sum += v_load_row(dy + at, n - i, size - at, 0) * v_load_row(y + at, n - i, size - at, 0);
            sums[r] = sum;
        }
        no_rows(sums, count);
        v_store(mean, v_sum_rows(sums));
        for (int64_t r = 0; r < count; r++)
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH) {
                const V d = v_load_row(dy + at, n - i, size - at, 0) - mean[r];
                v_store_part(dx + at, v_load_row(y + at, n - i, size - at, 0) * d, n - i);
            }
    }
}

static void log_softmax(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…, n) */
    float *restrict y = output(call, 0);        /* (…, n) */
    const int64_t n = last_dim(call->outputs[0]);
    const Range rows = share_rows(row_count(call->outputs[0]), part);
    const float *end = x + input_size(call, 0);

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float high[WIDTH], log_sum[WIDTH];
        v_store(high, highest_each(x + row * n, n, count, end));
        v_store(log_sum, v_log(exp_sum_each(x + row * n, high, n, count, end)));
        for (int64_t r = 0; r < count; r++)
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH)
                v_store_part(y + at, (v_load_row(x + at, n - i, end - x - at, 0) - high[r]) - log_sum[r], n - i);
    }
}

static void log_softmax_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (…, n) */
    const float *restrict y = input(call, 1);    /* (…, n) */
    float *restrict dx = output(call, 0);        /* (…, n) */
    const int64_t n = last_dim(call->outputs[0]);
    const Range rows = share_rows(row_count(call->outputs[0]), part);
    const int64_t size = output_size(call, 0);

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        float total[WIDTH];
        v_store(total, sum_each(dy + row * n, n, count, dy + size));
        for (int64_t r = 0; r < count; r++)
            for (int64_t i = 0, at = (row + r) * n; i < n; i += WIDTH, at += WIDTH) {
                const V p = v_exp(v_load_row(y + at, n - i, size - at, 0));
                v_store_part(dx + at, v_load_row(dy + at, n - i, size - at, 0) - p * total[r], n - i);
            }
    }
}

extern const Kernel FAMILY(softmax)[];
const Kernel FAMILY(softmax)[] = {
    {"softmax(x)", softmax},
    {"softmax_grad(dy, y)", softmax_grad},
    {"log_softmax(x)", log_softmax},
    {"log_softmax_grad(dy, y)", log_softmax_grad},
    {0},
};
