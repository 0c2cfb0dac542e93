"""Lookups and Hashing: the numbers of Keras, unknown tokens too; in models IntegerLookup computes the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.errors import ShapeError
from fastnn.layers._hashes import farmhash64, siphash64
from tests.errors import assert_good_error

# of TensorFlow's to_hash_bucket_fast, and _strong with the key (133, -5), modulo 2**63 - 1, by the length of `data`
FARMHASH = {
    0: 1936946117179621456, 1: 5161771770385946686, 3: 4662423180930907492, 4: 4685977051251400297,
    7: 8010051901585887497, 8: 3403648104430010921, 16: 663651183927826905, 17: 7736696382783243920,
    32: 3992320350721670009, 33: 5910987537513190125, 64: 496021707010269991, 65: 3209512396189334845,
    128: 637281534562233925, 129: 2623547578443077798, 300: 925641206987745477}
SIPHASH = {
    0: 3039370540995186097, 1: 4969635702145282310, 3: 4478494975020142161, 4: 6950407370159995878,
    7: 5563405362293690372, 8: 5417692712177905742, 16: 7813853286734185940, 17: 2480125739835165377,
    32: 750040830444622012, 33: 1107584554995623330, 64: 7701848377979437507, 65: 3129243715923121150,
    128: 5110325443789805948, 129: 6707539401765875722, 300: 2090498528824141949}


@pytest.mark.parametrize("size", FARMHASH)
def test_hashes_are_those_of_tensorflow(size: int) -> None:
    data = bytes((7 * i + size) % 251 for i in range(size))
    assert farmhash64(data) % (2 ** 63 - 1) == FARMHASH[size]
    assert siphash64(data, (133, -5)) % (2 ** 63 - 1) == SIPHASH[size]


@pytest.mark.parametrize(("salt", "strings", "bins", "counts", "integers"), [
    (None, [[2, 1], [5, 3]], [2, 3, 3, 3], [[0, 0, 2, 0], [1, 0, 0, 1]], [3, 1, 0, 2]),
    (7, [[3, 2], [5, 3]], [1, 3, 2, 2], [[0, 1, 1, 0], [1, 0, 1, 0]], [3, 0, 0, 0]),
    ([1, 2], [[4, 1], [5, 0]], [0, 0, 2, 3], [[0, 0, 2, 0], [1, 0, 1, 0]], [3, 0, 1, 1])])
def test_unknown_tokens_have_keras_numbers(salt: Any, strings: Any, bins: Any, counts: Any, integers: Any) -> None:
    """Keras' own results, with and without salt."""
    texts = [["b", "Straße"], ["a", ""]]
    lookup = layers.StringLookup(vocabulary=["a"], num_oov_indices=5, salt=salt)
    np.testing.assert_array_equal(lookup(texts), strings)
    np.testing.assert_array_equal(layers.Hashing(4, salt=salt)(["b", "Straße", "a", ""]), bins)
    np.testing.assert_array_equal(layers.Hashing(4, mask_value="a", output_mode="count", salt=salt)(texts), counts)
    hashed = layers.IntegerLookup(vocabulary=[5], num_oov_indices=3, oov_method="farmhash", salt=salt)
    np.testing.assert_array_equal(hashed([5, -4, 77, 10 ** 12]), integers)


def test_unknown_numbers_by_their_remainder() -> None:
    np.testing.assert_array_equal(
        layers.IntegerLookup(vocabulary=[5], num_oov_indices=3)([5, -4, 77, 10 ** 12]), [3, 2, 2, 1])
    np.testing.assert_array_equal(
        layers.IntegerLookup(vocabulary=[5], num_oov_indices=3, mask_token=0)([0, 5, -4, 77]), [0, 4, 3, 3])
    np.testing.assert_array_equal(layers.Hashing(4)([3, -4, 12]), [1, 2, 0])


@pytest.mark.parametrize("options", [
    {}, {"num_oov_indices": 3, "mask_token": 0}, {"num_oov_indices": 2, "output_mode": "count"},
    {"output_mode": "tf_idf", "idf_weights": [0.5, 2.0]}, {"output_mode": "one_hot", "mask_token": 0},
    {"output_mode": "multi_hot", "max_tokens": 9, "pad_to_max_tokens": True}], ids=str)
