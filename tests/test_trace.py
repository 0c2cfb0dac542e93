"""model.trace: the numbers on the board are the program's own, and nothing has changed afterwards."""

import csv
import html.parser
import io
import itertools
import re
from typing import Any

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import fastnn
from fastnn import layers as L
from fastnn.teaching import Trace
from fastnn.teaching.trace.board import ALL, Fold, Line
from tests.ops import OPS


def rng() -> np.random.Generator:
    """The same numbers for every test, whichever ran before."""
    return np.random.default_rng(7)


def dense() -> Any:
    model = fastnn.Sequential([fastnn.Input((2,)), L.Dense(3, "relu"), L.Dense(2, "tanh"), L.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, rng().normal(size=(6, 2)), rng().integers(0, 2, 6)


def convolution() -> Any:
    model = fastnn.Sequential([fastnn.Input((8, 8, 1)), L.Conv2D(4, 3, activation="relu"), L.BatchNormalization(),
                               L.MaxPooling2D(2), L.Flatten(), L.Dropout(0.3), L.Dense(3, "softmax")])
    model.compile(fastnn.optimizers.SGD(0.1, momentum=0.9, nesterov=True), "sparse_categorical_crossentropy")
    return model, rng().random((6, 8, 8, 1)), rng().integers(0, 3, 6)


def recurrent() -> Any:
    model = fastnn.Sequential([fastnn.Input((5, 2)), L.LSTM(4), L.Dense(1)])
    model.compile("rmsprop", "mse")
    return model, rng().random((6, 5, 2)), rng().random(6)


def attention() -> Any:
    ids = fastnn.Input((6,))
    x = L.Embedding(10, 8)(ids)
    x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))
    model = fastnn.Model(ids, L.Dense(3, "softmax")(L.GlobalAveragePooling1D()(x)))
    model.compile("adam", "categorical_crossentropy")
    return model, rng().integers(0, 10, (6, 6)), np.eye(3)[rng().integers(0, 3, 6)]


FAMILIES = [dense, convolution, recurrent, attention]


def bits(model: Any) -> list[bytes]:
    return [w.tobytes() for w in model.get_weights()]


def lines(items: Any) -> list[Line]:
    return [line for item in items for line in (lines(item.items) if isinstance(item, Fold) else
                                                [item] if isinstance(item, Line) else [])]


def test_chapter_41_of_the_guide(any_backend: str) -> None:
    """w = w + learning_rate·error·y_pred·(1 - y_pred)·x; the error is half of the derivative of its square."""
    model = fastnn.Sequential([fastnn.Input((2,)), L.Dense(1, "sigmoid", use_bias=False)])
    model.set_weights([[[0.1], [-0.2]]])
    model.compile(fastnn.optimizers.SGD(0.05), "mse")
    trace = model.trace([[0.5, 0.8]], [1.0])
    assert np.allclose(trace.weights[0].after.ravel(), [0.1065735, -0.1894824], rtol=0, atol=5e-8)
    text = str(trace)
    for said in ("= 0.1·0.5 + (-0.2)·0.8", "= -0.11", "= 0.4725277", "= 0.1065735", "= -0.1894824", "dL/da·a·(1 - a)",
                 "dL/dŷ = 2·(ŷ - y) = 2·(0.4725 - 1)", "w - lr·g"):
        assert said in text, text


