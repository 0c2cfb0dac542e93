"""`python -m benchmarks.report [--quick] [--only SECTION ...] [--workloads NAME ...] [--write README.md]`

fastnn beside its peers. Each library has its own process; in every round all of them take one turn, and the fastest
round counts, so that every ratio is of figures from one run. --write puts the tables between <!-- benchmarks --> and
<!-- /benchmarks --> of a file and draws benchmarks/figures/speed.png. --results FILE keeps the figures as JSON; with
--only, sections that are not measured this time are told from there.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from benchmarks import chart, machine, tables
from benchmarks.contenders import LIBRARIES
from benchmarks.rounds import Library
from benchmarks.sections import SECTIONS, Effort, note
from benchmarks.workloads import WORKLOADS

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
FIGURE = Path(__file__).resolve().parent / "figures" / "speed.png"


def measure(only: list[str], workloads: list[str], quick: bool) -> dict[str, Any]:
    """Everything that tables.text and chart.draw tell."""
    effort = Effort(rounds=1, seconds=0.03, quick=True) if quick else Effort()
    effort.workloads = tuple(workloads)
    canary = effort.canary
    canary.read()                   # before other processes start
    libraries = {name: Library(name) for name in LIBRARIES}
    sections, readings = {}, {}
    try:
        for name in only:
            sections[name] = SECTIONS[name](libraries, effort)
            canary.wait()           # as all turns did
            readings[name] = [canary.readings[-1], canary.read()]
    finally:
        for library in libraries.values():
            library.close()
    found = machine.engine()
    return {"sections": sections, "skipped": effort.skipped, "canary": readings, "waited": canary.waited,
            "machine": f"{machine.line()}; fastnn {found['isa'] or 'reference'}, {found['threads']} threads"}


def merged(old: Any, new: Any) -> Any:
    """Both, at every depth; where both have a figure, the new one."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {key: merged(old[key], new[key]) if key in old and key in new else (new if key in new else old)[key]
            for key in [*old, *(key for key in new if key not in old)]}


def write(path: Path, text: str) -> None:
    """Replace what stands between the markers. SystemExit where they are missing."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no {BEGIN} … {END}; add both lines where the tables shall stand.")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report",
                                     description=(__doc__ or "").split("\n\n")[1].split(".")[0])
    parser.add_argument("--quick", action="store_true", help="few short rounds of some rows: to see that it works")
    parser.add_argument("--only", nargs="*", default=list(SECTIONS), choices=list(SECTIONS), metavar="SECTION",
                        help=f"some of: {', '.join(SECTIONS)}; none to tell what --results has")
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=list(WORKLOADS), metavar="NAME",
                        help=f"of the training steps only some: {', '.join(WORKLOADS)}")
    parser.add_argument("--results", type=Path, metavar="FILE", help="where to keep the figures as JSON")
    parser.add_argument("--write", type=Path, metavar="FILE", help="replace the text between the markers of FILE")
    parser.add_argument("--figure", type=Path, default=FIGURE, metavar="FILE", help="where --write draws its picture")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    earlier = {}
    if options.results and options.results.exists():
        earlier = json.loads(options.results.read_text(encoding="utf-8"))
    results = measure(options.only, options.workloads, options.quick) if options.only or not earlier else {}
    waited = sum(each.get("waited", 0.0) for each in (earlier, results))
    results = {**merged(earlier, results), "waited": waited}
    if options.results:
        options.results.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")
    print(tables.text(results))
    if options.write:
        link = os.path.relpath(options.figure.resolve(), options.write.resolve().parent)
        drawn = chart.draw(options.figure, results)
        write(options.write, (f"![Time of training steps and products beside other libraries]({link})\n\n" if drawn
                              else "") + tables.text(results))
        note(f"wrote {options.write}" + (f" and {options.figure}" if drawn else ""))


if __name__ == "__main__":
    main()
