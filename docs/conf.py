"""Sphinx' settings: `sphinx-build -W docs build/docs`. What is generated, pages in docs/api and docs/lessons,
is not kept."""

import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import _lessons  # noqa: E402
import _reference  # noqa: E402

import fastnn  # noqa: E402

project = "fastnn"
author = "the fastnn team"
version = release = fastnn.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc"]
html_theme = "furo"
html_title = f"fastnn {release}"
exclude_patterns = ["api/examples/*"]
myst_heading_anchors = 3
autodoc_typehints = "none"      # names and defaults; docstrings say what is meant

# Lessons are executed when FASTNN_DOCS_LESSONS=1 (some minutes); otherwise they stand there without their figures.
nb_execution_mode = "cache" if os.environ.get("FASTNN_DOCS_LESSONS") == "1" else "off"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True

_reference.write(DOCS / "api")
_lessons.write(DOCS)


def setup(app: object) -> None:
    """Docstrings are plain text: formulas keep their stars and bars. A class is called as its `__init__` says."""
    app.connect("autodoc-process-docstring", _reference.plain)      # type: ignore[attr-defined]
    app.connect("autodoc-process-signature", _reference.signature)  # type: ignore[attr-defined]
