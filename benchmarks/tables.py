"""The measurements as Markdown: one function a section, over what results.py read."""

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from benchmarks import machine
from benchmarks.contenders import LIBRARIES
from benchmarks.contenders.fastnn import FASTNN
from benchmarks.results import Measured, Row, Section, fastest

PEERS = [name for name in LIBRARIES if name != "fastnn"]
ABSENT = Measured(math.nan, math.nan, {})


def geomean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def human(seconds: float | None) -> str:
    """Three digits and a unit; a dash where there is none."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    for factor, unit in ((1e6, "µs"), (1e3, "ms")):
        if seconds * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:,.{digits}f}{unit}"


def times(value: float) -> str:
    """A ratio in bold."""
    return f"**{value:.3g}×**" if math.isfinite(value) and value > 0 else "–"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table whose first column is text and all others numbers."""
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] + ["---:"] * (len(head) - 1), *rows)]


def seconds(row: Row, library: str, setting: str) -> float:
    """NaN where it was not measured."""
    return row.get((library, setting), ABSENT).seconds


def rate(row: Row, library: str, setting: str, unit: str) -> float:
    """The entry's rate of this unit, as in GFLOP/s; NaN where it was not measured."""
    return float(row.get((library, setting), ABSENT).info.get(unit, math.nan))


def _peers(row: Row, name_setting: Callable[[str], bool]) -> list[str]:
    """Each peer's best, with the setting it was where that is of interest."""
    cells = []
    for name in PEERS:
        best, setting = fastest(row, name)
        cells.append(human(best) + (f" ({setting})" if best < math.inf and name_setting(name) else ""))
    return cells


def short(found: Section) -> list[str]:
    """What pytest-benchmark prints of the two smallest networks, shortened."""
    lines = ["```text", '$ python -m pytest benchmarks --benchmark-only -k "xor or cancer"']
    for name, row in found.items():
        if name in ("xor", "cancer"):
            order = sorted(row.items(), key=lambda pair: pair[1].seconds)
            lines += ["", f"{f'step: {name}':<54} {'min':>8} {'':>11} {'median':>10}",
                      *(f"{f'test_step[{name}-{library}, {setting}]':<54} {human(t.seconds):>8} "
                        f"{f'({t.seconds / order[0][1].seconds:,.1f})':>11} {human(t.median):>10}"
                        for (library, setting), t in order)]
    return [*lines, "```", ""] if len(lines) > 2 else []


def steps(found: Section) -> list[str]:
    rows, after = [], []
    for name, row in found.items():
        ours = fastest(row, "fastnn")[0]
        theirs, who = min((fastest(row, name)[0], name) for name in PEERS if name != "NumPy")
        first = next(iter(row.values())).info
        rows.append([first["title"], *(human(seconds(row, "fastnn", setting)) for setting in FASTNN),
                     *_peers(row, lambda name: len(LIBRARIES[name]) > 1), times(fastest(row, "torch")[0] / ours),
                     f"{times(theirs / ours)} ({who})" if theirs < math.inf else "–"])
        losses = {library: measured.info["loss"] for (library, _), measured in row.items()}
        told = ", ".join(f"{library} {loss:.4f}" for library, loss in losses.items())
        after.append(f"- {name}: loss after {first['epochs']} epochs: {told}.")
    head = ["one training step", *(f"fastnn {setting}" for setting in FASTNN), *PEERS, "torch / fastnn",
            "best peer / fastnn"]
    told = ("Time of one step of `fit`, its Python included; Adam, cross-entropy, the same first weights (scikit-learn "
            "draws its own). NumPy, written by hand, does not count as a peer here.")
    return [*short(found), *table(head, rows), "", told, "", *after]


def outputs(found: Section) -> list[str]:
    rows = []
    for what, row in found.items():
        ours = seconds(row, "fastnn", "C, replayed")
        rows.append([what, human(ours), human(seconds(row, "fastnn", "C, eager")),
                     *_peers(row, lambda name: name == "Keras"), human(seconds(row, "Keras", "predict")),
                     times(fastest(row, "torch")[0] / ours)])
    return table(["outputs of", "fastnn predict", "fastnn model(x)", *PEERS, "Keras predict", "torch / fastnn predict"],
                 rows)


def products(found: Section) -> list[str]:
    rows, ratios, peak = [], {}, 0.0
    for name, row in found.items():
        rates = [rate(row, library, setting, "GFLOP/s") for library, setting in
                 (("fastnn", "C, 1 thread"), ("fastnn", "C, 2 threads"), ("NumPy", "by hand"), ("torch", "2 threads"))]
        peers = [each for each in rates[2:] if math.isfinite(each)]
        ratios[name] = rates[1] / max(peers, default=math.nan)
        peak = next(iter(row.values())).info["peak"] or 0.0
        rows.append([name, *map(number, rates), times(ratios[name]),
                     number(100 * rates[1] / peak if peak else None, unit=" %")])
    known = {name: ratio for name, ratio in ratios.items() if math.isfinite(ratio)}
    told = f"Geometric mean of the ratios **{geomean(list(known.values())):.2f}**, smallest " \
           f"{min(known.values()):.2f} {min(known, key=known.__getitem__)}. " if known else ""
    told += (f"Measured peak of multiply-adds in registers: {peak:.0f} GFLOP/s. " if peak else
             "The machine's peak was not measured. ")
    return [*table(["GFLOP/s", "fastnn, 1 thread", "fastnn, 2 threads", "NumPy (OpenBLAS)", "torch, 2 threads",
                    "fastnn / better peer", "of peak"], rows), "",
            told + "ᵀ: lies transposed in memory. All write into a given output; fastnn's calls are replayed by C, the "
            "peers are called in a Python loop: the tiny row is mostly that difference."]


