"""summary() of stand-in models, against tables written by hand."""

import io
import math
import sys

import numpy as np
import pytest

from fastnn.errors import NotBuiltError
from fastnn.models.summary import lines, memory, summary


class Weight:
    def __init__(self, *shape, dtype="float32"):
        self.shape, self.dtype = shape, dtype


class Layer:
    """As much of a layer as summary() sees."""

    def __init__(self, name, shape, weights=(), trainable=True, arithmetic=None, note=None):
        self.name, self.output_shape, self.weights, self.trainable = name, shape, list(weights), trainable
        if arithmetic is not None:
            self.count_arithmetic = lambda: arithmetic
        if note is not None:
            self.summary_note = lambda: note

    def count_params(self):
        return sum(math.prod(w.shape) for w in self.weights)


class Dense(Layer):
    pass


class LeakyReLU(Layer):
    pass


class Unbuilt(Layer):
    def count_params(self):
        raise NotBuiltError("no shape")


class Model(Layer):
    """As much of a model as summary() sees."""

    def __init__(self, layers, name="sequential", optimizer=None, sources=None):
        super().__init__(name, (None, 1))
        self.layers, self.optimizer = layers, optimizer
        if sources is not None:
            self.connections = lambda layer: sources.get(layer.name, [])

    def count_params(self):
        return sum(layer.count_params() for layer in self.layers)

    @property
    def trainable_weights(self):
        return [w for layer in self.layers if layer.trainable for w in layer.weights]

    @property
    def non_trainable_weights(self):
        return [w for layer in self.layers if not layer.trainable for w in layer.weights]


def example(**kwargs):
    return Model([Dense("dense", (None, 16), [Weight(30, 16), Weight(16)], arithmetic="30·16 + 16"),
                  LeakyReLU("leaky_re_lu", (None, 16), note="negative_slope=0.3"),
                  Dense("dense_1", (None, 1), [Weight(16, 1), Weight(1)], trainable=False, arithmetic="16·1 + 1")],
                 **kwargs)


TABLE = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)                                ┃ Output Shape ┃ Param #          ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━┩
│ dense (Dense)                               │ (None, 16)   │ 496 = 30·16 + 16 │
├─────────────────────────────────────────────┼──────────────┼──────────────────┤
│ leaky_re_lu (LeakyReLU, negative_slope=0.3) │ (None, 16)   │                0 │
├─────────────────────────────────────────────┼──────────────┼──────────────────┤
│ dense_1 (Dense)                             │ (None, 1)    │    17 = 16·1 + 1 │
└─────────────────────────────────────────────┴──────────────┴──────────────────┘
 Total params: 513 (2.00 KB)
 Trainable params: 496 (1.94 KB)
 Non-trainable params: 17 (68.00 B)
