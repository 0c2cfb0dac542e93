/* metric.c: per-sample scores, and steps that add a batch to float64 sums; see fastnn/reference/metric.py.
 *
 * A score is one number a row, as the loss is, so that weights apply to both alike. A step is run by one worker
 * (WHOLE): its sums go on from batch to batch, in an order that the number of threads must not change. */
#include <math.h>

#include "vector/rows.h"

static void binary_accuracy(const Call *call, Part part)
{
    const float *restrict y_true = input(call, 0);   /* (…, n) */
    const float *restrict y_pred = input(call, 1);   /* (…, n) */
    const float threshold = number(call, 0);
    float *restrict y = output(call, 0);             /* (…) */
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);

    if (n == 1) {
        for (int64_t row = rows.begin; row < rows.end; row++)
            y[row] = (y_pred[row] > threshold ? 1.0f : 0.0f) == y_true[row] ? 1.0f : 0.0f;
        return;
    }
    for (int64_t row = rows.begin; row < rows.end; row++) {
        int64_t right = 0;
        for (int64_t i = row * n; i < (row + 1) * n; i++)
            right += (y_pred[i] > threshold ? 1.0f : 0.0f) == y_true[i];
        y[row] = (double)right / n;
    }
}

static void categorical_accuracy(const Call *call, Part part)
{
    const float *restrict y_true = input(call, 0);   /* (…, n) */
    const float *restrict y_pred = input(call, 1);   /* (…, n) */
    float *restrict y = output(call, 0);             /* (…) */
    const int64_t n = last_dim(call->inputs[1]), size = input_size(call, 1);
    const Range rows = share_rows(output_size(call, 0), part);
    int32_t actual[WIDTH], predicted[WIDTH];

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        first_highest_each(actual, y_true + row * n, n, count, y_true + size);
        first_highest_each(predicted, y_pred + row * n, n, count, y_pred + size);
        for (int64_t r = 0; r < count; r++) y[row + r] = actual[r] == predicted[r];
    }
}

static void sparse_categorical_accuracy(const Call *call, Part part)
{
    const int32_t *restrict labels = input(call, 0);   /* (…) */
    const float *restrict y_pred = input(call, 1);     /* (…, n) */
    float *restrict y = output(call, 0);               /* (…) */
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float *end = y_pred + input_size(call, 1);
    int32_t predicted[WIDTH];

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        first_highest_each(predicted, y_pred + row * n, n, count, end);
        for (int64_t r = 0; r < count; r++) y[row + r] = labels[row + r] == predicted[r];
    }
}

/* Whether fewer than k of x exceed x[label], all of x being finite. */
static inline int in_top_k(const float *x, int64_t n, int64_t label, int64_t k)
{
    if (label < 0 || label >= n) return 0;
    int64_t above = 0, wrong = 0;
    for (int64_t i = 0; i < n; i++) {
        above += x[i] > x[label];
        wrong += !(fabsf(x[i]) < INFINITY);
    }
    return above < k && !wrong;
}

static void top_k_accuracy(const Call *call, Part part)
{
    const float *restrict y_true = input(call, 0);   /* (…, n) */
    const float *restrict y_pred = input(call, 1);   /* (…, n) */
    const int64_t k = integer(call, 0);
    float *restrict y = output(call, 0);             /* (…) */
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);

    for (int64_t row = rows.begin; row < rows.end; row++)
        y[row] = in_top_k(y_pred + row * n, n, first_highest(y_true + row * n, n), k);
}

static void sparse_top_k_accuracy(const Call *call, Part part)
{
    const int32_t *restrict labels = input(call, 0);   /* (…) */
    const float *restrict y_pred = input(call, 1);     /* (…, n) */
    const int64_t k = integer(call, 0);
    float *restrict y = output(call, 0);               /* (…) */
    const int64_t n = last_dim(call->inputs[1]);
    const Range rows = share_rows(output_size(call, 0), part);

    for (int64_t row = rows.begin; row < rows.end; row++)
        y[row] = in_top_k(y_pred + row * n, n, labels[row], k);
}

static void keep_top_k(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (rows, n) */
    const int64_t k = integer(call, 0);
    float *restrict y = output(call, 0);        /* (rows, n) */
    const int64_t n = last_dim(call->inputs[0]);
    const Range rows = share_rows(n ? output_size(call, 0) / n : 0, part);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *x_row = x + row * n;
        float *y_row = y + row * n;
        for (int64_t j = 0; j < n; j++) y_row[j] = -INFINITY;
        for (int64_t chosen = 0; chosen < k && chosen < n; chosen++) {
            int64_t best = -1;
            for (int64_t j = 0; j < n; j++)
                if (y_row[j] == -INFINITY && x_row[j] == x_row[j] && (best < 0 || x_row[j] > x_row[best])) best = j;
            if (best >= 0) y_row[best] = x_row[best];
        }
    }
}

/* Eight sums side by side: one would wait for each addition. */
enum { LANES = 8 };

static inline double sum_lanes(const double *lanes)
{
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

static inline double sum_in_double(const float *x, int64_t n)
{
    double lanes[LANES] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int64_t j = 0; j < LANES; j++) lanes[j] += x[i + j];
    for (; i < n; i++) rest += x[i];
    return sum_lanes(lanes) + rest;
}

