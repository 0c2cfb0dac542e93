"""The tables equal their sources, splits and makers give the same bits everywhere, bad arguments are refused."""

import hashlib
from typing import Any

import numpy as np
import pytest

from fastnn.datasets import (
    _random,
    _tables,
    breast_cancer,
    circles,
    digits,
    housing,
    moons,
    names,
    spirals,
    sunspots,
    weather,
    xor,
)
from fastnn.reference import _philox

TABLES = {"breast_cancer": breast_cancer, "digits": digits, "housing": housing}
MAKERS = {"moons": moons, "circles": circles, "spirals": spirals, "xor": xor}


def sha256(*arrays: np.ndarray) -> str:
    """Of the elements in little-endian order, so the same on every platform."""
    little = (array.astype(array.dtype.newbyteorder("<")) for array in arrays)
    return hashlib.sha256(b"".join(array.tobytes() for array in little)).hexdigest()


def sorted_rows(x: np.ndarray) -> np.ndarray:
    return x[np.lexsort(np.round(x, 5).T)]


# --- tables ---------------------------------------------------------------------------------------------------------

def test_breast_cancer_equals_sklearn() -> None:
    source = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed").load_breast_cancer()
    table = breast_cancer.load()
    assert table.data.dtype == np.float64 and np.array_equal(table.data, source.data)
    assert table.target.dtype.kind == "i" and np.array_equal(table.target, source.target)
    assert table.feature_names == tuple(source.feature_names)
    assert table.target_names == tuple(source.target_names)


def test_digits_equal_sklearn() -> None:
    source = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed").load_digits()
    table = digits.load()
    assert np.array_equal(table.data, source.data) and np.array_equal(table.target, source.target)
    assert len(table.feature_names) == 64 and table.target_names == tuple("0123456789")


def test_housing_equals_its_csv_file() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.read_csv(_tables._FOLDER / "windsor_housing.csv", index_col=0)
    table = housing.load()
    assert tuple(frame.columns) == housing.TARGET_NAMES + housing.FEATURE_NAMES
    assert np.array_equal(table.target, frame["price"].to_numpy())
    for column, name in enumerate(housing.FEATURE_NAMES):
        values = frame[name] if frame[name].dtype.kind == "i" else frame[name].map({"yes": 1, "no": 0})
        assert np.array_equal(table.data[:, column], values.to_numpy()), name


def test_weather_in_order_and_by_year() -> None:
    days = weather.load()
    assert days.data.shape == (1461, 4) and (np.diff(days.dates) == np.timedelta64(1, "D")).all()
    assert str(days.dates[0]) == "2012-01-01" and str(days.dates[-1]) == "2015-12-31"
    assert days.data[1].tolist() == [10.9, 10.6, 2.8, 4.5] and days.kind_names[days.kind[1]] == "rain"
    train, test = weather.load_data()
    assert train.shape == (1096, 4) and test.shape == (365, 4) and train.dtype == test.dtype == np.float32
    assert np.array_equal(np.concatenate([train, test]), days.data.astype(np.float32))
    assert weather.load_data(2013)[0].shape == (366, 4)
    with pytest.raises(ValueError, match="2012; needs 2013"):
        weather.load_data(2012)


def test_sunspots_and_names() -> None:
    years, numbers = sunspots.load()
    assert years.tolist() == list(range(1700, 2009)) and numbers[0] == 5 and numbers.max() == 190.2
    assert [part.shape for part in sunspots.load_data()] == [(250,), (59,)]
    with pytest.raises(ValueError, match="1 to 308"):
        sunspots.load_data(309)
    people, percent = names.load()
    assert len(people) == len(set(people)) == len(percent) == 5163 and people == sorted(people) == names.load_data()
    assert all(name.isalpha() and name.islower() and name.isascii() for name in people)


