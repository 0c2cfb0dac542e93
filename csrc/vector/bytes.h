/* bytes.h: a vector of small numbers, kept in memory as bytes. gcc 12 makes of __builtin_convertvector an instruction
 * per element here, which cost half the time of a pooling's gradient. */
#ifndef FASTNN_BYTES_H
#define FASTNN_BYTES_H

#include "vector/simd.h"
#ifdef __AVX2__
#include <immintrin.h>
#endif

typedef uint8_t Bytes __attribute__((vector_size(WIDTH)));

/* The first n bytes of p, 0 behind them. */
INLINE I load_bytes(const uint8_t *p, int64_t n)
{
    Bytes bytes = {0};
    if (n >= WIDTH) memcpy(&bytes, p, WIDTH);
    else for (int64_t i = 0; i < n; i++) bytes[i] = p[i];
#if defined(__AVX512F__)
    return (I)_mm512_cvtepu8_epi32((__m128i)bytes);
#elif defined(__AVX2__)
    return (I)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bytes));
#else
    return __builtin_convertvector(bytes, I);
#endif
}

/* Writes the first n of x, each from 0 to 255. */
INLINE void store_bytes(uint8_t *p, I x, int64_t n)
{
#if defined(__AVX512F__)
    const Bytes bytes = (Bytes)_mm512_cvtepi32_epi8((__m512i)x);
#else
    const Bytes bytes = __builtin_convertvector(x, Bytes);
#endif
    if (n >= WIDTH) memcpy(p, &bytes, WIDTH);
    else for (int64_t i = 0; i < n; i++) p[i] = bytes[i];
}

#endif
