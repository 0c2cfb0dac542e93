"""What students do wrong and what they are told: each message names what came, what is needed and what to do."""

import io
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers, ops
from tests.errors import assert_mistake

X = np.random.default_rng(0).random((64, 4)).astype("float32")
Y = (X[:, 0] > 0.5).astype(int)
Y3 = np.arange(64) % 3
IMAGES = np.random.default_rng(1).random((64, 8, 8)).astype("float32")


def net(units: int = 1, activation: str = "sigmoid", loss: Any = "binary_crossentropy", optimizer: Any = "adam",
        shape: Any = (4,), metrics: Any = None) -> Any:
    model = Sequential([Input(shape), layers.Dense(8, activation="relu"), layers.Dense(units, activation=activation)])
    model.compile(optimizer, loss, metrics=metrics)
    return model


def conv(shape: Any) -> Any:
    model = Sequential([Input(shape), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def pair() -> Any:
    a, b = Input((1,)), Input((4,))
    model = fastnn.Model([a, b], layers.Dense(1)(layers.Concatenate()([a, b])))
    model.compile("adam", "mse")
    return model


class NoSuper(layers.Layer):
    def __init__(self) -> None:
        self.inner = layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.inner(x)


class WithNumpy(layers.Layer):
    def call(self, x: Any) -> Any:
        return np.tanh(x)


def sparse(array: np.ndarray) -> Any:
    """What looks like a scipy.sparse matrix."""
    return SimpleNamespace(tocsr=None, shape=array.shape)


def frame(**columns: Any) -> Any:
    return pytest.importorskip("pandas").DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], **columns})


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "an empty model": (lambda: _fit(Sequential([]), X, Y), r"sequential has no layers; add some first: Sequential\("),
    "a missing comma": (lambda: Sequential([layers.Dense(4)(layers.Dense(2))]), r"got <Dense.*Is a comma missing"),
    "two layers, no list": (lambda: Sequential(layers.Dense(4), layers.Dense(1)), r"one list of them: Sequential\("),
    "images without channels": (lambda: layers.Conv2D(4, 3)(IMAGES), r"\(64, 8, 8\); needs \(batch, rows.*x\[\.\.\."),
    "channels first": (lambda: conv((8, 8, 3)).fit(np.zeros((4, 3, 8, 8)), np.zeros(4)),
                       r"channels come first.*x\.transpose\(0, 2, 3, 1\)"),
    "flat images": (lambda: conv((8, 8, 1)).fit(np.zeros((4, 64)), np.zeros(4)), r"x\.reshape\(-1, 8, 8, 1\)"),
    "the batch in the shape": (lambda: net(shape=(64, 4)).fit(X, Y), r"If 64 is the number.*leave it out.*\(4,\)"),
    "one sample": (lambda: net().predict(X[0]), r"has shape \(4,\).*add the batch axis: x\[None\]"),
    "x and y swapped": (lambda: net().fit(Y, X), r"are x and y swapped\?"),
    "numbers against three outputs": (lambda: net(3, "linear", "mse").fit(X, Y3), r"let the last layer have 1 unit"),
    "labels against three outputs": (lambda: net(3, "softmax", "categorical_crossentropy").fit(X, Y3),
                                     r"use sparse_categorical_crossentropy"),
    "a loss in NumPy": (lambda: net(loss=lambda t, p: np.mean((t - p) ** 2)).fit(X, Y), r"with fastnn\.ops"),
    "NumPy in a layer": (lambda: Sequential([Input((4,)), WithNumpy()]), r"ops\.tanh\(x\) for np\.tanh\(x\)"),
    "super() forgotten": (lambda: NoSuper()(X), r"NoSuper: 'built' is not there yet; call super\(\)\.__init__\(\)"),
    "fit(epoch=3)": (lambda: net().fit(X, Y, epoch=3), r"fit\(\): got an unknown argument 'epoch'; did you mean 'epo"),
    "evaluate(batchsize=3)": (lambda: net().evaluate(X, Y, batchsize=3), r"did you mean 'batch_size'"),
    "compile(optimiser=)": (lambda: net().compile(optimiser="adam"), r"did you mean 'optimizer'"),
    "text in x": (lambda: net().fit(np.array([["a", "b", "c", "d"]] * 64), Y), r"x holds text, 'a'.*TextVectorization"),
    "text in one of several x": (lambda: pair().fit([np.array(["a", "b"] * 32), X], Y),
                                 r"x\[0\] holds text, 'a'.*TextVectorization"),
    "text as labels": (lambda: net().fit(X, np.array(["cat", "dog"] * 32)), r"'cat'.*names, y = numpy\.unique\(y, ret"),
    "numbers as text": (lambda: net().fit(X, np.array(["0", "1"] * 32)), r"\.astype\('float32'\)"),
    "objects of text": (lambda: net().fit(X, np.array(["0", "b"] * 32, object)), r"holds text, '0'"),
    "a file's name": (lambda: net().fit("data.csv", Y), r"'data\.csv'.*read it first"),
    "no data": (lambda: net().fit(), r"fit\(\): x is None.*needs an array"),
    "rows of two lengths": (lambda: net().fit(np.array([np.ones(2), np.ones(3)], object), Y[:2]),
                            r"arrays of different shapes, \(2,\) and \(3,\).*pad_sequences"),
    "a sparse x": (lambda: net().fit(sparse(X), Y), r"x is a sparse matrix; pass its \.toarray\(\)"),
    "a sparse y": (lambda: net().fit(X, sparse(X)), r"y is a sparse matrix; pass its \.toarray\(\)"),
    "a column of text": (lambda: net().fit(frame(d=["hi"] * 64), Y), r"column 'd' holds text, 'hi'; .*get_dummies"),
    "a column of dates": (lambda: net().fit(frame(d=np.arange(64).astype("M8[D]").astype("M8[ns]")), Y),
                          r"column 'd' holds dates; .*frame\['d'\]\.dt\.year"),
    "a column of arrays": (lambda: net().fit(frame(d=list(X)), Y), r"column 'd' holds arrays.*numpy\.stack\(list\("),
    "optimizer and loss swapped": (lambda: net(optimizer="mse", loss="adam"), r"is 'mse' and loss is 'adam'"),
    "validation_data of x": (lambda: net().fit(X, Y, validation_data=X), r"is an array of shape \(64, 4\); needs"),
    "a layer's name": (lambda: layers.Dens(3), r"has no attribute 'Dens': did you mean 'Dense'"),
    "a name that Keras dropped": (lambda: fastnn.utils.np_utils, r"utils\.to_categorical is there"),
    "a method that Keras dropped": (lambda: net().predict_classes(X), r"'predict_classes'; predict\(x\)\.argmax"),
    "a generator's method": (lambda: net().fit_generator(None), r"fit takes generators: fit\(generator\)"),
    "pretrained weights": (lambda: fastnn.keras.applications.VGG16(), r"no pretrained weights"),
    "a layer that was not called": (lambda: fastnn.Model(Input((4,)), layers.Dense(3)), r"a layer; .*layer\(x\)"),
    "a name for a number": (lambda: layers.Dense("relu"), r"units is 'relu'; needs a whole.*activation='relu'"),
    "a chain of LSTMs": (lambda: Sequential([Input((5, 4)), layers.LSTM(3), layers.LSTM(3)]), r"return_sequences=True"),
    "reading a symbol": (lambda: float(ops.sum(Input((4,)))), r"is symbolic: it has a shape but no.*fastnn\.ops"),
}


