/* optimizer.c: one pass over the flat vectors of weights, gradients and slots; see fastnn/reference/optimizer.py.
 * The updated inputs are the outputs: the same memory. */
#include "kernels/squares.h"
#include "vector/simd.h"

static float scalar(const Call *call, int i) { return *(const float *)input(call, i); }

static void sgd_step(const Call *call, Part part)
{
    float *restrict w = output(call, 0);        /* (…) */
    const float *restrict g = input(call, 1);   /* (…) */
    const float lr = scalar(call, 2);
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++)
        w[i] -= lr * g[i];
}

static void momentum_step(const Call *call, Part part)
{
    float *restrict w = output(call, 0);        /* (…) */
    const float *restrict g = input(call, 1);   /* (…) */
    float *restrict v = output(call, 1);        /* (…) */
    const float lr = scalar(call, 3);
    const float momentum = number(call, 0);
    const int64_t nesterov = integer(call, 1);
    const Range range = share_elements(output_size(call, 0), part);

    if (nesterov)
        for (int64_t i = range.begin; i < range.end; i++) {
            v[i] = momentum * v[i] - lr * g[i];
            w[i] += momentum * v[i] - lr * g[i];
        }
    else
        for (int64_t i = range.begin; i < range.end; i++) {
            v[i] = momentum * v[i] - lr * g[i];
            w[i] += v[i];
        }
}

static void rmsprop_step(const Call *call, Part part)
{
    float *restrict w = output(call, 0);        /* (…) */
    const float *restrict g = input(call, 1);   /* (…) */
    float *restrict v = output(call, 1);        /* (…) */
    const float lr = scalar(call, 3);
    const float rho = number(call, 0), rest = 1 - number(call, 0);
    const float epsilon = number(call, 1);
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) {
        v[i] = rho * v[i] + rest * (g[i] * g[i]);
        w[i] -= lr * g[i] / sqrtf(v[i] + epsilon);
    }
}

static void rmsprop_full_step(const Call *call, Part part)
{
    float *restrict w = output(call, 0);        /* (…) */
    const float *restrict g = input(call, 1);   /* (…) */
    float *restrict v = output(call, 1);        /* (…) */
    float *restrict a = output(call, 2);        /* (…) */
    float *restrict m = output(call, 3);        /* (…) */
    const float lr = scalar(call, 5);
    const float rho = number(call, 0), rest = 1 - number(call, 0);
    const float momentum = number(call, 1);
    const float epsilon = number(call, 2);
    const int64_t centered = integer(call, 3);
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) {
        v[i] = rho * v[i] + rest * (g[i] * g[i]);
        const float mean = rho * a[i] + rest * g[i];
        const float spread = centered ? v[i] - mean * mean : v[i];
        const float change = lr * g[i] / sqrtf(spread + epsilon);
        const float moved = momentum * m[i] + change;
        a[i] = centered ? mean : a[i];
        m[i] = momentum > 0 ? moved : m[i];
        w[i] -= momentum > 0 ? moved : change;
    }
}

typedef double Pair __attribute__((vector_size(16)));
typedef int64_t PairI __attribute__((vector_size(16)));

/* The step size with both bias corrections. The powers come from squaring, each product rounded once: two pow() were
 * 20 of the 33 ns of a small step. No branch asks for a bit of the step, since nobody could guess it: that took another
 * 40 ns, in a real step only, where the bits change. */
static float adam_rate(double lr, int64_t step, double beta_1, double beta_2)
{
    const Pair one = {1, 1};
    Pair power = one, square = {beta_1, beta_2};
    for (uint64_t n = (uint64_t)step + 1; n; n >>= 2)
        for (int bit = 0; bit < 2; bit++) {
            const int64_t set = -(int64_t)(n >> bit & 1);
            const PairI mask = {set, set};
            power *= (Pair)((mask & (PairI)square) | (~mask & (PairI)one));
            square *= square;
        }
    return lr * sqrt(1 - power[1]) / (1 - power[0]);
}

/* The root of x >= 0. With AVX-512 an estimate and one step of Newton's method, 1 ulp off: square roots and divisions
 * wait for one unit, so that a step of 641 weights took 250 ns with both instructions and 190 with one. */
INLINE V v_root(V x)
{
#ifdef __AVX512F__
    x = v_min(v_splat(3.40282347e38f), x);
    const V inverse = (V)_mm512_rsqrt14_ps((__m512)v_max(v_splat(1.17549435e-38f), x));
    const V root = x * inverse;
    return root + (x - root * root) * (0.5f * inverse);
#else
    V root;
    for (int i = 0; i < WIDTH; i++) root[i] = sqrtf(x[i]);
    return root;
#endif
}

