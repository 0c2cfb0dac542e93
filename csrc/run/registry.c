/* registry.c: the list of kernel families, compiled once per instruction set. */
#include <stddef.h>

#include "fastnn.h"

#define FAMILIES(EACH) \
    EACH(activation) EACH(affine) EACH(attention) EACH(batch) EACH(batch_norm) EACH(compare) EACH(conv) \
    EACH(conv_pool) EACH(crossentropy) EACH(data) EACH(dense) EACH(elementwise) EACH(embedding) EACH(functions) \
    EACH(gru) EACH(image) EACH(index) EACH(loss) EACH(measure) EACH(metric) EACH(norm) EACH(optimizer) EACH(pool) \
    EACH(random) EACH(recurrent) EACH(reduce) EACH(softmax) EACH(sparse_crossentropy) EACH(stacking) EACH(whole)

#define DECLARED(name) extern const Kernel FAMILY(name)[];
#define LISTED(name) FAMILY(name),

FAMILIES(DECLARED)
extern const Kernel *const ISA_NAME(registry)[];
const Kernel *const ISA_NAME(registry)[] = {FAMILIES(LISTED) NULL};
