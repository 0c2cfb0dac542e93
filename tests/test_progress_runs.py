"""The printed form of a run: a line every k epochs, one bar for all, in notebooks; numbers and arguments."""

import io
import re
import sys
import types

import pytest

from fastnn.reporting.progress import Every, Progress, clock_time, duration, number
from tests.progress import BAR, Clock, Terminal, plain, run


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal that has room for everything."""
    monkeypatch.setenv("COLUMNS", "140")


# ---- every k epochs, one bar for the run --------------------------------------------------------------------------

def test_every_k_epochs_and_the_last():
    out, clock = io.StringIO(), Clock()
    run(Progress(Every(100), 250, 1, out, clock=clock), clock, 250, steps=1, seconds=0.00005)
    lines = out.getvalue().splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 100/250", "Epoch 200/250", "Epoch 250/250"]
    assert lines[0] == "Epoch 100/250 - 1/1 - 0s - 50us/step - accuracy: 0.9123 - loss: 0.3123"


def test_every_prints_the_last_epoch_of_a_run_that_was_stopped():
    out, clock = io.StringIO(), Clock()
    run(Progress(Every(100), 250, 1, out, clock=clock), clock, 130, steps=1)
    assert [line.split(" - ")[0] for line in out.getvalue().splitlines()] == ["Epoch 100/250", "Epoch 130/250"]


@pytest.mark.parametrize("kind, wrong", [(ValueError, 0), (ValueError, -3), (TypeError, 2.5), (TypeError, True),
                                         (TypeError, "10")])
def test_every_checks_its_number(kind, wrong):
    with pytest.raises(kind, match="Every"):
        Every(wrong)
    assert repr(Every(100)) == "Every(100)" and Every(3) == Every(3)


def test_one_bar_for_the_whole_run():
    out, clock = Terminal(), Clock()
    progress = Progress("epochs", 1000, 1, out, clock=clock)
    assert progress.verbose == 1
    run(progress, clock, 1000, steps=1, seconds=0.001)
    drafts = plain(out.getvalue()).split("\r")
    assert out.getvalue().count("\n") == 1 and 19 <= len(drafts) <= 23
    assert drafts[-1] == f"1000/1000 {BAR} 1s 1ms/epoch - accuracy: 0.9123 - loss: 0.3123\n"
    assert re.fullmatch(rf" *\d+/1000 {BAR} \ds 1ms/epoch - .*loss: 0\.\d+ *", drafts[5])


def test_auto_is_one_bar_once_epochs_are_fast():
    out, clock = Terminal(), Clock()
    progress = Progress("auto", 1000, 2, out, clock=clock)
    assert progress.quiet_epochs(0) == 0
    run_epochs = [0.5, 0.03, 0.01]
    for epoch, seconds in enumerate(run_epochs):
        progress.epoch_begin(epoch)
        clock.now += seconds
        progress.epoch_end(2, {"loss": 0.5}, seconds)
    assert progress.mode == "run" and out.getvalue().count("Epoch ") == 3
    for epoch in range(3, 1000):
        progress.epoch_begin(epoch)
        clock.now += 0.001
        progress.epoch_end(2, {"loss": 0.25}, 0.001)
    progress.close()
    *lines, rest = plain(out.getvalue()).split("\n")
    assert len(lines) == 7 and not rest and lines[-1].split("\r")[-1] == f"1000/1000 {BAR} 1s 1ms/epoch - loss: 0.2500"
    for given, epochs, stream in ((1, 1000, Terminal()), ("auto", 20, Terminal()), ("auto", 1000, io.StringIO())):
        each = Progress(given, epochs, 2, stream, clock=clock)      # asked for, few, or nothing can be redrawn
        each.epoch_begin(0)
        each.epoch_end(2, {}, 0.001)
        assert each.mode != "run"
    last = Progress("auto", 100, 2, out := Terminal(), clock=clock)
    last.epoch_begin(0)
    last.epoch_end(2, {}, 0.001)
    last.close()        # stopped then: no bar of no epochs
    assert out.getvalue().count("\n") == 2


def test_one_bar_is_one_line_where_nothing_can_be_redrawn():
    out, clock = io.StringIO(), Clock()
    run(Progress("epochs", 1000, 1, out, clock=clock), clock, 400, steps=1, seconds=0.001)
    assert out.getvalue() == " 400/1000 epochs - 0s - 1ms/epoch - accuracy: 0.9123 - loss: 0.3123\n"


def test_one_bar_from_a_later_first_epoch():
    out, clock = io.StringIO(), Clock()
    progress = Progress("epochs", 10, 1, out, clock=clock)
    for epoch in (8, 9):
        progress.epoch_begin(epoch)
        clock.now += 3
        progress.epoch_end(1, {"loss": 1.0})
    progress.close()
    assert out.getvalue() == "10/10 epochs - 6s - 3s/epoch - loss: 1.0000\n"


def test_nothing_happened():
    for verbose in ("epochs", Every(3), 1, 2):
        out = io.StringIO()
        Progress(verbose, 3, 2, out).close()
        assert out.getvalue() == ""


def test_quiet_epochs_say_how_long_nobody_looks():
    assert Progress(0, 50, 1).quiet_epochs(20) == 30
    assert Progress(2, 50, 1).quiet_epochs(20) == 0
    every = Progress(Every(20), 50, 1)
    assert [every.quiet_epochs(e) for e in (0, 18, 19, 20, 40, 49)] == [19, 1, 0, 19, 9, 0]
    clock = Clock()
    whole = Progress("epochs", 1000, 1, io.StringIO(), clock=clock)
    assert whole.quiet_epochs(0) == 0
    whole.epoch_begin(0)
    clock.now += 0.03
    whole.epoch_end(1, {})
    assert whole.quiet_epochs(1) == 3 and whole.quiet_epochs(998) == 1


# ---- notebooks ----------------------------------------------------------------------------------------------------

@pytest.fixture
def notebook(monkeypatch):
    """A notebook kernel that writes down what it is asked to display."""
    shown = []
    handle = types.SimpleNamespace(update=lambda content, raw: shown.append(content))

    def display(content, raw, display_id):
        shown.append(content)
        return handle

    shell = type("ZMQInteractiveShell", (), {})()
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    return shown


def test_a_notebook_has_one_output_updated_five_times_a_second(notebook, capsys):
    clock = Clock()
    run(Progress("auto", 4, 100, clock=clock), clock, 4, steps=100, seconds=1.0)
    assert 18 <= len(notebook) <= 22 and capsys.readouterr().out == ""
    last = notebook[-1]["text/plain"].splitlines()
    assert last[0] == "Epoch 1/4" and last[-1] == f"100/100 {BAR} 1s 10ms/step - accuracy: 0.9123 - loss: 0.3123"
    assert len(last) == 8
    assert "<span" in notebook[-1]["text/html"]


def test_a_notebook_keeps_the_last_lines_only_and_no_html_of_others(notebook):
    clock = Clock()
    progress = Progress(1, 100, 1, clock=clock)
    for epoch in range(100):
        progress.epoch_begin(epoch)
        progress.epoch_end(1, {"<b>": 1.0}, 0.001)
    progress.close()
    lines = notebook[-1]["text/plain"].splitlines()
    assert len(lines) == 51 and lines[0] == "… 150 lines before"
    assert "<b>" not in notebook[-1]["text/html"] and "&lt;b&gt;" in notebook[-1]["text/html"]


def test_lines_stay_lines_in_a_notebook(notebook, capsys):
    clock = Clock()
    run(Progress(2, 2, 18, clock=clock), clock, 1)
    assert notebook == [] and capsys.readouterr().out.startswith("Epoch 1/2 - 18/18")


# ---- numbers and arguments ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("seconds, text", [(0, "0s"), (3.2, "3s"), (1, "1s"), (0.999, "999ms"), (0.002, "2ms"),
                                           (0.001, "1ms"), (43e-6, "43us"), (4e-7, "0us")])
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("seconds, text", [(0, "0s"), (59.9, "59s"), (60, "60s"), (61, "1:01"), (3600, "60:00"),
                                           (7210, "2:00:10"), (-1, "0s")])
def test_time_left_text(seconds, text):
    assert clock_time(seconds) == text


@pytest.mark.parametrize("value, text", [(0.91234, "0.9123"), (0.001, "1.0000e-03"), (0.0011, "0.0011"),
                                         (0.00012345, "1.2345e-04"), (-0.5, "-0.5000"), (-0.0001, "-1.0000e-04"),
                                         (float("nan"), "nan"), (12345.6, "12345.6000"), ([0.25, 0.75], "0.5000"),
                                         (0, "0.0000e+00")])
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize("wrong", [3, -1, "epoch", "quiet", None, 1.0, [1]])
def test_other_values_of_verbose_are_refused(wrong):
    with pytest.raises(ValueError, match="verbose: got") as error:
        Progress(wrong)
    for choice in ("0", "1", "2", "'auto'", "'epochs'", "Every"):
        assert choice in str(error.value)
    if wrong == "epoch":
        assert "did you mean 'epochs'" in str(error.value)


def test_no_console_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    clock = Clock()
    run(Progress(2, 2, 18, clock=clock), clock, 2)


def test_a_broken_pipe_is_not_hidden():
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    progress = Progress(2, 2, 18, Broken())
    progress.epoch_begin(0)
    with pytest.raises(BrokenPipeError):
        progress.epoch_end(18, {}, 1.0)


def test_evaluate_and_predict_print_no_title():
    out, clock = Terminal(), Clock()
    progress = Progress(1, 5, 3, out, title=False, clock=clock)
    progress.epoch_begin(0)
    progress.epoch_end(3, {}, 0.006)
    assert plain(out.getvalue()) == f"3/3 {BAR} 0s 2ms/step\n"
