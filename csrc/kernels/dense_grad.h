/* dense_grad.h: the gradients of a small dense layer in one pass over the batch. For kernels/dense.c only. */
#ifndef FASTNN_DENSE_GRAD_H
#define FASTNN_DENSE_GRAD_H

#include "vector/activate.h"

typedef struct Layer {
    const float *x;          /* (batch, in) */
    const float *dy, *y;     /* (batch, out) */
    float *dz;               /* (batch, out), or NULL where it is dy */
    float *dw;               /* (in, out) */
    float *db;               /* (out,) */
    float *scratch;
    int64_t batch, in, out;
    int activation;
} Layer;

INLINE V v_activation_grad(V dy, V y, int activation)
{
    switch (activation) {
    case RELU: return v_relu_grad(dy, y);
    case TANH: return v_tanh_grad(dy, y);
    case SIGMOID: return v_sigmoid_grad(dy, y);
    }
    return dy;
}

/* The first `rows` rows of dw stay in registers, as does db, whose rows are added in the order of gemm/sums.h: a
 * quarter of the batch at a time, from 17 rows on. out <= WIDTH. */
INLINE void gradient_rows_(const int rows, const Layer *l)
{
    V dw[16], db = {0};
    const int64_t quarters = l->batch > 16 ? 4 : 1, quarter = l->batch / quarters, out = l->out, in = l->in;
    const float *x = l->x, *dy = l->dy, *y = l->y;
    float *dz = l->dz;

    UNROLLED(16) for (int i = 0; i < rows; i++) dw[i] = (V){0};
    for (int64_t q = 0; q < quarters; q++) {
        V sum = {0};
        for (int64_t p = q < quarters - 1 ? quarter : l->batch - q * quarter; p > 0; p--) {
            V d = v_load_part(dy, out, 0);
            if (dz) {
                d = v_activation_grad(d, v_load_part(y, out, 0), l->activation);
                v_store_part(dz, d, out);
                dz += out;
            }
            sum += d;
            UNROLLED(16) for (int i = 0; i < rows; i++) dw[i] += x[i] * d;
            x += in;
            dy += out;
            y += out;
        }
        db = q ? db + sum : sum;
    }
    v_store_part(l->db, db, out);
    UNROLLED(16) for (int i = 0; i < rows; i++) v_store_part(l->dw + i * out, dw[i], out);
}

/* The same for one output and in <= WIDTH, the vectors along the inputs: four chains from 17 rows on, as sum_row
 * has. */
static void gradient_column(const Layer *l)
{
    V dw[4] = {{0}};
    float db[4] = {0};
    const int64_t quarter = l->batch > 16 ? l->batch / 4 : 0, in = l->in;
    const float *x = l->x, *dz = l->dz ? l->dz : l->dy;
    int64_t p = 0;

    for (; p < quarter; p++)
        UNROLLED(4) for (int chain = 0; chain < 4; chain++) {
            const float d = dz[chain * quarter + p];
            dw[chain] += d * v_load_part(x + (chain * quarter + p) * in, in, 0);
            db[chain] += d;
        }
    for (p *= 4; p < l->batch; p++) {
        dw[3] += dz[p] * v_load_part(x + p * in, in, 0);
        db[3] += dz[p];
    }
    v_store_part(l->dw, ((dw[0] + dw[1]) + dw[2]) + dw[3], in);
    *l->db = ((db[0] + db[1]) + db[2]) + db[3];
}

#define GRADIENT_ROWS(rows) static void gradient_rows_##rows(const Layer *l) { gradient_rows_(rows, l); }
GRADIENT_ROWS(1) GRADIENT_ROWS(2) GRADIENT_ROWS(3) GRADIENT_ROWS(4) GRADIENT_ROWS(5) GRADIENT_ROWS(6) GRADIENT_ROWS(7)
GRADIENT_ROWS(8)
#ifdef __AVX512F__
GRADIENT_ROWS(9) GRADIENT_ROWS(10) GRADIENT_ROWS(11) GRADIENT_ROWS(12) GRADIENT_ROWS(13) GRADIENT_ROWS(14)
GRADIENT_ROWS(15) GRADIENT_ROWS(16)
enum { SUM_ROWS = 16 };
#else
enum { SUM_ROWS = 8 };
#endif
static void (*const gradient_rows[SUM_ROWS])(const Layer *l) = {
    gradient_rows_1, gradient_rows_2, gradient_rows_3, gradient_rows_4, gradient_rows_5, gradient_rows_6,
    gradient_rows_7, gradient_rows_8,
#ifdef __AVX512F__
    gradient_rows_9, gradient_rows_10, gradient_rows_11, gradient_rows_12, gradient_rows_13, gradient_rows_14,
    gradient_rows_15, gradient_rows_16,
#endif
};

#endif
