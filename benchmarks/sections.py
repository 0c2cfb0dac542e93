"""What is measured, one function a section: section(libraries, effort) → a dict that JSON can hold.

Keys are texts: "library | setting". A library that cannot take part is noted in `skipped` with the reason.
"""

import math
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks import machine, memory
from benchmarks.contenders import LIBRARIES, settings
from benchmarks.contenders.fastnn import FASTNN, Fastnn
from benchmarks.layers import LAYERS, SETTINGS, apart, layer_of
from benchmarks.products import PRODUCTS, product_of
from benchmarks.rounds import Entry, Library, Round, Times, fastest, inference, race, training
from benchmarks.vectors import ADAM_BYTES, ELEMENTS, FUNCTIONS, adam_of, function_of
from benchmarks.workloads import SEPARABLE, WORKLOADS, Workload, of_width

PATIENCE = {"Keras": 3}     # times the seconds of a round: its fit starts slowly, which a lesson would not see
WIDTHS = (16, 32, 45, 46, 64, 96, 128, 192, 256)
ROWS = (1, 256)             # of inference
THREADS = (1, 2)
Results = dict[str, Any]


@dataclass
class Effort:
    """How long to measure, and what could not be."""
    rounds: int = 7
    seconds: float = 0.2        # of a turn of a training; products take a third of it, vectors a tenth
    quick: bool = False
    workloads: tuple[str, ...] = tuple(WORKLOADS)
    canary: machine.Canary = field(default_factory=machine.Canary)
    skipped: dict[str, str] = field(default_factory=dict)

    def some(self, things: Any) -> list[Any]:
        """All of them; the first two when it must be quick."""
        return list(things)[:2 if self.quick else None]


def note(text: str) -> None:
    """What is going on, on stderr."""
    print(text, file=sys.stderr, flush=True)


def named(times: Times) -> dict[str, float]:
    return {" | ".join(entry): t for entry, t in times.items()}


def _race(libraries: dict[str, Library], effort: Effort, make: dict[Entry, tuple[Any, ...]], what: str,
          few: list[Entry] | None = None, forget: bool = True) -> Times:
    """Make everything, let it race, forget it. make: {entry: (function, arguments...)}."""
    note(what)
    entries = []
    for entry, (function, *arguments) in make.items():
        try:
            libraries[entry[0]].make(entry[1], function, *arguments)
            entries.append(entry)
        except RuntimeError as error:
            effort.skipped[f"{what}: {', '.join(entry)}"] = str(error)
    try:
        return race(libraries, entries, effort.rounds, few or [], wait=effort.canary.wait)
    except RuntimeError as error:               # a process that died in the middle of a turn takes its row with it
        effort.skipped[what] = str(error)
        return {}
    finally:
        if forget:
            for library in libraries.values():
                library.forget()


def steps(libraries: dict[str, Library], effort: Effort) -> Results:
    """Seconds per training step of everybody in every setting, and the loss that each has after the same epochs."""
    found: Results = {"steps": {}, "losses": {}}
    for name in effort.some(effort.workloads):
        workload = WORKLOADS[name]
        make = {(library, setting): (training, library, setting, name, effort.seconds * PATIENCE.get(library, 1))
                for library in LIBRARIES
                for setting in settings(library, workload)[:1 if effort.quick and library != "fastnn" else None]}
        few = [("fastnn", setting) for setting in list(FASTNN)[1:]]
        times = _race(libraries, effort, make, name, few, forget=False)
        x, y = workload.data()
        losses = {}
        for library in dict.fromkeys(library for library, _ in times):
            setting = fastest(times, library)[1]
            weights = libraries[library].call(setting, "weights_after", min(20, workload.most_epochs))
            losses[library] = workload.loss(weights, x, y)
        found["steps"][name], found["losses"][name] = named(times), losses
        for process in libraries.values():
            process.forget()
    return found


def inferences(libraries: dict[str, Library], effort: Effort) -> Results:
    """Seconds for the outputs of 1 and of 256 rows, every library in all its ways."""
    found: Results = {}
    best = {library: next(iter(makes)) for library, makes in LIBRARIES.items()}
    for name in ("cancer", "mnist"):
        for rows in ROWS:
            what = f"{name}, {rows} {'row' if rows == 1 else 'rows'}"
            note(f"inference: {what}")
            ways: dict[Entry, tuple[str, str]] = {}
            for library, setting in best.items():
                try:
                    for way in libraries[library].make(setting, inference, library, setting, name, rows,
                                                       effort.seconds / 10):
                        ways[library, way] = setting, way
                except RuntimeError as error:
                    effort.skipped[f"inference: {library}"] = str(error)
            found[what] = named(race(libraries, ways, min(effort.rounds, 4), methods=ways, wait=effort.canary.wait))
            for process in libraries.values():
                process.forget()
    return found


