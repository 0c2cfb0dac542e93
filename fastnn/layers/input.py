"""Input: the symbolic tensor that a model graph begins with. Floor 3."""

from typing import Any

from fastnn.engine import backend
from fastnn.engine.tensor import Tensor
from fastnn.errors import shown
from fastnn.layers.layer import checked_name, checked_shape, positive_int, unique_name


def Input(shape: Any = None, batch_size: int | None = None, dtype: str | None = None, name: str | None = None,
          batch_shape: Any = None) -> Tensor:
    """A symbolic tensor for samples of `shape` (without the batch axis): (batch, *shape).

    Raises TypeError without a shape, ValueError for axes that are not whole numbers >= 1 or None.
    """
    if batch_shape is not None:
        batch_size, *shape = batch_shape
    if batch_size is not None:
        batch_size = positive_int(batch_size, "Input: batch_size")
    if shape is None:
        raise TypeError("Input: got no shape; give the shape of one sample, such as Input(shape=(30,)).")
    if dtype not in (None, "float32", "float64", "int32", "uint8"):
        raise ValueError(f"Input: got dtype {shown(dtype)}; needs float32, int32 or uint8.")
    return Tensor(None, checked_name(name, "Input") or unique_name("input_layer"),
                  shape=(batch_size, *checked_shape(shape, "Input")), dtype=dtype or backend.floatx())


class InputLayer:
    """`Sequential([InputLayer(shape=(30,)), …])`: the same as Input there."""

    def __init__(self, shape: Any = None, batch_size: int | None = None, dtype: str | None = None,
                 name: str | None = None, input_shape: Any = None) -> None:
        self.output = Input(input_shape if shape is None else shape, batch_size, dtype, name)
