"""The one type of the reference: a NumPy array."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
F64 = np.float64
