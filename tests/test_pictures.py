"""Pictures of the inside: neurons and weights, layers and what they answer, gradients, predictions, attention."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential, datasets, layers, optimizers, plotting
from fastnn.errors import NotBuiltError, ShapeError
from tests.test_plotting import is_picture, texts

RNG = np.random.default_rng(3)


def convolution() -> Sequential:
    fastnn.random.set_seed(2)
    return Sequential([Input((8, 8, 1)), layers.Conv2D(5, 3, activation="relu"), layers.Flatten(), layers.Dropout(0.5),
                       layers.Dense(6, activation="relu"), layers.Dense(3, activation="softmax")])


def recurrent() -> Sequential:
    return Sequential([Input((7, 4)), layers.LSTM(5, return_sequences=True), layers.GRU(3), layers.Dense(1)])


def attention() -> Any:
    words = Input((6,), dtype="int32")
    x = layers.Embedding(9, 8)(words)
    x = layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 4)(x, x))
    return Model(words, layers.Dense(3, activation="softmax")(x))


def dense() -> Sequential:
    return Sequential([Input((2,)), layers.Dense(3, activation="tanh"), layers.Dense(1, activation="sigmoid")])


def test_a_neuron_says_its_weights_and_its_sum(tmp_path: Path) -> None:
    figure = plotting.neuron([0.2, 0.1], -0.2, inputs=[1, 1], path=tmp_path / "neuron.svg")
    assert all(word in texts(figure) for word in ("+0.2", "+0.1", "bias -0.2", "Σ\n0.1", "step", "y = 1"))
    assert b"<svg" in (tmp_path / "neuron.svg").read_bytes()
    figure = plotting.neuron(np.array([[0.5], [-1.0]]), activation="sigmoid", names=["width", "height"], inputs=[2, 1])
    assert "y = 0.5" in texts(figure) and "width" in texts(figure)
    for bad, match in (({"inputs": [1]}, "1 inputs for 2 weights"), ({"names": ["a"]}, "1 names for 2 weights")):
        with pytest.raises(ShapeError, match=match):
            plotting.neuron([1, 2], **bad)
    with pytest.raises(ShapeError, match=r"weights is \(2, 2\)"):
        plotting.neuron(np.ones((2, 2)))


def test_a_network_is_drawn_with_its_weights(tmp_path: Path) -> None:
    model = dense()
    figure = plotting.network(model, tmp_path / "network.png")
    (ax,) = figure.axes
    assert is_picture(tmp_path / "network.png") and len(ax.lines) == 9 and len(ax.patches) == 6
    kernel = model.layers[0].kernel.numpy()
    assert all(f"{w:.2g}" in texts(figure) for w in kernel.ravel())
    thick = [line.get_linewidth() for line in ax.lines[:6]]
    assert int(np.argmax(thick)) == int(np.abs(kernel).T.ravel().argmax())
    wide = Sequential([Input((30,)), layers.Dropout(0.1), layers.Dense(16), layers.Dense(1)])
    (ax,) = plotting.network(wide).axes
    assert len(ax.patches) == 9 + 9 + 1 and "30-16-1" in ax.get_title()
    with pytest.raises(TypeError, match=r"is no Dense layer.*utils\.plot_model"):
        plotting.network(convolution())
    with pytest.raises(NotBuiltError, match="no weights yet"):
        plotting.network(Sequential([layers.Dense(2)]))


def test_hidden_space_is_what_the_hidden_layer_gives() -> None:
    x, y = datasets.xor()
    model = Sequential([Input((2,)), layers.Dense(2, activation="tanh"), layers.Dense(1, activation="sigmoid")])
    figure = plotting.hidden_space(model, x, y)
    inputs, hidden = figure.axes
    shown = np.concatenate([part.get_offsets() for part in hidden.collections])
    w, b = (v.numpy() for v in model.layers[0].weights)
    expected = np.tanh(x @ w + b)
    np.testing.assert_allclose(shown, np.concatenate([expected[y.ravel() == k] for k in (0, 1)]), rtol=1e-5)
    assert len(inputs.lines) == 2 and inputs.get_xlabel() == "x1"
    for line, column, offset in zip(inputs.lines, w.T, b):
        (point,) = [np.array(line.get_xy1())]
        assert abs(point @ column + offset) < 1e-5           # on the line where the neuron turns
    for units in (2, 4):        # the dashed line parts what the model answers with more than a half from the rest
        model = Sequential([Input((2,)), layers.Dense(units, activation="tanh"), layers.Dense(1, activation="sigmoid")])
        model.layers[1].bias.assign([0.1])
        answers = model.predict(x, verbose=0).ravel() > 0.5
        hidden = plotting.hidden_space(model, x, answers.astype(int)).axes[1]
        (line,) = hidden.lines
        w = model.layers[1].kernel.numpy().ravel()
        for number, part in enumerate(hidden.collections):
            points = np.asarray(part.get_offsets(), np.float64)
            side = points @ w + 0.1 if units == 2 else points[:, 0] - line.get_xdata()[0]
            assert ((side > 0) == (np.unique(answers)[number])).all()
    digits, labels = datasets.digits.load_data()[1]
    figure = plotting.hidden_space(convolution(), digits[..., None] / 16, labels)
    assert "2 of 6 directions" in texts(figure) and len(figure.axes) == 1
    assert plotting.hidden_space(model, x, y, layer=model.layers[1].name).axes
    with pytest.raises(ValueError, match="there is no layer 'dens'"):
        plotting.hidden_space(model, x, y, layer="dens")
    with pytest.raises(ShapeError, match="4 samples and y 3"):
        plotting.hidden_space(model, x, y[:3])


@pytest.mark.parametrize("make, x, panels", [
    (dense, RNG.normal(size=2), 3), (convolution, RNG.random((8, 8, 1)), 4), (recurrent, RNG.normal(size=(1, 7, 4)), 4),
    (attention, np.arange(6), 5)])
def test_activations_of_the_four_families(make: Any, x: np.ndarray, panels: int, tmp_path: Path) -> None:
    model = make()
    figure = plotting.activations(model, x, tmp_path / "layers.png")
    assert len(figure.axes) == panels and is_picture(tmp_path / "layers.png")
    rank = len(model.inputs[0].shape)
    answer = model.predict(x if x.ndim == rank else x[None], verbose=0)[0]
    heights = [patch.get_height() for patch in figure.axes[-1].patches]
    np.testing.assert_allclose(heights, answer, rtol=1e-5)
    with pytest.raises(ShapeError, match="needs one input"):
        plotting.activations(model, np.zeros((2, *model.inputs[0].shape[1:])))


def test_layers_with_several_outputs_inner_models_and_second_uses_are_shown() -> None:
    sequence = Input((7, 4))
    model = Model(sequence, layers.Dense(1)(layers.LSTM(5, return_state=True)(sequence)[0]))
    assert "lstm (5,)" in texts(plotting.activations(model, np.zeros((7, 4))))
    inner = Sequential([Input((4,)), layers.Dense(3, name="inside")], name="inner")
    figure = plotting.activations(Sequential([Input((4,)), inner, layers.Dense(2)]), np.ones(4))
    assert "inner (3,)" in texts(figure) and len(figure.axes) == 3
    x, twice = Input((4,)), layers.Dense(4, name="twice", activation="relu")
    model = Model(x, layers.Dense(1)(twice(twice(x))))
    assert texts(plotting.activations(model, np.zeros(4))).count("twice (4,)") == 2
    two = Model([x, sequence], layers.Dense(1)(layers.Concatenate()([twice(x), layers.Flatten()(sequence)])))
    with pytest.raises(ShapeError, match="has 2 inputs; needs a model of one"):
        plotting.activations(two, np.zeros(4))
    assert "units answer 0 to all 5 inputs" in texts(plotting.dead_units(two, [np.ones((5, 4)), np.ones((5, 7, 4))]))


def test_lines_are_drawn_where_a_neuron_reads_the_points_themselves() -> None:
    """Not where a layer or an op between changes them: the line would lie elsewhere."""
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([0, 1, 1, 0])

    def lines(first: Any, between: Any) -> list[int]:
        given = Input((2,))
        hidden = layers.Dense(2, activation="tanh", name="hidden")(first(given))
        model = Model(given, layers.Dense(1)(between(hidden)))
        return [len(axes.lines) for axes in plotting.hidden_space(model, x, y, layer="hidden").axes]

    alone = lines(layers.Dropout(0.5), layers.Flatten())
    assert alone[0] == 2 and alone[1] >= 1
    for first in (layers.Normalization(mean=1.0, variance=2.0), lambda t: t + 1.0):
        assert lines(first, layers.Flatten()) == [0, alone[1]]
    for between in (layers.ReLU(), lambda t: t * 2.0):
        assert lines(layers.Dropout(0.5), between) == [2, 0]


def test_hidden_space_is_what_the_last_layer_with_weights_reads() -> None:
    """Also where the activation is a layer of its own; a place is one in model.layers, where the Input is the first."""
    x, y = datasets.xor()
    model = Sequential([Input((2,)), layers.Dense(2), layers.ReLU(), layers.Dropout(0.5), layers.Dense(1)])
    model.layers[0].set_weights([np.ones((2, 2)), np.array([0, -1])])
    hidden = plotting.hidden_space(model, x, y).axes[1]
    shown = np.concatenate([part.get_offsets() for part in hidden.collections])
    expected = np.maximum(x @ np.ones((2, 2)) + [0, -1], 0)
    np.testing.assert_allclose(shown, np.concatenate([expected[y.ravel() == k] for k in (0, 1)]), rtol=1e-5)
    assert len(hidden.lines) == 1       # what the ReLU gives is what the last neuron reads
    before = plotting.hidden_space(model, x, y, layer=0).axes[1]
    assert model.layers[0].name in before.get_title() and not before.lines
    graph = Model(model.inputs, model.outputs)
    assert graph.layers[1].name in plotting.hidden_space(graph, x, y, layer=1).axes[1].get_title()


class Own(Model):
    def __init__(self) -> None:
        super().__init__()
        self.inner = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.inner(x)


def test_layers_of_ones_own_python_are_refused_by_name() -> None:
    model = Own()
    model(np.zeros((1, 3), np.float32))
    with pytest.raises(TypeError, match="activations: Own calls its layers in a Python function"):
        plotting.activations(model, np.zeros(3))
    with pytest.raises(NotBuiltError, match="has no shape yet"):
        plotting.dead_units(Sequential([layers.Dense(2, activation="relu")]), np.zeros((2, 3)))


def test_dead_units_are_those_that_never_answer() -> None:
    model = Sequential([Input((3,)), layers.Dense(4, activation="relu"), layers.ReLU(), layers.Dense(1)])
    kernel, bias = np.ones((3, 4), np.float32), np.zeros(4, np.float32)
    bias[:3] = -100
    model.layers[0].set_weights([kernel, bias])
    figure = plotting.dead_units(model, RNG.random((20, 3)))
    assert "3 of 4" in texts(figure) and "6 of 8 units answer 0 to all 20 inputs" in texts(figure)
    with pytest.raises(ValueError, match="has no ReLU"):
        plotting.dead_units(dense(), np.zeros((2, 2)))


def test_gradient_sizes_are_the_gradients_and_change_nothing() -> None:
    model = Sequential([Input((4,)), layers.Dense(3, activation="sigmoid"), layers.BatchNormalization(),
                        layers.Dense(1)])
    x, y = RNG.random((16, 4)).astype(np.float32), RNG.random((16, 1)).astype(np.float32)
    with pytest.raises(NotBuiltError, match="is not compiled"):
        plotting.gradient_sizes(model, x, y)
    model.compile(optimizers.SGD(1.0), "mse")
    before = model.get_weights()
    figure = plotting.gradient_sizes({"one": model}, x, y)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    model.train_on_batch(x, y)       # a step of rate 1 moves each weight by its gradient
    moved = [np.abs(a - b).mean() for a, b in zip(before, model.get_weights())]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [moved[0], moved[-2]], rtol=1e-3)


def test_predictions_beside_the_truth() -> None:
    figure = plotting.predicted_against_true([1.0, 2.0, 3.0, 4.0], [[1.5], [2.0], [3.0], [3.5]], "m")
    assert "R² 0.900" in texts(figure) and "Errors: 0.25 on average" in texts(figure) and "true (m)" in texts(figure)
    errors = figure.axes[1].collections[0].get_offsets()
    assert errors[:, 1].tolist() == [0.5, 0, 0, -0.5]
    with pytest.raises(ShapeError, match="3 numbers and y_pred 2"):
        plotting.predicted_against_true([1, 2, 3], [1, 2])


def test_probabilities_are_bars_with_their_sum() -> None:
    p = np.array([[0.2, 0.7, 0.1], [0.5, 0.3, 0.2]])
    figure = plotting.probabilities(p, np.zeros((2, 4, 4)), [1, 2], ["ant", "bee", "cat"])
    assert "bee: 70%" in texts(figure) and "ant: 50%, is cat" in texts(figure) and texts(figure).count("sum 1") == 2
    assert [bar.get_height() for bar in figure.axes[2].patches] == [0.2, 0.7, 0.1]
    assert len(plotting.probabilities(p[0]).axes) == 1
    with pytest.raises(ShapeError, match="a name for each class"):
        plotting.probabilities(p, names=["a"])


def test_weight_histograms_share_their_axes() -> None:
    figure = plotting.weight_histogram({"none": [0.5, -1.0, 0.2, 0.3], "L1": [0, 0, 0, 0.9], "net": dense()})
    assert "none: 0% are 0" in texts(figure) and "L1: 75% are 0" in texts(figure)
    assert sum(bar.get_height() for bar in figure.axes[2].patches) == 2 * 3 + 3 * 1
    with pytest.raises(ShapeError, match="no weights"):
        plotting.weight_histogram([])


def test_curve_fits_say_both_errors() -> None:
    x = np.linspace(-1, 1, 9)
    figure = plotting.curve_fits(x, x ** 2, {"flat": lambda v: 0 * v, "right": lambda v: v.astype(float) ** 2},
                                 np.square, (x / 2, x ** 2 / 4))
    assert "right: error 0, unseen 0" in texts(figure) and f"flat: error {np.mean(x ** 4):.2g}" in texts(figure)
    assert plotting.curve_fits(x, x, {"net": Sequential([Input((1,)), layers.Dense(1)])}).axes
    with pytest.raises(ShapeError, match="x has 2 points, y 1"):
        plotting.curve_fits([1, 2], [1], {"a": abs})


def test_losses_and_steps_show_their_functions(tmp_path: Path) -> None:
    figure = plotting.losses(tmp_path / "losses.png")
    stars = [line.get_xdata()[0] for line in figure.axes[2].lines if len(line.get_xdata()) == 1]
    assert stars[0] == pytest.approx(1.0, abs=0.03) and max(stars[1:]) < 0.3       # the mean; the median
    assert is_picture(tmp_path / "losses.png")
    left, right = plotting.step_and_sigmoid().axes
    assert set(left.lines[0].get_ydata()) == {0.0, 1.0}
    assert right.lines[1].get_ydata().max() == pytest.approx(0.25) and not right.lines[0].get_ydata().any()


def test_attention_maps_leave_masked_places_white() -> None:
    scores = np.tril(RNG.random((2, 4, 4)))
    figure = plotting.attention_maps(scores, list("anna"))
    assert "head 1" in texts(figure) and np.isnan(figure.axes[0].images[0].get_array().filled(np.nan)).sum() == 6
    assert [t.get_text() for t in figure.axes[1].get_xticklabels()] == list("anna")
    with pytest.raises(ShapeError, match="got 3 queries"):
        plotting.attention_maps(scores, list("ann"))
    with pytest.raises(ShapeError, match="of one sample"):
        plotting.attention_maps(np.zeros((2, 2, 4, 4)))


def test_filters_and_maps_have_numbers_and_silent_ones_are_named() -> None:
    model = convolution()
    image = RNG.random((8, 8, 1)).astype(np.float32)
    maps = np.array(Model(model.inputs, model.layers[0].output).predict(image[None], verbose=0)[0])
    maps[..., 3] = 0
    figure = plotting.feature_maps(image, maps, model.layers[0].get_weights()[0])
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[1:6] == list("01234") and titles[6:] == ["0", "1", "2", "3: all 0", "4"]
    assert [ax.get_title() for ax in plotting.filters(model.layers[0].get_weights()[0]).axes] == list("01234")


def test_subplots_are_for_other_pictures() -> None:
    figure, (left, right) = plotting.subplots(1, 2, size=(9, 4))
    assert figure.get_size_inches().tolist() == [9, 4]
    plotting.loss_curves({"loss": [1, 0.5]}, ax=left)
    plotting.confusion_matrix([[1, 0], [0, 1]], ax=right)
    assert [ax.get_title() for ax in figure.axes] == ["Loss", "2 of 2 right (100.0%)"]
    with pytest.raises(ValueError, match="subplots: rows"):
        plotting.subplots(0)
