/* arm64.c: products and functions of the C kernels against plain loops, for a CPU that only an emulator has here; see
 * tests/test_emulated.py. Prints what it checked; exit status 1 where something is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/program.h"

enum { MOST = 160 * 160 };

static const Kernel *find(const char *start)
{
    for (Registry family = isa_registry(0); *family; family++)
        for (const Kernel *kernel = *family; kernel->signature; kernel++)
            if (strncmp(kernel->signature, start, strlen(start)) == 0) return kernel;
    printf("there is no %s\n", start);
    exit(1);
}

static Tensor matrix(float *data, int64_t rows, int64_t columns)
{
    return (Tensor){.data = data, .size = rows * columns, .shape = {rows, columns}, .rank = 2, .dtype = F32};
}

/* Whole numbers: sums are exact in any order. */
static void fill(float *x, int64_t n, unsigned seed)
{
    for (int64_t i = 0; i < n; i++) x[i] = (int)((seed = seed * 1664525u + 1013904223u) >> 24) % 17 - 8;
}

static int wrong_products(const char *name, int a_transposed, int b_transposed, int64_t m, int64_t k, int64_t n)
{
    static float a[MOST], b[MOST], y[MOST];
    const Kernel *kernel = find(name);
    Tensor ta = a_transposed ? matrix(a, k, m) : matrix(a, m, k), tb = b_transposed ? matrix(b, n, k) : matrix(b, k, n);
    Tensor ty = matrix(y, m, n);
    Tensor *const inputs[] = {&ta, &tb}, *const outputs[] = {&ty};
    const Call call = {.run = kernel->run, .inputs = inputs, .outputs = outputs, .parts = 1, .finish = kernel->finish};
    int wrong = 0;

    fill(a, m * k, 1), fill(b, k * n, 2);
    call_run(&call, 1);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            float sum = 0;
            for (int64_t p = 0; p < k; p++)
                sum += a[a_transposed ? p * m + i : i * k + p] * b[b_transposed ? j * k + p : p * n + j];
            wrong += sum != y[i * n + j];
        }
    if (wrong) printf("%s: %d of (%d x %d)(%d x %d) are wrong\n", name, wrong, (int)m, (int)k, (int)k, (int)n);
    return wrong;
}

static int wrong_functions(const char *name, double (*judge)(double))
{
    static float x[4001], y[4001];
    const Kernel *kernel = find(name);
    Tensor tx = matrix(x, 1, 4001), ty = matrix(y, 1, 4001);
    Tensor *const inputs[] = {&tx}, *const outputs[] = {&ty};
    const Call call = {.run = kernel->run, .inputs = inputs, .outputs = outputs, .parts = 1};
    int wrong = 0;

    for (int i = 0; i < 4001; i++) x[i] = (i - 2000) / 200.0f;
    call_run(&call, 1);
    for (int i = 0; i < 4001; i++) wrong += !(fabs(y[i] - judge(x[i])) <= 4e-7 * fabs(judge(x[i])));
    if (wrong) printf("%s: %d of 4001 are wrong\n", name, wrong);
    return wrong;
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

int main(void)
{
    static const int64_t sizes[] = {1, 2, 5, 7, 8, 9, 17, 64, 129};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    int wrong = 0;

    for (int i = 0; i < COUNT; i++)
        for (int p = 0; p < COUNT; p++)
            for (int j = 0; j < COUNT; j++) {
                wrong += wrong_products("matmul(", 0, 0, sizes[i], sizes[p], sizes[j]);
                wrong += wrong_products("matmul_tn(", 1, 0, sizes[i], sizes[p], sizes[j]);
                wrong += wrong_products("matmul_nt(", 0, 1, sizes[i], sizes[p], sizes[j]);
            }
    wrong += wrong_functions("exp(", exp) + wrong_functions("tanh(", tanh) + wrong_functions("sigmoid(", sigmoid);
    printf("%s: %d products, 3 functions\n", isa_name(0), 3 * COUNT * COUNT * COUNT);
    return wrong != 0;
}
