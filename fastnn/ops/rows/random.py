"""Random numbers as a pure function of (seed, stream, counter, element). Floor 2.

The caller advances `counter`; between forward and backward it must stay, as dropout's mask is drawn again.
"""


from collections.abc import Callable

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape


def _drawn(name: str) -> Callable[[Shape, Shape], Shape]:
    """The shape rule of a draw: the constant `shape`, from a 0-d counter."""
    def rule(counter: Shape, shape: Shape) -> Shape:
        if counter != ():
            raise ShapeError(f"{name}: counter is {counter}; needs a 0-d counter; use one number.")
        return shape
    return rule


def _dropped(x: Shape, counter: Shape, rate: float) -> Shape:
    if counter != ():
        raise ShapeError(f"dropout: counter is {counter}; needs a 0-d counter; use one number.")
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: rate is {rate}; needs 0 <= rate < 1; use the fraction to drop.")
    return x


random_bits = Op("random_bits", shape=_drawn("random_bits"), dtypes=dict(counter="int64"), result="int32", cost=0.5)

random_uniform = Op("random_uniform", shape=_drawn("random_uniform"), dtypes=dict(counter="int64"), cost=0.8)

random_normal = Op("random_normal", shape=_drawn("random_normal"), dtypes=dict(counter="int64"), cost=5)

truncated_normal = Op("truncated_normal", shape=_drawn("truncated_normal"), dtypes=dict(counter="int64"), cost=5)

dropout = Op("dropout", shape=_dropped, dtypes=dict(counter="int64"),
             vjp=dict(x=lambda dy, counter, rate, seed, stream:
                      dropout_grad(dy, counter, rate=rate, seed=seed, stream=stream)), cost=0.6)

dropout_grad = Op("dropout_grad", shape=lambda dy, counter, rate: _dropped(dy, counter, rate), outputs=("dx",),
                  dtypes=dict(counter="int64"),
                  vjp=dict(dy=lambda ddx, counter, rate, seed, stream:
                           dropout_grad(ddx, counter, rate=rate, seed=seed, stream=stream)), cost=0.6)
