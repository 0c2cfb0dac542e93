"""Data sets under the names of courses, from files in the form in which Keras hands them around; nothing is fetched."""

import gzip
import hashlib
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastnn import datasets, utils
from fastnn.datasets import _download, _files
from tests.errors import assert_good_error
from tests.test_datasets_mnist import idx

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(url: str, limit: int) -> bytes:
        raise OSError("no network here")
    monkeypatch.setattr(_download, "_body", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def objects(*texts: list[int]) -> np.ndarray:
    made = np.empty(len(texts), object)
    made[:] = list(texts)
    return made


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def cifar(folder: Path, names: tuple[str, ...], labels: tuple[str, ...], packed: str = "") -> Path:
    """Batches of two images each, in a folder or in an archive."""
    batches = {name: pickle.dumps({b"data": RNG.integers(0, 256, (2, 3072)).astype("uint8"),
                                   **{key.encode(): [number, 9 - number] for key in labels}}, protocol=2)
               for number, name in enumerate(names)}
    if not packed:
        for name, content in batches.items():
            (folder / name).write_bytes(content)
        return folder
    with tarfile.open(folder / packed, "w:gz") as archive:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"inner/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return folder / packed


BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")


@pytest.mark.parametrize("packed", ["", "cifar-10-python.tar.gz"])
def test_cifar10(packed: str, tmp_path: Path) -> None:
    (x, y), (x_test, y_test) = datasets.cifar10.load_data(path=cifar(tmp_path, BATCHES, ("labels",), packed))
    assert x.shape == (10, 32, 32, 3) and x_test.shape == (2, 32, 32, 3) and x.dtype == x_test.dtype == np.uint8
    assert y.ravel().tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5] and y_test.tolist() == [[5], [4]]


def test_pixels_of_cifar_lie_where_they_belong(tmp_path: Path) -> None:
    """The files hold all reds, then all greens, then all blues of an image, row by row."""
    flat = np.arange(3072) % 251
    (tmp_path / "train").write_bytes(pickle.dumps({b"data": flat[None].astype("uint8"), b"fine_labels": [7],
                                                   b"coarse_labels": [3]}))
    (tmp_path / "test").write_bytes((tmp_path / "train").read_bytes())
    (x, y), _ = datasets.cifar100.load_data(path=tmp_path)
    assert x[0, 2, 5].tolist() == [flat[2 * 32 + 5], flat[1024 + 2 * 32 + 5], flat[2048 + 2 * 32 + 5]] and y[0, 0] == 7
    assert datasets.cifar100.load_data("coarse", path=tmp_path)[0][1].tolist() == [[3]]
    assert_good_error(lambda: datasets.cifar100.load_data("fin"), ValueError, "label_mode", "fine")


def test_fashion_mnist_and_its_cache(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "fastnn" / "fashion-mnist"
    folder.mkdir(parents=True)
    for part, count in (("train", 3), ("t10k", 2)):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(
            gzip.compress(idx(count, 28, 28)))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(count)))
    (x, y), (x_test, _) = datasets.fashion_mnist.load_data()
    assert x.shape == (3, 28, 28) and y.tolist() == [0, 1, 2] and len(x_test) == 2
    assert datasets.fashion_mnist.CLASS_NAMES[9] == "Ankle boot"


def test_imdb_as_keras_cuts_it(tmp_path: Path) -> None:
    """Expected values written out by hand from the order that RandomState(113) draws."""
    texts, labels = objects([1, 2, 3], [4, 90], [5]), np.array([1, 0, 1])
    order = np.arange(3)
    np.random.RandomState(113).shuffle(order)
    path = npz(tmp_path / "imdb.npz", x_train=texts, y_train=labels, x_test=texts, y_test=labels)
    (x, y), (x_test, _) = datasets.imdb.load_data(path=path, num_words=10)
    moved = [[1, 4, 5, 6], [1, 7, 2], [1, 8]]
    assert x.tolist() == x_test.tolist() == [moved[i] for i in order] and y.tolist() == labels[order].tolist()
    (x, _), _ = datasets.imdb.load_data(path=tmp_path, num_words=10, oov_char=None, skip_top=5, start_char=None)
    assert sorted(map(len, x.tolist())) == [1, 1, 2]
    (x, _), _ = datasets.imdb.load_data(path=tmp_path, maxlen=4, index_from=0)
    assert sorted(map(len, x.tolist())) == [2, 3]
    assert_good_error(lambda: datasets.imdb.load_data(path=tmp_path, maxlen=1), ValueError, "maxlen")
    (tmp_path / "imdb_word_index.json").write_text(json.dumps({"the": 1}))
    assert datasets.imdb.get_word_index(tmp_path) == {"the": 1}


