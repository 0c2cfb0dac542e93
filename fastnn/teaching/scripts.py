"""Course material as it stands: `tensorflow` and `keras` mean fastnn while it runs, cell after cell. Floor 5."""

import contextlib
import json
import linecache
import re
import sys
import time
import traceback
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Cell", "Outcome", "as_tensorflow", "cells", "run_cells"]

_ROOTS = ("tensorflow", "tensorflow.keras", "keras")       # what a script may import in fastnn's place


@contextlib.contextmanager
def as_tensorflow() -> Iterator[None]:
    """Inside the block, importing `tensorflow`, `tensorflow.keras` or `keras` imports fastnn.

    with fastnn.teaching.as_tensorflow():
        from tensorflow.keras.layers import Dense       # fastnn.layers.Dense

    A name that fastnn lacks is refused as fastnn refuses it. Afterwards the names mean what they meant before, also
    where TensorFlow or Keras is installed or loaded. Only imports are changed: a `tf` bound before keeps its value.
    """
    import fastnn
    import fastnn.backend  # imported late elsewhere

    def root_of(name: str) -> bool:
        return name.split(".")[0] in ("tensorflow", "keras")

    before = {name: sys.modules.pop(name) for name in list(sys.modules) if root_of(name)}
    for name in _ROOTS:
        sys.modules[name] = _Root(name, fastnn)
    for full, module in list(sys.modules.items()):
        if full.startswith("fastnn.") and not full.startswith("fastnn.keras"):
            for name in _ROOTS:
                sys.modules[name + full.removeprefix("fastnn")] = module
    try:
        yield
    finally:
        for name in [name for name in sys.modules if root_of(name)]:
            del sys.modules[name]
        sys.modules.update(before)


class _Root(types.ModuleType):
    """A package of that name whose attributes are fastnn's and whose submodules are those that are loaded."""

    def __init__(self, name: str, fastnn: types.ModuleType) -> None:
        super().__init__(name, fastnn.__doc__)
        self.__path__: list[str] = []       # a package; nothing of it is to be found in files
        self._fastnn = fastnn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fastnn, name)


@dataclass(frozen=True)
class Cell:
    """A piece of code in a file: the line where it begins (in a notebook: its number), the heading above it."""

    line: int
    heading: str
    code: str


@dataclass(frozen=True)
class Outcome:
    """How a cell ended. error: None, or the exception; seconds: its time."""

    cell: Cell
    error: BaseException | None
    seconds: float

    def __str__(self) -> str:
        """One line: passed or failed, where, how long; and why it failed."""
        text = f"{'passed' if self.error is None else 'FAILED'}  {self.cell.line:>5}  {self.seconds:7.2f} s  "
        text += self.cell.heading
        if self.error is None:
            return text
        where = [frame.lineno for frame in traceback.extract_tb(self.error.__traceback__)
                 if frame.filename.startswith("<cell ")]
        line = f"line {where[-1]}: " if where else ""
        said = " ".join(str(self.error).split())
        return f"{text}\n        {line}{type(self.error).__name__}: {said}"


_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})\s*\{?(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=fence)\s*$|"
                    r"^#{1,6} +(?P<heading>[^\n]+)$", re.MULTILINE | re.DOTALL)


