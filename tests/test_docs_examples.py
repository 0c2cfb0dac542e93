"""Every public name has an example, in its docstring or in docs/api/examples, and every example runs and prints what
it says; numbers are compared as far as they are written out."""

import contextlib
import doctest
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fastnn

DOCS = Path(__file__).parents[1] / "docs"
if not (DOCS / "_reference.py").is_file():
    pytest.skip("an installation has no docs/", allow_module_level=True)
sys.path.append(str(DOCS))
import _reference as reference  # noqa: E402

NUMBER = re.compile(r"-?\d*\.\d+(?:e[+-]?\d+)?|-?\d+\.?(?:e[+-]?\d+)?")


class Checker(doctest.OutputChecker):
    """Blanks in any number; whole numbers as they are, others within 1e-4, as other instruction sets round otherwise;
    what does not say what it prints may print anything."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        if not want or super().check_output(want, got, optionflags):
            return True
        if NUMBER.sub("#", want).split() != NUMBER.sub("#", got).split():
            return False
        return all(_near(a, b) for a, b in zip(NUMBER.findall(want), NUMBER.findall(got)))


def _near(want: str, got: str) -> bool:
    if "." not in want + got:
        return want == got
    small = 1e-3 * abs(float(want)) if "e" in want else 1e-4 * max(1.0, abs(float(want)))
    return abs(float(want) - float(got)) <= small


def _examples(module: str) -> Iterator[tuple[str, str]]:
    """(name, text with examples in it) of a public module: docs/api/examples and the docstrings."""
    yield from reference.examples(module).items()
    for name in reference.names(importlib.import_module(module)):
        value = getattr(importlib.import_module(module), name)
        for found in doctest.DocTestFinder(recurse=inspect.isclass(value)).find(value, name):
            if found.examples and str(getattr(value, "__module__", "")).startswith("fastnn"):
                yield found.name, found.docstring


@pytest.mark.usefixtures("settled")
@pytest.mark.seeds_numpy
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("module", reference.MODULES)
def test_examples_print_what_they_say(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)     # some write files
    setting = compile((reference.EXAMPLES / "setting.py").read_text(encoding="utf-8"), "setting.py", "exec")
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    said: list[str] = []
    kept = reference.examples(module)
    for name, text in _examples(module):
        names: dict[str, Any] = {}
        if name not in kept:        # a docstring's example uses the names of its module
            names.update(vars(importlib.import_module(module)))
        exec(setting, names)
        test = doctest.DocTestParser().get_doctest(text, names, f"{module}.{name}", None, None)
        doctest.DocTestRunner(Checker(), optionflags=flags).run(test, out=said.append)
    assert not said, "".join(said)


@pytest.fixture
def settled() -> Iterator[None]:
    """An example may change a setting: all are put back."""
    threads, floatx, backend = fastnn.get_num_threads(), fastnn.config.floatx(), fastnn.config.backend()
    with contextlib.ExitStack() as after:
        for put_back, value in ((fastnn.set_num_threads, threads), (fastnn.config.set_floatx, floatx),
                                (fastnn.config.set_backend, backend)):
            after.callback(put_back, value)
        yield


@pytest.mark.parametrize(("want", "got", "alike"), [
    ("[1. 2.]", "[1. 2.]", True), ("[1. 2.]", "[1. 3.]", False), ("(2, 3)", "(2, 4)", False), ("0.5", "0.50004", True),
    ("0.5", "0.501", False), ("1.00e-06", "1.0004e-06", True), ("1.00e-06", "1.10e-06", False),
    ("[1. 2.]", "[1.]", False)])
def test_the_comparison_sees_what_differs(want: str, got: str, alike: bool) -> None:
    assert Checker().check_output(want + "\n", got + "\n", doctest.NORMALIZE_WHITESPACE) == alike


def test_every_public_name_has_an_example() -> None:
    """An alias (hard_swish is hard_silu) has that of its first name, and an activation that of the op that it is."""
    shown: set[int] = set()
    missing: dict[str, Any] = {}
    for module in reference.MODULES:
        kept = reference.examples(module)
        for name in reference.names(importlib.import_module(module)):
            value = inspect.unwrap(getattr(importlib.import_module(module), name))
            if name in kept or ">>>" in (inspect.getdoc(value) or ""):
                shown.add(id(value))
            else:
                missing[f"{module}.{name}"] = value
    without = [name for name, value in missing.items() if id(value) not in shown]
    assert not without, f"{without}: give them `>>> ` lines in the docstring, or a part of docs/api/examples/MODULE.txt"


def test_examples_are_of_names_that_are_there() -> None:
    for path in reference.EXAMPLES.glob("*.txt"):
        assert set(reference.examples(path.stem)) <= set(reference.names(importlib.import_module(path.stem))), path
