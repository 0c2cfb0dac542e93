/* embedding.c: rows of a table by number, and their way back; see fastnn/reference/embedding.py. */
#include <string.h>

#include "vector/simd.h"

static void embedding(const Call *call, Part part)
{
    const int32_t *restrict ids = input(call, 0);   /* (…) */
    const float *restrict table = input(call, 1);   /* (rows, width) */
    float *restrict y = output(call, 0);            /* (…, width) */
    const int64_t rows = input_dim(call, 1, 0), width = input_dim(call, 1, 1);
    const Range mine = share_rows(input_size(call, 0), part);

    for (int64_t i = mine.begin; i < mine.end; i++) {
        if (ids[i] >= 0 && ids[i] < rows) memcpy(y + i * width, table + ids[i] * width, width * sizeof *y);
        else for (int64_t j = 0; j < width; j++) y[i * width + j] = NAN;
    }
}

/* A worker has rows of the table and looks for them among all ids, so that a row's sum is always in the order of the
 * ids. */
static void embedding_grad(const Call *call, Part part)
{
    const float *restrict dy = input(call, 0);      /* (…, width) */
    const int32_t *restrict ids = input(call, 1);   /* (…) */
    float *restrict dtable = output(call, 0);       /* (rows, width) */
    const int64_t count = input_size(call, 1), width = output_dim(call, 0, 1);
    const Range mine = share_rows(output_dim(call, 0, 0), part);

    memset(dtable + mine.begin * width, 0, (mine.end - mine.begin) * width * sizeof *dtable);
    for (int64_t i = 0; i < count; i++) {
        if (ids[i] < mine.begin || ids[i] >= mine.end) continue;
        float *restrict row = dtable + ids[i] * width;
        const float *from = dy + i * width;
        for (int64_t j = 0; j < width; j++) row[j] += from[j];
    }
}

extern const Kernel FAMILY(embedding)[];
const Kernel FAMILY(embedding)[] = {
    {"embedding(ids, table)", embedding},
    {"embedding_grad(dy, ids, *, rows)", embedding_grad},
    {0},
};
