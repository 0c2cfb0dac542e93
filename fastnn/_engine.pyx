# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=False
"""The only compiled module: NumPy arrays to C descriptors, one kernel call, and the replay of programs.

It knows no kernel by name: kernels are found in the tables that the C files end with. Arrays come in
through the buffer protocol, so NumPy is not needed to build it.
"""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, int64_t, uintptr_t
from libc.string cimport memcpy, memset

from time import monotonic

cdef enum: MAX_OPERANDS = 16


cdef extern from "fastnn.h" nogil:
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
    ctypedef struct CProgram "Program":
        const Call *calls
        int64_t count
    ctypedef struct Entry:
        const CProgram *program
        int64_t times
    ctypedef struct CSchedule "Schedule":
        const Entry *entries
        int64_t count, rounds
        int64_t round, entry, time
    ctypedef const Kernel **Registry
    int isa_count()
    const char *isa_name(int isa)
    int isa_supported(int isa)
    Registry isa_registry(int isa)
    void call_run(const Call *call, int threads)
    int schedule_run(CSchedule *schedule, double seconds, int threads)
    int c_openmp_threads "openmp_threads" ()
    int c_openmp_binds "openmp_binds" ()
    void c_openmp_pause "openmp_pause" ()


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


cdef int describe(object array, Tensor *tensor) except -1:
    """Fill a descriptor from any C-contiguous buffer; all zeros for None. The caller keeps the array alive."""
    cdef Py_buffer view
    cdef int i
    if array is None:
        memset(tensor, 0, sizeof(Tensor))
        return 0
    PyObject_GetBuffer(array, &view, PyBUF_ND | PyBUF_FORMAT)
    tensor.data = view.buf
    tensor.rank = view.ndim
    tensor.size = 1
    cdef char code = view.format[0]
    cdef int width = <int>view.itemsize
    if view.ndim > MAX_RANK or (view.format[1] != 0):
        PyBuffer_Release(&view)
        raise TypeError(f"the C backend takes at most {MAX_RANK} axes and native numbers")
    for i in range(view.ndim):
        tensor.shape[i] = view.shape[i]
        tensor.size *= view.shape[i]
    PyBuffer_Release(&view)
    if code == b"f":
        tensor.dtype = F32
    elif code == b"d":
        tensor.dtype = F64
    elif code == b"B":
        tensor.dtype = U8
    elif code == b"?":
        tensor.dtype = BOOL
    elif code in (b"i", b"l", b"q") and width == 4:
        tensor.dtype = I32
    elif code in (b"l", b"q") and width == 8:
        tensor.dtype = I64
    else:
        raise TypeError(f"the C backend has no dtype {chr(code)!r} of {width} bytes")
    return 0


cdef int describe_constant(object value, Constant *constant) except -1:
    cdef int i
    memset(constant, 0, sizeof(Constant))
    if isinstance(value, str):
        for i in range(ACTIVATION_COUNT):
            if activation_names[i].decode() == value:
                constant.integer = i
                return 0
        for i in range(DTYPE_COUNT):
            if dtype_names[i].decode() == value:
                constant.integer = i
                return 0
        raise ValueError(f"{value!r} is no activation that a kernel can fuse, and no dtype")
    elif isinstance(value, tuple):
        if len(value) > MAX_RANK:
            raise ValueError(f"a tuple constant has at most {MAX_RANK} items, got {len(value)}")
        constant.count = len(value)
        for i in range(len(value)):
            constant.items[i] = value[i]
    else:
        constant.number = value
        if isinstance(value, int):
            constant.integer = value
    return 0


cdef void set_kernel(Call *call, KernelEntry entry, int64_t parts) noexcept:
    call.run = entry.kernel.run
    call.parts = 1 if entry.kernel.flags & WHOLE else parts
    call.finish = entry.kernel.flags & FINISH


cdef int64_t scratch_size(const Call *call, KernelEntry entry) noexcept:
    return 0 if entry.kernel.scratch == NULL else entry.kernel.scratch(call)


cdef class Scratch:
    """Memory for floats, which begins at a multiple of 64 bytes."""
    cdef void *memory
    cdef float *floats

    def __cinit__(self, int64_t count):
        self.memory = PyMem_Malloc(count * sizeof(float) + 64)
        if not self.memory:
            raise MemoryError(f"no memory for {count} floats that workers share")
        self.floats = <float *>((<uintptr_t>self.memory + 63) & ~<uintptr_t>63)

    def __dealloc__(self):
        PyMem_Free(self.memory)


