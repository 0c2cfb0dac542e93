"""What callbacks write of a fit: CSV files, a server, event files of TensorBoard."""

import csv
import http.server
import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

import fastnn
from fastnn import callbacks
from fastnn.callbacks import CSVLogger
from tests.errors import assert_good_error
from tests.test_checkpoints import X, Y, epochs, losses, network

# ---- logs ----------------------------------------------------------------------------------------------------------

def test_csv_lines_can_be_read_while_fit_runs(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    seen: list[int] = []
    look = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: seen.append(len(path.read_text().splitlines())))
    record = network().fit(X, Y, epochs=3, verbose=0, callbacks=[CSVLogger(path), look], validation_split=0.25)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert seen == [2, 3, 4] and [int(row["epoch"]) for row in rows] == [0, 1, 2]
    assert list(rows[0]) == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [float(row["val_mae"]) for row in rows] == record.history["val_mae"]


def test_csv_goes_on_or_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    epochs(CSVLogger(path, separator=";"), [{"loss": 1.0}, {"loss": 2.0, "val_loss": 3.0}])
    assert path.read_text().split() == ["epoch;loss;val_loss", "0;1.0;NA", "1;2.0;3.0"]
    epochs(CSVLogger(path, separator=";", append=True), [{"loss": 4.0}])
    assert path.read_text().split() == ["epoch;loss;val_loss", "0;1.0;NA", "1;2.0;3.0", "0;4.0;NA"]
    epochs(CSVLogger(path), [{"loss": 5.0, "f": np.array([1.0, 2.0])}])
    assert next(csv.reader([path.read_text().splitlines()[1]]))[1] == '"[1.0, 2.0]"'
    assert_good_error(lambda: epochs(CSVLogger(tmp_path / "no" / "log.csv"), losses(1)), OSError)
    with pytest.raises(ValueError, match="one character"):
        CSVLogger(path, separator="::")


def test_csv_of_a_resumed_fit_has_each_epoch_once(tmp_path: Path) -> None:
    def program(stop: bool) -> None:
        def last(epoch: int, logs: Any) -> None:
            if stop and epoch == 2:
                raise MemoryError

        network().fit(X, Y, epochs=4, verbose=0, callbacks=[
            callbacks.BackupAndRestore(tmp_path / "b"), CSVLogger(tmp_path / "log.csv"),
            callbacks.LambdaCallback(on_epoch_end=last)])

    for gone, lines in ((False, "0123"), (True, "23")):
        with pytest.raises(MemoryError):
            program(True)
        if gone:
            (tmp_path / "log.csv").unlink()
        program(False)
        assert [line.split(",")[0] for line in (tmp_path / "log.csv").read_text().split()] == ["epoch", *lines]


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    """(address, what was posted)."""
    got: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            got.append((self.path, self.headers["Content-Type"], self.headers.get("X-Key"), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    listening = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", got
    listening.shutdown()
    listening.server_close()
    thread.join()


def test_remote_monitor_posts_the_logs(server: tuple[str, list[Any]]) -> None:
    root, got = server
    epochs(callbacks.RemoteMonitor(root), losses(0.5))
    other = callbacks.RemoteMonitor(root, path="/x", headers={"X-Key": "k"}, send_as_json=True)
    epochs(other, [{"loss": np.float32(2)}])
    (path, kind, _, body), second = got
    assert path == "/publish/epoch/end/" and kind == "application/x-www-form-urlencoded"
    assert json.loads(parse_qs(body)["data"][0]) == {"epoch": 0, "loss": 1.0, "val_loss": 0.5}
    assert second[:3] == ("/x", "application/json", "k") and json.loads(second[3]) == {"epoch": 0, "loss": 2.0}


def test_a_server_that_is_not_there_is_a_warning() -> None:
    with pytest.warns(UserWarning, match="could not reach"):
        epochs(callbacks.RemoteMonitor("http://127.0.0.1:1"), losses(0.5))
    with pytest.raises(ValueError, match="http://"):
        callbacks.RemoteMonitor("file:///etc/passwd")


# ---- TensorBoard ---------------------------------------------------------------------------------------------------

def events(folder: Path) -> dict[str, list[tuple[int, str]]]:
    """{tag: [(step, kind)]} of the event files in a folder."""
    from tensorboardX.proto import event_pb2 as proto
    found: dict[str, list[tuple[int, str]]] = {}
    for file in folder.glob("events*"):
        data, at = file.read_bytes(), 0
        while at < len(data):       # length, its checksum, the event, its checksum
            size = int.from_bytes(data[at:at + 8], "little")
            event = proto.Event.FromString(data[at + 12:at + 12 + size])
            at += 16 + size
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.WhichOneof("value")))
    return found


