"""Recurrent layers: options, masks on either side and in the middle, states, both directions, cells, along time."""

from typing import Any

import numpy as np

from tests.golden.common import CLASSES, SAMPLES, Case, wave

STEPS, WIDTH = 5, 4
SERIES = wave(SAMPLES, STEPS, WIDTH, phase=0.2)
ROWS, PLACES = np.arange(SAMPLES)[:, None], np.arange(STEPS)
KEPT = {"right": PLACES < 2 + ROWS % 4, "left": PLACES >= ROWS % 4, "middle": (PLACES + ROWS) % 3 != 1}
MASKED = {way: SERIES * kept[..., None] for way, kept in KEPT.items()}
WORDS = {way: ((np.arange(SAMPLES * STEPS).reshape(SAMPLES, STEPS) * 7 % 10 + 1) * kept).astype(np.int32)
         for way, kept in KEPT.items()}


def _net(layer: Any, *, masked: bool = False, after: Any = None) -> Any:
    def model(k: Any) -> Any:
        parts = [k.Input((STEPS, WIDTH))]
        parts += [k.layers.Masking()] if masked else []
        parts += [layer(k), *(after(k) if after else []), k.layers.Dense(CLASSES)]
        return k.Sequential(parts)
    return model


def _flat(k: Any) -> list[Any]:
    return [k.layers.Flatten()]


def _read(k: Any) -> list[Any]:
    """Reads a sequence with its mask, as Flatten would not."""
    return [k.layers.SimpleRNN(4)]


def _case(name: str, layer: Any, **more: Any) -> Case:
    x = more.pop("x", SERIES)
    y = more.pop("y", "real")
    return Case(f"recurrent_{name}", _net(layer, **more), lambda k: dict(), x=x, y=y, rtol=5e-5, atol=5e-6,
                why="sums over time in another order")


def _of(kind: str, name: str, after: Any = None, **options: Any) -> Case:
    return _case(f"{kind.lower()}_{name}", lambda k: getattr(k.layers, kind)(3, **options), after=after)


def _words(kind: str, way: str, **options: Any) -> Case:
    def model(k: Any) -> Any:
        return k.Sequential([k.Input((STEPS,), dtype="int32"), k.layers.Embedding(11, 4, mask_zero=True),
                             getattr(k.layers, kind)(3, **options), k.layers.Dense(CLASSES)])
    return Case(f"recurrent_words_{kind.lower()}_{way}", model, lambda k: dict(), x=WORDS[way], rtol=5e-5, atol=5e-6)


def _per_step(way: str) -> Case:
    """A prediction for each step: those that are padding do not count, in the loss and in the metric."""
    def model(k: Any) -> Any:
        return k.Sequential([k.Input((STEPS,), dtype="int32"), k.layers.Embedding(11, 4, mask_zero=True),
                             k.layers.LSTM(3, return_sequences=True), k.layers.Dense(CLASSES)])
    return Case(f"recurrent_per_step_{way}", model, lambda k: dict(metrics=["mae"], weighted_metrics=["mse"]),
                x=WORDS[way], y="per_step", rtol=5e-5, atol=5e-6)


def _both(mode: Any, kind: str, **options: Any) -> Any:
    return lambda k: k.layers.Bidirectional(getattr(k.layers, kind)(3, **options), merge_mode=mode)


def _encoder_decoder(k: Any) -> Any:
    """The states of one layer begin another."""
    x = k.Input((STEPS, WIDTH))
    _, h, c = k.layers.LSTM(3, return_state=True)(x)
    y = k.layers.LSTM(3, return_sequences=True)(x, initial_state=[h, c])
    z = k.layers.GRU(3)(y, initial_state=h)
    return k.Model(x, k.layers.Dense(CLASSES)(z))


def _states_out(k: Any) -> Any:
    x = k.Input((STEPS, WIDTH))
    y, h, c, back_h, back_c = k.layers.Bidirectional(k.layers.LSTM(3, return_state=True))(x)
    return k.Model(x, k.layers.Dense(CLASSES)(k.layers.Concatenate()([y, h, c, back_h, back_c])))


