"""Embeddings: rows looked up, zeros hidden, numbers without a row."""


import numpy as np
import pytest

from fastnn import Sequential, layers
from fastnn.errors import LabelError
from tests.errors import assert_good_error

# ---- embeddings ------------------------------------------------------------------------------------------------------

def test_embedding_gives_rows_and_hides_zeros() -> None:
    layer = layers.Embedding(5, 3, mask_zero=True, weights=[np.arange(15, dtype=np.float32).reshape(5, 3)])
    y = layer(np.array([[1, 0, 4]]))
    assert np.asarray(y).tolist() == [[[3, 4, 5], [0, 1, 2], [12, 13, 14]]]
    assert np.asarray(layer.compute_mask(np.array([[1, 0, 4]]))).astype(bool).tolist() == [[True, False, True]]


@pytest.mark.parametrize("how", ["fit", "predict", "call"])
def test_a_number_without_a_row_is_named_with_its_place(how: str) -> None:
    model = Sequential([layers.Input((3,), dtype="int32"), layers.Embedding(5, 2), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    ids = np.array([[1, 2, 3], [4, 0, 7]], np.int32)
    calls = {"fit": lambda: model.fit(ids, np.zeros((2, 1)), verbose=0),
             "predict": lambda: model.predict(ids, verbose=0), "call": lambda: model(ids)}
    text = assert_good_error(calls[how], LabelError, "7", "(1, 2)", "0..4", unchanged=model)
    assert "input_dim=8" in text
