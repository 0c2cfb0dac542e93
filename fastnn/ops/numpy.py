"""What NumPy has too: `keras.ops.numpy`. Floor 2."""

from fastnn.frames import entrances as _entrances
from fastnn.frames import list_names as _list_names
from fastnn.ops._arithmetic import *
from fastnn.ops._compare import *
from fastnn.ops._convert import *
from fastnn.ops._creation import *
from fastnn.ops._indexing import *
from fastnn.ops._joining import *
from fastnn.ops._nan import *
from fastnn.ops._numbers import *
from fastnn.ops._products import *
from fastnn.ops._quantile import *
from fastnn.ops._reduction import *
from fastnn.ops._shaping import *
from fastnn.ops._vectors import *

_entrances(_list_names(globals()))
