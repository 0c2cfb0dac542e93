"""Names for what arguments may be, where that is more than one type. Floor 1; imports tensor."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastnn.engine.tensor import Tensor
from fastnn.literals import ActivationName, ConstraintName, InitializerName, LossName, MetricName, RegularizerName

TensorLike = Tensor | npt.ArrayLike             # what ops take: tensors, arrays, numbers and nested lists of them
Weights = TensorLike | None                     # one weight per sample, or none
Axes = int | Sequence[int] | None               # one axis, several, or all
DType = str | np.dtype | type | None            # None is floatx
Dims = Sequence[int | None]                     # a shape; None where a size is not known yet
Ints = int | Sequence[int]                      # one for all axes, or one for each
Borders = int | Sequence[int | Sequence[int]]   # of all sides, of each axis, or of each side of each axis
Config = dict[str, Any]                         # what get_config() and serialize() write
ActivationLike = ActivationName | Config | Callable[..., Any] | None        # a name, a config, a function or an object
InitializerLike = InitializerName | Config | Callable[..., Any] | npt.NDArray[Any] | Tensor | None
RegularizerLike = RegularizerName | Config | Callable[..., Any] | None
ConstraintLike = ConstraintName | Config | Callable[..., Any] | None
LossLike = LossName | Callable[..., Any] | Config | Sequence[LossName | Callable[..., Any] | Config | None] | None
Measure = MetricName | Callable[..., Any] | Config
MetricsLike = Measure | Sequence[Measure | Sequence[Measure] | None] | None      # one for all outputs, or for each
Rate = float | Callable[..., Any] | Config | Tensor      # a number, or a schedule
