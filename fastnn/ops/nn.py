"""Activations, cross-entropies, convolutions and normalizations: `keras.ops.nn`. Floor 2."""

from fastnn.frames import entrances as _entrances
from fastnn.frames import list_names as _list_names
from fastnn.ops._activation import *
from fastnn.ops._ctc import *
from fastnn.ops._nn import *
from fastnn.ops._patches import *
from fastnn.ops._windows import *

_entrances(_list_names(globals()))
