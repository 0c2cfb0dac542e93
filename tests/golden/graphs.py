"""Layers that reshape and merge; shared layers, several inputs and outputs, nested and frozen parts."""

from typing import Any

from tests.golden.common import SAMPLES, Case, X, wave

_PAIR = [X, wave(SAMPLES, 4, phase=1.1)]
_CUBE = X.reshape(SAMPLES, 2, 3)
_MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")


def _merge(k: Any, kind: str, functional: bool = False) -> Any:
    a, b = k.Input((6,), name="a"), k.Input((4,), name="b")
    left, right = k.layers.Dense(5, activation="tanh")(a), k.layers.Dense(5, activation="relu")(b)
    merge = getattr(k.layers, kind.lower()) if functional else getattr(k.layers, kind)()
    return k.Model([a, b], k.layers.Dense(3)(merge([left, right])))


def _three(k: Any) -> Any:
    a, b = k.Input((6,)), k.Input((4,))
    parts = [k.layers.Dense(5)(a), k.layers.Dense(5)(b), k.layers.Dense(5, activation="tanh")(a)]
    merged = k.layers.Concatenate()([k.layers.Add()(parts), k.layers.Average()(parts), k.layers.Maximum()(parts)])
    return k.Model([a, b], k.layers.Dense(3)(merged))


def _shared(k: Any) -> Any:
    a, b = k.Input((6,)), k.Input((4,))
    shared = k.layers.Dense(5, activation="tanh")
    left, right = shared(k.layers.Dense(4)(a)), shared(b)
    return k.Model([a, b], k.layers.Dense(3)(k.layers.Concatenate()([left, right, shared(k.layers.Dense(4)(left))])))


def _unequal_depth(k: Any) -> Any:
    a, b = k.Input((6,)), k.Input((4,))
    short = k.layers.Dense(4, activation="tanh", name="short")(b)
    long = k.layers.Dense(4, activation="tanh", name="long_2")(k.layers.Dense(4, name="long_1")(a))
    return k.Model([b, a], k.layers.Dense(3, name="head")(k.layers.Add()([short, long])))


def _late_output(k: Any) -> Any:
    inputs = k.Input((6,))
    first = k.layers.Dense(5, activation="tanh", name="first")(inputs)
    second = k.layers.Dense(5, activation="tanh", name="second")(first)
    return k.Model(inputs, [k.layers.Dense(3, name="early")(first), k.layers.Dense(1, name="late")(second)])


def _residual(k: Any) -> Any:
    inputs = k.Input((6,))
    x = k.layers.Dense(6, activation="relu")(inputs)
    x = k.layers.add([inputs, k.layers.Dense(6, activation="tanh")(x)])
    return k.Model(inputs, k.layers.Dense(3)(x))


def _nested(k: Any) -> Any:
    inner = k.Sequential([k.Input((5,)), k.layers.Dense(4, activation="tanh"), k.layers.Dense(5)])
    inputs = k.Input((6,))
    x = k.layers.Dense(5, activation="relu")(inputs)
    return k.Model(inputs, k.layers.Dense(3)(k.layers.Add()([x, inner(x)])))


def _sequence(*layers: Any) -> Any:
    """layers: functions of k; the first is given the cube."""
    return lambda k: k.Sequential([k.Input((2, 3)), *[layer(k) for layer in layers]])


def _frozen(k: Any) -> Any:
    model = k.Sequential([k.Input((6,)), k.layers.Dense(5, activation="tanh"), k.layers.Dense(4, activation="relu"),
                          k.layers.Dense(3)])
    model.layers[0].trainable = False
    return model


def _subclassed(k: Any) -> Any:
    class Net(k.Model):     # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.head = k.layers.Dense(3)
            self.hidden = [k.layers.Dense(5, activation="tanh"), k.layers.Dense(4, activation="relu")]

        def call(self, x: Any) -> Any:
            for layer in self.hidden:
                x = layer(x)
            return self.head(x)

    model = Net()
    model(X[:1])        # makes the weights
    return model


def _plain(k: Any) -> dict[str, Any]:
    return {}


CASES = [Case(f"merge_{kind.lower()}", lambda k, kind=kind: _merge(k, kind), _plain, x=_PAIR) for kind in _MERGES]
CASES += [Case(f"merge_function_{kind.lower()}", lambda k, kind=kind: _merge(k, kind, True), _plain, x=_PAIR)
          for kind in ("Add", "Concatenate")]
CASES += [
    Case("merge_three", _three, _plain, x=_PAIR),
    Case("shared_layer", _shared, _plain, x=_PAIR),
    Case("unequal_depth", _unequal_depth, _plain, x=_PAIR[::-1]),
    Case("late_output", _late_output, lambda k: dict(loss=["mse", "mae"]), ("real", "one"), eager=True),
    Case("residual", _residual, _plain),
    Case("nested", _nested, _plain),
    Case("frozen_layer", _frozen, _plain),
    Case("subclassed", _subclassed, _plain),
    Case("no_bias", lambda k: k.Sequential([k.Input((6,)), k.layers.Dense(5, "relu", use_bias=False),
                                            k.layers.Dense(3, use_bias=False)]), _plain),
    Case("flatten", _sequence(lambda k: k.layers.Flatten(), lambda k: k.layers.Dense(3)), _plain, x=_CUBE),
    Case("dense_on_rank_3", _sequence(lambda k: k.layers.Dense(4, activation="tanh"), lambda k: k.layers.Flatten(),
                                      lambda k: k.layers.Dense(3)), _plain, x=_CUBE),
    Case("softmax_axis_1", _sequence(lambda k: k.layers.Dense(4), lambda k: k.layers.Softmax(axis=1),
                                     lambda k: k.layers.Flatten(), lambda k: k.layers.Dense(3)), _plain, x=_CUBE),
    Case("reshape", _sequence(lambda k: k.layers.Reshape((3, 2)), lambda k: k.layers.Dense(4, activation="relu"),
                              lambda k: k.layers.Reshape((-1,)), lambda k: k.layers.Dense(3)), _plain, x=_CUBE),
    Case("prelu_rank_3", _sequence(lambda k: k.layers.PReLU(), lambda k: k.layers.Flatten(),
                                   lambda k: k.layers.Dense(3)), _plain, x=_CUBE),
]
