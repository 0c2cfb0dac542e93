"""How a face of ops is made from its modules. Floor 2."""

import sys
from typing import Any

from fastnn.frames import entrances


def list_names(face: dict[str, Any]) -> None:
    """Give a face that imports modules with * its __all__, for dir() and for * in turn; its functions are what users
    call.

    Behind the back of mypy and editors: to them what is imported with * is public, but not beside an __all__ that they
    cannot work out."""
    face["__all__"] = sorted(name for name in face if not name.startswith("_") and name != "rows")
    entrances(sys.modules[face["__name__"]])
