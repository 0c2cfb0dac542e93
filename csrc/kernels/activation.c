/* activation.c: activation functions and their gradients; see fastnn/reference/activation.py.
 * The formulas of the elementwise ones are in vector/activate.h. */
#include "vector/activate.h"

static void step(const Call *call, Part part) { map1(call, part, v_step); }
static void sigmoid(const Call *call, Part part) { map1(call, part, v_sigmoid); }
static void sigmoid_grad(const Call *call, Part part) { map2(call, part, v_sigmoid_grad); }
static void tanh_(const Call *call, Part part) { map1(call, part, v_tanh); }
static void tanh_grad(const Call *call, Part part) { map2(call, part, v_tanh_grad); }
static void relu(const Call *call, Part part) { map1(call, part, v_relu); }
static void relu_grad(const Call *call, Part part) { map2(call, part, v_relu_grad); }
static void relu6(const Call *call, Part part) { map1(call, part, v_relu6); }
static void relu6_grad(const Call *call, Part part) { map2(call, part, v_relu6_grad); }
static void leaky_relu(const Call *call, Part part) { map1_constant(call, part, v_leaky_relu); }
static void leaky_relu_grad(const Call *call, Part part) { map2_constant(call, part, v_leaky_relu_grad); }

static void clipped_relu(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);   /* (…) */
    const float slope = number(call, 0), threshold = number(call, 1), maximum = number(call, 2);
    float *restrict y = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) {
        const float below = slope * (x[i] - threshold);
        const float above = x[i] < maximum ? x[i] : maximum;
        y[i] = x[i] > threshold ? above : below;
    }
}

static void clipped_relu_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (…) */
    const float *restrict x = input(call, 1);    /* (…) */
    const float slope = number(call, 0), threshold = number(call, 1), maximum = number(call, 2);
    float *restrict dx = output(call, 0);        /* (…) */
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) {
        const float below = slope * dy[i];
        const float above = x[i] < maximum ? dy[i] : 0;
        dx[i] = x[i] > threshold ? above : below;
    }
}

static void elu(const Call *call, Part part) { map1_constant(call, part, v_elu); }
static void elu_grad(const Call *call, Part part) { map2_constant(call, part, v_elu_grad); }
static void selu(const Call *call, Part part) { map1(call, part, v_selu); }
static void selu_grad(const Call *call, Part part) { map2(call, part, v_selu_grad); }
static void celu(const Call *call, Part part) { map1_constant(call, part, v_celu); }
static void celu_grad(const Call *call, Part part) { map2_constant(call, part, v_celu_grad); }
static void gelu(const Call *call, Part part) { map1(call, part, v_gelu); }
static void gelu_grad(const Call *call, Part part) { map2(call, part, v_gelu_grad); }
static void gelu_tanh(const Call *call, Part part) { map1(call, part, v_gelu_tanh); }
static void gelu_tanh_grad(const Call *call, Part part) { map2(call, part, v_gelu_tanh_grad); }
static void silu(const Call *call, Part part) { map1(call, part, v_silu); }
static void silu_grad(const Call *call, Part part) { map2(call, part, v_silu_grad); }
static void softplus(const Call *call, Part part) { map1(call, part, v_softplus); }
static void softplus_grad(const Call *call, Part part) { map2(call, part, v_softplus_grad); }
static void softsign(const Call *call, Part part) { map1(call, part, v_softsign); }
static void softsign_grad(const Call *call, Part part) { map2(call, part, v_softsign_grad); }
static void mish(const Call *call, Part part) { map1(call, part, v_mish); }
static void mish_grad(const Call *call, Part part) { map2(call, part, v_mish_grad); }
static void hard_sigmoid(const Call *call, Part part) { map1(call, part, v_hard_sigmoid); }
static void hard_sigmoid_grad(const Call *call, Part part) { map2(call, part, v_hard_sigmoid_grad); }
static void hard_silu(const Call *call, Part part) { map1(call, part, v_hard_silu); }
static void hard_silu_grad(const Call *call, Part part) { map2(call, part, v_hard_silu_grad); }

