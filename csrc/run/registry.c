/* registry.c: the list of kernel families, compiled once per instruction set. */
#include <stddef.h>

#include "fastnn.h"

extern const Kernel FAMILY(activation)[], FAMILY(affine)[], FAMILY(conv)[], FAMILY(conv_pool)[], FAMILY(crossentropy)[],
    FAMILY(data)[], FAMILY(dense)[], FAMILY(elementwise)[], FAMILY(image)[], FAMILY(loss)[], FAMILY(measure)[],
    FAMILY(metric)[], FAMILY(norm)[], FAMILY(optimizer)[], FAMILY(pool)[], FAMILY(random)[], FAMILY(reduce)[],
    FAMILY(softmax)[], FAMILY(sparse_crossentropy)[];

extern const Kernel *const ISA_NAME(registry)[];
const Kernel *const ISA_NAME(registry)[] = {
    FAMILY(activation), FAMILY(affine), FAMILY(conv), FAMILY(conv_pool), FAMILY(crossentropy), FAMILY(data),
    FAMILY(dense), FAMILY(elementwise), FAMILY(image), FAMILY(loss), FAMILY(measure), FAMILY(metric), FAMILY(norm),
    FAMILY(optimizer), FAMILY(pool), FAMILY(random), FAMILY(reduce), FAMILY(softmax), FAMILY(sparse_crossentropy), NULL,
};
