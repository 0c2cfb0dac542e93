"""The README holds two commands a newcomer runs as they stand; .ci/run runs the second one."""

import re
from pathlib import Path

import pytest

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
