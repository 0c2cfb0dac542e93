/* program.c: runs calls. The only file that knows of threads, of time and of the floating-point mode. */
#ifdef _OPENMP
#include <omp.h>
#endif
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
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

/* A team runs a schedule together, inside one OpenMP region. Worker 0 walks down the calls and does small ones alone;
 * for a large one it raises `generation`, and everybody computes a part. This is quicker than a region per call (0.2 us
 * against 0.8 for two workers), and workers that wait give their core away after a moment: libgomp's own barrier spins
 * for milliseconds, so that two threads which the system had put on one core took turns of 2 ms (a 256^3 product:
 * 2.2 ms instead of 0.1, seen in one process out of three beside NumPy's threads). */
typedef struct Team {
    int count;
    const Call *call;            /* NULL: go home */
    int parts;
    _Alignas(64) atomic_uint generation;
    _Alignas(64) atomic_int pending;
} Team;

static void pause_or_yield(int *waited)
{
    if (++*waited < 256) {
#if defined(__x86_64__) || defined(__i386__)
        _mm_pause();
#endif
    } else {
        sched_yield();
    }
}

static void wait_for_team(Team *team)
{
    int waited = 0;
    while (atomic_load_explicit(&team->pending, memory_order_acquire)) pause_or_yield(&waited);
}

static void call_team(Team *team, const Call *call, int parts)
{
    team->call = call;
    team->parts = parts;
    atomic_store_explicit(&team->pending, team->count - 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&team->generation, 1, memory_order_release);
}

/* What workers 1, 2, … do until they are sent home. */
static void work(Team *team, int index)
{
    for (unsigned seen = 0;; seen++) {
        int waited = 0;
        while (atomic_load_explicit(&team->generation, memory_order_acquire) == seen) pause_or_yield(&waited);
        const Call *call = team->call;
        if (call && index < team->parts) call->run(call, (Part){index, team->parts});
        atomic_fetch_sub_explicit(&team->pending, 1, memory_order_release);
        if (!call) return;
    }
}

/* One call, in the floating-point mode set by whoever runs the calls. */
static void run(const Call *call, Team *team)
{
    const int parts = call->parts < team->count ? (int)call->parts : team->count;
    if (parts <= 1) {
        call->run(call, (Part){0, 1});
        return;
    }
    call_team(team, call, parts);
    call->run(call, (Part){0, parts});
    wait_for_team(team);
}

/* One call on its own, outside a schedule. */
void call_run(const Call *call, int threads)
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
    const uint64_t mode = flush_subnormals();
    call->run(call, (Part){0, 1});
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
static int run_for(Schedule *s, double seconds, Team *team)
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
            run(&program->calls[i], team);
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

/* The most workers that any call of the schedule is worth. */
static int64_t most_parts(const Schedule *s)
{
    int64_t most = 1;
    for (int64_t e = 0; e < s->count; e++)
        for (int64_t i = 0; i < s->entries[e].program->count; i++)
            if (s->entries[e].program->calls[i].parts > most) most = s->entries[e].program->calls[i].parts;
    return most;
}

static int run_with_team(Schedule *schedule, double seconds, Team *team)
{
    const uint64_t mode = flush_subnormals();
    const int finished = run_for(schedule, seconds, team);
    restore_mode(mode);
    return finished;
}

int schedule_run(Schedule *schedule, double seconds, int threads)
{
    const int64_t most = most_parts(schedule);
    Team team = {.count = 1};
    int finished = 0;
    if (most < threads) threads = (int)most;
#ifdef _OPENMP
    if (threads > 1) {
#pragma omp parallel num_threads(threads)
        {
#pragma omp single
            team.count = omp_get_num_threads();      /* may be fewer than asked for; a barrier follows */
            if (omp_get_thread_num() == 0) {
                finished = run_with_team(schedule, seconds, &team);
                call_team(&team, NULL, 0);
                wait_for_team(&team);
            } else {
                const uint64_t mode = flush_subnormals();
                work(&team, omp_get_thread_num());
                restore_mode(mode);
            }
        }
        return finished;
    }
#endif
    return run_with_team(schedule, seconds, &team);
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