@pytest.mark.skipif(importlib.util.find_spec("tensorboardX") is None, reason="the extra tensorboard is not installed")
def test_event_files(tmp_path: Path) -> None:
    board = callbacks.TensorBoard(tmp_path, histogram_freq=2, write_images=True, update_freq=2,
                                  write_steps_per_second=True)
    model = network()
    model.fit(X, Y, epochs=3, batch_size=10, verbose=0, validation_split=0.25, callbacks=[board])
    model.evaluate(X, Y, verbose=0, callbacks=[board])
    train, validation = events(tmp_path / "train"), events(tmp_path / "validation")
    assert train["epoch_loss"] == train["epoch_mae"] == [(n, "simple_value") for n in range(3)]
    assert train["batch_loss"] == [(n, "simple_value") for n in (2, 4, 6, 8)] and len(train["model"]) == 1
    assert [n for n, _ in train["epoch_steps_per_second"]] == [0, 1, 2]
    histograms = [tag for tag in train if tag.endswith("/histogram")]
    assert len(histograms) == 4 and all(train[tag] == [(0, "histo"), (2, "histo")] for tag in histograms)
    assert {kind for tag in train if tag.endswith("/image") for _, kind in train[tag]} == {"image"}
    assert validation["epoch_loss"] == [(n, "simple_value") for n in range(3)]
    assert validation["evaluation_loss_vs_iterations"] == [(9, "simple_value")]


def test_tensorboard_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert_good_error(lambda: network().fit(X, Y, verbose=0, callbacks=[callbacks.TensorBoard(tmp_path)]), ImportError,
                      "fastnn[tensorboard]")
    for wrong in ({"profile_batch": 2}, {"embeddings_freq": -1}, {"update_freq": "step"}, {"histogram_freq": -1}):
        with pytest.raises((ValueError, TypeError), match=next(iter(wrong))):
            callbacks.TensorBoard(tmp_path, **wrong)


@pytest.mark.skipif(importlib.util.find_spec("tensorboardX") is None, reason="the extra tensorboard is not installed")
def test_tables_of_embeddings_for_the_projector(tmp_path: Path) -> None:
    model = fastnn.Sequential([fastnn.Input((3,), dtype="int32"), fastnn.layers.Embedding(5, 2, name="words"),
                               fastnn.layers.Flatten(), fastnn.layers.Dense(1)])
    model.compile("sgd", "mse")
    ids, y = np.arange(12).reshape(4, 3) % 5, np.zeros((4, 1))
    (tmp_path / "names.tsv").write_text("\n".join("abcde"), encoding="utf-8")
    (tmp_path / "columns.tsv").write_text("word\tkind\n" + "\n".join(f"{c}\tletter" for c in "abcde"), encoding="utf-8")
    first = model.layers[0].get_weights()[0]
    for i, metadata in enumerate((None, "names.tsv", {"words": tmp_path / "columns.tsv"})):
        board = callbacks.TensorBoard(tmp_path / str(i), write_graph=False, embeddings_freq=2,
                                      embeddings_metadata=metadata and tmp_path / metadata
                                      if isinstance(metadata, str) else metadata)
        model.fit(ids, y, epochs=3, verbose=0, callbacks=[board])
    tables = sorted((tmp_path / "1" / "train").glob("*/words/tensors.tsv"))
    assert len(tables) == 2     # after the first epoch and the third
    shown = np.loadtxt(tables[1])
    assert shown.shape == (5, 2) and not np.array_equal(shown, first)
    assert (tables[0].parent / "metadata.tsv").read_text(encoding="utf-8").split() == list("abcde")
    config = (tmp_path / "2" / "train" / "projector_config.pbtxt").read_text(encoding="utf-8")
    assert config.count("embeddings {") == 2 and config.count("metadata.tsv") == 2
    columns = next((tmp_path / "2" / "train").glob("*/words/metadata.tsv")).read_text(encoding="utf-8")
    assert columns.startswith("word\tkind\na\tletter\n")
    for wrong, kind, said in (({"other": "names.tsv"}, ValueError, "'other'"), ("none.tsv", FileNotFoundError, "none"),
                              (tmp_path / "short.tsv", ValueError, "1 lines")):
        (tmp_path / "short.tsv").write_text("a\n", encoding="utf-8")
        board = callbacks.TensorBoard(tmp_path / "w", embeddings_freq=1, embeddings_metadata=wrong)
        assert_good_error(lambda b=board: model.fit(ids, y, verbose=0, callbacks=[b]), kind, "embeddings_metadata",
                          said)
    assert not (tmp_path / "w").exists()
    assert_good_error(lambda: network().fit(X, Y, verbose=0, callbacks=[callbacks.TensorBoard(
        tmp_path / "w", embeddings_freq=1)]), ValueError, "Embedding")
    with pytest.raises(TypeError, match="embeddings_metadata"):
        callbacks.TensorBoard(tmp_path, embeddings_metadata=3)
