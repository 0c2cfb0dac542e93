/* dense.c: matrix products and what surrounds them in a dense layer; see fastnn/reference/dense.py. */
#include "gemm.h"

static void matmul(const Call *call, Part part)
{
    const float *a = input(call, 0);
    const float *b = input(call, 1);
    float *y = output(call, 0);
    const int64_t m = input_dim(call, 0, 0), k = input_dim(call, 0, 1), n = input_dim(call, 1, 1);

    gemm(&(Gemm){.a = a, .b = b, .c = y, .m = m, .n = n, .k = k, .a_row = k, .a_depth = 1, .b_depth = n, .b_column = 1},
         part);
}

static void matmul_nt(const Call *call, Part part)
{
    const float *a = input(call, 0);
    const float *b = input(call, 1);
    float *y = output(call, 0);
    const int64_t m = input_dim(call, 0, 0), k = input_dim(call, 0, 1), n = input_dim(call, 1, 0);

    gemm(&(Gemm){.a = a, .b = b, .c = y, .m = m, .n = n, .k = k, .a_row = k, .a_depth = 1, .b_depth = 1, .b_column = k},
         part);
}

static void matmul_tn(const Call *call, Part part)
{
    const float *a = input(call, 0);
    const float *b = input(call, 1);
    float *y = output(call, 0);
    const int64_t k = input_dim(call, 0, 0), m = input_dim(call, 0, 1), n = input_dim(call, 1, 1);

    gemm(&(Gemm){.a = a, .b = b, .c = y, .m = m, .n = n, .k = k, .a_row = 1, .a_depth = m, .b_depth = n, .b_column = 1,
                 .batch = 1},
         part);
}

static void dense(const Call *call, Part part)
{
    const float *x = input(call, 0);
    const float *w = input(call, 1);
    const float *b = input(call, 2);
    const int activation = (int)integer(call, 0);
    float *y = output(call, 0);
    const int64_t batch = input_dim(call, 0, 0), in = input_dim(call, 0, 1), out = input_dim(call, 1, 1);

    gemm(&(Gemm){.a = x, .b = w, .bias = b, .c = y, .m = batch, .n = out, .k = in, .a_row = in, .a_depth = 1,
                 .b_depth = out, .b_column = 1, .activation = activation}, part);
}

static void add_bias(const Call *call, Part part)
{
    const float *x = input(call, 0);
    const float *b = input(call, 1);
    float *y = output(call, 0);
    const int64_t n = input_size(call, 1);
    const Range rows = share_rows(n ? input_size(call, 0) / n : 0, part);

    for (int64_t r = rows.begin; r < rows.end; r++)
        for (int64_t j = 0; j < n; j++)
            y[r * n + j] = x[r * n + j] + b[j];
}

/* The product of a row of ones with x: 1 x + sum, fused or not, is the sum, rounded once. */
static void sum_rows(const Call *call, Part part)
{
    static const float one = 1;
    const float *x = input(call, 0);
    float *y = output(call, 0);
    const int64_t n = output_size(call, 0), rows = n ? input_size(call, 0) / n : 0;

    gemm(&(Gemm){.a = &one, .b = x, .c = y, .m = 1, .n = n, .k = rows, .b_depth = n, .b_column = 1, .batch = 1},
         part);
}

/* The study guide's chapter 2 prints weights that depend on every rounding: products and sums are rounded one by
 * one, as NumPy does it, never fused. */
#if defined(__clang__)
#define UNFUSED
#else
#define UNFUSED __attribute__((optimize("fp-contract=off")))
#endif
UNFUSED static void perceptron_step(const Call *call, Part part)
{
#if defined(__clang__)
#pragma clang fp contract(off)
#endif
    double *w = output(call, 0);
    const double *x = input(call, 1);
    const double *y = input(call, 2);
    const double learning_rate = number(call, 0);
    const int64_t rows = input_dim(call, 1, 0), n = input_dim(call, 1, 1);
    (void)part;

    for (int64_t r = 0; r < rows; r++, x += n) {
        double z = w[0];
        for (int64_t i = 0; i < n; i++) z += w[1 + i] * x[i];
        const double change = learning_rate * (y[r] - (z >= 0 ? 1 : 0));
        w[0] += change;
        for (int64_t i = 0; i < n; i++) w[1 + i] += change * x[i];
    }
}

extern const Kernel FAMILY(dense)[];
const Kernel FAMILY(dense)[] = {
    {"matmul(a, b)", matmul, TILES, 0.012},
    {"matmul_nt(a, b)", matmul_nt, TILES, 0.015},
    {"matmul_tn(a, b)", matmul_tn, TILES, 0.012, 1},
    {"dense(x, w, b, *, activation)", dense, TILES, 0.012},
    {"add_bias(x, b)", add_bias, ROWS, 0.1},
    {"sum_rows(x)", sum_rows, INPUTS, 0.06, 1},
    {"perceptron_step(w, x, y, *, learning_rate)", perceptron_step, WHOLE, 0},
    {0},
};
