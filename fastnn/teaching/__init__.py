"""Floor 5. Tools that walk a recorded program: what ran, how long it took."""

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

__all__ = [
    "Peak",
    "Profile",
    "Rates",
    "Row",
    "machine_peak",
    "profile",
]


def __dir__() -> list[str]:
    return sorted(__all__)
