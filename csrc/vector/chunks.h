/* chunks.h: sums that workers compute in chunks. How many there are depends on sizes alone, and so do the bits.
 *
 * The first chunk is computed where the sum will be, the others in the call's scratch, one after the other. A kernel
 * that has them says FINISH, and adds them up when is_last() says that all are there. */
#ifndef FASTNN_CHUNKS_H
#define FASTNN_CHUNKS_H

#include "fastnn.h"

static inline int is_last(Part part) { return part.count == 1 || part.index == part.count; }

static inline float *chunk_at(float *sums, float *scratch, int64_t chunk, int64_t size)
{
    return sums && chunk ? scratch + (chunk - 1) * size : sums;
}

/* sums (size,) += the other chunks, in float64, in their order; nothing where `sums` is left out. */
static inline void add_chunks(float *restrict sums, const float *restrict scratch, int64_t chunks, int64_t size)
{
    enum { SOME = 64 };
    for (int64_t begin = 0; sums && begin < size && chunks > 1; begin += SOME) {
        const int64_t n = size - begin < SOME ? size - begin : SOME;
        double totals[SOME];
        for (int64_t j = 0; j < n; j++) totals[j] = sums[begin + j];
        for (int64_t chunk = 0; chunk < chunks - 1; chunk++)
            for (int64_t j = 0; j < n; j++) totals[j] += scratch[chunk * size + begin + j];
        for (int64_t j = 0; j < n; j++) sums[begin + j] = (float)totals[j];
    }
}

/* sums (n,) += more, and `lost` keeps what rounding took from them (Kahan 1965): however many terms come one after the
 * other, the error is that of a few. Nothing is kept of a sum that is infinite. */
static inline void add_keeping(float *restrict sums, float *restrict lost, const float *restrict more, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        const float add = more[j] - lost[j], sum = sums[j] + add, rest = (sum - sums[j]) - add;
        lost[j] = rest - rest == 0 ? rest : 0;
        sums[j] = sum;
    }
}

#endif
