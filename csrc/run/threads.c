/* threads.c: what OpenMP has and may be asked for. */
#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>
#endif
#include <stdlib.h>

#include "run/program.h"
#include "run/threads.h"

#ifdef _OPENMP
enum { ROOM = 1 << 20 };        /* bytes that there should be for what OpenMP and new threads allocate */

/* The team that this thread ran last: OpenMP keeps its threads, and ends those that a smaller team has no use for. */
static _Thread_local int had = 1;

static void *wait_at(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* How many of `wanted` threads can be made, all at the same time; they are gone afterwards. */
static int makeable(int wanted)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t *threads = malloc(wanted * sizeof *threads);
    void *room = malloc(ROOM);
    int made = 0;

    pthread_mutex_lock(&gate);
    if (threads && room)
        while (made < wanted && pthread_create(&threads[made], NULL, wait_at, &gate) == 0) made++;
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < made; i++) pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&gate);
    free(room);
    free(threads);
    return made;
}

/* Where OpenMP cannot make a thread it ends the process. So threads are made before it makes as many: twice as many,
 * as the system may count those that have just ended for a moment. */
int team_size(int wanted)
{
    if (wanted > MOST_THREADS) wanted = MOST_THREADS;
    if (wanted > had) had += makeable(2 * (wanted - had)) / 2;
    if (wanted < had) had = wanted;
    return had;
}

int openmp_threads(void) { return omp_get_max_threads(); }
int openmp_binds(void) { return omp_get_proc_bind() != omp_proc_bind_false; }

/* Ends the worker threads, so that a fork leaves no half-copied pool behind; the next parallel region
 * starts new ones. */
void openmp_pause(void)
{
#if _OPENMP >= 201811 || __GNUC__ >= 9      /* gcc has it since 9, but says 201511 */
    omp_pause_resource_all(omp_pause_hard);
    had = 1;
#endif
}
#else
int team_size(int wanted)
{
    (void)wanted;
    return 1;
}

int openmp_threads(void) { return 0; }
int openmp_binds(void) { return 0; }
void openmp_pause(void) {}
#endif
