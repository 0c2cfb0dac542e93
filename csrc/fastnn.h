/* fastnn.h: what a kernel sees, and the contract it keeps.
 *
 * A kernel is one named computation on arrays:  static void relu(const Call *call, Part part).
 * Its reference in fastnn/reference/ has the same name and the same parameters: positional ones are
 * the inputs here, keyword-only ones are the constants, return values are the outputs. The engine
 * compares the two signatures as text when it is imported.
 *
 * A kernel may rely on:
 *   - shapes and dtypes already checked, in Python, by the op;
 *   - every array being C-contiguous and aligned to its own element;
 *   - dtypes: float32 data, int32 labels and indices, uint8 images and masks, bool conditions; int64 and
 *     float64 only for 0-d counters and sums (and the perceptron, which is float64 from end to end);
 *   - outputs overlapping neither inputs nor each other nor scratch, so that every pointer of a prologue is
 *     `restrict`. Where the op says that an output *is* an input (an update), the prologue names it once, by
 *     output(), and no other input lies in it. Inputs may be one and the same: they are only read;
 *   - subnormal numbers being flushed to zero, in inputs and results;
 *   - every output having memory, except those of which its op says that they may be left out (Op.may_omit):
 *     where no call of a program reads one, its data are NULL and its sizes 0.
 * A kernel must:
 *   - allocate nothing, never fail, never touch anything but its outputs and its scratch;
 *   - skip the store of an output that is NULL, and give the others the same bits as with it;
 *   - compute its share only: `part` says which of `count` equal workers is calling. share() cuts the
 *     work at places that depend on sizes alone, and no output element may depend on the cut, so the
 *     bits are the same for any number of threads. Workers never wait for each other inside a call;
 *     partial sums over chunks whose number depends on sizes are added up in a last part (FINISH);
 *   - give the same result when called with part = {0, 1}, which is how small work is always run.
 *     How many workers a call is worth is for its op to say, in Python (fastnn/ops/rows/_work.py).
 *     (A kernel that opened its own OpenMP region would pay 240 ns even for `if(0)`, measured with
 *     gcc 12; a step of a small network has twenty calls of 5-100 ns each.)
 *
 * A name that the C library owns gets a trailing underscore in C: tanh_ for "tanh(x)".
 */
#ifndef FASTNN_H
#define FASTNN_H

#include <stdint.h>

enum { MAX_RANK = 8 };

typedef enum DType { F32, F64, I32, I64, U8, BOOL, DTYPE_COUNT } DType;
static const char *const dtype_names[] = {"float32", "float64", "int32", "int64", "uint8", "bool"};

typedef struct Tensor {
    void *data;
    int64_t size;            /* number of elements, the product of shape */
    int64_t shape[MAX_RANK];
    int32_t rank;
    int32_t dtype;           /* a DType */
} Tensor;

typedef struct Constant {
    double number;           /* float constants, and ints as numbers */
    int64_t integer;         /* int, bool, and the code of an activation name */
    int64_t count;           /* tuples: how many items */
    int64_t items[MAX_RANK];
} Constant;

typedef struct Part {
    int32_t index, count;
} Part;

struct Call;
typedef void (*KernelFunction)(const struct Call *call, Part part);
typedef int64_t (*SizeFunction)(const struct Call *call);

/* What a table row may say of its kernel besides the signature. */
enum {
    WHOLE = 1,   /* it is never divided: one worker does it */
    FINISH = 2   /* where several workers ran, it is called once more when all are done, with part.index == part.count,
                  * to add up what they left in call->scratch */
};

typedef struct Kernel {
    const char *signature;   /* "leaky_relu(x, *, slope)" */
    KernelFunction run;
    int flags;
    SizeFunction scratch;    /* how many floats of memory the workers of a call share besides its arrays; NULL: none */
} Kernel;

typedef struct Call {
    KernelFunction run;
    Tensor *const *inputs;
    Tensor *const *outputs;
    const Constant *constants;
    int64_t parts;           /* the most workers worth using; decided in Python, by sizes alone (Op.work) */
    int finish;              /* whether its kernel says FINISH */
    float *scratch;          /* as many floats as Kernel.scratch asks for, for partial sums */
} Call;

/* Activations that `dense` can fuse; a constant that is a string arrives as its place in this list, or in that of the
 * dtypes. */
enum { LINEAR, RELU, TANH, SIGMOID, ACTIVATION_COUNT };
static const char *const activation_names[] = {"linear", "relu", "tanh", "sigmoid"};

/* The prologue of a kernel names its parameters with these, in the order of the signature. */
static inline void *input(const Call *call, int i) { return call->inputs[i]->data; }
static inline void *output(const Call *call, int i) { return call->outputs[i]->data; }
static inline int64_t input_size(const Call *call, int i) { return call->inputs[i]->size; }
static inline int64_t output_size(const Call *call, int i) { return call->outputs[i]->size; }
static inline int64_t input_dim(const Call *call, int i, int axis) { return call->inputs[i]->shape[axis]; }
static inline int64_t output_dim(const Call *call, int i, int axis) { return call->outputs[i]->shape[axis]; }
static inline double number(const Call *call, int i) { return call->constants[i].number; }
static inline int64_t integer(const Call *call, int i) { return call->constants[i].integer; }

/* The product of the dims of a tensor from `axis` on: the size of one row when axis is 1. */
static inline int64_t inner_size(const Tensor *t, int axis)
{
    int64_t size = 1;
    for (int i = axis; i < t->rank; i++) size *= t->shape[i];
    return size;
}

typedef struct Range {
    int64_t begin, end;
} Range;

/* This worker's share of `size` things, cut at multiples of `grain`. */
static inline Range share(int64_t size, int64_t grain, Part part)
{
    if (part.count == 1) return (Range){0, size};
    const int64_t grains = (size + grain - 1) / grain;
    Range range = {part.index * grains / part.count * grain, (part.index + 1) * grains / part.count * grain};
    if (range.begin > size) range.begin = size;
    if (range.end > size) range.end = size;
    return range;
}

/* Elementwise shares are whole groups of 64 elements, so that vector tails only occur at the end. */
static inline Range share_elements(int64_t size, Part part) { return share(size, 64, part); }
static inline Range share_rows(int64_t rows, Part part) { return share(rows, 1, part); }

/* Names that differ between the copies of a source compiled for each instruction set. */
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#ifdef FASTNN_ISA
#define ISA_NAME(name) JOIN(name, FASTNN_ISA)
/* The table that ends each kernel file: const Kernel FAMILY(dense)[] = { {...}, {0} }; */
#define FAMILY(name) ISA_NAME(name##_kernels)
#endif

/* registry.c, once per instruction set: all tables, ended by NULL. dispatch.c picks one set. */
typedef const Kernel *const *Registry;
int isa_count(void);
const char *isa_name(int isa);
int isa_supported(int isa);
Registry isa_registry(int isa);

#endif