def layers(found: Section) -> list[str]:
    rows = []
    for name, row in found.items():
        best = {library: fastest(row, library) for library in ("fastnn", "torch", "Keras")}
        rates = [number(rate(row, library, setting, "GFLOP/s")) for library, (_, setting) in best.items()]
        rows.append([name, *(human(t) + (f" ({setting})" if setting else "") for t, setting in best.values()), *rates,
                     *(times(best[library][0] / best["fastnn"][0]) for library in ("torch", "Keras"))])
    return [*table(["one layer, 2 threads", "fastnn", "torch", "Keras", "fastnn, GFLOP/s", "torch, GFLOP/s",
                    "Keras, GFLOP/s", "torch / fastnn", "Keras / fastnn"], rows), "",
            "Same images, same weights, same results. fastnn's is a program replayed by C; the peers are called in a "
            "Python loop."]


VECTORS = {"fastnn, 1 thread": ("fastnn", "C, 1 thread"), "NumPy, 1 thread": ("NumPy", "by hand"),
           "torch, 1 thread": ("torch", "1 thread"), "fastnn, 2 threads": ("fastnn", "C, 2 threads"),
           "torch, 2 threads": ("torch", "2 threads")}


def functions(found: Section) -> list[str]:
    rows = [[f"{name}, ns", *(number(1 / rate(row, *entry, "Gelement/s"), 3) for entry in VECTORS.values())]
            for name, row in found.items()]
    return [*table(["per element of 65,536", *VECTORS], rows), "", "NumPy's sigmoid and softplus are the formulas."]


def adam(found: Section) -> list[str]:
    rows = [[f"Adam, {name}, GB/s", *(number(rate(row, *entry, "GB/s"), 1) for who, entry in VECTORS.items()
                                      if "NumPy" not in who)] for name, row in found.items()]
    return [*table(["28 bytes a weight", *(who for who in VECTORS if "NumPy" not in who)], rows), "",
            "torch's is the fused one."]


def widths(found: Section) -> list[str]:
    rows, ours = [], []
    for width, row in found.items():
        cells = []
        for library, settings in (("fastnn", ("C, replayed, 1 thread", "C, replayed")),
                                  ("torch", ("eager, 1 thread", "eager, 2 threads"))):
            one, two = (seconds(row, library, setting) for setting in settings)
            cells += [human(one), human(two), number(two / one, 2)]
            ours += [two / one] * (library == "fastnn" and math.isfinite(two / one))
        rows.append([width, *cells])
    head = ["width", *(f"{library}, {what}" for library in ("fastnn", "torch") for what in
                       ("1 thread", "all threads", "all / 1"))]
    told = f" fastnn's largest all / 1 is {max(ours):.2f}." if ours else ""
    return [*table(head, rows), "", "A step of width-width-width-10 at batch 128: a second thread must never cost "
            f"anything.{told}"]


def separable(found: Section) -> list[str]:
    told = [f"- a step on separable data, {name}: " + ", ".join(
            " and ".join(human(seconds(row, library, when)) for when in ("first epochs", "late epochs")) + f" {library}"
            for library in dict.fromkeys(library for library, _ in row)) for name, row in found.items()]
    return [f"{line} (denormals would show)." for line in told]


def imports(found: Section) -> list[str]:
    rows = []
    for row in found.values():
        numpy = seconds(row, "NumPy", "")
        for (library, _), measured in row.items():
            after, most = (measured.info[name] or math.nan for name in ("megabytes", "most_megabytes"))
            rows.append([library, human(measured.seconds - numpy), number(after), number(most), number(most - after)])
    return table(["", "import, beyond NumPy's", "MB after import", "MB at most in one MNIST epoch", "difference"], rows)


def kernels(found: Section) -> list[str]:
    families: dict[str, list[float]] = defaultdict(list)
    for row in found.values():
        c, reference = (seconds(row, "fastnn", setting) for setting in ("C, 1 thread", "reference"))
        if math.isfinite(reference / c):
            families[row["fastnn", "reference"].info["family"]].append(reference / c)
    every = [ratio for family in families.values() for ratio in family]
    told = ", ".join(f"{family} {geomean(ratios):.1f}×" for family, ratios in sorted(families.items()))
    return [f"- kernels, C on one thread against the NumPy reference, geometric mean of {len(every)} large rows: "
            f"**{geomean(every):.1f}×** ({told})."] if every else []


def lessons(found: Section) -> list[str]:
    return [f"- the lesson {name}: " + ", ".join(f"{setting} {human(measured.seconds)}"
                                                for (_, setting), measured in row.items()) + "."
            for name, row in found.items()]


TABLES: dict[str, Callable[[Section], list[str]]] = {
    "step": steps, "outputs": outputs, "product": products, "layer": layers, "function": functions, "adam": adam,
    "width": widths, "import": imports, "lesson": lessons, "separable": separable, "kernel": kernels,
}


def text(sections: dict[str, Section], about: list[dict[str, Any]]) -> str:
    """All sections that were measured, the canary and the machine."""
    lines: list[str] = []
    for name, tell in TABLES.items():
        if found := sections.get(name):
            told = tell(found)
            lines += [*([""] if lines and not (told and told[0][0] == "-" == lines[-1][:1]) else []), *told]
    readings = [reading for each in about for reading in each["readings"]]
    verdict = [f"- {machine.verdict(readings, sum(each['waited'] for each in about))}."] if readings else []
    return "\n".join([*lines, "", *verdict, *dict.fromkeys(f"- {each['machine']}." for each in about)])
