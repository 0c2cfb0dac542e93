"""h5py, and what may be read from a file of it: plain arrays that lie in the file itself. Floor 5."""

import contextlib
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from fastnn.errors import ModelFileError, ShapeError, shown


def h5py(what: str) -> Any:
    """The package. ImportError that says how to get it."""
    try:
        import h5py
    except ImportError:
        raise ImportError(f"{what} is a file of Keras; needs h5py: pip install 'fastnn[keras-files]'.") from None
    return h5py


def available() -> bool:
    """Whether h5py is there."""
    return importlib.util.find_spec("h5py") is not None


@contextlib.contextmanager
def opened(path: Any, content: Any = None) -> Iterator[tuple[Any, Any]]:
    """(the file, h5py). content: where its bytes lie in the file that `path` names. ModelFileError for what h5py cannot
    read."""
    package = h5py(shown(str(path)))
    try:
        with package.File(path if content is None else content, "r") as groups:
            yield groups, package
    except (OSError, RuntimeError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        if isinstance(error, ValueError):
            raise
        raise ModelFileError(f"{shown(str(path))}: h5py cannot read it ({shown(str(error))}); it is damaged.") from None


def found_in(groups: Any, name: str, package: Any) -> Any:
    """The group or data set of a name; None where there is none. ModelFileError for what lies elsewhere."""
    parts = name.split("/")
    for i in range(1, len(parts) + 1):
        link = groups.get("/".join(parts[:i]), getlink=True)
        if link is None:
            return None
        if not isinstance(link, package.HardLink):
            raise ModelFileError(f"{shown(name)} is a link to elsewhere; needs a file that has all of its weights.")
    return groups[name]


def array_in(groups: Any, name: str, package: Any) -> Any:
    """The data set of a name, unread; None where there is none. ModelFileError for what lies elsewhere."""
    found = found_in(groups, name, package)
    if not isinstance(found, package.Dataset):
        return None
    if found.external or found.is_virtual or found.dtype.kind not in "fiub":
        raise ModelFileError(f"{shown(name)} is no plain array of this file; it is damaged, or not Keras'.")
    return found


def fitting(pairs: Iterable[tuple[Any, Any]]) -> tuple[list[tuple[Any, np.ndarray]], list[str]]:
    """(variables with their arrays, what does not fit) of (variable, data set or None)."""
    ready, wrong = [], []
    for v, array in pairs:
        if array is None or array.shape != tuple(v.shape):
            wrong.append(f"{v.name}: {None if array is None else array.shape} for {v.shape}")
        else:
            ready.append((v, array[...].astype(v.dtype)))
    return ready, wrong


def put(model: Any, path: Any, ready: Iterable[tuple[Any, np.ndarray]], wrong: Sequence[str], skip_mismatch: bool
        ) -> None:
    """Give variables their arrays. ShapeError where something does not fit, before anything changes."""
    if wrong and not skip_mismatch:
        raise ShapeError(f"load_weights(): {len(wrong)} weights of {model.name} do not fit the file.\nThe first: "
                         f"{shown(wrong[0], 200)}. The file is {shown(str(path))}; make the same layers in the same "
                         "order, or pass skip_mismatch=True.")
    for v, array in ready:
        v.assign(array)


def put_optimizer(model: Any, arrays: Sequence[Any]) -> bool:
    """Give a compiled model's optimizer the numbers and slots of these data sets; whether they fit."""
    model.optimizer.prepare(model.trainable_weights)
    own = model.optimizer.variables
    own = own if len(arrays) > 2 else own[:2]       # before it has trained: the iterations and the rate
    ready, wrong = fitting(zip(own, arrays))
    if wrong or len(arrays) != len(own):
        return False
    put(model, "", ready, [], False)
    return True
