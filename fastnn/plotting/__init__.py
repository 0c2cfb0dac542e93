"""Floor 5. Pictures: how training went, how a network is built and what it weighs, what it sees inside, what a
classifier decides and where it errs, and the functions that it is made of.

Every function returns a matplotlib Figure and, given `path`, saves it (PNG, SVG or PDF by its ending). Nothing opens
a window; matplotlib is imported when something is drawn, and pyplot never.
"""

from fastnn.frames import entrances as _entrances
from fastnn.frames import list_names as _list_names
from fastnn.plotting._figure import *
from fastnn.plotting.attention import *
from fastnn.plotting.classifiers import *
from fastnn.plotting.confusion import *
from fastnn.plotting.curves import *
from fastnn.plotting.functions import *
from fastnn.plotting.gradients import *
from fastnn.plotting.hidden import *
from fastnn.plotting.images import *
from fastnn.plotting.network import *
from fastnn.plotting.neurons import *
from fastnn.plotting.numbers import *
from fastnn.plotting.worth import *

_entrances(_list_names(globals()))
