/* philox.h: Philox 4x32-10, a random generator without state (Salmon et al. 2011, "Parallel random numbers:
 * as easy as 1, 2, 3"). Ten rounds of multiplying and mixing turn a 128-bit counter, under a 64-bit key, into 128
 * random bits; so any element of any draw can be had at any time, on any thread. Mirrors
 * fastnn/reference/_philox.py: element i of a draw is word i % 4 of the block with counter
 * (i / 4, stream, step's low half, step's high half) and key (seed's low half, seed's high half). */
#ifndef FASTNN_PHILOX_H
#define FASTNN_PHILOX_H

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "vector/simd.h"

/* One block per lane, each word in the low half of 64 bits; what is in the high halves does not matter. */
#if defined(__AVX512F__)
enum { PHILOX_LANES = 8 };
#elif defined(__AVX2__)
enum { PHILOX_LANES = 4 };
#else
enum { PHILOX_LANES = 2 };
#endif
typedef uint64_t Words __attribute__((vector_size(8 * PHILOX_LANES)));
typedef uint64_t UnalignedWords __attribute__((vector_size(8 * PHILOX_LANES), aligned(4), may_alias));

/* The lanes of two vectors in turn: of their first halves, of their second ones. gcc before 12 has only the one
 * builtin, clang only the other. */
#if defined(__clang__)
#define PHILOX_MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PHILOX_MIX(a, b, ...) __builtin_shuffle(a, b, (Words){__VA_ARGS__})
#endif
#if defined(__AVX512F__)
#define FIRST_BLOCKS(a, b) PHILOX_MIX(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define LAST_BLOCKS(a, b) PHILOX_MIX(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#elif defined(__AVX2__)
#define FIRST_BLOCKS(a, b) PHILOX_MIX(a, b, 0, 4, 1, 5)
#define LAST_BLOCKS(a, b) PHILOX_MIX(a, b, 2, 6, 3, 7)
#else
#define FIRST_BLOCKS(a, b) PHILOX_MIX(a, b, 0, 2)
#define LAST_BLOCKS(a, b) PHILOX_MIX(a, b, 1, 3)
#endif

/* Low half times m, all 64 bits. GCC 12 has no other way to this instruction; `*` costs three of them. */
static inline __attribute__((always_inline)) Words philox_product(Words x, uint32_t m)
{
    const Words factor = (uint64_t)m - (Words){0};
#if defined(__AVX512F__)
    return (Words)_mm512_mul_epu32((__m512i)x, (__m512i)factor);
#elif defined(__AVX2__)
    return (Words)_mm256_mul_epu32((__m256i)x, (__m256i)factor);
#elif defined(__SSE2__)
    return (Words)_mm_mul_epu32((__m128i)x, (__m128i)factor);
#else
    return (x & 0xFFFFFFFFu) * factor;
#endif
}

/* bits = the random words of 64 elements from 4 * first_block on; only whole vectors with one of the first
 * `count` elements are written. */
static inline __attribute__((always_inline)) void philox(
    uint32_t *bits, int64_t first_block, int64_t count, int64_t seed, int64_t stream, int64_t step)
{
    enum { CHAINS = 2, PER_PASS = CHAINS * PHILOX_LANES };   /* two at once: a product takes five cycles */
    const Words zero = {0};
    Words lane = zero;
    for (int l = 0; l < PHILOX_LANES; l++) lane[l] = l;

    for (int64_t block = 0; 4 * block < count; block += PER_PASS) {
        uint64_t key0 = (uint64_t)seed, key1 = (uint64_t)seed >> 32;
        Words x0[CHAINS], x1[CHAINS], x2[CHAINS], x3[CHAINS];
        UNROLLED(2)
        for (int c = 0; c < CHAINS; c++) {
            x0[c] = lane + (uint64_t)(first_block + block + c * PHILOX_LANES);
            x1[c] = zero + (uint64_t)stream;
            x2[c] = zero + (uint64_t)step;
            x3[c] = zero + ((uint64_t)step >> 32);
        }
        UNROLLED(10)
        for (int round = 0; round < 10; round++) {
            UNROLLED(2)
            for (int c = 0; c < CHAINS; c++) {
                const Words product0 = philox_product(x0[c], 0xD2511F53u);
                const Words product1 = philox_product(x2[c], 0xCD9E8D57u);
                x0[c] = (product1 >> 32) ^ x1[c] ^ key0;
                x2[c] = (product0 >> 32) ^ x3[c] ^ key1;
                x1[c] = product1;
                x3[c] = product0;
            }
            key0 += 0x9E3779B9u;   /* only the low halves count, here too */
            key1 += 0xBB67AE85u;
        }
        UNROLLED(2)
        for (int c = 0; c < CHAINS; c++) {
            const Words front = (x0[c] & 0xFFFFFFFFu) | x1[c] << 32, back = (x2[c] & 0xFFFFFFFFu) | x3[c] << 32;
            uint32_t *to = bits + 4 * (block + c * PHILOX_LANES);    /* their four words, one block after the other */
            *(UnalignedWords *)to = FIRST_BLOCKS(front, back);
            *(UnalignedWords *)(to + 2 * PHILOX_LANES) = LAST_BLOCKS(front, back);
        }
    }
}

#endif
