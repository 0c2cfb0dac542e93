"""Input: the symbolic tensor that a model graph begins with. Floor 3."""

from typing import Any

from fastnn import arguments
from fastnn.engine import backend
from fastnn.engine.kinds import Dims
from fastnn.engine.tensor import Tensor
from fastnn.errors import nearest, shown
from fastnn.names import checked_name, unique_name

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_WHOLE = ("int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")


def _dtype(dtype: Any) -> str:
    """Ours for one of Keras' dtypes, by name or as NumPy has it. ValueError for text and others."""
    name = getattr(dtype, "__name__", None) or getattr(dtype, "name", dtype)
    if name is None or name in (*_FLOATS, "float"):
        return backend.floatx()
    if name in (*_WHOLE, "int"):
        return "int32"
    if name not in ("bool", "uint8"):
        raise ValueError(f"Input: got dtype {shown(dtype)}; " + nearest(name, (*_FLOATS, *_WHOLE, "uint8", "bool")))
    return str(name)


def Input(shape: Any = None, batch_size: int | None = None, dtype: Any = None, name: str | None = None,
          batch_shape: Any = None) -> Tensor:
    """A symbolic tensor for samples of `shape` (without the batch axis): (batch, *shape).

    dtype: what the data become before the first layer sees them. Floats of any width are floatx (the default), whole
    numbers int32 (fit, evaluate and predict refuse what int32 cannot hold), "uint8" and "bool" stay what they are.
    Raises TypeError without a shape, ValueError for another dtype and for axes that are not whole numbers >= 1 or None.
    """
    if batch_shape is not None:
        batch_size, *shape = arguments.shape(batch_shape, "Input: batch_shape")
    batch_size = arguments.optional(arguments.whole, batch_size, "Input: batch_size")
    if shape is None:
        raise TypeError("Input: got no shape; give the shape of one sample, such as Input(shape=(30,)).")
    return Tensor(None, checked_name(name, "Input") or unique_name("input_layer"),
                  shape=(batch_size, *arguments.shape(shape, "Input: shape")), dtype=_dtype(dtype))


class InputLayer:
    """`Sequential([InputLayer(shape=(30,)), …])`: the same as Input there."""

    def __init__(self, shape: Any = None, batch_size: int | None = None, dtype: Any = None,
                 name: str | None = None, input_shape: Dims | None = None) -> None:
        self.output = Input(input_shape if shape is None else shape, batch_size, dtype, name)
