"""Metrics under their Keras names: classes, functions giving one number per sample, `get` and `resolve`. Floor 3."""

from fastnn.frames import list_names as _list_names
from fastnn.metrics.accuracy import *
from fastnn.metrics.confusion import *
from fastnn.metrics.correlation import *
from fastnn.metrics.curves import *
from fastnn.metrics.fscore import *
from fastnn.metrics.means import *
from fastnn.metrics.metric import *
from fastnn.metrics.overlap import *
from fastnn.metrics.regression import *
from fastnn.metrics.serialization import *

_list_names(globals())
