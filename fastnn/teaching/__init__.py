"""Floor 5. Tools that walk a recorded program: what ran, how long it took; and course material run as it stands."""

import sys

from fastnn.frames import entrances
from fastnn.teaching.finder import (
    LearningRates,
    find_lr,
)
from fastnn.teaching.gradients import (
    GradientCheck,
    check_gradients,
)
from fastnn.teaching.health.doctor import (
    doctor,
)
from fastnn.teaching.health.report import (
    Diagnosis,
)
from fastnn.teaching.ladder import (
    Ladder,
    Rung,
    ladder,
)
from fastnn.teaching.own import (
    OwnKernel,
    kernel,
)
from fastnn.teaching.peak import (
    Peak,
    Rates,
    machine_peak,
)
from fastnn.teaching.profile import (
    Profile,
    Row,
    profile,
)
from fastnn.teaching.racing.race import (
    Race,
    race,
)
from fastnn.teaching.racing.surfaces import (
    LossPlane,
)
from fastnn.teaching.scripts import (
    Cell,
    Outcome,
    as_tensorflow,
    cells,
    run_cells,
)
from fastnn.teaching.trace import (
    Trace,
    trace,
)

__all__ = [
    "Cell",
    "Diagnosis",
    "GradientCheck",
    "Ladder",
    "LearningRates",
    "LossPlane",
    "Outcome",
    "OwnKernel",
    "Peak",
    "Profile",
    "Race",
    "Rates",
    "Row",
    "Rung",
    "Trace",
    "as_tensorflow",
    "cells",
    "check_gradients",
    "doctor",
    "find_lr",
    "kernel",
    "ladder",
    "machine_peak",
    "profile",
    "race",
    "run_cells",
    "trace",
]


def __dir__() -> list[str]:
    return sorted(__all__)

entrances(sys.modules[__name__])
