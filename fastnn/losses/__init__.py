"""Losses under their Keras names: classes, functions giving one number per sample, and `get`. Floor 3."""

from fastnn.frames import list_names as _list_names
from fastnn.losses.crossentropy import *
from fastnn.losses.elementary import *
from fastnn.losses.focal import *
from fastnn.losses.loss import *
from fastnn.losses.overlap import *
from fastnn.losses.pairs import *
from fastnn.losses.serialization import *

_list_names(globals())
