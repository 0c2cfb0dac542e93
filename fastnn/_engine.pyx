# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=False
"""The only compiled module: kernels found, arrays to C descriptors, one kernel call, and the replay of programs.

It knows no kernel by name: kernels are found in the tables that the C files end with. Arrays come in
through the buffer protocol, so NumPy is not needed to build it.
"""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, int64_t, uintptr_t
from libc.string cimport memcpy, memset

from time import monotonic


cdef extern from "run/program.h" nogil:
    enum: MAX_RANK
    enum: F32, F64, I32, I64, U8, BOOL, DTYPE_COUNT
    enum: ACTIVATION_COUNT
    enum: WHOLE, FINISH
    const char **activation_names
    const char **dtype_names
    ctypedef struct Tensor:
        void *data
        int64_t size
        int64_t *shape
        int32_t rank
        int32_t dtype
    ctypedef struct Constant:
        double number
        int64_t integer
        int64_t count
        int64_t *items
    ctypedef struct Call
    ctypedef struct Part:
        pass
    ctypedef void (*KernelFunction)(const Call *call, Part part) noexcept
    ctypedef int64_t (*SizeFunction)(const Call *call) noexcept
    ctypedef struct Kernel:
        const char *signature
        KernelFunction run
        int flags
        SizeFunction scratch
    ctypedef struct Call:
        KernelFunction run
        Tensor **inputs
        Tensor **outputs
        const Constant *constants
        int64_t parts
        int finish
        float *scratch
    ctypedef struct Kept:
        const Tensor *tensor
        int64_t bytes
        void *copy
    ctypedef struct CProgram "Program":
        const Call *calls
        int64_t count, commit
        const Kept *kept
        int64_t kept_count
        double seconds
    ctypedef struct Entry:
        CProgram *program
        int64_t times
    ctypedef struct CSchedule "Schedule":
        const Entry *entries
        int64_t count, rounds
        int64_t round, entry, time, call, part, parts
    ctypedef const Kernel **Registry
    int isa_count()
    const char *isa_name(int isa)
    int isa_supported(int isa)
    Registry isa_registry(int isa)
    int call_run(const Call *call, int threads)
    int schedule_run(CSchedule *schedule, double seconds, int threads)
    int schedule_take_back(CSchedule *schedule)
    int c_openmp_threads "openmp_threads" ()
    int c_openmp_binds "openmp_binds" ()
    void c_openmp_pause "openmp_pause" ()


cdef extern from "gemm/panels.h":
    enum: PANEL_BYTES


def isas() -> list:
    """(name, whether this CPU can run it) of every compiled instruction set, slowest first."""
    return [(isa_name(i).decode(), bool(isa_supported(i))) for i in range(isa_count())]


def openmp_threads() -> int:
    """omp_get_max_threads(), or 0 in a build without OpenMP."""
    return c_openmp_threads()


def openmp_binds() -> bool:
    """Whether OpenMP binds each of its threads, this one too, to CPUs of its own (OMP_PROC_BIND, OMP_PLACES)."""
    return c_openmp_binds() != 0


def openmp_pause() -> None:
    """End the worker threads; the next parallel call starts them again."""
    c_openmp_pause()


cdef class KernelEntry:
    """One row of a kernel table: its signature text and its function."""
    cdef const Kernel *kernel
    cdef readonly str signature

    @property
    def whole(self) -> bool:
        """Whether a call is never divided among workers."""
        return self.kernel.flags & WHOLE != 0


def kernels(str isa) -> dict:
    """{kernel name: KernelEntry} of one instruction set."""
    cdef Registry registry
    cdef const Kernel *kernel
    cdef KernelEntry entry
    cdef int i
    for i in range(isa_count()):
        if isa_name(i).decode() == isa:
            break
    else:
        raise ValueError(f"no instruction set {isa!r}; compiled are {[name for name, _ in isas()]}")
    found = {}
    registry = isa_registry(i)
    while registry[0] != NULL:
        kernel = registry[0]
        while kernel.signature != NULL:
            entry = KernelEntry.__new__(KernelEntry)
            entry.kernel = kernel
            entry.signature = kernel.signature.decode()
            found[entry.signature.partition("(")[0]] = entry
            kernel += 1
        registry += 1
    return found


cdef object no_memory():
    """The error of a worker without memory for its products."""
    return MemoryError(f"no memory for the {PANEL_BYTES / 2 ** 20:.1f} MiB in which each thread orders the numbers of its "
                       "products.\nFree some, or use fewer threads (fastnn.config.set_num_threads).")


include "_engine_call.pxi"
include "_engine_program.pxi"
