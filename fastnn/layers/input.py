"""Input and InputLayer: the symbolic tensor that a model graph begins with. Floor 3."""

from typing import Any

from fastnn import arguments
from fastnn.engine import backend
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, nearest, shown, warn
from fastnn.layers.layer import Layer, Node
from fastnn.names import checked_name, unique_name

__all__ = ["Input", "InputLayer"]

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_WHOLE = ("int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")


def _dtype(dtype: Any) -> str:
    """Ours for one of Keras' dtypes, by name or as NumPy has it. ValueError for others."""
    name = getattr(dtype, "__name__", None) or getattr(dtype, "name", dtype)
    if name is None:
        return backend.floatx()
    if not isinstance(name, str) or name not in (*_FLOATS, "float", *_WHOLE, "int", "uint8", "bool", "string"):
        raise ValueError(f"Input: got dtype {shown(dtype)}; " + nearest(
            name if isinstance(name, str) else "", (*_FLOATS, *_WHOLE, "uint8", "bool", "string")))
    return backend.floatx() if "float" in name else name if name in ("bool", "uint8", "string") else "int32"


class InputLayer(Layer):
    """The first layer of a graph: it computes nothing, its `output` is what Input(…) gives; arguments as there.

    input_tensor: a symbolic tensor that is that output.
    """
    filled_in = frozenset({"shape", "batch_size", "sparse", "ragged", "input_tensor", "input_shape"})   # of batch_shape

    def __init__(self, shape: Any = None, batch_size: int | None = None, dtype: Any = None, sparse: Any = None,
                 ragged: Any = None, batch_shape: Any = None, input_tensor: Any = None, optional: bool = False,
                 name: str | None = None, input_shape: Any = None) -> None:
        super().__init__(name=checked_name(name, "Input") or unique_name("input_layer"))
        for what, value in (("sparse", sparse), ("ragged", ragged)):
            arguments.dense(value, f"Input: {what}")
        if input_shape is not None and shape is None:
            warn("InputLayer: input_shape is the old name of shape; needs shape=….")
            shape = input_shape
        if batch_shape is not None and (shape is not None or batch_size is not None):
            raise ValueError(f"Input: got batch_shape {shown(batch_shape)} and shape or batch_size too; needs one of "
                             "them: batch_shape is (batch_size, *shape).")
        if input_tensor is not None:
            batch_shape = self._of(input_tensor, shape, batch_size, dtype, batch_shape)
        elif batch_shape is not None:
            batch_shape = arguments.shape(batch_shape, "Input: batch_shape")
        elif shape is not None:
            batch_size = arguments.optional(arguments.whole, batch_size, "Input: batch_size")
            batch_shape = (batch_size, *arguments.shape(shape, "Input: shape"))
        else:
            raise KindError("Input: got no shape; needs the shape of one sample, such as Input(shape=(30,)).")
        if input_tensor is None:
            input_tensor = Tensor(None, self.name, shape=batch_shape, dtype=_dtype(dtype))
            input_tensor.source = Node(self, (), {}, input_tensor)
        self.batch_shape: tuple[int | None, ...] = batch_shape
        self.output_shape, self.dtype = batch_shape, input_tensor.dtype
        self.sparse = self.ragged = False
        self.optional = arguments.flag(optional, "Input: optional")
        object.__setattr__(self, "_first_use", Node(self, (input_tensor,), {}, input_tensor))

    @staticmethod
    def _of(tensor: Any, shape: Any, batch_size: Any, dtype: Any, batch_shape: Any) -> Any:
        """The tensor's shape, with which the other arguments must agree."""
        if not isinstance(tensor, Tensor) or not tensor.symbolic:
            raise KindError(f"Input: input_tensor is {shown(tensor)}; needs a symbolic tensor, such as Input(…) gives.")
        for what, given, have in (("shape", shape, tensor.shape[1:]), ("batch_size", batch_size, tensor.shape[0]),
                                  ("batch_shape", batch_shape, tensor.shape), ("dtype", dtype, tensor.dtype)):
            if given is not None and (tuple(given) if isinstance(given, list) else given) != have:
                raise ValueError(f"Input: {what} is {shown(given)} and that of input_tensor is {have}; needs the same, "
                                 f"or leave {what} out.")
        return tensor.shape

    def call(self) -> None:  # type: ignore[override]
        """Nothing: its output is what a model is called on."""

    def get_config(self) -> dict[str, Any]:
        """batch_shape, dtype, name and optional."""
        return {"batch_shape": list(self.batch_shape), "dtype": self.dtype, "name": self.name,
                "optional": self.optional}


def Input(shape: Any = None, batch_size: int | None = None, dtype: Any = None, sparse: Any = None, ragged: Any = None,
          batch_shape: Any = None, name: str | None = None, tensor: Any = None, optional: bool = False) -> Tensor:
    """A symbolic tensor for samples of `shape` (without the batch axis): (batch, *shape).

    dtype: what the data become before the first layer sees them. Floats of any width are floatx (the default), whole
    numbers int32 (fit, evaluate and predict refuse what int32 cannot hold), "uint8" and "bool" stay what they are.
    "string": text, which one layer reads before the model runs: StringLookup, TextVectorization or Hashing.
    batch_shape: the shape with the batch axis. optional: None may be given for it; the layers get None then.
    Raises TypeError without a shape, ValueError for another dtype and for axes that are not whole numbers >= 1 or None.
    """
    return InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name).output  # type: ignore[no-any-return]