static inline double dot_in_double(const float *x, const float *weights, int64_t n)
{
    double lanes[LANES] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int64_t j = 0; j < LANES; j++) lanes[j] += (double)x[i + j] * weights[i + j];
    for (; i < n; i++) rest += (double)x[i] * weights[i];
    return sum_lanes(lanes) + rest;
}

static void mean_step(const Call *call, Part part)
{
    const float *restrict values = input(call, 2);   /* (…) */
    double *restrict total = output(call, 0);        /* () */
    double *restrict count = output(call, 1);        /* () */
    const int64_t size = input_size(call, 2);

    (void)part;
    *total += sum_in_double(values, size);
    *count += size;
}

static void weighted_mean_step(const Call *call, Part part)
{
    const float *restrict values = input(call, 2);    /* (…) */
    const float *restrict weights = input(call, 3);   /* (…) */
    double *restrict total = output(call, 0);         /* () */
    double *restrict count = output(call, 1);         /* () */
    const int64_t size = input_size(call, 2);

    (void)part;
    *total += dot_in_double(values, weights, size);
    *count += sum_in_double(weights, size);
}

static void add_step(const Call *call, Part part)
{
    const float *restrict values = input(call, 1);   /* (…) */
    double *restrict total = output(call, 0);        /* (…) */
    const int64_t size = input_size(call, 1);

    (void)part;
    for (int64_t i = 0; i < size; i++) total[i] += values[i];
}

/* How many of n rising thresholds x exceeds; NaN exceeds none. */
static inline int64_t exceeded(const float *thresholds, int64_t n, float x)
{
    int64_t low = 0, high = n;      /* below low all are exceeded, from high on none */
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (x > thresholds[middle]) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void confusion_step(const Call *call, Part part)
{
    const float *restrict y_true = input(call, 1);       /* (batch, columns) */
    const float *restrict y_pred = input(call, 2);       /* (batch, columns) */
    const float *restrict weights = input(call, 3);      /* (batch, columns) */
    const float *restrict thresholds = input(call, 4);   /* (levels,) */
    double *restrict counts = output(call, 0);           /* (2, levels + 1, columns) */
    const int64_t size = input_size(call, 2), columns = input_dim(call, 2, 1), levels = input_size(call, 4);

    (void)part;
    const int64_t positives = (levels + 1) * columns;
    for (int64_t i = 0, column = 0; i < size; i++, column = column + 1 < columns ? column + 1 : 0) {
        const int64_t place = exceeded(thresholds, levels, y_pred[i]) * columns + column;
        const double weight = weights[i], actual = y_true[i];
        counts[place] += weight * (1 - actual);
        counts[positives + place] += weight * actual;
    }
}

static void count_step(const Call *call, Part part)
{
    const int32_t *restrict rows = input(call, 1);      /* (size,) */
    const int32_t *restrict columns = input(call, 2);   /* (size,) */
    const float *restrict weights = input(call, 3);     /* (size,) */
    double *restrict counts = output(call, 0);          /* (height, width) */
    const int64_t size = input_size(call, 1), height = input_dim(call, 0, 0), width = input_dim(call, 0, 1);

    (void)part;
    for (int64_t i = 0; i < size; i++) {
        const int64_t row = rows[i], column = columns[i];
        if (row >= 0 && row < height && column >= 0 && column < width) counts[row * width + column] += weights[i];
    }
}

static void r2_step(const Call *call, Part part)
{
    const float *restrict y_true = input(call, 4);    /* (batch, columns) */
    const float *restrict y_pred = input(call, 5);    /* (batch, columns) */
    const float *restrict weights = input(call, 6);   /* (batch,) */
    double *restrict squared_sum = output(call, 0);   /* (columns,) */
    double *restrict sum = output(call, 1);           /* (columns,) */
    double *restrict residual = output(call, 2);      /* (columns,) */
    double *restrict count = output(call, 3);         /* () */
    const int64_t batch = input_dim(call, 4, 0), columns = input_dim(call, 4, 1);

    (void)part;
    for (int64_t row = 0; row < batch; row++)
        for (int64_t column = 0; column < columns; column++) {
            const double t = y_true[row * columns + column], error = t - y_pred[row * columns + column];
            squared_sum[column] += weights[row] * (t * t);
            sum[column] += weights[row] * t;
            residual[column] += weights[row] * (error * error);
        }
    *count += sum_in_double(weights, batch);
}

extern const Kernel FAMILY(metric)[];
const Kernel FAMILY(metric)[] = {
    {"binary_accuracy(y_true, y_pred, *, threshold)", binary_accuracy},
    {"categorical_accuracy(y_true, y_pred)", categorical_accuracy},
    {"sparse_categorical_accuracy(labels, y_pred)", sparse_categorical_accuracy},
    {"top_k_accuracy(y_true, y_pred, *, k)", top_k_accuracy},
    {"sparse_top_k_accuracy(labels, y_pred, *, k)", sparse_top_k_accuracy},
    {"keep_top_k(x, *, k)", keep_top_k},
    {"mean_step(total, count, values)", mean_step, WHOLE},
    {"weighted_mean_step(total, count, values, weights)", weighted_mean_step, WHOLE},
    {"add_step(total, values)", add_step, WHOLE},
    {"confusion_step(counts, y_true, y_pred, weights, thresholds)", confusion_step, WHOLE},
    {"count_step(counts, rows, columns, weights)", count_step, WHOLE},
    {"r2_step(squared_sum, sum, residual, count, y_true, y_pred, weights)", r2_step, WHOLE},
    {0},
};
