"""How much of the gradient reaches each layer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn.engine.gradient import GradientTape
from fastnn.engine.kinds import TensorLike
from fastnn.errors import NotBuiltError
from fastnn.plotting._figure import COLOURS, MARKERS, Path_, axes_of, saved, style
from fastnn.plotting._kinds import Axes, Figure

__all__ = ["gradient_sizes"]


def gradient_sizes(model: Any, x: TensorLike, y: TensorLike, path: Path_ | None = None,
                   ax: "Axes | None" = None) -> "Figure":
    """The mean size of the loss' gradient in each layer's weights, from the first layer to the last.

    model: compiled, or several as {name: model}. x, y: a batch; nothing is trained, and what layers keep of a batch
    (moving means) is put back. Returns the Figure. NotBuiltError for a model that is not compiled.
    Source: study guide, chapters 16 and 30.

    plotting.gradient_sizes({"sigmoid": a, "relu": b}, x[:32], y[:32])
    """
    models = model if isinstance(model, Mapping) else {"": model}
    figure, ax = axes_of(ax, 7.0, 4.2)
    labels: list[str] = []
    for place, (name, one) in enumerate(models.items()):
        sizes = _sizes(one, x, y)
        numbers = range(1, len(sizes) + 1)
        labels = max(labels, list(sizes), key=len)
        ax.plot(numbers, list(sizes.values()), color=COLOURS[place % len(COLOURS)], linewidth=1.8, label=str(name),
                marker=MARKERS[place % len(MARKERS)])
        for at, size in zip(numbers, sizes.values()):
            if size == 0:
                ax.text(at, 0.02, "0", transform=ax.get_xaxis_transform(), ha="center", color=COLOURS[place])
    ax.set_yscale("log")
    ax.set_xticks(range(1, len(labels) + 1), labels if len(models) == 1 else [str(i + 1) for i in range(len(labels))],
                  rotation=45 if len(models) == 1 else 0, ha="right" if len(models) == 1 else "center")
    style(ax, "How much of the gradient reaches each layer", "layer" if len(models) == 1 else "layer with weights",
          "mean |gradient|")
    if "" not in models:
        ax.legend(frameon=False)
    return saved(figure, path)


def _sizes(model: Any, x: TensorLike, y: TensorLike) -> dict[str, float]:
    """{layer: mean |gradient| of its largest weight}."""
    if getattr(model, "optimizer", None) is None:
        raise NotBuiltError(f"gradient_sizes: {getattr(model, 'name', model)} is not compiled; compile it with its "
                            "loss first.")
    x, y = np.asarray(x), np.asarray(y)
    if not model.built:
        model(x[:1])
    kept = [v.numpy().copy() for v in model.non_trainable_variables]
    with GradientTape() as tape:
        loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True))
    weights = model.trainable_variables
    gradients = dict(zip(map(id, weights), tape.gradient(loss, weights)))
    for variable, value in zip(model.non_trainable_variables, kept):
        variable.assign(value)
    sizes = {}
    for layer in model.layers:
        own = [v for v in layer.trainable_variables if len(v.shape) > 1 and gradients.get(id(v)) is not None]
        if own:
            largest = max(own, key=lambda v: int(np.prod(v.shape)))
            sizes[layer.name] = float(np.abs(np.asarray(gradients[id(largest)])).mean())
    return sizes
