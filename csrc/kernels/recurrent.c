/* recurrent.c: recurrent layers over whole sequences, and their way back in time; see fastnn/reference/recurrent.py for
 * the formulas and kernels/recurrent.h for how the steps are walked. */
#include "kernels/recurrent.h"

static void rnn_steps(const Call *call, Part part)
{
    const float *restrict z = input(call, 0);    /* (batch, time, units) */
    const float *restrict u = input(call, 1);    /* (units, units) */
    const float *restrict h0 = input(call, 2);   /* (batch, units) */
    const int activation = (int)integer(call, 0);
    float *restrict h = output(call, 0);         /* (batch, time, units) */
    float *restrict before = output(call, 1);    /* (batch, time, units) or NULL */
    float *restrict h_last = output(call, 2);    /* (batch, units) */
    const int64_t n = input_dim(call, 1, 0);
    const Steps q = steps_of(call, input_dim(call, 0, 0), input_dim(call, 0, 1), n, 3, (int)integer(call, 1));
    const Range mine = share_rows(q.batch, part);
    int64_t used = 0;
    const Product w = weights(u, n, 1, n, n, mine, &used);
    const int64_t some = tile_rows(mine, w.panels != NULL);

    for (int64_t r0 = mine.begin; r0 < mine.end; r0 += some) {
        const int64_t rows = min(some, mine.end - r0);
        copy_rows_of(h_last + r0 * n, h0 + r0 * n, rows * n);
        for (int64_t step = 0; step < q.time; step++) {
            const int64_t t = place(&q, step);
            const Step states = step_of(call, &q, h, r0, t, n);
            times(w, h_last + r0 * n, n, z + at(&q, r0, t, n), q.time * n, states.first, states.row, rows, used);
            for (int64_t r = r0; r < r0 + rows; r++) {
                float *state = h_last + r * n, *new = states.first + (r - r0) * states.row;
                if (before) copy_rows_of(before + at(&q, r, t, n), state, n);
                activate(new, n, activation);
                if (counts(&q, r, t)) copy_rows_of(state, new, n);
                else copy_rows_of(new, state, n);
            }
        }
    }
}

static int64_t rnn_scratch(const Call *call) { return step_scratch(call, 0, input_dim(call, 1, 0)); }

static void rnn_steps_grad(const Call *call, Part part)
{
    const float *restrict dh = given(call, 0);        /* (batch, time, units) or NULL */
    const float *restrict dh_last = given(call, 1);   /* (batch, units) or NULL */
    const float *restrict u = input(call, 2);         /* (units, units) */
    const float *restrict h = input(call, 3);         /* (batch, time, units) */
    const int activation = (int)integer(call, 0);
    float *restrict dz = output(call, 0);             /* (batch, time, units) */
    float *restrict dh0 = output(call, 1);            /* (batch, units) */
    const int64_t n = input_dim(call, 2, 0);
    const Steps q = steps_of(call, input_dim(call, 3, 0), input_dim(call, 3, 1), n, 4, !integer(call, 1));
    const Range mine = share_rows(q.batch, part);
    int64_t used = 0;
    const Product w = weights(u, 1, n, n, n, mine, &used);
    const int64_t some = tile_rows(mine, w.panels != NULL);

    for (int64_t r0 = mine.begin; r0 < mine.end; r0 += some) {
        const int64_t rows = min(some, mine.end - r0);
        float *carried = dh0 + r0 * n;
        copy_rows_of(carried, dh_last ? dh_last + r0 * n : NULL, rows * n);
        for (int64_t step = 0; step < q.time; step++) {
            const int64_t t = place(&q, step), first = at(&q, r0, t, n);
            for (int64_t r = r0; r < r0 + rows; r++) {
                float *whole = dh0 + r * n, *slope = dz + at(&q, r, t, n);
                add_row(whole, dh ? dh + at(&q, r, t, n) : NULL, n);
                if (counts(&q, r, t)) {
                    activate_grad(slope, whole, h + at(&q, r, t, n), n, activation);
                    copy_rows_of(whole, NULL, n);
                } else {
                    copy_rows_of(slope, NULL, n);
                }
            }
            times(w, dz + first, q.time * n, carried, n, carried, n, rows, used);
        }
    }
}

/* One row of one step of an LSTM: z + h·u becomes the gates, and the state and the cell go on. */
static void lstm_row(float *gates, float *state, float *cell, int64_t n, int counted)
{
    EACH_VECTOR(j, n) {
        const V i = v_sigmoid(LOAD(gates)), f = v_sigmoid(LOAD(gates + n)), g = v_tanh(LOAD(gates + 2 * n)),
                o = v_sigmoid(LOAD(gates + 3 * n)), c = f * LOAD(cell) + i * g;
        STORE(gates, i), STORE(gates + n, f), STORE(gates + 2 * n, g), STORE(gates + 3 * n, o);
        if (!counted) continue;
        STORE(cell, c);
        STORE(state, o * v_tanh(c));
    }
}