def _state_given_and_masked(k: Any) -> Any:
    """A state to begin with and steps at the front that do not count: their output is 0."""
    x = k.Input((STEPS, WIDTH))
    state = k.layers.Dense(3, activation="tanh")(k.layers.Flatten()(x))
    y = k.layers.GRU(3, return_sequences=True)(k.layers.Masking()(x), initial_state=state)
    return k.Model(x, k.layers.Dense(CLASSES)(k.layers.SimpleRNN(4)(y)))


CASES = [
    *(case for kind in ("SimpleRNN", "LSTM", "GRU") for case in (
        _of(kind, "plain"), _of(kind, "sequences", _flat, return_sequences=True),
        _of(kind, "backwards", go_backwards=True),
        _of(kind, "backwards_sequences", _flat, go_backwards=True, return_sequences=True),
        _of(kind, "no_bias", use_bias=False), _of(kind, "activation", activation="softsign"),
        _of(kind, "unrolled", unroll=True))),
    _of("SimpleRNN", "relu", activation="relu"), _of("LSTM", "gates", recurrent_activation="hard_sigmoid"),
    _of("GRU", "gates", recurrent_activation="hard_sigmoid"), _of("GRU", "before", reset_after=False),
    _of("GRU", "before_sequences", _flat, reset_after=False, return_sequences=True),
    _of("LSTM", "no_forget_bias", unit_forget_bias=False),
    _case("regularized", lambda k: k.layers.LSTM(
        3, kernel_regularizer=k.regularizers.L2(0.1), recurrent_regularizer=k.regularizers.L1(0.02),
        bias_regularizer=k.regularizers.L2(0.1), kernel_constraint=k.constraints.MaxNorm(1.0),
        activity_regularizer=k.regularizers.L2(0.1))),
    *(_case(f"masked_{kind.lower()}_{way}", lambda k, kind=kind: getattr(k.layers, kind)(3), masked=True, x=x)
      for kind in ("SimpleRNN", "LSTM", "GRU") for way, x in MASKED.items()),
    *(_case(f"masked_sequences_{way}", lambda k: k.layers.LSTM(3, return_sequences=True), masked=True, x=MASKED[way],
            after=_read) for way in ("left", "right")),
    _case("masked_backwards", lambda k: k.layers.GRU(3, return_sequences=True, go_backwards=True), masked=True,
          x=MASKED["middle"], after=_read),
    _case("masked_gates", lambda k: k.layers.GRU(3, return_sequences=True, recurrent_activation="hard_sigmoid"),
          masked=True, x=MASKED["middle"], after=_read),
    *(_words(kind, way) for kind in ("LSTM", "GRU") for way in ("right", "middle")), _per_step("right"),
    _per_step("middle"),
    *(_case(f"bidirectional_{mode}", _both(mode, "LSTM")) for mode in ("concat", "sum", "mul", "ave")),
    *(_case(f"bidirectional_sequences_{mode}", _both(mode, "GRU", return_sequences=True), after=_flat)
      for mode in ("concat", "sum")),
    *(_case(f"bidirectional_masked_{way}", _both("concat", "LSTM", return_sequences=True), masked=True, x=MASKED[way],
            after=_read) for way in ("right", "middle")),
    _case("cells", lambda k: k.layers.RNN([k.layers.LSTMCell(3), k.layers.GRUCell(4), k.layers.SimpleRNNCell(2)])),
    _case("cells_masked", lambda k: k.layers.RNN([k.layers.GRUCell(3), k.layers.LSTMCell(2)], return_sequences=True),
          masked=True, x=MASKED["middle"], after=_read),
    _case("zero_output", lambda k: k.layers.RNN(k.layers.GRUCell(3), return_sequences=True, zero_output_for_mask=True),
          masked=True, x=MASKED["middle"], after=_read),
    _case("stack", lambda k: k.layers.LSTM(3, return_sequences=True), after=lambda k: [k.layers.GRU(4)]),
    _case("along_time", lambda k: k.layers.TimeDistributed(k.layers.Dense(3, activation="tanh")), after=_flat),
    Case("recurrent_encoder_decoder", _encoder_decoder, lambda k: dict(), x=SERIES, rtol=5e-5, atol=5e-6),
    Case("recurrent_states_out", _states_out, lambda k: dict(), x=SERIES, rtol=5e-5, atol=5e-6),
    Case("recurrent_state_given_and_masked", _state_given_and_masked, lambda k: dict(), x=MASKED["left"], rtol=5e-5,
         atol=5e-6),
]
