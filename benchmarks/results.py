"""What pytest-benchmark kept: files of .benchmarks as {section: {row: {(library, setting): Measured}}}."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Entry = tuple[str, str]         # (library, setting)


@dataclass(frozen=True)
class Measured:
    """Seconds of one unit in the fastest round and in the middle one, and extra_info."""
    seconds: float
    median: float
    info: dict[str, Any]


Row = dict[Entry, Measured]
Section = dict[str, Row]


def latest(folder: Path) -> Path:
    """The newest file of --benchmark-autosave. SystemExit where there is none."""
    files = sorted(folder.glob("*/*.json"), key=lambda path: path.stat().st_mtime)
    if not files:
        raise SystemExit(f"{folder} has no measurements: pytest benchmarks --benchmark-only --benchmark-autosave")
    return files[-1]


def load(paths: list[Path]) -> tuple[dict[str, Section], list[dict[str, Any]]]:
    """Everything in the files, and what they say of the machine and its canary; where two have a figure, the later."""
    sections: dict[str, Section] = {}
    about = []
    for path in paths:
        file = json.loads(path.read_text(encoding="utf-8"))
        about.append({"machine": file["machine_info"]["benchmarks"], **file["canary"]})
        for each in file["benchmarks"]:
            section, _, row = each["group"].partition(": ")
            info = each["extra_info"]
            measured = Measured(each["stats"]["min"], each["stats"]["median"], info)
            sections.setdefault(section, {}).setdefault(row, {})[info["library"], info["setting"]] = measured
    return sections, about


def fastest(row: Row, library: str) -> tuple[float, str]:
    """(seconds, setting) of the library's best setting; (inf, "") if there is none."""
    return min(((found.seconds, setting) for (name, setting), found in row.items() if name == library),
               default=(math.inf, ""))
