"""All configurations, by topic, and where their golden values lie."""

from pathlib import Path

from tests.golden import (
    convolution,
    functions,
    graphs,
    image,
    losses,
    metrics,
    normalization,
    optimizers,
    penalties,
    pooling,
)
from tests.golden.common import Case

TOPICS: dict[str, list[Case]] = {"optimizers": optimizers.CASES, "losses": losses.CASES, "functions": functions.CASES,
                                 "graphs": graphs.CASES, "penalties": penalties.CASES, "metrics": metrics.CASES,
                                 "image": image.CASES,
                                 "pooling": pooling.CASES, "normalization": normalization.CASES,
                                 "convolution": convolution.CASES}
CASES: dict[str, Case] = {case.name: case for cases in TOPICS.values() for case in cases}
JSON, ARRAYS = (Path(__file__).with_name(f"keras.{kind}") for kind in ("json", "npz"))
