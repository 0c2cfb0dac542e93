"""First names: 5,163 of them in lower case, and how many percent of the people have each.

Source: US Census Bureau, 1990 census, public domain.
"""

import numpy as np

from fastnn.datasets._tables import Array, read_rows


def load() -> tuple[list[str], Array]:
    """(names in alphabetical order, percent (5163,) float64)."""
    rows = read_rows("first_names.csv", 5163)
    return [row[0] for row in rows], np.array([row[1] for row in rows], np.float64)


def load_data() -> list[str]:
    """The names, letters a to z only, in alphabetical order; from 2 to 11 letters."""
    return load()[0]