def _fit(model: Any, x: Any, y: Any) -> Any:
    model.compile("adam", "mse")
    return model.fit(x, y)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_and_mended(name: str) -> None:
    assert_mistake(*MISTAKES[name])


def test_arrays_of_equal_rows_are_data() -> None:
    """As a frame's column of arrays is: df["pixels"].values."""
    rows = np.empty(64, object)
    rows[:] = list(X)
    plain, stacked = net(), net()
    stacked.set_weights(plain.get_weights())
    assert plain.evaluate(X, Y, verbose=0) == stacked.evaluate(rows, Y, verbose=0)
    assert stacked.predict(X).tobytes() == stacked.predict(rows).tobytes()


class Mine(layers.Layer):
    def call(self, x: Any) -> Any:
        return x + ops.reshape(x, (7, 7))


def lines_of(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_tracebacks_show_the_users_lines_only() -> None:
    """The line of fit and those of the user's layer; all with disable_traceback_filtering (as the tests have it)."""
    model = Sequential([Mine(), layers.Dense(1)])
    model.compile("adam", "mse")
    fastnn.config.disable_traceback_filtering()
    assert not fastnn.config.is_traceback_filtering_enabled()
    with pytest.raises(ValueError) as whole:
        model.fit(X, Y)
    fastnn.config.enable_traceback_filtering()
    try:
        with pytest.raises(ValueError) as short:
            model.fit(X, Y)
        with pytest.raises(TypeError) as typo:
            model.fit(X, Y, epoch=3)
    finally:
        fastnn.config.disable_traceback_filtering()
    test = "test_tracebacks_show_the_users_lines_only"
    assert len(lines_of(whole.value)) > 5
    assert lines_of(short.value) == [test, "call"]
    assert lines_of(typo.value) == [test]


def test_a_script_that_fails_prints_its_own_line(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text("import fastnn\nmodel = fastnn.Sequential([fastnn.layers.Dense(1)])\nmodel.fit([[1.0]], [1.0])\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and len(lines) <= 5
    assert lines[1].startswith(f'  File "{script}", line 3') and lines[-1].startswith("RuntimeError: fit():")


def test_an_interrupt_shows_the_users_line_only() -> None:
    model = net()

    def interrupt(epoch: int, logs: Any) -> None:
        raise KeyboardInterrupt

    fastnn.config.enable_traceback_filtering()
    try:
        with pytest.raises(KeyboardInterrupt) as raised:
            model.fit(X, Y, callbacks=[fastnn.callbacks.LambdaCallback(on_epoch_end=interrupt)], verbose=0)
    finally:
        fastnn.config.disable_traceback_filtering()
    text = io.StringIO()
    traceback.print_exception(raised.value, file=text)
    assert lines_of(raised.value) == [
        "test_an_interrupt_shows_the_users_line_only", "interrupt"], text.getvalue()


TYPOS: dict[str, tuple[Callable[[], Any], str]] = {
    "a layer": (lambda: layers.Dense(4, activaton="relu"), r"^Dense: got an unknown argument 'activaton'; .*'activat"),
    "an optimizer": (lambda: fastnn.optimizers.SGD(0.1, momentm=0.9), r"unknown argument 'momentm'; .*'momentum'"),
    "a loss": (lambda: fastnn.losses.Huber(delt=1.0), r"^Huber: got an unknown argument 'delt'; .*'delta'"),
    "a metric": (lambda: fastnn.metrics.AUC(num_treshholds=3), r"^AUC: .*'num_thresholds'"),
    "a callback": (lambda: fastnn.callbacks.EarlyStopping(patiance=3), r"^EarlyStopping: .*'patience'"),
    "an initializer": (lambda: fastnn.initializers.RandomNormal(std=1), r"^RandomNormal: .*'stddev'"),
    "a regularizer": (lambda: fastnn.regularizers.L2(l_2=1), r"^L2: .*'l2'"),
    "a schedule": (lambda: fastnn.optimizers.schedules.CosineDecay(0.1, decay_step=9), r"^CosineDecay: .*'decay_st"),
    "a data set": (lambda: fastnn.datasets.iris.load_data(sed=3), r"^load_data\(\): .*'seed'"),
    "a figure": (lambda: fastnn.plotting.roc_curve(curvs=Y), r"^roc_curve\(\): .*'curves'"),
    "a helper": (lambda: fastnn.utils.to_categorical(Y, num_clases=3), r"^to_categorical\(\): .*'num_classes'"),
    "a file": (lambda: fastnn.models.load_model("a", custom_object={}), r"^load_model\(\): .*'custom_objects'"),
    "an op": (lambda: ops.softmax(X, axs=1), r"^softmax\(\): .*'axis'"),
    "a model": (lambda: fastnn.Model(input=Input((4,))), r"'input'.*'inputs'"),
    "a missing one": (lambda: layers.Dense(), r"^Dense: missing 1 .*'units'; needs Dense\(units, activation=None, "),
    "one twice": (lambda: net().fit(X, Y, x=3), r"^fit\(\): got multiple values for argument 'x'; needs fit\(x=None, "),
}


@pytest.mark.parametrize("name", TYPOS)
def test_an_argument_that_there_is_not_is_named_with_the_nearest(name: str) -> None:
    """And the traceback ends at the user's line."""
    make, pattern = TYPOS[name]
    fastnn.config.enable_traceback_filtering()
    try:
        with pytest.raises(TypeError, match=pattern) as raised:
            make()
    finally:
        fastnn.config.disable_traceback_filtering()
    assert set(lines_of(raised.value)) == {"test_an_argument_that_there_is_not_is_named_with_the_nearest", "<lambda>"}


BUILT: dict[str, Callable[[], Any]] = {
    "a constructor": lambda: layers.Dense(0),
    "a chain": lambda: Sequential([Input((4,)), layers.Conv2D(3, 3)]),
    "add": lambda: Sequential([Input((4,))]).add(layers.LSTM(3)),
    "a layer": lambda: layers.Conv2D(3, 3)(X),
    "a graph": lambda: fastnn.Model(Input((4,)), layers.Dense(3)),
    "an op": lambda: ops.relu(np.array(["a"])),
    "get_layer": lambda: net().get_layer("dens"),
    "set_weights": lambda: net().set_weights([X]),
    "trace": lambda: net().trace(X, X, samples=0),
    "a figure": lambda: fastnn.plotting.loss_curves(3),
    "a name": lambda: fastnn.datasets.irs,
}


@pytest.mark.parametrize("name", BUILT)
def test_tracebacks_end_at_the_users_line(name: str) -> None:
    fastnn.config.enable_traceback_filtering()
    try:
        with pytest.raises((TypeError, ValueError, AttributeError)) as raised:
            BUILT[name]()
    finally:
        fastnn.config.disable_traceback_filtering()
    assert set(lines_of(raised.value)) <= {"test_tracebacks_end_at_the_users_line", "<lambda>"}


def test_entrances_stay_what_they_wrap() -> None:
    import inspect
    import pickle
    assert inspect.signature(layers.Dense).parameters["units"].annotation is not None
    assert list(inspect.signature(fastnn.datasets.iris.load_data).parameters) == ["test_split", "seed"]
    assert pickle.loads(pickle.dumps(fastnn.utils.to_categorical)) is fastnn.utils.to_categorical
    assert fastnn.plotting.loss_curves.__doc__ and fastnn.layers.Dense.__init__.__name__ == "__init__"
