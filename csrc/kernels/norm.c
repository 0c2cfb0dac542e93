/* norm.c: normalization of samples and of groups of channels, and the way back; see fastnn/reference/norm.py. Work is
 * split by samples, never inside a sum.
 *
 * Sums of squares would lose everything where the mean is far larger than the spread (10,000 +- 1), so deviations are
 * taken from a guess, the mean in float32: with d = x - guess, mean = guess + Σ d / n and n variance = Σ d² - (Σ d)² /
 * n, in float64. A group of group_norm is some columns of a sample seen as (rows, channels): what is one number in the
 * formula stands in an array of STRIP, one a group or a channel. tests/test_formulas.py has the same in plain loops. */
#include "kernels/wide_rows.h"
#include "vector/chunks.h"

enum {
    CHUNK = 64,           /* rows in a partial sum of layer_norm_grad */
    LONG = 64 * WIDTH     /* values summed in float32 before they go to float64 */
};

/* y = ((d - Σ d / n) rstd) gamma + beta, with one multiply-add for the part in brackets. */
static void layer_norm(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);       /* (rows, n) */
    const float *restrict gamma = input(call, 1);   /* (n,) */
    const float *restrict beta = input(call, 2);    /* (n,) */
    const double epsilon = number(call, 0);
    float *restrict y = output(call, 0);            /* (rows, n) */
    float *restrict mean = output(call, 1);         /* (rows,) or NULL */
    float *restrict rstd = output(call, 2);         /* (rows,) or NULL */
    const int64_t n = input_dim(call, 0, 1);
    const Range rows = share_rows(input_dim(call, 0, 0), part);

    for (int64_t row = rows.begin; row < rows.end; row++) {
        const float *from = x + row * n;
        double total = 0, sum = 0, square = 0;
        for (int64_t begin = 0; begin < n; begin += LONG) {
            V sums = {0};
            for (int64_t i = begin; i < n && i < begin + LONG; i += WIDTH) sums += v_load_part(from + i, n - i, 0);
            total += v_sum(sums);
        }
        const float guess = (float)(total / n);
        for (int64_t begin = 0; begin < n; begin += LONG) {
            V sums = {0}, squares = {0};
            for (int64_t i = begin; i < n && i < begin + LONG; i += WIDTH) {
                const V d = v_load_part(from + i, n - i, guess) - guess;
                sums += d;
                squares += d * d;
            }
            sum += v_sum(sums);
            square += v_sum(squares);
        }
        const double rest = square - sum * sum / n, factor = 1 / sqrt((rest < 0 ? 0 : rest) / n + epsilon);
        if (!(rest <= n * (WIDE * WIDE))) {
            double centre;
            const double wide_factor = wide_row(from, gamma, beta, y + row * n, n, epsilon, &centre);
            if (mean) mean[row] = (float)centre;
            if (rstd) rstd[row] = (float)wide_factor;
            continue;
        }
        const V scale = v_splat((float)factor), shift = v_splat((float)(-sum / n * factor));
        for (int64_t i = 0; i < n; i += WIDTH) {
            const V normal = (v_load_part(from + i, n - i, guess) - guess) * scale + shift;
            v_store_part(y + row * n + i, normal * v_load_part(gamma + i, n - i, 0) + v_load_part(beta + i, n - i, 0),
                         n - i);
        }
        if (mean) mean[row] = (float)(guess + sum / n);
        if (rstd) rstd[row] = (float)factor;
    }
}

static void zero(float *x, int64_t n)      /* or NULL */
{
    for (int64_t i = 0; x && i < n; i++) x[i] = 0;
}

/* Sums that stand in memory, or 0 before the first term. */
INLINE V so_far(const float *sums, int64_t n, int first) { return first ? (V){0} : v_load_part(sums, n, 0); }

static int64_t row_chunks(int64_t rows) { return rows > CHUNK ? (rows + CHUNK - 1) / CHUNK : 1; }

