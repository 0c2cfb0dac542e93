"""Arithmetic on whole numbers and bools; there are no gradients. Floor 2."""

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape, same_shapes

WHOLE = ("bool", "uint8", "int32", "int64")


def _dtype(name: str, dtype: str) -> str:
    if dtype not in WHOLE:
        raise TypeError(f"{name}: got dtype {dtype}; needs whole numbers, {', '.join(WHOLE[1:])}, or bool; cast the "
                        "numbers, or use the op of the same name for floats.")
    return dtype


def _pair(name: str, cost: float = 0.3) -> Op:
    return Op(name, shape=lambda a, b: same_shapes(name, a=a, b=b), dtypes=dict(a="alike", b="alike"),
              result=lambda a: _dtype(name, a), cost=cost)


def _reduction(name: str, empty: bool = False) -> Op:
    def shape(x: Shape, axes: tuple[int, ...]) -> Shape:
        if list(axes) != sorted(set(axes)) or any(not 0 <= axis < len(x) for axis in axes):
            raise ShapeError(f"{name}: x is {x} and axes are {axes}; needs increasing axis numbers from 0 to "
                             f"{len(x) - 1}; count the axes from the front.")
        if not empty and any(x[axis] == 0 for axis in axes):
            raise ShapeError(f"{name}: x is {x} and axes are {axes}; needs at least one value; there is none of none.")
        return tuple(n for axis, n in enumerate(x) if axis not in axes)
    return Op(name, shape=shape, dtypes=dict(x="any"), result=lambda x: _dtype(name, x), cost=5)


whole_add = _pair("whole_add")
whole_subtract = _pair("whole_subtract")
whole_multiply = _pair("whole_multiply")
whole_floor_divide = _pair("whole_floor_divide", cost=5)
whole_mod = _pair("whole_mod", cost=5)
whole_maximum = _pair("whole_maximum")
whole_minimum = _pair("whole_minimum")
bitwise_and = _pair("bitwise_and")
bitwise_or = _pair("bitwise_or")
bitwise_xor = _pair("bitwise_xor")
left_shift = _pair("left_shift")
right_shift = _pair("right_shift")
whole_sum = _reduction("whole_sum", empty=True)
whole_max = _reduction("whole_max")
whole_min = _reduction("whole_min")
