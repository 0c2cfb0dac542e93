"""The files of a fit that can be resumed: damaged, of other programs, and of one that is killed anywhere."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers, ops
from fastnn.errors import ModelFileError
from tests.conftest import needs_c
from tests.errors import assert_good_error, weights_hash
from tests.resumed import VX, VY, Power, Stop, X, Y, network, run, watchers


def test_the_folder_goes_with_the_end_of_the_fit(tmp_path: Path) -> None:
    model = network()
    backup = callbacks.BackupAndRestore(tmp_path / "b")
    seen: list[bool] = []
    look = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(backup.path.exists()))
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[backup, look])
    assert seen == [False, True] and not (tmp_path / "b").exists()


def test_a_resumed_fit_may_save_at_other_steps(tmp_path: Path) -> None:
    def saved(save_freq: int, power: int = 0) -> list[str]:
        folder = tmp_path / str(save_freq)
        kept = callbacks.ModelCheckpoint(folder / "{epoch}-{batch}.fnn", save_freq=save_freq)
        network().fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[
            callbacks.BackupAndRestore(tmp_path / "b"), kept, *([Power(power)] if power else [])])
        return sorted(path.stem for path in folder.iterdir())

    with pytest.raises(Stop):
        saved(5, power=8)
    assert saved(2) == ["2-1", "2-3", "2-5", "2-7"]


def test_a_damaged_backup_and_the_one_before(tmp_path: Path) -> None:
    def program(power: int = 0, double: bool = True) -> Any:
        model = network()
        kept = callbacks.BackupAndRestore(tmp_path / "b", double_checkpoint=double)
        model.fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[kept, *([Power(power)] if power else [])])
        return model

    whole = program()
    with pytest.raises(Stop):
        program(25)
    (tmp_path / "b" / "latest.fnn").write_bytes(b"0")
    with pytest.warns(UserWarning, match="the backup before it"):
        assert weights_hash(program()) == weights_hash(whole)
    with pytest.raises(Stop):
        program(9, double=False)
    (tmp_path / "b" / "latest.fnn").write_bytes(b"0")
    assert_good_error(lambda: program(double=False), ModelFileError, "1 bytes")


def test_other_programs_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(tmp_path / "cut", 17)
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "cut", kept)
    backup = callbacks.BackupAndRestore(kept, delete_checkpoint=False)
    assert_good_error(lambda: network().fit(X, Y, batch_size=16, epochs=6, verbose=0, callbacks=[backup, *watchers()],
                                            validation_data=(VX, VY)), ValueError, "7 batches of 8", "4 batches of 16")
    with pytest.warns(UserWarning, match="the data are not those"):
        network().fit(X + 1, Y, batch_size=8, epochs=3, verbose=0, callbacks=[backup, *watchers()],
                      validation_data=(VX, VY))
    shutil.copytree(tmp_path / "cut", kept, dirs_exist_ok=True)
    with pytest.warns(UserWarning, match="had the callbacks .* too"):
        network().fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[backup], validation_data=(VX, VY))
    model = network()
    model.save(kept / "latest.fnn")
    assert_good_error(lambda: network().fit(X, Y, verbose=0, callbacks=[backup]), ModelFileError, "no fit")


def test_a_variable_that_nobody_holds_is_refused(tmp_path: Path) -> None:
    hidden = fastnn.Variable(np.zeros((), np.float32), "hidden", trainable=False)

    class Hiding(layers.Layer):
        def call(self, x: Any) -> Any:
            hidden.assign_add(1.0)
            return ops.multiply(x, 1.0)

    model = fastnn.Sequential([fastnn.Input((6,)), Hiding(), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"'hidden'.*no weight"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path / "b")])


SCRIPT = """
import sys
from pathlib import Path
from tests.resumed import run
from tests.errors import weights_hash
print("ready", flush=True)
model, history, _ = run(Path(sys.argv[1]), 0, int(sys.argv[2]), "averaged", epochs=40)
print(weights_hash(model), history.history["loss"], flush=True)
"""


def killed_and_resumed(folder: Path, save_freq: int, waits: list[float]) -> str:
    """What the program prints in the end, killed so many seconds after it was ready, again and again."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(save_freq)]
    where = {"cwd": Path(__file__).parents[1], "text": True, "stdout": subprocess.PIPE}
    for wait in waits:
        with subprocess.Popen(command, **where) as process:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
    done = subprocess.run(command, **where, check=True, timeout=300)
    return str(done.stdout)


@needs_c
@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_killed_anywhere_and_resumed(tmp_path: Path) -> None:
    whole = killed_and_resumed(tmp_path / "whole", 3, [])
    assert killed_and_resumed(tmp_path / "cut", 3, [0.25]) == whole


@needs_c
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_killed_at_fifty_points(tmp_path: Path) -> None:
    whole = killed_and_resumed(tmp_path / "whole", 3, [])
    waits = np.random.default_rng(0).uniform(0.0, 0.5, 50).round(3).tolist()
    assert killed_and_resumed(tmp_path / "cut", 3, waits) == whole
