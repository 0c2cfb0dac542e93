/* integers.h: elements of arrays of whole numbers, of whatever width. */
#ifndef FASTNN_INTEGERS_H
#define FASTNN_INTEGERS_H

#include "vector/simd.h"

INLINE int64_t whole_at(const void *x, int64_t i, int dtype)
{
    return dtype == I32 ? ((const int32_t *)x)[i] : dtype == I64 ? ((const int64_t *)x)[i] : ((const uint8_t *)x)[i];
}

INLINE void put_whole(void *y, int64_t i, int dtype, int64_t value)
{
    if (dtype == I32) ((int32_t *)y)[i] = (int32_t)value;
    else if (dtype == I64) ((int64_t *)y)[i] = value;
    else ((uint8_t *)y)[i] = (uint8_t)value;
}

#endif
