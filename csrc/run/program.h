/* program.h: what the Python module runs: calls, and schedules of programs; and what it asks about threads. */
#ifndef FASTNN_PROGRAM_H
#define FASTNN_PROGRAM_H

#include "fastnn.h"

/* A tensor that a step overwrites early, with the memory for what it was before. */
typedef struct Kept {
    const Tensor *tensor;
    int64_t bytes;
    void *copy;
} Kept;

typedef struct Program {
    const Call *calls;
    int64_t count;
    int64_t commit;         /* what the calls before this one overwrite is kept: a step left there is taken back */
    const Kept *kept;
    int64_t kept_count;
    double seconds;         /* what a step took lately */
} Program;

typedef struct Entry {
    Program *program;
    int64_t times;
} Entry;

/* A schedule runs its entries in order, each `times` times, and all of that `rounds` times. */
typedef struct Schedule {
    const Entry *entries;
    int64_t count, rounds;
    int64_t round, entry, time;     /* where it is: before this step, */
    int64_t call, part, parts;      /* or within it: before this call, or part of so many of it */
} Schedule;

int call_run(const Call *call, int threads);        /* 0: no memory */

/* 1: finished, 0: out of time, perhaps within a step, -1: no memory. Below 0 seconds: to the end of the step. */
int schedule_run(Schedule *schedule, double seconds, int threads);
int schedule_take_back(Schedule *schedule);     /* to where the step began; 0 if it is too late for that */

/* threads.c */
int openmp_threads(void);       /* 0 when built without OpenMP */
int openmp_binds(void);         /* whether it keeps each thread on CPUs of its own (OMP_PROC_BIND) */
void openmp_pause(void);

#endif
