"""The Figure of all pictures: notebooks show it by itself, show() opens it anywhere. Imports matplotlib at once."""

import io
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from fastnn import errors
from fastnn.reporting.terminal import in_notebook


class Picture(Figure):
    """A matplotlib Figure that pyplot knows nothing of, so that none is left over; it lives as long as its name."""

    def _repr_png_(self) -> bytes:
        """What a notebook shows where it is a cell's last line."""
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()

    def show(self, warn: bool = True) -> None:
        """Show it here: in the notebook's cell, or in a window, where it can be closed; the script waits for that.

        Where matplotlib has no windows (its backend is Agg, say) a UserWarning says how to save it instead."""
        if in_notebook():
            from IPython.display import display
            display(self)
            return
        from matplotlib import pyplot
        blank = pyplot.figure(figsize=tuple(self.get_size_inches()))
        canvas: Any = type(blank.canvas)
        pyplot.close(blank)
        if canvas.required_interactive_framework is None:
            if warn:
                errors.warn(f"matplotlib's backend is {matplotlib.get_backend()}, which shows no windows; save the "
                            "figure: figure.savefig('figure.png').")
            return
        canvas.new_manager(self, 1).show()
        pyplot.show(block=True)
