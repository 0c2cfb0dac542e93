"""h5py, and what may be read from a file of it: plain arrays that lie in the file itself. Floor 5."""

import importlib.util
from typing import Any

from fastnn.errors import ModelFileError, shown


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
