"""`python -m benchmarks.report [--quick] [--write README.md]`: one Markdown table of fastnn and its peers.

All figures come from one run. Each library has its own process; in every round all of them take one turn, and the
fastest round counts. --write puts the text between <!-- benchmarks --> and <!-- /benchmarks --> of a file.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

from benchmarks import machine
from benchmarks.peers import LIBRARIES
from benchmarks.rounds import Library
from benchmarks.workloads import FASTNN, MNIST, MNIST_ROWS, WORKLOADS, Workload

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
PATIENCE = {"Keras": 5}         # times the seconds of a round: its fit starts slowly, which a lesson would not see
HOPELESS = 2.0                  # a setting this many times slower than its library's best stops after two rounds
IMPORTS = {"fastnn": "fastnn", "torch": "torch", "Keras": "keras", "scikit-learn": "sklearn.neural_network"}
COLUMNS = [*(f"fastnn {setting}" for setting in FASTNN), *(name for name in LIBRARIES if name != "fastnn")]
Times = dict[tuple[str, str], float]        # (library, setting) → the fastest


def import_seconds(module: str, rounds: int = 3) -> float:
    """What `import module` costs after `import numpy`, in a fresh interpreter. ImportError where it is absent."""
    code = f"import time, numpy; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    best = math.inf
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImportError((done.stderr.strip().splitlines() or ["?"])[-1])
        best = min(best, float(done.stdout.split()[-1]))
    return best


class Report:
    """Measures everything once and tells it."""

    def __init__(self, quick: bool) -> None:
        self.rounds, self.seconds, self.settings = (3, 0.05, 2) if quick else (9, 0.2, 9)
        self.canary = machine.Canary()
        self.canary.read()              # before other processes start
        self.libraries = {name: Library(name) for name in LIBRARIES}
        self.steps: dict[str, Times] = {}
        self.losses: dict[str, dict[str, float]] = {}
        self.predict: Times = {}
        self.imports: dict[str, float] = {}
        self.skipped: dict[str, str] = {}
        self.kernels: dict[str, list[float]] = defaultdict(list)

    def measure(self) -> None:
        for workload in WORKLOADS.values():
            self._workload(workload)
            self.canary.read()
        for library in self.libraries.values():
            library.close()
        for name, module in IMPORTS.items():
            try:
                self.imports[name] = import_seconds(module)
            except ImportError as error:
                self.skipped.setdefault(name, str(error))
        self._kernels()
        self.canary.read()

    def _workload(self, workload: Workload) -> None:
        entries = []
        for name, library in self.libraries.items():
            for setting in list(LIBRARIES[name]) if name == "fastnn" else list(LIBRARIES[name])[:self.settings]:
                note(f"{workload.name}: prepare {name}, {setting}")
                try:
                    library.ask("prepare", setting, workload.name, self.seconds * PATIENCE.get(name, 1))
                    entries.append((name, setting))
                except RuntimeError as error:
                    self.skipped.setdefault(name, str(error))
        best: Times = dict.fromkeys(entries, math.inf)
        for turn in range(self.rounds):
            note(f"{workload.name}: round {turn + 1} of {self.rounds}")
            for name, setting in entries:
                time.sleep(0.02)                # threads of the one before stop spinning
                best[name, setting] = min(best[name, setting], self.libraries[name].ask("run", setting))
            if turn == 1:
                entries = [e for e in entries if e[0] == "fastnn" or best[e] <= HOPELESS * fastest(best, e[0])[0]]
        self.steps[workload.name] = best
        self.losses[workload.name] = {}
        for name in dict.fromkeys(name for name, _ in entries):
            setting = fastest(best, name)[1]
            self.losses[workload.name][name] = self.libraries[name].ask(
                "loss_after", setting, min(20, workload.most_epochs))
        if workload.name == "cancer":
            for name, setting in entries:
                self.predict[name, setting] = self.libraries[name].ask("predict", setting)
        for name, setting in best:
            self.libraries[name].ask("forget", setting)

    def _kernels(self) -> None:
        from benchmarks.rows import LARGE_CASES, make
        from fastnn.engine import backend
        if backend._engine is None:
            return
        note("kernels")
        for case in LARGE_CASES:
            large = make(case)
            c, reference = machine.alternate([partial(large.run, "c"), partial(large.run, "reference")], 3)
            self.kernels[large.family].append(reference / c)

    # ---- telling ------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The Markdown."""
        lines = [row("", *COLUMNS, "torch / fastnn"), "|---|" + "---:|" * (len(COLUMNS) + 1)]
        for name, workload in WORKLOADS.items():
            title = workload.title
            if name == "mnist":
                title += f" ({MNIST_ROWS:,} rows{'' if MNIST.is_dir() else ', synthetic'})"
            lines.append(self._row(title, self.steps[name]))
        lines.append(self._row("predict one row, 30-16-8-1", self.predict))
        imports = {(name, next(iter(LIBRARIES[name]))): t for name, t in self.imports.items()}
        lines.append(self._row("import, after NumPy's", imports, settings=False))
        lines += ["", f"Time of one training step through `fit`, its Python included; Adam, cross-entropy. Fastest of "
                  f"{self.rounds} rounds in which all took turns, each library in a process of its own; of several "
                  "settings the best, which is named."]
        for name, losses in self.losses.items():
            told = ", ".join(f"{library} {loss:.4f}" for library, loss in losses.items())
            wrong = disagreeing(losses)
            if wrong:
                told += (f". **Warning: {', '.join(wrong)} did not learn what the others did; its time in this row "
                         "means nothing until that is explained**")
            lines.append(f"- {name}: loss after {min(20, WORKLOADS[name].most_epochs)} epochs from the same weights "
                         f"(scikit-learn draws its own): {told}.")
        if self.kernels:
            every = [ratio for ratios in self.kernels.values() for ratio in ratios]
            told = ", ".join(f"{family} {geomean(ratios):.1f}×" for family, ratios in sorted(self.kernels.items()))
            lines.append(f"- kernels, C against the NumPy reference, geometric mean of {len(every)} large rows: "
                         f"**{geomean(every):.1f}×** ({told}).")
        lines += [f"- not measured: {name} ({reason})." for name, reason in self.skipped.items()]
        lines += [f"- {self.canary.verdict()}.", f"- {machine.line()}; fastnn {described()}."]
        return "\n".join(lines)

    @staticmethod
    def _row(title: str, times: Times, settings: bool = True) -> str:
        cells = [human(times.get(("fastnn", setting))) for setting in FASTNN]
        for name in (name for name in LIBRARIES if name != "fastnn"):
            best, setting = fastest(times, name)
            several = settings and len(LIBRARIES[name]) > 1 and best < math.inf
            cells.append(human(best) + (f" ({setting})" if several else ""))
        ours, theirs = times.get(("fastnn", next(iter(FASTNN))), math.inf), fastest(times, "torch")[0]
        return row(title, *cells, f"**{theirs / ours:.3g}×**" if max(ours, theirs) < math.inf else "–")


