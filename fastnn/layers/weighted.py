"""Weighted: what a layer holds, its weights and sublayers, found among its attributes. Floor 3."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from fastnn.arguments import flag
from fastnn.configuration import Configurable
from fastnn.engine.tensor import Variable
from fastnn.engine.watch import Watched, note
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.nest import distinct


class Weighted(Configurable, Watched):
    """The base of Layer: weights and sublayers that are assigned to an attribute are its own."""

    unwatched: ClassVar[frozenset[str]] = frozenset(       # no program depends on these
        {"built", "output_shape", "_build_shape", "_variables", "_sublayers"})
    name: str
    built: bool
    _trainable: bool
    _variables: list[Variable]
    _sublayers: list[Any]

    def __setattr__(self, name: str, value: Any) -> None:
        public = not name.startswith("_") and name not in self.unwatched
        before = self.__dict__.get(name) if public else None
        super().__setattr__(name, value)
        if public:
            if before is not value and isinstance(before, (Variable, Weighted)):
                self._replace(before, value)
            self._track(value)

    def _replace(self, before: Any, value: Any) -> None:
        """Forget a weight or sublayer whose attribute got another value; a value of its kind takes its place."""
        if any(other is before for key, other in self.__dict__.items() if not key.startswith("_")):
            return
        found: list[Any] = self._variables if isinstance(before, Variable) else self._sublayers
        for i, item in enumerate(found):
            if item is before:
                same = isinstance(value, Variable if isinstance(before, Variable) else Weighted)
                found[i:i + 1] = [value] if same and not any(v is value for v in found) else []
                return

    def _track(self, value: Any) -> None:
        if isinstance(value, Variable) and not any(v is value for v in self._variables):
            self._variables.append(value)
        elif isinstance(value, Weighted) and not any(v is value for v in self._sublayers):
            self._sublayers.append(value)
        elif isinstance(value, (list, tuple)):
            for item in value:
                if isinstance(item, (Weighted, Variable, list, tuple)):
                    self._track(item)
        elif isinstance(value, dict):
            self._track(list(value.values()))

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape (batch axis first, None). Layers without weights need none."""

    # ---- weights ----------------------------------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets the sublayers too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = flag(value, f"{self.name}: trainable")
        for layer in self._sublayers:
            layer.trainable = value

    @property
    def weights(self) -> list[Variable]:
        """The layer's own, trainable ones first, then each sublayer's (Keras' order, frozen or not)."""
        own = [*self._own(True), *self._own(False)]
        return distinct([*own, *(v for layer in self._sublayers for v in layer.weights)])

    def _own(self, trainable: bool) -> list[Variable]:
        return [v for v in self._variables if v.trainable == trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        note(self)
        if not self._trainable:
            return []
        return distinct([*self._own(True), *(v for layer in self._sublayers for v in layer.trainable_weights)])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Frozen weights and state."""
        own = self._own(False) if self._trainable else self._variables
        return distinct([*own, *(v for layer in self._sublayers for v in layer.non_trainable_weights)])

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights, in the order of `weights`; the list moves to and from Keras."""
        self._require_built("get_weights")
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Copy arrays in. ShapeError, naming the first that does not fit, before anything changes."""
        self._require_built("set_weights")
        own = self.weights
        arrays = [np.asarray(w) for w in weights]
        for array in arrays:
            if array.dtype.kind not in "fiub":
                raise TypeError(f"{self.name}: set_weights got an array of dtype {array.dtype}; needs numbers.")
        if len(arrays) != len(own):
            raise ShapeError(f"{self.name}: set_weights got {len(arrays)} arrays; needs {len(own)}, of shapes "
                             f"{[v.shape for v in own]}.")
        for variable, array in zip(own, arrays):
            if variable.shape != array.shape:
                raise ShapeError(f"{self.name}: set_weights got shape {array.shape} for {variable.name!r}; needs "
                                 f"{variable.shape}.")
        for variable, array in zip(own, arrays):
            variable.assign(array)

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise NotBuiltError(f"{what}: {self.name!r} has no weights yet, because its input shape is not known. "
                                "Add an Input, call it on data, or fit it first.")

    def count_params(self) -> int:
        """How many numbers the weights hold. NotBuiltError before the input shape is known."""
        if not self.built and (self._sublayers or type(self).build is not Weighted.build):
            self._require_built("count_params")
        return sum(math.prod(v.shape) for v in self.weights)

    def count_arithmetic(self) -> str:
        """How count_params comes about: '30·16 + 16'."""
        return " + ".join("·".join(map(str, v.shape)) for v in self.weights)