/* With s = gamma dy and x̂ = (x - mean) rstd: dx = rstd (s - Σ s / n - x̂ Σ s x̂ / n), sums along the row. dgamma = Σ
 * dy x̂ and dbeta = Σ dy go down the rows, in chunks of CHUNK rows that are added up last. */
static void layer_norm_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);      /* (rows, n) */
    const float *restrict x = input(call, 1);       /* (rows, n) */
    const float *restrict gamma = input(call, 2);   /* (n,) */
    const float *restrict mean = input(call, 3);    /* (rows,) */
    const float *restrict rstd = input(call, 4);    /* (rows,) */
    float *restrict dx = output(call, 0);           /* (rows, n) or NULL */
    float *restrict dgamma = output(call, 1);       /* (n,) or NULL */
    float *restrict dbeta = output(call, 2);        /* (n,) or NULL */
    const int64_t rows = input_dim(call, 0, 0), n = input_dim(call, 0, 1), chunks = row_chunks(rows);
    float *const dbetas = call->scratch + (chunks - 1) * n;
    const Range range = share(rows, CHUNK, part);

    if (is_last(part) && !rows) zero(dgamma, n), zero(dbeta, n);
    for (int64_t row = range.begin; row < range.end; row++) {
        const float *d = dy + row * n, *from = x + row * n;
        float *to_gamma = chunk_at(dgamma, call->scratch, row / CHUNK, n);
        float *to_beta = chunk_at(dbeta, dbetas, row / CHUNK, n);
        const V middle = v_splat(mean[row]), scale = v_splat(rstd[row]);
        double sum = 0, product = 0;
        if (rstd[row] < 1 / WIDE) {
            wide_row_grad(d, from, gamma, n, dx ? dx + row * n : NULL, to_gamma, to_beta, row % CHUNK == 0);
            continue;
        }
        for (int64_t begin = 0; begin < n; begin += LONG) {
            V sums = {0}, products = {0};
            for (int64_t i = begin; i < n && i < begin + LONG; i += WIDTH) {
                const V scaled = v_load_part(d + i, n - i, 0) * v_load_part(gamma + i, n - i, 0);
                sums += scaled;
                products += scaled * ((v_load_part(from + i, n - i, 0) - middle) * scale);
            }
            sum += v_sum(sums);
            product += v_sum(products);
        }
        const V along = v_splat((float)(sum / n)), across = v_splat((float)(product / n));
        const int first = row % CHUNK == 0;
        for (int64_t i = 0; i < n; i += WIDTH) {
            const int64_t left = n - i;
            const V di = v_load_part(d + i, left, 0), normal = (v_load_part(from + i, left, 0) - middle) * scale;
            const V scaled = di * v_load_part(gamma + i, left, 0);
            if (dx) v_store_part(dx + row * n + i, scale * (scaled - along - normal * across), left);
            if (to_gamma) v_store_part(to_gamma + i, so_far(to_gamma + i, left, first) + di * normal, left);
            if (to_beta) v_store_part(to_beta + i, so_far(to_beta + i, left, first) + di, left);
        }
    }
    if (is_last(part)) {
        add_chunks(dgamma, call->scratch, chunks, n);
        add_chunks(dbeta, dbetas, chunks, n);
    }
}

static int64_t layer_norm_scratch(const Call *call)
{
    return 2 * (row_chunks(input_dim(call, 0, 0)) - 1) * input_dim(call, 0, 1);
}

/* A sample's groups that are done together: those that fit into one strip, or one that is wider. */
static inline int64_t groups_at_once(int64_t group, int64_t groups, int64_t width)
{
    const int64_t fit = width < STRIP ? STRIP / width : 1;
    return fit < groups - group ? fit : groups - group;
}

/* The moments of single columns are put together to those of their groups; then y = (x - centre) scale + shift, column
 * by column, with scale = gamma rstd and shift = beta, and what rounding the mean to `centre` left. */