cdef class Program:
    """A list of calls over a table of tensors, ready to be replayed without Python.

    tensors: the arrays, each once. calls: (KernelEntry, input places, output places, constants, parts), the
    places being indices into `tensors`, parts the most workers that the call is divided among.
    """
    cdef CProgram program
    cdef Tensor *tensors
    cdef Tensor **operands
    cdef Constant *constants
    cdef Call *calls
    cdef list arrays
    cdef Scratch scratch

    def __cinit__(self, list tensors, list calls):
        cdef Py_ssize_t n_operands = 0, n_constants = 0, o = 0, k = 0
        cdef KernelEntry entry
        cdef Call *call
        cdef int i, c
        cdef int64_t shared = 0
        self.arrays = list(tensors)
        for _, inputs, outputs, constants, _ in calls:
            n_operands += len(inputs) + len(outputs)
            n_constants += len(constants)
        self.tensors = <Tensor *>PyMem_Malloc(max(1, len(tensors)) * sizeof(Tensor))
        self.operands = <Tensor **>PyMem_Malloc(max(1, n_operands) * sizeof(Tensor *))
        self.constants = <Constant *>PyMem_Malloc(max(1, n_constants) * sizeof(Constant))
        self.calls = <Call *>PyMem_Malloc(max(1, len(calls)) * sizeof(Call))
        if not (self.tensors and self.operands and self.constants and self.calls):
            raise MemoryError("no memory for the program's descriptors")
        for i in range(len(tensors)):
            describe(tensors[i], &self.tensors[i])
        for c in range(len(calls)):
            entry, inputs, outputs, constants, parts = calls[c]
            call = &self.calls[c]
            set_kernel(call, entry, parts)
            call.inputs = &self.operands[o]
            for i in inputs:
                self.operands[o] = &self.tensors[i]
                o += 1
            call.outputs = &self.operands[o]
            for i in outputs:
                self.operands[o] = &self.tensors[i]
                o += 1
            call.constants = &self.constants[k]
            for value in constants:
                describe_constant(value, &self.constants[k])
                k += 1
            shared = max(shared, scratch_size(call, entry))
        self.scratch = Scratch(shared)
        for c in range(len(calls)):
            self.calls[c].scratch = self.scratch.floats
        self.program.calls = self.calls
        self.program.count = len(calls)

    def __dealloc__(self):
        PyMem_Free(self.tensors)
        PyMem_Free(self.operands)
        PyMem_Free(self.constants)
        PyMem_Free(self.calls)

    def __len__(self):
        return self.program.count

    def bind(self, int place, object array) -> None:
        """Put another array in the place of one: same dtype and row shape, any number of rows."""
        describe(array, &self.tensors[place])
        self.arrays[place] = array

    def run_call(self, int index, int threads) -> None:
        """Run one call of the program."""
        cdef Call *call = &self.calls[index]
        with nogil:
            call_run(call, threads)

    def parts(self, int index) -> int:
        """The most workers that call `index` is divided among."""
        return self.calls[index].parts


cdef class Schedule:
    """Programs to run in order, each some times, and all of that `rounds` times; see fastnn.h."""
    cdef CSchedule schedule
    cdef Entry *entries
    cdef list programs

    def __cinit__(self, list entries, int64_t rounds):
        cdef Program program
        cdef int i
        self.programs = entries
        self.entries = <Entry *>PyMem_Malloc(max(1, len(entries)) * sizeof(Entry))
        if not self.entries:
            raise MemoryError("no memory for the schedule")
        for i in range(len(entries)):
            program, times = entries[i]
            self.entries[i].program = &program.program
            self.entries[i].times = times
        self.schedule.entries = self.entries
        self.schedule.count = len(entries)
        self.schedule.rounds = rounds

    def __dealloc__(self):
        PyMem_Free(self.entries)

    def run(self, double seconds, int threads) -> bool:
        """Run whole steps for about this long; True when the schedule is finished.

        Signals are looked at twenty times a second, so Ctrl-C raises between two steps.
        """
        cdef double end = monotonic() + seconds
        cdef double slice_
        cdef int finished = 0
        while not finished:
            slice_ = min(0.05, end - monotonic())
            if slice_ <= 0:
                return False
            with nogil:
                finished = schedule_run(&self.schedule, slice_, threads)
            PyErr_CheckSignals()
        return True

    @property
    def position(self) -> tuple:
        """(round, entry, time): how far it is."""
        return self.schedule.round, self.schedule.entry, self.schedule.time


cdef int run_alone(Call *call, KernelEntry kernel, int threads) except -1:
    """Run a call that belongs to no program."""
    cdef Scratch scratch
    cdef int64_t shared = scratch_size(call, kernel)
    if shared:
        scratch = Scratch(shared)
        call.scratch = scratch.floats
    with nogil:
        call_run(call, threads)
    return 0


