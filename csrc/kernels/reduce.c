/* reduce.c: sums, means and maxima over any axes, and their way back; see fastnn/reference/reduce.py.
 *
 * If the last group of axes (layout.h) is reduced, an output is a reduction of contiguous runs; if it is kept, outputs
 * lie side by side and whole rows are combined. Sums are in float32 over a few terms and in float64 across them, in an
 * order that depends on the shape only: the bits are the same for any number of threads and any instruction set. */
#include "kernels/layout.h"
#include "kernels/squares.h"
#include "vector/rows.h"

enum { LANES = 32, STRIP = 64, TERMS = 8 };   /* TERMS: additions in float32 before going to float64 */

typedef enum Mode { SUM, MEAN, MAX, LENGTH, ROOT_MEAN_SQUARE } Mode;

INLINE int squares(Mode mode) { return mode == LENGTH || mode == ROOT_MEAN_SQUARE; }

/* What is made of the sum, or the sum of squares, of so many terms. */
INLINE float result(Mode mode, double total, int64_t terms, double epsilon)
{
    switch (mode) {
    case MEAN: return total / terms;
    case LENGTH: return sqrt(total);
    case ROOT_MEAN_SQUARE: return sqrt(total / terms + epsilon);
    default: return total;
    }
}

/* The larger one, or a NaN: the first choice is one instruction, which gives b if either is NaN. */
static inline float larger(float a, float b)
{
    const float most = a > b ? a : b;
    return a != a ? a : most;
}

static double sum_run(const float *x, int64_t n)
{
    double total = 0;
    int64_t i = 0;
    if (n >= LANES) {
        double lanes[LANES] = {0};
        while (i + LANES <= n) {
            const int64_t rest = (n - i) / LANES, rows = rest < TERMS ? rest : TERMS;
            float part[LANES];
            for (int l = 0; l < LANES; l++) part[l] = x[i + l];
            for (int64_t r = 1; r < rows; r++)
                for (int l = 0; l < LANES; l++) part[l] += x[i + r * LANES + l];
            for (int l = 0; l < LANES; l++) lanes[l] += part[l];
            i += rows * LANES;
        }
        for (int half = LANES / 2; half; half /= 2)
            for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
        total = lanes[0];
    }
    double even = 0, odd = 0;
    for (; i + 2 <= n; i += 2) {
        even += x[i];
        odd += x[i + 1];
    }
    if (i < n) even += x[i];
    return total + (even + odd);
}

static float max_run(const float *x, int64_t n)
{
    enum { FEW = 4 };   /* so many at a time, as one comparison waits for the one before */
    float few[FEW] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    int64_t i = 0;
    if (n >= LANES) {
        float lanes[LANES];
        for (int l = 0; l < LANES; l++) lanes[l] = x[l];
        for (i = LANES; i + LANES <= n; i += LANES)
            for (int l = 0; l < LANES; l++) lanes[l] = larger(x[i + l], lanes[l]);
        for (int l = 0; l < LANES; l++) few[l % FEW] = larger(lanes[l], few[l % FEW]);
    }
    for (; i + FEW <= n; i += FEW)
        for (int l = 0; l < FEW; l++) few[l] = larger(x[i + l], few[l]);
    for (; i < n; i++) few[0] = larger(x[i], few[0]);
    return larger(larger(few[0], few[1]), larger(few[2], few[3]));
}

/* Combines `rows` rows of `width` <= STRIP floats, `stride` apart, into totals. */
static inline void sum_rows_into(double *totals, const float *x, int64_t rows, int64_t width, int64_t stride)
{
    for (int64_t r = 0; r < rows; r += TERMS) {
        const int64_t end = r + TERMS < rows ? r + TERMS : rows;
        float part[STRIP];
        for (int64_t j = 0; j < width; j++) part[j] = x[r * stride + j];
        for (int64_t i = r + 1; i < end; i++)
            for (int64_t j = 0; j < width; j++) part[j] += x[i * stride + j];
        for (int64_t j = 0; j < width; j++) totals[j] += part[j];
    }
}

static inline void max_rows_into(double *totals, const float *x, int64_t rows, int64_t width, int64_t stride)
{
    float best[STRIP];
    for (int64_t j = 0; j < width; j++) best[j] = totals[j];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++) best[j] = larger(x[i * stride + j], best[j]);
    for (int64_t j = 0; j < width; j++) totals[j] = best[j];
}

INLINE void rows_into(
    Mode mode, double *totals, const float *x, int64_t rows, int64_t width, int64_t stride)
{
    if (mode == MAX) max_rows_into(totals, x, rows, width, stride);
    else if (squares(mode)) square_rows_into(totals, x, rows, width, stride);
    else if (width == STRIP) sum_rows_into(totals, x, rows, STRIP, stride);   /* constant: kept in registers */
    else sum_rows_into(totals, x, rows, width, stride);
}

