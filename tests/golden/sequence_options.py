"""Options of layers for sequences that recurrent.py, attention.py and sequences.py leave out, and more than one."""

import functools
from typing import Any

import numpy as np

from tests.golden.attention import KEYS, QUERIES, Q, V
from tests.golden.common import CLASSES, SAMPLES, Case, wave
from tests.golden.recurrent import KEPT, SERIES, STEPS, WIDTH, WORDS
from tests.golden.sequences import FILMS, KINDS, SIGNALS, stateful

GRID = wave(SAMPLES, 3, 4, 6, phase=0.4)        # positions on two axes
STATE = wave(SAMPLES, 3, phase=0.9)


def _case(name: str, model: Any, x: Any, rate: float = 0.1) -> Case:
    return Case(f"options_{name}", model, lambda k: dict(optimizer=k.optimizers.SGD(rate)), x=x, rtol=1e-4, atol=1e-5,
                why="sums over time, features and keys in another order")


def _flat(name: str, y: Any, *x: np.ndarray, **more: Any) -> Case:
    """y(k, *inputs): a tensor, or several, which are joined."""
    def model(k: Any) -> Any:
        inputs = [k.Input(each.shape[1:], dtype=each.dtype.name) for each in x]
        made = y(k, *inputs)
        parts = [k.layers.Flatten()(t) for t in (made if isinstance(made, (list, tuple)) else [made])]
        joined = parts[0] if len(parts) == 1 else k.layers.Concatenate()(parts)
        return k.Model(inputs if len(inputs) > 1 else inputs[0], k.layers.Dense(CLASSES)(joined))
    return _case(name, model, list(x) if len(x) > 1 else x[0], **more)


def _layer(name: str, layer: Any, x: np.ndarray = SERIES, **more: Any) -> Case:
    return _flat(name, lambda k, inputs: layer(k)(inputs), x, **more)


def _masked(name: str, layer: Any, way: str, value: float = 0.0) -> Case:
    """Masked steps, which hold `value`; what reads the outputs takes their mask."""
    x = np.where(KEPT[way][..., None], SERIES, np.float32(value)).astype(np.float32)

    def model(k: Any) -> Any:
        return k.Sequential([k.Input((STEPS, WIDTH)), k.layers.Masking(value), layer(k), k.layers.SimpleRNN(4),
                             k.layers.Dense(CLASSES)])
    return _case(name, model, x)


def _words(kind: str, way: str) -> Case:
    def model(k: Any) -> Any:
        return k.Sequential([k.Input((STEPS,), dtype="int32"), k.layers.Embedding(
            11, 4, mask_zero=True, embeddings_constraint=k.constraints.MaxNorm(0.5, axis=1)),
            getattr(k.layers, kind)(3), k.layers.Dense(CLASSES)])
    return _case(f"words_{kind.lower()}_{way}", model, WORDS[way])


def _both(kind: str, mode: Any = "concat", **options: Any) -> Any:
    return lambda k: k.layers.Bidirectional(getattr(k.layers, kind)(3, **options), merge_mode=mode)


def _heads(k: Any, heads: int = 2, depth: int = 3, **options: Any) -> Any:
    return k.layers.MultiHeadAttention(heads, depth, **options)


def _grouped(k: Any, **options: Any) -> Any:
    return k.layers.GroupQueryAttention(3, 4, 2, **options)


def own_cell(k: Any, units: int) -> Any:
    """A cell of one's own: a leaky sum of what it reads."""
    class Leaky(k.layers.Layer):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.state_size = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], units), initializer="uniform", name="kernel")

        def call(self, inputs: Any, states: Any) -> Any:
            h = k.ops.tanh(states[0] * 0.9 + k.ops.matmul(inputs, self.kernel))
            return h, [h]
    return Leaky()


def _penalties(k: Any, *kinds: str) -> dict[str, Any]:
    """Penalties and constraints of weights of these kinds."""
    return {**{f"{kind}_regularizer": k.regularizers.L2(0.05) for kind in kinds},
            **{f"{kind}_constraint": k.constraints.MaxNorm(0.7) for kind in kinds}}


