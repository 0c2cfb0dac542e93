/* panels.c: the memory that each worker packs operands into; see panels.h. */
#include "gemm/panels.h"

_Thread_local float gemm_panels[PANELS] __attribute__((aligned(64)));
_Thread_local float gemm_a_rows[PACKED_ROWS] __attribute__((aligned(64)));
_Thread_local float gemm_half[HALF] __attribute__((aligned(64)));
