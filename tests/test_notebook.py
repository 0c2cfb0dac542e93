"""A real notebook kernel: what the last line of a cell shows."""

import re
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

START = """
import numpy as np, fastnn
from fastnn import Input, Sequential, layers, plotting
X = np.random.default_rng(0).random((64, 4)).astype("float32"); Y = (X[:, 0] > 0.5).astype(int)
model = Sequential([Input((4,)), layers.Dense(4, activation="relu"), layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy")
history = model.fit(X, Y, epochs=3, verbose=0)
"""
CELLS = {
    "figure": "plotting.loss_curves(history)",
    "named": "figure = plotting.loss_curves(history)\nfigure.show()",
    "model": "model",
    "summary": "model.summary()",
    "history": "history",
    "program": "model.program()",
    "config": "fastnn.show_config()",
    "fit": "model.fit(X, Y, epochs=2)",
    "mistake": "def mine():\n    model.fit(X[:, :3], Y)\nmine()",
    "typo": "model.fit(X, Y, epoch=3)",
}


@pytest.fixture(scope="module")
def outputs() -> dict[str, Any]:
    """{name of a cell: its outputs}, after all of them have run in one kernel."""
    new = nbformat.v4.new_code_cell
    book = nbformat.v4.new_notebook(cells=[new(START), *map(new, CELLS.values())])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3", allow_errors=True).execute()
    assert not book.cells[0].outputs, book.cells[0].outputs
    return {name: cell.outputs for name, cell in zip(CELLS, book.cells[1:])}


@pytest.mark.slow
def test_everything_shows_itself_once(outputs: dict[str, Any]) -> None:
    for name in ("figure", "named"):
        assert len(outputs[name]) == 1 and {*outputs[name][0].data} == {"image/png", "text/plain"}, outputs[name]
    for name in ("model", "summary", "history", "program"):
        assert len(outputs[name]) == 1 and {*outputs[name][0].data} == {"text/html", "text/plain"}, outputs[name]
    assert "20 = 4·4 + 4" in outputs["summary"][0].data["text/plain"]
    assert [out.output_type for out in outputs["config"]] == ["stream"]
    assert [out.output_type for out in outputs["fit"]] == ["display_data", "execute_result"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "message"), [
    ("mistake", r"fit\(\): x has 3 features|fit\(\): x has shape"), ("typo", r"unknown argument 'epoch'")])
def test_a_mistake_shows_the_cells_lines_and_the_message(outputs: dict[str, Any], name: str, message: str) -> None:
    (found,) = outputs[name]
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(found.traceback))
    files = [line for line in text.splitlines() if re.match(r"(File|Cell) ", line)]
    assert files and all("Cell" in line for line in files), text
    assert len(text.splitlines()) < 20 and re.search(message, found.evalue), text
