"""fit in a real terminal: a pseudo-terminal whose bytes go to a screen that knows what progress bars use of it."""

import codecs
import os
import re
import struct
import subprocess
import sys

import pytest

pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))

SCRIPT = """
import time, numpy as np, fastnn
from fastnn import Input, Sequential, callbacks, layers
class Slow(callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None): time.sleep(0.06)
    def on_test_batch_end(self, batch, logs=None): time.sleep(0.06)
x = np.linspace(0, 1, 64, dtype="float32")[:, None]
model = Sequential([Input((1,)), layers.Dense(1)])
model.compile("adam", "mse", metrics=["mae"])
model.fit(x, 2 * x, epochs=2, batch_size=8, validation_data=(x, 2 * x), validation_batch_size=8, callbacks=[Slow()])
print("done")
"""


class Screen:
    """Lines as a terminal shows them that breaks them anew when its width changes."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines = [""]
        self.line = self.column = 0

    def feed(self, text: str) -> None:
        for code, plain in re.findall(r"(\x1b\[[0-9;]*[A-Za-z]|[\r\n])|([^\x1b\r\n]+)", text):
            if plain:
                line = self.lines[self.line].ljust(self.column)
                self.lines[self.line] = line[:self.column] + plain + line[self.column + len(plain):]
                self.column += len(plain)
            elif code == "\n":
                self.line += 1
                self.lines += [""] * (self.line == len(self.lines))
            elif code == "\r":
                self.column -= self.column % self.width if self.column < len(self.lines[self.line]) else \
                    max(self.column - 1, 0) % self.width + (self.column > 0)
            elif code[-1] in "KJ":
                self.lines[self.line] = self.lines[self.line][:self.column]
                if code[-1] == "J":
                    del self.lines[self.line + 1:]
            elif code[-1] == "A":       # up by so many rows, which a line that was broken has several of
                self.column -= int(code[2:-1]) * self.width
                assert self.column >= 0, "the cursor left the line that is redrawn"
            else:
                assert code[-1] == "m", f"a code that a plain terminal may not know: {code!r}"


def read(terminal: int) -> bytes:
    """What was written to it; nothing once the program that writes has ended."""
    try:
        return os.read(terminal, 65536)
    except OSError:     # Linux says it so
        return b""


def test_a_fit_in_a_terminal_that_becomes_narrower() -> None:
    ours, theirs = pty.openpty()
    screen, drafts, seen, letters = Screen(120), [], b"", codecs.getincrementaldecoder("utf-8")()

    def resize(width: int) -> None:
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        screen.width = width

    resize(120)
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=theirs, stderr=theirs, stdin=theirs,
                          env={**environment, "PYTHONIOENCODING": "utf-8", "TERM": "xterm"}) as run:
        os.close(theirs)
        while new := read(ours):
            seen += new
            screen.feed(letters.decode(new))
            drafts.append(screen.lines[-1])
            if screen.width == 120 and "Epoch 2/2" in screen.lines and "loss" in screen.lines[-1]:
                resize(46)      # while a longer draft is there
    os.close(ours)
    assert run.returncode == 0, seen
    lines = [line.rstrip() for line in screen.lines if line.strip()]
    assert lines[0] == "Epoch 1/2" and re.fullmatch(
        r"8/8 ━{20} \ds \d+ms/step - loss: \S+ - mae: \S+ - val_loss: \S+ - val_mae: \S+", lines[1]), lines
    assert lines[2] == "Epoch 2/2" and lines[-1] == "done" and all(len(line) < 46 for line in lines[2:]), lines
    assert re.fullmatch(r"8/8 ━{5,20} \ds.* - loss: \S+ - mae: \S+ - val_loss: \S+ - val_mae: \S+",
                        " - ".join(line.strip() for line in lines[3:-1])), lines
    running = [draft for draft in drafts if draft]
    assert len({draft for draft in running if "evaluating" in draft}) >= 4      # it moves during validation
    assert any("━" * 5 + " " in draft and "loss" in draft and len(draft) < 46 for draft in running)
