"""Generators, iterators and PyDatasets in fit, evaluate and predict: what arrays give, batch by batch."""

import itertools
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential
from fastnn.callbacks import Callback, EarlyStopping, LambdaCallback
from fastnn.layers import Add, Dense
from tests.conftest import alike
from tests.errors import assert_good_error, weights_hash
from tests.generated import BATCH, Data, N, W, X, Y, batches, endless, network, rng


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [t for t in threading.enumerate() if t.name.startswith("fastnn batches")]


class Again:
    """An iterable that begins anew, as a loader of another library."""

    def __iter__(self) -> Iterator[Any]:
        return iter(batches(X, Y))


SOURCES: dict[str, Callable[[], tuple[Any, dict[str, Any]]]] = {
    "generator": lambda: (endless(X, Y), {"steps_per_epoch": N}),
    "dataset": lambda: (Data(), {"shuffle": False}),
    "threads": lambda: (Data(workers=3, max_queue_size=4), {"shuffle": False}),
    "iterable": lambda: (Again(), {}),
    "lists": lambda: (([x.tolist(), y.tolist()] for x, y in endless(X, Y)), {"steps_per_epoch": N}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_same_bits_as_arrays(any_backend: str, name: str) -> None:
    arrays = network()
    expected = arrays.fit(X, Y, batch_size=BATCH, epochs=3, shuffle=False, verbose=0, validation_data=(X, Y),
                          validation_batch_size=BATCH)
    source, keywords = SOURCES[name]()
    model = network()
    history = model.fit(source, epochs=3, verbose=0, validation_data=Data(), **keywords)
    assert history.history == expected.history and history.epoch == [0, 1, 2]
    assert weights_hash(model) == weights_hash(arrays)
    history = model.fit(source, epochs=4, initial_epoch=3, verbose=0, **keywords)       # goes on
    assert history.history == arrays.fit(X, Y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0).history
    loss = arrays.evaluate(X, Y, batch_size=BATCH, verbose=0)
    assert model.evaluate(SOURCES[name]()[0], steps=N, verbose=0) == loss == model.evaluate(Data(), verbose=0)
    predicted = arrays.predict(X, verbose=0)
    assert alike(model.predict(SOURCES[name]()[0], steps=N, verbose=0), predicted)
    assert alike(model.predict((x for x, in batches(X)), verbose=0), predicted)


def test_weights_class_weights_and_eager_steps(any_backend: str) -> None:
    for eager in (False, True):
        arrays, model = network(run_eagerly=eager), network(run_eagerly=eager)
        expected = arrays.fit(X, Y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0, sample_weight=W,
                              class_weight={0: 0.5, 2: 0.0})
        history = model.fit(endless(X, Y, W), steps_per_epoch=N, epochs=2, verbose=0, class_weight={0: 0.5, 2: 0.0})
        assert history.history == expected.history and weights_hash(model) == weights_hash(arrays)
        assert model.evaluate(iter(batches(X, Y, W)), verbose=0) == \
            arrays.evaluate(X, Y, sample_weight=W, batch_size=BATCH, verbose=0)


def test_two_inputs_and_two_outputs_as_lists_and_dicts(any_backend: str) -> None:
    def build() -> Model:
        fastnn.random.set_seed(4)
        a, b = Input((6,), name="a"), Input((2,), name="b")
        h = Add()([Dense(4)(a), Dense(4)(b)])
        model = Model([a, b], [Dense(1, name="p")(h), Dense(2, name="q")(h)])
        model.compile("sgd", "mse")
        return model

    x, y = {"a": X, "b": X[:, :2]}, {"p": X[:, :1], "q": X[:, 1:3]}
    arrays = build()
    expected = arrays.fit(x, y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0).history
    for kind in (dict, list):
        def give(kind: Any = kind) -> Iterator[Any]:
            for i in itertools.cycle(range(0, 100, BATCH)):
                parts = [{k: v[i:i + BATCH] for k, v in d.items()} for d in (x, y)]
                yield tuple(parts if kind is dict else [list(p.values()) for p in parts])
        model = build()
        assert model.fit(give(), steps_per_epoch=N, epochs=2, verbose=0).history == expected
        assert weights_hash(model) == weights_hash(arrays)
        first, second = model.predict(give(), steps=N, verbose=0)
        assert alike(first, arrays.predict(x, verbose=0)[0]) and second.shape == (100, 2)


def test_a_model_without_a_shape_is_built_by_the_first_batch() -> None:
    model = Sequential([Dense(4, activation="relu"), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(iter(batches(X, X[:, 0])), verbose=0)
    assert model.predict(X[:3], verbose=0).shape == (3, 1)


# ---- how many, in which order ------------------------------------------------------------------------------------


def test_a_dataset_is_shuffled_by_batches_and_told_of_epochs() -> None:
    orders = []
    for _ in range(2):
        data = Data()
        network().fit(data, epochs=3, verbose=0)
        assert data.log[0] == "begin" and data.log[N + 1] == "end" and data.log[-1] == "end"
        epochs = [data.log[i * (N + 2) + 1:(i + 1) * (N + 2) - 1] for i in range(3)]
        assert all(sorted(epoch) == list(range(N)) for epoch in epochs) and epochs[0] != epochs[1] != epochs[2]
        orders.append(data.log)
    assert orders[0] == orders[1]       # by fastnn's seed
    data = Data()
    network().fit(Data(), epochs=2, verbose=0, validation_data=data, validation_steps=2)    # always the same
    assert [i for i in data.log if isinstance(i, int)] == [0, 1, 0, 1]


def test_no_batch_too_many_is_taken() -> None:
    taken: list[int] = []

    def counting() -> Iterator[Any]:
        for i, batch in enumerate(endless(X, Y)):
            taken.append(i)
            yield batch

    source, model = counting(), network()
    model.fit(source, steps_per_epoch=5, epochs=3, verbose=0)
    assert len(taken) == 15
    model.evaluate(source, steps=4, verbose=0)
    model.predict(source, steps=1, verbose=0)
    assert len(taken) == 20
    model.fit(X, Y, epochs=3, validation_data=source, validation_steps=2, verbose=0)
    assert len(taken) == 26
    model.fit(source, steps_per_epoch=5, epochs=9, verbose=0,
              callbacks=[EarlyStopping(monitor="loss", patience=0, min_delta=10)])
    assert len(taken) == 36


def test_an_iterator_that_ends() -> None:
    model = network()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit(iter(batches(X, Y)), verbose=0)     # one epoch of all there is
        assert len(history.epoch) == 1 and history.params["steps"] is None and int(model.optimizer.iterations) == N
    with pytest.warns(UserWarning, match=r"ran out of data after 0 batches; training stops"):
        assert model.fit(iter(batches(X, Y)), epochs=3, verbose=0).epoch == [0]
    with pytest.warns(UserWarning, match=r"ran out of data after 2 of 5 batches; training stops"):
        history = model.fit(iter(batches(X, Y)), epochs=3, steps_per_epoch=5, verbose=0)
    assert history.epoch == [0, 1] and int(model.optimizer.iterations) == 3 * N
    with pytest.warns(UserWarning, match=r"validation_data: ran out of data after 0 batches\."):
        history = model.fit(X, Y, epochs=3, validation_data=iter(batches(X, Y)), verbose=0)
    assert len(history.history["val_loss"]) == 1 and len(history.history["loss"]) == 3
    assert_good_error(lambda: model.fit(iter([]), verbose=0), ValueError, "gave no batch", unchanged=model)


def test_rows_of_changing_shape(any_backend: str) -> None:
    from fastnn.layers import Layer
    from fastnn.ops import mean

    class Mean(Layer):
        def call(self, x: Any) -> Any:
            return mean(x, axis=1)

    model = Sequential([Input((None, 6)), Mean(), Dense(1)])
    model.compile("sgd", "mse")
    sizes = [(4, 3), (4, 5), (2, 3), (4, 3), (3, 9)]
    data = [(rng.normal(size=(n, t, 6)).astype(np.float32), np.ones((n, 1), np.float32)) for n, t in sizes]
    losses: list[float] = []
    model.fit(iter(data), verbose=0,
              callbacks=[LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))])
    assert len(losses) == 5 and np.isfinite(losses).all()
    assert model.predict(iter(data), verbose=0).shape == (17, 1)


# ---- history, progress, callbacks --------------------------------------------------------------------------------


def test_callbacks_and_progress_see_what_they_see_with_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    class Log(Callback):
        def __init__(self) -> None:
            self.log: list[Any] = []

        def __getattribute__(self, name: str) -> Any:
            if name.startswith("on_"):
                return lambda *a, logs=None: self.log.append((name, a, dict(logs) if logs else None))
            return super().__getattribute__(name)

    events = []
    for x, keywords in ((X, dict(y=Y, batch_size=BATCH, shuffle=False)), (endless(X, Y), dict(steps_per_epoch=N))):
        log = Log()
        network().fit(x, epochs=2, verbose=2, callbacks=[log], validation_data=(X, Y),
                      validation_batch_size=BATCH, **keywords)
        events.append((log.log, log.params))
    assert events[0] == events[1]
    lines = [line.split(" - ") for line in capsys.readouterr().out.splitlines()]
    assert [line[:2] + line[4:] for line in lines[:2]] == [line[:2] + line[4:] for line in lines[2:]]
    model = network()
    outputs: list[Any] = []
    model.predict(Data(), verbose=0, callbacks=[LambdaCallback(
        on_predict_batch_end=lambda batch, logs: outputs.append(logs["outputs"]))])
    assert (np.concatenate(outputs) == model.predict(X, verbose=0)).all()
    model.fit(iter(batches(X, Y)), verbose=2)
    assert "7/7 - " in capsys.readouterr().out      # known when it has ended


def test_a_callback_stops_in_the_middle() -> None:
    def stop(batch: int, logs: Any) -> None:
        model.stop_training = batch == 2

    model = network()
    assert model.fit(endless(X, Y), steps_per_epoch=50, epochs=4, verbose=0,
                     callbacks=[LambdaCallback(on_train_batch_end=stop)]).epoch == [0]
    assert int(model.optimizer.iterations) == 3


def test_a_loss_that_goes_bad_is_traced_to_its_step() -> None:
    def exploding() -> Iterator[Any]:
        for i, (x, y) in enumerate(endless(X, X[:, :1])):
            yield (x * np.float32(1e30) if i == 12 else x), y

    model = Sequential([Input((6,)), Dense(4, name="first"), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.warns(RuntimeWarning, match=r"epoch 2, step 6, kernel"):
        model.fit(exploding(), steps_per_epoch=N, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 2 * N
