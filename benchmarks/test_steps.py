"""Networks: training steps, outputs, a whole lesson, in every setting of every library that is here."""

from typing import Any

import numpy as np
import pytest

from benchmarks import trainings
from benchmarks.conftest import Measure, entries
from benchmarks.contenders import LIBRARIES, WAYS, installed, settings
from benchmarks.contenders.fastnn import FASTNN
from benchmarks.trainings import LATE, WINDOW
from benchmarks.workloads import WIDTHS, WORKLOADS

SLOW = "wide", "cnn 128", "cnn 32, reference", "char", "transformer", "gpt", "32", "45", "46", "96", "128", "192"
PATIENCE = {"Keras": 3}     # times the seconds of a round: its fit starts slowly, which a lesson would not see
ALIKE = {"fastnn": 0.02}    # of the reference's loss; peers, who shuffle otherwise, may be a quarter away from it
# Epochs after which losses are compared, where more would be known by heart: the loss is then what roundings make it.
COMPARED = {"imdb": 1, "transformer": 1}
THREADS = {"fastnn": ("C, replayed, 1 thread", "C, replayed"), "torch": ("eager, 1 thread", "eager, 2 threads")}


@pytest.fixture(scope="session")
def reference_loss() -> dict[Any, float]:
    """By workload and epochs; measured when first asked for."""
    return {}


@pytest.mark.parametrize(("name", "library", "setting"), [
    entry for name, workload in WORKLOADS.items()
    for entry in entries({library: settings(library, workload) for library in LIBRARIES}, name, SLOW)])
def test_step(measure: Measure, quick: bool, libraries: Any, reference_loss: dict[Any, float], name: str, library: str,
              setting: str) -> None:
    workload = WORKLOADS[name]
    epochs = 1 if quick else min(COMPARED.get(name, 20), workload.most_epochs)
    if (name, epochs) not in reference_loss:
        libraries["fastnn"].ask("make", trainings.training, "fastnn", "reference", name, epochs)
        reference_loss[name, epochs] = libraries["fastnn"].ask("results")
    loss = measure.make(library, setting, trainings.training, library, setting, name, epochs)
    if library != "scikit-learn":       # it has other first weights
        assert loss == pytest.approx(reference_loss[name, epochs], rel=ALIKE.get(library, 0.25))
    measure.time(f"step: {name}", 0.2 * PATIENCE.get(library, 1), title=workload.title, epochs=epochs, loss=loss)


@pytest.mark.parametrize(("width", "library", "setting"), [
    entry for width in WIDTHS for entry in entries(THREADS, f"{width}", SLOW)])
def test_width(measure: Measure, width: str, library: str, setting: str) -> None:
    """A second thread must never cost anything."""
    name = f"width {width}"
    assert measure.make(library, setting, trainings.training, library, setting, name, 1) < np.log(10)
    measure.time(f"width: {width}", 0.07)


@pytest.mark.parametrize("library", [name for name in ("fastnn", "torch") if installed(name)])
@pytest.mark.parametrize("when", ["first", "late"])
def test_separable(measure: Measure, library: str, when: str) -> None:
    """Once everything is learned, gradients sink into the denormal range: steps must not take longer there."""
    setting = next(iter(LIBRARIES[library]))
    measure.make(library, f"{when} epochs", trainings.window, library, setting, "separable", when == "late")
    measure.time(f"separable: {WINDOW} epochs, first or after {LATE}")


@pytest.mark.parametrize(("name", "library", "way"), [
    entry for name in ("cancer", "mnist") for entry in entries(WAYS, name)])
@pytest.mark.parametrize("rows", [1, 256])
def test_outputs(measure: Measure, name: str, library: str, way: str, rows: int) -> None:
    found, expected = measure.make(library, way, trainings.inference, library, way, name, rows)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)
    measure.time(f"outputs: {name}, {rows} row{'s' * (rows > 1)}", 0.05)


@pytest.mark.parametrize("setting", FASTNN)
def test_xor_lesson(measure: Measure, setting: str) -> None:
    said, true = measure.make("fastnn", setting, trainings.lesson, setting, 1000)
    np.testing.assert_array_equal(said, true)
    measure.time("lesson: xor, 1,000 epochs from nothing")
