"""What an object says of itself: one short line, never a wall of numbers; in a notebook plain HTML."""

import dataclasses
import pickle
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import (
    Input,
    Model,
    Sequential,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    plotting,
    regularizers,
)
from fastnn.optimizers import schedules

X = np.random.default_rng(0).random((64, 4)).astype("float32")
Y = (X[:, 0] > 0.5).astype(int)


def net() -> Any:
    model = Sequential([Input((4,)), layers.Dense(16, activation="relu"), layers.Dropout(0.2),
                        layers.Dense(1, activation="sigmoid")], name="net")
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def rising(step: Any) -> Any:
    return step * 0.1


class Own(layers.Layer):
    def __init__(self, width: int, *, table: Any = None) -> None:
        super().__init__()
        self.width, self.table = width, table

    def call(self, x: Any) -> Any:
        return x


class Stubborn(layers.Layer):
    def __init__(self, *widths: int) -> None:       # cannot be written down by name
        super().__init__()

    def call(self, x: Any) -> Any:
        return x


SHORT: dict[str, Callable[[], Any]] = {
    "<Dense dense: units=4>": lambda: layers.Dense(4),
    "<Dense out: units=4, activation='relu', use_bias=False>":
        lambda: layers.Dense(4, "relu", use_bias=False, name="out"),
    "<Conv2D conv2d: filters=8, kernel_size=(3, 3), padding='same', kernel_initializer='he_normal', "
    "kernel_regularizer=L2(l2=0.01)>":
        lambda: layers.Conv2D(8, 3, padding="same", kernel_initializer="he_normal", kernel_regularizer="l2"),
    "<LSTM lstm: units=3>": lambda: layers.LSTM(3),
    "<Own own: width=3, table=<array (30, 40)>>": lambda: Own(3, table=np.ones((30, 40))),
    "<Stubborn stubborn>": lambda: Stubborn(3, 4),
    "SGD(learning_rate=0.1, momentum=0.9)": lambda: optimizers.SGD(0.1, momentum=0.9),
    "Adam(learning_rate=0.001)": optimizers.Adam,
    "Adam(learning_rate=ExponentialDecay(initial_learning_rate=0.1, decay_steps=10.0, decay_rate=0.5))":
        lambda: optimizers.Adam(schedules.ExponentialDecay(0.1, 10, 0.5)),
    "Adam(learning_rate='rising')": lambda: optimizers.Adam(rising),
    "EarlyStopping(patience=3)": lambda: callbacks.EarlyStopping(patience=3),
    "EarlyStopping()": callbacks.EarlyStopping,
    "BinaryCrossentropy(from_logits=True)": lambda: losses.BinaryCrossentropy(from_logits=True),
    "Huber(delta=0.5)": lambda: losses.Huber(0.5),
    "Precision(top_k=3)": lambda: metrics.Precision(top_k=3),
    "AUC(name='area')": lambda: metrics.AUC(name="area"),
    "L2(l2=0.01)": regularizers.L2,
    "GlorotUniform()": initializers.GlorotUniform,
    "RandomNormal(stddev=0.1, seed=3)": lambda: initializers.RandomNormal(stddev=0.1, seed=3),
    "<Sequential sequential: 1 layer, not built>": lambda: Sequential([layers.Dense(2)]),
    "<Sequential net: 3 layers, 97 parameters, (None, 4) to (None, 1)>": net,
    "<Bidirectional bidirectional: layer=<GRU forward_gru: units=4>>": lambda: layers.Bidirectional(layers.GRU(4)),
    "<Tokenizer: 0 words>": fastnn.preprocessing.text.Tokenizer,
    "<fastnn.function of rising>": lambda: fastnn.function(rising),
    "SeedGenerator(seed=7)": lambda: fastnn.random.SeedGenerator(7),
}


@pytest.mark.parametrize("text", SHORT)
def test_a_repr_names_what_is_not_the_default(text: str) -> None:
    assert repr(SHORT[text]()) == text


def test_a_repr_says_what_is_so_now() -> None:
    stopping, adam, dense = callbacks.EarlyStopping(patience=3), optimizers.Adam(), layers.Dense(2)
    stopping.patience, adam.learning_rate = 5, 0.5
    dense(X)
    assert repr(stopping) == "EarlyStopping(patience=5)" and repr(adam) == "Adam(learning_rate=0.5)"
    assert repr(dense) == "<Dense dense: units=2, output (None, 2)>"


