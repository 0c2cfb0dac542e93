"""The printed form of a run, against lines written by hand after Keras' format."""

import io

import pytest

from fastnn.reporting.progress import Progress
from tests.progress import BAR, Clock, Terminal, plain, run


class Ascii(io.StringIO):
    encoding = "ascii"


class AsciiTerminal(Terminal):
    encoding = "ascii"


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal that has room for everything."""
    monkeypatch.setenv("COLUMNS", "140")


@pytest.mark.parametrize("verbose", ["auto", 1, 2, True])
def test_one_line_per_epoch_where_nothing_can_be_redrawn(verbose):
    out, clock = io.StringIO(), Clock()
    run(Progress(verbose, 2, 18, out, clock=clock), clock, 2)
    assert out.getvalue() == ("Epoch 1/2 - 18/18 - 0s - 2ms/step - accuracy: 0.9123 - loss: 0.3123\n"
                              "Epoch 2/2 - 18/18 - 0s - 2ms/step - accuracy: 0.9123 - loss: 0.3123\n")


@pytest.mark.parametrize("verbose", [0, False])
def test_silence(verbose):
    out, clock = Terminal(), Clock()
    progress = Progress(verbose, 2, 18, out, clock=clock)
    run(progress, clock, 2)
    assert out.getvalue() == "" and progress.verbose == 0


def test_verbose_2_is_a_line_in_a_terminal_too():
    out, clock = Terminal(), Clock()
    progress = Progress(2, 2, 18, out, clock=clock)
    run(progress, clock, 1)
    assert out.getvalue() == "Epoch 1/2 - 18/18 - 0s - 2ms/step - accuracy: 0.9123 - loss: 0.3123\n"
    assert progress.verbose == 2


def test_one_epoch_has_no_title():
    out, clock = io.StringIO(), Clock()
    run(Progress(1, 1, 4, out, clock=clock), clock, 1, steps=4, seconds=0.000172)
    assert out.getvalue() == "4/4 - 0s - 43us/step - accuracy: 0.9123 - loss: 0.3123\n"


def test_the_bar_in_a_terminal():
    out, clock = Terminal(), Clock()
    progress = Progress("auto", 3, 18, out, clock=clock)
    assert progress.verbose == 1
    progress.epoch_begin(0)
    clock.now += 0.018
    progress.update(9, {"loss": 0.5})
    progress.epoch_end(18, {"val_loss": 0.4, "val_accuracy": 0.8, "loss": 0.3123, "accuracy": 0.9123}, 0.036)
    progress.close()
    title, drafts = out.getvalue().split("\n", 1)
    assert title == "Epoch 1/3"
    draft, final = drafts.split("\r")
    assert draft == (f"\x1b[1m 9/18\x1b[0m \x1b[32m{BAR[:10]}\x1b[0m\x1b[37m{BAR[:10]}\x1b[0m \x1b[1m0s\x1b[0m "
                     "2ms/step - loss: 0.5000")
    assert plain(final) == (f"18/18 {BAR} 0s 2ms/step - accuracy: 0.9123 - loss: 0.3123 - val_accuracy: 0.8000 - "
                            "val_loss: 0.4000\n")


def test_the_rest_of_a_longer_draft_is_wiped():
    out, clock = Terminal(), Clock()
    progress = Progress(1, 1, 10, out, clock=clock)
    progress.epoch_begin(0)
    clock.now += 1
    progress.update(5, {"loss": 0.5, "accuracy": 0.1})
    progress.epoch_end(10, {"loss": 0.25}, 2)
    draft, final = out.getvalue().split("\r")
    assert final.startswith("\x1b[K") and plain(final) == f"10/10 {BAR} 2s 200ms/step - loss: 0.2500\n"
    assert len(draft) > len(final)


def test_a_bar_shrinks_before_the_logs_go(monkeypatch):
    logs = {"loss": 0.5, "accuracy": 0.25, "val_loss": 0.5, "val_accuracy": 0.25}
    shown = {}
    for columns in (120, 110, 80, 60, 30):
        monkeypatch.setenv("COLUMNS", str(columns))
        out = Terminal()
        progress = Progress(1, 1, 10, out, clock=Clock())
        progress.epoch_begin(0)
        progress.epoch_end(10, logs, 2.0)
        shown[columns] = plain(out.getvalue())
        assert all(len(line) < columns for line in shown[columns].splitlines())
        assert all(f"{name}: {value:.4f}" in shown[columns] for name, value in logs.items())
    assert [shown[n].count("━") for n in shown] == [20, 10, 5, 5, 5]
    assert ["/step" in shown[n] for n in shown] == [True, True, False, False, False]
    assert shown[60].splitlines() == ["10/10 ━━━━━ 2s - accuracy: 0.2500 - loss: 0.5000",
                                      "  val_accuracy: 0.2500 - val_loss: 0.5000"]


def test_a_draft_in_a_terminal_made_narrower_is_cleared(monkeypatch):
    out, clock = Terminal(), Clock()
    progress = Progress(1, 1, 10, out, clock=clock)
    progress.epoch_begin(0)
    clock.now += 1
    progress.update(5, {f"metric_{i}": 0.5 for i in range(6)})
    assert 120 < len(plain(out.getvalue())) < 140
    monkeypatch.setenv("COLUMNS", "50")         # the draft has become three lines
    clock.now += 1
    before = len(out.getvalue())
    progress.update(6, {"loss": 0.5})
    assert out.getvalue()[before:].startswith("\x1b[2A\r\x1b[J")


def test_an_evaluation_after_the_epoch_moves():
    out, clock = Terminal(), Clock()
    progress = Progress(1, 2, 10, out, clock=clock)
    progress.epoch_begin(0)
    clock.now += 1
    testing = progress.testing(10, {"loss": 0.5}, 1.0, 4)
    for done in (1, 2):
        clock.now += 0.1
        testing.update(done, dict)
    testing.epoch_end(4)
    progress.epoch_end(10, {"loss": 0.5, "val_loss": 0.25}, 1.0)
    drafts = plain(out.getvalue()).split("\n", 1)[1].split("\r")
    assert drafts == [f"10/10 {BAR} 1s 100ms/step - loss: 0.5000 - evaluating 1/4",
                      f"10/10 {BAR} 1s 100ms/step - loss: 0.5000 - evaluating 2/4",
                      f"10/10 {BAR} 1s 100ms/step - loss: 0.5000 - val_loss: 0.2500\n"]
    quiet = Progress(2, 1, 10, io.StringIO(), clock=clock)
    quiet.testing(10, {}, 1.0, 4).update(1)


def test_redraws_are_50_ms_apart():
    out, clock = Terminal(), Clock()
    progress = Progress(1, 1, 1000, out, clock=clock)
    progress.epoch_begin(0)
    for step in range(1, 1001):
        clock.now += 0.001
        progress.update(step, {"loss": 0.5})
    assert 19 <= out.getvalue().count("\r") + 1 <= 21


def test_logs_are_only_asked_for_when_something_is_drawn():
    asked = []

    def logs():
        asked.append(1)
        return {"loss": 0.5}

    out, clock = Terminal(), Clock()
    progress = Progress(1, 1, 1000, out, clock=clock)
    progress.epoch_begin(0)
    for step in range(1, 101):
        clock.now += 0.001
        progress.update(step, logs)
    assert 1 <= len(asked) <= 3
    before = len(asked)
    quiet = Progress(2, 1, 1000, io.StringIO(), clock=clock)
    quiet.update(1, logs)
    assert len(asked) == before
    quiet.epoch_end(1000, logs, 1.0)
    assert len(asked) == before + 1


def test_a_draft_never_wraps(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    out, clock = Terminal(), Clock()
    progress = Progress(1, 1, 10, out, clock=clock)
    progress.epoch_begin(0)
    clock.now += 1
    progress.update(5, {f"metric_{i}": 0.5 for i in range(9)})
    assert len(plain(out.getvalue())) == 39
    progress.epoch_end(10, {"loss": 0.5}, 2.0)
    assert "loss: 0.5000" in out.getvalue()


def test_time_left():
    out, clock = Terminal(), Clock()
    progress = Progress(1, 1, 100, out, clock=clock)
    progress.epoch_begin(0)
    clock.now += 10
    progress.update(10)
    assert plain(out.getvalue()) == f" 10/100 {BAR} 1:30 1s/step"


def test_a_number_of_steps_that_is_not_known():
    out, clock = Terminal(), Clock()
    progress = Progress(1, 1, None, out, clock=clock)
    progress.epoch_begin(0)
    clock.now += 1
    progress.update(5)
    progress.epoch_end(7, {}, 1.4)
    assert plain(out.getvalue()).split("\r") == ["      5/Unknown 1s 200ms/step", f"7/7 {BAR} 1s 200ms/step\n"]


def test_an_epoch_cut_short_shows_how_far_it_came():
    out, clock = Terminal(), Clock()
    progress = Progress(1, 1, 10, out, clock=clock)
    progress.epoch_begin(0)
    progress.epoch_end(5, {"loss": 1.0}, 0.01)
    assert f"\x1b[32m{BAR[:10]}\x1b[0m\x1b[37m{BAR[:10]}" in out.getvalue() and " 5/10" in out.getvalue()


def test_an_interrupted_bar_leaves_a_clean_line():
    out, clock = Terminal(), Clock()
    progress = Progress(1, 1, 10, out, clock=clock)
    progress.epoch_begin(0)
    clock.now += 1
    progress.update(5)
    progress.close()
    progress.close()
    assert out.getvalue().endswith("step\n")


def test_ascii_terminals_get_ascii_bars():
    out, clock = AsciiTerminal(), Clock()
    progress = Progress(1, 1, 10, out, clock=clock)
    progress.epoch_begin(0)
    clock.now += 1
    progress.update(5, {"précision": 0.5})
    draft = plain(out.getvalue())
    assert draft == " 5/10 ==========.......... 1s 200ms/step - pr?cision: 0.5000"
    plain_out = Ascii()
    run(Progress(1, 2, 18, plain_out, clock=clock), clock, 1)
    assert plain_out.getvalue().isascii()