/* Outputs o .. o + width, which lie side by side. The axis before them is the innermost reduced one. Few
 * columns are widened: `wide` rows side by side count as one, and are folded at the end. */
INLINE void reduce_strip(
    Mode mode, const float *x, float *y, int64_t width, const Layout *l, const Axes *outer, double epsilon)
{
    const int64_t rows = l->reduced.count ? l->reduced.size[0] : 1;
    const int64_t wide = l->last <= STRIP / 2 && rows >= 2 * STRIP / l->last ? STRIP / l->last : 1;
    double totals[STRIP];
    for (int64_t j = 0; j < wide * width; j++) totals[j] = mode == MAX ? -INFINITY : 0;
    for (int64_t i = 0; i < l->reduced_outer / rows; i++) {
        const float *block = x + offset_of(outer, i);
        rows_into(mode, totals, block, rows / wide, wide * width, wide * l->last);
        rows_into(mode, totals, block + rows / wide * wide * l->last, rows % wide, width, l->last);
    }
    for (int64_t w = 1; w < wide; w++)
        for (int64_t j = 0; j < width; j++)
            totals[j] = mode == MAX ? larger(totals[w * width + j], totals[j]) : totals[j] + totals[w * width + j];
    for (int64_t j = 0; j < width; j++) y[j] = result(mode, totals[j], l->terms, epsilon);
}

INLINE void reduce(const Call *call, Part part, Mode mode)
{
    const float *restrict x = input(call, 0);   /* (…) */
    float *restrict y = output(call, 0);        /* (…) without the axes */
    const int64_t size = input_size(call, 0);
    const double epsilon = mode == ROOT_MEAN_SQUARE ? number(call, 1) : 0;

    if (call->constants[0].count == call->inputs[0]->rank && size) {    /* the layout took 15 of 30 ns */
        if (part.index) return;
        *y = mode == MAX ? max_run(x, size)
                         : result(mode, squares(mode) ? square_run(x, size) : sum_run(x, size), size, epsilon);
        return;
    }
    const Layout l = layout_of(call->inputs[0], &call->constants[0]);
    if (l.terms == 0) {
        const Range range = share_elements(l.outputs, part);
        for (int64_t i = range.begin; i < range.end; i++) y[i] = mode == MEAN || mode == ROOT_MEAN_SQUARE ? NAN : 0;
    } else if (l.last_reduced) {
        const Range range = share(l.outputs, 1, part);
        for (int64_t o = range.begin; o < range.end; o++) {
            const float *start = x + offset_of(&l.kept, o);
            double total = mode == MAX ? -INFINITY : 0;
            for (int64_t i = 0; i < l.reduced_outer; i++) {
                const float *run = start + offset_of(&l.reduced, i);
                total = mode == MAX ? larger(max_run(run, l.last), total)
                                    : total + (squares(mode) ? square_run(run, l.last) : sum_run(run, l.last));
            }
            y[o] = result(mode, total, l.terms, epsilon);
        }
    } else if (l.outputs) {
        const int64_t strips = (l.last + STRIP - 1) / STRIP;
        Axes outer = {.count = 0};
        for (int i = 1; i < l.reduced.count; i++) push(&outer, l.reduced.size[i], l.reduced.stride[i]);
        const Range range = share(l.outputs / l.last * strips, 1, part);
        for (int64_t s = range.begin; s < range.end; s++) {
            const int64_t row = s / strips, begin = s % strips * STRIP;
            const int64_t width = l.last - begin < STRIP ? l.last - begin : STRIP;
            reduce_strip(mode, x + offset_of(&l.kept, row) + begin, y + row * l.last + begin, width, &l, &outer,
                         epsilon);
        }
    }
}

static void sum(const Call *call, Part part) { reduce(call, part, SUM); }
static void mean(const Call *call, Part part) { reduce(call, part, MEAN); }
static void max(const Call *call, Part part) { reduce(call, part, MAX); }
static void length(const Call *call, Part part) { reduce(call, part, LENGTH); }
static void root_mean_square(const Call *call, Part part) { reduce(call, part, ROOT_MEAN_SQUARE); }

