"""One row per kernel. The rows drive: C against reference, exactness, gradients, replay, bad shapes, benchmarks."""

import importlib
import pkgutil

from tests.cases._case import Case

CASES: list[Case] = [case for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
                     for case in importlib.import_module(f"tests.cases.{module.name}").CASES]
