/* move.h: copying some bytes, whatever they mean. */
#ifndef FASTNN_MOVE_H
#define FASTNN_MOVE_H

#include <string.h>

#include "fastnn.h"

/* Bytes of an element. */
static inline int64_t width_of(const Tensor *t)
{
    static const int64_t width[] = {[F32] = 4, [F64] = 8, [I32] = 4, [I64] = 8, [U8] = 1, [BOOL] = 1};
    return width[t->dtype];
}

/* memcpy, without the call where it costs more than the copying. */
static inline void move(char *to, const char *from, int64_t bytes)
{
    if (bytes > 64 || bytes % 4) {
        memcpy(to, from, bytes);
        return;
    }
    int64_t i = 0;
    for (; i + 16 <= bytes; i += 16) memcpy(to + i, from + i, 16);
    for (; i < bytes; i += 4) memcpy(to + i, from + i, 4);
}

#endif
