"""Lengths of vectors and matrices: `keras.ops.linalg`. Floor 2."""

from fastnn.ops._faces import list_names as _list_names
from fastnn.ops._linalg import *

_list_names(globals())
