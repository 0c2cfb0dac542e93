"""Lengths of vectors and matrices: `keras.ops.linalg`. Floor 2."""

from fastnn.frames import entrances as _entrances
from fastnn.frames import list_names as _list_names
from fastnn.ops._linalg import *

_entrances(_list_names(globals()))
