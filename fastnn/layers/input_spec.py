"""InputSpec: what a layer of one's own may be called on. Floor 3."""

from typing import Any

from fastnn.arguments import dtype_of, flag, optional, shape, text, whole
from fastnn.configuration import Configurable, arguments_of
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.nest import flatten
from fastnn.ops._op import WIDENING
from fastnn.ops._rules import differ

__all__ = ["InputSpec"]

KINDS = (*WIDENING, "string")


class InputSpec(Configurable):
    """Axes and dtype that a layer needs: `self.input_spec = InputSpec(min_ndim=2)`, or a list, or a dict by name.

    ndim, min_ndim, max_ndim: how many axes, the batch too. shape: with None for any size. axes: {axis: size} of some.
    dtype: of the tensor. allow_last_axis_squeeze: an axis of length 1 at the end may be missing or too many. optional:
    None may come. keras.layers.InputSpec. ShapeError or KindError when the layer is called on something else.

    >>> InputSpec(shape=(None, 4)).wrong((2, 3), "float32")
    'needs shape (None, 4)'
    """

    def __init__(self, dtype: Any = None, shape: Any = None, ndim: int | None = None, max_ndim: int | None = None,
                 min_ndim: int | None = None, axes: dict[int, int | None] | None = None,
                 allow_last_axis_squeeze: bool = False, name: str | None = None, optional: bool = False) -> None:
        self.dtype = _dtype(dtype)
        self.shape = _shape(shape)
        axis_count = _count(ndim, "ndim")
        self.ndim = axis_count if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = _count(max_ndim, "max_ndim"), _count(min_ndim, "min_ndim")
        try:
            self.axes = {int(axis): size for axis, size in dict(axes or {}).items()}
        except (TypeError, ValueError):
            raise KindError(f"InputSpec: axes is {shown(axes)}; needs a dict of sizes by axis.") from None
        most = self.ndim or self.max_ndim
        if most and any(not -most <= axis < most for axis in self.axes):
            raise ValueError(f"InputSpec: axes is {shown(axes)}; needs axes below {most}, as there are no more.")
        self.allow_last_axis_squeeze = flag(allow_last_axis_squeeze, "InputSpec: allow_last_axis_squeeze")
        self.name, self.optional = _name(name), flag(optional, "InputSpec: optional")

    def wrong(self, got: tuple[int | None, ...], dtype: str) -> str:
        """What it needs that a tensor of this shape and dtype has not; empty where it fits."""
        want, count = self.shape, len(got)
        if self.allow_last_axis_squeeze and want is not None:
            if count == len(want) + 1 and got[-1] == 1:
                got, count = got[:-1], count - 1
            elif count == len(want) - 1 and want[-1] == 1:
                want = want[:-1]
        exact = self.ndim if want is None else len(want)
        if exact is not None and count != exact and (want is not None or not self.allow_last_axis_squeeze):
            return f"needs {exact} axes"
        if self.max_ndim is not None and count > self.max_ndim:
            return f"needs {self.max_ndim} axes at most"
        if self.min_ndim is not None and count < self.min_ndim:
            return f"needs {self.min_ndim} axes at least"
        if self.dtype is not None and dtype != self.dtype:
            return f"needs dtype {self.dtype}"
        for axis, size in self.axes.items():
            if not -count <= axis < count or (size is not None and got[axis] not in (size, None)):
                return f"needs {size} along axis {axis}"
        if want is not None and any(map(differ, want, got)):
            return f"needs shape {want}"
        return ""

    def __repr__(self) -> str:
        return f"InputSpec({', '.join(f'{name}={value}' for name, value in arguments_of(self).items() if value)})"


def check(layer: Any, inputs: Any) -> None:
    """Raise an error where the inputs are not what layer.input_spec says."""
    specs = layer.input_spec
    if isinstance(specs, dict):
        if not isinstance(inputs, dict) or not set(specs) <= set(inputs):
            raise KindError(f"{layer.name}: got {shown(inputs)}; needs a dict with {sorted(map(str, specs))}.")
        pairs = [(spec, inputs[name]) for name, spec in specs.items()]
    else:
        specs = specs if isinstance(specs, (list, tuple)) else [specs]
        if isinstance(inputs, dict) and all(getattr(spec, "name", None) in inputs for spec in specs):
            given = [inputs[spec.name] for spec in specs]
        else:
            given = list(inputs) if isinstance(inputs, (list, tuple)) else flatten(inputs)
        if len(given) != len(specs):
            raise KindError(f"{layer.name}: got {len(given)} inputs; needs {len(specs)}, as its input_spec says.")
        pairs = list(zip(specs, given))
    for i, (spec, x) in enumerate(pairs):
        if spec is None or (x is None and spec.optional):
            continue
        if not isinstance(x, Tensor):
            raise KindError(f"{layer.name}: input {i} is {shown(x)}; needs a tensor.")
        if wrong := spec.wrong(x.shape, x.dtype):
            raise ShapeError(f"{layer.name}: input {i} has shape {x.shape} and dtype {x.dtype}; {wrong}, as its "
                             "input_spec says.")


def _shape(given: Any) -> tuple[int | None, ...] | None:
    return optional(shape, given, "InputSpec: shape")  # type: ignore[no-any-return]


def _dtype(given: Any) -> str | None:
    return optional(dtype_of, given, "InputSpec: dtype", KINDS)  # type: ignore[no-any-return]


def _name(given: Any) -> str | None:
    return optional(text, given, "InputSpec: name")  # type: ignore[no-any-return]


def _count(given: Any, name: str) -> int | None:
    return optional(whole, given, f"InputSpec: {name}")  # type: ignore[no-any-return]


def _axis(given: Any) -> int:
    """A number of an axis; files have it as text."""
    number = int(given) if isinstance(given, str) and given.lstrip("-").isdecimal() else given
    return whole(number, "InputSpec: an axis of axes", None)
