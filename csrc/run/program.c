/* program.c: runs calls, one by one or as a schedule. With team.h the only place that knows of threads and time. */
#ifdef _OPENMP
#include <omp.h>
#endif
#include "fastnn.h"
#include "run/team.h"

/* One call on its own, outside a schedule. */
void call_run(const Call *call, int threads)
{
    const int parts = call->parts < threads ? (int)call->parts : threads;
#ifdef _OPENMP
    if (parts > 1) {
        /* The team may be smaller than asked for (OMP_THREAD_LIMIT, nesting): ask how large it is. */
        int count = 1;
#pragma omp parallel num_threads(parts)
        {
            const uint64_t mode = set_mode();
            if (omp_get_thread_num() == 0) count = omp_get_num_threads();
            call->run(call, (Part){omp_get_thread_num(), omp_get_num_threads()});
            restore_mode(mode);
        }
        if (call->finish && count > 1) {
            const uint64_t mode = set_mode();
            call->run(call, (Part){count, count});
            restore_mode(mode);
        }
        return;
    }
#endif
    (void)parts;
    const uint64_t mode = set_mode();
    call->run(call, (Part){0, 1});
    restore_mode(mode);
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
        if (s->time == 0 && entry->times > 1) stride = 1;    /* these steps may be slower than the ones before */
        const Program *program = entry->program;
        for (int64_t i = 0; i < program->count; i++)
            run(&program->calls[i], team);
        s->time++;
        if (team->late >= TOO_LATE) return s->round == s->rounds;
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
    const uint64_t mode = set_mode();
    const int finished = run_for(schedule, seconds, team);
    restore_mode(mode);
    return finished;
}

#ifdef _OPENMP
/* Where other processes have the cores, a team waits a slice of the system's time at every large call: 15 ms a step of
 * an MNIST net beside three busy processes on two cores, 2.9 where the team is given up. So it is, for 50 ms at first,
 * and longer if that happens again. Which workers compute what does not change a bit of the results. */
static _Atomic double alone_until, alone_for = 0.05;

static void give_up_team(const Team *team)
{
    if (team->late < TOO_LATE) {
        alone_for = 0.05;
        return;
    }
    alone_until = now() + alone_for;
    if (alone_for < 1.6) alone_for = 2 * alone_for;
}
#endif

int schedule_run(Schedule *schedule, double seconds, int threads)
{
    const int64_t most = most_parts(schedule);
    if (most < threads) threads = (int)most;
#ifdef _OPENMP
    if (threads > 1 && now() >= alone_until) {
        Team team = {.count = 1};
        int finished = 0;
#pragma omp parallel num_threads(threads)
        {
#pragma omp single
            team.count = omp_get_num_threads();      /* may be fewer than asked for; a barrier follows */
            if (omp_get_thread_num() == 0) {
                finished = run_with_team(schedule, seconds, &team);
                call_team(&team, NULL, 0);
                wait_for_team(&team);
            } else {
                const uint64_t mode = set_mode();
                work(&team, omp_get_thread_num());
                restore_mode(mode);
            }
        }
        give_up_team(&team);
        if (finished || team.late < TOO_LATE) return finished;
    }
#endif
    return run_with_team(schedule, seconds, &(Team){.count = 1});
}

int openmp_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 0;
#endif
}

int openmp_binds(void)
{
#ifdef _OPENMP
    return omp_get_proc_bind() != omp_proc_bind_false;
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
