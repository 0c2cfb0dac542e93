"""Generators, iterators and PyDatasets in fit, evaluate and predict: what arrays give, batch by batch."""

import itertools
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Model, Sequential
from fastnn.callbacks import Callback, EarlyStopping, LambdaCallback
from fastnn.errors import LabelError, ShapeError
from fastnn.layers import Add, Dense, Dropout
from fastnn.utils import PyDataset, Sequence
from tests.conftest import alike
from tests.errors import assert_good_error, weights_hash

rng = np.random.default_rng(5)
X = rng.normal(size=(100, 6)).astype(np.float32)
Y = X[:, :3].argmax(1)
W = np.round(rng.uniform(0.5, 2, 100), 2)
BATCH = 16      # the last one has 4 rows
N = 7


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [t for t in threading.enumerate() if t.name.startswith("fastnn batches")]


def network(**compiled: Any) -> Sequential:
    fastnn.random.set_seed(2)
    model = Sequential([Input((6,)), Dense(8, activation="relu"), Dropout(0.2), Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", **{"metrics": ["accuracy"], **compiled})
    return model


def batches(*arrays: Any) -> list[Any]:
    return [tuple(a[i:i + BATCH] for a in arrays) for i in range(0, 100, BATCH)]


def endless(*arrays: Any) -> Iterator[Any]:
    while True:
        yield from batches(*arrays)


class Data(PyDataset):
    """Counts what it is asked for."""

    def __init__(self, *arrays: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.items, self.log = batches(*(arrays or (X, Y))), []

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        self.log.append(index)
        return self.items[index]

    def on_epoch_begin(self) -> None:
        self.log.append("begin")

    def on_epoch_end(self) -> None:
        self.log.append("end")


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


# ---- threads -----------------------------------------------------------------------------------------------------


class Boom(Exception):
    """Raised by generators below."""


@pytest.mark.parametrize("where", ["train", "validation", "evaluate", "predict", "dataset"])
@pytest.mark.parametrize("error", [Boom, KeyboardInterrupt, SystemExit, StopAsyncIteration])
def test_an_error_in_a_generator_comes_with_its_traceback(error: type[BaseException], where: str) -> None:
    def failing_generator() -> Iterator[Any]:
        yield from batches(X, Y)[:3]
        raise error("boom")

    class Failing(Data):
        def __getitem__(self, index: int) -> Any:
            if len(self.log) > 3:
                next(itertools.islice(failing_generator(), 3, None))
            return super().__getitem__(index)

    model, arrays = network(), network()
    with pytest.raises(error, match="boom") as caught:
        if where == "evaluate":
            model.evaluate(failing_generator(), verbose=0)
        elif where == "predict":
            model.predict(failing_generator(), verbose=0)
        elif where == "validation":
            model.fit(X, Y, validation_data=failing_generator(), verbose=0)
        else:
            model.fit(failing_generator() if where == "train" else Failing(workers=2), verbose=0)
    assert any(frame.name == "failing_generator" for frame in traceback.extract_tb(caught.value.__traceback__))
    if where == "train":
        arrays.fit(X[:48], Y[:48], batch_size=BATCH, shuffle=False, verbose=0)
        assert weights_hash(model) == weights_hash(arrays)      # the steps before it were whole
    assert np.isfinite(model.fit(Data(), verbose=0).history["loss"][0])


def test_ctrl_c_while_a_batch_is_waited_for() -> None:
    def slow() -> Iterator[Any]:
        yield from batches(X, Y)[:2]
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        yield from endless(X, Y)

    model = network()
    with pytest.raises(KeyboardInterrupt):
        model.fit(slow(), steps_per_epoch=N, verbose=0)
    assert model.history.interrupted and int(model.optimizer.iterations) <= 2
    model.fit(Data(), verbose=0)


def test_batches_are_made_in_the_background_and_may_reuse_their_array() -> None:
    names: set[str] = set()

    def reusing() -> Iterator[Any]:
        x, y = np.empty((10, 6), np.float32), np.empty(10, np.int32)
        for i in itertools.cycle(range(0, 100, 10)):
            names.add(threading.current_thread().name)
            x[...], y[...] = X[i:i + 10], Y[i:i + 10]
            yield x, y

    arrays, model = network(), network()
    expected = arrays.fit(X, Y, batch_size=10, epochs=3, shuffle=False, verbose=0)
    assert model.fit(reusing(), steps_per_epoch=10, epochs=3, verbose=0).history == expected.history
    assert names == {threading.current_thread().name, "fastnn batches"}     # the first one is looked at before


def test_the_queue_is_bounded() -> None:
    made = 0

    def counting() -> Iterator[Any]:
        nonlocal made
        for batch in endless(X, Y):
            made += 1
            yield batch

    ahead: list[int] = []

    def look(batch: int, logs: Any) -> None:
        time.sleep(0.01)
        ahead.append(made - batch - 1)

    network().fit(counting(), steps_per_epoch=30, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=look)])
    assert 1 <= max(ahead) <= 12


# ---- what is refused ---------------------------------------------------------------------------------------------


def test_arguments_that_do_not_go_with_batches() -> None:
    model = network()
    model.fit(X, Y, verbose=0)
    for name, value in dict(y=Y, batch_size=16, sample_weight=W, validation_split=0.2).items():
        assert_good_error(lambda k=name, v=value: model.fit(endless(X, Y), steps_per_epoch=2, **{k: v}), ValueError,
                          "fit()", name, unchanged=model)
    assert_good_error(lambda: model.evaluate(Data(), Y), ValueError, "evaluate()", "y ")
    assert_good_error(lambda: model.predict(Data(), batch_size=3), ValueError, "predict()", "batch_size")
    assert_good_error(lambda: model.fit(X, Y, validation_data=Data(), validation_batch_size=3), ValueError,
                      "validation_batch_size", unchanged=model)
    assert_good_error(lambda: model.fit(endless(X, Y), steps_per_epoch=2, class_weight="balanced"), ValueError,
                      "class_weight", "all labels", unchanged=model)
    assert_good_error(lambda: model.fit(endless, steps_per_epoch=2), TypeError, "endless", "call it", unchanged=model)
    assert_good_error(lambda: model.fit(itertools.cycle(batches(X, Y))), ValueError, "steps_per_epoch", "no end",
                      unchanged=model)
    assert_good_error(lambda: model.evaluate(itertools.repeat((X, Y))), ValueError, "steps=", "no end")
    assert_good_error(lambda: model.fit(X, Y, validation_data=itertools.repeat((X, Y))), ValueError,
                      "validation_steps", unchanged=model)
    assert_good_error(lambda: model.fit(endless(X, Y), steps_per_epoch=0), ValueError, "steps_per_epoch",
                      unchanged=model)


@pytest.mark.parametrize(("batch", "kind", "fragments"), [
    ((X[:5, :4], Y[:5]), ShapeError, ("(5, 4)", "(N, 6)")), ((X[:5], Y[:4]), ValueError, ("5 samples", "4")),
    ((X[:5], Y[:5] + 7), LabelError, ("3 classes",)), ((X[:5] * np.nan, Y[:5]), ValueError, ("not finite",)),
    ((X[:0], Y[:0]), ValueError, ("no samples",)), (X[:5], ValueError, ("ndarray", "(x, y)")),
    ((X[:5], Y[:5], W[:5], 3), ValueError, ("tuple of 4",)), (None, ValueError, ("NoneType",)),
    ((X[:5], None), ValueError, ("no y",)), (("text", Y[:1]), TypeError, ("text",)),
    ((X[:5], Y[:5], W[:5, None] * np.ones(2)), ShapeError, ("(5, 2)",))])
def test_a_bad_batch_is_named_by_its_number(batch: Any, kind: type[Exception], fragments: tuple[str, ...]) -> None:
    model = network()
    model.fit(X, Y, verbose=0)
    assert_good_error(lambda: model.fit(iter([batch, *batches(X, Y)]), verbose=0), kind, "fit(), batch 1", *fragments,
                      unchanged=model)
    good = batches(X, Y)[:2]
    for call, where in ((lambda x: model.fit(x, verbose=0), "fit(), batch 3"),
                        (lambda x: model.evaluate(x, verbose=0), "evaluate(), batch 3"),
                        (lambda x: model.fit(X, Y, validation_data=x, verbose=0), "validation_data, batch 3")):
        assert_good_error(lambda c=call: c(iter([*good, batch])), kind, where, *fragments)
    assert np.isfinite(model.evaluate(X, Y, verbose=0)[0])


def test_datasets_that_lack_something() -> None:
    class Empty(Data):
        def __len__(self) -> int:
            return 0

    class Endless(Data):
        @property
        def num_batches(self) -> None:
            return None

        def __getitem__(self, index: int) -> Any:
            return super().__getitem__(index % N)

    class Careless(PyDataset):      # calls no super().__init__()
        def __init__(self) -> None:
            pass

        def __len__(self) -> int:
            return N

        def __getitem__(self, index: int) -> Any:
            return batches(X, Y)[index]

    model = network()
    assert Sequence is PyDataset and fastnn.utils.Sequence is PyDataset
    assert_good_error(lambda: model.fit(Empty()), ValueError, "0 batches", unchanged=model)
    assert_good_error(lambda: model.fit(PyDataset()), NotImplementedError, "__len__", unchanged=model)
    assert_good_error(lambda: model.fit(Endless()), ValueError, "steps_per_epoch", unchanged=model)
    assert len(model.fit(Endless(workers=2), steps_per_epoch=9, epochs=2, verbose=0).epoch) == 2
    assert len(model.fit(Careless(), verbose=0).epoch) == 1
    assert [len(y) for _, y in Careless()] == [16] * 6 + [4]
    with pytest.warns(UserWarning, match="use_multiprocessing=True has no effect"):
        Data(workers=4, use_multiprocessing=True)
    assert_good_error(lambda: Data(max_queue_size=0), ValueError, "max_queue_size")
    assert_good_error(lambda: Data(workers="all"), TypeError, "workers")
