"""Single layers of CNNs, forward and back: fastnn beside torch and Keras, on the same images with the same weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.process import Work, calls
from benchmarks.products import SETTINGS as FASTNN
from benchmarks.products import THREADS, program, replayed

SETTINGS = {"fastnn": tuple(FASTNN), "torch": ("default", "channels_last", "compile", "compile, channels_last"),
            "Keras": ("graph", "jit_compile")}


@dataclass(frozen=True)
class ImageLayer:
    """kind: "conv" (3×3, 64 filters) or "norm" (batch normalization in training); back: and all gradients."""
    id: str
    name: str
    kind: str
    shape: tuple[int, int, int, int]
    back: bool
    flops: int = 0              # of multiplications and additions, where these are the time

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Images, and the gradient of the output."""
        rng = np.random.default_rng(0)
        batch, height, width, _ = self.shape
        y = (batch, height - 2, width - 2, 64) if self.kind == "conv" else self.shape
        return tuple(rng.random(shape, np.float32) - np.float32(0.5) for shape in (self.shape, y))  # type: ignore

    def weights(self) -> list[np.ndarray]:
        """Those that are trained, as Keras has them: kernel and bias, or gamma and beta."""
        rng = np.random.default_rng(1)
        first = (3, 3, self.shape[3], 64) if self.kind == "conv" else self.shape[3:]
        return [rng.random(shape, np.float32) - np.float32(0.5) for shape in (first, (64,))]


CONV = 2 * 3 * 3 * 32 * 64 * 12 * 12 * 32
LAYERS = [
    ImageLayer("conv", "Conv2D 32→64, 3×3, on 14×14, forward", "conv", (32, 14, 14, 32), False, CONV),
    ImageLayer("conv-back", "the same, forward and all gradients", "conv", (32, 14, 14, 32), True, 3 * CONV),
    ImageLayer("norm-back", "BatchNormalization (128, 14, 14, 64), training, forward and all gradients", "norm",
               (128, 14, 14, 64), True),
]


def apart(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """The largest difference, as a share of the largest number in its array."""
    return max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in zip(ours, theirs, strict=True))


def _start(made: Any, layer: ImageLayer) -> None:
    weights = layer.weights()
    made.set_weights([*weights, *made.get_weights()[len(weights):]])        # moving averages stay as they are


def _both(layer: Any, back: bool) -> Callable[[Any, Any], Any]:
    """A function of images and dy that gives the output and, if `back`, the gradients of images and weights."""
    from fastnn.engine.gradient import backward

    def run(x: Any, dy: Any) -> list[Any]:
        x.tracked = back
        y = layer(x, training=True)
        return [y, *backward(y, [x, *layer.trainable_weights], dy)] if back else [y]
    return run


def program_of(layer: ImageLayer) -> Any:
    """fastnn's, as a program."""
    import fastnn
    made = fastnn.layers.Conv2D(64, 3) if layer.kind == "conv" else fastnn.layers.BatchNormalization()
    made.build(layer.shape)
    made.built = True
    _start(made, layer)
    return program(_both(made, layer.back), *layer.arrays())


def _in_torch(layer: ImageLayer, memory: str, compiled: bool) -> tuple[Callable[[], Any], Callable[[], Any]]:
    import torch
    order: Any = getattr(torch, memory)
    x, dy = (torch.from_numpy(a).permute(0, 3, 1, 2).contiguous(memory_format=order) for a in layer.arrays())
    channels = layer.shape[3]
    made: Any = torch.nn.Conv2d(channels, 64, 3) if layer.kind == "conv" else torch.nn.BatchNorm2d(channels, eps=1e-3)
    with torch.no_grad():
        for parameter, w in zip(made.parameters(), layer.weights()):
            parameter.copy_(torch.from_numpy(w.transpose(3, 2, 0, 1) if w.ndim == 4 else w))
    made = made.to(memory_format=order)
    wanted = [x.requires_grad_(layer.back), *made.parameters()]
    run = torch.compile(made, dynamic=False) if compiled else made

    def call() -> list[Any]:
        if layer.back:
            y = run(x)
            return [y, *torch.autograd.grad(y, wanted, dy)]
        with torch.inference_mode():
            return [run(x)]

    def results() -> list[np.ndarray]:
        images, weights = call()[:2], call()[2:]
        return [*(t.detach().permute(0, 2, 3, 1).numpy() for t in images),
                *((t.permute(2, 3, 1, 0) if t.ndim == 4 else t).numpy() for t in weights)]
    return call, results


def _in_keras(layer: ImageLayer, jit: bool) -> tuple[Callable[[], Any], Callable[[], Any]]:
    import keras
    import tensorflow as tf
    made = keras.layers.Conv2D(64, 3) if layer.kind == "conv" else keras.layers.BatchNormalization()
    made.build(layer.shape)
    _start(made, layer)
    x, dy = map(tf.constant, layer.arrays())

    def run(x: Any, dy: Any) -> list[Any]:
        if not layer.back:
            return [made(x, training=True)]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = made(x, training=True)
        return [y, *tape.gradient(y, [x, *(v.value for v in made.trainable_variables)], dy)]

    graph = tf.function(run, jit_compile=jit)
    return lambda: graph(x, dy), lambda: [t.numpy() for t in graph(x, dy)]


def layer_of(library: str, setting: str, index: int) -> Work:
    """LAYERS[index] in one of the library's SETTINGS. Keras takes as many threads as there are cores."""
    layer = LAYERS[index]
    if library == "fastnn":
        return replayed(program_of(layer), setting)
    if library == "torch":
        import torch
        torch.set_num_threads(THREADS)
        memory = "channels_last" if "channels_last" in setting else "contiguous_format"
        call, results = _in_torch(layer, memory, "compile" in setting)
    else:
        call, results = _in_keras(layer, setting == "jit_compile")
    return calls(call, results=results)
