"""Activations, cross-entropies, convolutions and normalizations: `keras.ops.nn`. Floor 2."""

from fastnn.ops._activation import *
from fastnn.ops._faces import list_names as _list_names
from fastnn.ops._nn import *
from fastnn.ops._patches import *
from fastnn.ops._windows import *

_list_names(globals())
