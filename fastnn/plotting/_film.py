"""Films: a figure drawn frame by frame, as a GIF or as a page with buttons that needs nothing else. Floor 5."""

import base64
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.plotting._figure import Path_

DOTS = 80           # an inch
COLOURS = 128       # of a frame
_PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>fastnn</title></head><body style="font-family: sans-serif">
<img id="film" alt="the film"><br>
<button id="play">play</button> <input id="at" type="range" min="0" value="0" style="width: 60%">
<script>
const frames = FRAMES, film = document.getElementById("film"), at = document.getElementById("at");
const play = document.getElementById("play");
let timer = null;
at.max = frames.length - 1;
function show(i) { at.value = i; film.src = "data:image/png;base64," + frames[i]; }
function stop() { clearInterval(timer); timer = null; play.textContent = "play"; }
function next() { if (+at.value < frames.length - 1) show(+at.value + 1); else stop(); }
at.oninput = () => { stop(); show(+at.value); };
play.onclick = () => {
  if (timer) return stop();
  if (+at.value == frames.length - 1) show(0);
  timer = setInterval(next, INTERVAL);
  play.textContent = "pause";
};
show(0); play.click();
</script></body></html>
"""


def ending_of_film(path: Path_) -> str:
    """gif or html. ValueError for other endings."""
    found = Path(path).suffix.lower().lstrip(".")
    if found not in ("gif", "html"):
        raise ValueError(f"animate(): got a file ending in {Path(path).suffix!r}; needs .gif or .html.")
    return found


def film(figure: Any, draw: Callable[[int], Any], frames: int, path: Path_, seconds: float) -> str:
    """Let draw(0) … draw(frames - 1) change the figure, and write what it shows as a film of so many seconds; the last
    frame of a GIF stays for a second. → the path."""
    kind = ending_of_film(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image
    canvas, dots = FigureCanvasAgg(figure), figure.dpi
    draw(frames - 1)
    figure.set_dpi(DOTS)
    canvas.draw()
    figure.set_layout_engine("none")        # laid out once, not in every frame
    pictures = []
    for i in range(frames):
        draw(i)
        canvas.draw()
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        pictures.append(picture.quantize(COLOURS, dither=Image.Dither.NONE))
    figure.set_dpi(dots)
    pause = round(1000 * max(seconds, 0.1) / frames)
    if kind == "gif":
        first, *others = pictures
        first.save(os.fspath(path), format="GIF", save_all=True, append_images=others, loop=0,
                   duration=[pause] * (frames - 1) + [pause + 1000])
    else:
        page = _PAGE.replace("INTERVAL", str(pause)).replace("FRAMES", json.dumps([_png(each) for each in pictures]))
        Path(path).write_text(page, encoding="utf-8")
    return os.fspath(path)


def _png(picture: Any) -> str:
    target = io.BytesIO()
    picture.save(target, format="PNG", optimize=True)
    return base64.b64encode(target.getvalue()).decode()
