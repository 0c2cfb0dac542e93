"""Numbers that Python reads while a step is recorded: where it does, and what to write instead. Floor 1.

A replay would go on with the numbers of the recorded run, so such a step runs in Python every time, which
engine/function.py sees to. Imports program.
"""

import linecache
import re
import sys
from typing import Any, NamedTuple

from fastnn.engine import context
from fastnn.errors import PACKAGE, shown

WAYS = {"bool()": "use ops.where in place of if", "NumPy": "use the function of that name in fastnn.ops",
        "format": "print it after the step, from what the step returns"}


class Read(NamedTuple):
    """A line of the user's that reads a number; `way`: how."""
    file: str
    line: int
    way: str

    def __str__(self) -> str:
        code = linecache.getline(self.file, self.line).strip()
        used = re.search(r"\bnp\.(\w+)\(|\bnumpy\.(\w+)\(", code)
        name = next(filter(None, used.groups()), "") if used and self.way == "NumPy" else ""
        hint = f"use ops.{name}" if name not in ("", "array", "asarray", "float32") else WAYS.get(
            self.way, "keep it a tensor, and compute with fastnn.ops")
        return f"{self.file}:{self.line}" + (f": {shown(code, 120)[1:-1]}" if code else "") + f" ({self.way}); {hint}"


def notice(tensor: Any, way: str) -> None:
    """Python is about to get a tensor's numbers. Noted where a step is being recorded and they depend on data or
    weights: on anything but constants."""
    recording = context.current_recording()
    if recording is not None and not context.is_symbolic_pass() and _varies(tensor):
        recording.reads.append(Read(*users_line(), way))


def users_line() -> tuple[str, int]:
    """(file, line) of the innermost code outside this package."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _varies(tensor: Any) -> bool:
    """Whether a tensor was computed from anything but constants."""
    stack, seen = [tensor], set()
    while stack:
        t = stack.pop()
        if t.source is None:
            if not t.constant:
                return True
        elif t.source.index not in seen:
            seen.add(t.source.index)
            if not t.source.inputs and not t.constant:
                return True
            stack.extend(t.source.inputs)
    return False