static void max_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (…) without the axes */
    const float *restrict x = input(call, 1);    /* (…) */
    const float *restrict y = input(call, 2);    /* (…) without the axes */
    float *restrict dx = output(call, 0);        /* (…) */
    const Layout l = layout_of(call->inputs[1], &call->constants[0]);

    if (!input_size(call, 1)) return;
    if (l.last_reduced) {
        const Range range = share(l.outputs, 1, part);
        for (int64_t o = range.begin; o < range.end; o++) {
            const int64_t start = offset_of(&l.kept, o);
            const float best = y[o];
            int64_t ties = 0;
            for (int64_t i = 0; i < l.reduced_outer; i++) {
                const float *from = x + start + offset_of(&l.reduced, i);
                for (int64_t j = 0; j < l.last; j++) ties += from[j] == best;
            }
            const float each = dy[o] / ties;
            for (int64_t i = 0; i < l.reduced_outer; i++) {
                const int64_t at = start + offset_of(&l.reduced, i);
                for (int64_t j = 0; j < l.last; j++) dx[at + j] = x[at + j] == best ? each : 0;
            }
        }
        return;
    }
    const int64_t strips = (l.last + STRIP - 1) / STRIP;
    const Range range = share(l.outputs / l.last * strips, 1, part);
    for (int64_t s = range.begin; s < range.end; s++) {
        const int64_t row = s / strips, begin = s % strips * STRIP, start = offset_of(&l.kept, row) + begin;
        const int64_t width = l.last - begin < STRIP ? l.last - begin : STRIP;
        const float *best = y + row * l.last + begin;
        int32_t ties[STRIP] = {0};
        float each[STRIP];
        for (int64_t i = 0; i < l.reduced_outer; i++) {
            const float *from = x + start + offset_of(&l.reduced, i);
            for (int64_t j = 0; j < width; j++) ties[j] += from[j] == best[j];
        }
        for (int64_t j = 0; j < width; j++) each[j] = dy[row * l.last + begin + j] / ties[j];
        for (int64_t i = 0; i < l.reduced_outer; i++) {
            const int64_t at = start + offset_of(&l.reduced, i);
            for (int64_t j = 0; j < width; j++) dx[at + j] = x[at + j] == best[j] ? each[j] : 0;
        }
    }
}

/* to[0 .. n] = from, or its one element; elements of `width` bytes, whatever they are. */
INLINE void put_row(void *to, const void *from, int64_t n, int one, int64_t width)
{
    for (int64_t j = 0; j < n; j++)
        if (width == 4) ((uint32_t *)to)[j] = ((const uint32_t *)from)[one ? 0 : j];
        else if (width == 8) ((uint64_t *)to)[j] = ((const uint64_t *)from)[one ? 0 : j];
        else ((uint8_t *)to)[j] = ((const uint8_t *)from)[one ? 0 : j];
}

INLINE void expand_any(const Call *call, Part part, int64_t width)
{
    const char *restrict x = input(call, 0);   /* (…) without the axes */
    char *restrict y = output(call, 0);        /* (…) */
    const Layout l = layout_of(call->outputs[0], &call->constants[1]);

    /* Written in order of y's rows of `last` elements; x is found by walking y's groups from the inside. */
    if (!output_size(call, 0)) return;
    const int64_t columns = l.last_reduced ? 1 : l.last;
    const int groups = l.kept.count + l.reduced.count;
    const Range range = share_rows(output_size(call, 0) / l.last, part);
    for (int64_t row = range.begin; row < range.end; row++) {
        int64_t index = row, from = 0, stride = columns;
        for (int g = 0; g < groups; g++) {
            const int reduced = (g % 2 == 0) != l.last_reduced;
            const int64_t size = reduced ? l.reduced.size[g / 2] : l.kept.size[g / 2];
            const int64_t place = g == groups - 1 ? index : index % size;
            if (g < groups - 1) index /= size;
            if (reduced) continue;
            from += place * stride;
            stride *= size;
        }
        put_row(y + row * l.last * width, x + from * width, l.last, l.last_reduced, width);
    }
}

static void expand(const Call *call, Part part)
{
    switch ((DType)call->outputs[0]->dtype) {
    case F32: case I32: expand_any(call, part, 4); break;
    case F64: case I64: expand_any(call, part, 8); break;
    default: expand_any(call, part, 1); break;
    }
}

static void argmax(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…, n) */
    int32_t *restrict y = output(call, 0);      /* (…) */
    const int64_t n = last_dim(call->inputs[0]);
    const Range rows = share_rows(output_size(call, 0), part);
    const float *end = x + input_size(call, 0);
    int32_t places[WIDTH];

    for (int64_t row = rows.begin; row < rows.end; row += WIDTH) {
        const int64_t count = block_rows(row, rows);
        first_highest_each(places, x + row * n, n, count, end);
        memcpy(y + row, places, count * sizeof *y);
    }
}

extern const Kernel FAMILY(reduce)[];
const Kernel FAMILY(reduce)[] = {
    {"sum(x, *, axes)", sum},
    {"mean(x, *, axes)", mean},
    {"max(x, *, axes)", max},
    {"length(x, *, axes)", length},
    {"root_mean_square(x, *, axes, epsilon)", root_mean_square},
    {"max_grad(dy, x, y, *, axes)", max_grad},
    {"expand(x, *, shape, axes)", expand},
    {"argmax(x)", argmax},
    {0},
};
