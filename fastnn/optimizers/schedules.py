"""Learning rates as functions of the step, written with ops: they are part of the recorded program. Floor 3."""

from fastnn.configuration import Configurable
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import Watched


class LearningRateSchedule(Configurable, Watched):
    """Base of the schedules: `__call__(step)` gives a 0-d float tensor from the 0-d int64 step counter."""

    def __call__(self, step: Tensor) -> Tensor:
        """The learning rate at `step`."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, step).")
