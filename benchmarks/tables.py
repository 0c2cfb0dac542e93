"""The measurements as Markdown: one function a section, over what sections.py found."""

import math
import statistics
from collections.abc import Callable
from typing import Any

from benchmarks import machine
from benchmarks.contenders import LIBRARIES
from benchmarks.contenders.fastnn import FASTNN
from benchmarks.rounds import Times, fastest
from benchmarks.workloads import WORKLOADS

Results = dict[str, Any]
ALIKE = 1e-4        # of the largest number: float32 sums of a few thousand terms, in any order
PEERS = [name for name in LIBRARIES if name != "fastnn"]


def times_of(named: dict[str, float]) -> Times:
    """{"library | setting": t} as {(library, setting): t}."""
    return {(key.partition(" | ")[0], key.partition(" | ")[2]): t for key, t in named.items()}


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


def table(head: list[str], rows: list[list[str]], texts: int = 1) -> list[str]:
    """A Markdown table whose first columns are text and all others numbers."""
    return ["| " + " | ".join(row) + " |" for row in
            (head, ["---"] * texts + ["---:"] * (len(head) - texts), *rows)]


def _peers(found: Times) -> list[str]:
    """Each peer's best and the setting it was."""
    cells = []
    for name in PEERS:
        best, setting = fastest(found, name)
        several = best < math.inf and len(LIBRARIES[name]) > 1
        cells.append(human(best) + (f" ({setting})" if several else ""))
    return cells


def best_peer(found: Times) -> tuple[float, str]:
    """(seconds, library) of the fastest of all peers but NumPy, whose user writes the training by hand."""
    return min((fastest(found, name)[0], name) for name in PEERS if name != "NumPy")


def disagreeing(losses: dict[str, float]) -> list[str]:
    """Libraries whose loss is a quarter away from the median (or no number): they did not do the same work."""
    told = {name: loss for name, loss in losses.items() if name != "scikit-learn"}      # it has other first weights
    middle = statistics.median(told.values()) if told else 0.0
    return [name for name, loss in told.items() if not abs(loss - middle) <= middle / 4]


def steps(found: Results) -> list[str]:
    rows, after = [], []
    for name, named in found["steps"].items():
        seconds = times_of(named)
        ours, theirs = fastest(seconds, "fastnn")[0], best_peer(seconds)
        rows.append([WORKLOADS[name].title, *(human(seconds.get(("fastnn", setting))) for setting in FASTNN),
                     *_peers(seconds), times(fastest(seconds, "torch")[0] / ours),
                     f"{times(theirs[0] / ours)} ({theirs[1]})" if theirs[0] < math.inf else "–"])
        losses = found["losses"][name]
        told = ", ".join(f"{library} {loss:.4f}" for library, loss in losses.items())
        if wrong := disagreeing(losses):
            told += (f". **Warning: {', '.join(wrong)} did not learn what the others did; its time in this row "
                     "means nothing until that is explained**")
        after.append(f"- {name}: loss after {min(20, WORKLOADS[name].most_epochs)} epochs: {told}.")
    head = ["one training step", *(f"fastnn {setting}" for setting in FASTNN), *PEERS, "torch / fastnn",
            "best peer / fastnn"]
    return [*table(head, rows), "", "Time of one step of `fit`, its Python included; Adam, cross-entropy, the same "
            "first weights (scikit-learn draws its own). NumPy, written by hand, does not count as a peer here.", "",
            *after]


def inference(found: Results) -> list[str]:
    rows = []
    for what, named in found.items():
        seconds = times_of(named)
        cells = []
        for name in PEERS:
            best, way = fastest(seconds, name)
            cells.append(human(best) + (f" ({way})" if name == "Keras" and best < math.inf else ""))
        ours = seconds.get(("fastnn", "predict"), math.nan)
        rows.append([what, human(ours), human(seconds.get(("fastnn", "model(x)"))), *cells,
                     human(seconds.get(("Keras", "predict"))), times(fastest(seconds, "torch")[0] / ours)])
    return table(["outputs of", "fastnn predict", "fastnn model(x)", *PEERS, "Keras predict", "torch / fastnn predict"],
                 rows)


def ratios(found: Results) -> dict[str, float]:
    """{product: GFLOP/s over those of the better peer}."""
    return {name: min(row.get("NumPy", math.inf), row.get("torch", math.inf)) / row["fastnn"]
            for name, row in found["rows"].items() if "fastnn" in row and ("NumPy" in row or "torch" in row)}


def products(found: Results) -> list[str]:
    rows, ratio, peak = [], ratios(found), found["peak"]
    for name, row in found["rows"].items():
        rate = {library: row["flops"] / row[library] / 1e9 if library in row else math.nan
                for library in ("fastnn", "NumPy", "torch")}
        rows.append([name, *(number(r) for r in rate.values()), times(ratio.get(name, math.nan)),
                     number(100 * rate["fastnn"] / peak if peak else None, unit=" %")])
    told = f"Geometric mean of the ratios **{geomean(list(ratio.values())):.2f}**, smallest " \
           f"{min(ratio.values()):.2f} {min(ratio, key=ratio.__getitem__)}. " if ratio else ""
    told += (f"Measured peak of multiply-adds in registers: {peak:.0f} GFLOP/s. " if peak else
             "The machine's peak was not measured. ")
    return [*table(["GFLOP/s, 2 threads", "fastnn", "NumPy (OpenBLAS)", "torch", "fastnn / better peer", "of peak"],
                   rows), "", told + "ᵀ: lies transposed in memory. All write into a given output; fastnn's calls are "
            "replayed by C (many at once where they are short), the peers are called in a Python loop: the tiny row is "
            "mostly that difference."]