static void prelu(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);       /* (batch, …) */
    const float *restrict alpha = input(call, 1);   /* (…) */
    float *restrict y = output(call, 0);            /* (batch, …) */
    const int64_t batch = output_dim(call, 0, 0), n = input_size(call, 1);
    const Range rows = share_rows(batch, part);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *from = x + row * n;
        float *to = y + row * n;
        for (int64_t i = 0; i < n; i++) {
            const float below = alpha[i] * from[i];    /* outside of ?:, or SSE2 code would branch */
            to[i] = from[i] > 0 ? from[i] : below;
        }
    }
}

static void prelu_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);      /* (batch, …) */
    const float *restrict x = input(call, 1);       /* (batch, …) */
    const float *restrict alpha = input(call, 2);   /* (…) */
    float *restrict dx = output(call, 0);           /* (batch, …) */
    const int64_t batch = output_dim(call, 0, 0), n = input_size(call, 2);
    const Range rows = share_rows(batch, part);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const int64_t first = row * n;
        for (int64_t i = 0; i < n; i++) {
            const float below = alpha[i] * dy[first + i];
            dx[first + i] = x[first + i] > 0 ? dy[first + i] : below;
        }
    }
}

/* Row after row into the sums, which stay in cache: a column at a time would touch a page per element. */
static void prelu_alpha_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);   /* (batch, …) */
    const float *restrict x = input(call, 1);    /* (batch, …) */
    float *restrict dalpha = output(call, 0);    /* (…) */
    const int64_t batch = input_dim(call, 1, 0), n = output_size(call, 0);
    const Range range = share_elements(n, part);

    for (int64_t i = range.begin; i < range.end; i++) dalpha[i] = 0;
    for (int64_t row = 0; row < batch; row++)
        for (int64_t i = range.begin; i < range.end; i++)
            dalpha[i] += dy[row * n + i] * (x[row * n + i] > 0 ? 0 : x[row * n + i]);
}

extern const Kernel FAMILY(activation)[];
const Kernel FAMILY(activation)[] = {
    {"step(x)", step},
    {"sigmoid(x)", sigmoid},
    {"sigmoid_grad(dy, y)", sigmoid_grad},
    {"tanh(x)", tanh_},
    {"tanh_grad(dy, y)", tanh_grad},
    {"relu(x)", relu},
    {"relu_grad(dy, y)", relu_grad},
    {"relu6(x)", relu6},
    {"relu6_grad(dy, y)", relu6_grad},
    {"leaky_relu(x, *, slope)", leaky_relu},
    {"leaky_relu_grad(dy, x, *, slope)", leaky_relu_grad},
    {"clipped_relu(x, *, slope, threshold, maximum)", clipped_relu},
    {"clipped_relu_grad(dy, x, *, slope, threshold, maximum)", clipped_relu_grad},
    {"elu(x, *, alpha)", elu},
    {"elu_grad(dy, x, *, alpha)", elu_grad},
    {"selu(x)", selu},
    {"selu_grad(dy, x)", selu_grad},
    {"celu(x, *, alpha)", celu},
    {"celu_grad(dy, x, *, alpha)", celu_grad},
    {"gelu(x)", gelu},
    {"gelu_grad(dy, x)", gelu_grad},
    {"gelu_tanh(x)", gelu_tanh},
    {"gelu_tanh_grad(dy, x)", gelu_tanh_grad},
    {"silu(x)", silu},
    {"silu_grad(dy, x)", silu_grad},
    {"softplus(x)", softplus},
    {"softplus_grad(dy, x)", softplus_grad},
    {"softsign(x)", softsign},
    {"softsign_grad(dy, x)", softsign_grad},
    {"mish(x)", mish},
    {"mish_grad(dy, x)", mish_grad},
    {"hard_sigmoid(x)", hard_sigmoid},
    {"hard_sigmoid_grad(dy, x)", hard_sigmoid_grad},
    {"hard_silu(x)", hard_silu},
    {"hard_silu_grad(dy, x)", hard_silu_grad},
    {"prelu(x, alpha)", prelu},
    {"prelu_grad(dy, x, alpha)", prelu_grad},
    {"prelu_alpha_grad(dy, x)", prelu_alpha_grad},
    {0},
};
