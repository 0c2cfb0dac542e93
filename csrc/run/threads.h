/* threads.h: how many threads there are, and can be. For program.c; program.h has what Python asks. */
#ifndef FASTNN_THREADS_H
#define FASTNN_THREADS_H

enum { MOST_THREADS = 1024 };       /* LIMIT in fastnn/engine/threads.py */

/* The largest team, up to `wanted`, that OpenMP can be asked for now without ending the process. */
int team_size(int wanted);

#endif