def test_housing_first_house() -> None:
    table = housing.load()
    assert table.target[0] == 42000
    assert table.data[0].tolist() == [5850, 3, 1, 2, 1, 0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize("name, train, test, x_type, y_type", [
    ("breast_cancer", (455, 30), (114, 30), np.float32, np.int32),
    ("digits", (1437, 8, 8), (360, 8, 8), np.uint8, np.int32),
    ("housing", (436, 11), (110, 11), np.float32, np.float32),
])
def test_load_data_is_keras_shaped(name: str, train: tuple, test: tuple, x_type: type, y_type: type) -> None:
    (x_train, y_train), (x_test, y_test) = TABLES[name].load_data()
    assert x_train.shape == train and y_train.shape == train[:1]
    assert x_test.shape == test and y_test.shape == test[:1]
    for x, y in ((x_train, y_train), (x_test, y_test)):
        assert x.dtype == x_type and y.dtype == y_type
        assert x.flags.c_contiguous and x.flags.writeable and y.flags.writeable


@pytest.mark.parametrize("name", TABLES)
def test_a_split_holds_every_row_once(name: str) -> None:
    table = TABLES[name].load()
    (x_train, y_train), (x_test, y_test) = TABLES[name].load_data(test_split=0.35, seed=3)
    rows = np.concatenate([np.c_[x.reshape(len(x), -1), y] for x, y in ((x_train, y_train), (x_test, y_test))])
    whole = np.c_[table.data, table.target].astype(np.float32).astype(rows.dtype)
    assert np.array_equal(rows[np.lexsort(rows.T)], whole[np.lexsort(whole.T)])


@pytest.mark.parametrize("name, golden", [
    ("breast_cancer", "5ec92742937fe37814efa692af22126a245319e9da23dea814c4d8d332200215"),
    ("digits", "c887c6f60883f975f77126c5f4a2c2bb9c50a53a64c55f6ce328e234a41a3335"),
    ("housing", "11a914de3059c81f119e2a788266970eeefd5e9e7d3d03bcfa42a1a285358e89"),
])
def test_split_of_seed_42_has_these_bits(name: str, golden: str) -> None:
    (x_train, y_train), (x_test, y_test) = TABLES[name].load_data()
    assert sha256(x_train, y_train, x_test, y_test) == golden


def test_other_seeds_split_otherwise() -> None:
    labels = [digits.load_data(seed=seed)[0][1].tobytes() for seed in (0, 1, 2, np.int64(2))]
    assert len(set(labels)) == 3 and labels[2] == labels[3]


@pytest.mark.parametrize("test_split, rows", [(0.07, 7), (0.5, 50), (0.001, 1), (0.99, 99), (np.float32(0.25), 25)])
def test_rows_of_the_test_part(test_split: float, rows: int) -> None:
    _, (x_test, _) = _tables.split("here", np.arange(100), np.arange(100), test_split, 0, classes=False)
    assert len(x_test) == rows


@pytest.mark.parametrize("test_split", [0, 1, 0.0, 1.0, -0.2, 1.5, float("nan"), float("inf"), "0.2", None, True,
                                        0.99999, 1e-12])
@pytest.mark.parametrize("name", TABLES)
def test_bad_test_split(name: str, test_split: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"datasets\.{name}\.load_data: test_split is .*needs"):
        TABLES[name].load_data(test_split=test_split)


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, None, "0", True, float("nan")])
@pytest.mark.parametrize("load", [*(table.load_data for table in TABLES.values()), *MAKERS.values()])
def test_bad_seed(load: Any, seed: Any) -> None:
    arguments = {"n": 8} if load is xor else {}
    with pytest.raises((TypeError, ValueError), match=r"datasets\.[a-z_.]+: seed is .*needs a whole number"):
        load(**arguments, seed=seed)


def test_a_class_missing_from_a_part_is_warned_about() -> None:
    with pytest.warns(UserWarning, match=r"breast_cancer.load_data: no row of class [01] among the 1 test rows"):
        breast_cancer.load_data(test_split=0.001)


def test_a_damaged_table_is_reported(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "windsor_housing.csv").write_text('"","price"\n"1",42000\n')
    monkeypatch.setattr(_tables, "_FOLDER", tmp_path)
    with pytest.raises((OSError, ValueError)):
        housing.load()


# --- generator ------------------------------------------------------------------------------------------------------

def test_generator_statistics() -> None:
    u, z = _random.uniform(0, 0, 100_000), _random.normal(0, 0, 100_000)
    assert u.min() > 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.004
    assert abs(z.mean()) < 0.013 and abs(z.std() - 1) < 0.01 and abs((z**4).mean() - 3) < 0.15
    assert abs(np.corrcoef(z[1:], z[:-1])[0, 1]) < 0.013


def test_streams_and_seeds_differ() -> None:
    draws = {_random.bits(seed, stream, 4).tobytes() for seed in range(20) for stream in range(20)}
    assert len(draws) == 400
    assert sorted(_random.permutation(5, 0, 1000).tolist()) == list(range(1000))


def test_data_do_not_share_numbers_with_a_model_of_the_same_seed() -> None:
    model = {_philox.bits(8, 0, 0, stream).tobytes() for stream in range(1000)}
    assert not model & {_random.bits(0, stream, 4).astype(">u8").view(">u4").astype("=u4").tobytes()
                        for stream in range(10)}


def test_numpys_global_state_is_not_touched() -> None:
    before = np.random.get_state()[1].tobytes()  # type: ignore[index, union-attr]
    for maker in MAKERS.values():
        maker(40)
    housing.load_data()
    assert np.random.get_state()[1].tobytes() == before  # type: ignore[index, union-attr]


