"""Shapes of what layers for images and sequences are called with. Floor 3."""

from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError


def checked_rank(x: Tensor, axes: str, name: str) -> Tensor:
    """x, if it has these axes, such as 'batch, rows, columns, channels'. ShapeError else."""
    rank = axes.count(",") + 1
    if x.ndim != rank:
        hint = " For one sample, add the batch axis: x[None]." if x.ndim == rank - 1 else ""
        if hint and "rows, columns, channels" in axes:
            hint = "\nGrey images: add the axis of the channels, x[..., None]. One image: add the batch axis, x[None]."
        raise ShapeError(f"{name}: got inputs of shape {x.shape}; needs ({axes}).{hint}")
    return x


def same_pads(n: int, window: int, stride: int) -> tuple[int, int]:
    """Places added before and after n of them by padding "same", so that there are ⌈n / stride⌉ windows; the odd one
    goes after (as Keras)."""
    total = max((-(-n // stride) - 1) * stride + window - n, 0)
    return total // 2, total - total // 2
