"""The fastnn command, run as a user runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn
from fastnn.__main__ import COMMANDS, main
from fastnn.examples import LESSONS
from tests.conftest import needs_c

ROOT = Path(fastnn.__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1",
               "PYTHONWARNINGS": "ignore:fastnn runs its NumPy reference"}


def fastnn_command(*words: str, cwd: Path, module: str = "fastnn",
                   **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", module, *words], cwd=cwd, capture_output=True, text=True, timeout=300,
                          env={**ENVIRONMENT, **environment}, encoding="utf-8", errors="replace",
                          stdin=subprocess.DEVNULL)


def test_info_says_what_runs(tmp_path: Path) -> None:
    done = fastnn_command("info", cwd=tmp_path)
    assert done.returncode == 0 and not done.stderr
    assert f"fastnn {fastnn.__version__}" in done.stdout and "backend" in done.stdout and "threads" in done.stdout


@needs_c
def test_info_measures_and_keeps(tmp_path: Path) -> None:
    done = fastnn_command("info", "--measure", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert "GFLOP/s" in done.stdout
    if "not kept" in done.stderr:       # the machine is so busy that its rates are in doubt
        assert done.returncode == 1 and not (tmp_path / "fastnn").exists()
    else:
        assert done.returncode == 0 and not done.stderr and (tmp_path / "fastnn" / "peak.json").is_file()
        assert "two threads from" in done.stdout and "\nmatmul " in done.stdout
    done = fastnn_command("info", "--measure", cwd=tmp_path, FASTNN_BACKEND="reference")
    assert done.returncode == 1 and done.stderr == "fastnn info: --measure needs the C kernels\n"


def test_demo_trains_reports_and_draws(tmp_path: Path) -> None:
    done = fastnn_command("demo", "--epochs", "3", cwd=tmp_path)
    assert done.returncode == 0 and not done.stderr
    assert "val_loss" in done.stdout and "Test accuracy: " in done.stdout and "is malignant" in done.stdout
    assert str(tmp_path / "fastnn-demo.png") in done.stdout
    assert (tmp_path / "fastnn-demo.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_demo_needs_no_home_folder(tmp_path: Path) -> None:
    environment = {k: v for k, v in ENVIRONMENT.items() if k not in ("HOME", "MPLCONFIGDIR", "XDG_CACHE_HOME")}
    done = subprocess.run([sys.executable, "-m", "fastnn", "demo", "--epochs", "1", "--plot", "curves.svg"],
                          cwd=tmp_path, capture_output=True, timeout=300, env=environment)
    assert done.returncode == 0 and b"<svg" in (tmp_path / "curves.svg").read_bytes()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_demo_in_a_poor_terminal(encoding: str, tmp_path: Path) -> None:
    done = fastnn_command("housing", cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 2 and "unknown command 'housing'" in done.stderr
    done = fastnn_command("--epochs", "1", cwd=tmp_path, module="fastnn.examples.housing", PYTHONUTF8="0",
                          PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and not done.stderr and "on 110 houses" in done.stdout


def test_lessons_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lessons"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines() if line.startswith("  ")] == list(LESSONS)


def test_lessons_are_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lessons", "--to", str(tmp_path / "mine")]) == 0
    written = sorted(path.name for path in (tmp_path / "mine").iterdir())
    assert written == sorted(f"{name}.{kind}" for name in LESSONS for kind in ("ipynb", "py"))
    assert f"{2 * len(LESSONS)} files in {tmp_path / 'mine'}" in capsys.readouterr().out
    (tmp_path / "mine" / "xor.py").write_text("mine")
    assert main(["lessons", "--to", str(tmp_path / "mine")]) == 1
    assert "is there already; name another folder" in capsys.readouterr().err
    assert (tmp_path / "mine" / "xor.py").read_text() == "mine"


def test_no_arguments_print_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in COMMANDS) and "--version" in printed


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0 and capsys.readouterr().out == f"fastnn {fastnn.__version__}\n"


@pytest.mark.parametrize("words, says", [
    (["dmo"], "unknown command 'dmo'; did you mean 'demo'?"),
    (["train"], "unknown command 'train'; choose from demo, info, lessons, run."),
    (["--vrsion"], "unknown option '--vrsion'; did you mean '--version'?"),
    (["demo", "--epoch", "3"], "unknown option '--epoch'; did you mean '--epochs'?"),
    (["demo", "--epochs", "-3"], "argument --epochs"), (["demo", "--epochs", "2.5"], "'2.5' is no whole number >= 1"),
    (["demo", "--plot"], "argument --plot"), (["demo", "--plot", "a.gif"], "'a.gif' must end in .png, .svg or .pdf"),
    (["info", "more"], "unknown argument 'more'"),
])
def test_wrong_words_end_with_status_2(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    printed = capsys.readouterr()
    assert stopped.value.code == 2 and says in printed.err and printed.err.count("\n") == 1 and not printed.out


def test_a_typo_at_the_shell(tmp_path: Path) -> None:
    done = fastnn_command("ifno", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr == "fastnn: unknown command 'ifno'; did you mean 'info'?\n"


def test_file_trouble_is_one_line_and_status_1(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "demo.png"
    done = fastnn_command("demo", "--plot", str(missing), cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "there is no folder" in done.stderr
    done = fastnn_command("demo", "--debug", "--plot", str(missing), cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" in done.stderr
    done = fastnn_command("--data", str(tmp_path), cwd=tmp_path, module="fastnn.examples.mnist_mlp")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "train-images-idx3-ubyte" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-u", "-m", "fastnn.examples.xor", "--epochs", "25000000"], cwd=tmp_path,
                          env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout and any(line.startswith("Epoch ") for line in running.stdout)     # a fifth of them
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=300)
    assert running.returncode == 130 and errors == "\ninterrupted\n"


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_reader_that_goes_away_is_no_trouble(tmp_path: Path) -> None:
    for words in (["lessons"], ["--help"], ["info"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([sys.executable, "-m", "fastnn", *words], cwd=tmp_path, env=ENVIRONMENT, stdout=writing,
                              stderr=subprocess.PIPE, text=True, timeout=300)
        os.close(writing)
        assert done.stderr == "" and done.returncode in (0, 141), words      # 0: argparse had it
