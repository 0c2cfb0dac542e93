/* stacking.c: arrays put together along an axis or a new one, and taken apart again; see fastnn/reference/stacking.py.
 *
 * Seen from the axis, the large array is (outer, count, inner). The small ones are (outer, inner) each, or, where they
 * are concatenated, (outer, some, inner). */
#include "fastnn.h"
#include "vector/move.h"

typedef struct Pieces {
    int64_t outer, count, bytes;     /* bytes of `inner` */
} Pieces;

static Pieces pieces(const Tensor *whole, int64_t axis)
{
    if (axis < 0) axis += whole->rank;
    Pieces p = {.outer = 1, .count = whole->shape[axis], .bytes = inner_size(whole, axis + 1) * width_of(whole)};
    for (int i = 0; i < axis; i++) p.outer *= whole->shape[i];
    return p;
}

static void concatenate(const Call *call, Part part)
{
    char *restrict y = output(call, 0);   /* (outer…, count, inner…) */
    const Pieces p = pieces(call->outputs[0], integer(call, 0));
    const int axis = (int)(integer(call, 0) < 0 ? integer(call, 0) + call->outputs[0]->rank : integer(call, 0));
    const Range range = share(p.outer, 1, part);

    for (int64_t done = 0, t = 0; done < p.count; t++) {
        const char *restrict x = input(call, t);     /* (outer…, some, inner…) */
        const int64_t some = input_dim(call, t, axis), bytes = some * p.bytes;
        for (int64_t i = range.begin; i < range.end; i++)
            move(y + (i * p.count + done) * p.bytes, x + i * bytes, bytes);
        done += some;
    }
}

static void stack(const Call *call, Part part)
{
    const Pieces p = pieces(call->outputs[0], integer(call, 0));
    char *restrict y = output(call, 0);   /* (outer…, count, inner…) */
    const Range range = share(p.outer * p.count, 1, part);

    for (int64_t i = range.begin; i < range.end; i++) {
        const char *restrict x = input(call, i % p.count);     /* (outer…, inner…) */
        move(y + i * p.bytes, x + i / p.count * p.bytes, p.bytes);
    }
}

static void unstack(const Call *call, Part part)
{
    const Pieces p = pieces(call->inputs[0], integer(call, 0));
    const char *restrict x = input(call, 0);   /* (outer…, count, inner…) */
    const Range range = share(p.outer * p.count, 1, part);

    for (int64_t i = range.begin; i < range.end; i++) {
        char *restrict y = output(call, i % p.count);     /* (outer…, inner…) */
        move(y + i / p.count * p.bytes, x + i * p.bytes, p.bytes);
    }
}

extern const Kernel FAMILY(stacking)[];
const Kernel FAMILY(stacking)[] = {
    {"concatenate(*xs, axis)", concatenate},
    {"stack(*xs, axis)", stack},
    {"unstack(x, *, axis)", unstack},
    {0},
};
