"""Every kernel at a large size; matrix products, layers, elementwise functions and Adam beside the peers' own."""

import functools

import numpy as np
import pytest

import fastnn
from benchmarks import layers, machine, memory, products, rows, vectors
from benchmarks.conftest import Measure, entries
from benchmarks.contenders import MODULES, installed

CASES = {repr(case): i for i, case in enumerate(rows.LARGE_CASES)}
PRODUCTS = {product.id: i for i, product in enumerate(products.PRODUCTS)}
LAYERS = {layer.id: i for i, layer in enumerate(layers.LAYERS)}


BESIDE = {"fastnn": tuple(products.SETTINGS), "NumPy": ("by hand",)}
VECTORS = {**BESIDE, "torch": ("1 thread", "2 threads")}


@functools.cache
def peak() -> float | None:
    """GFLOP/s of the machine, for those who want to know how much of it was reached."""
    return machine.peak(products.THREADS)


@pytest.mark.parametrize("setting", [pytest.param(name, marks=[pytest.mark.full] * ("2" in name))
                                     for name in products.SETTINGS])
@pytest.mark.parametrize("case", CASES)
def test_kernel(measure: Measure, case: str, setting: str) -> None:
    row = rows.make(rows.LARGE_CASES[CASES[case]])
    problem = measure.make("fastnn", setting, rows.kernel_of, setting, CASES[case])
    assert not problem, f"{case}: {problem}"
    measure.time(f"kernel: {case}", 0.01, row.amounts(), family=row.family, shapes=[list(a.shape) for a in row.inputs])


@pytest.mark.parametrize(("library", "setting"), entries({**BESIDE, "torch": ("2 threads",)}))
@pytest.mark.parametrize("product", [pytest.param(name, marks=[pytest.mark.full] * ("2048" in name))
                                     for name in PRODUCTS])
def test_product(measure: Measure, product: str, library: str, setting: str) -> None:
    this = products.PRODUCTS[PRODUCTS[product]]
    y, expected = measure.make(library, setting, products.product_of, library, setting, PRODUCTS[product])
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5 * this.depth ** 0.5)
    measure.time(f"product: {this.name}", 0.07, {"GFLOP": this.flops / 1e9}, peak=peak())


@functools.cache
def expected_of(layer: str) -> list[np.ndarray]:
    """What the layer must give: the reference's."""
    run = layers.program_of(layers.LAYERS[LAYERS[layer]])
    with fastnn.config.using(backend="reference"):
        run.run()
    return [t.data.copy() for t in run.results]


@pytest.mark.parametrize(("library", "setting"), entries(layers.SETTINGS))
@pytest.mark.parametrize("layer", LAYERS)
def test_layer(measure: Measure, layer: str, library: str, setting: str) -> None:
    this = layers.LAYERS[LAYERS[layer]]
    found = measure.make(library, setting, layers.layer_of, library, setting, LAYERS[layer])
    for result, expected in zip(found, expected_of(layer), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    measure.time(f"layer: {this.name}", 0.07, {"GFLOP": this.flops / 1e9} if this.flops else {})


@pytest.mark.parametrize(("library", "setting"), entries(VECTORS))
@pytest.mark.parametrize("name", vectors.FUNCTIONS)
def test_function(measure: Measure, name: str, library: str, setting: str) -> None:
    y, expected = measure.make(library, setting, vectors.function_of, library, setting, name)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    measure.time(f"function: {name}", 0.02, {"Gelement": vectors.ELEMENTS / 1e9})


@pytest.mark.parametrize(("library", "setting"), entries({name: VECTORS[name] for name in ("fastnn", "torch")}))
def test_adam(measure: Measure, library: str, setting: str) -> None:
    change, expected = measure.make(library, setting, vectors.adam_of, library, setting)
    np.testing.assert_allclose(change, expected, rtol=0.05)      # libraries add epsilon in different places
    measure.time(f"adam: {vectors.WEIGHTS:,} weights", 0.1, {"GB": vectors.ADAM_BYTES / 1e9})


@pytest.mark.parametrize("library", [name for name in MODULES if installed(name)])
def test_import(measure: Measure, quick: bool, library: str) -> None:
    """An interpreter that imports it and ends; and the memory it takes, also for an epoch of MNIST."""
    measure.make(library, "", memory.import_of, MODULES[library])
    after, most = (None, None) if quick or library == "NumPy" else memory.megabytes(library)
    measure.time("import", 0, megabytes=after, most_megabytes=most)
