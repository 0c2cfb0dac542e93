"""Random numbers as a pure function of a key and of where they stand. Floor 2.

A key is (seed, draws, stream), int64; fastnn.random.SeedGenerator gives one for each draw. Between forward and backward
it must stay, as dropout's mask is drawn again.
"""


from collections.abc import Callable

from fastnn.errors import ShapeError
from fastnn.ops._op import Op, Shape

_KEY, _STATE = dict(key="int64"), dict(state="int64")


def _checked(name: str, key: Shape) -> None:
    if key != (3,):
        raise ShapeError(f"{name}: key is {key}; needs (3,): seed, draws, stream; use SeedGenerator().key().")


def _drawn(name: str) -> Callable[[Shape, Shape], Shape]:
    """The shape rule of a draw: the constant `shape`."""
    def rule(key: Shape, shape: Shape) -> Shape:
        _checked(name, key)
        return shape
    return rule


def _dropped(x: Shape, key: Shape, rate: float) -> Shape:
    _checked("dropout", key)
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: rate is {rate}; needs 0 <= rate < 1; use the fraction to drop.")
    return x


def _of_state(name: str, result: Shape) -> Callable[[Shape], Shape]:
    """The shape rule of what takes the state of a generator."""
    def rule(state: Shape) -> Shape:
        if state != (2,):
            raise ShapeError(f"{name}: state is {state}; needs (2,): seed, place; use the state of a SeedGenerator.")
        return result
    return rule


draw_key = Op("draw_key", shape=_of_state("draw_key", (3,)), dtypes=_STATE, outputs=("key",), result="int64")

draw_step = Op("draw_step", shape=_of_state("draw_step", (2,)), updates=("state",), dtypes=_STATE)

random_bits = Op("random_bits", shape=_drawn("random_bits"), dtypes=_KEY, result="int32", cost=0.5)

random_uniform = Op("random_uniform", shape=_drawn("random_uniform"), dtypes=_KEY, cost=0.8)

random_normal = Op("random_normal", shape=_drawn("random_normal"), dtypes=_KEY, cost=5)

truncated_normal = Op("truncated_normal", shape=_drawn("truncated_normal"), dtypes=_KEY, cost=5)

dropout = Op("dropout", shape=_dropped, dtypes=_KEY, cost=0.6,
             vjp=dict(x=lambda dy, key, rate, stream: dropout_grad(dy, key, rate=rate, stream=stream)))

dropout_grad = Op("dropout_grad", shape=lambda dy, key, rate: _dropped(dy, key, rate), outputs=("dx",), dtypes=_KEY,
                  vjp=dict(dy=lambda ddx, key, rate, stream: dropout_grad(ddx, key, rate=rate, stream=stream)),
                  cost=0.6)
