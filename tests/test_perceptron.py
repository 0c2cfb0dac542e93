"""The Perceptron against the study guide's listing, bit for bit, and against bad input."""

import copy
import pickle

import numpy as np
import pytest

from fastnn.errors import LabelError, NotBuiltError, ShapeError
from fastnn.models.perceptron import Perceptron

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
AND, OR, XOR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0])


class Listing:
    """The guide's chapter 2, as it stands there."""

    def __init__(self, input_size, learning_rate=0.1, epochs=10):
        self.weights = np.zeros(input_size + 1)
        self.learning_rate = learning_rate
        self.epochs = epochs

    def activation(self, x):
        return 1 if x >= 0 else 0

    def predict(self, x):
        x = np.insert(x, 0, 1)
        return self.activation(np.dot(self.weights, x))

    def train(self, X, y):
        for _ in range(self.epochs):
            for xi, target in zip(X, y):
                xi = np.insert(xi, 0, 1)
                prediction = self.activation(np.dot(self.weights, xi))
                self.weights += self.learning_rate * (target - prediction) * xi


@pytest.mark.parametrize("labels", [AND, OR, XOR])
@pytest.mark.parametrize("epochs", [0, 1, 3, 10, 100])
def test_the_listing_s_weights_exactly(labels, epochs, any_backend):
    listing, ours = Listing(2, epochs=epochs), Perceptron(2, epochs=epochs)
    listing.train(X, labels)
    ours.train(X, labels)
    assert ours.weights.dtype == np.float64 and np.array_equal(ours.weights, listing.weights)
    assert [ours.predict(x) for x in X] == [listing.predict(x) for x in X]


def test_and_ends_where_the_guide_says():
    perceptron = Perceptron(input_size=2)
    assert perceptron.fit(X, AND) is perceptron
    assert np.allclose(perceptron.weights, [-0.2, 0.2, 0.1], rtol=0, atol=1e-15)
    assert [perceptron.predict(sample) for sample in X] == [0, 0, 0, 1]
    assert type(perceptron.predict(X[0])) is int
    assert perceptron.errors_[-1] == 0 and len(perceptron.errors_) == 10
    assert perceptron.score(X, AND) == 1.0 and perceptron.score(X, XOR) == 0.25


@pytest.mark.parametrize("features", [1, 2, 5, 40])
def test_random_data_as_the_listing(features, any_backend):
    rng = np.random.default_rng(features)
    data = rng.integers(-8, 9, (60, features)) / 8      # sums are exact in any order
    labels = (data @ rng.integers(-4, 5, features) > 0).astype(int)
    listing, ours = Listing(features, learning_rate=0.5, epochs=7), Perceptron(learning_rate=0.5, epochs=7)
    listing.train(data, labels)
    ours.fit(data, labels)
    assert np.array_equal(ours.weights, listing.weights)
    assert np.array_equal(ours.predict(data), [listing.predict(x) for x in data])
    assert ours.errors_[-1] == np.sum(ours.predict(data) != labels)


def test_training_again_goes_on():
    once, twice = Perceptron(2, epochs=6).fit(X, AND), Perceptron(2, epochs=3)
    twice.fit(X, AND).fit(X, AND)
    assert np.array_equal(once.weights, twice.weights)


def test_predict_before_fit_is_the_listing_s():
    assert Perceptron(2).predict([5, 5]) == 1       # zero weights: step(0) = 1
    with pytest.raises(NotBuiltError, match="fit"):
        Perceptron().predict([1, 2])
    with pytest.raises(NotBuiltError):
        Perceptron().score(X, AND)


def test_predict_of_one_and_of_many():
    perceptron = Perceptron(2).fit(X, OR)
    many = perceptron.predict(X)
    assert many.tolist() == [0, 1, 1, 1] and many.dtype.kind == "i"
    assert perceptron.predict(X[:1]).tolist() == [0] and perceptron.predict(np.empty((0, 2))).shape == (0,)
    one = Perceptron().fit([-1, -2, 1, 2], [0, 0, 1, 1])
    assert one.input_size == 1 and one.predict(3) == 1 and one.predict([3]) == 1
    assert one.predict([-3, 3]).tolist() == [0, 1]


def test_the_step_can_be_looked_at():
    perceptron = Perceptron(2).fit(X, AND)
    assert len(perceptron.program) == 1 and "perceptron_step(weights, x, y" in str(perceptron.program)


def zoo():
    x = np.asarray(X, np.float64)
    wide = np.zeros((8, 4))
    wide[::2, ::2] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    return {"list": X.tolist(), "fortran": np.asfortranarray(x), "strided": wide[::2, ::2], "read only": read_only,
            "big endian": x.astype(">f8"), "half": x.astype("float16"), "uint8": X.astype("uint8"),
            "bool": X.astype(bool), "reversed": x[::-1][::-1], "int64": X}


