"""The reference: a page for each public module, with every public name, its docstring and an example that runs.

Examples that a docstring does not have itself stand in docs/api/examples/MODULE.txt, under a line `## name`, and
begin with what setting.py has made; tests/test_docs_examples.py runs them all and names what has none.
"""

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

EXAMPLES = Path(__file__).parent / "api" / "examples"
MODULES = ("fastnn", "fastnn.activations", "fastnn.callbacks", "fastnn.config", "fastnn.constraints", "fastnn.datasets",
           "fastnn.initializers", "fastnn.layers", "fastnn.losses", "fastnn.metrics", "fastnn.models", "fastnn.ops",
           "fastnn.optimizers", "fastnn.optimizers.schedules", "fastnn.plotting", "fastnn.preprocessing.image",
           "fastnn.preprocessing.sequence", "fastnn.preprocessing.text", "fastnn.random", "fastnn.regularizers",
           "fastnn.saving", "fastnn.teaching", "fastnn.utils")
# Classes that people subclass or call by their methods; of the others the constructor says all.
WITH_METHODS = {"Callback", "GradientTape", "Layer", "Loss", "Metric", "Model", "Optimizer", "Perceptron", "Profile",
                "PyDataset", "Sequential", "Tensor", "Variable"}


def names(module: ModuleType) -> list[str]:
    """The public names of a module that are no modules themselves."""
    listed = [*getattr(module, "__all__", [name for name in dir(module) if not name.startswith("_")])]
    return [name for name in listed if not inspect.ismodule(getattr(module, name))]


def examples(module: str) -> dict[str, str]:
    """The examples of docs/api/examples, by name."""
    path = EXAMPLES / f"{module}.txt"
    if not path.is_file():
        return {}
    parts = re.split(r"^## (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {name: code.strip("\n") for name, code in zip(parts[::2], parts[1::2])}


def write(folder: Path) -> None:
    """api/index.rst and a page a module."""
    folder.mkdir(exist_ok=True)
    for name in MODULES:
        keep(folder / f"{name}.rst", _page(name))
    setting = (EXAMPLES / "setting.py").read_text(encoding="utf-8").splitlines()
    lines = ["Reference", "=========", "", "The examples begin with::", "", *(f"   {line}" for line in setting), "",
             ".. toctree::", "   :maxdepth: 1", "", *(f"   {name}" for name in MODULES)]
    keep(folder / "index.rst", "\n".join(lines) + "\n")


def _page(name: str) -> str:
    module = importlib.import_module(name)
    kept = examples(name)
    lines = [name, "=" * len(name), "", *_escaped(inspect.getdoc(module) or ""), "", f".. currentmodule:: {name}", ""]
    for public in names(module):
        value = getattr(module, public)
        kind = "class" if inspect.isclass(value) else "function" if callable(value) else "data"
        again = name == "fastnn" and getattr(value, "__module__", "") != name and _elsewhere(public)
        lines += [f".. auto{kind}:: {name}.{public}", *(["   :no-index:"] if again else []),
                  *(["   :members:"] if public in WITH_METHODS and not again else []), ""]
        if public in kept:
            lines += [*(f"   {line}" if line else "" for line in kept[public].splitlines()), ""]
    return "\n".join(lines) + "\n"


def _elsewhere(name: str) -> bool:
    """Whether another page has what fastnn has under this name."""
    return any(name in names(importlib.import_module(module)) for module in MODULES[1:])


def keep(path: Path, text: str) -> None:
    """Write what is not there already: Sphinx and its cache look at the times of files."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def plain(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """A docstring as text: paragraphs, examples, and blocks that are indented."""
    lines[:] = _escaped("\n".join(lines))


def signature(app: Any, what: str, name: str, value: Any, options: Any, signature: str | None, returns: Any) -> Any:
    """Names and defaults of a class's arguments."""
    if what != "class":
        return signature, returns
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return signature, returns
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return str(inspect.Signature(bare)), ""


def _escaped(text: str) -> list[str]:
    """reStructuredText that shows the text as it is."""
    out: list[str] = []
    for block in re.split(r"\n\s*\n", text.expandtabs().strip("\n")):
        rows = block.splitlines()
        if rows and rows[0].lstrip().startswith(">>>"):
            out += [row.strip() for row in rows]
        elif any(row.startswith("  ") for row in rows):
            out += ["::", "", *(f"   {row}" for row in rows)]
        else:
            out += map(_mixed, rows)
        out.append("")
    return out


def _mixed(row: str) -> str:
    """Escapes outside of `code`."""
    parts = re.split(r"(`[^`]+`)", row)
    return "".join(f"`{part}`" if part.startswith("`") and len(part) > 2 else re.sub(r"([\\*|_`])", r"\\\1", part)
                   for part in parts)
