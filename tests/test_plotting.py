"""Pictures: what they hold, and that they are drawn without pyplot."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_hex

from fastnn import Input, Perceptron, Sequential, datasets, layers, plotting
from fastnn.errors import LabelError, ShapeError
from fastnn.plotting._figure import COLOURS, tint
from fastnn.reporting.history import History

LOGS = {"loss": [1.0, 0.5, 0.4], "val_loss": [1.1, 0.6, 0.7], "accuracy": [0.5, 0.8, 0.9],
        "val_accuracy": [0.4, 0.7, 0.8]}


def is_picture(path: Path) -> bool:
    """Whether it is a PNG of a sensible size with something on it."""
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    image = matplotlib.image.imread(path)
    height, width = image.shape[:2]
    return 200 <= height <= 3000 and 200 <= width <= 3000 and len(np.unique(image)) > 10


def texts(figure: Any) -> str:
    found = []
    for ax in figure.axes:
        legend = ax.get_legend().get_texts() if ax.get_legend() else []
        found += [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts, *legend]
    return " ".join(text.get_text() for text in found)


def test_matplotlib_is_imported_late_and_pyplot_never() -> None:
    code = ("import sys, fastnn.plotting as p; assert 'matplotlib' not in sys.modules; p.loss_curves({'loss': [1, 2]});"
            "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_loss_curves_have_a_panel_for_each_quantity(tmp_path: Path) -> None:
    figure = plotting.loss_curves(LOGS, tmp_path / "curves.png")
    assert [ax.get_title() for ax in figure.axes] == ["Loss", "Accuracy"]
    assert "training" in texts(figure) and "validation" in texts(figure) and "lowest: 0.6, epoch 2" in texts(figure)
    assert is_picture(tmp_path / "curves.png")


def test_loss_curves_of_a_history_with_gaps() -> None:
    history = History()
    for epoch in range(4):
        history.append(epoch, {"loss": 1.0 / (epoch + 1), **({"val_loss": 0.5} if epoch % 2 else {})})
    (ax,) = plotting.loss_curves(history).axes
    assert [line.get_xdata().tolist() for line in ax.lines] == [[1, 2, 3, 4], [2, 4]]


def test_loss_curves_into_given_axes() -> None:
    from matplotlib.figure import Figure
    ax = Figure().add_subplot()
    assert plotting.loss_curves(LOGS, ax=ax) is ax.figure and ax.get_title() == "Loss"


def test_loss_curves_mark_where_a_run_was_lost() -> None:
    nan = float("nan")
    figure = plotting.loss_curves({"sgd": {"loss": [1.0, 9.0, nan, np.inf]}, "adam": {"loss": [1.0, 0.5, 0.4, 0.3]}})
    (ax,) = figure.axes
    assert "sgd: no finite number from epoch 3 on" in texts(figure) and "adam: no" not in texts(figure)
    assert [patch.get_x() for patch in ax.patches] == [2.5]
    assert "no finite number from epoch 1 on" in texts(plotting.loss_curves({"loss": [nan, nan]}))


def test_loss_curves_refuses_what_is_no_history() -> None:
    with pytest.raises(TypeError, match="needs the History"):
        plotting.loss_curves([1, 2])
    with pytest.raises(ValueError, match="holds no numbers"):
        plotting.loss_curves(History())


@pytest.mark.parametrize("outputs, activation", [(1, "sigmoid"), (3, "softmax")])
def test_decision_boundary_of_networks(outputs: int, activation: str, tmp_path: Path) -> None:
    x, y = datasets.spirals(60, classes=max(outputs, 2))
    model = Sequential([Input((2,)), layers.Dense(outputs, activation=activation)])
    figure = plotting.decision_boundary(model, x, y, tmp_path / "regions.png")
    assert "class 0" in texts(figure) and "class 1" in texts(figure) and is_picture(tmp_path / "regions.png")


class Halves:
    """Class 0 on the left, class 2 on the right, class 1 nowhere."""

    def predict(self, points: np.ndarray) -> np.ndarray:
        return np.eye(3)[np.where(points[:, 0] < 0, 0, 2)]


def test_areas_show_no_class_that_is_not_there() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    figure = plotting.decision_boundary(Halves(), [[-1, -1], [1, 1]], [0, 2])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    found = {tuple(colour) for colour in np.asarray(canvas.buffer_rgba())[..., :3].reshape(-1, 3).tolist()}
    areas = [tuple(int(tint(colour)[i:i + 2], 16) for i in (1, 3, 5)) for colour in COLOURS[:3]]
    assert areas[0] in found and areas[2] in found and areas[1] not in found
    points = [collection.get_facecolor()[0][:3] for collection in figure.axes[0].collections]
    assert [to_hex(colour).upper() for colour in points] == [COLOURS[0].upper(), COLOURS[2].upper()]


def test_decision_boundary_of_a_perceptron_that_always_says_one() -> None:
    perceptron = Perceptron(input_size=2)      # weights 0: no line to draw, and no warning
    assert plotting.decision_boundary(perceptron, [[0, 0], [1, 1]], [0, 1]).axes
    with pytest.raises(ShapeError, match=r"x is \(2, 3\)"):
        plotting.decision_boundary(perceptron, np.zeros((2, 3)), [0, 1])


@pytest.mark.parametrize("y_true, y_pred", [
    ([0, 0, 1, 1, 1], [0, 1, 1, 1, 0]), ([[0], [0], [1], [1], [1]], [[0.2], [0.8], [0.6], [0.9], [0.5]]),
    ([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0, 1], [0.6, 0.4]]),
    (np.array([0, 0, 1, 1, 1], bool), np.array([[0], [1], [1], [1], [0]], bool)),
])
def test_confusion_counts_take_labels_and_probabilities(y_true: Any, y_pred: Any) -> None:
    assert plotting.confusion_counts(y_true, y_pred).tolist() == [[1, 1], [1, 2]]


def test_confusion_counts_agree_with_counting_one_by_one() -> None:
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 7, 500), rng.integers(0, 7, 500)
    expected = np.zeros((7, 7), int)
    for t, p in zip(true, predicted):
        expected[t, p] += 1
    assert np.array_equal(plotting.confusion_counts(true, predicted), expected)
    assert plotting.confusion_counts([0], [0], classes=4).shape == (4, 4)


def test_confusion_counts_refuse_bad_labels() -> None:
    with pytest.raises(ShapeError, match="3 samples and y_pred 2"):
        plotting.confusion_counts([0, 1, 1], [0, 1])
    with pytest.raises(LabelError, match="label 5 at row 1; needs 0 to 1"):
        plotting.confusion_counts([0, 1], [0, 5], classes=2)
    for bad in ([0, np.nan], [[0.5, 0.5], [np.nan, 1]]):       # a network that has come to nothing is not class 0
        with pytest.raises(LabelError, match="y_pred has nan at row 1; needs finite"):
            plotting.confusion_counts([0, 1], bad)
    with pytest.raises(LabelError, match="label -1 at row 0"):
        plotting.confusion_counts([-1, 1], [0, 1])
    with pytest.raises(ShapeError, match="needs class numbers"):
        plotting.confusion_counts(["a"], ["b"])


def test_roc_curve_is_that_of_all_thresholds(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    y, p = rng.integers(0, 2, 60), np.round(rng.random(60), 1)
    figure = plotting.roc_curve({"one": (y, p), "sure": (y, y)}, threshold=0.35, path=tmp_path / "roc.png")
    (ax,) = figure.axes
    wrong, right = ax.lines[0].get_data()
    levels = [np.inf, *sorted(set(p), reverse=True)]
    np.testing.assert_allclose(wrong, [(p[y == 0] >= t).mean() for t in levels])
    np.testing.assert_allclose(right, [(p[y == 1] >= t).mean() for t in levels])
    dot = ax.lines[1].get_data()
    np.testing.assert_allclose([float(d[0]) for d in dot], [(p[y == 0] > 0.35).mean(), (p[y == 1] > 0.35).mean()])
    pairs = [(a > b) + 0.5 * (a == b) for a in p[y == 1] for b in p[y == 0]]
    assert f"one, area {np.mean(pairs):.3f}" in texts(figure) and "sure, area 1.000" in texts(figure)
    assert is_picture(tmp_path / "roc.png")
    assert "area" in texts(plotting.roc_curve((y, p[:, None])))
    with pytest.raises(LabelError, match="some of each"):
        plotting.roc_curve((np.ones(3), np.ones(3)))
    with pytest.raises(ShapeError, match="needs as many"):
        plotting.roc_curve(([0, 1], [0.5]))


def test_classification_report_says_what_scikit_learns_says() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(7)
    y, p = rng.integers(0, 3, 80), rng.integers(0, 3, 80)
    names = ["ant", "bee", "cat"]
    got = plotting.classification_report(plotting.confusion_counts(y, p), names)
    assert got.split() == sklearn.classification_report(y, p, target_names=names).split()
    never = plotting.classification_report(np.array([[3, 0], [2, 0]]))
    assert "0.60      0.60      0.00" not in never and never.split()[9:14] == ["1", "0.00", "0.00", "0.00", "2"]
    with pytest.raises(ShapeError, match="needs a square"):
        plotting.classification_report([[1, 2]])


def test_confusion_matrix_shows_the_counts(tmp_path: Path) -> None:
    figure = plotting.confusion_matrix([[40, 2], [1, 71]], labels=["malignant", "benign"], path=tmp_path / "counts.png")
    assert "40 2 1 71" in texts(figure) and "111 of 114 right (97.4%)" in texts(figure)
    assert is_picture(tmp_path / "counts.png")
    with pytest.raises(ShapeError, match="needs a square"):
        plotting.confusion_matrix([[1, 2]])
    with pytest.raises(ShapeError, match="or y_true and y_pred"):
        plotting.confusion_matrix([0, 1, 1])


def test_confusion_matrix_takes_labels_and_predictions() -> None:
    y, p = [0, 0, 1, 2], [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0, 0, 1]]
    figure = plotting.confusion_matrix(y, p, labels=["ant", "bee", "cat"])
    assert "1 1 0 0 1 0 0 0 1" in texts(figure) and "3 of 4 right (75.0%)" in texts(figure)
    with pytest.raises(ShapeError, match="4 samples and y_pred 2"):
        plotting.confusion_matrix(y, [0, 1])


def test_activation_functions_and_their_derivatives(tmp_path: Path) -> None:
    figure = plotting.activation_functions(tmp_path / "functions.png")
    lines = {ax.get_title(): ax.lines for ax in figure.axes}
    assert len(lines["Step (no derivative to learn from)"]) == 1
    x, y = lines["Sigmoid"][0].get_data()
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-x)), rtol=1e-5)
    np.testing.assert_allclose(lines["Sigmoid"][1].get_ydata(), y * (1 - y), rtol=1e-4, atol=1e-7)
    assert is_picture(tmp_path / "functions.png")


def test_digits_grid_marks_mistakes(tmp_path: Path) -> None:
    (_, _), (images, labels) = datasets.digits.load_data()
    predictions = [*labels[:9], (labels[9] + 1) % 10]
    figure = plotting.digits_grid(images[:10], labels[:10], predictions, tmp_path / "digits.png")
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[0] == str(labels[0]) and titles[9] == f"{(labels[9] + 1) % 10}, is {labels[9]}"
    assert is_picture(tmp_path / "digits.png")
    assert len(plotting.digits_grid(images[:3].reshape(3, 64)).axes) == 3
    with pytest.raises(ShapeError, match="needs"):
        plotting.digits_grid(np.zeros((0, 8, 8)))


def test_endings_choose_the_format(tmp_path: Path) -> None:
    assert b"<svg" in plotted(tmp_path / "a.svg") and plotted(tmp_path / "a.pdf")[:4] == b"%PDF"
    assert plotted(tmp_path / "without_ending")[1:4] == b"PNG"
    with pytest.raises(ValueError, match=r"needs \.png, \.svg or \.pdf"):
        plotted(tmp_path / "a.bmp")
    with pytest.raises(FileNotFoundError):
        plotted(tmp_path / "nowhere" / "a.png")


def plotted(path: Path) -> bytes:
    plotting.loss_curves(LOGS, path)
    return path.read_bytes()
