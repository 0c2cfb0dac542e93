/* gru.c: gated recurrent units over whole sequences, and their way back in time; see fastnn/reference/gru.py for the
 * formulas and kernels/recurrent.h for how the steps are walked. */
#include "kernels/recurrent.h"

/* One row of one step: from x, of the inputs, and sums, of the states, to the gates, and the state goes on. In two
 * loops: what waits for nothing comes before what waits for the reset gate. */
INLINE void gru_row(const float *x, float *sums, float *state, float *h, float *before, float *gates, int counted,
                    int64_t n, const int full)
{
    EACH_VECTOR_OF(j, n, full) {
        const V k = v_sigmoid(LOAD(x) + LOAD(sums)), reset = v_sigmoid(LOAD(x + n) + LOAD(sums + n));
        const V inner = LOAD(sums + 2 * n);
        if (gates) STORE(gates, k), STORE(gates + n, reset), STORE(gates + 3 * n, inner);
        STORE(sums, k);
        STORE(sums + n, reset * inner + LOAD(x + 2 * n));
    }
    EACH_VECTOR_OF(j, n, full) {
        const V k = LOAD(sums), old = LOAD(state), g = v_tanh(LOAD(sums + n)), new = counted ? k * (old - g) + g : old;
        if (gates) STORE(gates + 2 * n, g);
        STORE_IF(before, old);
        STORE_IF(h, new);
        STORE(state, new);
    }
}

static void gru_after_steps(const Call *call, Part part)
{
    const float *restrict z = input(call, 0);    /* (batch, time, 3 units) */
    const float *restrict u = input(call, 1);    /* (units, 3 units) */
    const float *restrict b = input(call, 2);    /* (3 units,) */
    const float *restrict h0 = input(call, 3);   /* (batch, units) */
    float *restrict h = output(call, 0);         /* (batch, time, units) or NULL */
    float *restrict before = output(call, 1);    /* (batch, time, units) or NULL */
    float *restrict gates = output(call, 2);     /* (batch, time, 4 units) or NULL */
    float *restrict h_last = output(call, 3);    /* (batch, units) */
    const int64_t n = input_dim(call, 1, 0);
    const Steps q = steps_of(call, input_dim(call, 0, 0), input_dim(call, 0, 1), n, 4, (int)integer(call, 0));
    const Range mine = share_rows(q.batch, part);
    int64_t used = 0;
    const Product w = weights(u, 3 * n, 1, 3 * n, n, mine, &used);
    const int64_t some = tile_rows(mine, w.panels != NULL);

    for (int64_t r0 = mine.begin; r0 < mine.end; r0 += some) {
        const int64_t rows = min(some, mine.end - r0);
        copy_rows_of(h_last + r0 * n, h0 + r0 * n, rows * n);
        for (int64_t step = 0; step < q.time; step++) {
            const int64_t t = place(&q, step);
            times(w, h_last + r0 * n, n, b, 0, of_row(call, r0, 3 * n), 3 * n, rows, used);
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n), next = next_at(&q, r, step, n);
                IN_VECTORS(n, gru_row, z + 3 * now, of_row(call, r, 3 * n), h_last + r * n, PLACE(h, now),
                           PLACE(before, now), PLACE(gates, 4 * now), counts(&q, r, t));
                fetch(z + 3 * next, 3 * n);
            }
        }
    }
}

/* One row of one step back: dz and da, also into `slopes`, from the gradient of the state, which goes on. */
INLINE void gru_row_grad(float *dz, float *da, float *slopes, float *carried, const float *gates, const float *old,
                         int64_t n, const int full)
{
    EACH_VECTOR_OF(j, n, full) {
        const V k = LOAD(gates), reset = LOAD(gates + n), g = LOAD(gates + 2 * n), d = LOAD(carried);
        const V dg = v_tanh_grad(d * (1.0f - k), g), dk = v_sigmoid_grad(d * (LOAD(old) - g), k);
        const V dr = v_sigmoid_grad(dg * LOAD(gates + 3 * n), reset), inner = dg * reset;
        STORE(dz, dk), STORE(dz + n, dr), STORE(dz + 2 * n, dg);
        STORE(da, dk), STORE(da + n, dr), STORE(da + 2 * n, inner);
        STORE(slopes, dk), STORE(slopes + n, dr), STORE(slopes + 2 * n, inner);
        STORE(carried, d * k);
    }
}

