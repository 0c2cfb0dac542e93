"""Optimizers, with Keras' names, arguments, defaults and numerics. Floor 3."""

from fastnn.frames import list_names as _list_names
from fastnn.optimizers import schedules as schedules
from fastnn.optimizers.adaptive import *
from fastnn.optimizers.lbfgs import *
from fastnn.optimizers.matrices import *
from fastnn.optimizers.moments import *
from fastnn.optimizers.optimizer import *
from fastnn.optimizers.serialization import *
from fastnn.optimizers.sgd import *

_list_names(globals(), "schedules")
