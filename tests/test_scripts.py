"""Course material as it stands: fastnn.as_tensorflow, the cells of files, and `fastnn run`."""

import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import fastnn
from fastnn.__main__ import main
from fastnn.teaching import cells, run_cells
from tests.test_guide import GUIDE

BEFORE = """
import numpy as np
# %% 759
X_train, y_train = np.random.default_rng(0).random((64, 6)), np.arange(64) % 2
X_val, y_val = X_train, y_train
model.compile("adam", "binary_crossentropy")
# %% 778
X_train = np.zeros((64, 9, 9, 1))
# %% 796
history = model.history
"""       # what the guide's chapters 25 and 26 take for granted


def material(folder: Path, kind: str, *codes: str) -> Path:
    """A file of that kind with these cells under the headings A, B and so on."""
    path = folder / f"course.{kind}"
    titles = [chr(ord("A") + number) for number in range(len(codes))]
    if kind == "ipynb":
        listed = [cell for title, code in zip(titles, codes) for cell in (
            {"cell_type": "markdown", "source": [f"# **{title}**\n", "text"]},
            {"cell_type": "code", "source": (code + "\n").splitlines(keepends=True)})]
        path.write_text(json.dumps({"cells": listed, "nbformat": 4}))
    elif kind == "py":
        path.write_text("".join(f"# %% {title}\n{code}\n" for title, code in zip(titles, codes)))
    else:
        opening = "```{python}" if kind == "Rmd" else "```python"
        path.write_text("".join(f"## **{title}**\n\n{opening}\n{code}\n```\n\n```sh\nls\n```\n"
                                for title, code in zip(titles, codes)))
    return path


@pytest.mark.parametrize("kind", ["md", "Rmd", "ipynb", "py"])
def test_cells_of_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    path = material(tmp_path, kind, "import tensorflow as tf\nlayer = tf.keras.layers.Dense(3)",
                    "\nraise KeyError('no')", "from keras.layers import Dense\nassert isinstance(layer, Dense)")
    names: dict[str, Any] = {}
    ends = list(run_cells(path, names))
    assert [end.cell.heading for end in ends] == ["A", "B", "C"]
    assert [type(end.error) for end in ends] == [type(None), KeyError, type(None)], "one failure does not stop the next"
    assert type(names["layer"]) is fastnn.layers.Dense
    lines = str(ends[1]).splitlines()
    assert lines[0].startswith("FAILED") and re.fullmatch(r" +line [23]: KeyError: 'no'", lines[1])
    assert str(ends[0]).startswith("passed") and all(end.seconds >= 0 for end in ends)
    if kind != "ipynb":
        text = path.read_text().splitlines()
        assert text[ends[0].cell.line - 1].strip() in ("import tensorflow as tf", "# %% A")


def test_magics_of_notebooks_are_left_out(tmp_path: Path) -> None:
    path = material(tmp_path, "ipynb", "%matplotlib inline\n!pip install keras\nx = 7 \\\n    % 4",
                    "%%time", "%%bash\nls", "%%time\ny = x")
    names: dict[str, Any] = {}
    assert [end.error for end in run_cells(path, names)] == [None, None]
    assert names["x"] == names["y"] == 3


def test_names_mean_what_they_meant_before() -> None:
    """Also where TensorFlow is loaded: its modules come back, and none of ours stays."""
    loaded = types.ModuleType("tensorflow")
    sys.modules["tensorflow"] = loaded
    try:
        with fastnn.as_tensorflow():
            import tensorflow.keras.layers as theirs
            from keras.preprocessing.sequence import pad_sequences
            from tensorflow import keras
            assert keras.layers is fastnn.layers is theirs
            assert pad_sequences is fastnn.preprocessing.sequence.pad_sequences
            with pytest.raises(ModuleNotFoundError, match=r"tensorflow\.nothing"):
                import tensorflow.nothing  # noqa: F401
            with pytest.raises(AttributeError, match="no pretrained weights"):
                _ = keras.applications
        assert sys.modules["tensorflow"] is loaded
        assert not any(name.startswith(("tensorflow.", "keras")) for name in sys.modules)
    finally:
        del sys.modules["tensorflow"]


@pytest.mark.parametrize(("name", "text", "said"), [
    ("a.txt", "x", "is no .md"), ("a.ipynb", "{}", "is no notebook"), ("a.ipynb", "[", "is no notebook"),
    ("a.md", "# title\n", "has no Python cells"), ("a.py", "", "has no Python cells")])
def test_other_files_are_refused(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=said):
        cells(tmp_path / name)


def test_run_says_what_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1 if a cell failed; figures go into the folder; a cell of --before needs a cell to stand before."""
    draw = "import matplotlib.pyplot as plt\nplt.plot(given)\nplt.show()"
    path, before, folder = material(tmp_path, "md", draw, "1 / 0"), tmp_path / "before.py", tmp_path / "figures"
    words = ["run", str(path), "--before", str(before), "--figures", str(folder)]
    before.write_text("# %% 4\ngiven = [1, 2]\n")
    assert main(words) == 1
    assert "there is no folder" in capsys.readouterr().err
    folder.mkdir()
    assert main(words) == 1
    out = capsys.readouterr().out
    assert "1 of 2 cells passed" in out and "ZeroDivisionError" in out and f"1 figures in {folder}" in out
    assert (folder / "figure-1.png").read_bytes().startswith(b"\x89PNG")
    before.write_text("# %% 5\ngiven = [1, 2]\n")
    assert main(words) == 1
    assert "no cell begins" in capsys.readouterr().err
    assert main(["run", str(tmp_path / "missing.md")]) == 1


@pytest.mark.seeds_numpy
@pytest.mark.parametrize("port", ["as it stands", "import fastnn as tf"])
def test_all_listings_of_the_guide(port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """30 of 30: unchanged, and with the import's root changed."""
    if not GUIDE.is_file():
        pytest.skip(f"{GUIDE} is not there")
    pytest.importorskip("pandas")
    pytest.importorskip("sklearn")
    import matplotlib.pyplot as plt
    monkeypatch.setattr(plt, "show", lambda *_, **__: plt.close("all"))
    text = GUIDE.read_text(encoding="utf-8")
    if port != "as it stands":
        text = re.sub(r"^((?:import|from) )tensorflow\b", r"\1fastnn", text, flags=re.MULTILINE)
        monkeypatch.setitem(sys.modules, "tensorflow", None)
    path, before = tmp_path / "guide.md", tmp_path / "before.py"
    path.write_text(text, encoding="utf-8")
    before.write_text(BEFORE)
    ends = list(run_cells(path, before=before))
    assert len(ends) == 30
    assert [str(end) for end in ends if end.error is not None] == []
