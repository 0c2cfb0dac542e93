/* conv/axis.h: which taps of a kernel meet which places of an image, along one axis; shared by the convolutions. */
#ifndef CONV_AXIS_H
#define CONV_AXIS_H

#include "fastnn.h"

/* Forward: output o and tap t read input o * stride + t * dilation - before.
 * Transposed: input i and tap t add to output i * stride + t * dilation - before. */
typedef struct Axis {
    int64_t in, out, kernel, stride, dilation, before;
    int transposed;
} Axis;

/* Outputs that lie out_step apart and have the same taps: taps many, tap_step apart. */
typedef struct Run {
    int64_t out, out_step, count;      /* outputs */
    int64_t in, in_step, in_tap;       /* the first output's input at its first tap; how it moves with outputs, taps */
    int64_t tap, tap_step, taps;
} Run;

static inline int64_t greatest_divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b, b = rest;
    }
    return a;
}

/* The taps of one output. Those inside the image lie at equal distances. */
static inline Run taps_of(const Axis *a, int64_t o)
{
    const int64_t common = a->transposed ? greatest_divisor(a->stride, a->dilation) : 1;
    Run run = {.out = o, .out_step = a->transposed ? a->stride : 1, .count = 1,
               .in_step = a->transposed ? 1 : a->stride,
               .in_tap = a->transposed ? -a->dilation / common : a->dilation,
               .tap_step = a->transposed ? a->stride / common : 1};
    for (int64_t t = 0; t < a->kernel; t++) {
        int64_t i = a->transposed ? o + a->before - t * a->dilation : o * a->stride + t * a->dilation - a->before;
        if (a->transposed) {
            if (i < 0 || i % a->stride) continue;
            i /= a->stride;
        }
        if (i < 0 || i >= a->in) continue;
        if (!run.taps++) run.tap = t, run.in = i;
    }
    return run;
}

/* The longest run of outputs that starts at `first` and ends before `end`. */
static inline Run run_from(const Axis *a, int64_t first, int64_t end)
{
    Run run = taps_of(a, first);
    for (int64_t o = first + run.out_step; o < end; o += run.out_step, run.count++) {
        const Run next = taps_of(a, o);
        if (next.taps != run.taps || next.tap != run.tap) break;
    }
    return run;
}

/* for every run of the outputs in [begin, end): the transposed ones are taken residue by residue. */
#define FOR_RUNS(run, axis, begin, end) \
    for (int64_t phase_##run = 0; phase_##run < ((axis)->transposed ? (axis)->stride : 1); phase_##run++) \
        for (Run run = {.out = (begin) + phase_##run, .out_step = 0, .count = 0}; \
             (run.out += run.count * run.out_step) < (end) && (run = run_from(axis, run.out, end), 1);)

#endif
