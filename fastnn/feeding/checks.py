"""What users pass as x, y and sample_weight, checked and adapted once: float32 or labels, C order, finite. Floor 4."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn.arguments import number
from fastnn.engine import backend
from fastnn.errors import LabelError, ShapeError, shown, warn
from fastnn.feeding import hints
from fastnn.feeding.model import TrainedModel
from fastnn.layers.input import InputLayer


def to_array(value: Any, where: str) -> np.ndarray:
    """Lists, NumPy arrays, pandas frames and series, tensors → an ndarray of numbers. TypeError for the rest."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{where} is a masked array, whose mask would be lost; pass x.filled(value) instead.")
    if hasattr(value, "tocsr"):
        raise TypeError(f"{where} is a sparse matrix; pass its .toarray() instead.")
    if value is None:
        raise TypeError(f"{where} is None; needs an array, a list or a frame of numbers.")
    if type(value).__module__.startswith("torch.utils.data"):
        raise TypeError(f"{where} is a torch {type(value).__name__}; pass batches: torch.utils.data.DataLoader(…, "
                        "batch_size=32).")
    table = value if hasattr(value, "to_numpy") else None
    if table is not None:
        value = _from_pandas(value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeError(f"{where} is a ragged list; every row needs the same length.") from None
    if array.dtype.kind == "O" and table is None:
        array = _stacked(array, where)
    if array.dtype.kind not in "fiub":
        if table is not None:
            raise TypeError(f"{where}: {hints.of_table(table)}")
        if array.dtype.kind == "U":
            text = shown(str(array.flat[0]), 30) if array.size else "''"
            raise TypeError(f"{where} holds text, {text}; needs numbers.\n{hints.of_text(array, where)}")
        kinds = {"O": "objects (mixed types?)", "S": "bytes", "M": "dates", "m": "time spans",
                 "c": "complex numbers"}
        raise TypeError(f"{where} holds {kinds.get(array.dtype.kind, str(array.dtype))}; needs numbers: "
                        "convert it with .astype('float32') or encode the categories.")
    return array


def only(value: Any, rank: int) -> list[Any]:
    """[x] for x, and for [x], where the model takes one array of that rank."""
    wrapped = isinstance(value, (list, tuple)) and len(value) == 1 and getattr(value[0], "ndim", 0) == rank
    return [value[0] if wrapped else value]


def _stacked(array: np.ndarray, where: str) -> np.ndarray:
    """An array of arrays as one array; of Python numbers or text as what they are. TypeError if their shapes differ."""
    items = list(array.flat)
    shapes = {np.shape(item) for item in items if isinstance(item, (np.ndarray, list, tuple))}
    if len(shapes) > 1:
        lengths = sorted(shapes)
        raise TypeError(f"{where} holds arrays of different shapes, {lengths[0]} and {lengths[1]}; every sample needs "
                        "the same. Sequences: preprocessing.sequence.pad_sequences.")
    try:
        if shapes:
            return np.stack([np.asarray(item) for item in items]).reshape(*array.shape, *shapes.pop())
        return np.array(items).reshape(array.shape) if items and None not in items else array
    except ValueError:
        return array


def _from_pandas(table: Any) -> np.ndarray:
    """The array of a frame or series; columns of several number types, bool or nullable among them, meet in float64."""
    array = table.to_numpy()
    columns = np.ravel(np.asarray(getattr(table, "dtypes", None), object))
    if array.dtype.kind == "O" and all(getattr(dtype, "kind", "O") in "fiub" for dtype in columns):
        array = table.to_numpy(dtype="float64", na_value=np.nan)
    return np.asarray(array)


def to_float(array: np.ndarray, where: str, check_finite: bool) -> np.ndarray:
    """floatx in C order (uint8 stays uint8). ValueError at the first value that is not finite after conversion."""
    if array.dtype == np.uint8:
        return np.require(array, requirements="C")
    if array.dtype == backend.floatx() and array.flags.carray:
        result = array
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            result = np.require(array, backend.floatx(), ["C", "A"])
    if check_finite and array.dtype.kind == "f":
        total = float(np.sum(result, dtype=np.float64)) if result.size else 0.0
        if not math.isfinite(total):
            bad = np.argwhere(~np.isfinite(result))
            if len(bad):
                first = tuple(int(i) for i in bad[0])
                raise ValueError(f"{where} has {len(bad)} values that are not finite in {backend.floatx()}, the first "
                                 f"at {_place(first)}: {array[first]}.\nClean or scale the data (numpy.nan_to_num, or "
                                 "leave rows out), or pass check_finite=False.")
    return result


_LIMITS = {"uint8": (0, 255), "int32": (-2 ** 31, 2 ** 31 - 1), "int64": (-2 ** 63, 2 ** 63 - 1)}


def to_dtype(array: np.ndarray, dtype: str, where: str, check_finite: bool = True) -> np.ndarray:
    """The array as an input of this dtype takes it. ValueError at the first number that such an input cannot hold."""
    if dtype == backend.floatx():
        return to_float(array, where, check_finite)
    if dtype == "bool":
        return np.require(array, bool, ["C", "A"])
    if array.dtype != dtype:
        low, high = _LIMITS[dtype]
        with np.errstate(invalid="ignore"):
            bad = (array < low) | (array > high)
            bad |= array != np.floor(array) if array.dtype.kind == "f" else False
        if bad.any():
            first = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(f"{where} has the value {array[first]:.17g} at {_place(first)} ({int(bad.sum())} bad); "
                             f"the input takes {dtype}, whole numbers from {low} to {high}.\nGive smaller numbers, or "
                             "make the Input of another dtype.")
    return np.require(array, dtype, ["C", "A"])


def _place(index: tuple[int, ...]) -> str:
    return f"row {index[0]}" + (f", column {', '.join(map(str, index[1:]))}" if index[1:] else "")


def to_labels(array: np.ndarray, classes: int | None, where: str, ignore: int | None = None) -> np.ndarray:
    """int32 class labels. LabelError naming the first that is no whole number or outside 0..classes-1."""
    bad = ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
    if array.dtype.kind == "f":
        bad |= np.where(bad, 0, array) != np.floor(np.where(bad, 0, array))
    top = classes if classes is not None else 2 ** 31
    with np.errstate(invalid="ignore"):
        bad |= (array < 0) | (array >= top)
        if ignore is not None:
            bad &= array != ignore
    if bad.any():
        rows = np.argwhere(bad)
        first = tuple(int(i) for i in rows[0])
        low, high = array.min(), array.max()
        takes = "the loss takes whole numbers" if classes is None else f"the output has {classes} classes"
        raise LabelError(f"{where} has labels {low:g}..{high:g} but {takes} (label {array[first]:g} at row {first[0]}, "
                         f"{len(rows)} rows bad).\nLabels must be whole numbers 0..{top - 1}; "
                         f"{'relabel' if classes is None else 'use more output units or relabel'}.")
    return np.require(array, np.int32, ["C", "A"])


def match_target(y: np.ndarray, output: tuple[int | None, ...], kind: str, where: str, dense: Any = None,
                 own: bool = False) -> np.ndarray:
    """y with the shape that the loss needs for this output: (N,) ↔ (N, 1) only, anything else is ShapeError. Of the
    kind "ids" it may have any.

    dense: the model's first layer of units, where a Flatten() may have been forgotten. own: the loss is the
    user's, which may want any y.
    """
    if own:
        return y.reshape(*y.shape, 1) if y.ndim == len(output) - 1 and output[-1] == 1 else y
    if kind == "ids":
        return y
    rank = len(output)
    fits = output[:-1] if kind == "labels" or output[-1:] == (1,) else None      # one label, or number, a step
    if dense is not None and rank > 2 and y.ndim <= 2 and (fits is None or y.shape[1:] != tuple(fits[1:])):
        recurrent = hasattr(dense, "return_sequences")
        why = "gives an output for each step" if recurrent else f"got {rank} axes and works on the last one alone"
        how = "Leave out its return_sequences" if recurrent else "Add Flatten() or GlobalAveragePooling2D() before it"
        raise ShapeError(f"{where} has shape {y.shape} but the output has shape {_n(output)}: layer {dense.name!r} "
                         f"({type(dense).__name__}) {why}.\n{how}, or pass a y of shape "
                         f"{_n(output[:-1] if kind == 'labels' else output)}.")
    if kind == "labels":
        wanted = output[:-1]
        if y.ndim == rank and y.shape[-1] == 1:
            return y.reshape(y.shape[:-1])
        if y.ndim == rank and y.shape[-1] == output[-1]:
            raise ShapeError(f"{where} has shape {y.shape}, one column per class, but the loss takes class labels of "
                             f"shape {_n(wanted)}.\nUse categorical_crossentropy, or pass y.argmax(-1).")
    else:
        wanted = output
        if y.ndim == rank - 1 and output[-1] == 1:
            y = y.reshape(*y.shape, 1)
        elif y.ndim == rank - 1 or (y.ndim == rank and y.shape[-1] == 1 and output[-1] != 1):
            raise ShapeError(f"{where} has shape {y.shape} but the output has shape {_n(output)}.\nFor class labels "
                             "use sparse_categorical_crossentropy, or one-hot labels: utils.to_categorical(y).\n"
                             "For one number a sample, let the last layer have 1 unit.")
    if y.ndim != len(wanted) or any(n is not None and n != m for n, m in zip(wanted[1:], y.shape[1:])):
        raise ShapeError(f"{where} has shape {y.shape} but the output has shape {_n(output)}; needs {_n(wanted)}.\n"
                         + hints.of_columns(y.shape, wanted))
    return y


def match_input(x: np.ndarray, shape: tuple[int | None, ...] | None, where: str, model: TrainedModel) -> np.ndarray:
    """x with the rank the model expects: an axis of length 1 at the end comes or goes. ShapeError with both shapes."""
    if x.ndim == 0:
        raise ShapeError(f"{where} is a single number; needs an array with the samples along the first axis.")
    if x.ndim == 1 and (shape is None or (len(shape) == 2 and shape[1] in (1, None))):
        x = x.reshape(-1, 1)
    if shape is None:
        return x
    if x.ndim == len(shape) + 1 and x.shape[-1] == 1:
        x = x.reshape(x.shape[:-1])
    elif x.ndim == len(shape) - 1 and shape[-1] == 1:
        x = x.reshape(*x.shape, 1)
    if x.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape[1:], x.shape[1:])):
        first = next((layer.name for layer in model.layers if not isinstance(layer, InputLayer)), model.name)
        raise ShapeError(f"{where} has shape {x.shape} but layer {first!r} needs {_n(shape)}."
                         + hints.of_shape(x.shape, shape))
    return x


