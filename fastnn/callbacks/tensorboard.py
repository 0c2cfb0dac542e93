"""TensorBoard: what a fit measures, as event files that TensorBoard shows. Floor 5. Needs tensorboardX, an extra."""

import itertools
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.arguments import flag, frequency, optional, path, whole
from fastnn.callbacks.base import Callback, Logs
from fastnn.callbacks.projector import embeddings
from fastnn.errors import shown

_number = itertools.count()


class TensorBoard(Callback):
    """Write event files for TensorBoard into log_dir/train and log_dir/validation: `tensorboard --logdir logs`.

    Losses and metrics as epoch_NAME, of evaluate as evaluation_NAME_vs_iterations; with update_freq=n also batch_NAME
    every n steps, between which no Python runs. histogram_freq=n: every n epochs a histogram of each weight,
    write_images: weights as pictures too. write_graph: the summary of the model as a picture. write_steps_per_second:
    how fast it went. embeddings_freq=n: every n epochs the tables of the Embedding layers for the projector, whose
    points are named by embeddings_metadata: a text file of a name a line, or of columns under a line of their titles,
    in log_dir or where the program runs; or {layer's name: file}. profile_batch has nothing to show here (model.profile
    has) and must be 0. ImportError without tensorboardX (the extra tensorboard). Source: keras.callbacks.TensorBoard.

    >>> model.fit(x, y, epochs=10, callbacks=[TensorBoard("logs")])
    """

    def __init__(self, log_dir: Any = "logs", histogram_freq: int = 0, write_graph: bool = True,
                 write_images: bool = False, write_steps_per_second: bool = False, update_freq: Any = "epoch",
                 profile_batch: Any = 0, embeddings_freq: int | None = 0, embeddings_metadata: Any = None) -> None:
        self.log_dir = path(log_dir, "TensorBoard: log_dir", "logs")
        self.histogram_freq = whole(histogram_freq, "TensorBoard: histogram_freq", 0)
        self.write_graph = flag(write_graph, "TensorBoard: write_graph")
        self.write_images = flag(write_images, "TensorBoard: write_images")
        self.write_steps_per_second = flag(write_steps_per_second, "TensorBoard: write_steps_per_second")
        self.update_freq = 1 if isinstance(update_freq, str) and update_freq == "batch" else frequency(
            update_freq, "TensorBoard: update_freq")
        self.stride = 0 if self.update_freq == "epoch" else self.update_freq
        if optional(whole, profile_batch, "TensorBoard: profile_batch", 0):
            raise ValueError(f"TensorBoard: profile_batch is {shown(profile_batch)}; needs 0.\n"
                             "print(model.profile(x, y)) shows where the time goes.")
        self.profile_batch = 0
        self.embeddings_freq = optional(whole, embeddings_freq, "TensorBoard: embeddings_freq", 0) or 0
        if not isinstance(embeddings_metadata, (str, os.PathLike, Mapping, type(None))):
            raise TypeError(f"TensorBoard: embeddings_metadata is {shown(embeddings_metadata)}; needs a file, or a "
                            "dict of the layers' names and files.")
        self.embeddings_metadata = embeddings_metadata
        self._embeddings: list[tuple[Any, list[Any] | None, list[str] | None]] = []
        self._writers: dict[str, Any] = {}
        self._fitting = False
        self._began, self._before = 0.0, 0

    def get_state(self) -> dict[str, Any]:
        """Nothing: the files go on."""
        return {}

    # ---- moments ----------------------------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs = None) -> None:
        self._embeddings = []
        if self.embeddings_freq:
            self._embeddings = embeddings(self.model, self.log_dir, self.embeddings_metadata)
        self._fitting = True
        writer = self._writer("train")
        if self.write_graph and self.model.built:
            writer.add_image("model", _drawn(self.model), 0, dataformats="HWC")

    def on_train_end(self, logs: Logs = None) -> None:
        self._fitting = False
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._began, self._before = time.perf_counter(), self._iterations()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._scalars("train", "batch_{}", logs, self._iterations())

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._fitting:       # evaluate
            self._scalars("validation", "evaluation_{}_vs_iterations", logs, self._iterations())
            if "validation" in self._writers:       # there were logs
                self._writers.pop("validation").close()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        if self.write_steps_per_second:
            steps = self._iterations() - self._before
            self._scalars("train", "epoch_{}", {"steps_per_second": steps / (time.perf_counter() - self._began)}, epoch)
        self._scalars("train", "epoch_{}", {k: v for k, v in logs.items() if not k.startswith("val_")}, epoch)
        self._scalars("validation", "epoch_{}", {k[4:]: v for k, v in logs.items() if k.startswith("val_")}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            for layer, names, titles in self._embeddings:
                self._writer("train").add_embedding(layer.embeddings.numpy(), names, None, self._iterations(),
                                                    layer.name, titles)
        for writer in self._writers.values():
            writer.flush()

    # ---- what is written --------------------------------------------------------------------------------------

    def _iterations(self) -> int:
        """How many steps the model was trained for; 0 where it has no optimizer."""
        return 0 if self.model.optimizer is None else int(self.model.optimizer.iterations)

    def _writer(self, part: str) -> Any:
        if part not in self._writers:
            before = set(os.environ)
            try:
                from tensorboardX import SummaryWriter
            except ImportError:
                raise ImportError("TensorBoard needs the package tensorboardX; install it: pip install "
                                  "'fastnn[tensorboard]'.") from None
            for name in set(os.environ) - before:       # the package sets one for itself
                del os.environ[name]
            # Its files are named by the second: another one of the same second would take the place of the first.
            self._writers[part] = SummaryWriter(str(Path(self.log_dir) / part), filename_suffix=f".{next(_number)}")
        return self._writers[part]

    def _scalars(self, part: str, tag: str, logs: Mapping[str, Any] | None, step: int) -> None:
        for name, value in sorted((logs or {}).items()):
            if not np.ndim(value):
                self._writer(part).add_scalar(tag.format(name), float(value), step)

    def _weights(self, epoch: int) -> None:
        for layer in self.model.layers:
            for i, weight in enumerate(layer.get_weights()):
                tag = f"{layer.name}/{layer.weights[i].name.rpartition('/')[2]}"
                if weight.size and np.isfinite(weight).all():
                    self._writer("train").add_histogram(f"{tag}/histogram", weight, epoch)
                    if self.write_images:
                        self._writer("train").add_image(f"{tag}/image", _picture(weight), epoch, dataformats="HW")


def _picture(weight: np.ndarray) -> np.ndarray:
    """The numbers as grey from the smallest to the largest, all axes but the last one after the other."""
    flat = weight.reshape(-1, weight.shape[-1]) if weight.ndim > 1 else weight.reshape(1, -1)
    low, high = float(flat.min()), float(flat.max())
    return ((flat - low) / (high - low or 1.0)).astype(np.float32)


def _drawn(model: Any) -> np.ndarray:
    """The model's summary as a picture, (height, width, 3) bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    rows, columns = text.count("\n") + 1, max(map(len, text.splitlines()), default=1)
    figure = Figure(figsize=(math.ceil(columns * 0.085) + 0.4, rows * 0.17 + 0.4), dpi=100)
    canvas = FigureCanvasAgg(figure)
    figure.text(0.02, 0.98, text, family="monospace", fontsize=9, va="top")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
