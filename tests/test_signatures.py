"""What help(), editors and notebooks show of a class: all of its arguments, those of its bases too."""

import inspect
from typing import Any

import pytest

from fastnn import layers
from fastnn.configuration import Configurable, parameters
from fastnn.layers import Layer
from tests.public import CASES, Case

MADE = [case for case in CASES if issubclass(case.kind, Configurable)]


@pytest.mark.parametrize("case", MADE, ids=repr)
def test_signatures_name_all_arguments(case: Case) -> None:
    """With the defaults that they have, and without the long lists of what each may be."""
    shown = inspect.signature(case.kind).parameters
    assert {name: p.default for name, p in parameters(case.kind).items()}.items() <= {
        name: p.default for name, p in shown.items()}.items()
    assert all(p.annotation is p.empty for p in shown.values())
    assert not set(case.kind.filled_in) & set(shown) - set(inspect.signature(case.kind.__init__).parameters)


def test_signatures_of_own_classes_and_of_objects() -> None:
    class Own(Layer):
        def __init__(self, width: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)

        def call(self, x: Any, factor: float = 1.0) -> Any:
            return x

    class Open(Layer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    assert {"width", "name", "trainable"} <= set(inspect.signature(Own).parameters)
    assert list(inspect.signature(Open).parameters) == ["args", "kwargs"]
    assert list(inspect.signature(Own(2)).parameters) == ["args", "kwargs"]
    names = list(inspect.signature(layers.LSTM).parameters)
    assert names[:4] == ["units", "activation", "recurrent_activation", "use_bias"]
    assert {"kernel_initializer", "dropout", "return_sequences", "name"} <= set(names)
