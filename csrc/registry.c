/* registry.c: the list of kernel families, compiled once per instruction set. */
#include <stddef.h>

#include "fastnn.h"

extern const Kernel FAMILY(activation)[], FAMILY(data)[], FAMILY(dense)[], FAMILY(elementwise)[],
    FAMILY(loss)[], FAMILY(metric)[], FAMILY(optimizer)[], FAMILY(random)[], FAMILY(reduce)[];

extern const Kernel *const ISA_NAME(registry)[];
const Kernel *const ISA_NAME(registry)[] = {
    FAMILY(activation), FAMILY(data), FAMILY(dense), FAMILY(elementwise), FAMILY(loss),
    FAMILY(metric), FAMILY(optimizer), FAMILY(random), FAMILY(reduce), NULL,
};
