"""Programs and schedules: lists of calls that C replays; a part of _engine.pyx."""


cdef enum: SMALL = 1 << 16      # bytes of state that are copied before a step that takes long
cdef double SLICE = 0.03        # seconds between two looks at the signals


cdef class Program:
    """A list of calls over a table of tensors, ready to be replayed without Python.

    tensors: the arrays, each once. calls: (KernelEntry, input places, output places, constants, parts), the
    places being indices into `tensors`, parts the most workers that the call is divided among. state: (place, index of
    the first call that updates it) of what goes from one run to the next, in the order of the calls.
    """
    cdef CProgram program
    cdef Tensor *tensors
    cdef Tensor **operands
    cdef Constant *constants
    cdef Call *calls
    cdef Kept *kept
    cdef list arrays
    cdef Scratch scratch, copies

    def __cinit__(self, list tensors, list calls, list state):
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
        self.kept = <Kept *>PyMem_Malloc(max(1, len(state)) * sizeof(Kept))
        if not (self.tensors and self.operands and self.constants and self.calls and self.kept):
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
        self.program.seconds = 1       # not known yet
        self.keep(state)

    cdef int keep(self, list state) except -1:
        """Make room to keep what the first calls update, as long as that is small."""
        cdef int64_t size = 0
        cdef Kept *kept
        self.program.commit = self.program.count
        for place, first in state:
            kept = &self.kept[self.program.kept_count]
            kept.tensor, kept.bytes = &self.tensors[place], memoryview(self.arrays[place]).nbytes
            if size + kept.bytes > SMALL:
                self.program.commit = first
                break
            kept.copy = <void *>size        # the offset, until there is memory
            size += (kept.bytes + 7) // 8 * 8
            self.program.kept_count += 1
        self.copies = Scratch(size // 4)
        for i in range(self.program.kept_count):
            self.kept[i].copy = <char *>self.copies.floats + <int64_t>self.kept[i].copy
        self.program.kept = self.kept
        return 0

    def __dealloc__(self):
        PyMem_Free(self.kept)
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
        cdef int ran
        with nogil:
            ran = call_run(call, threads)
        if not ran:
            raise no_memory()

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
        """Run for about this long, whole steps; True when the schedule is finished.

        Signals are looked at thirty times a second, also within a step. Ctrl-C raises between two steps: one that has
        changed little is taken back, one that is nearly done is finished first.
        """
        cdef double end = monotonic() + seconds
        cdef double slice_
        cdef int finished = 0
        while not finished:
            slice_ = min(SLICE, end - monotonic())
            if slice_ <= 0:
                if not (self.schedule.call or self.schedule.parts):
                    return False
                slice_ = SLICE
            with nogil:
                finished = schedule_run(&self.schedule, slice_, threads)
            if finished < 0:
                schedule_take_back(&self.schedule)
                raise no_memory()
            try:
                PyErr_CheckSignals()
            except BaseException:
                if not schedule_take_back(&self.schedule):
                    with nogil:
                        schedule_run(&self.schedule, -1, threads)
                raise
        return True

    @property
    def position(self) -> tuple:
        """(round, entry, time): how far it is."""
        return self.schedule.round, self.schedule.entry, self.schedule.time
