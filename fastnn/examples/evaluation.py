"""Chapters 51 to 54: what a trained classifier is worth, and to whom; training, validation and test.

569 tumours, of which the network sees four measurements in 30, so that there is something to weigh. They are cut into
three parts. The weights are fitted to the training part. What is chosen, here the threshold from which a tumour is
called malignant, is chosen on the validation part. The test part is looked at once, at the end: the numbers of a part
that something was fitted to or chosen on are too good.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import fastnn
from fastnn import datasets, layers, metrics, plotting
from fastnn.examples._lesson import lesson, run
from fastnn.models import Sequential

NAMES = ("benign", "malignant")
COLUMNS = [1, 4, 8, 9]  # mean texture, smoothness, symmetry and fractal dimension
RECALL = 0.95           # of the malignant tumours so many are to be found


class Result(NamedTuple):
    """What the lesson found: truths and probabilities of each part, the threshold, and the test part's counts."""
    model: Sequential
    parts: dict[str, tuple[np.ndarray, np.ndarray]]
    threshold: float
    counts: np.ndarray


def load(seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """60 % for training, 20 % for validation, 20 % for the test; class 1 is malignant, as what is looked for is."""
    (x, y), (x_test, y_test) = datasets.breast_cancer.load_data(seed=seed)
    x, x_test, cut = x[:, COLUMNS], x_test[:, COLUMNS], len(x) * 3 // 4
    mean, deviation = x[:cut].mean(axis=0), x[:cut].std(axis=0)         # of the training part alone
    parts = {"training": (x[:cut], y[:cut]), "validation": (x[cut:], y[cut:]), "test": (x_test, y_test)}
    return {name: ((a - mean) / deviation, 1.0 - b) for name, (a, b) in parts.items()}


def train(epochs: int = 60, seed: int = 42, verbose: Any = 0) -> Result:
    """Fit on the first part, choose the threshold on the second, count on the third."""
    data = load(seed)
    fastnn.random.set_seed(seed)
    model = Sequential([
        layers.Dense(16, activation="relu", input_shape=(len(COLUMNS),)),
        layers.Dense(8, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", metrics.AUC(), metrics.Recall()])
    model.fit(*data["training"], epochs=epochs, validation_data=data["validation"], verbose=verbose)
    parts = {name: (y.ravel(), model.predict(x, verbose=0).ravel()) for name, (x, y) in data.items()}
    threshold = choose(*parts["validation"])
    y, p = parts["test"]
    return Result(model, parts, threshold, plotting.confusion_counts(y, p > threshold, classes=2))


def choose(y: np.ndarray, p: np.ndarray, recall: float = RECALL) -> float:
    """The highest threshold at which so many of the malignant tumours are found."""
    found = [(t, metrics.Recall(thresholds=float(t))(y, p)) for t in np.linspace(0.01, 0.99, 99)]
    return float(max((t for t, r in found if r >= recall), default=0.01))


def report(result: Result) -> None:
    """The parts side by side, then the test part in full."""
    print("At 0.5      tumours  accuracy     AUC  recall  precision")
    for name, (y, p) in result.parts.items():
        scores = [kind()(y, p) for kind in (metrics.BinaryAccuracy, metrics.AUC, metrics.Recall, metrics.Precision)]
        print(f"  {name:<10}{len(y):>7}{scores[0]:>10.1%}{scores[1]:>8.3f}{scores[2]:>8.1%}{scores[3]:>11.1%}")
    print(f"\nFrom {result.threshold:.2f} on, {RECALL:.0%} of the malignant tumours of the validation part are found. "
          "The test part, once:\n")
    print(plotting.classification_report(result.counts, NAMES))


def draw(result: Result, path: str) -> None:
    """ROC curves of the three parts with the threshold marked, and the test part's confusions."""
    from fastnn.plotting._figure import new_figure, saved
    figure = new_figure(10.4, 4.6)
    left, right = figure.subplots(1, 2)
    plotting.roc_curve(result.parts, threshold=result.threshold, ax=left)
    plotting.confusion_matrix(result.counts, labels=NAMES, ax=right)
    saved(figure, path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson."""
    options = lesson("evaluation", __doc__, epochs=60).parse_args(argv)
    result = train(options.epochs, options.seed, verbose=fastnn.Every(20))
    report(result)
    if options.plot:
        draw(result, options.plot)
        print(f"\nROC curves and confusions: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
