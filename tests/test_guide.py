"""The study guide's own listings, run with fastnn in place of tensorflow, do what the guide's text says.

They are read from ../shared/guide/guide.md where it is there. Listings that build on an earlier one share its names.
"""

import contextlib
import re
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest

import fastnn
from tests.conftest import needs_c

with contextlib.suppress(ImportError):      # here, because these imports change the environment
    import pandas  # noqa: F401
    import sklearn.model_selection
    import sklearn.preprocessing  # noqa: F401

GUIDE = Path(__file__).resolve().parents[2] / "shared" / "guide" / "guide.md"
_TENSORFLOW = types.SimpleNamespace(keras=fastnn)


def listings() -> dict[int, list[str]]:
    """{chapter: its python listings} as they stand in the guide."""
    found: dict[int, list[str]] = {}
    chapter = 0
    for heading, code in re.findall(r"^## \*\*(\d+)\.|^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"),
                                    re.MULTILINE | re.DOTALL):
        if heading:
            chapter = int(heading)
        else:
            found.setdefault(chapter, []).append(code)
    return found


def ported(code: str) -> str:
    """A listing with its import root changed, and nothing else."""
    code = re.sub(r"^import tensorflow as tf$", "", code, flags=re.MULTILINE)
    return re.sub(r"\btensorflow\.keras\b", "fastnn", code)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    """run(chapter, names=…, only=…): execute the chapter's listings in the namespace; gives the namespace."""
    if not GUIDE.is_file():
        pytest.skip(f"{GUIDE} is not there")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    monkeypatch.setattr(plt, "show", lambda *_, **__: None)
    plt.close("all")
    chapters = listings()
    numpy_state = np.random.get_state()     # chapter 7 seeds NumPy's generator

    def execute(chapter: int, names: dict[str, Any] | None = None, only: int | None = None) -> dict[str, Any]:
        names = {"tf": _TENSORFLOW} if names is None else names
        for number, code in enumerate(chapters[chapter]):
            if only in (None, number):
                exec(compile(ported(code), f"guide chapter {chapter}, listing {number}", "exec"), names)
        return names

    yield execute
    np.random.set_state(numpy_state)
    plt.close("all")


def drawn() -> tuple[list[Any], str]:
    """The lines of the current figure, and its title."""
    import matplotlib.pyplot as plt
    return list(plt.gca().get_lines()), plt.gca().get_title()


