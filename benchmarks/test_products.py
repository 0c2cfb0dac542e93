"""Matrix products, layers of CNNs and elementwise functions: C with one and two threads, and the reference."""

from typing import Any

import numpy as np
import pytest

import fastnn
from benchmarks.conftest import fastest
from benchmarks.layers import LAYERS, ImageLayer, program_of
from benchmarks.products import PRODUCTS, Product, program
from benchmarks.vectors import ELEMENTS, FUNCTIONS, elements
from fastnn.engine import backend
from tests.ops import OPS

WAYS = (("c", 1), ("c", 2), ("reference", 2))       # NumPy chooses its own threads
KERNELS = {"nn": "matmul", "tn": "matmul_tn", "nt": "matmul_nt"}


def _measure(benchmark: Any, run: Any, way: tuple[str, int]) -> float | None:
    """Seconds of the fastest run of a program on one backend with so many threads."""
    name, threads = way
    if name == "c" and backend._engine is None:
        pytest.skip("the C kernels are not built here: " + backend.missing)
    benchmark.extra_info.update(backend=name, threads=threads)
    with fastnn.config.using(backend=name, threads=threads):
        benchmark(run.run)
    return fastest(benchmark)


@pytest.mark.benchmark(max_time=0.1, min_rounds=3, warmup=False)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}-{way[1]}")
@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)
def test_product(benchmark: Any, product: Product, way: tuple[str, int]) -> None:
    run = program(OPS[KERNELS[product.form]], *product.operands())
    benchmark.group = product.name
    seconds = _measure(benchmark, run, way)
    a, b = product.views()
    np.testing.assert_allclose(run.results[0].data, a @ b, rtol=1e-4, atol=1e-5 * product.depth ** 0.5)
    if seconds:
        benchmark.extra_info["GFLOP/s"] = round(product.flops / seconds / 1e9, 2)


@pytest.mark.benchmark(max_time=0.1, min_rounds=3, warmup=False)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}-{way[1]}")
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_layer(benchmark: Any, layer: ImageLayer, way: tuple[str, int]) -> None:
    run = program_of(layer)
    benchmark.group = layer.name
    seconds = _measure(benchmark, run, way)
    found = [result.data.copy() for result in run.results]
    with fastnn.config.using(backend="reference"):
        run.run()
    for ours, expected in zip(found, run.results):
        np.testing.assert_allclose(ours, expected.data, rtol=1e-4, atol=1e-4 * np.abs(expected.data).max())
    if seconds and layer.flops:
        benchmark.extra_info["GFLOP/s"] = round(layer.flops / seconds / 1e9, 2)


@pytest.mark.benchmark(max_time=0.05, min_rounds=3, warmup=False)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}-{way[1]}")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(benchmark: Any, name: str, way: tuple[str, int]) -> None:
    x = elements(name)
    run = program(OPS[name], x)
    benchmark.group = f"{name}, {ELEMENTS:,} elements"
    seconds = _measure(benchmark, run, way)
    expected = backend.kernels[name].reference(x.astype(np.float64))
    np.testing.assert_allclose(run.results[0].data, expected, rtol=1e-5, atol=1e-6)
    if seconds:
        benchmark.extra_info["ns/element"] = round(seconds / ELEMENTS * 1e9, 3)