@pytest.mark.parametrize("layout", zoo())
def test_every_layout_of_the_same_numbers(layout):
    data = zoo()[layout]
    before = copy.deepcopy(data)
    for labels in (AND, AND.tolist(), AND.astype(bool), AND.astype("uint8"), AND[:, None], AND.astype(">f4")):
        assert np.array_equal(Perceptron().fit(data, labels).weights, Perceptron(2).fit(X, AND).weights)
    assert np.array_equal(np.asarray(before), np.asarray(data))


def test_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b"])
    perceptron = Perceptron().fit(frame, pandas.Series(AND))
    assert perceptron.predict(frame).tolist() == [0, 0, 0, 1]
    with pytest.raises(TypeError, match=r"text|objects"):
        Perceptron().fit(pandas.DataFrame({"a": ["x", "y"], "b": [1, 2]}), [0, 1])


BAD = [
    (LabelError, X, [0, 0, 0, 2], "2 at row 3"), (LabelError, X, [-1, 1, 1, 1], r"\(y \+ 1\)"),
    (LabelError, X, [0, 0, 0.5, 1], "0.5 at row 2"), (LabelError, X, [0, 0, np.nan, 1], "nan at row 2"),
    (TypeError, X, ["no", "no", "no", "yes"], "text"), (ShapeError, X, [0, 1], r"needs \(4,\)"),
    (ShapeError, X, np.eye(4), r"needs \(4,\)"), (ShapeError, X[:, :1], AND, "has 1 features; needs 2"),
    (ShapeError, X[0], AND, r"shape \(2,\)"), (ShapeError, X[None], AND, r"\(1, 4, 2\)"),
    (ValueError, [[0, 0], [0, np.nan], [1, np.inf], [1, 1]], AND, "2 values.*row 1, column 1"),
    (ValueError, np.empty((0, 2)), [], "no rows"), (TypeError, [[0, 0], [1]], [0, 1], "ragged"),
    (TypeError, X * 1j, AND, "complex"), (TypeError, np.ma.masked_equal(X, 1), AND, "mask"),
    (TypeError, np.array([[None, 1]] * 4), AND, "objects"), (ValueError, X * 1e308 * 1.5, XOR, "overflow|not finite")]


@pytest.mark.parametrize("kind, data, labels, text", BAD)
def test_bad_data_is_refused_and_changes_nothing(kind, data, labels, text):
    perceptron = Perceptron(2, learning_rate=10.0).fit(X, AND)
    before = copy.deepcopy(vars(perceptron) | {"program": None})
    program = perceptron.program
    with pytest.raises(kind, match=text) as error:
        perceptron.fit(data, labels)
    assert len(str(error.value).splitlines()[0]) <= 200
    after = vars(perceptron) | {"program": None}
    assert all(np.array_equal(before[key], after[key]) for key in before) and perceptron.program is program


def test_bad_data_for_predict():
    perceptron = Perceptron(2).fit(X, AND)
    with pytest.raises(ShapeError, match=r"3 features|\(3,\)"):
        perceptron.predict([1, 2, 3])
    with pytest.raises(ShapeError, match="has 3 features; needs 2"):
        perceptron.predict(np.ones((4, 3)))
    with pytest.raises(ValueError, match="not finite"):
        perceptron.predict([1, np.nan])
    with pytest.raises(ShapeError):
        perceptron.predict(1)


@pytest.mark.parametrize("kind, wrong", [
    (ValueError, {"input_size": 0}), (TypeError, {"input_size": 2.0}), (TypeError, {"input_size": True}),
    (ValueError, {"epochs": -1}), (TypeError, {"epochs": 1.5}), (ValueError, {"learning_rate": 0}),
    (ValueError, {"learning_rate": -0.1}), (ValueError, {"learning_rate": np.nan}),
    (TypeError, {"learning_rate": "0.1"}), (TypeError, {"learning_rate": True}),
    (ValueError, {"learning_rate": np.inf})])
def test_arguments(kind, wrong):
    with pytest.raises(kind, match=next(iter(wrong))):
        Perceptron(**wrong)


def test_what_is_set_later_is_checked_by_fit():
    perceptron = Perceptron(2)
    perceptron.learning_rate = -1
    with pytest.raises(ValueError, match="learning_rate"):
        perceptron.fit(X, AND)
    perceptron.learning_rate, perceptron.weights = 0.1, [0, 0]
    with pytest.raises(ShapeError, match=r"needs \(3,\)"):
        perceptron.fit(X, AND)
    perceptron.weights = [-1, 1, 1]       # the user's own
    assert perceptron.predict([1, 0]) == 1 and perceptron.predict([0, 0]) == 0


def test_can_be_pickled_and_copied():
    perceptron = Perceptron().fit(X, AND)
    for twin in (pickle.loads(pickle.dumps(perceptron)), copy.deepcopy(perceptron)):
        assert np.array_equal(twin.weights, perceptron.weights) and twin.predict([1, 1]) == 1
        twin.fit(X, OR)
    assert perceptron.predict([0, 1]) == 0
    assert repr(perceptron) == "Perceptron(input_size=2, learning_rate=0.1, epochs=10)"