static void lstm_steps(const Call *call, Part part)
{
    const float *restrict z = input(call, 0);    /* (batch, time, 4 units) */
    const float *restrict u = input(call, 1);    /* (units, 4 units) */
    const float *restrict h0 = input(call, 2);   /* (batch, units) */
    const float *restrict c0 = input(call, 3);   /* (batch, units) */
    float *restrict h = output(call, 0);         /* (batch, time, units) or NULL */
    float *restrict before = output(call, 1);    /* (batch, time, units) or NULL */
    float *restrict c = output(call, 2);         /* (batch, time, units) or NULL */
    float *restrict gates = output(call, 3);     /* (batch, time, 4 units) or NULL */
    float *restrict h_last = output(call, 4);    /* (batch, units) */
    float *restrict c_last = output(call, 5);    /* (batch, units) */
    const int64_t n = input_dim(call, 1, 0);
    const Steps q = steps_of(call, input_dim(call, 0, 0), input_dim(call, 0, 1), n, 4, (int)integer(call, 0));
    const Range mine = share_rows(q.batch, part);
    int64_t used = 0;
    const Product w = weights(u, 4 * n, 1, 4 * n, n, mine, &used);
    const int64_t some = tile_rows(mine, w.panels != NULL);

    for (int64_t r0 = mine.begin; r0 < mine.end; r0 += some) {
        const int64_t rows = min(some, mine.end - r0);
        copy_rows_of(h_last + r0 * n, h0 + r0 * n, rows * n);
        copy_rows_of(c_last + r0 * n, c0 + r0 * n, rows * n);
        for (int64_t step = 0; step < q.time; step++) {
            const int64_t t = place(&q, step);
            const Step made = step_of(call, &q, gates, r0, t, 4 * n);
            times(w, h_last + r0 * n, n, z + at(&q, r0, t, 4 * n), q.time * 4 * n, made.first, made.row, rows, used);
            for (int64_t r = r0; r < r0 + rows; r++) {
                float *state = h_last + r * n, *cell = c_last + r * n;
                const int64_t now = at(&q, r, t, n);
                if (before) copy_rows_of(before + now, state, n);
                lstm_row(made.first + (r - r0) * made.row, state, cell, n, counts(&q, r, t));
                if (h) copy_rows_of(h + now, state, n);
                if (c) copy_rows_of(c + now, cell, n);
            }
        }
    }
}

static int64_t lstm_scratch(const Call *call) { return step_scratch(call, 3, 4 * input_dim(call, 1, 0)); }

/* One row of one step back: dz from the gradients of the state, `whole`, and of the cell, dc, which goes on. */
static void lstm_row_grad(float *dz, float *dc, const float *whole, const float *gates, const float *c,
                          const float *cell, int64_t n)
{
    EACH_VECTOR(j, n) {
        const V i = LOAD(gates), f = LOAD(gates + n), g = LOAD(gates + 2 * n), o = LOAD(gates + 3 * n);
        const V s = v_tanh(LOAD(c)), d = LOAD(whole), total = v_tanh_grad(d * o, s) + LOAD(dc);
        STORE(dz, v_sigmoid_grad(total * g, i));
        STORE(dz + n, v_sigmoid_grad(total * LOAD(cell), f));
        STORE(dz + 2 * n, v_tanh_grad(total * i, g));
        STORE(dz + 3 * n, v_sigmoid_grad(d * s, o));
        STORE(dc, total * f);
    }
}

static void lstm_steps_grad(const Call *call, Part part)
{
    const float *restrict dh = given(call, 0);        /* (batch, time, units) or NULL */
    const float *restrict dh_last = given(call, 1);   /* (batch, units) or NULL */
    const float *restrict dc_last = given(call, 2);   /* (batch, units) or NULL */
    const float *restrict u = input(call, 3);         /* (units, 4 units) */
    const float *restrict c0 = input(call, 4);        /* (batch, units) */
    const float *restrict c = input(call, 5);         /* (batch, time, units) */
    const float *restrict gates = input(call, 6);     /* (batch, time, 4 units) */
    float *restrict dz = output(call, 0);             /* (batch, time, 4 units) */
    float *restrict dh0 = output(call, 1);            /* (batch, units) */
    float *restrict dc0 = output(call, 2);            /* (batch, units) */
    const int64_t n = input_dim(call, 3, 0);
    const Steps q = steps_of(call, input_dim(call, 5, 0), input_dim(call, 5, 1), n, 7, !integer(call, 0));
    const Range mine = share_rows(q.batch, part);
    int64_t used = 0;
    const Product w = weights(u, 1, 4 * n, n, 4 * n, mine, &used);
    const int64_t some = tile_rows(mine, w.panels != NULL);

    for (int64_t r0 = mine.begin; r0 < mine.end; r0 += some) {
        const int64_t rows = min(some, mine.end - r0);
        float *carried = dh0 + r0 * n;
        copy_rows_of(carried, dh_last ? dh_last + r0 * n : NULL, rows * n);
        copy_rows_of(dc0 + r0 * n, dc_last ? dc_last + r0 * n : NULL, rows * n);
        for (int64_t step = 0; step < q.time; step++) {
            const int64_t t = place(&q, step), first = at(&q, r0, t, 4 * n), previous = place(&q, step + 1);
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n);
                const float *cell = step + 1 < q.time ? c + at(&q, r, previous, n) : c0 + r * n;
                float *whole = dh0 + r * n;
                add_row(whole, dh ? dh + now : NULL, n);
                if (counts(&q, r, t)) {
                    lstm_row_grad(dz + 4 * now, dc0 + r * n, whole, gates + 4 * now, c + now, cell, n);
                    copy_rows_of(whole, NULL, n);
                } else {
                    copy_rows_of(dz + 4 * now, NULL, 4 * n);
                }
            }
            times(w, dz + first, q.time * 4 * n, carried, n, carried, n, rows, used);
        }
    }
}

extern const Kernel FAMILY(recurrent)[];
const Kernel FAMILY(recurrent)[] = {
    {"rnn_steps(z, u, h0, mask, *, activation, reverse)", rnn_steps, 0, rnn_scratch},
    {"rnn_steps_grad(dh, dh_last, u, h, mask, *, activation, reverse)", rnn_steps_grad},
    {"lstm_steps(z, u, h0, c0, mask, *, reverse)", lstm_steps, 0, lstm_scratch},
    {"lstm_steps_grad(dh, dh_last, dc_last, u, c0, c, gates, mask, *, reverse)", lstm_steps_grad},
    {0},
};
