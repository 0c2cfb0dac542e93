"""README.md and docs/: their code runs, their listings are those of the package, their links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md",
         *(path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "lessons.md")]     # made by the build
pytestmark = pytest.mark.skipif(not (ROOT / "docs").is_dir() or not (ROOT / "README.md").is_file(),
                                reason="an installation has no docs/")


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(code: str, folder: Path) -> str:
    """What the code prints, in a process of its own, as in a reader's new script."""
    env = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    result = subprocess.run([sys.executable, "-c", code], env=env, cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("page", [path for path in PAGES if path.name != "adding_an_op.md"], ids=lambda path: path.name)
def test_code_runs_and_prints_what_stands_beside_it(page: Path, tmp_path: Path) -> None:
    """Blocks of one page may go on from each other. `print(...)   # text`: the line that it prints is the text."""
    code = "\n".join(blocks(page.read_text(encoding="utf-8"), "python"))
    if code:
        printed = run(code, tmp_path).splitlines()
        for said in re.findall(r"^print\(.*\)\s+# (.*)$", code, re.MULTILINE):
            assert said in printed


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_program_is_that_of_the_twenty_lines(tmp_path: Path) -> None:
    """In a process of its own, where the layers are called what they are called in a new script."""
    (code,) = blocks(text_of("README.md").split("\n## Twenty lines\n")[1].split("\n## ")[0], "python")
    (listing,) = blocks(text_of("docs/route.md"), "text")
    assert run(f"{code}\nprint('-----')\nprint(model.program())", tmp_path).split("-----\n")[1] == listing


def test_numbers_and_names_are_those_of_the_package() -> None:
    """The small nets held against Keras, and the optimizers."""
    from tests.test_keras_parity import CASES
    for page in ("README.md", "docs/keras.md"):
        assert re.findall(r"(\d+) small nets", text_of(page)) == [str(len(CASES))]
    listed = next(part for part in text_of("docs/keras.md").split("\n\n") if part.startswith("`optimizers` has "))
    names = {name for name in fastnn.optimizers.__all__ if name[0].isupper()} - {"Optimizer"}
    assert names <= set(re.findall(r"\w+", listed))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_files_that_are_named_exist(page: Path) -> None:
    """`tests/test_x.py`, `fastnn/ops/...` in a text: there is such a file."""
    for named in re.findall(r"`((?:tests|fastnn|csrc|benchmarks|docs)/[\w/.*]+)`", page.read_text(encoding="utf-8")):
        assert list(ROOT.glob(named)), f"{page.name} names {named}"


def test_the_op_that_is_added_is_the_one_in_the_sources() -> None:
    """Every paragraph of the code below a file's name stands in that file, line by line."""
    parts = re.split(r"^\d\. `([\w/.]+)`", text_of("docs/adding_an_op.md"), flags=re.MULTILINE)[1:]
    assert len(parts) == 2 * 4
    for path, text in zip(parts[::2], parts[1::2]):
        source = stripped(text_of(path))
        (code,) = blocks(text, r"\w+")
        for paragraph in code.split("\n\n"):
            assert f"\n{stripped(paragraph)}\n" in f"\n{source}\n", f"not in {path}:\n{paragraph}"


def stripped(code: str) -> str:
    """The code without indentation and blank lines."""
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())


def test_the_route_from_fit_to_c_exists() -> None:
    """Every hop that fastnn/training/__init__.py names: the file, and a definition of that name in it."""
    import fastnn.training
    hops = re.findall(r"^    (\S+\.(?:py|pxi|c)):(\w+)  ", fastnn.training.__doc__ or "", re.MULTILINE)
    assert len(hops) >= 12
    for file, name in hops:
        defined = rf"^\s*(?:def {name}\(|(?:static )?[\w ]+\b{name}\()"
        assert re.search(defined, text_of(file), re.MULTILINE), f"{file} defines no {name}"