static void group_norm(const Call *call, Part part)
{
    const float *restrict x = input(call, 0);       /* (batch, …, channels) */
    const float *restrict gamma = input(call, 1);   /* (channels,) */
    const float *restrict beta = input(call, 2);    /* (channels,) */
    const int64_t groups = integer(call, 0);
    const double epsilon = number(call, 1);
    float *restrict y = output(call, 0);            /* (batch, …, channels) */
    float *restrict mean = output(call, 1);         /* (batch, groups) or NULL */
    float *restrict rstd = output(call, 2);         /* (batch, groups) or NULL */
    const int64_t channels = input_size(call, 1), width = channels / groups, size = inner_size(call->inputs[0], 1);
    const int64_t rows = size / channels;
    const Range samples = share_rows(input_dim(call, 0, 0), part);

    for (int64_t sample = samples.begin; sample < samples.end; sample++)
        for (int64_t g = 0, some; g < groups; g += some) {
            some = groups_at_once(g, groups, width);
            const int64_t begin = g * width, end = (g + some) * width;
            double means[STRIP] = {0}, squares[STRIP] = {0}, column_means[STRIP], column_squares[STRIP];
            double wide_scales[STRIP], wide_means[STRIP];
            int wide = 0;
            for (int64_t c = begin; c < end; c += STRIP) {
                const Strip s = {rows, end - c < STRIP ? end - c : STRIP, channels};
                column_moments(x + sample * size + c, s, column_means, column_squares);
                for (int64_t j = 0; j < s.width; j++) {      /* columns into groups: Chan et al. 1983 */
                    const int64_t k = (c + j - begin) / width, before = (c + j - begin) % width;
                    const double delta = column_means[j] - means[k];
                    means[k] += delta / (before + 1);
                    squares[k] += column_squares[j] + delta * delta * rows * before / (before + 1);
                }
            }
            for (int64_t k = 0; k < some; k++) {
                squares[k] = 1 / sqrt(squares[k] / (rows * width) + epsilon);
                wide |= squares[k] < 1 / WIDE;
            }
            for (int64_t c = begin; c < end; c += STRIP) {
                const Strip s = {rows, end - c < STRIP ? end - c : STRIP, channels};
                float centre[STRIP] = {0}, scale[STRIP] = {0}, shift[STRIP] = {0};
                for (int64_t j = 0; j < s.width; j++) {
                    const int64_t k = (c + j - begin) / width;
                    centre[j] = rounded(means[k]);
                    wide_means[j] = means[k];
                    scale[j] = (float)(wide_scales[j] = gamma[c + j] * squares[k]);
                    shift[j] = (float)(beta[c + j] + (centre[j] - means[k]) * gamma[c + j] * squares[k]);
                }
                const int64_t at = sample * size + c;
                if (wide) wide_scale(x + at, y + at, wide_means, wide_scales, beta + c, s);
                else scale_columns(x + at, y + at, centre, scale, shift, s);
            }
            if (mean) store_strip(mean + sample * groups + g, means, some);
            if (rstd) store_strip(rstd + sample * groups + g, squares, some);
        }
}

/* As layer_norm_grad, with sums over all values of a group: along = Σ gamma dy and across = Σ gamma dy x̂ are made
 * of the columns' sums, and dx = a dy + b (x - mean) + c with a = gamma rstd, b = -rstd² across / n, c = -rstd along
 * / n. */
