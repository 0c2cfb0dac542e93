"""steps_per_epoch and steps_per_execution: how the batches of the data become epochs, whatever the data come from."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential
from fastnn.callbacks import Callback
from fastnn.layers import Dense, Layer
from fastnn.utils import PyDataset

ROWS = np.arange(50, dtype=np.float32)      # 7 batches of 8: the last has 2 rows
STARTS = range(0, 50, 8)


class Data(PyDataset):
    """The rows in batches."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def __len__(self) -> int:
        return len(STARTS)

    def __getitem__(self, index: int) -> Any:
        rows = ROWS[STARTS[index]:][:8]
        return rows, 0 * rows

    def on_epoch_begin(self) -> None:
        self.heard.append("begin")

    def on_epoch_end(self) -> None:
        self.heard.append("end")


class Again:
    """An iterable that begins anew, and does not say how many batches it has."""

    def __iter__(self) -> Iterator[Any]:
        data = Data()
        return (data[i] for i in range(len(data)))


class Watch(Callback):
    """The numbers that the hooks on batches are called with, epoch by epoch, or in one list."""

    def __init__(self) -> None:
        self.begun: list[list[int]] = [[]]
        self.ended: list[list[int]] = [[]]
        self.outputs: list[Any] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.begun.append([])
        self.ended.append([])

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.begun[-1].append(batch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.ended[-1].append(batch)

    on_test_batch_begin = on_predict_batch_begin = on_train_batch_begin
    on_test_batch_end = on_train_batch_end

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self.ended[-1].append(batch)
        self.outputs.append((logs or {})["outputs"])


class Look(Layer):
    """Writes down the rows that pass."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[list[int]] = []

    def call(self, x: Any) -> Any:
        if not x.symbolic:
            self.seen.append(x.numpy()[:, 0].astype(int).tolist())
        return x


def network(**options: Any) -> tuple[Any, Look]:
    """A model, and what it sees: where its Python runs at every step."""
    fastnn.random.set_seed(3)
    look = Look()
    model = Sequential([Input((1,)), *([look] if options.get("run_eagerly") else []),
                        Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", **options)
    return model, look


SOURCES: dict[str, Callable[[], tuple[Any, dict[str, Any]]]] = {
    "arrays": lambda: (ROWS, {"y": 0 * ROWS, "batch_size": 8}),
    "dataset": lambda: (Data(), {}),
    "iterable": lambda: (Again(), {}),
}
CUTS = [    # (steps_per_epoch, steps_per_execution, the steps of each epoch)
    (3, 1, [3, 3, 1, 3, 3, 1]), (7, 1, [7, 7]), (9, 1, [7, 7]), (6, 1, [6, 1, 6]), (1, 1, [1] * 8),
    (2, 2, [2, 2, 2, 1, 2]), (3, 2, [4, 3, 4]), (7, 3, [7, 7]), (4, 4, [4, 3, 4])]


@pytest.mark.filterwarnings("ignore:.*(an epoch ended after|ran out of data|and the data have|reaches|grew)")
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(("steps", "together", "expected"), CUTS)
def test_epochs_end_with_the_data(any_backend: str, name: str, steps: int, together: int, expected: list[int]) -> None:
    """An epoch begins where the last one stopped and ends with the data; then they are read anew, as in Keras."""
    model, look = network(run_eagerly=True, steps_per_execution=together)
    x, keywords = SOURCES[name]()
    model.fit(x, epochs=len(expected), steps_per_epoch=steps, verbose=0, **keywords)
    seen, sizes = list(look.seen), []
    while seen:
        sizes.append(len(seen[:7]))
        if len(seen) >= 7:      # a reading of the data: every row once
            assert sorted(row for batch in seen[:7] for row in batch) == list(range(50))
        seen = seen[7:]
    assert sum(sizes) == sum(expected) == int(model.optimizer.iterations)
    watch = Watch()
    model, _ = network(steps_per_execution=together)
    x, keywords = SOURCES[name]()
    model.fit(x, epochs=len(expected), steps_per_epoch=steps, verbose=0, callbacks=[watch], **keywords)
    assert watch.begun[1:] == [list(range(0, count, together)) for count in expected]
    assert watch.ended[1:] == [[first + together - 1 for first in epoch] for epoch in watch.begun[1:]]


def test_each_reading_has_an_order_of_its_own(any_backend: str) -> None:
    for name in ("arrays", "dataset"):
        model, look = network(run_eagerly=True)
        x, keywords = SOURCES[name]()
        with pytest.warns(UserWarning, match="after 2 of 5"):
            model.fit(x, epochs=4, steps_per_epoch=5, verbose=0, **keywords)
        assert look.seen[:7] != look.seen[7:]
        again = network(run_eagerly=True)
        x, keywords = SOURCES[name]()
        with pytest.warns(UserWarning, match="after 2 of 5"):
            again[0].fit(x, epochs=4, steps_per_epoch=5, verbose=0, shuffle=False, **keywords)
        assert [row for batch in again[1].seen for row in batch] == [*range(50), *range(50)]


@pytest.mark.filterwarnings("ignore:.*(an epoch ended after)")
def test_the_same_bits_however_an_epoch_is_cut(any_backend: str) -> None:
    """The steps are those of the data; where epochs end changes what is reported, not what is learned."""
    weights = []
    for epochs, steps in ((3, None), (9, 3), (6, 5), (6, 4)):
        model, _ = network()
        model.fit(ROWS / 50, ROWS / 50, batch_size=8, epochs=epochs, steps_per_epoch=steps, verbose=0)
        weights.append(model.get_weights())
    for other in weights[1:]:
        for a, b in zip(weights[0], other):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_said_of_it(name: str) -> None:
    x, keywords = SOURCES[name]()
    end = "an epoch ended after 1 of 3 steps: the data have 7 batches" if name == "arrays" else \
        "ran out of data after 1 of 3 batches; the next epoch begins anew"
    with pytest.warns(UserWarning, match=rf"fit\(\): {end}") as found:
        network()[0].fit(x, epochs=4, steps_per_epoch=3, verbose=0, **keywords)
    assert len(found) == 1 and found[0].filename == __file__
    x, keywords = SOURCES[name]()
    more = "ran out of data after 7 of 9 batches" if name == "iterable" else \
        "steps_per_epoch is 9 and the data have 7 batches: a pass ends after 7"
    with pytest.warns(UserWarning, match=rf"fit\(\): {more}") as found:
        history = network()[0].fit(x, epochs=2, steps_per_epoch=9, verbose=0, **keywords)
    assert history.epoch == [0, 1] and history.params["steps"] == (9 if name == "iterable" else 7)
    x, keywords = SOURCES[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network()[0].fit(x, epochs=4, steps_per_epoch=7, verbose=0, **keywords)
        network()[0].fit(ROWS, 0 * ROWS, batch_size=10, epochs=2, steps_per_epoch=5, verbose=0)


def test_evaluation_never_reads_twice() -> None:
    model, look = network(run_eagerly=True)
    with pytest.warns(UserWarning, match=r"evaluate\(\): steps is 9 and the data have 7 batches"):
        model.evaluate(Data(), steps=9, verbose=0)
    assert len(look.seen) == 7
    look.seen.clear()
    data = Data()
    model.fit(ROWS, 0 * ROWS, epochs=2, verbose=0, validation_data=data, validation_steps=2)     # the same each time
    assert look.seen[2:4] == look.seen[6:8] == [list(range(8)), list(range(8, 16))]
    assert data.heard == ["begin", "end"] * 2
    look.seen.clear()
    with pytest.warns(UserWarning, match=r"validation_split: validation_steps is 4 and the data have 2 batches"):
        model.fit(ROWS, 0 * ROWS, batch_size=8, verbose=0, validation_split=0.2, validation_steps=4)
    with pytest.warns(UserWarning, match=r"fit\(\): steps_per_epoch is 6 and the data have 5 batches"):
        model.fit(ROWS, 0 * ROWS, batch_size=8, verbose=0, validation_split=0.2, steps_per_epoch=6)


def test_a_dataset_hears_of_epochs_and_not_of_readings() -> None:
    data = Data()
    with pytest.warns(UserWarning, match="2 of 5"):
        network()[0].fit(data, epochs=3, steps_per_epoch=5, verbose=0)
    assert data.heard == ["begin", "end"] * 3


@pytest.mark.parametrize("name", SOURCES)
def test_evaluate_and_predict_call_the_hooks_once_for_each_execution(any_backend: str, name: str) -> None:
    model, _ = network(steps_per_execution=3)
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    x, keywords = SOURCES[name]()
    watch = Watch()
    model.evaluate(x, verbose=0, callbacks=[watch], **keywords)
    assert watch.begun == [[0, 3, 6]] and watch.ended == [[2, 5, 8]]
    watch = Watch()
    keywords.pop("y", None)
    outputs = model.predict(x, verbose=0, callbacks=[watch], **keywords)
    assert watch.begun == [[0, 3, 6]] and watch.ended == [[2, 5, 8]]
    assert [len(each) for each in watch.outputs] == [24, 24, 2]
    assert (np.concatenate(watch.outputs) == outputs).all() and (outputs[:, 0] == ROWS).all()
    assert len(model.predict(x, steps=2, verbose=0, **keywords)) == 24      # whole executions


def test_predict_shows_outputs_in_the_structure_of_the_model(any_backend: str) -> None:
    x = Input((1,))
    model = Model(x, {"b": Dense(2)(x), "a": Dense(1)(x)})
    watch = Watch()
    model.predict(ROWS, verbose=0, callbacks=[watch])
    assert {key: value.shape for key, value in watch.outputs[1].items()} == {"b": (18, 2), "a": (18, 1)}
