"""An interrupt at any line of fit, evaluate, predict or train_on_batch leaves a model that can be used."""

import os
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers
from fastnn.engine import context, restored

PACKAGE = os.path.dirname(fastnn.__file__) + os.sep
X = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)


def network(*first: Any) -> Sequential:
    model = Sequential([*first, layers.Dense(3, activation="tanh"), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


CALLS: dict[str, Callable[[Any], Any]] = {
    "fit": lambda m: m.fit(X, Y, epochs=3, batch_size=10, verbose=0, validation_data=(X[:6], Y[:6])),
    "fit on batches": lambda m: m.fit(((X[:8], Y[:8]) for _ in range(4)), epochs=2, steps_per_epoch=2, verbose=0),
    "evaluate": lambda m: m.evaluate(X, Y, batch_size=10, verbose=0),
    "predict": lambda m: m.predict(X, batch_size=10, verbose=0),
    "train_on_batch": lambda m: m.train_on_batch(X, Y),
}


def traced(call: Callable[[], Any], at_line: Callable[[Any], None]) -> None:
    """call(), with at_line(frame) at each line of the package that runs."""
    def trace(frame: Any, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            at_line(frame)
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)


def lines_of(call: Callable[[], Any]) -> list[int]:
    """Of each line of the package that runs, the count of lines at its first and at its last time."""
    first: dict[tuple[Any, int], int] = {}
    last: dict[tuple[Any, int], int] = {}
    count = 0

    def note(frame: Any) -> None:
        nonlocal count
        count += 1
        last[frame.f_code, frame.f_lineno] = count
        first.setdefault((frame.f_code, frame.f_lineno), count)

    traced(call, note)
    return sorted({*first.values(), *last.values()})


def interrupted(call: Callable[[], Any], line: int) -> tuple[int, bool]:
    """(how many lines of the package ran, whether the interrupt came out) with KeyboardInterrupt at one of them."""
    count = 0

    def interrupt(frame: Any) -> None:
        nonlocal count
        count += 1
        if count == line:
            raise KeyboardInterrupt

    errors = np.geterr()
    try:
        traced(call, interrupt)
        return count, False
    except KeyboardInterrupt:
        return count, True
    finally:
        np.seterr(**errors)     # the trace comes before the end of a `with np.errstate`, and keeps it from happening


def shared_state() -> list[dict[str, Any]]:
    """What `with` blocks of all modules have set on this thread."""
    found = [{**vars(type(state)), **vars(state)} for state in restored._shared]     # defaults are the class's
    return [{name: [*value] if isinstance(value, (list, set)) else value for name, value in each.items()
             if not isinstance(value, weakref.WeakSet)} for each in found]


def interrupt_and_look(model: Any, call: Callable[[Any], Any], line: int) -> tuple[int, bool]:
    """interrupted() at a line of call(model), and that the model is whole after it."""
    before = shared_state()
    found = interrupted(lambda: call(model), line)
    assert shared_state() == before, f"line {line}"
    history = model.history
    if history is not None:
        assert {len(v) for v in history.history.values()} <= {len(history.epoch)}, f"line {line}"
    assert not [f.mode for f in model._feeds if f.busy], f"line {line}: a feed is busy"
    steps = int(model.optimizer.iterations)
    record = model.fit(X, Y, epochs=2, batch_size=12, verbose=0)        # not busy
    assert len(record.epoch) == 2 and int(model.optimizer.iterations) == steps + 4, f"line {line}"
    assert np.isfinite(model.evaluate(X, Y, verbose=0)).all() and model.predict(X, verbose=0).shape == (24, 1)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["building", "recording", "replaying"])
def test_an_interrupt_at_any_line(name: str, kind: str) -> None:
    """Each source line, at the first and at the last time it runs; FASTNN_TEST_STRIDE=1 takes all, else every 20th."""
    call, given = CALLS[name], [] if kind == "building" else [Input((4,))]
    call(network(*given))       # what runs once in a process is no part of it
    fitted = network(*given)
    if kind == "replaying":
        call(fitted)
        call(fitted)
    lines = lines_of(lambda: call(fitted))[::int(os.environ.get("FASTNN_TEST_STRIDE", 20))]
    reached, lost = 0, []
    for line in lines:
        ran, raised = interrupt_and_look(fitted if kind == "replaying" else network(*given), call, line)
        reached += ran >= line
        if ran >= line and not raised:
            lost.append(line)
        if kind == "replaying":
            call(fitted)
    assert reached > 0.9 * len(lines) and not lost, f"{reached} of {len(lines)} reached, lost at {lost}"


class Interrupted(layers.Layer):
    """Ctrl-C on the line after a recording has begun, which nobody is there to end."""

    def call(self, x: Any) -> Any:
        context._context.recordings.append(context.Recording())
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", CALLS)
def test_a_recording_that_nobody_ends_is_over_when_the_call_is(name: str) -> None:
    model = Sequential([Interrupted()])
    model.compile("sgd", "mse")
    with pytest.raises(KeyboardInterrupt):
        CALLS[name](model)
    assert not context.is_recording()


def test_a_feed_whose_reader_is_gone_is_free() -> None:
    """An interrupt may come after a feed was taken and before anybody knows that."""
    model = network(Input((4,)))
    model.predict(X, batch_size=10, verbose=0)
    arrays = {"x0": X}

    class Reader:
        pass

    reader: Any = Reader()
    feed = model._feeds.take("predict", arrays, reader)
    assert feed.busy and model._feeds.take("predict", arrays, other := Reader()) is not feed and other is not None
    del reader
    assert not feed.busy and model._feeds.take("predict", arrays, Reader()) is feed


def test_what_an_interrupt_leaves_open_is_closed() -> None:
    with pytest.raises(KeyboardInterrupt), restored.restored():
        context._context.recordings.append(context.Recording())     # as recording() does; its end is not reached
        context.open_tape()
        raise KeyboardInterrupt
    assert not context.is_recording() and not context.open_tape_number()
