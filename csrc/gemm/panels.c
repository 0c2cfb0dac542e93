/* panels.c: the memory that each worker packs operands into; see panels.h.
 *
 * It is allocated where a lack of it can be said: thread-local arrays would come into being at a worker's first
 * product, and where there is no memory for them, the C library ends the process. */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "gemm/panels.h"

enum { ALIGNMENT = 64, SPARE = 64 };

_Thread_local float *gemm_panels, *gemm_a_rows, *gemm_half;
static _Thread_local void *borrowed;
static _Atomic(void *) spare[SPARE];        /* what nobody has now */

int borrow_panels(int worker)
{
    void *memory = NULL;
    for (int i = 0; i < SPARE && !memory; i++) memory = atomic_exchange(&spare[(worker + i) % SPARE], NULL);
    if (!memory) memory = malloc(PANEL_BYTES + ALIGNMENT);
    if (!memory) return 0;
    borrowed = memory;
    gemm_panels = (float *)(((uintptr_t)memory + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    gemm_a_rows = gemm_panels + PANELS;
    gemm_half = gemm_a_rows + PACKED_ROWS;
    return 1;
}

void give_panels(int worker)
{
    for (int i = 0; i < SPARE; i++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong(&spare[(worker + i) % SPARE], &none, borrowed)) return;
    }
    free(borrowed);
}