def products(libraries: dict[str, Library], effort: Effort) -> Results:
    """Seconds of every product in PRODUCTS, two threads, and the machine's peak."""
    found: Results = {"peak": machine.peak(2), "rows": {}}
    for i, product in effort.some(enumerate(PRODUCTS)):
        make = {(name, ""): (product_of, name, i, 2, effort.seconds / 3) for name in ("fastnn", "NumPy", "torch")}
        found["rows"][product.name] = {"flops": product.flops, **{
            library: t for (library, _), t in _race(libraries, effort, make, product.name).items()}}
    return found


def layers(libraries: dict[str, Library], effort: Effort) -> Results:
    """Seconds of every layer in LAYERS, two threads, and how far each library's results are from fastnn's."""
    found: Results = {}
    for i, layer in effort.some(enumerate(LAYERS)):
        make = {(library, setting): (layer_of, library, i, setting, 2, effort.seconds / 3)
                for library, several in SETTINGS.items() for setting in several[:1 if effort.quick else None]}
        times = _race(libraries, effort, make, layer.name, forget=False)
        results = {library: libraries[library].call(fastest(times, library)[1], "results")
                   for library in dict.fromkeys(library for library, _ in times)}
        ours = results.pop("fastnn", None)
        found[layer.name] = {"flops": layer.flops, "times": named(times),
                             "apart": {library: apart(ours, r) for library, r in results.items() if ours}}
        for process in libraries.values():
            process.forget()
    return found


def vectors(libraries: dict[str, Library], effort: Effort) -> Results:
    """ns per element of elementwise functions, and GB/s of Adam, with one and two threads."""
    found: Results = {}
    for name in effort.some(FUNCTIONS):
        make = {(library, f"{threads}"): (function_of, library, name, threads, effort.seconds / 10)
                for threads in THREADS for library in ("fastnn", "NumPy", "torch")
                if (library, name) != ("NumPy", "gelu") and (library, threads) != ("NumPy", 2)}
        found[name] = {entry: t / ELEMENTS * 1e9 for entry, t in named(_race(libraries, effort, make, name)).items()}
    adam: dict[Entry, tuple[Any, ...]] = {
            (library, f"{threads}"): (adam_of, library, threads, effort.seconds / 2)
            for threads in THREADS for library in ("fastnn", "torch")}
    found["adam"] = {entry: ADAM_BYTES / t / 1e9 for entry, t in named(_race(libraries, effort, adam, "Adam")).items()}
    return found


def _at_width(library: str, threads: int, width: int, seconds: float) -> Round:
    """Training at one width with a number of threads."""
    from benchmarks.contenders.torch import Torch
    make: Callable[[Workload], Any] = (partial(Fastnn, backend="c", threads=threads) if library == "fastnn"
                                       else partial(Torch, threads=threads))
    return Round(make, of_width(width), seconds)


def widths(libraries: dict[str, Library], effort: Effort) -> Results:
    """Seconds per step at batch 128 by width, with one and two threads."""
    found: Results = {}
    for width in effort.some(WIDTHS):
        make = {(library, f"{threads}"): (_at_width, library, threads, width, effort.seconds / 3)
                for library in ("fastnn", "torch") for threads in THREADS}
        found[str(width)] = named(_race(libraries, effort, make, f"width {width}"))
    return found


def _separable(library: str) -> Round:
    return Round(next(iter(LIBRARIES[library].values())), SEPARABLE, 0.0)


def long_run(libraries: dict[str, Library], effort: Effort) -> Results:
    """Time of the last 20 of 200 epochs on separable data over that of the first 20: denormals would show."""
    found: Results = {}
    note("long_run")
    for name in ("fastnn", "torch"):
        try:
            libraries[name].make("long", _separable, name)
            found[name] = libraries[name].call("long", "slowdown", 60 if effort.quick else 200)
        except RuntimeError as error:
            effort.skipped[f"long run: {name}"] = str(error)
        libraries[name].forget()
    return found


def footprint(libraries: dict[str, Library], effort: Effort) -> Results:
    """Seconds of the import, megabytes after it, and at most until one MNIST epoch is over."""
    found: Results = {}
    for name, module in memory.MODULES.items():
        note(f"import and memory: {name}")
        try:
            seconds = memory.import_seconds(module)
            found[name] = [seconds, *memory.megabytes(name, next(iter(LIBRARIES[name])))]
        except ImportError as error:
            effort.skipped[f"memory: {name}"] = str(error)
    return found


def kernels(libraries: dict[str, Library], effort: Effort) -> Results:
    """How many times faster C is than the reference: every kernel at a large size, by family."""
    from benchmarks.rows import LARGE_CASES, make
    from fastnn.engine import backend
    found: dict[str, list[float]] = defaultdict(list)
    note("kernels")
    for case in effort.some(LARGE_CASES) if backend._engine else []:
        large = make(case)
        c, reference = machine.alternate([partial(large.run, "c"), partial(large.run, "reference")], 3)
        if math.isfinite(c):
            found[large.family].append(reference / c)
    return dict(found)


SECTIONS: dict[str, Callable[[dict[str, Library], Effort], Results]] = {
    "steps": steps, "inference": inferences, "products": products, "layers": layers, "vectors": vectors,
    "widths": widths, "long_run": long_run, "footprint": footprint, "kernels": kernels,
}