def _n(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("N" if n is None and i == 0 else str(n) for i, n in enumerate(shape)) + \
        ("," if len(shape) == 1 else "") + ")"


def check_probabilities(y: np.ndarray, where: str, rows: bool = False) -> None:
    """Targets of a binary or categorical cross-entropy lie in [0, 1]; LabelError at the first that does not.

    rows: each is the distribution of one sample; a warning where one does not sum to 1.
    """
    bad = (y < 0) | (y > 1)
    if bad.any():
        places = np.argwhere(bad)
        first = tuple(int(i) for i in places[0])
        raise LabelError(f"{where} has the value {y[first]:g} at row {first[0]} ({len(places)} bad); a cross-entropy "
                         f"needs targets from 0 to 1.\n{hints.of_targets(y)}")
    sums = y.sum(axis=-1) if rows and y.size else np.ones(1)
    wrong = np.abs(sums - 1) > 1e-3
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        warn(f"{where}: the classes of row {first[0]} sum to {sums[first]:g}, not to 1 ({int(wrong.sum())} such rows); "
             "use binary_crossentropy with sigmoid where a sample may have several classes.")


def no_rows(shape: tuple[int | None, ...], rows: int) -> ShapeError:
    """What predict says of an output that does not have a row for each sample."""
    return ShapeError(f"predict(): got an output of shape {_n(shape)} for {rows} samples; needs one row for each "
                      "sample. Call the model on the data instead: model(x).")


def room(outputs: list[Any], rows: int) -> list[np.ndarray]:
    """Arrays for so many rows of each symbolic output."""
    for t in outputs:
        if None in t.shape[1:]:
            raise no_rows(t.shape, rows)
    return [np.zeros((rows, *t.shape[1:]), t.dtype) for t in outputs]


def check_lengths(arrays: dict[str, np.ndarray], where: str) -> int:
    """The common number of samples, at least 1. ValueError naming both lengths."""
    single = not any(name.startswith(("x1", "y1")) for name in arrays)
    lengths = {name[0] if single and name[0] in "xy" else name.split(".")[0]: len(a) for name, a in arrays.items()}
    (first, n), *rest = lengths.items()
    for name, m in rest:
        if m != n:
            raise ValueError(f"{where}: {first} has {n} samples and {name} has {m}; they must be equal.\n"
                             "Cut or shuffle them together, so that each row keeps what belongs to it.")
    if n == 0:
        raise ValueError(f"{where}: {first} has no samples; needs at least one.\nLook at how the data were "
                         "read or cut: print their shapes.")
    return n


def split_validation(arrays: dict[str, np.ndarray], split: float, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(first part, last part), cut at floor(n·(1-split)) before any shuffling, as Keras."""
    split = number(split, "fit(): validation_split", 0, 1, above=True, below=True)
    at = math.floor(n * (1 - split))
    if at in (0, n):
        raise ValueError(f"fit(): validation_split={split:g} of {n} samples leaves none on one side; needs some on "
                         "both.")
    return {k: a[:at] for k, a in arrays.items()}, {k: a[at:] for k, a in arrays.items()}


def warn_ordered(arrays: dict[str, np.ndarray], split: float, n: int) -> None:
    """Warn where validation_split would leave a class on one side only: the data are sorted by label."""
    lonely = one_sided(arrays, math.floor(n * (1 - split)) if 0 < split < 1 else 0, n)
    if lonely is not None:
        warn(f"fit(): validation_split={split:g} takes the last samples as they are, and class {lonely:g} is "
             "then on one side only; shuffle x and y together first.")


def one_sided(arrays: Mapping[str, np.ndarray], at: int, n: int) -> float | None:
    """A class of which all samples, eight or more, are on one side of row `at`; None where there is none."""
    for name, y in arrays.items():
        if not name.endswith(".labels") and not (name.endswith(".float") and y.ndim == 2 and y.shape[1] == 1):
            continue
        classes = np.unique(y)
        if at in (0, n) or len(classes) < 2 or len(classes) > 100 or len(classes) > n // 4:
            continue
        first, last = np.unique(y[:at]), np.unique(y[at:])
        absent = sorted(set(classes.tolist()) - (set(first.tolist()) & set(last.tolist())))
        if absent and min((y == c).sum() for c in absent) >= 8:
            return float(absent[0])
    return None
