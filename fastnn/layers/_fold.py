"""Attention along some axes of inputs that have more: positions become one axis, the other axes batches. Floor 3."""

import math
from typing import Any

from fastnn import ops
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown


class Fold:
    """How query, value and key (batch, …, features) become (batch · free, positions, features), and outputs go back.

    free: the axes that are neither batch nor features nor among attention_axes. `needed`: whether there is anything to
    do. ShapeError for axes that the inputs have not, or that differ between them.
    """

    def __init__(self, layer: Any, query: Tensor, value: Tensor, key: Tensor, causal: bool) -> None:
        rank = query.ndim
        given = layer.attention_axes or tuple(range(1, rank - 1))
        self.axes = tuple(sorted(axis + rank if axis < 0 else axis for axis in given))
        self.free = tuple(axis for axis in range(1, rank - 1) if axis not in self.axes)
        self.needed = rank != 3
        self.query_shape, self.value_shape = query.shape, value.shape
        if any(not 0 < axis < rank - 1 for axis in self.axes):
            raise ShapeError(f"{layer.name}: attention_axes is {shown(given)} and query is {query.shape}; needs axes "
                             "between batch and features.")
        if value.ndim != rank or key.ndim != rank or any(value.shape[i] != query.shape[i] for i in self.free):
            raise ShapeError(f"{layer.name}: query is {query.shape} and value is {value.shape}; needs as many axes, "
                             f"and equal ones but for {self.axes} and the last.")
        if self.needed and (causal or layer.sliding_window) and len(self.axes) > 1:
            raise ValueError(f"{layer.name}: {'use_causal_mask' if causal else 'sliding_window'} with attention_axes "
                             f"{self.axes}; needs one axis, along which positions come one after the other.")
        self.name = layer.name
        self.counts = tuple(query.shape[i] for i in self.free)

    def rows(self, x: Tensor) -> Tensor:
        """(batch · free, positions, features)."""
        x = ops.transpose(x, (0, *self.free, *self.axes, x.ndim - 1))
        return ops.reshape(x, (-1, math.prod(x.shape[1 + len(self.free):-1]), x.shape[-1]))

    def back(self, y: Tensor) -> Tensor:
        """The axes of an output (batch · free, positions, features) as those of the query."""
        order = (0, *self.free, *self.axes, len(self.query_shape) - 1)
        y = ops.reshape(y, (-1, *self.counts, *(self.query_shape[i] for i in self.axes), y.shape[-1]))
        return ops.transpose(y, tuple(order.index(i) for i in range(len(order))))

    def scores(self, p: Tensor) -> Tensor:
        """(batch, free, heads, positions of the query, positions of the value), each as so many axes."""
        ends = [*(self.query_shape[i] for i in self.axes), *(self.value_shape[i] for i in self.axes)]
        return ops.reshape(p, (-1, *self.counts, p.shape[1], *ends))

    def mask(self, attention: Any, query: Any, value: Any, key: Any) -> Any:
        """All masks as one of folded rows, or None. Axes that a mask lacks stand between its batch and its positions
        (as Keras)."""
        n, m = (math.prod(shape[i] for i in self.axes) for shape in (self.query_shape, self.value_shape))
        found: Any = None
        for mask, shape in ((query, (n, 1)), (value, (1, m)), (key, (1, m)), (attention, (n, m))):
            if mask is None or mask.symbolic or self.query_shape[0] is None:
                continue        # nothing is computed: shapes do not depend on it
            sides = mask.shape[:mask.ndim - len(self.axes) * (2 if mask is attention else 1)]
            more = 1 + len(self.free) - len(sides)
            if math.prod(mask.shape[len(sides):]) not in (math.prod(shape), 1):
                raise ShapeError(f"{self.name}: got a mask of shape {mask.shape}; needs one value a position, {shape} "
                                 "of them, at its end.")
            mask = ops.reshape(ops.cast(mask, "bool"), (*sides, *[1] * more, *shape))
            heads = mask.shape[1 + len(self.free):-2]
            mask = ops.broadcast_to(mask, (self.query_shape[0], *self.counts, *heads, n, m))
            found = mask if found is None else ops.logical_and(found, mask)
        return None if found is None else ops.reshape(found, (-1, *found.shape[1 + len(self.free):]))
