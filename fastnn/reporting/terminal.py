"""Where progress is drawn: a terminal that redraws a line, a notebook output that is updated, plain lines. Floor 4.

Imports nothing of fastnn. A text is a list of (piece, style) with the styles "", "bold", "done" and "rest".
"""

import shutil
import sys
from collections import deque
from typing import Any

Text = list[tuple[str, str]]

_ANSI = {"bold": "\x1b[1m", "done": "\x1b[32m", "rest": "\x1b[37m"}
_CSS = {"bold": "font-weight: bold", "done": "color: green", "rest": "color: silver"}
_KEPT = 50      # finished lines that a notebook output goes on showing


class Plain:
    """Finished lines only: files, pipes, logs. It cannot redraw, so drafts are not shown."""
    live = False
    interval = float("inf")
    room = float("inf")     # characters of a line

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            "━".encode(encoding)
            self.blocks = "━━"
        except (UnicodeEncodeError, LookupError):
            self.blocks = "=."      # done, to do

    def draw(self, text: Text) -> None:
        """Show a text that will be replaced."""

    def line(self, text: Text) -> None:
        """Show a text that stays."""
        self._write("".join(piece for piece, _ in text) + "\n")

    def close(self) -> None:
        """Leave the cursor at the beginning of a line."""

    def _write(self, text: str) -> None:
        if self.stream is None:      # no console at all, as under pythonw
            return
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        self.stream.write(text.encode(encoding, "replace").decode(encoding))
        self.stream.flush()


class Terminal(Plain):
    """One line that is redrawn in place, in colours."""
    live = True
    interval = 0.05

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._width = 0       # of the draft on the screen

    @property
    def room(self) -> int:  # type: ignore[override]
        """One column is left free: a line that wraps cannot be redrawn."""
        return shutil.get_terminal_size().columns - 1

    def draw(self, text: Text) -> None:
        room = self.room
        cut: Text = []
        for piece, style in text:
            cut.append((piece[:room], style))
            room -= len(cut[-1][0])
        self._show(cut, "")

    def line(self, text: Text) -> None:
        self._show(broken(text, self.room), "\n")
        self._width = 0

    def close(self) -> None:
        if self._width:
            self._write("\n")
            self._width = 0

    def _show(self, text: Text, end: str) -> None:
        shown = "".join(f"{_ANSI[style]}{piece}\x1b[0m" if style and piece else piece for piece, style in text)
        before = ""
        if self._width:     # the draft; where the terminal was made narrower it has become several lines
            up = (self._width - 1) // (self.room + 1)
            before = f"\x1b[{up}A\r\x1b[J" if up else "\r\x1b[K"
        self._write(before + shown + end)
        self._width = sum(len(piece) for piece, _ in text)


def broken(text: Text, room: float) -> Text:
    """The text with new lines before the logs that the line has no room for."""
    found: Text = []
    column = 0
    for piece, style in text:
        for i, part in enumerate(piece.split(" - ")):
            part = part if i == 0 else " - " + part
            if i and column + len(part) > room:
                found.append(("\n  ", ""))
                part, column = part[3:], 2
            found.append((part, style))
            column += len(part)
    return found


class Notebook:
    """One output of a notebook cell, updated at most five times a second."""
    live = True
    interval = 0.2
    room = float("inf")
    blocks = "━━"

    def __init__(self) -> None:
        self._lines: deque[Text] = deque(maxlen=_KEPT)
        self._dropped = 0
        self._handle: Any = None

    def draw(self, text: Text) -> None:
        """Show the finished lines and this draft, if there is one."""
        self._show([*self._lines, *([text] if text else [])])

    def line(self, text: Text) -> None:
        """Keep a line; it is shown with the next draft, or at the end."""
        self._dropped += len(self._lines) == _KEPT
        self._lines.append(text)

    def close(self) -> None:
        """Show what is finished."""
        if self._lines or self._handle is not None:
            self._show(list(self._lines))

    def _show(self, lines: list[Text]) -> None:
        if self._dropped:
            lines = [[(f"… {self._dropped} lines before", "")], *lines]
        import html  # only a notebook wants it
        plain = "\n".join("".join(piece for piece, _ in line) for line in lines)
        marked = "\n".join("".join(
            f'<span style="{_CSS[style]}">{html.escape(piece)}</span>' if style else html.escape(piece)
            for piece, style in line) for line in lines)
        content = {"text/plain": plain, "text/html": f'<pre style="line-height: 1.3">{marked}</pre>'}
        if self._handle is None:
            from IPython.display import display
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def in_notebook() -> bool:
    """Whether this Python is the kernel of a notebook."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython
    return "ZMQ" in type(get_ipython()).__name__


def is_terminal(stream: Any) -> bool:
    """Whether the stream can redraw a line."""
    try:
        return bool(stream.isatty())
    except Exception:       # no console, what has no isatty, what was closed: whatever it is, no line is redrawn there
        return False
