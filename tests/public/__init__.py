"""Every public class with arguments other than its defaults, and a shape of inputs that fits: for tests of the kind.

`CASES` has one row per class; a class, or a parameter, that is not here makes test_configuration.py say so.
"""

import inspect

from tests.public import layers, training
from tests.public.case import Case

__all__ = ["CASES", "Case", "parameters"]

CASES = [*layers.rows(), *training.rows()]


def parameters(kind: type) -> dict[str, inspect.Parameter]:
    """What the class takes by name: its constructor's parameters, and where that has **kwargs, those of its bases."""
    found: dict[str, inspect.Parameter] = {}
    for cls in kind.__mro__:
        if "__init__" not in vars(cls):
            continue
        own = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
        found = {p.name: p for p in own if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
                 and p.name not in getattr(kind, "filled_in", ())} | found
        if not any(p.kind is p.VAR_KEYWORD for p in own):
            break
    return found
