"""One training step written out as on a board: walked call by call, and shown with all its numbers. Floor 5."""

from fastnn.frames import list_names as _list_names
from fastnn.teaching.trace.step import *

_list_names(globals())
