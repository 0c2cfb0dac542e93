"""The list of lessons, and each as a notebook."""

from pathlib import Path

from fastnn.examples import LESSONS


def write(folder: Path) -> None:
    """lessons.md."""
    lines = ["# Lessons", "", "Each follows a chapter of the study guide and is a short file to read, run and change:",
             "`python -m fastnn.examples.NAME --plot figure.png`.",
             "A course's own file runs as it stands: `fastnn run guide.md`.",
             "", "| lesson | what it shows |", "|---|---|"]
    lines += [f"| `{name}` | {what} |" for name, what in LESSONS.items()]
    path, text = folder / "lessons.md", "\n".join(lines) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
