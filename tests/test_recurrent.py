"""Recurrent layers: states, masks, directions, own cells, dropout, wrong input. Keras' numbers: test_keras_parity."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Model, Sequential, layers, ops
from fastnn.engine import threads
from fastnn.errors import ShapeError
from tests.errors import assert_good_error
from tests.golden import sequence_options, sequences, store
from tests.golden.common import wave
from tests.golden.direct import close

KINDS = ("SimpleRNN", "LSTM", "GRU")
X = wave(6, 5, 4)


def made(kind: str, **options: Any) -> Any:
    fastnn.random.set_seed(3)
    layer = getattr(layers, kind)(3, **options)
    layer(X)
    return layer


@pytest.mark.parametrize("kind", KINDS)
def test_one_call_gives_what_the_cell_gives_step_by_step(kind: str, any_backend: str) -> None:
    layer = made(kind, return_sequences=True)
    states, outputs = layer.get_initial_state(6), []
    for t in range(5):
        output, states = layer.cell(X[:, t], states)
        outputs.append(np.asarray(output))
    np.testing.assert_allclose(np.asarray(layer(X)), np.stack(outputs, axis=1), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_states_go_out_and_come_in(kind: str) -> None:
    """Two halves, the second from the states of the first, are the whole."""
    layer = made(kind, return_sequences=True, return_state=True)
    whole, *last = layer(X)
    first, *between = layer(X[:, :2])
    second, *end = layer(X[:, 2:], initial_state=between)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), np.asarray(whole), rtol=1e-6, atol=1e-6)
    for a, b in zip(end, last, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-6, atol=1e-6)
    assert len(last) == (2 if kind == "LSTM" else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_stateful_layers_go_on_where_the_last_batch_ended(kind: str) -> None:
    plain, layer = made(kind), made(kind, stateful=True)
    layer.reset_states()
    layer(X[:, :2])
    np.testing.assert_allclose(np.asarray(layer(X[:, 2:])), np.asarray(plain(X)), rtol=1e-6, atol=1e-6)
    assert_good_error(lambda: layer(X[:4]), ShapeError, "batch of 4", "6 sequences", "reset_states")
    layer.reset_states()
    np.testing.assert_allclose(np.asarray(layer(X)), np.asarray(plain(X)), rtol=1e-6, atol=1e-6)


def test_stateful_layers_go_on_in_fit_and_predict() -> None:
    """States are state of the program: the recorded steps hand them on, too."""
    model = Sequential([layers.Input((5, 4)), layers.GRU(3, stateful=True), layers.Dense(1)])
    model.compile("sgd", "mse")
    layer = model.layers[-2]
    model.fit(X, X[:, 0, :1], batch_size=6, epochs=3, shuffle=False, verbose=0)
    after = np.asarray(layer.states[0])
    first = model.predict(X, batch_size=6, verbose=0)
    assert not np.array_equal(after, np.asarray(layer.states[0]))
    layer.reset_states()
    assert not np.allclose(model.predict(X, batch_size=6, verbose=0), first, atol=1e-6)


@pytest.mark.parametrize(("topic", "name"), [
    (topic, name) for topic in (sequences, sequence_options) for name in topic.VALUES])
def test_stateful_layers_give_keras_numbers(topic: Any, name: str, any_backend: str) -> None:
    """Losses of three epochs; what predict gives after them, and once the states are forgotten."""
    golden = store.read(topic.__name__.rpartition(".")[2])
    close(topic.VALUES[name](fastnn), golden["values"][name], 1e-4, 1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"activation": "softsign"}])
def test_gradients_of_a_stateful_layer_begin_with_the_states_of_before(kind: str, options: dict[str, Any]) -> None:
    """Those of the same steps from states that are given; states are no weights, as in Keras."""
    layer, plain = made(kind, stateful=True, **options), made(kind, **options)
    before = [np.asarray(state).copy() for state in layer.states]
    assert len(layer.weights) == len(plain.weights) == 3
    with fastnn.GradientTape(persistent=True) as tape:
        one, other = ops.sum(layer(X) ** 2), ops.sum(plain(X, initial_state=before) ** 2)
    for a, b in zip(tape.gradient(one, layer.weights), tape.gradient(other, plain.weights), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_that_are_masked_might_not_be_there(kind: str) -> None:
    layer = made(kind)
    kept = np.array([True, False, True, True, False])
    mask = np.tile(kept, (6, 1))
    np.testing.assert_allclose(np.asarray(layer(X, mask=ops.convert_to_tensor(mask, "bool"))),
                               np.asarray(layer(X[:, kept])), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_backwards_is_forwards_on_what_is_turned_round(kind: str) -> None:
    forwards, backwards = made(kind, return_sequences=True), made(kind, return_sequences=True, go_backwards=True)
    np.testing.assert_array_equal(np.asarray(backwards(X)), np.asarray(forwards(X[:, ::-1].copy())))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dropout", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
def test_dropout_drops_in_training_only_and_alike_at_every_step(kind: str, dropout: dict[str, float]) -> None:
    layer = made(kind, return_sequences=True, **dropout)
    calm = np.asarray(layer(X))
    np.testing.assert_allclose(calm, np.asarray(made(kind, return_sequences=True)(X)), rtol=1e-6, atol=1e-6)
    wild = [np.asarray(layer(X, training=True)) for _ in range(3)]
    assert not np.allclose(wild[0], calm) and not np.allclose(wild[0], wild[1])
    if "dropout" in dropout:        # with inputs that are 1 throughout, equal masks give equal steps but for the state
        only = getattr(layers, kind)(3, dropout=0.5, return_sequences=True, recurrent_initializer="zeros",
                                     use_bias=False)
        y = np.asarray(only(np.ones((4, 3, 8), np.float32), training=True))
        if kind == "SimpleRNN":
            np.testing.assert_array_equal(y[:, 0], y[:, 2])


@pytest.mark.parametrize("dropout", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
def test_convolutions_in_time_drop_in_training_only_and_alike_at_every_step(dropout: dict[str, float]) -> None:
    """Both were taken and dropped nothing. A gate's part is what its kernel gives of what its mask leaves."""
    layer = layers.ConvLSTM2D(2, 3, padding="same", seed=3, return_sequences=True, **dropout)
    x = wave(2, 3, 4, 5, 1)
    calm = np.asarray(layer(x))
    np.testing.assert_array_equal(calm, np.asarray(layer(x, training=False)))
    assert np.abs(np.asarray(layer(x, training=True)) - calm).max() > 1e-3
    cell, ones = layer.cell, ops.ones((2, 4, 5, 2))
    drop = cell.drop_inputs if "dropout" in dropout else cell.drop_state
    cell.begin_sequence()
    first, again, other = (np.asarray(drop(ones, True, gate)) for gate in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(np.unique(first)) == {0, 2} and not np.array_equal(first, other)
    parts = cell.products(ones[..., :1], ones, True)["recurrent_dropout" in dropout]
    kernel = cell.kernel if "dropout" in dropout else cell.recurrent_kernel
    for gate, part in enumerate(parts):
        of = np.asarray(drop(ones[..., :kernel.shape[2]], True, gate))
        wanted = ops.conv(of, ops.split(kernel, 4, axis=-1)[gate], strides=1, padding="same")
        np.testing.assert_allclose(np.asarray(part), np.asarray(wanted), rtol=1e-6, atol=1e-6)
    cell.end_sequence()


@pytest.mark.parametrize("kind", [*KINDS, "ConvLSTM1D"])
def test_what_is_set_on_a_layer_is_set_on_its_cell(kind: str) -> None:
    """layer.dropout = … stayed on the layer, where nobody looked: training went on as before."""
    size = (2, 2) if kind == "ConvLSTM1D" else (3,)
    x = wave(6, 3, 5, 2) if kind == "ConvLSTM1D" else X
    layer = getattr(layers, kind)(*size)
    model = Sequential([layer, layers.Flatten(), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.fit(x, np.zeros((6, 1)), epochs=2, verbose=0)
    np.testing.assert_array_equal(np.asarray(model(x)), np.asarray(model(x, training=True)))
    model.optimizer.learning_rate = 0.0
    losses = [model.train_on_batch(x, np.zeros((6, 1))) for _ in range(2)]
    layer.dropout = 0.5
    assert layer.cell.dropout == 0.5 == layer.get_config()["dropout"]
    losses += [model.train_on_batch(x, np.zeros((6, 1))) for _ in range(2)]
    assert losses[0] == losses[1] and len(set(map(float, losses))) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_for_any_number_of_threads(kind: str) -> None:
    hashes = set()
    asked = threads.wanted()
    try:
        for count in (1, 2, 3):
            threads.set_num_threads(count)
            fastnn.random.set_seed(1)
            model = Sequential([layers.Input((9, 4)), layers.Masking(),
                                layers.Bidirectional(getattr(layers, kind)(40, dropout=0.3)), layers.Dense(2)])
            model.compile("adam", "mse")
            x = wave(64, 9, 4)
            x[::3, 4:] = 0
            model.fit(x, x[:, 0, :2], batch_size=32, epochs=2, verbose=0)
            hashes.add(b"".join(w.tobytes() for w in model.get_weights()))
    finally:
        threads.restore(asked)
    assert len(hashes) == 1


class Counter(layers.Layer):
    """An own cell: adds its input to its state."""
    state_size = 4
    output_size = 4

    def call(self, inputs: Any, states: Any) -> Any:
        total = ops.add(states[0], inputs)
        return total, [total]


def test_own_cells_and_cells_on_top_of_each_other() -> None:
    layer = layers.RNN(Counter(), return_sequences=True)
    np.testing.assert_allclose(np.asarray(layer(X)), X.cumsum(axis=1), rtol=1e-5, atol=1e-6)
    stack = layers.RNN([Counter(), layers.LSTMCell(3)])
    model = Sequential([layers.Input((5, 4)), stack, layers.Dense(1)])
    model.compile("adam", "mse")
    losses = model.fit(X, X[:, 0, :1], epochs=30, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and len(stack.trainable_weights) == 3


def test_bidirectional_is_two_layers() -> None:
    for mode, merge in (("sum", np.add), ("mul", np.multiply), ("ave", lambda a, b: (a + b) / 2),
                        ("concat", lambda a, b: np.concatenate([a, b], axis=-1))):
        both = layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode=mode)
        y = np.asarray(both(X))
        forward, backward = np.asarray(both.forward_layer(X)), np.asarray(both.backward_layer(X))[:, ::-1]
        np.testing.assert_allclose(y, merge(forward, backward), rtol=1e-6, atol=1e-6)
    y, z = layers.Bidirectional(layers.LSTM(3), merge_mode=None)(X)
    assert y.shape == z.shape == (6, 3)
    assert_good_error(lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="cat"), ValueError, "merge_mode",
                      "concat")
    assert_good_error(lambda: layers.Bidirectional(3), TypeError, "layers.LSTM(8)")


def test_time_distributed_takes_each_step_for_itself() -> None:
    layer = layers.TimeDistributed(layers.Dense(2))
    x = wave(3, 4, 5)
    y = np.asarray(layer(x))
    assert y.shape == (3, 4, 2)
    np.testing.assert_allclose(y[:, 2], np.asarray(layer.layer(x[:, 2])), rtol=1e-6)
    images = layers.TimeDistributed(layers.Conv2D(3, 2))
    assert np.asarray(images(wave(2, 4, 5, 5, 1))).shape == (2, 4, 4, 4, 3)


@pytest.mark.parametrize("kind", ["LSTM", "Bidirectional"])
def test_time_distributed_hands_masks_of_words_to_the_layer_inside(kind: str) -> None:
    """Sentences of words: the padding of each counted as words, in silence."""
    ids = np.array([[[1, 2, 0, 0], [3, 0, 0, 0]], [[4, 4, 4, 1], [2, 1, 0, 0]]])
    words, layer = layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2)
    layer = layer if kind == "LSTM" else layers.Bidirectional(layer)
    each = [np.asarray(layer(words(ids[:, t]))) for t in range(2)]
    wrapped = layers.TimeDistributed(layer)
    np.testing.assert_allclose(np.asarray(wrapped(words(ids))), np.stack(each, axis=1), rtol=1e-6, atol=1e-6)
    inputs = fastnn.Input((2, 4), dtype="int32")
    model = Model(inputs, wrapped(words(inputs)))
    np.testing.assert_allclose(model.predict(ids, verbose=0), np.stack(each, axis=1), rtol=1e-6, atol=1e-6)


def test_time_distributed_hands_masks_of_steps_to_a_layer_of_rows() -> None:
    x, counts = wave(4, 3, 2), np.array([[1, 1, 0]] * 4, bool)
    inside = layers.BatchNormalization(momentum=0.0)
    layers.TimeDistributed(inside)(x, mask=counts, training=True)
    np.testing.assert_allclose(np.asarray(inside.moving_mean), x[:, :2].mean(axis=(0, 1)), rtol=1e-5, atol=1e-6)
    images = wave(4, 3, 5, 2)       # there, which steps count says nothing of what is inside of one
    layer = layers.TimeDistributed(layers.LSTM(2))
    np.testing.assert_array_equal(np.asarray(layer(images, mask=counts)), np.asarray(layer(images)))


def test_any_length_of_sequence_goes_through_one_model() -> None:
    model = Sequential([layers.Input((None, 4)), layers.LSTM(3), layers.Dense(1)])
    assert model.output_shape == (None, 1)
    model.compile("adam", "mse")
    for length in (3, 7, 3):
        x = wave(6, length, 4)
        model.train_on_batch(x, x[:, 0, :1])
        assert model.predict(x, verbose=0).shape == (6, 1)


# ---- wrong input -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KINDS)
def test_wrong_shapes_are_refused(kind: str) -> None:
    layer = made(kind)
    assert_good_error(lambda: getattr(layers, kind)(3)(X[:, 0]), ShapeError, "(batch, time, features)")
    assert_good_error(lambda: layer(X[:, :0]), ShapeError, "at least one step")
    states = [np.zeros((6, 2), np.float32)] * len(layer.state_size)
    assert_good_error(lambda: layer(X, initial_state=states), ShapeError, "initial states", "(6, 3)")
    assert_good_error(lambda: layer(X, mask=np.ones((6, 4), bool)), ShapeError, "mask", "(6, 5)")
    assert_good_error(lambda: getattr(layers, kind)(0), ValueError, "units")
    assert_good_error(lambda: getattr(layers, kind)(3, dropout=1.5), ValueError, "dropout")
    assert_good_error(lambda: layers.RNN(layers.Dense(3)), ValueError, "state_size")


def test_functional_models_hand_states_from_layer_to_layer() -> None:
    x = layers.Input((5, 4))
    y, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(x)
    z = layers.LSTM(3)(y, initial_state=[h, c])
    model = Model(x, layers.Dense(1)(z))
    model.compile("adam", "mse")
    losses = model.fit(X, X[:, 0, :1], epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