def layers(found: Results) -> list[str]:
    rows, after = [], []
    for name, row in found.items():
        seconds = times_of(row["times"])
        best = {library: fastest(seconds, library) for library in ("fastnn", "torch", "Keras")}
        ours = best["fastnn"][0]
        rates = [number(row["flops"] / best[library][0] / 1e9 if row["flops"] else None) for library in best]
        rows.append([name, *(human(t) + (f" ({setting})" if setting else "") for t, setting in best.values()), *rates,
                     *(times(best[library][0] / ours) for library in ("torch", "Keras"))])
        after += [f"**Warning: {library}'s results of {name} differ from fastnn's by {share:.1g} of the largest; its "
                  "time means nothing until that is explained.**"
                  for library, share in row["apart"].items() if not share <= ALIKE]
    every = [share for row in found.values() for share in row["apart"].values()]
    told = f"Same images, same weights; results are alike up to {max(every):.0e} of the largest. " if every else ""
    return [*table(["one layer, 2 threads", "fastnn", "torch", "Keras", "fastnn, GFLOP/s", "torch, GFLOP/s",
                    "Keras, GFLOP/s", "torch / fastnn", "Keras / fastnn"], rows), "",
            " ".join([told + "fastnn's is a program replayed by C; the peers are called in a Python loop.", *after])]


def vectors(found: Results) -> list[str]:
    rows = []
    for name, row in found.items():
        digits = 1 if name == "adam" else 3
        cells = [number(row.get(f"{library} | {threads}"), digits)
                 for threads in (1, 2) for library in ("fastnn", "NumPy", "torch")
                 if (library, threads) != ("NumPy", 2)]
        rows.append([{"adam": "Adam over 10 M weights, **GB/s**"}.get(name, f"{name}, ns"), *cells])
    return [*table(["per element of 65,536", "fastnn, 1 thread", "NumPy, 1 thread", "torch, 1 thread",
                    "fastnn, 2 threads", "torch, 2 threads"], rows), "",
            "Adam moves 28 bytes a weight; torch's is the fused one. NumPy's sigmoid and softplus are the formulas."]


def widths(found: Results) -> list[str]:
    rows, ours = [], []
    for width, row in found.items():
        cells = []
        for library in ("fastnn", "torch"):
            one, two = (row.get(f"{library} | {threads}", math.nan) for threads in (1, 2))
            cells += [human(one), human(two), number(two / one, 2)]
            if library == "fastnn" and math.isfinite(two / one):
                ours.append(two / one)
        rows.append([width, *cells])
    head = ["width", *(f"{library}, {what}" for library in ("fastnn", "torch") for what in
                       ("1 thread", "2 threads", "2 / 1"))]
    told = f" fastnn's largest 2 / 1 is {max(ours):.2f}." if ours else ""
    return [*table(head, rows), "", "A step of width-width-width-10 at batch 128: a second thread must never cost "
            f"anything.{told}"]


def long_run(found: Results) -> list[str]:
    told = ", ".join(f"{name} {ratio:.2f}" for name, ratio in found.items())
    return [f"- 200 epochs on separable data, time of the last 20 over the first 20 (denormals would show): {told}."]


def footprint(found: Results) -> list[str]:
    rows = [[name, human(seconds), number(after), number(most), number(most - after)]
            for name, (seconds, after, most) in found.items()]
    return table(["", "import, after NumPy's", "MB after import", "MB at most in one MNIST epoch", "difference"], rows)


def kernels(found: Results) -> list[str]:
    every = [ratio for family in found.values() for ratio in family]
    told = ", ".join(f"{family} {geomean(family_ratios):.1f}×" for family, family_ratios in sorted(found.items()))
    return [f"- kernels, C against the NumPy reference, geometric mean of {len(every)} large rows: "
            f"**{geomean(every):.1f}×** ({told})."] if every else []


TABLES: dict[str, Callable[[Results], list[str]]] = {
    "steps": steps, "inference": inference, "products": products, "layers": layers, "vectors": vectors,
    "widths": widths, "footprint": footprint, "long_run": long_run, "kernels": kernels,
}


def text(results: Results) -> str:
    """All sections that were measured, the reasons for the dashes, the canary and the machine."""
    lines: list[str] = []
    for name, tell in TABLES.items():
        if found := results["sections"].get(name):
            told = tell(found)
            lines += [*([""] if lines and not (told and told[0][0] == "-" == lines[-1][:1]) else []), *told]
    reasons: dict[str, list[str]] = {}
    for what, reason in results["skipped"].items():
        reasons.setdefault(reason, []).append(what)
    lines += ["", *(f"- not measured: {'; '.join(what)} ({reason})." for reason, what in reasons.items())]
    canary = [reading for pair in results["canary"].values() for reading in pair]
    return "\n".join([*lines, f"- {machine.verdict(canary, results.get('waited', 0))}.", f"- {results['machine']}."])
