/* team.h: workers that run one schedule together, and the floating-point mode they run it in. For program.c only. */
#ifndef FASTNN_TEAM_H
#define FASTNN_TEAM_H

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
 * 6.2 us instead of 0.27, measured). Numbers are rounded to the nearest, whatever the caller has set. The caller's
 * mode is put back, in every worker too. */
static uint64_t set_mode(void)
{
#if defined(__x86_64__) || defined(__i386__)
    const unsigned mode = _mm_getcsr();
    _mm_setcsr((mode & ~0x6000u) | 0x8040);      /* to the nearest; flush to zero, denormals are zero */
    return mode;
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"((mode & ~(3ull << 22)) | (1ull << 24)));
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

/* Worker 0 walks down the calls and does small ones alone; for a large one it raises `generation`, and everybody
 * computes a part. This is quicker than an OpenMP region per call (0.2 us against 0.8 for two workers), and workers
 * that wait give their core away after a moment: libgomp's own barrier spins for milliseconds, so that two threads
 * which the system had put on one core took turns of 2 ms (a 256^3 product: 2.2 ms instead of 0.1, seen in one process
 * out of three beside NumPy's threads). */
typedef struct Team {
    int count;
    int late;                    /* how much worker 0 has waited for others that had no core, lately */
    const Call *call;            /* NULL: go home */
    int active;                  /* how many workers have a part of it: part first + 0, 1, … of `parts` */
    int first, parts;
    _Alignas(64) atomic_uint generation;
    _Alignas(64) atomic_int pending;
} Team;

enum { PAUSES = 256, LATE = 8, TOO_LATE = 24 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void pause_or_yield(int *waited)
{
    if (++*waited < PAUSES) {
#if defined(__x86_64__) || defined(__i386__)
        _mm_pause();
#endif
    } else {
        sched_yield();
    }
}

static void call_team(Team *team, const Call *call, int active, int first, int parts)
{
    team->call = call;
    team->active = active;
    team->first = first;
    team->parts = parts;
    atomic_store_explicit(&team->pending, team->count - 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&team->generation, 1, memory_order_release);
}

static void wait_for_team(Team *team)
{
    int waited = 0;
    while (atomic_load_explicit(&team->pending, memory_order_acquire)) pause_or_yield(&waited);
}

/* What workers 1, 2, … do until they are sent home. */
static inline void work(Team *team, int index)
{
    for (unsigned seen = 0;; seen++) {
        int waited = 0;
        while (atomic_load_explicit(&team->generation, memory_order_acquire) == seen) pause_or_yield(&waited);
        const Call *call = team->call;
        if (call && index < team->active) call->run(call, (Part){team->first + index, team->parts});
        atomic_fetch_sub_explicit(&team->pending, 1, memory_order_release);
        if (!call) return;
    }
}

/* Part `first` of a call and those behind it, one for every worker, in the floating-point mode set by whoever runs
 * the calls; how many. `late` grows where another worker came more than 0.3 ms and twice the work's time after worker
 * 0: its core belongs to some other process then. */
static int run_parts(const Call *call, int first, int parts, Team *team)
{
    const int active = parts - first < team->count ? parts - first : team->count;
    if (active <= 1) {
        call->run(call, (Part){first, parts});
        return 1;
    }
    const double begin = now();
    call_team(team, call, active, first, parts);
    call->run(call, (Part){first, parts});
    const double mine = now();
    wait_for_team(team);
    const double wait = now() - mine;
    if (wait > 3e-4 && wait > mine - begin) team->late += LATE;
    else if (team->late) team->late--;
    return active;
}

/* One call, divided among the workers that it is worth. */
static void run(const Call *call, Team *team)
{
    const int parts = call->parts < team->count ? (int)call->parts : team->count;
    if (parts <= 1) {
        call->run(call, (Part){0, 1});
        return;
    }
    run_parts(call, 0, parts, team);
    if (call->finish) call->run(call, (Part){parts, parts});
}

#endif
