"""The README's commands, which a newcomer runs as they stand (.ci/run the second one), its code and its numbers."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def readme() -> str:
    path = ROOT / "README.md"
    if not path.is_file():
        pytest.skip("README.md is not here")
    return path.read_text(encoding="utf-8")


def test_readme_has_two_commands(readme: str) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2, f"README.md has {len(blocks)} ```sh blocks; it needs two: one to install, one to test"
    assert all(block.strip() for block in blocks)


def test_second_command_tests_in_an_environment_of_its_own(readme: str) -> None:
    """.ci/run takes ruff and mypy from the .venv that this command makes."""
    command = re.findall(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)[1]
    steps = ("-m venv .venv", ".venv/bin/pip install -e", "[test]", ".venv/bin/python -m pytest")
    positions = [command.find(step) for step in steps]
    assert -1 not in positions and positions == sorted(positions), f"of {steps} in this order: {positions}"


def test_it_is_read_in_some_minutes(readme: str) -> None:
    """Two screens; what is longer has a page of its own in docs/."""
    assert len(readme.splitlines()) <= 120
    assert readme.count("![") == 1
