"""What to do about data that do not fit: the second half of a message. Floor 4."""

from typing import Any

import numpy as np

from fastnn.errors import shown

_CLASSES = "For classes: names, y = numpy.unique(y, return_inverse=True)."
Shape = tuple[int | None, ...]


def of_shape(got: tuple[int, ...], needed: Shape) -> str:
    """How data of shape `got` come to fit an input of shape (None, …), '' where nothing common explains it."""
    inner = needed[1:]
    if got[1:] and None not in inner:
        if len(got) == len(needed) > 2 and got[1] == inner[-1] and got[2:] == inner[:-1]:
            axes = (0, *range(2, len(got)), 1)
            return f"\nThe channels come first there; put them last: x.transpose{axes}."
        if len(got) != len(needed) and np.prod(got[1:]) == np.prod([n or 0 for n in inner]):
            return f"\nAs many numbers a sample; give them that shape: x.reshape({', '.join(map(str, (-1, *inner)))})."
    if len(got) == len(inner) and all(n in (None, m) for n, m in zip(inner, got)):
        hint = "\nFor one sample, add the batch axis: x[None]."
        if len(got) > 1 and None not in inner:
            hint += f" If {got[0]} is the number of samples, leave it out of the model's input shape: {got[1:]}."
        return hint
    if len(got) == len(needed) == 2:
        return f"\nPass the same {needed[1]} columns as the model was made for, or make it with Input(({got[1]},))."
    if len(got) == 1 and len(needed) == 2:
        return f"\nA sample is a row of {needed[1]} numbers: pass a table, [[…], […]]."
    if len(got) == len(needed):
        return f"\nMake the samples {inner}, or the model with Input({got[1:]})."
    return f"\nReshape the samples from {got[1:]} to {inner}, or make the model with Input({got[1:]})."


def of_targets(y: np.ndarray) -> str:
    """How targets come to lie between 0 and 1."""
    low, high = float(y.min()), float(y.max())
    if high - low == 1:
        return f"Labels {low:g} and {high:g} become 0 and 1 by y - {low:g}." if low > 0 else "Add 1 to them: y + 1."
    if (low, high) == (-1, 1):
        return "Labels -1 and 1 become 0 and 1 by (y + 1) / 2."
    if low >= 0 and high == 255:
        return "Numbers up to 255 become 0 to 1 by y / 255."
    if low >= 0 and (y == np.floor(y)).all():
        return (f"For {int(high) + 1} classes use {int(high) + 1} output units with softmax and "
                "sparse_categorical_crossentropy.")
    return "For measured numbers use mse and no activation in the last layer, or scale y to 0..1."


def of_columns(got: tuple[int, ...], wanted: Shape) -> str:
    """What to do about a y with other columns than the output."""
    if len(got) == len(wanted) == 2 and wanted[1] == 1:
        more = "; of one-hot rows pass y.argmax(-1)" if got[1] == 2 else ""
        return f"Let the last layer have {got[1]} units, or pass one column of y{more}."
    if len(got) == len(wanted) == 2:
        return f"Let the last layer have {got[1]} units, or pass a y of {wanted[1]} columns."
    return "Reshape y or change the last layer."


def of_text(array: np.ndarray, where: str) -> str:
    """What to do about text."""
    if array.ndim == 0:
        return "If that is a file, read it first, with numpy.loadtxt or pandas.read_csv."
    try:
        np.asarray(array[:20]).astype("float32")
        return "It holds numbers written as text: convert it with .astype('float32')."
    except (ValueError, TypeError):
        pass
    if where.split()[-1].startswith("y") and array.ndim == 1:
        return _CLASSES
    return ("Encode it: numpy.unique(…, return_inverse=True) for classes, layers.TextVectorization for texts, as the "
            "first layer of a Sequential, or behind an Input of dtype 'string'.")


def of_table(table: Any) -> str:
    """The first column of a pandas frame (or the series) that holds no numbers, and how it becomes numbers."""
    columns = getattr(table, "columns", None)
    names = [None] if columns is None else list(columns)
    for name in names:
        column = table if name is None else table[name]
        kind = getattr(getattr(column, "dtype", None), "kind", "O")
        if kind in "fiub":
            continue
        label = "the series" if name is None else f"column {name!r}"
        frame = "series" if name is None else f"frame[{name!r}]"
        if kind == "M":
            return (f"{label} holds dates; make numbers of it, such as {frame}.dt.year, .dt.month, .dt.dayofweek, or "
                    "drop it.")
        if kind == "m":
            return f"{label} holds time spans; make numbers of it, {frame}.dt.total_seconds(), or drop it."
        first = next((value for value in column if value is not None), None)
        if isinstance(first, (list, tuple, np.ndarray)):
            return f"{label} holds arrays; stack them: numpy.stack(list({frame}))."
        encoded = ("numpy.unique(series, return_inverse=True)[1]" if name is None
                   else f"pandas.get_dummies(frame, columns=[{name!r}], dtype=float)")
        kind = "text, " if isinstance(first, str) else ""
        return f"{label} holds {kind}{shown(first, 30)}; make numbers of it, {encoded}, or drop it."
    return ""