def test_integers_are_looked_up_in_a_model(options: Any, any_backend: str) -> None:
    """The same numbers as directly, and those of a new vocabulary after it."""
    lookup = layers.IntegerLookup(vocabulary=[4, 6], **options)
    model = fastnn.Sequential([fastnn.Input((3,), dtype="int32"), lookup])
    x = np.array([[4, 0, 7], [6, 6, -5], [0, 7, 6]])
    for vocabulary in ([4, 6], [7, 0] if "mask_token" not in options else [7, 6]):
        lookup.set_vocabulary(vocabulary, options.get("idf_weights"))
        want = np.asarray(lookup(x))
        np.testing.assert_array_equal(model.predict(x, verbose=0), want)
        np.testing.assert_array_equal(model.predict(x[:1], verbose=0), want[:1])
        assert model.output_shape == (None, *want.shape[1:])


def test_integers_that_a_model_cannot_look_up() -> None:
    lookup = layers.IntegerLookup(vocabulary=[4, 6], num_oov_indices=0, name="codes")
    model = fastnn.Sequential([fastnn.Input((1,), dtype="int32"), lookup])
    np.testing.assert_array_equal(model.predict([[6], [4]], verbose=0), [[1], [0]])
    assert_good_error(lambda: model.predict([[6], [5]], verbose=0), ValueError, "codes", "5", "num_oov_indices")
    wide = layers.IntegerLookup(vocabulary=[2 ** 40, 7])       # a model's numbers are int32
    np.testing.assert_array_equal(fastnn.Sequential([fastnn.Input((3,), dtype="int32"), wide]).predict(
        [[7, 0, 2]], verbose=0), wide([[7, 0, 2]]))
    flat = layers.IntegerLookup(vocabulary=[4], output_mode="count")
    assert_good_error(lambda: flat(fastnn.Input((), dtype="int32")), ShapeError, "(None,)", "Input(shape=(1,)")


@pytest.mark.filterwarnings("ignore:predict step")
@pytest.mark.parametrize("make", [
    lambda: layers.IntegerLookup(vocabulary=[4], num_oov_indices=5, oov_method="farmhash", salt=3),
    lambda: layers.Hashing(7), lambda: layers.Hashing(4, mask_value=6, output_mode="count")])
def test_numbers_are_hashed_at_every_step(make: Any) -> None:
    layer = make()
    model = fastnn.Sequential([fastnn.Input((2,), dtype="int32"), layer])
    for begin in (4, 300):
        x = np.arange(begin, begin + 80).reshape(40, 2)
        np.testing.assert_array_equal(model.predict(x, batch_size=8, verbose=0), layer(x))


@pytest.mark.parametrize("make", [
    lambda **more: layers.StringLookup(vocabulary=["ä", "b"], **more),
    lambda **more: layers.TextVectorization(vocabulary=["ä", "b"], **more)])
def test_bytes_are_read_by_their_encoding(make: Any, tmp_path: Path) -> None:
    data = ["ä".encode("latin-1"), b"b"]
    np.testing.assert_array_equal(np.ravel(make(encoding="latin-1")(data)), np.ravel(make()(["ä", "b"])))
    with pytest.raises(UnicodeDecodeError):
        make()(data)
    (tmp_path / "words.txt").write_bytes("ä\nb\n".encode("latin-1"))
    other = type(make())(vocabulary=tmp_path / "words.txt", encoding="latin-1")
    assert other.get_vocabulary() == make().get_vocabulary()


@pytest.mark.parametrize("strange", [None, float("nan"), ["b"], pytest.param(np.datetime64("NaT"), id="NaT")], ids=str)
@pytest.mark.parametrize("form", [list, lambda texts: np.array([*texts, 0], object)[:-1]], ids=["list", "array"])
@pytest.mark.parametrize("make", [
    lambda: layers.StringLookup(vocabulary=["a"], name="reads"), lambda: layers.Hashing(3, name="reads"),
    lambda: layers.TextVectorization(vocabulary=["a"], name="reads")], ids=["lookup", "hashing", "vectorization"])
def test_what_is_missing_is_no_text(make: Any, form: Any, strange: Any) -> None:
    layer = make()
    texts = form(["a", strange])
    if isinstance(strange, list) and form is list:
        return          # NumPy's own error
    assert_good_error(lambda: layer(texts), TypeError, "reads", "needs text")
    if hasattr(layer, "adapt"):
        assert_good_error(lambda: layer.adapt(texts), TypeError, "reads", "needs text")