# --- makers ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, golden", [
    ("moons", "05b9fbd91a5a31bb802f7e8a7944260b1454471d1335df76f3e3699d78a31c5b"),
    ("circles", "30e8aa521fd268e1383681c71c9b03c6fdbd9b592b91007626c04658ecfd02cc"),
    ("spirals", "746bd69105a3f2abeee53c5f0ea7b2419af39bd8a9df86c6dd661cc473a2bee3"),
    ("xor", "eaf6c573e639a91b0d4d4a5167eff35b1d508dc50f62d30be8f842f6c1e4b550"),
])
def test_maker_of_seed_0_has_these_bits(name: str, golden: str) -> None:
    assert sha256(*MAKERS[name](200)) == golden


@pytest.mark.parametrize("n", [2, 3, 7, 200, 1001])
@pytest.mark.parametrize("name", MAKERS)
def test_makers_shapes_and_balance(name: str, n: int) -> None:
    x, y = MAKERS[name](n, seed=7)
    assert x.shape == (n, 2) and x.dtype == np.float32 and y.shape == (n,) and y.dtype == np.int32
    assert abs(int((y == 0).sum()) - int((y == 1).sum())) <= 1 and set(y.tolist()) == {0, 1}
    assert np.isfinite(x).all()


@pytest.mark.parametrize("name", MAKERS)
def test_makers_shuffle_and_follow_the_seed(name: str) -> None:
    x, y = MAKERS[name](200)
    assert 0 < y[:100].sum() < 100
    assert np.array_equal(x, MAKERS[name](200, seed=0)[0])
    assert not np.array_equal(x, MAKERS[name](200, seed=1)[0])


@pytest.mark.parametrize("name", ["moons", "circles"])
@pytest.mark.parametrize("n", [200, 201])
def test_makers_draw_sklearns_shapes(name: str, n: int) -> None:
    sklearn = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    options = {"factor": 0.5} if name == "circles" else {}
    expected_x, expected_y = getattr(sklearn, f"make_{name}")(n, shuffle=False, **options)
    x, y = MAKERS[name](n, noise=0)
    for ours, theirs in ((0, 0), (1, 1)) if n % 2 == 0 else ():
        np.testing.assert_allclose(sorted_rows(x[y == ours]), sorted_rows(expected_x[expected_y == theirs]), atol=1e-6)
    assert abs(np.sort(x.ravel()) - np.sort(expected_x.ravel())).max() < 0.04


def test_circles_factor_and_noise() -> None:
    x, y = circles(100, noise=0, factor=0.25)
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 0, 1, 0.25), rtol=1e-6)
    noisy, _ = circles(100_000, noise=0.2, factor=0)
    assert abs(noisy[circles(100_000, noise=0.2, factor=0)[1] == 1].std() - 0.2) < 0.002


def test_spirals_have_one_arm_per_class() -> None:
    x, y = spirals(10, noise=0, classes=3)
    assert np.bincount(y).tolist() == [4, 3, 3]
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    turns = angle / (2 * np.pi) - radius - y / 3
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-6)


def test_xor() -> None:
    x, y = xor()
    assert x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]] and y.tolist() == [0, 1, 1, 0]
    assert x.dtype == np.float32 and y.dtype == np.int32
    cloud, labels = xor(401, noise=0)
    corners, counts = np.unique(cloud, axis=0, return_counts=True)
    assert corners.tolist() == x.tolist() and sorted(counts.tolist()) == [100, 100, 100, 101]
    assert np.array_equal(labels, (cloud[:, 0] != cloud[:, 1]).astype(np.int32))


@pytest.mark.parametrize("arguments, message", [
    ({"n": 1}, "n is 1"), ({"n": 0}, "n is 0"), ({"n": -5}, "n is -5"), ({"n": 10.0}, "n is 10.0"),
    ({"n": "10"}, "n is '10'"), ({"n": True}, "n is True"),
    ({"n": 9, "noise": -0.1}, "noise is -0.1"), ({"n": 9, "noise": float("nan")}, "noise is nan"),
    ({"n": 9, "noise": float("inf")}, "noise is inf"), ({"n": 9, "noise": "0.1"}, "noise is '0.1'"),
    ({"n": 9, "noise": None}, "noise is None"), ({"n": 9, "noise": 1e300}, "noise is 1e"),
])
@pytest.mark.parametrize("name", MAKERS)
def test_bad_maker_arguments(name: str, arguments: dict, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"datasets\.{name}: {message}.*needs"):
        MAKERS[name](**arguments)


def test_bad_classes_and_factor() -> None:
    for classes in (1, 0, -1, 2.0, None):
        with pytest.raises((TypeError, ValueError), match=r"datasets.spirals: classes is"):
            spirals(classes=classes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"n is 3; .*>= 4"):
        spirals(3, classes=4)
    for factor in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"datasets.circles: factor is"):
            circles(factor=factor)
