"""Programs and schedules: lists of calls that C replays; a part of _engine.pyx."""


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
