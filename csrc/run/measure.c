/* measure.c: kernels that measure the machine instead of computing something. Compiled once per instruction set, and
 * run as programs like all others, so that they see the workers, the floating-point mode and the clock that training
 * sees. Their names begin with an underscore: no op has them, and no reference. See fastnn/teaching/peak.py and
 * profile.py. */
#include <time.h>

#include "vector/simd.h"

enum { CHAINS = 12, PER_ROUND = 192 };      /* 12 cover the latency of an FMA on two ports and fit 16 registers */

/* y[part] = something that needs `rounds` times 192 multiply-adds, all of them in registers. */
static void multiply_add(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);     /* (2 + CHAINS,) */
    float *restrict y = output(call, 0);          /* (16 * workers,) */
    const int64_t steps = integer(call, 0) * (PER_ROUND / (CHAINS * WIDTH));
    const V a = v_splat(x[0]), b = v_splat(x[1]);
    V chain[CHAINS];

    for (int c = 0; c < CHAINS; c++) chain[c] = v_splat(x[2 + c]);
    for (int64_t s = 0; s < steps; s++) {
        UNROLLED(12)
        for (int c = 0; c < CHAINS; c++) chain[c] = chain[c] * a + b;
    }
    for (int c = 1; c < CHAINS; c++) chain[0] += chain[c];
    y[16 * part.index] = chain[0][0];
}

/* This worker's share of x, as several streams side by side, like the operands of a kernel. */
typedef struct Streams {
    float *begin;
    int64_t length;         /* of each, a multiple of UNROLL vectors */
} Streams;

enum { STREAMS = 4, UNROLL = 2 };

static Streams share_streams(float *x, int64_t size, Part part)
{
    const Range range = share(size, STREAMS * UNROLL * WIDTH, part);
    return (Streams){x + range.begin, (range.end - range.begin) / (STREAMS * UNROLL * WIDTH) * (UNROLL * WIDTH)};
}

/* Reads every element of x `rounds` times. */
static void read_share(const Call *call, Part part)
{
    const Streams x = share_streams(input(call, 0), input_size(call, 0), part);
    float *restrict y = output(call, 0);          /* (16 * workers,) */
    V sums[STREAMS * UNROLL] = {{0}};

    for (int64_t round = integer(call, 0); round > 0; round--) {
        for (int64_t i = 0; i < x.length; i += UNROLL * WIDTH) {
            UNROLLED(8)
            for (int c = 0; c < STREAMS * UNROLL; c++)
                sums[c] += v_load(x.begin + c / UNROLL * x.length + i + c % UNROLL * WIDTH);
        }
        __asm__ volatile("" : : : "memory");        /* or the compiler would read once */
    }
    for (int c = 1; c < STREAMS * UNROLL; c++) sums[0] += sums[c];
    y[16 * part.index] = sums[0][0];
}

/* Reads and writes every element of x `rounds` times. */
static void update_share(const Call *call, Part part)
{
    const Streams x = share_streams(output(call, 0), output_size(call, 0), part);
    const V sign = v_splat(-1);

    for (int64_t round = integer(call, 0); round > 0; round--) {
        for (int64_t i = 0; i < x.length; i += UNROLL * WIDTH) {
            UNROLLED(8)
            for (int c = 0; c < STREAMS * UNROLL; c++) {
                float *p = x.begin + c / UNROLL * x.length + i + c % UNROLL * WIDTH;
                v_store(p, v_load(p) * sign);
            }
        }
        __asm__ volatile("" : : : "memory");
    }
}

/* Nothing: what is left is the cost of calling everybody. */
static void nothing(const Call *call, Part part)
{
    (void)call;
    (void)part;
}

/* Adds the seconds since the lap before to seconds[index]; seconds[0] holds the time of that lap. */
static void lap(const Call *call, Part part)
{
    double *restrict seconds = output(call, 0);     /* (laps + 1,) */
    const int64_t index = integer(call, 0);
    struct timespec t;
    (void)part;

    clock_gettime(CLOCK_MONOTONIC, &t);
    const double now = t.tv_sec + 1e-9 * t.tv_nsec;
    if (index) seconds[index] += now - seconds[0];
    seconds[0] = now;
}

extern const Kernel FAMILY(measure)[];
const Kernel FAMILY(measure)[] = {
    {"_multiply_add(x, *, rounds)", multiply_add},      /* enough for as many workers as there are */
    {"_read(x, *, rounds)", read_share},
    {"_update(x, *, rounds)", update_share},
    {"_nothing(x)", nothing},
    {"_lap(seconds, *, index)", lap, WHOLE},
    {0},
};