def test_weights_are_lines_and_print_shows_numbers() -> None:
    model = net()
    for weight in model.weights:
        assert "\n" not in repr(weight) and len(repr(weight)) < 120
        assert weight.name in repr(weight) and str(weight.shape) in repr(weight)
    kernel = model.weights[0]
    low, high = re.search(r"from (\S+) to (\S+),", repr(kernel)).groups()  # type: ignore[union-attr]
    assert (float(low), float(high)) == pytest.approx((kernel.numpy().min(), kernel.numpy().max()), rel=1e-3)
    assert np.array2string(kernel.numpy(), threshold=8, precision=4) in str(kernel)
    assert repr(fastnn.Variable([1.0, 2.0], name="v")) == "Variable('v', shape=(2,), dtype=float32, [1. 2.])"
    assert repr(ops.ones((2,))) == "Tensor(shape=(2,), dtype=float32, [1. 1.])"


class Balanced(HTMLParser):
    """Whether tags close in order; the text between them."""
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        if tag not in ("br", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("br", "polyline"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_models_show_their_summary() -> None:
    page = Balanced(net()._repr_html_())
    for text in ("80 = 4·16 + 16", "dropout (Dropout, rate=0.2)", "(None, 16)", "Total params: 97",
                 "Adam(learning_rate=0.001)", "binary_crossentropy"):
        assert text in page.text
    assert "details" in page.seen and "script" not in page.seen and "style" not in page.seen
    assert "not built" in repr(Sequential([layers.Dense(2)])) and Balanced(Sequential([])._repr_html_()).text


def test_long_and_inner_models_are_folded() -> None:
    deep = Sequential([Input((4,)), *(layers.Dense(4) for _ in range(40))])
    assert "28 more layers" in Balanced(deep._repr_html_()).text
    x = Input((4,))
    whole = Balanced(Model(x, layers.Dense(1)(net()(x)))._repr_html_())
    assert "net: its 3 layers" in whole.text and "Connected to" not in whole.text


def test_histories_and_programs_are_tables() -> None:
    model = net()
    history = model.fit(X, Y, epochs=300, verbose=0, callbacks=[callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(odd=[1, 2]))])
    page = Balanced(history._repr_html_())
    assert "300 epochs" in page.text and page.seen.count("polyline") == 2 and "100 of the epochs" in page.text
    assert page.seen.count("tr") == 1 + 3 + 1 + 100
    assert Balanced(fastnn.callbacks.History()._repr_html_()).text == "History 0 epochs"
    program = model.program()
    page = Balanced(program._repr_html_())
    for section in ("forward: ", "loss: ", "backward: ", "update: "):
        assert section in page.text
    assert page.seen.count("tr") == len(program) + page.seen.count("details")
    assert repr(program) == f"<Program train step of net, batch 32: {len(program)} calls; print() lists them>"


def test_a_profile_is_a_table_wherever_it_is_shown() -> None:
    found = net().profile(X, Y, seconds=0.02)
    assert repr(found) == str(found) and "of peak" in repr(found)
    page = Balanced(found._repr_html_())
    assert page.seen.count("tr") == 1 + len(found.rows) and "adam_step(" in page.text
    row = dataclasses.replace(found.rows[0], share_of_peak=3.9, bound="compute")
    doubtful = dataclasses.replace(found, rows=(row,))
    assert ">150%" in str(doubtful) and Balanced(doubtful._repr_html_()).text.count(">150%") == 2


def test_names_of_files_bring_no_markup() -> None:
    model = Sequential([Input((4,)), layers.Dense(1, name="<b>&x")], name="<script>")
    page = Balanced(model._repr_html_())
    assert "script" not in page.seen and "<b>&x (Dense)" in page.text


def test_figures_are_pictures_for_notebooks() -> None:
    figure = plotting.loss_curves(net().fit(X, Y, epochs=2, verbose=0))
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert pickle.loads(pickle.dumps(figure))._repr_png_()[:4] == b"\x89PNG"
    with pytest.warns(UserWarning, match=r"shows no windows; save the figure: figure\.savefig") as caught:
        figure.show()
    assert caught[0].filename == __file__


def test_show_config_prints_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert fastnn.show_config() is None  # type: ignore[func-returns-value]
    assert capsys.readouterr().out.startswith(f"fastnn {fastnn.__version__}\n  backend ")
