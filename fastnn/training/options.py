"""What arguments of fit ask for. Floor 4."""

from collections.abc import Mapping
from typing import Any, Literal

from fastnn.arguments import whole
from fastnn.reporting.progress import Every

Record = Literal["epochs"] | Every | Mapping[str, int] | None      # what fit keeps of its epochs


def timeline_of(record: Any, given: dict[str, Any]) -> list[Any]:
    """What listens where a fit is recorded: a floor above, and reached for when it is asked for."""
    if record is None:
        return []
    from fastnn.saving.timeline import timeline
    found = timeline(record, given)
    return [] if found is None else [found]


def frequency_of(validation_freq: Any) -> int | frozenset[int]:
    """fit's validation_freq: a number, or the epochs of a list."""
    if isinstance(validation_freq, (list, tuple, set, frozenset, range)):
        return frozenset(whole(epoch, "fit(): validation_freq") for epoch in validation_freq)
    return whole(validation_freq, "fit(): validation_freq")
