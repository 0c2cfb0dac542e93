"""The README's commands, which a newcomer runs as they stand (.ci/run the second one), its program and its op."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn
from fastnn.examples import LESSONS

ROOT = Path(__file__).parents[1]


@pytest.fixture
def blocks() -> list[str]:
    """The ```sh blocks of README.md."""
    readme = ROOT / "README.md"
    if not readme.is_file():
        pytest.skip("README.md is not written yet")
    return re.findall(r"^```sh\n(.*?)^```$", readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_readme_has_two_commands(blocks: list[str]) -> None:
    assert len(blocks) == 2, f"README.md has {len(blocks)} ```sh blocks; it needs two: one to install, one to test"
    assert all(block.strip() for block in blocks)


def test_second_command_tests_in_an_environment_of_its_own(blocks: list[str]) -> None:
    """.ci/run takes ruff and mypy from the .venv that this command makes."""
    command = blocks[1]
    steps = ("-m venv .venv", ".venv/bin/pip install -e", "[test]", ".venv/bin/python -m pytest")
    positions = [command.find(step) for step in steps]
    assert -1 not in positions and positions == sorted(positions), f"of {steps} in this order: {positions}"


def section(title: str) -> str:
    """The text of README.md under a heading."""
    readme = ROOT / "README.md"
    if not readme.is_file():
        pytest.skip("README.md is not written yet")
    return readme.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_twenty_lines_run_the_program_that_is_printed() -> None:
    """In a process of its own, where the layers are called what they are called in a new script."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", section("Twenty lines"), re.MULTILINE | re.DOTALL)
    (listing,) = re.findall(r"^```text\n(.*?)^```$", section("How a training step travels"), re.MULTILINE | re.DOTALL)
    script = f"{code}\nprint('-----')\nprint(model.program())"
    result = subprocess.run([sys.executable, "-c", script], env={**os.environ, "COLUMNS": "100"}, capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split("-----\n")[1] == listing


def test_numbers_and_names_are_those_of_the_package() -> None:
    """The small nets held against Keras, the lessons in their order, the optimizers."""
    from tests.test_keras_parity import CASES
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"(\d+) small nets", readme) == [str(len(CASES))]
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", section("The study guide"), re.MULTILINE)
    assert [(name, what.split(":")[0]) for name, what in LESSONS.items()] == [(n, f"chapter {c}") for n, c in rows]
    listed = next(part for part in readme.split("\n\n") if part.startswith("`optimizers` has "))
    names = {name for name in fastnn.optimizers.__all__ if name[0].isupper()} - {"Optimizer"}
    assert names <= set(re.findall(r"\w+", listed))


def test_the_network_writes_what_the_readme_says() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", section("A network that writes"), re.MULTILINE | re.DOTALL)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == code.rsplit("# ", 1)[1].strip()


def test_the_op_that_is_added_is_the_one_in_the_sources() -> None:
    """Every paragraph of the code below a file's name stands in that file, line by line."""
    parts = re.split(r"^\d\. `([\w/.]+)`", section("Adding an op"), flags=re.MULTILINE)[1:]
    assert len(parts) == 2 * 4
    for path, text in zip(parts[::2], parts[1::2]):
        source = stripped((ROOT / path).read_text(encoding="utf-8"))
        (code,) = re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
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
        path = ROOT / file
        if not path.is_file():
            assert not (ROOT / "csrc").is_dir(), f"{file} is not there"
            continue
        defined = rf"^\s*(?:def {name}\(|(?:static )?[\w ]+\b{name}\()"
        assert re.search(defined, path.read_text(encoding="utf-8"), re.MULTILINE), f"{file} defines no {name}"
