"""Batches that are made in the background: threads, errors in them, what is refused."""

import itertools
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn.callbacks import LambdaCallback
from fastnn.errors import LabelError, ShapeError
from fastnn.utils import PyDataset, Sequence
from tests.errors import assert_good_error, weights_hash
from tests.generated import BATCH, Data, N, W, X, Y, batches, endless, network


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [t for t in threading.enumerate() if t.name.startswith("fastnn batches")]


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