@pytest.mark.parametrize(("make", "kind", "texts"), [
    (lambda: layers.Hashing(3)(np.array([np.nan])), TypeError, ("float64", "whole numbers")),
    (lambda: layers.StringLookup(vocabulary=["a"], invert=True)([1.5]), TypeError, ("float64", "invert", "whole num")),
    (lambda: layers.StringLookup(vocabulary=["a"], invert=True)(["a"]), TypeError, ("invert", "whole numbers")),
    (lambda: layers.Hashing(3)(np.array([1.5])), TypeError, ("float64", "whole numbers")),
    (lambda: layers.IntegerLookup(vocabulary=[1])([1, np.nan]), TypeError, ("nan", "whole numbers")),
    (lambda: layers.IntegerLookup(vocabulary=[1])([1.5]), TypeError, ("1.5", "whole numbers")),
    (lambda: layers.IntegerLookup().adapt([1, None]), TypeError, ("None", "whole numbers")),
    (lambda: layers.StringLookup(sparse=True), ValueError, ("StringLookup: sparse", "dense")),
    (lambda: layers.IntegerLookup(sparse=True), ValueError, ("IntegerLookup: sparse", "dense")),
    (lambda: layers.TextVectorization(ragged=True), ValueError, ("TextVectorization: ragged", "dense")),
    (lambda: layers.Hashing(3, sparse=True), ValueError, ("Hashing: sparse", "dense")),
    (lambda: layers.Hashing(0), ValueError, ("num_bins", ">= 1")),
    (lambda: layers.Hashing(3, salt=[1, 2, 3]), ValueError, ("salt", "or two")),
    (lambda: layers.Hashing(3, salt="pepper"), TypeError, ("salt", "'pepper'")),
    (lambda: layers.Hashing(3, dtype="float16"), ValueError, ("Hashing: dtype", "int32")),
    (lambda: layers.Hashing(3)(np.array([1j])), TypeError, ("complex128", "text")),
    (lambda: layers.Hashing(3, mask_value=0.5), TypeError, ("mask_value is 0.5", "whole number")),
    (lambda: layers.StringLookup(encoding="utf-9"), ValueError, ("StringLookup: encoding", "'utf-9'", "utf-8")),
    (lambda: layers.TextVectorization(encoding=8), TypeError, ("TextVectorization: encoding", "8", "utf-8")),
    (lambda: layers.IntegerLookup(salt=3), ValueError, ("salt is 3", "farmhash")),
    (lambda: layers.IntegerLookup(oov_method="md5"), ValueError, ("oov_method", "'md5'", "farmhash")),
    (lambda: layers.IntegerLookup(vocabulary_dtype="int32"), ValueError, ("vocabulary_dtype", "int64")),
    (lambda: layers.StringLookup(invert=True, output_mode="count"), ValueError, ("invert", "'count'", "int"))])
def test_arguments_that_say_nothing_sensible(make: Any, kind: type[Exception], texts: tuple[str, ...]) -> None:
    assert_good_error(make, kind, *texts)


@pytest.mark.parametrize("kind, known", [(layers.StringLookup, ["a", "b"]), (layers.IntegerLookup, [7, 5])])
def test_lookups_by_rank(kind: Any, known: Any) -> None:
    """one_hot is a row for each token; of the others a vector is one sample."""
    def make(mode: str) -> Any:
        return kind(vocabulary=known, output_mode=mode)
    a, b = known
    hot = make("one_hot")
    np.testing.assert_array_equal(hot([[a, b], [b, a]]), np.eye(3)[[[1, 2], [2, 1]]])
    np.testing.assert_array_equal(hot([[a], [b]]), np.eye(3)[[1, 2]])
    np.testing.assert_array_equal(hot([a, b]), np.eye(3)[[1, 2]])
    np.testing.assert_array_equal(hot(b), np.eye(3)[2])
    for mode in ("multi_hot", "count"):
        np.testing.assert_array_equal(make(mode)([a, b]), [0, 1, 1])
        np.testing.assert_array_equal(make(mode)([[a], [b]]), np.eye(3)[[1, 2]])
    np.testing.assert_array_equal(make("count")([a, b, a]), [0, 2, 1])