"""


def test_the_table(capsys):
    summary(example())
    assert capsys.readouterr().out == TABLE


def test_print_fn_gets_the_lines_one_by_one():
    got = []
    summary(example(), print_fn=got.append)
    assert "\n".join(got) + "\n" == TABLE


def test_ascii_terminals(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    summary(example())
    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")
    assert "+======" in text and "| dense (Dense)" in text and "496 = 30*16 + 16" in text
    assert len(text.splitlines()) == len(TABLE.splitlines())


def test_optimizer_slots_are_a_line_of_their_own_and_never_in_the_total():
    optimizer = type("Adam", (), {})()
    optimizer.variables = []
    assert not any("Optimizer" in line for line in lines(example(optimizer=optimizer)))
    optimizer.variables = [Weight(dtype="int64"), Weight(), Weight(30, 16), Weight(30, 16)]
    with_slots = lines(example(optimizer=optimizer))
    assert with_slots[-1] == " Optimizer params: 962 (3.76 KB)"
    assert with_slots[-4] == " Total params: 513 (2.00 KB)"


def test_layers_without_shapes():
    text = "\n".join(lines(Model([Unbuilt("dense", None), Dense("pair", [(None, 4), (None, 2)]),
                                  Dense("one", [(None, 4)])])))
    assert "│ dense (Unbuilt) │ ?                      │ 0 (unbuilt) │" in text
    assert "[(None, 4), (None, 2)]" in text and "│ (None, 4)  " in text
    assert " Total params: 0 (0.00 B)" in text


def test_a_model_without_layers():
    assert lines(Model([]))[0] == 'Model: "sequential"' and lines(Model([]))[-1] == " Non-trainable params: 0 (0.00 B)"


def test_shared_weights_count_once():
    weight = Weight(4, 4)
    model = Model([Dense("a", (None, 4), [weight]), Dense("b", (None, 4), [weight])])
    assert " Total params: 16 (64.00 B)" in lines(model)


def test_what_feeds_what_is_shown_when_it_is_not_a_chain():
    model = Model([Dense("a", (None, 4)), Dense("b", (None, 4)), Dense("add", (None, 4))],
                  sources={"b": ["a"], "add": ["a", "b"]})
    text = lines(model)
    assert "Connected to" in text[2]
    assert [line.split("│")[4].strip() for line in text if line.startswith("│")] == ["-", "a", "a,", "b"]
    assert "Connected" not in lines(Model([Dense("a", (None, 4))], sources={}))[2]


def test_trainable_column():
    text = lines(example(), show_trainable=True)
    assert [line.split("│")[4].strip() for line in text if line.startswith("│")] == ["Y", "-", "N"]


def test_inner_models():
    inner = Model([Dense("inside", (None, 2), [Weight(2, 2)])], name="inner")
    outer = Model([inner, Dense("last", (None, 1))], name="outer")
    assert not any("inside" in line for line in lines(outer))
    text = lines(outer, expand_nested=True)
    assert "│    └ inside (Dense) │" in text[6]
    assert len(text) == len(lines(outer)) + 2


def test_layer_range():
    def names(*layer_range):
        return [line.split()[1] for line in lines(example(), layer_range=layer_range) if line.startswith("│")]

    assert names("leaky_re_lu", "dense_1") == ["leaky_re_lu", "dense_1"]
    assert names("dense_1", "leaky_re_lu") == ["leaky_re_lu", "dense_1"]
    assert names("leaky", "leaky") == ["leaky_re_lu"]
    assert names("dense", "dense_1") == ["dense", "leaky_re_lu", "dense_1"]
    for wrong in (("dense",), "dense", ("dense", 3)):
        with pytest.raises(ValueError, match="layer_range"):
            lines(example(), layer_range=wrong)
    with pytest.raises(ValueError, match="'conv', which matches no layer; there are dense, leaky_re_lu, dense_1"):
        lines(example(), layer_range=("conv", "dense"))


@pytest.mark.parametrize("length", [40, 60, 88, 120])
def test_line_length(length):
    table = [line for line in lines(example(), line_length=length) if line[0] in "┏┃┡│├└"]
    assert {len(line) for line in table} == {length}
    cells = [[part.strip() for part in line.split("│")[1:-1]] for line in table if line[0] == "│"]
    whole = "".join("".join(column) for column in zip(*cells)).replace(" ", "")      # however it was wrapped
    for text in ("leaky_re_lu(LeakyReLU,negative_slope=0.3)", "(None,16)", "17=16·1+1"):
        assert text in whole


def test_positions():
    for positions in ([0.5, 0.75, 1.0], [40, 60, 80]):
        table = lines(example(), line_length=80, positions=positions)
        assert len(table[1]) == 80 and table[1].index("┳") == 39
    with pytest.raises(ValueError, match="3, one per column"):
        lines(example(), positions=[0.5, 1.0])
    with pytest.raises(ValueError, match="larger line_length"):
        lines(example(), line_length=80, positions=[0.98, 0.99, 1.0])
    with pytest.raises(ValueError, match="larger line_length"):
        lines(example(), line_length=12)


def test_a_narrow_terminal_wraps(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    summary(example())
    assert max(map(len, capsys.readouterr().out.splitlines())) == 60


def test_control_characters_in_names_are_escaped():
    text = "\n".join(lines(Model([Dense("a\x1b[31m", (None, 1))], name="m\x07")))
    assert "\x1b" not in text and "\x07" not in text and r"a\x1b[31m" in text


@pytest.mark.parametrize("size, text", [(0, "0.00 B"), (1023, "1023.00 B"), (2564, "2.50 KB"), (1024 ** 2, "1.00 MB"),
                                        (1024 ** 6, "1024.00 PB")])
def test_memory(size, text):
    assert memory(size) == text


def test_half_precision_counts_two_bytes():
    model = Model([Dense("a", (None, 4), [Weight(np.int64(4), dtype=np.float16)])])
    assert lines(model)[-3] == " Total params: 4 (8.00 B)"