static void group_norm_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);      /* (batch, …, channels) */
    const float *restrict x = input(call, 1);       /* (batch, …, channels) */
    const float *restrict gamma = input(call, 2);   /* (channels,) */
    const float *restrict mean = input(call, 3);    /* (batch, groups) */
    const float *restrict rstd = input(call, 4);    /* (batch, groups) */
    float *restrict dx = output(call, 0);           /* (batch, …, channels) or NULL */
    float *restrict dgamma = output(call, 1);       /* (channels,) or NULL */
    float *restrict dbeta = output(call, 2);        /* (channels,) or NULL */
    const int64_t channels = input_size(call, 2), groups = input_dim(call, 3, 1), width = channels / groups;
    const int64_t size = inner_size(call->inputs[0], 1), rows = size / channels;
    const double count = (double)(rows * width);
    const int64_t batch = input_dim(call, 0, 0), chunks = batch ? batch : 1;      /* of dgamma and dbeta: a sample's */
    float *const dbetas = call->scratch + (chunks - 1) * channels;
    const Range samples = share_rows(batch, part);

    if (is_last(part) && !batch) zero(dgamma, channels), zero(dbeta, channels);
    for (int64_t sample = samples.begin; sample < samples.end; sample++)
        for (int64_t g = 0, some; g < groups; g += some) {
            some = groups_at_once(g, groups, width);
            const int64_t begin = g * width, end = (g + some) * width;
            const float *means = mean + sample * groups + g, *rstds = rstd + sample * groups + g;
            double along[STRIP] = {0}, across[STRIP] = {0}, sums[STRIP], products[STRIP];
            int wide = 0;
            for (int64_t k = 0; k < some; k++) wide |= rstds[k] < 1 / WIDE;
            for (int64_t c = begin; c < end; c += STRIP) {
                const Strip s = {rows, end - c < STRIP ? end - c : STRIP, channels};
                float centre[STRIP] = {0};
                for (int64_t j = 0; j < s.width; j++) centre[j] = means[(c + j - begin) / width];
                (wide ? wide_sums : column_sums)(dy + sample * size + c, x + sample * size + c, centre, s, sums,
                                                 products);
                for (int64_t j = 0; j < s.width; j++) {
                    const int64_t k = (c + j - begin) / width;
                    products[j] *= rstds[k];
                    along[k] += gamma[c + j] * sums[j];
                    across[k] += gamma[c + j] * products[j];
                }
                if (dgamma) store_strip(chunk_at(dgamma, call->scratch, sample, channels) + c, products, s.width);
                if (dbeta) store_strip(chunk_at(dbeta, dbetas, sample, channels) + c, sums, s.width);
            }
            for (int64_t col = begin; dx && col < end; col += STRIP) {
                const Strip s = {rows, end - col < STRIP ? end - col : STRIP, channels};
                float centre[STRIP] = {0}, a[STRIP] = {0}, b[STRIP] = {0}, c[STRIP] = {0};
                double wide_a[STRIP], wide_b[STRIP], wide_c[STRIP];
                for (int64_t j = 0; j < s.width; j++) {
                    const int64_t k = (col + j - begin) / width;
                    const double scale = rstds[k];
                    centre[j] = means[k];
                    a[j] = (float)(wide_a[j] = gamma[col + j] * scale);
                    b[j] = (float)(wide_b[j] = -scale * scale * across[k] / count);
                    c[j] = (float)(wide_c[j] = -scale * along[k] / count);
                }
                const int64_t at = sample * size + col;
                if (wide) wide_combine(dy + at, x + at, dx + at, centre, wide_a, wide_b, wide_c, s);
                else combine_columns(dy + at, x + at, dx + at, centre, a, b, c, s);
            }
        }
    if (is_last(part)) {
        add_chunks(dgamma, call->scratch, chunks, channels);
        add_chunks(dbeta, dbetas, chunks, channels);
    }
}

static int64_t group_norm_scratch(const Call *call)
{
    const int64_t batch = input_dim(call, 0, 0);
    return batch ? 2 * (batch - 1) * input_size(call, 2) : 0;
}

extern const Kernel FAMILY(norm)[];
const Kernel FAMILY(norm)[] = {
    {"layer_norm(x, gamma, beta, *, epsilon)", layer_norm},
    {"layer_norm_grad(dy, x, gamma, mean, rstd)", layer_norm_grad, FINISH, layer_norm_scratch},
    {"group_norm(x, gamma, beta, *, groups, epsilon)", group_norm},
    {"group_norm_grad(dy, x, gamma, mean, rstd)", group_norm_grad, FINISH, group_norm_scratch},
    {0},
};
