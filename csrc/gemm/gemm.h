/* gemm.h: the one matrix product behind matmul, matmul_nt, matmul_tn and dense.
 *
 * c = activation(a b + bias), row-major float32. Transposed operands are only other strides:
 *     a[i][p] is a[i * a_row + p * a_depth]          i < m rows, p < k depth
 *     b[p][j] is b[p * b_depth + j * b_column]       j < n columns; b_depth or b_column is 1
 *
 * Every element of c is one chain of multiply-adds over p = 0, 1, ... k-1 that starts at its bias (or
 * at zero), wherever the tiles, the blocks and the workers' shares are cut: so the bits depend on
 * nothing but the operands, and on whether the instruction set has fused multiply-add.
 * Long sums may be several such chains: over a batch (`batch`: gradients of weights and biases) as many
 * as m, n and k say, else as many as n and k say; gemm/sums.h has them. So the bits of a prediction do
 * not depend on how many rows are predicted together. A chain of more than LONG multiply-adds would drift (a million
 * times 0.1 is 0.35 % off): it is cut into chains of about DEPTH, whose sums are added with Kahan's correction.
 */
#ifndef GEMM_H
#define GEMM_H

#include "fastnn.h"

typedef struct Gemm {
    const float *a, *b, *bias;   /* bias: (n,), or NULL */
    float *c;                    /* (m, n) */
    float *scratch;              /* gemm_scratch() floats that all workers see; see gemm/sums.h */
    float *lost;                 /* gemm()'s own, of long sums: (m, n), see add_keeping; or NULL */
    int64_t m, n, k;
    int64_t a_row, a_depth, b_depth, b_column;
    int activation;              /* LINEAR, RELU, ... */
    int batch;                   /* whether k counts the rows of a batch; no activation then */
} Gemm;

/* Computes this worker's block of c. With part.index == part.count, which is the call after all workers are done, it
 * adds up what they left in the scratch: a kernel that calls it says FINISH. */
#define gemm ISA_NAME(gemm)
#define gemm_scratch ISA_NAME(gemm_scratch)
#define gemm_row_scratch ISA_NAME(gemm_row_scratch)
void gemm(const Gemm *g, Part part);
int64_t gemm_scratch(const Gemm *g);
int64_t gemm_row_scratch(const Gemm *g);    /* per row of c, where each worker calls gemm() with {0, 1} */

#endif
