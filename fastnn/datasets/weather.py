"""Weather: 1,461 days in Seattle, 2012 to 2015; rain, highest and lowest temperature and wind of each day.

Source: daily observations of the US National Oceanic and Atmospheric Administration (NOAA), public domain.
"""

from typing import NamedTuple

import numpy as np

from fastnn.datasets._tables import Array, read_rows

FEATURE_NAMES = ("precipitation", "temp_max", "temp_min", "wind")
KINDS = ("drizzle", "fog", "rain", "snow", "sun")
UNITS = ("mm", "°C", "°C", "m/s")


class Days(NamedTuple):
    """data (1461, 4) float64 in the order and units of FEATURE_NAMES and UNITS; dates (1461,) datetime64[D]; kind
    (1461,) int32, the place in KINDS; and the names."""

    data: Array
    dates: Array
    kind: Array
    feature_names: tuple[str, ...]
    kind_names: tuple[str, ...]


def load() -> Days:
    """All days in order."""
    rows = read_rows("seattle_daily.csv", 1461)
    return Days(np.array([row[1:5] for row in rows], np.float64),
                np.array([row[0].replace("/", "-") for row in rows], "datetime64[D]"),
                np.array([KINDS.index(row[5]) for row in rows], np.int32), FEATURE_NAMES, KINDS)


def load_data(test_year: int = 2015) -> tuple[Array, Array]:
    """(days before `test_year`, days of that year), float32 (days, 4), in order, unscaled: a series must not be
    shuffled.

    1,096 and 365 days by default. Raises ValueError for a year other than 2013, 2014 or 2015.
    """
    days = load()
    years = days.dates.astype("datetime64[Y]").astype(int) + 1970
    if test_year not in (2013, 2014, 2015):
        raise ValueError(f"datasets.weather.load_data: test_year is {test_year!r}; needs 2013, 2014 or 2015, so that "
                         "a year comes before it.")
    data = days.data.astype(np.float32)
    return data[years < test_year], data[years == test_year]