def cells(path: str | Path) -> list[Cell]:
    """The Python cells of a .md, .Rmd or .qmd file (fenced blocks), an .ipynb notebook, or a .py script (`# %%`).

    In a notebook, lines that begin with % or ! (magics, shell commands) are left out, and cells in another language
    (`%%bash`).
    ValueError: another kind of file, a notebook that is not one, or no Python cell.
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    kind = path.suffix.lower()
    if kind in (".md", ".rmd", ".qmd"):
        found = _fenced(text)
    elif kind == ".ipynb":
        found = _notebook(text, path)
    elif kind == ".py":
        found, line = [], 1
        for part in re.split(r"(?m)^(?=# %%)", text):
            if part.strip():
                title = part.splitlines()[0].removeprefix("# %%").strip() if part.startswith("# %%") else ""
                found.append(Cell(line, title, part))
            line += part.count("\n")
    else:
        raise ValueError(f"{path} is no .md, .Rmd, .qmd, .ipynb or .py file; give one of those.")
    if not found:
        raise ValueError(f"{path} has no Python cells; in Markdown a cell is a block that begins with ```python.")
    return found


def _fenced(text: str) -> list[Cell]:
    found, heading = [], ""
    for match in _FENCE.finditer(text):
        if match["heading"]:
            heading = match["heading"].replace("*", "").strip()
        elif match["language"].lower() in ("python", "py", "python3"):
            found.append(Cell(text.count("\n", 0, match.start("code")) + 1, heading, match["code"]))
    return found


_OTHER_LANGUAGE = re.compile(r"\s*%%(?!(?:time|timeit|capture)\b)")


def _notebook(text: str, path: Path) -> list[Cell]:
    try:
        listed = json.loads(text)["cells"]
        kinds = [(cell["cell_type"], "".join(cell["source"])) for cell in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no notebook of format 4 ({type(error).__name__}: {error}); "
                         "open and save it in Jupyter.") from None
    found, heading = [], ""
    for number, (kind, source) in enumerate(kinds, 1):
        if kind == "markdown":
            titles = re.findall(r"(?m)^#{1,6} +(.+)$", source)
            heading = titles[-1].replace("*", "").strip() if titles else heading
        elif kind == "code":
            code = re.sub(r"(?m)(?<!\\\n)^[ \t]*[%!].*$", "", source)
            if code.strip() and not _OTHER_LANGUAGE.match(source):
                found.append(Cell(number, heading, code))
    return found


def run_cells(path: str | Path, names: dict[str, Any] | None = None, *,
              before: str | Path | None = None) -> Iterator[Outcome]:
    """Run a file's cells one after the other in one namespace, `tensorflow` and `keras` being fastnn; yield each end.

    names: what the cells may use beside what they make; it is changed. before: a .py file with what the material takes
    for granted (its X_train, say): a cell under `# %% 759` runs just before the cell of line 759, others at the start.
    A cell that fails does not stop the next. KeyboardInterrupt and SystemExit are not caught. Errors: those of cells().

    for outcome in run_cells("guide.md"):
        print(outcome)
    """
    todo = cells(path)
    given = [] if before is None else cells(before)
    placed: dict[int, list[Cell]] = {cell.line: [] for cell in todo}
    for cell in given:
        line = int(cell.heading) if cell.heading.isdecimal() else todo[0].line
        if line not in placed:
            raise ValueError(f"{before} has a cell for line {line} of {path}, where no cell begins; "
                             f"cells begin at {', '.join(map(str, placed))}.")
        placed[line].append(cell)
    names = {} if names is None else names
    names.setdefault("__name__", "__main__")
    for cell in todo:
        start, error = time.perf_counter(), None
        try:
            with as_tensorflow():
                for part in placed[cell.line]:
                    _execute(part, str(before), names)
                _execute(cell, Path(path).name, names)
        except Exception as caught:
            error = caught
        yield Outcome(cell, error, time.perf_counter() - start)


def _execute(cell: Cell, file: str, names: dict[str, Any]) -> None:
    name = f"<cell {file}:{cell.line}>"
    linecache.cache[name] = (len(cell.code), None, cell.code.splitlines(keepends=True), name)     # for tracebacks
    exec(compile(cell.code, name, "exec"), names)


@contextlib.contextmanager
def figures_to(folder: str | Path | None) -> Iterator[list[Path]]:
    """Inside the block plt.show() saves the open figures as folder/figure-N.png instead (None: drops them).

    The list grows by each file. matplotlib's backend and plt.show are given back.
    """
    import matplotlib.pyplot as plt
    show, backend, saved = plt.show, plt.get_backend(), list[Path]()

    def save(*_: Any, **__: Any) -> None:
        for number in plt.get_fignums():
            if folder is not None:
                saved.append(Path(folder) / f"figure-{len(saved) + 1}.png")
                plt.figure(number).savefig(saved[-1])
        plt.close("all")

    plt.switch_backend("Agg")
    vars(plt)["show"] = save
    try:
        yield saved
    finally:
        vars(plt)["show"] = show
        plt.switch_backend(backend)