def described() -> str:
    """Instruction set and threads of fastnn."""
    found = machine.engine()
    return f"{found['isa'] or 'reference'}, {found['threads']} threads"


def fastest(times: Times, library: str) -> tuple[float, str]:
    """(seconds, setting) of the library's best setting; (inf, "") if there is none."""
    return min(((t, setting) for (name, setting), t in times.items() if name == library), default=(math.inf, ""))


def disagreeing(losses: dict[str, float]) -> list[str]:
    """Libraries whose loss is a quarter away from the median (or no number): they did not do the same work."""
    told = {name: loss for name, loss in losses.items() if name != "scikit-learn"}      # it has other first weights
    middle = statistics.median(told.values()) if told else 0.0
    return [name for name, loss in told.items() if not abs(loss - middle) <= middle / 4]


def geomean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def human(seconds: float | None) -> str:
    """Three digits and a unit."""
    if seconds is None or seconds == math.inf:
        return "–"
    for factor, unit in ((1e6, "µs"), (1e3, "ms")):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def note(text: str) -> None:
    """What is going on, on stderr."""
    print(text, file=sys.stderr, flush=True)


def write(path: Path, text: str) -> None:
    """Replace what stands between the markers. SystemExit where they are missing."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no {BEGIN} … {END}; add both lines where the table shall stand.")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few short rounds: to see that it works")
    parser.add_argument("--write", type=Path, metavar="FILE", help="replace the text between the markers of FILE")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    report = Report(options.quick)
    report.measure()
    print(report.text())
    if options.write:
        write(options.write, report.text())


if __name__ == "__main__":
    main()
