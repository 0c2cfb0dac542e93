"""Images: `keras.ops.image`. Floor 2."""

from fastnn.frames import entrances as _entrances
from fastnn.frames import list_names as _list_names
from fastnn.ops._colours import *
from fastnn.ops._filters import *
from fastnn.ops._resize import *
from fastnn.ops._warping import *

_entrances(_list_names(globals()))