static void gru_after_steps_grad(const Call *call, Part part)
{
    const float *restrict dh = given(call, 0);        /* (batch, time, units) or NULL */
    const float *restrict dh_last = given(call, 1);   /* (batch, units) or NULL */
    const float *restrict u = input(call, 2);         /* (units, 3 units) */
    const float *restrict before = input(call, 3);    /* (batch, time, units) */
    const float *restrict gates = input(call, 4);     /* (batch, time, 4 units) */
    float *restrict dz = output(call, 0);             /* (batch, time, 3 units) */
    float *restrict da = output(call, 1);             /* (batch, time, 3 units) */
    float *restrict dh0 = output(call, 2);            /* (batch, units) */
    const int64_t n = input_dim(call, 2, 0);
    const Steps q = steps_of(call, input_dim(call, 3, 0), input_dim(call, 3, 1), n, 5, !integer(call, 0));
    const Range mine = share_rows(q.batch, part);
    int64_t used = 0;
    const Product w = weights(u, 1, 3 * n, n, 3 * n, mine, &used);
    const int64_t some = tile_rows(mine, w.panels != NULL);

    for (int64_t r0 = mine.begin; r0 < mine.end; r0 += some) {
        const int64_t rows = min(some, mine.end - r0);
        float *carried = dh0 + r0 * n;
        copy_rows_of(carried, dh_last ? dh_last + r0 * n : NULL, rows * n);
        for (int64_t step = 0; step < q.time; step++) {
            const int64_t t = place(&q, step);
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n), next = next_at(&q, r, step, n);
                const float *gate = gates + 4 * now, *old = before + now;
                float *whole = dh0 + r * n, *x = dz + 3 * now, *a = da + 3 * now, *slopes = of_row(call, r, 3 * n);
                add_row(whole, PLACE(dh, now), n);
                if (!counts(&q, r, t)) {
                    copy_rows_of(x, NULL, 3 * n);
                    copy_rows_of(a, NULL, 3 * n);
                    copy_rows_of(slopes, NULL, 3 * n);
                    continue;
                }
                IN_VECTORS(n, gru_row_grad, x, a, slopes, whole, gate, old);
                fetch(PLACE(dh, next), n);
                fetch(before + next, n);
                fetch(gates + 4 * next, 4 * n);
                fetch_to_write(dz + 3 * next, 3 * n);
                fetch_to_write(da + 3 * next, 3 * n);
            }
            times(w, of_row(call, r0, 3 * n), 3 * n, carried, n, carried, n, rows, used);
        }
    }
}

static void gru_before_steps(const Call *call, Part part)
{
    const float *restrict z = input(call, 0);    /* (batch, time, 3 units) */
    const float *restrict u = input(call, 1);    /* (units, 3 units) */
    const float *restrict h0 = input(call, 2);   /* (batch, units) */
    float *restrict h = output(call, 0);         /* (batch, time, units) or NULL */
    float *restrict before = output(call, 1);    /* (batch, time, units) or NULL */
    float *restrict gates = output(call, 2);     /* (batch, time, 4 units) or NULL */
    float *restrict h_last = output(call, 3);    /* (batch, units) */
    const int64_t n = input_dim(call, 1, 0);
    const Steps q = steps_of(call, input_dim(call, 0, 0), input_dim(call, 0, 1), n, 3, (int)integer(call, 0));
    const Range mine = share_rows(q.batch, part);
    int64_t used = 0;
    const Product both = weights(u, 3 * n, 1, 2 * n, n, mine, &used);
    const Product last = weights(u + 2 * n, 3 * n, 1, n, n, mine, &used);
    const int64_t some = tile_rows(mine, both.panels && last.panels);

    for (int64_t r0 = mine.begin; r0 < mine.end; r0 += some) {
        const int64_t rows = min(some, mine.end - r0);
        copy_rows_of(h_last + r0 * n, h0 + r0 * n, rows * n);
        for (int64_t step = 0; step < q.time; step++) {
            const int64_t t = place(&q, step);
            const float *x0 = z + at(&q, r0, t, 3 * n);
            float *const sums = of_row(call, r0, 4 * n);        /* update, reset, new state, reset state */
            times(both, h_last + r0 * n, n, x0, q.time * 3 * n, sums, 4 * n, rows, used);
            for (int64_t r = r0; r < r0 + rows; r++) {
                float *gate = of_row(call, r, 4 * n);
                const float *state = h_last + r * n;
                EACH_VECTOR(j, n) {
                    const V reset = v_sigmoid(LOAD(gate + n));
                    STORE(gate, v_sigmoid(LOAD(gate))), STORE(gate + n, reset);
                    STORE(gate + 3 * n, reset * LOAD(state));
                }
            }
            times(last, sums + 3 * n, 4 * n, x0 + 2 * n, q.time * 3 * n, sums + 2 * n, 4 * n, rows, used);
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n), next = next_at(&q, r, step, n);
                float *state = h_last + r * n, *gate = of_row(call, r, 4 * n);
                const int counted = counts(&q, r, t);
                if (before) copy_rows_of(before + now, state, n);
                EACH_VECTOR(j, n) {
                    const V k = LOAD(gate), g = v_tanh(LOAD(gate + 2 * n));
                    STORE(gate + 2 * n, g);
                    if (counted) STORE(state, k * (LOAD(state) - g) + g);
                }
                if (gates) copy_rows_of(gates + 4 * now, gate, 4 * n);
                if (h) copy_rows_of(h + now, state, n);
                fetch(z + 3 * next, 3 * n);
            }
        }
    }
}

