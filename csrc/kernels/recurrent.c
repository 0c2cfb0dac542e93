/* recurrent.c: recurrent layers over whole sequences, and their way back in time; see fastnn/reference/recurrent.py for
 * the formulas and kernels/recurrent.h for how the steps are walked. */
#include "kernels/recurrent.h"

static void rnn_steps(const Call *call, Part part)
{
    const float *restrict z = input(call, 0);    /* (batch, time, units) */
    const float *restrict u = input(call, 1);    /* (units, units) */
    const float *restrict h0 = input(call, 2);   /* (batch, units) */
    const int activation = (int)integer(call, 0);
    float *restrict h = output(call, 0);         /* (batch, time, units) or NULL */
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
            times(w, h_last + r0 * n, n, z + at(&q, r0, t, n), q.time * n, of_row(call, r0, n), n, rows, used);
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n), next = next_at(&q, r, step, n);
                float *state = h_last + r * n, *sum = of_row(call, r, n);
                if (before) copy_rows_of(before + now, state, n);
                activate(sum, n, activation);
                if (counts(&q, r, t)) copy_rows_of(state, sum, n);
                if (h) copy_rows_of(h + now, state, n);
                fetch(z + next, n);
            }
        }
    }
}

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
            const int64_t t = place(&q, step);
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n), next = next_at(&q, r, step, n);
                float *whole = dh0 + r * n, *slope = of_row(call, r, n);
                add_row(whole, PLACE(dh, now), n);
                if (counts(&q, r, t)) {
                    activate_grad(slope, whole, h + now, n, activation);
                    copy_rows_of(whole, NULL, n);
                } else {
                    copy_rows_of(slope, NULL, n);
                }
                copy_rows_of(dz + now, slope, n);
                fetch(PLACE(dh, next), n);
                fetch(h + next, n);
                fetch_to_write(dz + next, n);
            }
            times(w, of_row(call, r0, n), n, carried, n, carried, n, rows, used);
        }
    }
}

/* One row of one step of an LSTM: z + h·u becomes the gates, and the cell and then the state go on. In two loops: what
 * waits for nothing comes before what waits for the new cell. */
INLINE void lstm_row(float *z, float *state, float *cell, float *h, float *before, float *c, float *gates, int counted,
                     int64_t n, const int full)
{
    float *const kept = gates ? gates + 3 * n : z;      /* o, until the cell is there */
    EACH_VECTOR_OF(j, n, full) {
        const V i = v_sigmoid(LOAD(z)), f = v_sigmoid(LOAD(z + n)), g = v_tanh(LOAD(z + 2 * n)),
                o = v_sigmoid(LOAD(z + 3 * n)), old = LOAD(cell), new_cell = counted ? f * old + i * g : old;
        if (gates) STORE(gates, i), STORE(gates + n, f), STORE(gates + 2 * n, g);
        STORE(kept, o);
        STORE_IF(c, new_cell);
        STORE(cell, new_cell);
    }
    EACH_VECTOR_OF(j, n, full) {
        const V old = LOAD(state), new = counted ? LOAD(kept) * v_tanh(LOAD(cell)) : old;
        STORE_IF(before, old);
        STORE_IF(h, new);
        STORE(state, new);
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
            times(w, h_last + r0 * n, n, z + at(&q, r0, t, 4 * n), q.time * 4 * n, of_row(call, r0, 4 * n), 4 * n, rows,
                  used);
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n), next = next_at(&q, r, step, n);
                IN_VECTORS(n, lstm_row, of_row(call, r, 4 * n), h_last + r * n, c_last + r * n, PLACE(h, now),
                           PLACE(before, now), PLACE(c, now), PLACE(gates, 4 * now), counts(&q, r, t));
                fetch(z + 4 * next, 4 * n);
            }
        }
    }
}

/* One row of one step back: dz, also into `slopes`, from the gradients of the state, `carried` back in time and `dh` of
 * this step (or NULL), and of the cell, dc, which goes on. */
INLINE void lstm_row_grad(float *dz, float *slopes, float *dc, const float *carried, const float *dh,
                          const float *gates, const float *c, const float *cell, int64_t n, const int full)
{
    EACH_VECTOR_OF(j, n, full) {
        const V i = LOAD(gates), f = LOAD(gates + n), g = LOAD(gates + 2 * n), o = LOAD(gates + 3 * n);
        const V s = v_tanh(LOAD(c)), d = dh ? LOAD(carried) + LOAD(dh) : LOAD(carried);
        const V total = v_tanh_grad(d * o, s) + LOAD(dc);
        const V di = v_sigmoid_grad(total * g, i), df = v_sigmoid_grad(total * LOAD(cell), f),
                dg = v_tanh_grad(total * i, g), do_ = v_sigmoid_grad(d * s, o);
        STORE(dz, di), STORE(dz + n, df), STORE(dz + 2 * n, dg), STORE(dz + 3 * n, do_);
        STORE(slopes, di), STORE(slopes + n, df), STORE(slopes + 2 * n, dg), STORE(slopes + 3 * n, do_);
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
            const int64_t t = place(&q, step);
            for (int64_t r = r0; r < r0 + rows; r++) {
                const int64_t now = at(&q, r, t, n), next = next_at(&q, r, step, n);
                const float *cell = step + 1 < q.time ? c + next : c0 + r * n;
                float *whole = dh0 + r * n, *slopes = of_row(call, r, 4 * n);
                if (counts(&q, r, t)) {
                    IN_VECTORS(n, lstm_row_grad, dz + 4 * now, slopes, dc0 + r * n, whole, PLACE(dh, now),
                               gates + 4 * now, c + now, cell);
                    copy_rows_of(whole, NULL, n);
                } else {
                    add_row(whole, PLACE(dh, now), n);
                    copy_rows_of(dz + 4 * now, NULL, 4 * n);
                    copy_rows_of(slopes, NULL, 4 * n);
                }
                fetch(PLACE(dh, next), n);
                fetch(gates + 4 * next, 4 * n);
                fetch_to_write(dz + 4 * next, 4 * n);
            }
            times(w, of_row(call, r0, 4 * n), 4 * n, carried, n, carried, n, rows, used);
        }
    }
}

extern const Kernel FAMILY(recurrent)[];
const Kernel FAMILY(recurrent)[] = {
    {"rnn_steps(z, u, h0, mask, *, activation, reverse)", rnn_steps, 0, sums_scratch},
    {"rnn_steps_grad(dh, dh_last, u, h, mask, *, activation, reverse)", rnn_steps_grad, 0,
     slopes_scratch},
    {"lstm_steps(z, u, h0, c0, mask, *, reverse)", lstm_steps, 0, sums_scratch},
    {"lstm_steps_grad(dh, dh_last, dc_last, u, c0, c, gates, mask, *, reverse)", lstm_steps_grad, 0,
     slopes_scratch},
    {0},
};
