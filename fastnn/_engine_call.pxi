"""Arrays to C descriptors, and calls that belong to no program; a part of _engine.pyx."""

cdef enum: FEW = 16        # arrays or constants, for which there is room on the stack


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


cdef dict numbers = {}     # the constants that are words: activations that kernels fuse, dtypes
for word in range(ACTIVATION_COUNT):
    numbers[activation_names[word].decode()] = word
for word in range(DTYPE_COUNT):
    numbers.setdefault(dtype_names[word].decode(), word)


cdef int describe_constant(object value, Constant *constant) except -1:
    cdef int i
    memset(constant, 0, sizeof(Constant))
    if isinstance(value, str):
        if value not in numbers:
            raise ValueError(f"{value!r} is no activation that a kernel can fuse, and no dtype")
        constant.integer = numbers[value]
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
        elif -2.0 ** 63 <= constant.number < 2.0 ** 63:     # one of NumPy's, or a float where a kernel reads either
            constant.integer = <int64_t>constant.number if isinstance(value, float) else int(value)
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


cdef class Ready:
    """One kernel with what its calls on arrays of certain shapes and dtypes have in common, found out once.

    It keeps no array: run() is given others of the same shapes and dtypes, C-contiguous, each time; None where there
    was None. parts: the most workers that a call is divided among.
    """
    cdef KernelEntry kernel
    cdef int inputs, outputs
    cdef Tensor *tensors
    cdef Py_ssize_t *sizes         # in bytes, -1 for None
    cdef readonly int64_t parts

    def __cinit__(self, KernelEntry kernel, tuple inputs, tuple outputs, int64_t parts):
        cdef int i, count = <int>(len(inputs) + len(outputs))
        self.kernel, self.parts = kernel, 1 if kernel.whole else parts
        self.inputs, self.outputs = <int>len(inputs), <int>len(outputs)
        self.tensors = <Tensor *>PyMem_Malloc(max(1, count) * sizeof(Tensor))
        self.sizes = <Py_ssize_t *>PyMem_Malloc(max(1, count) * sizeof(Py_ssize_t))
        if not (self.tensors and self.sizes):
            raise MemoryError("no memory for a call's descriptors")
        for i in range(count):
            array = inputs[i] if i < self.inputs else outputs[i - self.inputs]
            describe(array, &self.tensors[i])
            self.sizes[i] = -1 if array is None else array.nbytes

    def __dealloc__(self):
        PyMem_Free(self.tensors)
        PyMem_Free(self.sizes)

    cdef bint point(self, int i, object array, Tensor *tensor) except -1:
        """Describe the array in place of operand i; false if it has another size, or is None."""
        cdef Py_buffer view
        cdef bint same
        memcpy(tensor, &self.tensors[i], sizeof(Tensor))
        if array is None:
            return self.sizes[i] < 0
        PyObject_GetBuffer(array, &view, PyBUF_SIMPLE)
        tensor.data = view.buf
        same = view.len == self.sizes[i]
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

    cdef bint run(self, tuple inputs, tuple outputs, tuple constants, int threads, bint checked) except -1:
        """Run it. False if an array is None or has another size or, unless that is checked, an input lies in what is
        written: then nothing has run."""
        cdef Tensor few[FEW]           # on the stack, as two threads may run the same call
        cdef Tensor *few_operands[FEW]
        cdef Tensor *tensors = few
        cdef Tensor **operands = few_operands
        cdef int count = self.inputs + self.outputs
        if len(inputs) != self.inputs or len(outputs) != self.outputs or len(constants) > FEW:
            raise ValueError(f"a kernel takes at most {FEW} constants, and the arrays it was made ready for")
        if count > FEW:      # stack, unstack
            tensors = <Tensor *>PyMem_Malloc(count * sizeof(Tensor))
            operands = <Tensor **>PyMem_Malloc(count * sizeof(Tensor *))
        try:
            if not (tensors and operands):
                raise MemoryError("no memory for the descriptors of a call")
            return self.run_over(inputs, outputs, constants, tensors, operands, threads, checked)
        finally:
            if tensors != few:
                PyMem_Free(tensors)
                PyMem_Free(operands)

    cdef bint run_over(self, tuple inputs, tuple outputs, tuple constants, Tensor *tensors, Tensor **operands,
                       int threads, bint checked) except -1:
        cdef Constant consts[FEW]
        cdef Call c
        cdef Scratch scratch
        cdef int64_t shared
        cdef int i, ran
        for i in range(self.inputs + self.outputs):
            operands[i] = &tensors[i]
            if not self.point(i, inputs[i] if i < self.inputs else outputs[i - self.inputs], &tensors[i]):
                return False
        if not checked and self.tangled(tensors):
            return False
        for i in range(len(constants)):
            describe_constant(constants[i], &consts[i])
        set_kernel(&c, self.kernel, self.parts)
        c.inputs, c.outputs, c.constants = operands, &operands[self.inputs], consts
        shared = scratch_size(&c, self.kernel)
        if shared:
            scratch = Scratch(shared)
            c.scratch = scratch.floats
        with nogil:
            ran = call_run(&c, threads)
        if not ran:
            raise no_memory()
        return True


