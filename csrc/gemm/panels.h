/* panels.h: the memory that each worker packs operands into. One set for all instruction sets: only one of them
 * runs. */
#ifndef GEMM_PANELS_H
#define GEMM_PANELS_H

enum {
    PANELS = 512 * 1024,              /* floats of a block of b, for gemm.c and for kernels that call multiply() */
    PACKED_ROWS = 16 * (512 + 16),    /* a tile's rows of a */
    HALF = 128 * 128                  /* the second half of a halved product, see gemm/sums.h */
};
extern _Thread_local float gemm_panels[PANELS], gemm_a_rows[PACKED_ROWS], gemm_half[HALF];

#endif
