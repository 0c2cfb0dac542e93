"""More mistakes of students, and what each is told: what came, what is needed, what to do."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import GradientTape, Input, Sequential, callbacks, layers, losses, metrics, models, ops, optimizers, utils
from tests.errors import assert_mistake
from tests.test_messages import Y3, X, Y, net, pair

NAN = np.where(X > 0.99, np.nan, X)
STEPS = np.zeros((64, 5, 4), "float32")


class NoReturn(layers.Layer):
    def call(self, x: Any) -> Any:
        ops.relu(x)


class TakesAny(layers.Layer):
    def call(self, x: Any, **options: Any) -> Any:
        return x + np.zeros(1, bad=options)     # type: ignore[call-overload]


def of(*parts: Any, loss: Any = "mse", shape: Any = (4,)) -> Any:
    model = Sequential([Input(shape), *parts])
    model.compile("adam", loss)
    return model


def embedded() -> Any:
    return of(layers.Embedding(10, 2), layers.Flatten(), layers.Dense(1))


def gradient_of_an_array() -> Any:
    with GradientTape() as tape:
        y = ops.sum(ops.square(X))
    return tape.gradient(y, X)


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "columns missing": (lambda: net().fit(X[:, :3], Y), r"\(64, 3\) .* needs \(N, 4\).*same 4 col.*Input\(\(3,\)\)"),
    "predict of other columns": (lambda: net().predict(X[:, :3]), r"Pass the same 4 columns"),
    "one column": (lambda: net().fit(X[:, 0], Y), r"A sample is a row of 4 numbers: pass a table"),
    "other images": (lambda: of(layers.Flatten(), layers.Dense(1), shape=(8, 8, 1)).fit(np.zeros((9, 7, 7, 1)), Y[:9]),
                     r"Make the samples \(8, 8, 1\), or the model with Input\(\(7, 7, 1\)\)"),
    "NaN in x": (lambda: net().fit(NAN, Y), r"x has \d+ values that are not finite.*row \d+, column \d.*nan_to_num"),
    "lengths": (lambda: net().fit(X, Y[:60]), r"x has 64 samples and y has 60; .*Cut or shuffle them together"),
    "no rows": (lambda: net().fit(X[:0], Y[:0]), r"x has no samples; needs at least one.*print their shapes"),
    "labels 1 and 2": (lambda: net().fit(X, Y + 1), r"value 2 at row \d+.*become 0 and 1 by y - 1"),
    "labels -1 and 1": (lambda: net().fit(X, Y * 2 - 1), r"become 0 and 1 by \(y \+ 1\) / 2"),
    "three classes, one sigmoid": (lambda: net().fit(X, Y3), r"For 3 classes use 3 output units with softmax"),
    "measured, one sigmoid": (lambda: net().fit(X, X[:, 0] * 7), r"For measured numbers use mse"),
    "pixels as targets": (lambda: net().fit(X, Y * 255), r"become 0 to 1 by y / 255"),
    "one-hot, one sigmoid": (lambda: net().fit(X, utils.to_categorical(Y)),
                             r"\(64, 2\).*needs \(N, 1\).*Let the last layer have 2 units.*y\.argmax\(-1\)"),
    "labels 1..3": (lambda: net(3, "softmax", "sparse_categorical_crossentropy").fit(X, Y3 + 1),
                    r"labels 1\.\.3 but the output has 3 classes.*relabel"),
    "all steps of an LSTM": (lambda: of(layers.LSTM(3, return_sequences=True), layers.Dense(1), shape=(5, 4)).fit(
        STEPS, Y), r"layer 'lstm\w*' \(LSTM\) gives an output for each step.*Leave out its return_sequences"),
    "no Flatten": (lambda: of(layers.Conv2D(2, 3), layers.Dense(1), shape=(8, 8, 1)).fit(np.zeros((64, 8, 8, 1)), Y),
                   r"\(Dense\) got 4 axes.*Add Flatten\(\)"),
    "words beyond the table": (lambda: embedded().fit((X * 0 + 63).astype(int), Y), r"the number 63 at.*input_dim=64"),
    "words below 0": (lambda: embedded().fit((X * 0 - 1).astype(int), Y), r"the number -1 at.*Numbers begin at 0"),
    "two inputs, one array": (lambda: pair().fit(X, Y), r"array of shape \(64, 4\).*2 inputs.*Pass a list of 2 arrays"),
    "no targets": (lambda: net().evaluate(X), r"got no y; the loss needs targets: evaluate\(x, y\)"),
    "a name in the wrong place": (lambda: net().fit(X, Y, "adam"), r"batch_size is 'adam'.*batch_size=…"),
    "half of validation_data": (lambda: net().fit(X, Y, validation_data=(X,)), r"is a tuple of 1; needs \(x, y\)"),
    "swapped letters": (lambda: net(optimizer="adma"), r"'adma'; did you mean 'adam'\?"),
    "another case": (lambda: layers.Dense(1, activation="RELU6"), r"did you mean 'relu6'\?"),
    "a metric's name": (lambda: net(metrics=["acuracy"]), r"did you mean 'accuracy'\?"),
    "a loss of one argument": (lambda: net(loss=lambda p: p).fit(X, Y), r"called with \(y_true, y_pred\): .*Define it"),
    "a loss without return": (lambda: net(loss=lambda t, p: None).fit(X, Y), r"gave None.*return miss"),
    "a metric without return": (lambda: net(metrics=[lambda t, p: None]).fit(X, Y), r"the metric .* gave None"),
    "a layer without return": (lambda: Sequential([Input((4,)), NoReturn()]), r"returned None.*return miss"),
    "weights before an input": (lambda: layers.Dense(3).kernel, r"no attribute 'kernel'; its weights are made when it"),
    "a flag of call": (lambda: layers.Dense(3)(X, trainig=True), r"dense\w*: .*'trainig'; did you mean 'training'"),
    "units left out, with a name": (lambda: layers.Dense(name="a"), r"^Dense: missing .*'units'; needs Dense\(units,"),
    "a mistake inside of call": (lambda: TakesAny()(X, scale=2), r"^zeros\(\) got an unexpected keyword .*'bad'"),
    "one tensor to join": (lambda: layers.Concatenate()(X), r"needs a list of tensors: Concatenate\(\)\(\[a, b\]\)"),
    "an Input last": (lambda: Sequential([layers.Dense(3), Input((4,))]), r"only be the first.*put it before"),
    "a number for a regularizer": (lambda: layers.Dense(3, kernel_regularizer=0.01), r"got 0\.01.*: L2\(0\.01\)"),
    "an array as a source": (gradient_of_an_array, r"gradient\(\): got array.*ops\.convert_to_tensor.*tape\.watch"),
    "an optimizer's argument": (lambda: optimizers.Adam(learnig_rate=0.1), r"^Adam: .*'learning_rate'"),
    "TensorFlow's names": (lambda: ops.reduce_mean(X), r"'reduce_mean': use ops\.mean"),
    "the names of metrics": (lambda: net().fit(X, Y, verbose=0).loss, r"history\['loss'\] is there"),
    "no adapt": (lambda: layers.TextVectorization()(["a b"]), r"no vocabulary yet; call adapt\(texts\)"),
    "a class of callbacks": (lambda: net().fit(X, Y, callbacks=[callbacks.EarlyStopping]), r".*make one"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_and_mended(name: str) -> None:
    assert_mistake(*MISTAKES[name])


@pytest.mark.parametrize(("name", "pattern"), [
    ("val_loss", r"'val_loss'; there are loss; for it pass validation_data"),
    ("accuracy", r"'accuracy'; there are loss; compile\(metrics=\['accuracy'\]\) measures it"),
    ("los", r"'los'; there are loss\.")])
def test_a_history_says_how_a_name_gets_there(name: str, pattern: str) -> None:
    history = net().fit(X, Y, verbose=0)
    with pytest.raises(KeyError, match=pattern):
        history[name]
    with pytest.raises(KeyError, match=pattern):
        history.history[name]


def test_files_that_are_not_there_or_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(f"no such file in {tmp_path}; needs one that model.save()")):
        models.load_model(tmp_path / "none.fnn")
    (tmp_path / "text").write_text("no model, only some words")
    with pytest.raises(fastnn.errors.ModelFileError, match=r"no model file\.\nNeeds one that model\.save\(\) wrote"):
        models.load_model(tmp_path / "text")


def test_averages_that_have_not_settled_are_spoken_of() -> None:
    """Once, where they are used and it shows: by validation, or by evaluate after a fit; not after steps enough."""
    far = X * 20 + 50

    def model() -> Any:
        return of(layers.BatchNormalization(), layers.Dense(1))

    with pytest.warns(UserWarning, match=r"after 2 steps its moving averages.* still 98% what they began with"
                      ) as caught:
        model().fit(far, Y, epochs=1, verbose=0, validation_data=(far, Y))
    assert len(caught) == 1 and caught[0].filename == __file__
    young = model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        young.fit(far, Y, epochs=1, verbose=0)
        near = model()
        near.fit((X - 0.5) * 3, Y, epochs=1, verbose=0, validation_data=((X - 0.5) * 3, Y))     # it does not show
        old = model()
        old.fit(far, Y, epochs=400, verbose=0)
        old.evaluate(far, Y, verbose=0)
        again = model()
        again.set_weights(old.get_weights())
        again.fit(far, Y, verbose=0, validation_data=(far, Y))       # they were settled when it began
    with pytest.warns(UserWarning, match="moving averages"):
        young.evaluate(far, Y, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        young.evaluate(far, Y, verbose=0)


def test_a_normalization_that_has_seen_no_data() -> None:
    layer = layers.Normalization()
    model = of(layer, layers.Dense(1))
    with pytest.warns(UserWarning, match=r"normalization\w* has seen no data.*adapt\(x\) before fit"):
        model.fit(X, Y, verbose=0)
    layer = layers.Normalization()
    layer.adapt(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of(layer, layers.Dense(1)).fit(X, Y, verbose=0)
        of(layers.Normalization(mean=0.0, variance=1.0), layers.Dense(1)).fit(X, Y, verbose=0)


def test_errors_inside_a_users_function_stay_what_they_are() -> None:
    def loss(t: Any, p: Any) -> Any:
        return len(3)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="object of type 'int' has no len"):
        net(loss=loss).fit(X, Y)
    assert isinstance(losses.get(loss), losses.LossFunctionWrapper) or callable(losses.get(loss))
    assert metrics.MeanMetricWrapper(lambda t, p: ops.abs(t - p), "m")(X, X) == 0


class Deaf:
    """What a logging tool may put in sys.stdout's place."""
    text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