static void adam_step(const Call *call, Part part)
{
    float *restrict w = output(call, 0);        /* (…) */
    const float *restrict g = input(call, 1);   /* (…) */
    float *restrict m = output(call, 1);        /* (…) */
    float *restrict v = output(call, 2);        /* (…) */
    const float lr = scalar(call, 4);
    const int64_t step = *(const int64_t *)input(call, 5);
    const double beta_1 = number(call, 0), beta_2 = number(call, 1);
    const float epsilon = number(call, 2);
    const float rate = adam_rate(lr, step, beta_1, beta_2), rest_1 = 1 - beta_1, rest_2 = 1 - beta_2;
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i += WIDTH) {
        const int64_t n = range.end - i;
        const V gradient = v_load_part(g + i, n, 0);
        V mean = v_load_part(m + i, n, 0), square = v_load_part(v + i, n, 0);
        mean += (gradient - mean) * rest_1;
        square += (gradient * gradient - square) * rest_2;
        v_store_part(m + i, mean, n);
        v_store_part(v + i, square, n);
        v_store_part(w + i, v_load_part(w + i, n, 0) - mean * rate / (v_root(square) + epsilon), n);
    }
}

static void adam_amsgrad_step(const Call *call, Part part)
{
    float *restrict w = output(call, 0);        /* (…) */
    const float *restrict g = input(call, 1);   /* (…) */
    float *restrict m = output(call, 1);        /* (…) */
    float *restrict v = output(call, 2);        /* (…) */
    float *restrict vhat = output(call, 3);     /* (…) */
    const float lr = scalar(call, 5);
    const int64_t step = *(const int64_t *)input(call, 6);
    const double beta_1 = number(call, 0), beta_2 = number(call, 1);
    const float epsilon = number(call, 2);
    const float rate = adam_rate(lr, step, beta_1, beta_2), rest_1 = 1 - beta_1, rest_2 = 1 - beta_2;
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) {
        m[i] += (g[i] - m[i]) * rest_1;
        v[i] += (g[i] * g[i] - v[i]) * rest_2;
        vhat[i] = vhat[i] > v[i] ? vhat[i] : v[i];
        w[i] -= m[i] * rate / (sqrtf(vhat[i]) + epsilon);
    }
}

static void adagrad_step(const Call *call, Part part)
{
    float *restrict w = output(call, 0);        /* (…) */
    const float *restrict g = input(call, 1);   /* (…) */
    float *restrict a = output(call, 1);        /* (…) */
    const float lr = scalar(call, 3);
    const float epsilon = number(call, 0);
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) {
        a[i] += g[i] * g[i];
        w[i] -= lr * g[i] / sqrtf(a[i] + epsilon);
    }
}

static void decay_step(const Call *call, Part part)
{
    float *restrict w = output(call, 0);   /* (…) */
    const float lr = scalar(call, 1);
    const float rate = number(call, 0);
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++)
        w[i] -= w[i] * rate * lr;
}

/* Both comparisons are false for NaN, which stays. */
static void clip_value_step(const Call *call, Part part)
{
    float *restrict g = output(call, 0);   /* (…) */
    const float value = number(call, 0);
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++) {
        const float low = g[i] < -value ? -value : g[i];
        g[i] = low > value ? value : low;
    }
}

/* WHOLE: the norm is one sum over everything. Sixteen sums in double, which vectors add up. */
static void clip_norm_step(const Call *call, Part part)
{
    float *restrict g = output(call, 0);   /* (…) */
    const double norm = number(call, 0);
    const int64_t n = output_size(call, 0);
    const double total = square_run(g, n);
    (void)part;

    if (total <= norm * norm) return;   /* not so for NaN, which spreads over the whole gradient */
    const float factor = norm / sqrt(total);
    for (int64_t i = 0; i < n; i++) g[i] *= factor;
}

static void ema_step(const Call *call, Part part)
{
    float *restrict average = output(call, 0);   /* (…) */
    const float *restrict w = input(call, 1);    /* (…) */
    const float momentum = number(call, 0), rest = 1 - number(call, 0);
    const Range range = share_elements(output_size(call, 0), part);

    for (int64_t i = range.begin; i < range.end; i++)
        average[i] = momentum * average[i] + rest * w[i];
}

extern const Kernel FAMILY(optimizer)[];
const Kernel FAMILY(optimizer)[] = {
    {"sgd_step(w, g, lr)", sgd_step},
    {"momentum_step(w, g, v, lr, *, momentum, nesterov)", momentum_step},
    {"rmsprop_step(w, g, v, lr, *, rho, epsilon)", rmsprop_step},
    {"rmsprop_full_step(w, g, v, a, m, lr, *, rho, momentum, epsilon, centered)", rmsprop_full_step},
    {"adam_step(w, g, m, v, lr, step, *, beta_1, beta_2, epsilon)", adam_step},
    {"adam_amsgrad_step(w, g, m, v, vhat, lr, step, *, beta_1, beta_2, epsilon)", adam_amsgrad_step},
    {"adagrad_step(w, g, a, lr, *, epsilon)", adagrad_step},
    {"decay_step(w, lr, *, rate)", decay_step},
    {"clip_value_step(g, *, value)", clip_value_step},
    {"clip_norm_step(g, *, norm)", clip_norm_step, WHOLE},
    {"ema_step(average, w, *, momentum)", ema_step},
    {0},
};
