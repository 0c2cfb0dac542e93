/* program.c: runs calls. The only file that knows of threads, of time and of the floating-point mode. */
#ifdef _OPENMP
#include <omp.h>
#endif
#include <math.h>
#include <time.h>
#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>
#endif

#include "fastnn.h"

/* Kernels run with subnormal numbers flushed to zero: where a net has learned its data, gradients and Adam's
 * averages sink into that range, and each operation on it costs a hundred cycles (one adam_step on 641 weights:
 * 6.2 us instead of 0.27, measured). The caller's mode is put back, in every worker too. */
static uint64_t flush_subnormals(void)
{
#if defined(__x86_64__) || defined(__i386__)
    const unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040);          /* flush to zero, denormals are zero */
    return mode;
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | (1ull << 24)));
    return mode;
#else
    return 0;
#endif
}

static void restore_mode(uint64_t mode)
{
#if defined(__x86_64__) || defined(__i386__)
    _mm_setcsr((unsigned)mode);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
    (void)mode;
#endif
}

/* A second worker costs about 1 us to wake (libgomp, two cores, measured 0.8); each one must be worth
 * several times that. */
static const double nanoseconds_per_part = 6000;

/* Estimated nanoseconds of a call on one core. */
double call_work(const Kernel *kernel, Tensor *const *inputs, Tensor *const *outputs)
{
    const double size = outputs[0]->size;
    switch (kernel->split) {
    case WHOLE:
        return 0;
    case ELEMENTS:
    case ROWS:
        return kernel->cost * size;
    case TILES:   /* (MK)(KN)(MN) is the square of MNK, however the operands are transposed */
        return kernel->cost * sqrt((double)inputs[0]->size * inputs[1]->size * size);
    }
    return 0;
}

int64_t call_parts(double nanoseconds)
{
    const int64_t parts = nanoseconds / nanoseconds_per_part;
    return parts < 1 ? 1 : parts > 1024 ? 1024 : parts;
}

/* One call, in the mode set by whoever runs the calls. */
static void run(const Call *call, int threads)
{
    const int parts = call->parts < threads ? (int)call->parts : threads;
#ifdef _OPENMP
    if (parts > 1) {
        /* The team may be smaller than asked for (OMP_THREAD_LIMIT, nesting): ask how large it is. */
#pragma omp parallel num_threads(parts)
        {
            const uint64_t mode = flush_subnormals();
            call->run(call, (Part){omp_get_thread_num(), omp_get_num_threads()});
            restore_mode(mode);
        }
        return;
    }
#endif
    (void)parts;
    call->run(call, (Part){0, 1});
}

void call_run(const Call *call, int threads)
{
    const uint64_t mode = flush_subnormals();
    run(call, threads);
    restore_mode(mode);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* Runs whole steps until the schedule is finished or the seconds are over, and remembers where it
 * stopped. The clock is read about once a millisecond: reading it costs as much as ten small calls. */
static int run_for(Schedule *s, double seconds, int threads)
{
    const double begin = now();
    double last = begin;
    int64_t stride = 1, steps = 0;

    while (s->round < s->rounds) {
        if (s->entry == s->count) {
            s->entry = 0;
            s->round++;
            continue;
        }
        const Entry *entry = &s->entries[s->entry];
        if (s->time == entry->times) {
            s->time = 0;
            s->entry++;
            continue;
        }
        const Program *program = entry->program;
        for (int64_t i = 0; i < program->count; i++)
            run(&program->calls[i], threads);
        s->time++;
        if (++steps < stride) continue;
        const double t = now();
        if (t - begin > seconds) return s->round == s->rounds;
        if (t - last < 5e-4) stride *= 2;
        else if (t - last > 2e-3 && stride > 1) stride /= 2;
        last = t;
        steps = 0;
    }
    return 1;
}

int schedule_run(Schedule *schedule, double seconds, int threads)
{
    const uint64_t mode = flush_subnormals();
    const int finished = run_for(schedule, seconds, threads);
    restore_mode(mode);
    return finished;
}

int openmp_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 0;
#endif
}

/* Ends the worker threads, so that a fork leaves no half-copied pool behind; the next parallel region
 * starts new ones. */
void openmp_pause(void)
{
#if defined(_OPENMP) && (_OPENMP >= 201811 || __GNUC__ >= 9)     /* gcc has it since 9, but says 201511 */
    omp_pause_resource_all(omp_pause_hard);
#endif
}
