/* dense.c: matrix products and what surrounds them in a dense layer; see fastnn/reference/dense.py. */
#include "kernels/dense_grad.h"
#include "gemm/gemm.h"

/* y = a b, with a (…, m, k) and b (…, k, n), of stacks the first; nt has b (…, n, k), tn has a (…, k, m). INLINE: a
 * Gemm that is given back by a call is copied, which takes 40 ns. */
INLINE Gemm product_of(const Call *call)
{
    const int rank = call->outputs[0]->rank;
    const int64_t m = input_dim(call, 0, rank - 2), k = input_dim(call, 0, rank - 1), n = input_dim(call, 1, rank - 1);
    return (Gemm){.a = input(call, 0), .b = input(call, 1), .c = output(call, 0), .scratch = call->scratch, .m = m,
                  .n = n, .k = k, .a_row = k, .a_depth = 1, .b_depth = n, .b_column = 1};
}

INLINE Gemm product_nt_of(const Call *call)
{
    const int rank = call->outputs[0]->rank;
    const int64_t m = input_dim(call, 0, rank - 2), k = input_dim(call, 0, rank - 1), n = input_dim(call, 1, rank - 2);
    return (Gemm){.a = input(call, 0), .b = input(call, 1), .c = output(call, 0), .scratch = call->scratch, .m = m,
                  .n = n, .k = k, .a_row = k, .a_depth = 1, .b_depth = 1, .b_column = k};
}

/* batch: whether k is the batch, as in a gradient of weights. */
INLINE Gemm product_tn(const Call *call, int batch)
{
    const int rank = call->outputs[0]->rank;
    const int64_t k = input_dim(call, 0, rank - 2), m = input_dim(call, 0, rank - 1), n = input_dim(call, 1, rank - 1);
    return (Gemm){.a = input(call, 0), .b = input(call, 1), .c = output(call, 0), .scratch = call->scratch, .m = m,
                  .n = n, .k = k, .a_row = 1, .a_depth = m, .b_depth = n, .b_column = 1, .batch = batch};
}

INLINE Gemm product_tn_of(const Call *call) { return product_tn(call, 1); }
INLINE Gemm products_tn_of(const Call *call) { return product_tn(call, 0); }

/* The products of two stacks, `one` being the first: a worker takes rows of c, those of all products counted in a row,
 * so that many small products and few large ones are both shared. Which rows are multiplied together changes no bit. */
static void products(const Call *call, Gemm one, Part part)
{
    const int rank = call->outputs[0]->rank;
    const int64_t a_step = inner_size(call->inputs[0], rank - 2), b_step = inner_size(call->inputs[1], rank - 2);
    const int64_t size = one.m * one.n, count = size ? output_size(call, 0) / size : 0;
    const int64_t scratch = gemm_row_scratch(&one);
    const Range rows = share_rows(count * one.m, part);

    for (int64_t row = rows.begin, some; row < rows.end; row += some) {
        const int64_t i = row / one.m, first = row % one.m;
        Gemm g = one;
        some = one.m - first < rows.end - row ? one.m - first : rows.end - row;
        g.a += i * a_step + first * one.a_row;
        g.b += i * b_step;
        g.c += row * one.n;
        g.scratch = call->scratch + row * scratch;
        g.m = some;
        gemm(&g, (Part){0, 1});
    }
}

static int64_t products_scratch(const Call *call, Gemm one)
{
    return one.n ? output_size(call, 0) / one.n * gemm_row_scratch(&one) : 0;
}

/* y = a b for every matrix of a (…, m, k) and b (…, k, n); nt has b (…, n, k), tn has a (…, k, m). */
static void batch_matmul(const Call *call, Part part) { products(call, product_of(call), part); }
static void batch_matmul_nt(const Call *call, Part part) { products(call, product_nt_of(call), part); }
static void batch_matmul_tn(const Call *call, Part part) { products(call, products_tn_of(call), part); }
static int64_t batch_matmul_scratch(const Call *call) { return products_scratch(call, product_of(call)); }
static int64_t batch_matmul_nt_scratch(const Call *call) { return products_scratch(call, product_nt_of(call)); }
static int64_t batch_matmul_tn_scratch(const Call *call) { return products_scratch(call, products_tn_of(call)); }

/* y = activation(x w + b), with x (batch, in), w (in, out) and b (out,). Written in one piece: a product_of() that is
 * changed afterwards is copied in vectors over fields just stored, and waiting for those takes 11 ns. */
static Gemm dense_of(const Call *call)
{
    const int64_t m = input_dim(call, 0, 0), k = input_dim(call, 0, 1), n = input_dim(call, 1, 1);
    return (Gemm){.a = input(call, 0), .b = input(call, 1), .bias = input(call, 2), .c = output(call, 0),
                  .scratch = call->scratch, .m = m, .n = n, .k = k, .a_row = k, .a_depth = 1, .b_depth = n,
                  .b_column = 1, .activation = (int)integer(call, 0)};
}

/* y = the sums of x (rows, n) over its rows: the product of a row of ones with x. 1 x + sum, fused or not, is the sum,
 * rounded once. */
static Gemm sums_of(const Call *call)
{
    static const float one = 1;
    const int64_t n = output_size(call, 0), rows = n ? input_size(call, 0) / n : 0;
    return (Gemm){.a = &one, .b = input(call, 0), .c = output(call, 0), .scratch = call->scratch, .m = 1, .n = n,
                  .k = rows, .b_depth = n, .b_column = 1, .batch = 1};
}