def test_chapter_2_learns_and(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(2)
    outputs = re.findall(r"Input: \[(\d) (\d)\] -> Output: (\d)", capsys.readouterr().out)
    assert outputs == [("0", "0", "0"), ("0", "1", "0"), ("1", "0", "0"), ("1", "1", "1")]


def test_chapter_2_with_fastnns_perceptron(run: Any) -> None:
    """fastnn.Perceptron has the listing's weights, bit for bit."""
    names = run(2)
    perceptron = fastnn.Perceptron(input_size=2)
    perceptron.train(names["X"], names["y"])
    assert perceptron.weights.tolist() == names["perceptron"].weights.tolist()
    assert [perceptron.predict(x) for x in names["X"]] == [0, 0, 0, 1]


def test_chapters_3_and_5_draw_what_fastnn_computes(run: Any) -> None:
    names = run(3, {"np": np})
    lines, title = drawn()
    assert title == "Sigmoid Activation Function"
    ours = fastnn.activations.sigmoid(names["x"]).numpy()
    np.testing.assert_allclose(lines[-1].get_ydata(), ours, rtol=1e-5, atol=1e-7)
    run(5)
    lines, title = drawn()
    assert title == "Activation Functions"
    assert [line.get_label() for line in lines] == ["Sigmoid", "Tanh", "ReLU", "Leaky ReLU"]
    for line, function in zip(lines, (fastnn.activations.sigmoid, fastnn.activations.tanh, fastnn.activations.relu,
                                      lambda x: fastnn.activations.leaky_relu(x, negative_slope=0.01))):
        np.testing.assert_allclose(line.get_ydata(), function(line.get_xdata()).numpy(), rtol=1e-5, atol=1e-7)


@needs_c
def test_chapter_7_script_and_fastnn_end_at_the_same_numbers(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """10,000 epochs of XOR from the script's own weights. The script steps along half the summed square of 4 samples:
    MSE, their mean, with twice the learning rate takes the same steps. (With 2 hidden units and no biases it does not
    learn XOR; it ends at 0.06, 0.84, 0.84, 0.56.)"""
    names = run(7)
    printed = capsys.readouterr().out
    assert printed.count("-> Prediction: [") == 4
    np.random.seed(1)
    start = [np.random.uniform(-1, 1, shape) for shape in ((2, 2), (2, 1))]
    model = fastnn.Sequential([fastnn.Input((2,)), fastnn.layers.Dense(2, activation="sigmoid", use_bias=False),
                               fastnn.layers.Dense(1, activation="sigmoid", use_bias=False)])
    model.set_weights(start)
    model.compile(optimizer=fastnn.optimizers.SGD(learning_rate=2 * names["learning_rate"]), loss="mse")
    x, y = names["X"], names["y"]
    with fastnn.config.using(backend="c"):
        history = model.fit(x, y, batch_size=4, epochs=10000, shuffle=False, verbose=0).history
        hidden, output = model.get_weights()
        np.testing.assert_allclose(hidden, names["weights_input_hidden"], rtol=0, atol=2e-3)
        np.testing.assert_allclose(output, names["weights_hidden_output"], rtol=0, atol=2e-3)
        np.testing.assert_allclose(model.predict(x), names["final_output"], rtol=0, atol=2e-3)
    np.testing.assert_allclose(names["final_output"][:, 0], [0.06, 0.84, 0.84, 0.56], rtol=0, atol=0.01)
    assert len(history["loss"]) == 10000
    np.testing.assert_allclose(history["loss"][-1], np.mean(names["error"] ** 2), rtol=0, atol=2e-3)


def test_chapters_8_and_9_train_with_three_optimizers(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Chapter 9 uses chapter 8's imports, fits x of rank 1, and compiles one model three times without new weights."""
    names = run(8, {"tf": _TENSORFLOW})
    assert drawn()[1] == "Gradient Descent Optimizers"
    names = run(9, names)
    assert capsys.readouterr().out.splitlines() == [f"{name} optimizer trained model." for name in
                                                    ("SGD", "Adam", "RMSprop")]
    assert names["model"].count_params() == 2
    assert float(names["opt"].iterations.numpy()) == 10


def test_chapter_10_l2(run: Any) -> None:
    """The compiled model trains, and its loss holds 0.01 times the sum of the first kernel's squares."""
    model = run(10)["model"]
    x, y = np.zeros((4, 10), np.float32), np.array([0, 1, 0, 1])
    penalty = 0.01 * float(np.sum(np.square(model.get_weights()[0], dtype=np.float64)))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(np.log(2) + penalty, rel=1e-5)
    assert len(model.fit(x, y, verbose=0).history["loss"]) == 1


def test_chapters_15_and_20_dense(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The summary has the counts of 10-32-16-1, and chapter 20 compiles the same model twice."""
    names = run(15, only=0)
    text = capsys.readouterr().out
    for count in ("352", "528", "17", "Total params: 897"):
        assert re.search(rf"(?<![\d,]){count}(?!\d)", text), text
    run(20, names)
    assert type(names["model"].optimizer).__name__ == "Adam"
    names["model"].fit(np.ones((4, 10)), np.array([0, 1, 1, 1]), verbose=0)


def test_chapter_15_cnn(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """347,146 weights, and it learns one-hot digits."""
    names = run(15, run(15, only=0), only=1)
    assert "Total params: 347,146" in capsys.readouterr().out
    cnn, rng = names["cnn"], np.random.default_rng(0)
    x, y = rng.random((64, 28, 28, 1)), np.eye(10)[rng.integers(0, 10, 64)]
    losses = cnn.fit(x, y, epochs=12, verbose=0).history["loss"]
    assert cnn.count_params() == 347_146 and losses[-1] < 0.8 * losses[0]


def test_chapters_25_and_26_regularization(run: Any) -> None:
    """L1 and L2, dropout, early stopping, and the plot of chapter 26."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 6))
    y = (x[:, 0] + 0.8 * rng.normal(size=96) > 0).astype(int)
    names: dict[str, Any] = {"X_train": x[:64], "y_train": y[:64], "X_val": x[64:], "y_val": y[64:]}
    run(25, names, only=0)
    regularized = names["model"]
    run(25, names, only=1)
    for model in (regularized, names["model"]):
        model.compile(optimizer=fastnn.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
    run(25, names, only=2)
    stopped = names["model"].history
    seen = stopped.history["val_loss"]
    best = int(np.argmin(seen))
    assert len(seen) == min(100, best + 1 + 5), "patience=5: five epochs after the best"
    assert names["model"].evaluate(x[64:], y[64:], verbose=0)[0] == pytest.approx(seen[best], rel=1e-6)
    names["history"] = regularized.fit(x[:64], y[:64], validation_data=(x[64:], y[64:]), epochs=3, verbose=0)
    assert min(names["history"].history["loss"]) > 1, "the penalties of fresh weights are part of the loss"
    run(26, names)
    lines, _ = drawn()
    assert [line.get_label() for line in lines] == ["Training Loss", "Validation Loss"]
    assert all(len(line.get_ydata()) == 3 for line in lines)


def test_chapter_25_augmentation(run: Any) -> None:
    """The generator's batches are images turned by up to 20 degrees, some of them mirrored, and fit takes them."""
    x = np.zeros((64, 9, 9, 1), np.float32)
    x[:, 4, 1:4] = 1        # a bar from the centre to the left
    names = run(25, {"X_train": x, "y_train": np.arange(64) % 2}, only=3)
    images, labels = names["train_generator"][0]
    assert images.shape == (32, 9, 9, 1) and labels.shape == (32,)
    left, right = images[..., :4, 0].sum((1, 2)), images[..., 5:, 0].sum((1, 2))
    assert ((left > 2) != (right > 2)).all() and 4 < (right > 2).sum() < 28
    assert (np.abs(images - images[0]).sum((1, 2, 3)) > 0).sum() >= 31      # no two angles are the same
    model = fastnn.Sequential([fastnn.Input((9, 9, 1)), fastnn.layers.Flatten(), fastnn.layers.Dense(1)])
    model.compile("adam", "mse")
    assert len(model.fit(names["train_generator"], epochs=2, verbose=0).epoch) == 2


def test_chapters_30_32_33_activations(run: Any) -> None:
    """Each draws its function; chapters 32 and 33 use the x of chapter 30."""
    names = run(30)
    for chapter, title, function in (
            (30, "Sigmoid Function", fastnn.activations.sigmoid),
            (32, "ReLU Activation Function", fastnn.activations.relu),
            (33, "Leaky ReLU Activation Function", lambda x: fastnn.activations.leaky_relu(x, negative_slope=0.01))):
        run(chapter, names)
        lines, drawn_title = drawn()
        assert drawn_title == title
        np.testing.assert_allclose(lines[-1].get_ydata(), function(names["x"]).numpy(), rtol=1e-5, atol=1e-7)


def test_chapter_39_gradient_descent(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """0.5 - 0.1·2 = 0.3, by hand and by fastnn's SGD."""
    run(39)
    assert capsys.readouterr().out == "Updated Weight: 0.3\n"
    weight = fastnn.Variable(np.array([0.5], np.float32), name="w")
    gradient = fastnn.Tensor(np.array([2.0], np.float32), "g")
    fastnn.optimizers.SGD(learning_rate=0.1).apply_gradients([(gradient, weight)])
    assert weight.numpy()[0] == pytest.approx(0.3, rel=1e-6)


def test_chapter_41_backpropagation(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """One step on one neuron. The listing drops MSE's factor 2: fastnn takes the step with half the learning rate."""
    names = run(41)
    assert capsys.readouterr().out.startswith("Updated Weights: [")
    model = fastnn.Sequential([fastnn.Input((2,)), fastnn.layers.Dense(1, activation="sigmoid", use_bias=False)])
    model.set_weights([np.array([[0.1], [-0.2]])])
    model.compile(optimizer=fastnn.optimizers.SGD(learning_rate=names["learning_rate"] / 2), loss="mse")
    model.fit(names["x"][None], np.array([names["y_true"]]), verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], names["w"], rtol=1e-6)


def test_chapter_47_builds_on_first_data(run: Any) -> None:
    """A model without an input shape: no weights until it sees data."""
    model = run(47)["model"]
    assert not model.built
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.01)
    model.fit(np.ones((4, 3)), np.array([0, 1, 1, 1]), verbose=0)
    assert [w.shape for w in model.get_weights()] == [(3, 10), (10,), (10, 1), (1,)]


def test_chapters_53_to_55_breast_cancer(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole recipe, from data to predictions, reaches the text's ~95 %; then the loss curve and dropout."""
    pytest.importorskip("pandas")
    pytest.importorskip("sklearn")
    names = run(53)
    accuracy = float(re.findall(r"Test Accuracy: ([\d.]+)%", capsys.readouterr().out)[0])
    assert accuracy >= 95
    history = names["history"].history
    assert list(history) == ["accuracy", "loss", "val_accuracy", "val_loss"] and len(history["loss"]) == 50
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert names["predictions"].shape == (114, 1) and 0 <= names["predictions"].min() <= names["predictions"].max() <= 1
    assert np.mean(names["predicted_classes"][:, 0] == names["y_test"]) * 100 == pytest.approx(accuracy, abs=0.01)
    run(54, names)
    assert [line.get_label() for line in drawn()[0]] == ["Train Loss", "Validation Loss"]
    run(55, names)