@pytest.mark.parametrize("family", FAMILIES)
def test_the_numbers_are_those_of_the_step(family: Any, any_backend: str) -> None:
    """Bit for bit: of the loss and of the new weights, and what is a float in a line was read or made by a call."""
    fastnn.random.set_seed(3)
    model, x, y = family()
    model.fit(x, y, epochs=1, batch_size=2, verbose=0)
    before = bits(model)
    state = [(t, t.data.copy()) for t in model._steps.state() if t.name != "cursor"]     # of the data, not the model
    trace = model.trace(x, y)
    assert bits(model) == before
    assert all(np.array_equal(copy, t.data) for t, copy in state)
    assert [w.before.tobytes() for w in trace.weights] == [v.data.tobytes() for v in model.trainable_weights]
    loss = model.train_on_batch(x[:2], y[:2])
    assert np.float32(trace.loss) == np.float32(loss if np.isscalar(loss) else loss[0])
    assert [w.after.tobytes() for w in trace.weights] == [v.data.tobytes() for v in model.trainable_weights]
    known = {v for r in trace.records for a in (*r.inputs.values(), *r.outputs.values()) for v in np.ravel(a).tolist()}
    forward = next(s for s in trace.board() if s.title == "forward")
    shown = [line for line in lines(forward.items) if line.left in ("a", "h", "c", "y1", "mean", "i")]
    assert shown and all(np.asarray(line.value).item() in known for line in shown)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_update_column_adds_up_to_the_change(family: Any) -> None:
    model, x, y = family()
    trace = model.trace(x, y, update=True)
    rows = list(csv.DictReader(io.StringIO(trace.to_csv())))
    updates = [np.float32(row["update"]) for row in rows if row["update"]]
    changes = np.concatenate([w.change.ravel() for w in trace.weights])
    assert len(updates) == changes.size and np.array_equal(updates, changes)
    after = np.concatenate([v.data.ravel() for v in model.trainable_weights])
    before = np.concatenate([w.before.ravel() for w in trace.weights])
    assert sum(map(float, updates)) == float(sum(map(float, after - before)))


def test_products_of_a_fused_layer_lead_to_its_output() -> None:
    model, x, y = dense()
    trace = model.trace(x, y, samples=6)
    found = lines(next(s for s in trace.board(ALL) if s.title == "forward").items)
    pairs = [(z, a) for z, a in itertools.pairwise(found) if z.left == "z" and a.left == "a"]
    assert len(pairs) >= 6 * 5
    for z, a in pairs:
        assert a.value == OPS[a.parts[0][:4]](np.reshape(z.value, (1,))).numpy()[0], a
        numbers = z.parts[1].replace("·", "*")
        assert abs(eval(numbers) - z.value) < 2e-3 * max(1, abs(z.value)), z


class Balance(html.parser.HTMLParser):
    """Whether every tag is closed by its like."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("family", FAMILIES)
def test_text_within_the_width_html_that_folds_latex_and_csv(family: Any, monkeypatch: Any, tmp_path: Any) -> None:
    model, x, y = family()
    trace: Trace = model.trace(x, y)
    for columns in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert max(map(len, str(trace).splitlines())) <= columns
    assert "1. the samples" in str(trace) and "5. update" in str(trace) and len(trace.full()) > len(str(trace))
    page = trace._repr_html_()
    balance = Balance()
    balance.feed(page)
    assert not balance.open and page.startswith("<details open") and page.count("<summary>") > 10
    latex = trace.to_latex(tmp_path / "trace.tex")
    assert (tmp_path / "trace.tex").read_text(encoding="utf-8") == latex
    assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}") > 5 and latex.count("{") == latex.count("}")
    assert r"\frac{\partial L}{\partial " in latex and "·" not in latex and "Σ" not in latex
    rows = list(csv.reader(io.StringIO(trace.to_csv(tmp_path / "trace.csv"))))
    assert all(len(row) == len(rows[0]) for row in rows) and rows[0][-1] == "update"
    assert repr(trace).startswith("<Trace of one training step of ")


def test_each_side_of_an_equation_can_be_set() -> None:
    parser = MathTextParser("path")
    for family in FAMILIES:
        model, x, y = family()
        latex = model.trace(x, y, samples=1).to_latex()
        sides = [side.strip() for block in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end", latex, re.S)
                 for side in re.split(r"\\\\|&=", block)]
        kinds = {re.sub(r"[\d.]+", "0", side): side for side in sides if 0 < len(side) < 100}
        for side in list(kinds.values())[:20]:
            parser.parse(f"${side}$")


def test_a_step_that_the_user_wrote_has_its_forward_part() -> None:
    class Own(fastnn.Model):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with fastnn.GradientTape() as tape:
                loss = fastnn.ops.mean(fastnn.ops.square(self(x, training=True) - y))
            gradients = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply(gradients, self.trainable_weights)
            return {"loss": loss}

    inputs = fastnn.Input((3,))
    model = Own(inputs, L.Dense(1)(L.Dense(3, "relu")(inputs)))
    model.compile("adam", "mse")
    trace = model.trace(rng().normal(size=(2, 3)), np.ones((2, 1)))
    assert [section.title for section in trace.board()] == ["the samples", "forward", "backward", "update"]
    assert trace.loss == model.train_on_batch(rng().normal(size=(2, 3)), np.ones((2, 1)))
