/* program.c: runs calls, one by one or as a schedule. With team.h and threads.c the only place that knows of
 * threads and time. */
#ifdef _OPENMP
#include <omp.h>
#endif
#include <math.h>
#include <string.h>

#include "gemm/panels.h"
#include "run/program.h"
#include "run/team.h"
#include "run/threads.h"

/* One part of a call, by a worker that has borrowed its panels. */
static void run_part(const Call *call, int index, int count)
{
    const uint64_t mode = set_mode();
    call->run(call, (Part){index, count});
    restore_mode(mode);
}

/* One call on its own, outside a schedule; 0, and nothing has run, where there is no memory for its products. */
int call_run(const Call *call, int threads)
{
    int parts = call->parts < threads ? (int)call->parts : threads;
    if (parts > 1) parts = team_size(parts);
    if (!borrow_panels(0)) return 0;
    int count = 1;
#ifdef _OPENMP
    if (parts > 1) {
        /* The team may be smaller than asked for (OMP_THREAD_LIMIT, nesting): ask how large it is. */
        char left[MOST_THREADS];        /* parts of workers who found no memory */
#pragma omp parallel num_threads(parts)
        {
            const int index = omp_get_thread_num();
            if (index == 0) count = omp_get_num_threads();
            left[index] = index && !borrow_panels(index);
            if (!left[index]) run_part(call, index, omp_get_num_threads());
            if (index && !left[index]) give_panels(index);
        }
        for (int i = 1; i < count; i++)
            if (left[i]) run_part(call, i, count);
    }
#endif
    if (parts <= 1) run_part(call, 0, 1);
    else if (call->finish && count > 1) run_part(call, count, count);
    give_panels(0);
    return 1;
}

/* Parts of a worker, each worth 6 us or so, that are done without a look at the clock; and seconds of a step that is
 * short enough to be done so as a whole. Rounds are as few as that allows, and halves of halves: a kernel packs its
 * weights for each anew, and works on fewer rows. A 2048^3 product takes 162 ms in one piece and in four, 269 in 17. */
enum { LONG = 5000 };
static const double SHORT = 1e-3;

/* A call of a step that takes long: in rounds, each a part for every worker, if it takes long by itself. That changes
 * no bit of its results. 0: it is late, and there are rounds left. */
static int run_watched(Schedule *s, const Call *call, Team *team, double end)
{
    int rounds = 1;
    while (rounds < 8192 && rounds * (int64_t)LONG * team->count < call->parts) rounds *= 2;
    if (!s->parts && rounds == 1) {
        run(call, team);
        return 1;
    }
    if (!s->parts) s->parts = rounds * team->count;
    while (s->part < s->parts) {
        s->part += run_parts(call, (int)s->part, (int)s->parts, team);
        if (s->part < s->parts && now() > end) return 0;
    }
    if (call->finish) call->run(call, (Part){(int)s->parts, (int)s->parts});
    s->part = s->parts = 0;
    return 1;
}

/* A step that takes long, from where it is; 0: it is late, and there are calls left. */
static int step_watched(Schedule *s, const Program *program, Team *team, double end)
{
    if (!s->call && !s->parts)
        for (int64_t i = 0; i < program->kept_count; i++)
            memcpy(program->kept[i].copy, program->kept[i].tensor->data, program->kept[i].bytes);
    while (s->call < program->count) {
        if (!run_watched(s, &program->calls[s->call], team, end)) return 0;
        if (++s->call < program->count && now() > end) return 0;
    }
    s->call = 0;
    return 1;
}

int schedule_take_back(Schedule *s)
{
    if (!s->call && !s->parts) return 1;
    const Program *program = s->entries[s->entry].program;
    if (s->call > program->commit || (s->call == program->commit && s->part)) return 0;
    for (int64_t i = 0; i < program->kept_count; i++)
        memcpy(program->kept[i].tensor->data, program->kept[i].copy, program->kept[i].bytes);
    s->call = s->part = s->parts = 0;
    return 1;
}

/* Runs steps until the schedule is finished or the seconds are over, and remembers where it stopped: within a step only
 * if that takes long. The clock is read about once a millisecond: reading it costs as much as ten small calls. */
static int run_for(Schedule *s, double seconds, Team *team)
{
    const double begin = now(), end = seconds < 0 ? INFINITY : begin + seconds;
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
        Program *program = entry->program;
        const int resumed = s->call || s->parts;
        if (program->seconds > SHORT || resumed) {
            if (!step_watched(s, program, team, end)) return 0;
        } else {
            for (int64_t i = 0; i < program->count; i++)
                run(&program->calls[i], team);
        }
        s->time++;
        if (team->late >= TOO_LATE) return s->round == s->rounds;
        if (++steps < stride) continue;
        const double t = now();
        if (!resumed) program->seconds = (t - last) / steps;
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

#ifdef _OPENMP
/* With several workers, if all of them have memory for products: 1, and how far it went in *finished. */
static int run_divided(Schedule *schedule, double seconds, int threads, int *finished)
{
    Team team = {.count = 1};
    int without = 0;
#pragma omp parallel num_threads(threads)
    {
        const int index = omp_get_thread_num(), ready = borrow_panels(index);
        if (!ready) {
#pragma omp atomic
            without++;
        }
#pragma omp barrier
#pragma omp single
        team.count = omp_get_num_threads();      /* may be fewer than asked for; a barrier follows */
        if (without) {
        } else if (index == 0) {
            *finished = run_with_team(schedule, seconds, &team);
            call_team(&team, NULL, 0, 0, 0);
            wait_for_team(&team);
        } else {
            const uint64_t mode = set_mode();
            work(&team, index);
            restore_mode(mode);
        }
        if (ready) give_panels(index);
    }
    if (without) return 0;
    give_up_team(&team);
    return *finished || team.late < TOO_LATE;
}
#endif

int schedule_run(Schedule *schedule, double seconds, int threads)
{
    const int64_t most = most_parts(schedule);
    int finished = 0;
    if (most < threads) threads = (int)most;
#ifdef _OPENMP
    if (threads > 1 && now() >= alone_until) {
        threads = team_size(threads);
        if (threads > 1 && run_divided(schedule, seconds, threads, &finished)) return finished;
    }
#endif
    if (!borrow_panels(0)) return -1;
    finished = run_with_team(schedule, seconds, &(Team){.count = 1});
    give_panels(0);
    return finished;
}
