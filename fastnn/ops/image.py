"""Images: `keras.ops.image`. Floor 2."""

from fastnn.ops._faces import list_names as _list_names
from fastnn.ops._resize import *

_list_names(globals())
