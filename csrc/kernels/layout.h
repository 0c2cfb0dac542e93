/* layout.h: an array seen as axes that are kept and axes that are reduced, for reduce.c and whole.c.
 *
 * Neighbouring axes of one kind are merged to a group, so that groups kept and groups reduced alternate. */
#ifndef FASTNN_LAYOUT_H
#define FASTNN_LAYOUT_H

#include "fastnn.h"

typedef struct Axes {
    int64_t size[MAX_RANK], stride[MAX_RANK];
    int count;
} Axes;

/* The shape of the whole array, seen as groups of axes. */
typedef struct Layout {
    Axes kept, reduced;       /* all groups but the last */
    int64_t last;             /* the size of the last group */
    int last_reduced;
    int64_t outputs, terms;   /* product of the kept sizes; product of the reduced ones */
    int64_t reduced_outer;    /* the same without the last group */
} Layout;

static void push(Axes *axes, int64_t size, int64_t stride)
{
    axes->size[axes->count] = size;
    axes->stride[axes->count++] = stride;
}

static Layout layout_of(const Tensor *t, const Constant *axes)
{
    Layout l = {.last = 1, .outputs = 1, .terms = 1, .reduced_outer = 1};
    int is_reduced[MAX_RANK] = {0};
    for (int64_t i = 0; i < axes->count; i++) is_reduced[axes->items[i]] = 1;

    int axis = t->rank;
    if (axis > 0) l.last_reduced = is_reduced[axis - 1];
    while (axis > 0 && is_reduced[axis - 1] == l.last_reduced) l.last *= t->shape[--axis];
    *(l.last_reduced ? &l.terms : &l.outputs) *= l.last;
    for (int64_t stride = l.last; axis > 0;) {
        const int reduced = is_reduced[axis - 1];
        int64_t size = 1;
        while (axis > 0 && is_reduced[axis - 1] == reduced) size *= t->shape[--axis];
        push(reduced ? &l.reduced : &l.kept, size, stride);
        if (reduced) l.reduced_outer *= size;
        *(reduced ? &l.terms : &l.outputs) *= size;
        stride *= size;
    }
    return l;
}

/* Where element `index` of these axes (in C order; they are listed from the last one) begins. */
static inline int64_t offset_of(const Axes *axes, int64_t index)
{
    int64_t offset = 0;
    int i = 0;
    for (; i + 1 < axes->count; i++) {
        offset += index % axes->size[i] * axes->stride[i];
        index /= axes->size[i];
    }
    return axes->count ? offset + index * axes->stride[i] : 0;
}

#endif