class Raising(Deaf):
    def isatty(self) -> bool:
        raise OSError("closed")


@pytest.mark.parametrize("kind", [Deaf, Raising])
def test_any_stdout_will_do(kind: type[Deaf], monkeypatch: pytest.MonkeyPatch) -> None:
    model, out = net(), kind()
    monkeypatch.setattr("sys.stdout", out)
    model.fit(X, Y)
    assert re.fullmatch(r"2/2 - \ds - \d+\w+/step - loss: \S+\n", out.text), out.text


def test_tensors_are_data_elsewhere() -> None:
    pandas = pytest.importorskip("pandas")
    from matplotlib.figure import Figure
    tensor = ops.convert_to_tensor(X[:, 0])
    assert pandas.DataFrame({"a": tensor})["a"].tolist() == X[:, 0].tolist()
    (line,) = Figure().add_subplot().plot(tensor, ops.square(tensor))
    assert np.array_equal(line.get_xdata(), X[:, 0])


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "=f4", "<f8"])
def test_numbers_in_any_order_of_bytes(dtype: str) -> None:
    """HDF5 files say "<f4" outright, FITS files ">f4"."""
    model = net()
    assert model.predict(X.astype(dtype)).tobytes() == model.predict(X).tobytes()


def test_a_data_set_of_torch_says_what_to_pass() -> None:
    kind = type("TensorDataset", (), {"__module__": "torch.utils.data.dataset"})
    with pytest.raises(TypeError, match=r"is a torch TensorDataset; pass batches: torch\.utils\.data\.DataLoader"):
        net().fit(kind(), Y)


WARNED: dict[str, Callable[[], Any]] = {
    "a callback": lambda: net().fit(X, Y, verbose=0, callbacks=[callbacks.EarlyStopping("val_loss")]),
    "a metric": lambda: net(metrics=[metrics.Accuracy()]).fit(X, Y, verbose=0),
    "images": lambda: next(fastnn.preprocessing.image.ImageDataGenerator(featurewise_center=True).flow(
        np.zeros((2, 4, 4, 1)), batch_size=2)),
    "a last layer": lambda: net(1, "linear").fit(X, Y, verbose=0),
    "a figure": lambda: fastnn.plotting.loss_curves(net().fit(X, Y, verbose=0)).show(),
}


@pytest.mark.parametrize("name", WARNED)
def test_warnings_show_the_users_line(name: str) -> None:
    with pytest.warns(UserWarning) as caught:
        WARNED[name]()
    assert [each.filename for each in caught] == [__file__]


def test_all_warnings_look_for_the_users_line() -> None:
    """By errors.warn; backend.py's come at import, when there is none."""
    package = Path(fastnn.__file__).parent
    direct = [path.name for path in sorted(package.rglob("*.py")) if "warnings.warn(" in path.read_text()]
    assert direct == ["backend.py", "errors.py"]
