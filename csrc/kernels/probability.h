/* probability.h: probabilities as the cross-entropies take them, kept away from 0 and 1. */
#ifndef FASTNN_PROBABILITY_H
#define FASTNN_PROBABILITY_H

#include "vector/simd.h"

#define LOW 1e-7f                         /* probabilities are clipped to [LOW, HIGH] */
#define HIGH ((float)(1 - 1e-7))

/* A clipped NaN is NaN. */
INLINE V clip(V p) { return v_select(p < LOW, v_splat(LOW), v_select(p > HIGH, v_splat(HIGH), p)); }
INLINE I clipped(V p) { return (p < LOW) | (p > HIGH); }
INLINE float clip_one(float p) { return p < LOW ? LOW : p > HIGH ? HIGH : p; }

#endif
