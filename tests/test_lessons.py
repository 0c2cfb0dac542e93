"""Lessons are files of cells: they run as scripts, as commands and as notebooks, and end with their figure."""

import ast
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import fastnn
from fastnn.examples import LESSONS, write
from fastnn.examples._cells import Lesson
from fastnn.examples._lesson import run_lesson
from tests.conftest import shared
from tests.test_plotting import is_picture

MNIST = {"mnist_mlp", "mnist_cnn", "augmentation", "gan", "vae"}
FEW: dict[str, dict[str, Any]] = {name: {"epochs": 2} for name in LESSONS}     # small enough for every day
FEW |= {"neuron": {"steps": 9}, "and_gate": {}, "optimizers": {}, "bias_variance": {"epochs": 5, "fits": 2},
        "xor": {"epochs": 20, "starts": 2},
        "addition": {"epochs": 1, "count": 900}, "dates": {"epochs": 1, "count": 300},
        "sentiment": {"epochs": 1, "count": 300}, "epochs_batches": {"epochs": 1}, "mini_gpt": {"epochs": 1},
        "names": {"epochs": 1}, "one_step": {"epochs": 10}}


@pytest.mark.parametrize("name", ["and_gate", "xor"])
def test_lesson_runs_and_draws(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a command; all run as notebooks below."""
    path = tmp_path / "figure.png"
    words = [word for key, value in FEW[name].items() for word in (f"--{key}", str(value))]
    assert run_lesson(name, ["--plot", str(path), *words]) == 0
    printed = capsys.readouterr()
    assert str(path) in printed.out and not printed.err
    assert is_picture(path)


def test_every_lesson_is_listed_with_its_chapter() -> None:
    folder = Path(fastnn.__file__).parent / "examples"
    assert set(LESSONS) == {p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")}
    for name, what in LESSONS.items():
        title = Lesson(name).text.split(":")[0]
        chapters = {n for first, last in re.findall(r"(\d+)(?: to (\d+))?", title)
                    for n in range(int(first), int(last or first) + 1)}
        assert int(what.split(":")[0].removeprefix("chapter ")) in chapters, f"{name}: {title}, {what}"


def test_the_lessons_reach_every_part_of_the_guide() -> None:
    """The chapters that have something to compute, by the first lines of the lessons."""
    found = set()
    for name in LESSONS:
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", Lesson(name).text.split(":")[0]):
            found |= set(range(int(first), int(last or first) + 1))
    told = {17, 31, 35, 42, 50, 56, 57}        # words, or a picture of another lesson
    assert found | told == set(range(1, 58))


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_read_from_top_to_bottom(name: str) -> None:
    lesson = Lesson(name)
    tree = ast.parse(lesson.source)
    stub = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)]
    assert len(stub) == 1 and "main(" not in lesson.source and "argparse" not in lesson.source
    code = [line for kind, text in lesson.cells() if kind == "code" for line in text.splitlines()
            if line.strip() and not line.strip().startswith("#")]
    assert len(code) <= 60, f"{name} has {len(code)} lines of code"
    assert code[-1] == "figure" and lesson.cells()[0][0] == "markdown"
    assert all(what for _, what in lesson.parameters.values())
    assert {"epochs", "seed"} <= set(lesson.parameters) or name in ("neuron", "and_gate", "optimizers", "one_step")


def test_parameters_are_put_in_line_by_line() -> None:
    lesson = Lesson("xor")
    assert lesson.parameters["epochs"] == (5000, "passes over the data")
    changed = lesson.with_parameters({"epochs": 7, "seed": 3})
    assert changed.count("\n") == lesson.source.count("\n")
    assert re.search(r"^epochs = 7 +# passes", changed, re.MULTILINE) and re.search(r"^seed = 3 +#", changed, re.M)
    assert "data = 'a\\\\b' " in Lesson("vae").with_parameters({"data": "a\\b"})
    with pytest.raises(TypeError, match="lesson xor has no parameter 'epoch'; it has epochs, starts, seed"):
        lesson.run(epoch=3)


def test_a_traceback_shows_the_lessons_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError) as raised:
        Lesson("xor").run(seed=[1, "2"])
    entry = next(entry for entry in raised.traceback if entry.path.name == "xor.py")
    assert "fastnn.random.set_seed(seed)" in str(entry.statement)


def test_written_lessons_are_valid_notebooks_and_scripts(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    paths = write(tmp_path / "mine")
    assert len(paths) == 2 * len(LESSONS)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            nbformat.validate(json.loads(text))
            assert "_lesson" not in text and json.loads(text)["nbformat_minor"] == 5
        else:
            assert ast.get_docstring(ast.parse(text)) and "_lesson" not in text
    with pytest.raises(FileExistsError, match="is there already"):
        write(tmp_path / "mine")
    script = (tmp_path / "mine" / "neuron.py").read_text(encoding="utf-8")
    assert script.endswith('figure.savefig("neuron.png")\n')
    subprocess.run([sys.executable, "neuron.py"], cwd=tmp_path / "mine", check=True, timeout=300,
                   env={**os.environ, "PYTHONPATH": str(Path(fastnn.__file__).parents[1])}, stdout=subprocess.DEVNULL)
    assert is_picture(tmp_path / "mine" / "neuron.png")


@pytest.fixture(scope="module")
def executed() -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Runs a lesson's notebook by Jupyter, → its code cells; an error is one. One kernel for all of them, emptied after
    each."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    client = nbclient.NotebookClient(nbformat.v4.new_notebook(), timeout=600, kernel_name="python3")

    def execute(name: str, **parameters: Any) -> list[dict[str, Any]]:
        client.nb = nbformat.reads(json.dumps(Lesson(name).notebook(**parameters)), as_version=4)
        client.nb.cells.append(nbformat.v4.new_code_cell("%reset -f"))
        for number, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, number)
        return [cell for cell in client.nb.cells[:-1] if cell.cell_type == "code"]

    with client.setup_kernel(env={**os.environ, "PYTHONWARNINGS": "ignore:fastnn runs its NumPy reference"}):
        yield execute


def holds_what_it_shows(cells: list[dict[str, Any]]) -> None:
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in cells[-1]["outputs"])
    shown = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(shown) == sum(bool(re.search(r"^(figure|picture|gradients|histogram|plotting\..*)$",
                                            cell["source"].splitlines()[-1])) for cell in cells)


@pytest.mark.parametrize("name", sorted(set(LESSONS) - MNIST))
def test_lessons_are_notebooks(name: str, executed: Callable[..., list[dict[str, Any]]]) -> None:
    holds_what_it_shows(executed(name, **FEW[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_as_a_notebook(name: str, executed: Callable[..., list[dict[str, Any]]]) -> None:
    """No error, no warning, its figures, and within a minute where the machine does nothing else."""
    idle = os.getloadavg()[0] < 1.0 if hasattr(os, "getloadavg") else False
    begin = time.perf_counter()
    holds_what_it_shows(executed(name, **({"data": str(shared("mnist"))} if name in MNIST else {})))
    seconds = time.perf_counter() - begin
    print(f"{name}: {seconds:.1f} s")
    assert seconds < 60 or not idle


def test_figures_are_figures() -> None:
    assert isinstance(Lesson("and_gate").run()["figure"], Figure)


@pytest.mark.parametrize("name", ["xor", "and_gate", "mnist_cnn"])
@pytest.mark.parametrize("words, says", [
    (["--sed", "3"], "unknown option '--sed'; "), (["--plot", "figure.bmp"], "must end in .png, .svg or .pdf"),
    (["--epochs", "0"], "'0' is no whole number >= 1"), (["--epochs", "x"], "'x' is no whole number"),
])
def test_wrong_options_end_with_status_2(name: str, words: list[str], says: str,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_lesson(name, words)
    printed = capsys.readouterr()
    assert stopped.value.code == 2 and says in printed.err and printed.err.count("\n") == 1 and not printed.out


def test_a_figure_that_cannot_be_saved_is_known_before_training(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        run_lesson("xor", ["--plot", str(tmp_path / "nowhere" / "figure.png")])
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        run_lesson("xor", ["--plot", str(tmp_path / "folder.png")])
