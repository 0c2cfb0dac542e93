"""A lesson is one file of `# %%` cells, read from top to bottom: here it is run, or written as notebook or script.

Its docstring is the title and the first text. The first code cell holds the imports and the parameters, one a line with
a comment that says what it is (`epochs = 50    # passes over the data`); each is an option of the command. The last
line of the last cell is `figure`.
"""

import json
import re
import types
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_PARAMETER = re.compile(r"^([a-z]\w*) = ([^#\n]+?) +# (.+)$", re.MULTILINE)


class Lesson:
    """A lesson by its name.

    >>> Lesson("xor").run(epochs=100)["figure"]
    """

    def __init__(self, name: str) -> None:
        self.name, self.path = name, FOLDER / f"{name}.py"
        self.source = self.path.read_text(encoding="utf-8")

    @cached_property
    def text(self) -> str:
        """The docstring: a title, a blank line, what it is about."""
        return self.source.split('"""')[1].strip()

    @cached_property
    def begin(self) -> int:
        """Where the first cell begins; before it stand the docstring and what starts the lesson as a command."""
        return self.source.index("\n# %%") + 1

    @cached_property
    def parameters(self) -> dict[str, tuple[Any, str]]:
        """{name: (value unless told, what it is)}, in the first code cell."""
        first = next(code for kind, code in self.cells() if kind == "code")
        return {name: (eval(value, {}), what) for name, value, what in _PARAMETER.findall(first)}

    def with_parameters(self, values: Mapping[str, Any]) -> str:
        """The source, as long in lines, with other values. TypeError: there is no such parameter."""
        source = self.source
        for name, value in values.items():
            if name not in self.parameters:
                raise TypeError(f"lesson {self.name} has no parameter {name!r}; it has {', '.join(self.parameters)}.")
            line = f"{name} = {value!r}".replace("\\", r"\\")
            source = re.sub(rf"(?m)^{name} = [^#\n]+?(?= +#)", line, source, count=1)
        return source

    def cells(self, **parameters: Any) -> list[tuple[str, str]]:
        """[("markdown" or "code", its text)], the docstring first."""
        source = self.with_parameters(parameters) if parameters else self.source
        title, _, rest = self.text.partition("\n")
        found = [("markdown", f"# {title}\n{rest}".strip())]
        for part in re.split(r"(?m)^# %%", source[source.index("\n# %%") + 1:])[1:]:
            head, _, body = part.partition("\n")
            if "[markdown]" in head:
                found.append(("markdown", "\n".join(line.removeprefix("#").removeprefix(" ")
                                                    for line in body.strip().split("\n"))))
            else:
                found.append(("code", body.strip("\n")))
        return found

    def run(self, **parameters: Any) -> dict[str, Any]:
        """Run its cells with these parameters; → the names it made. A traceback shows lines of the lesson's file."""
        module = types.ModuleType(f"fastnn.examples.{self.name}")
        module.__file__ = str(self.path)
        exec(compile(self.with_parameters(parameters), self.path, "exec"), vars(module))
        return vars(module)

    def notebook(self, **parameters: Any) -> dict[str, Any]:
        """The cells as a notebook of format 4.5, not run. The parameters' cell has the tag "parameters"."""
        cells: list[dict[str, Any]] = []
        for number, (kind, text) in enumerate(self.cells(**parameters)):
            cell: dict[str, Any] = {"cell_type": kind, "id": f"{self.name}-{number}", "metadata": {},
                    "source": text.splitlines(keepends=True)}
            if kind == "code":
                first = all(other["cell_type"] != "code" for other in cells)
                cell |= {"execution_count": None, "outputs": [], "metadata": {"tags": ["parameters"]} if first else {}}
            cells.append(cell)
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        return {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}, "nbformat": 4,
                "nbformat_minor": 5}

    def script(self) -> str:
        """The cells as a script of its own, which saves its figure."""
        return f'"""{self.text}\n"""\n\n{self.source[self.begin:].rstrip()}.savefig("{self.name}.png")\n'

    def paths(self, folder: Path) -> tuple[Path, Path]:
        """Where its notebook and its script go."""
        return folder / f"{self.name}.ipynb", folder / f"{self.name}.py"

    def write(self, folder: Path) -> tuple[Path, Path]:
        """NAME.ipynb and NAME.py in the folder; → their paths."""
        notebook, script = self.paths(folder)
        notebook.write_text(json.dumps(self.notebook(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        script.write_text(self.script(), encoding="utf-8")
        return notebook, script