static int64_t gates_scratch(const Call *call) { return 4 * input_dim(call, 0, 0) * input_dim(call, 1, 0); }

static void gru_before_steps_grad(const Call *call, Part part)
{
    const float *restrict dh = given(call, 0);        /* (batch, time, units) or NULL */
    const float *restrict dh_last = given(call, 1);   /* (batch, units) or NULL */
    const float *restrict u = input(call, 2);         /* (units, 3 units) */
    const float *restrict before = input(call, 3);    /* (batch, time, units) */
    const float *restrict gates = input(call, 4);     /* (batch, time, 4 units) */
    float *restrict dz = output(call, 0);             /* (batch, time, 3 units) */
    float *restrict dh0 = output(call, 1);            /* (batch, units) */
    const int64_t n = input_dim(call, 2, 0);
    const Steps q = steps_of(call, input_dim(call, 3, 0), input_dim(call, 3, 1), n, 5, !integer(call, 0));
    const Range mine = share_rows(q.batch, part);
    int64_t used = 0;
    const Product both = weights(u, 1, 3 * n, n, 2 * n, mine, &used);
    const Product last = weights(u + 2 * n, 1, 3 * n, n, n, mine, &used);
    const int64_t some = tile_rows(mine, both.panels && last.panels);

    for (int64_t r0 = mine.begin; r0 < mine.end; r0 += some) {
        const int64_t rows = min(some, mine.end - r0);
        float *carried = dh0 + r0 * n;
        copy_rows_of(carried, dh_last ? dh_last + r0 * n : NULL, rows * n);
        for (int64_t step = 0; step < q.time; step++) {
            const int64_t t = place(&q, step);
            float *const slopes = of_row(call, r0, 4 * n);      /* dz of the step, and the e of the formula */
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n);
                const float *gate = gates + 4 * now, *old = before + now;
                float *whole = dh0 + r * n, *x = of_row(call, r, 4 * n);
                add_row(whole, PLACE(dh, now), n);
                copy_rows_of(x, NULL, 4 * n);
                if (!counts(&q, r, t)) continue;
                EACH_VECTOR(j, n) {
                    const V k = LOAD(gate), g = LOAD(gate + 2 * n), d = LOAD(whole);
                    STORE(x, v_sigmoid_grad(d * (LOAD(old) - g), k));
                    STORE(x + 2 * n, v_tanh_grad(d * (1.0f - k), g));
                    STORE(whole, d * k);
                }
            }
            times(last, slopes + 2 * n, 4 * n, NULL, 0, slopes + 3 * n, 4 * n, rows, used);
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n), next = next_at(&q, r, step, n);
                const float *gate = gates + 4 * now, *old = before + now;
                float *whole = dh0 + r * n, *x = of_row(call, r, 4 * n), *e = x + 3 * n;
                if (counts(&q, r, t)) {
                    EACH_VECTOR(j, n) {
                        const V reset = LOAD(gate + n);
                        STORE(x + n, v_sigmoid_grad(LOAD(e) * LOAD(old), reset));
                        STORE(whole, LOAD(e) * reset + LOAD(whole));
                    }
                }
                copy_rows_of(dz + 3 * now, x, 3 * n);
                fetch(before + next, n);
                fetch(gates + 4 * next, 4 * n);
                fetch_to_write(dz + 3 * next, 3 * n);
            }
            times(both, slopes, 4 * n, carried, n, carried, n, rows, used);
        }
    }
}

static int64_t slopes_and_e_scratch(const Call *call) { return 4 * output_dim(call, 1, 0) * output_dim(call, 1, 1); }

extern const Kernel FAMILY(gru)[];
const Kernel FAMILY(gru)[] = {
    {"gru_after_steps(z, u, b, h0, mask, *, reverse)", gru_after_steps, 0, sums_scratch},
    {"gru_after_steps_grad(dh, dh_last, u, before, gates, mask, *, reverse)", gru_after_steps_grad, 0,
     slopes_scratch},
    {"gru_before_steps(z, u, h0, mask, *, reverse)", gru_before_steps, 0, gates_scratch},
    {"gru_before_steps_grad(dh, dh_last, u, before, gates, mask, *, reverse)", gru_before_steps_grad, 0,
     slopes_and_e_scratch},
    {0},
};
