"""plot_model: every use of a layer is a box, no arrow goes through one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.patches import FancyBboxPatch

from fastnn import Input, Model, Sequential, layers, ops, plotting, utils
from fastnn.errors import NotBuiltError
from tests.errors import assert_good_error


def branched() -> Any:
    image, numbers = Input((8, 8, 1), name="image"), Input((5,), name="numbers")
    x = layers.MaxPooling2D()(layers.Conv2D(2, 3, activation="relu")(image))
    x = layers.Flatten()(layers.Add()([x, layers.Conv2D(2, 1)(x)]))
    x = layers.Concatenate()([x, layers.Dense(3)(numbers)])
    x = Sequential([Input((x.shape[1],)), layers.Dense(8), layers.Dense(4)], name="inner")(x)
    return Model([image, numbers], [layers.Dense(3, activation="softmax", name="kind")(x), layers.Dense(1)(x)])


def texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def boxes(figure: Any) -> list[Any]:
    return [patch.get_bbox() for patch in figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]


def test_boxes_say_what_was_asked_for(tmp_path: Path) -> None:
    model = branched()
    plain = texts(utils.plot_model(model, None))
    assert sorted(plain) == sorted(["InputLayer", "InputLayer", "Conv2D", "MaxPooling2D", "Conv2D", "Add", "Flatten",
                                    "Dense", "Concatenate", "Sequential", "Dense", "Dense"])
    full = texts(plotting.plot_model(model, tmp_path / "model.svg", show_shapes=True, show_dtype=True,
                                     show_layer_names=True, show_layer_activations=True, show_trainable=True))
    assert "kind (Dense)\nactivation: softmax\n(batch, 3)\nfloat32\ntrainable" in full
    assert (tmp_path / "model.svg").read_text().lstrip().startswith("<?xml")
    assert texts(utils.plot_model(model, None, expand_nested=True)).count("Dense") == 5


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_boxes_do_not_overlap_and_no_arrow_crosses_one(rankdir: str) -> None:
    figure = utils.plot_model(branched(), None, rankdir=rankdir)
    found = boxes(figure)
    for i, a in enumerate(found):
        assert not any(a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1 for b in found[i + 1:])
    for line in figure.axes[0].lines:
        for (x, y), (u, v) in zip(line.get_xydata(), line.get_xydata()[1:]):
            middle = (x + u) / 2, (y + v) / 2
            assert not any(b.x0 < middle[0] < b.x1 and b.y0 < middle[1] < b.y1 for b in found)
    box = figure.axes[0]
    assert all(b.x0 >= 0 and b.x1 <= box.get_xlim()[1] and b.y0 >= 0 and b.y1 <= box.get_ylim()[1] for b in found)


def test_chains_and_shared_layers() -> None:
    chain = Sequential([Input((4,)), layers.Dense(8), layers.Dense(1)])
    assert texts(utils.plot_model(chain, None)) == ["InputLayer", "Dense", "Dense"]
    a, b, shared = Input((4,)), Input((4,)), layers.Dense(2)
    assert texts(utils.plot_model(Model([a, b], shared(a) * shared(b)), None)).count("Dense") == 2, "a box for each use"
    assert_good_error(lambda: utils.plot_model(Sequential([layers.Dense(1)]), None), NotBuiltError, "no shape")


def test_ops_between_layers() -> None:
    """They are boxes with their names, and none of the layers whose outputs are drawn."""
    x = Input((4,))
    model = Model(x, layers.Dense(3, activation="relu", name="last")(ops.tanh(x) * x) + 1.0)
    assert texts(utils.plot_model(model, None)) == ["InputLayer", "tanh", "multiply", "Dense", "add_constant"]
    assert 'label="multiply"' in utils.model_to_dot(model).to_string()
    assert plotting.hidden_space(model, np.eye(4), [0, 1, 0, 1], layer="last").axes
    assert plotting.activations(model, np.eye(4)[:1]).axes
    assert_good_error(lambda: utils.plot_model(layers.Dense(1), None), TypeError, "needs a model")
    assert_good_error(lambda: utils.model_to_dot([model]), TypeError, "needs a model")


def test_a_model_written_in_python_is_one_box() -> None:
    """Its layers side by side are not drawn as a chain."""
    class Sides(Model):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = layers.Dense(2), layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.left(x) + self.right(x)

    model = Sides()
    model(np.ones((2, 3), np.float32))
    figure = utils.plot_model(model, None)
    assert texts(figure) == ["Sides"] and not figure.axes[0].lines


def test_directions_are_named() -> None:
    chain = Sequential([Input((4,)), layers.Dense(1)])
    assert_good_error(lambda: utils.plot_model(chain, None, rankdir="UP"), ValueError, "rankdir", "TB")
