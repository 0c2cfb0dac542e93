"""`python -m benchmarks.report [FILE ...] [--write docs/speed.md]`

fastnn beside its peers, as tables: of the newest measurements that `pytest benchmarks --benchmark-only
--benchmark-autosave` left in .benchmarks, or of these FILEs, a later one's figures in the place of an earlier one's.
--write puts the tables between <!-- benchmarks --> and <!-- /benchmarks --> of a file and draws
benchmarks/figures/speed.png.
"""

import argparse
import os
from pathlib import Path

from benchmarks import chart, results, tables

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
FIGURE = Path(__file__).resolve().parent / "figures" / "speed.png"
KEPT = Path(__file__).resolve().parents[1] / ".benchmarks"


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
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="made by --benchmark-autosave")
    parser.add_argument("--write", type=Path, metavar="FILE", help="replace the text between the markers of FILE")
    parser.add_argument("--figure", type=Path, default=FIGURE, metavar="FILE", help="where --write draws its picture")
    options = parser.parse_args()
    sections, about = results.load(options.files or [results.latest(KEPT)])
    text = tables.text(sections, about)
    print(text)
    if options.write:
        link = os.path.relpath(options.figure.resolve(), options.write.resolve().parent)
        drawn = chart.draw(options.figure, sections, about[-1]["machine"])
        write(options.write, (f"![Time of training steps and products beside other libraries]({link})\n\n" if drawn
                              else "") + text)


if __name__ == "__main__":
    main()
