"""Films: a figure drawn frame by frame, as a GIF or as a page with buttons that needs nothing else. Floor 5."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastnn.plotting._figure import Path_

MEGABYTES = 200     # of pictures in a page
DOTS = 80           # an inch
_SIGNS = {"minus": "-", "fast-backward": "|&lt;", "step-backward": "&lt;|", "play fa-flip-horizontal": "&#9664;",
          "pause": "||", "play": "&#9654;", "step-forward": "|&gt;", "fast-forward": "&gt;|", "plus": "+"}


def ending_of_film(path: Path_) -> str:
    """gif or html. ValueError for other endings."""
    found = Path(path).suffix.lower().lstrip(".")
    if found not in ("gif", "html"):
        raise ValueError(f"animate(): got a file ending in {Path(path).suffix!r}; needs .gif or .html.")
    return found


def film(figure: Any, draw: Callable[[int], Any], frames: int, path: Path_, seconds: float) -> str:
    """Let draw(0) … draw(frames - 1) change the figure, and write what it shows as a film of so many seconds; the last
    frame stays for a while. → the path."""
    kind = ending_of_film(path)
    import matplotlib
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    canvas, dots = FigureCanvasAgg(figure), figure.dpi
    draw(frames - 1)
    figure.set_dpi(DOTS)
    canvas.draw()
    figure.set_layout_engine("none")        # laid out once, not in every frame
    rate = max(1.0, frames / max(seconds, 0.1))
    order = [*range(frames), *[frames - 1] * round(rate)]
    animation = FuncAnimation(figure, lambda i: draw(i) or [], frames=order, interval=1000 / rate, blit=False,
                              init_func=lambda: [])
    if kind == "gif":
        animation.save(os.fspath(path), writer=PillowWriter(fps=round(rate)), dpi=DOTS)
    else:
        with matplotlib.rc_context({"animation.embed_limit": MEGABYTES, "savefig.dpi": DOTS}):
            page = animation.to_jshtml(fps=round(rate), default_mode="once")
        with open(path, "w", encoding="utf-8") as file:
            file.write("<!DOCTYPE html><html><head><meta charset='utf-8'><title>fastnn</title></head><body>"
                       f"{_alone(page)}</body></html>")
    figure.set_dpi(dots)
    return os.fspath(path)


def _alone(page: str) -> str:
    """The page without the icons that it would fetch from elsewhere: signs in their place."""
    page = re.sub(r'<link rel="stylesheet"[^>]*>', "", page)
    return re.sub(r'<i class="fa fa-([\w -]+)"></i>', lambda found: _SIGNS.get(found[1], found[1]), page)
