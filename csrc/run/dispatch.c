/* dispatch.c: which copies of the kernels were compiled, and which of them this CPU can run.
 * setup.py defines HAVE_<ISA> for each copy it compiled. */
#include "fastnn.h"

#ifdef HAVE_baseline
extern const Kernel *const registry_baseline[];
#endif
#ifdef HAVE_avx2
extern const Kernel *const registry_avx2[];
#endif
#ifdef HAVE_avx512
extern const Kernel *const registry_avx512[];
#endif

typedef enum Needs { NOTHING, AVX2, AVX512 } Needs;

/* From the slowest to the fastest. */
static const struct {
    const char *name;
    Registry registry;
    Needs needs;
} isas[] = {
#ifdef HAVE_baseline
    {"baseline", registry_baseline, NOTHING},
#endif
#ifdef HAVE_avx2
    {"avx2", registry_avx2, AVX2},
#endif
#ifdef HAVE_avx512
    {"avx512", registry_avx512, AVX512},
#endif
};

int isa_count(void) { return sizeof isas / sizeof *isas; }
const char *isa_name(int isa) { return isas[isa].name; }
Registry isa_registry(int isa) { return isas[isa].registry; }

int isa_supported(int isa)
{
#if defined(HAVE_avx2) || defined(HAVE_avx512)
    __builtin_cpu_init();
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
                       && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    return isas[isa].needs == NOTHING || (isas[isa].needs == AVX2 ? avx2 : avx512);
#else
    return isas[isa].needs == NOTHING;
#endif
}