static void matmul(const Call *call, Part part) { const Gemm g = product_of(call); gemm(&g, part); }
static void matmul_nt(const Call *call, Part part) { const Gemm g = product_nt_of(call); gemm(&g, part); }
static void matmul_tn(const Call *call, Part part) { const Gemm g = product_tn_of(call); gemm(&g, part); }
static void dense(const Call *call, Part part) { const Gemm g = dense_of(call); gemm(&g, part); }
static void sum_rows(const Call *call, Part part) { const Gemm g = sums_of(call); gemm(&g, part); }
static int64_t matmul_scratch(const Call *call) { const Gemm g = product_of(call); return gemm_scratch(&g); }
static int64_t matmul_nt_scratch(const Call *call) { const Gemm g = product_nt_of(call); return gemm_scratch(&g); }
static int64_t matmul_tn_scratch(const Call *call) { const Gemm g = product_tn_of(call); return gemm_scratch(&g); }
static int64_t dense_scratch(const Call *call) { const Gemm g = dense_of(call); return gemm_scratch(&g); }
static int64_t sum_rows_scratch(const Call *call) { const Gemm g = sums_of(call); return gemm_scratch(&g); }

static void add_bias(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…, n) */
    const float *restrict b = input(call, 1);   /* (n,) */
    float *restrict y = output(call, 0);        /* (…, n) */
    const int64_t n = input_size(call, 1);
    const Range rows = share_rows(n ? input_size(call, 0) / n : 0, part);

    for (int64_t r = rows.begin; r < rows.end; r++)
        for (int64_t j = 0; j < n; j++)
            y[r * n + j] = x[r * n + j] + b[j];
}

/* dz, dw and db of a small layer, in one call and on one worker; with the bits of relu_grad or its like, matmul_tn and
 * sum_rows, which take 39 ns for the sums of 32 rows alone. */
static void dense_gradients(const Layer *l, Part part)
{
    static const float one = 1;
    const float *dz = l->dz ? l->dz : l->dy;
    int64_t done = 0;      /* rows of dw */

    if (l->batch <= 512 && l->in > 1 && l->out > 1 && l->out <= WIDTH) {
        done = l->in <= SUM_ROWS ? l->in : SUM_ROWS - (l->in == SUM_ROWS + 1);  /* gemm adds one row in another order */
        gradient_rows[done - 1](l);
    } else {
        if (l->dz) activate_grad(l->dz, l->dy, l->y, l->batch * l->out, l->activation);
        if (l->batch <= 512 && l->out == 1 && l->in <= WIDTH) {
            gradient_column(l);
            return;
        }
        gemm(&(Gemm){.a = &one, .b = dz, .c = l->db, .scratch = l->scratch, .m = 1, .n = l->out, .k = l->batch,
                     .b_depth = l->out, .b_column = 1, .batch = 1}, part);
    }
    if (done < l->in)
        gemm(&(Gemm){.a = l->x + done, .b = dz, .c = l->dw + done * l->out, .scratch = l->scratch, .m = l->in - done,
                     .n = l->out, .k = l->batch, .a_row = 1, .a_depth = l->in, .b_depth = l->out, .b_column = 1,
                     .batch = 1}, part);
}

static void weights_grad(const Call *call, Part part)
{
    dense_gradients(&(Layer){.x = input(call, 0), .dy = input(call, 1), .y = input(call, 1), .dw = output(call, 0),
                             .db = output(call, 1), .scratch = call->scratch, .batch = input_dim(call, 0, 0),
                             .in = input_dim(call, 0, 1), .out = input_dim(call, 1, 1), .activation = LINEAR}, part);
}

static void dense_grad(const Call *call, Part part)
{
    dense_gradients(&(Layer){.x = input(call, 0), .dy = input(call, 1), .y = input(call, 2), .dz = output(call, 0),
                             .dw = output(call, 1), .db = output(call, 2), .scratch = call->scratch,
                             .batch = input_dim(call, 0, 0), .in = input_dim(call, 0, 1), .out = input_dim(call, 1, 1),
                             .activation = (int)integer(call, 0)}, part);
}

/* For dw or db, which are computed one after the other. */
static int64_t gradients_scratch(const Call *call)
{
    Gemm g = {.m = input_dim(call, 0, 1), .n = input_dim(call, 1, 1), .k = input_dim(call, 0, 0), .batch = 1};
    const int64_t dw = gemm_scratch(&g);
    g.m = 1;
    const int64_t db = gemm_scratch(&g);
    return dw > db ? dw : db;
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
    double *restrict w = output(call, 0);        /* (n + 1,) */
    const double *restrict x = input(call, 1);   /* (rows, n) */
    const double *restrict y = input(call, 2);   /* (rows,) */
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
    {"matmul(a, b)", matmul, FINISH, matmul_scratch},
    {"matmul_nt(a, b)", matmul_nt, FINISH, matmul_nt_scratch},
    {"matmul_tn(a, b)", matmul_tn, FINISH, matmul_tn_scratch},
    {"batch_matmul(a, b)", batch_matmul, 0, batch_matmul_scratch},
    {"batch_matmul_nt(a, b)", batch_matmul_nt, 0, batch_matmul_nt_scratch},
    {"batch_matmul_tn(a, b)", batch_matmul_tn, 0, batch_matmul_tn_scratch},
    {"dense(x, w, b, *, activation)", dense, FINISH, dense_scratch},
    {"add_bias(x, b)", add_bias},
    {"sum_rows(x)", sum_rows, FINISH, sum_rows_scratch},
    {"weights_grad(x, dz)", weights_grad, WHOLE, gradients_scratch},
    {"dense_grad(x, dy, y, *, activation)", dense_grad, WHOLE, gradients_scratch},
    {"perceptron_step(w, x, y, *, learning_rate)", perceptron_step, WHOLE},
    {0},
};