def test_reuters(tmp_path: Path) -> None:
    npz(tmp_path / "reuters.npz", x=objects(*[[i + 1] * (i + 1) for i in range(10)]), y=np.arange(10))
    (x, y), (x_test, y_test) = datasets.reuters.load_data(path=tmp_path)
    assert len(x) == 8 and len(x_test) == 2 and sorted([*y, *y_test]) == list(range(10))
    assert all(text == [1] + [label + 4] * (label + 1) for text, label in zip([*x, *x_test], [*y, *y_test])
               if label < 9), "the largest number is one too many where num_words is None, as in Keras"
    assert len(datasets.reuters.get_label_names()) == 46


def test_housing_tables(tmp_path: Path) -> None:
    x, y = RNG.random((1000, 8)), np.arange(1000.0)
    npz(tmp_path / "california_housing.npz", x=x, y=y)
    (x_train, y_train), (_, y_test) = datasets.california_housing.load_data(path=tmp_path)
    order = np.arange(1000)
    np.random.RandomState(113).shuffle(order)
    assert y_train.tolist() == y[order][:800].tolist() and y_test.tolist() == y[order][800:].tolist()
    np.testing.assert_array_equal(x_train, x[order][:800])
    (x_small, _), _ = datasets.california_housing.load_data("small", path=tmp_path)
    assert len(x_small) == 480
    npz(tmp_path / "boston_housing.npz", x=x[:, :3], y=y)
    assert datasets.boston_housing.load_data(path=tmp_path, test_split=0.5)[0][0].shape == (500, 3)


def test_tables_in_the_package() -> None:
    for module, shape in ((datasets.iris, (150, 4)), (datasets.wine, (178, 13))):
        table = module.load()
        assert table.data.shape == shape and len(table.feature_names) == shape[1]
        assert np.bincount(table.target).tolist() == {150: [50, 50, 50], 178: [59, 71, 48]}[shape[0]]
        (x, y), (x_test, _) = module.load_data()
        assert x.dtype == np.float32 and y.dtype == np.int32 and len(x) + len(x_test) == shape[0]
    np.testing.assert_allclose(datasets.iris.load().data.mean(0), [5.843333, 3.057333, 3.758, 1.199333], atol=1e-6)
    np.testing.assert_allclose(datasets.wine.load().data[:, -1].mean(), 746.893258, atol=1e-5)


LOADERS = [datasets.fashion_mnist, datasets.cifar10, datasets.cifar100, datasets.imdb, datasets.reuters,
           datasets.boston_housing, datasets.california_housing]


