/* batch.c: batches out of the rows of a data set, in an order that is shuffled, and results put back; see
 * fastnn/reference/batch.py. */
#include <string.h>

#include "fastnn.h"
#include "vector/move.h"
#include "vector/philox.h"

static void gather_rows(const Call *call, Part part)
{
    const char *restrict x = input(call, 0);           /* (n, …) */
    const int32_t *restrict order = input(call, 1);    /* (n,) */
    const int64_t *restrict cursor = input(call, 2);   /* () */
    char *restrict y = output(call, 0);                /* (batch, …) */
    const int64_t columns = inner_size(call->inputs[0], 1), bytes = columns * width_of(call->inputs[0]);
    const int64_t batch = output_dim(call, 0, 0);
    const Range range = share_rows(batch, part);

    if (*cursor + batch > input_size(call, 1)) return;    /* run by hand after the last batch: nothing to gather */
    order += *cursor;
    for (int64_t row = range.begin; row < range.end; row++) {
        /* The rows lie anywhere: ask for the beginning of a later one now; the hardware sees the rest. Asking for whole
         * rows of 3,136 bytes takes 30 us for 128 of them instead of 24 (two cores, 160 MB of rows). */
        if (row + 4 < range.end) __builtin_prefetch(x + order[row + 4] * bytes);
        move(y + row * bytes, x + order[row] * bytes, bytes);
    }
}

static void gather_rows_rescaled(const Call *call, Part part)
{
    const void *restrict x = input(call, 0);            /* (n, …) */
    const int32_t *restrict order = input(call, 1);     /* (n,) */
    const int64_t *restrict cursor = input(call, 2);    /* () */
    const int64_t batch = integer(call, 0);
    const float scale = number(call, 1), offset = number(call, 2);
    float *restrict y = output(call, 0);                /* (batch, …) */
    const int64_t columns = inner_size(call->inputs[0], 1);
    const Range range = share_rows(batch, part);

    if (*cursor + batch > input_size(call, 1)) return;
    for (int64_t row = range.begin; row < range.end; row++) {
        const int64_t from = order[*cursor + row] * columns;
        float *to = y + row * columns;
        if (call->inputs[0]->dtype == U8)
            for (int64_t i = 0; i < columns; i++) to[i] = ((const uint8_t *)x)[from + i] * scale + offset;
        else
            for (int64_t i = 0; i < columns; i++) to[i] = ((const float *)x)[from + i] * scale + offset;
    }
}

static void store_step(const Call *call, Part part)
{
    char *restrict result = output(call, 0);           /* (n, …) */
    const char *restrict rows = input(call, 1);        /* (batch, …) */
    const int64_t *restrict cursor = input(call, 2);   /* () */
    const int64_t rows_stored = input_dim(call, 1, 0);
    const int64_t bytes = inner_size(call->inputs[1], 1) * width_of(call->inputs[1]);

    (void)part;
    if (*cursor + rows_stored > output_dim(call, 0, 0)) return;
    memcpy(result + *cursor * bytes, rows, rows_stored * bytes);
}

static void shuffle_step(const Call *call, Part part)
{
    int32_t *restrict order = output(call, 0);          /* (n,) */
    int64_t *restrict keys = output(call, 1);           /* (n,) */
    const int64_t *restrict counter = input(call, 2);   /* () */
    const int64_t seed = integer(call, 0);
    const int64_t stream = integer(call, 1);
    const int64_t n = output_size(call, 0);
    enum { GROUP = 64, FEW = 8 };
    uint32_t bits[GROUP];

    /* Keys (31 random bits, index) are put into about n / 2 buckets by their leading bits, which leaves them nearly
     * sorted; one insertion sort finishes. As the bits can be drawn twice, once to count and once to place, it needs
     * no second array; until the end `order` holds the buckets' counts. With one bucket nothing need be counted. */
    (void)part;
    if (n <= FEW) {   /* a key's place is the number of smaller ones: no branch depends on the random bits */
        int64_t unsorted[FEW];
        philox(bits, 0, n, seed, stream, *counter);
        for (int64_t i = 0; i < n; i++) unsorted[i] = (int64_t)(bits[i] >> 1) << 32 | i;
        for (int64_t i = 0; i < n; i++) {
            int64_t place = 0;
            for (int64_t j = 0; j < n; j++) place += unsorted[j] < unsorted[i];
            keys[place] = unsorted[i];
            order[place] = (int32_t)i;
        }
        return;
    }
    int shift = 31;
    while (n > 32 && shift > 1 && (int64_t)1 << (33 - shift) <= n) shift--;
    const int64_t buckets = (int64_t)1 << (31 - shift);
    for (int64_t i = 0; i < buckets && i < n; i++) order[i] = 0;
    for (int pass = buckets == 1; pass < 2; pass++) {
        for (int64_t begin = 0; begin < n; begin += GROUP) {
            const int64_t count = n - begin < GROUP ? n - begin : GROUP;
            philox(bits, begin / 4, count, seed, stream, *counter);
            if (pass == 0)
                for (int64_t i = 0; i < count; i++) order[bits[i] >> 1 >> shift]++;
            else
                for (int64_t i = 0; i < count; i++)
                    keys[order[bits[i] >> 1 >> shift]++] = (int64_t)(bits[i] >> 1) << 32 | (begin + i);
        }
        if (pass) break;
        int32_t place = 0;   /* from how many are in a bucket to where it begins */
        for (int64_t i = 0; i < buckets; i++) {
            const int32_t here = order[i];
            order[i] = place;
            place += here;
        }
    }
    for (int64_t i = 1; i < n; i++) {
        const int64_t key = keys[i];
        int64_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--) keys[j] = keys[j - 1];
        keys[j] = key;
    }
    for (int64_t i = 0; i < n; i++) order[i] = (int32_t)keys[i];
}

extern const Kernel FAMILY(batch)[];
const Kernel FAMILY(batch)[] = {
    {"gather_rows(x, order, cursor, *, batch)", gather_rows},
    {"gather_rows_rescaled(x, order, cursor, *, batch, scale, offset)", gather_rows_rescaled},
    {"store_step(result, rows, cursor)", store_step, WHOLE},
    {"shuffle_step(order, keys, counter, *, seed, stream)", shuffle_step, WHOLE},
    {0},
};
