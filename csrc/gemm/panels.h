/* panels.h: the memory that each worker packs operands into. One set for all instruction sets: only one of them
 * runs. */
#ifndef GEMM_PANELS_H
#define GEMM_PANELS_H

enum {
    PANELS = 512 * 1024,              /* floats of a block of b, for gemm.c and for kernels that call multiply() */
    PACKED_ROWS = 16 * (512 + 16),    /* a tile's rows of a */
    HALF = 128 * 128                  /* the second half of a halved product, see gemm/sums.h */
};
/* Of the worker that asks; whoever runs calls has borrowed them for it. */
extern _Thread_local float *gemm_panels, *gemm_a_rows, *gemm_half;

/* Gives the worker its memory, if there is any: 0 if not. Each must be followed by give_panels() in the same worker.
 * A worker gets what the last one of its number had, if that is free: it may be in its cache. */
int borrow_panels(int worker);
void give_panels(int worker);

enum { PANEL_BYTES = (PANELS + PACKED_ROWS + HALF) * 4 };

#endif