@pytest.mark.parametrize("module", LOADERS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_without_network_and_file_one_line_says_what_to_do(module: Any, tmp_path: Path) -> None:
    with pytest.raises(OSError) as raised:
        module.load_data()
    text = str(raised.value)
    assert "no network here" in text and "put" in text and "path=" in text and "\n" not in text
    with pytest.raises((FileNotFoundError, NotADirectoryError), match="nowhere"):
        module.load_data(path=tmp_path / "nowhere")
    assert_good_error(lambda: module.load_data(path=7), TypeError, "path is 7")


class Evil:
    def __reduce__(self) -> Any:
        return (print, ("ran",))


def test_files_cannot_run_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for batch in BATCHES:
        (tmp_path / batch).write_bytes(pickle.dumps({b"data": Evil(), b"labels": []}))
    with pytest.raises(ValueError, match="holds no data"):
        datasets.cifar10.load_data(path=tmp_path)
    npz(tmp_path / "imdb.npz", x_train=objects([1]), y_train=np.array(Evil(), object), x_test=1, y_test=1)
    with pytest.raises(ValueError, match="holds no data"):
        datasets.imdb.load_data(path=tmp_path)
    assert capsys.readouterr().out == ""
    for content in (b"", b"PK\x03\x04 and no more", RNG.bytes(100)):
        for name, module in (("imdb.npz", datasets.imdb), ("cifar-100-python.tar.gz", datasets.cifar100)):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(ValueError, match="sound copy"):
                module.load_data(path=tmp_path / name)


def test_get_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetched once, again where its hash is another; a wrong answer is not kept; archives are unpacked."""
    asked: list[str] = []
    content = b"a,b\n1,2\n"

    def answer(url: str, limit: int) -> bytes:
        asked.append(url)
        return content
    monkeypatch.setattr(_download, "_body", answer)
    url, sha = "https://example.org/x/data.csv", hashlib.sha256(content).hexdigest()
    path = utils.get_file(origin=url, cache_dir=tmp_path)
    assert Path(path) == tmp_path / "datasets" / "data.csv" and Path(path).read_bytes() == content
    assert utils.get_file(origin=url, cache_dir=tmp_path, file_hash=sha) == path and len(asked) == 1
    Path(path).write_bytes(b"old")
    assert Path(utils.get_file(origin=url, cache_dir=tmp_path, file_hash=sha)).read_bytes() == content
    with pytest.raises(OSError, match="nothing was kept") as wrong:
        utils.get_file("other.csv", url, cache_dir=tmp_path, md5_hash="0" * 32)
    assert isinstance(wrong.value, ValueError), "as Keras'"
    assert sorted(each.name for each in (tmp_path / "datasets").iterdir()) == ["data.csv"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner/a.txt", "hello")
    content = packed.getvalue()
    folder = utils.get_file("things.zip", url, cache_dir=tmp_path, extract=True)
    assert (Path(folder) / "inner" / "a.txt").read_text() == "hello"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner/a.txt", "newer")
    content = packed.getvalue()
    (Path(folder) / "mine.txt").write_text("stays")
    assert utils.get_file("things.zip", url, cache_dir=tmp_path, extract=True, force_download=True) == folder
    assert (Path(folder) / "inner" / "a.txt").read_text() == "newer", "fetched again is unpacked again"
    assert sorted(each.name for each in Path(folder).iterdir()) == ["inner", "mine.txt"]
    content = content[:40] + b"x" * 4 + content[44:]       # damaged inside: nothing half unpacked is left
    with pytest.raises(zipfile.BadZipFile):
        utils.get_file("damaged.zip", url, cache_dir=tmp_path, extract=True)
    assert not (tmp_path / "datasets" / "damaged_extracted").exists()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("../outside")
        archive.addfile(member, io.BytesIO())
    content = packed.getvalue()
    with pytest.raises(ValueError, match="outside"):
        utils.get_file("evil.tar", url, cache_dir=tmp_path, untar=True)
    assert_good_error(lambda: utils.get_file("x"), TypeError, "origin")
    assert_good_error(lambda: utils.get_file("../x", url), ValueError, "fname", "'../x'")


@pytest.mark.parametrize(("fname", "origin", "archive", "folder"), [
    ("a.txt.tar.gz", "x.tar.gz", "a.txt.tar.gz", "a_extracted"), ("a.tgz", "x.tgz", "a.tgz", "a_extracted"),
    ("a", "x.tgz", "a_archive", "a"), (None, "x.tgz?more=1", "x.tgz_archive", "x.tgz")])
def test_archives_and_folders_have_keras_names(fname: str | None, origin: str, archive: str, folder: str,
                                               tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as made:
        made.addfile(tarfile.TarInfo("a.txt"), io.BytesIO())
    monkeypatch.setattr(_download, "_body", lambda url, limit: packed.getvalue())
    monkeypatch.setenv("HOME", str(tmp_path))
    for times in range(2):
        found = utils.get_file(fname, f"https://example.org/{origin}", extract=True, cache_dir="~",
                               cache_subdir=str(tmp_path / "mine") if times else "mine")
        assert Path(found) == tmp_path / "mine" / folder and (Path(found) / "a.txt").is_file()
    assert sorted(each.name for each in (tmp_path / "mine").iterdir()) == sorted([archive, folder])
    (tmp_path / "file" / "a.txt").parent.mkdir()
    (tmp_path / "file" / folder).write_bytes(packed.getvalue())     # what get_file without extract had fetched
    if folder != "a_extracted":
        assert utils.get_file(fname, f"https://example.org/{origin}", extract=True, cache_dir=tmp_path,
                              cache_subdir="file").endswith("_extracted")


def test_keras_own_cache_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".keras" / "datasets"
    folder.mkdir(parents=True)
    npz(folder / "boston_housing.npz", x=RNG.random((10, 13)), y=np.arange(10.0))
    assert _files.found("here", "boston_housing.npz", "", "", None) == folder / "boston_housing.npz"
    assert len(datasets.boston_housing.load_data()[0][0]) == 8
