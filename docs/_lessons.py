"""The list of lessons, and each as a notebook."""

import json
from pathlib import Path

from _reference import keep

from fastnn.examples import LESSONS
from fastnn.examples._cells import Lesson


def write(folder: Path) -> None:
    """lessons.md, and lessons/NAME.ipynb of each."""
    lines = ["# Lessons", "", "Each follows a chapter of the study guide and is a short file to read, run and change:",
             "`python -m fastnn.examples.NAME --plot figure.png`.",
             "`fastnn lessons --to FOLDER` writes them as notebooks and scripts.",
             "A course's own file runs as it stands: `fastnn run guide.md`.",
             "", "| lesson | what it shows |", "|---|---|"]
    lines += [f"| [{name}](lessons/{name}.ipynb) | {what} |" for name, what in LESSONS.items()]
    lines += ["", "```{toctree}", ":hidden:", "", *(f"lessons/{name}" for name in LESSONS), "```"]
    keep(folder / "lessons.md", "\n".join(lines) + "\n")
    (folder / "lessons").mkdir(exist_ok=True)
    for name in LESSONS:
        keep(folder / "lessons" / f"{name}.ipynb", json.dumps(Lesson(name).notebook(), indent=1) + "\n")
