"""Sunspots: the mean number of spots on the sun in each year from 1700 to 2008; they come and go about every 11 years.

Source: US National Geophysical Data Center, public domain.
"""

import numpy as np

from fastnn.datasets._tables import Array, read_rows


def load() -> tuple[Array, Array]:
    """(years (309,) int32, numbers (309,) float64)."""
    rows = read_rows("sunspots.csv", 309)
    return np.array([row[0] for row in rows], np.int32), np.array([row[1] for row in rows], np.float64)


def load_data(test_years: int = 59) -> tuple[Array, Array]:
    """(earlier years, the last `test_years`), float32 (years,), in order: 250 and 59 by default.

    Raises ValueError unless 1 <= test_years <= 308.
    """
    if isinstance(test_years, bool) or not hasattr(test_years, "__index__") or not 1 <= int(test_years) <= 308:
        raise ValueError(f"datasets.sunspots.load_data: test_years is {test_years!r}; needs a whole number from 1 to "
                         "308.")
    numbers = load()[1].astype(np.float32)
    return numbers[:-int(test_years)], numbers[-int(test_years):]
