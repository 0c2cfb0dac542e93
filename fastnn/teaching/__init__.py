"""Floor 5. Tools that walk a recorded program: what ran, how long it took; and course material run as it stands."""

from fastnn.frames import entrances as _entrances
from fastnn.frames import list_names as _list_names
from fastnn.teaching.finder import *
from fastnn.teaching.gradients import *
from fastnn.teaching.health.doctor import *
from fastnn.teaching.health.report import *
from fastnn.teaching.ladder import *
from fastnn.teaching.own import *
from fastnn.teaching.peak import *
from fastnn.teaching.profile import *
from fastnn.teaching.racing.race import *
from fastnn.teaching.racing.surfaces import *
from fastnn.teaching.scripts import *
from fastnn.teaching.trace import *

_entrances(_list_names(globals()))