CASES = [
    *(_words(kind, "left") for kind in KINDS), _words("SimpleRNN", "right"), _words("SimpleRNN", "middle"),
    *(_masked(f"value_{way}", lambda k: k.layers.GRU(3, return_sequences=True), way, -1.0) for way in KEPT),
    *(_masked(f"unrolled_{kind.lower()}", lambda k, kind=kind: getattr(k.layers, kind)(
        3, return_sequences=True, unroll=True), "middle") for kind in KINDS),
    *(_masked(f"both_{mode}_{way}", _both("LSTM", mode, return_sequences=True), way)
      for mode in ("sum", "mul", "ave", "concat") for way in KEPT if (mode, way) != ("concat", "right")),
    *(_layer(f"both_states_{kind.lower()}", _both(kind, "sum", return_state=True, return_sequences=True))
      for kind in KINDS),
    _layer("both_two_states", _both("GRU", None, return_state=True, return_sequences=True)),
    _flat("both_begun", lambda k, x, h: _both("GRU")(k)(x, initial_state=[h, h]), SERIES, STATE),
    _layer("both_cells", lambda k: k.layers.Bidirectional(k.layers.RNN(
        [k.layers.GRUCell(3), k.layers.SimpleRNNCell(2)], return_sequences=True))),
    *(_layer(f"states_{kind.lower()}", lambda k, kind=kind: getattr(k.layers, kind)(
        3, return_state=True, return_sequences=True, go_backwards=True)) for kind in KINDS),
    _flat("begun", lambda k, x, h: k.layers.SimpleRNN(3, return_sequences=True)(x, initial_state=h), SERIES, STATE),
    _flat("begun_backwards", lambda k, x, h: k.layers.LSTM(3, go_backwards=True)(x, initial_state=[h, h]), SERIES,
          STATE),
    *(_layer(f"penalties_{kind.lower()}", lambda k, kind=kind: getattr(k.layers, kind)(
        3, return_sequences=True, **_penalties(k, "kernel", "recurrent", "bias"))) for kind in KINDS),
    *(_layer(f"activity_{kind.lower()}", lambda k, kind=kind: getattr(k.layers, kind)(     # Keras' SimpleRNN forgets it
        3, return_sequences=True, activity_regularizer=k.regularizers.L2(0.01))) for kind in ("LSTM", "GRU")),
    _layer("cells_states", lambda k: k.layers.RNN(k.layers.StackedRNNCells(
        [k.layers.LSTMCell(3), k.layers.GRUCell(2, reset_after=False)]), return_sequences=True, go_backwards=True)),
    _layer("own_cell", lambda k: k.layers.RNN(own_cell(k, 3), return_sequences=True)),
    _masked("own_cell_masked", lambda k: k.layers.RNN([own_cell(k, 3), k.layers.LSTMCell(2)], return_sequences=True),
            "middle"),
    _layer("film_states", lambda k: k.layers.ConvLSTM2D(2, 2, return_state=True, return_sequences=True), FILMS),
    _layer("film_penalties", lambda k: k.layers.ConvLSTM2D(2, 2, **_penalties(k, "kernel", "recurrent")), FILMS),
    _flat("film_masked", lambda k, x, m: k.layers.ConvLSTM2D(2, 2)(x, mask=m), FILMS, KEPT["middle"][:, :3]),
    _layer("signal_same", lambda k: k.layers.ConvLSTM1D(3, 3, padding="same", return_sequences=True,
                                                       go_backwards=True), SIGNALS),
    _layer("along_time_images", lambda k: k.layers.TimeDistributed(k.layers.Conv2D(2, 2, activation="relu")), FILMS),
    _layer("along_time_rnn", lambda k: k.layers.TimeDistributed(k.layers.LSTM(2)), SIGNALS),
    *(_flat(f"heads_axes_{name}", lambda k, x, axes=axes: _heads(k, attention_axes=axes)(x, x), GRID, rate=0.01)
      for name, axes in (("1", (1,)), ("2", (2,)), ("both", (1, 2)))),
    _flat("heads_gate", lambda k, q, v: _heads(k, use_gate=True)(q, v), Q, V),
    _flat("heads_window", lambda k, x: _heads(k, sliding_window=2)(x, x, use_causal_mask=True), V),
    _flat("heads_outputs", lambda k, q, v: _heads(k, output_shape=(2, 3), value_dim=4)(q, v), Q, V),
    _flat("heads_key", lambda k, q, v: _heads(k)(q, v, key=k.layers.Dense(5, "tanh")(v)), Q, V),
    _flat("heads_causal", lambda k, q, v: _heads(k)(q, v, use_causal_mask=True), Q, V),
    _flat("heads_penalties", lambda k, q, v: _heads(k, activity_regularizer=k.regularizers.L2(0.01),
                                                    **_penalties(k, "kernel", "bias"))(q, v), Q, V),
    _flat("grouped_mask", lambda k, q, v, m: _grouped(k, use_bias=False)(q, v, attention_mask=m), Q, V,
          (np.arange(SAMPLES * QUERIES * KEYS).reshape(SAMPLES, QUERIES, KEYS) * 5 % 7 > 1)),
    _flat("grouped_causal", lambda k, x: _grouped(k)(x, x, use_causal_mask=True), V),
    _flat("grouped_scores", lambda k, q, v: _grouped(k)(q, v, return_attention_scores=True), Q, V, rate=0.02),
    _flat("grouped_gate", lambda k, q, v: _grouped(k, use_gate=True)(q, v), Q, V),
    _flat("grouped_window", lambda k, x: _grouped(k, sliding_window=2)(x, x), V),
    *(_flat(f"{name}_scores", lambda k, q, v, kind=kind, options=options: getattr(k.layers, kind)(**options)(
        [q, v], return_attention_scores=True, use_causal_mask=True), Q, V)
      for name, kind, options in (("dot", "Attention", {"use_scale": True}), ("additive", "AdditiveAttention", {}),
                                  ("concat", "Attention", {"score_mode": "concat"}))),
    _flat("additive_key", lambda k, q, v: k.layers.AdditiveAttention()([q, v, k.layers.Dense(6, "tanh")(v)]), Q, V),
]

VALUES = {
    **{f"stateful_{kind}_backwards": functools.partial(stateful, kind=kind, go_backwards=True) for kind in KINDS},
    "stateful_GRU_before": functools.partial(stateful, kind="GRU", reset_after=False),
    "stateful_LSTM_gates": functools.partial(stateful, kind="LSTM", recurrent_activation="hard_sigmoid"),
}