def call(KernelEntry kernel, tuple inputs, tuple outputs, tuple constants, int64_t parts, int threads) -> None:
    """Run one kernel on arrays, divided among `parts` workers if there are as many threads."""
    cdef Ready ready = Ready(kernel, inputs, outputs, parts)
    ready.run(inputs, outputs, constants, threads, True)


cdef class Memory:
    """What an op remembers of its calls: for each set of shapes, dtypes and constants that its rules read, a call that
    is ready, and the outputs' shapes and dtypes.

    An instance is called with the op's tensors and constants and gives the outputs: new tensors, or those of the inputs
    that are updated; None, and nothing has run, for what it does not remember.
    """
    cdef readonly dict calls
    cdef tuple asked, names, updated
    cdef object kind, empty, may_update, threads

    def __cinit__(self, tuple asked, tuple names, tuple updated, object kind, object empty, object may_update,
                  object threads):
        """asked: the constants that rules read. names: all of them. updated: places among the inputs. kind: the class
        of tensors. empty, may_update, threads: functions that make an array, allow an update, say how many threads."""
        self.calls = {}
        self.asked, self.names, self.updated, self.kind = asked, names, updated, kind
        self.empty, self.may_update, self.threads = empty, may_update, threads

    def key(self, tuple inputs, dict constants) -> tuple:
        """The shapes, dtypes and constants by which a call is known. AttributeError, KeyError where they lack."""
        cdef list found = []
        for tensor in inputs:
            found.append(tensor.shape)
            found.append(tensor.dtype)
        for name in self.asked:
            found.append(constants[name])
        return tuple(found)

    def keep(self, tuple key, KernelEntry kernel, tuple inputs, tuple outputs, int64_t parts) -> None:
        """Remember a call that has run. TypeError for constants without a hash."""
        cdef tuple ins = tuple([t.data for t in inputs]), outs = tuple([t.data for t in outputs])
        self.calls[key] = Ready(kernel, ins, outs, parts), [(t.shape, t.dtype, t.data.dtype) for t in outputs]

    cdef object tensor(self, object array, object shape, object dtype):
        """Tensor(array), where shape and dtype are known."""
        made = self.kind.__new__(self.kind)
        made.data, made.shape, made.dtype, made.name = array, shape, dtype, ""
        made.source, made.mask, made.tracked, made.constant = None, None, False, False
        return made

    def __call__(self, tuple inputs, dict constants):
        cdef Ready ready
        cdef list values = [], made = [], arrays = []
        try:
            found = self.calls.get(self.key(inputs, constants))
            if found is None or len(constants) != len(self.names):
                return None
            for name in self.names:
                values.append(constants[name])
        except (AttributeError, KeyError, TypeError):       # arrays and numbers, or a mistake
            return None
        ready = found[0]
        if self.updated:
            for place in self.updated:
                made.append(inputs[place])
                arrays.append(inputs[place].data)
            if not self.may_update(made):
                return made
        else:
            for shape, dtype, kind in found[1]:
                array = self.empty(shape, kind)
                arrays.append(array)
                made.append(self.tensor(array, shape, dtype))
        threads = self.threads() if ready.parts > 1 else 1
        if not ready.run(tuple([t.data for t in inputs]), tuple(arrays), tuple(values), threads, False):
            return None         # symbolic, or another array now, or tangled
        return made