cdef class Ready:
    """One kernel with what its calls on arrays of certain shapes and dtypes have in common, found out once.

    It keeps no array: run() is given others of the same shapes and dtypes, C-contiguous, each time.
    """
    cdef KernelEntry kernel
    cdef int inputs, outputs
    cdef Tensor *tensors
    cdef Py_ssize_t *sizes         # in bytes
    cdef readonly int64_t parts    # the most workers that a call is divided among

    def __cinit__(self, KernelEntry kernel, tuple inputs, tuple outputs, int64_t parts):
        cdef int i, count = <int>(len(inputs) + len(outputs))
        if count > MAX_OPERANDS:
            raise ValueError(f"a kernel takes at most {MAX_OPERANDS} arrays")
        self.kernel, self.parts = kernel, 1 if kernel.whole else parts
        self.inputs, self.outputs = <int>len(inputs), <int>len(outputs)
        self.tensors = <Tensor *>PyMem_Malloc(max(1, count) * sizeof(Tensor))
        self.sizes = <Py_ssize_t *>PyMem_Malloc(max(1, count) * sizeof(Py_ssize_t))
        if not (self.tensors and self.sizes):
            raise MemoryError("no memory for a call's descriptors")
        for i in range(count):
            array = inputs[i] if i < self.inputs else outputs[i - self.inputs]
            describe(array, &self.tensors[i])
            self.sizes[i] = array.nbytes

    def __dealloc__(self):
        PyMem_Free(self.tensors)
        PyMem_Free(self.sizes)

    cdef bint point(self, int i, object array, Tensor *tensor) except -1:
        """Describe the array in place of operand i; false if it has another size, or is None."""
        cdef Py_buffer view
        if array is None:
            return False
        PyObject_GetBuffer(array, &view, PyBUF_SIMPLE)
        memcpy(tensor, &self.tensors[i], sizeof(Tensor))
        tensor.data = view.buf
        cdef bint same = view.len == self.sizes[i]
        PyBuffer_Release(&view)
        return same

    cdef bint tangled(self, Tensor *tensors):
        """Whether an output has bytes in common with more than the one input that it may be."""
        cdef int i, k, common
        cdef char *begin
        cdef char *other
        for k in range(self.inputs, self.inputs + self.outputs):
            common, begin = 0, <char *>tensors[k].data
            for i in range(self.inputs):
                other = <char *>tensors[i].data
                common += other < begin + self.sizes[k] and begin < other + self.sizes[i]
            if common > 1:
                return True
        return False

    def run(self, tuple inputs, tuple outputs, tuple constants, int threads) -> bool:
        """Run it. False if an array is None or has another size, or an input lies in what is written: then nothing
        has run."""
        cdef Tensor tensors[MAX_OPERANDS]      # on the stack, as two threads may run the same call
        cdef Tensor *operands[MAX_OPERANDS]
        cdef Constant consts[MAX_OPERANDS]
        cdef Call c
        cdef int i
        if len(inputs) != self.inputs or len(outputs) != self.outputs or len(constants) > MAX_OPERANDS:
            raise ValueError(f"a kernel takes at most {MAX_OPERANDS} constants, and the arrays it was made ready for")
        for i in range(self.inputs):
            if not self.point(i, inputs[i], &tensors[i]):
                return False
            operands[i] = &tensors[i]
        for i in range(self.outputs):
            if not self.point(self.inputs + i, outputs[i], &tensors[self.inputs + i]):
                return False
            operands[self.inputs + i] = &tensors[self.inputs + i]
        if self.tangled(tensors):
            return False
        for i in range(len(constants)):
            describe_constant(constants[i], &consts[i])
        set_kernel(&c, self.kernel, self.parts)
        c.inputs = operands
        c.outputs = &operands[self.inputs]
        c.constants = consts
        run_alone(&c, self.kernel, threads)
        return True


def call(KernelEntry kernel, tuple inputs, tuple outputs, tuple constants, int parts, int threads) -> None:
    """Run one kernel on arrays, divided among `parts` workers if there are as many threads."""
    cdef Tensor few[16]
    cdef Tensor *few_operands[16]
    cdef Tensor *tensors = few
    cdef Tensor **operands = few_operands
    cdef Constant consts[16]
    cdef int n_in = <int>len(inputs), n_out = <int>len(outputs), n_const = <int>len(constants)
    if n_const > 16:
        raise ValueError("a kernel takes at most 16 constants")
    if n_in + n_out > 16:      # stack, unstack
        tensors = <Tensor *>PyMem_Malloc((n_in + n_out) * sizeof(Tensor))
        operands = <Tensor **>PyMem_Malloc((n_in + n_out) * sizeof(Tensor *))
    try:
        if not (tensors and operands):
            raise MemoryError("no memory for the descriptors of a call")
        call_with(kernel, inputs, outputs, constants, tensors, operands, consts, parts, threads)
    finally:
        if tensors != few:
            PyMem_Free(tensors)
            PyMem_Free(operands)


cdef int call_with(KernelEntry kernel, tuple inputs, tuple outputs, tuple constants, Tensor *tensors,
                   Tensor **operands, Constant *consts, int parts, int threads) except -1:
    cdef Call c
    cdef int i, n_in = <int>len(inputs), n_out = <int>len(outputs), n_const = <int>len(constants)
    for i in range(n_in):
        describe(inputs[i], &tensors[i])
    for i in range(n_out):
        describe(outputs[i], &tensors[n_in + i])
    for i in range(n_in + n_out):
        operands[i] = &tensors[i]
    for i in range(n_const):
        describe_constant(constants[i], &consts[i])
    set_kernel(&c, kernel, parts)
    c.inputs = operands
    c.outputs = &operands[n_in]
    c.constants = consts
    run_alone(&c, kernel, threads)
    return 0
