"""Weighted: what a layer holds, its weights and sublayers, found among its attributes. Floor 3."""

import functools
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from fastnn.arguments import flag
from fastnn.configuration import Configurable
from fastnn.engine.restored import shared
from fastnn.engine.tensor import Variable
from fastnn.engine.watch import Watched, held, note
from fastnn.errors import NotBuiltError, ShapeError
from fastnn.frames import entrance
from fastnn.layers import _input_shapes
from fastnn.nest import distinct
from fastnn.seeds import SeedGenerator

# Attributes that hold what is not a layer's own.
BOOKS = frozenset({"_given", "_links", "_variables", "_sublayers", "_held", "_losses", "_build_shape", "_symbols",
                   "history", "compiled", "_holders"})

_CONTAINERS = (list, tuple, dict, set)


class _Walk(threading.local):
    def __init__(self) -> None:
        self.inside: set[int] = set()       # layers whose weights are being gathered


_walk = shared(_Walk())


def _collect(value: Any, held: dict[int, Any], seen: set[int]) -> None:
    """Put the weights and layers of nested lists, tuples and dicts into `held`, in order."""
    if isinstance(value, (Variable, Weighted)):
        held.setdefault(id(value), value)
    elif isinstance(value, (list, tuple, dict)) and id(value) not in seen:
        seen.add(id(value))
        for item in value.values() if isinstance(value, dict) else value:
            _collect(item, held, seen)


def _copy_items(value: Any, found: dict[int, tuple[Any, Any]]) -> None:
    """Put nested lists, dicts and sets into `found`, each with a copy of what is in it."""
    if isinstance(value, _CONTAINERS) and id(value) not in found:
        found[id(value)] = value, None if isinstance(value, tuple) else value.copy()
        items = value.values() if isinstance(value, dict) else value
        if any(issubclass(kind, _CONTAINERS) for kind in set(map(type, items))):    # no call for each of many numbers
            for item in items:
                _copy_items(item, found)


def _once(build: Callable[..., Any]) -> Callable[..., Any]:
    """build(), after which the layer is built; a layer that is keeps its weights."""
    @functools.wraps(build)
    def once(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.__dict__.get("_building"):
            return build(self, *args, **kwargs)         # of a base class, from the one of a subclass
        if self.built:
            return None
        if build.__module__.startswith("fastnn."):
            for each in (*args, *kwargs.values()):
                _input_shapes.tuples(each, f"{self.name}: build()")
        with building(self):
            object.__setattr__(self, "_building", True)
            build(self, *args, **kwargs)
            self._build_shape = _input_shapes.kept(args, kwargs)
            self.built = True
            object.__setattr__(self, "_building", False)
        return None
    return once


class building:
    """What the `with` block makes of a layer is gone where it fails or is interrupted: the next begins anew, with no
    weight twice."""
    __slots__ = ("_before", "_inside", "_layer")

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def __enter__(self) -> None:
        self._before = dict(self._layer.__dict__)
        self._inside: dict[int, tuple[Any, Any]] = {}
        for value in self._before.values():
            _copy_items(value, self._inside)

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None:
            return
        layer, own = self._layer, self._layer.__dict__
        books = {name: own[name] for name in ("_version", "_edited") if name in own}
        own.update(self._before)
        for value, items in self._inside.values():
            if isinstance(value, list):
                value[:] = items
            elif items is not None:
                value.clear()
                value.update(items)
        for name in own.keys() - self._before.keys():
            del own[name]
        own.update(books)
        layer.touch("build")


class Weighted(Configurable, Watched):
    """The base of Layer: weights and sublayers that are assigned to an attribute are its own."""

    unwatched: ClassVar[frozenset[str]] = frozenset(       # no program depends on these
        {"built", "output_shape", "_build_shape", "_variables", "_sublayers", "_held", "_losses", "_building"})
    no_weights: ClassVar[frozenset[str]] = frozenset()     # attributes whose variables are none, as in Keras
    searched: ClassVar[bool] = True         # whether what its attributes hold is its own
    name: str
    built: bool
    _trainable: bool
    _variables: list[Variable]
    _sublayers: list[Any]
    _held: dict[int, Any]       # what the attributes held when they were looked at last, by id
    _losses: list[Any]          # what calls of the last pass have added to the loss

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """A layer is built once its build() has run, whoever called it, and keeps its weights then."""
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls) and not cls.__module__.startswith("fastnn.models."):
            cls.build = _once(vars(cls)["build"])  # type: ignore[method-assign]

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.__dict__.get(name)
        super().__setattr__(name, value)
        if name in BOOKS or "_held" not in self.__dict__:
            return
        if before is not value and isinstance(before, (Variable, Weighted)):
            self._replace(before, value)
        if isinstance(value, (Variable, Weighted, list, tuple, dict)):
            self._look()

    def _replace(self, before: Any, value: Any) -> None:
        """A weight or sublayer whose attribute got another value of its kind: that one takes its place."""
        if any(other is before for other in list(self.__dict__.values())):
            return
        kind = Variable if isinstance(before, Variable) else Weighted
        found: list[Any] = self._variables if kind is Variable else self._sublayers
        for i, item in enumerate(found):
            if item is before and isinstance(value, kind) and not any(v is value for v in found):
                found[i] = value

    def _look(self) -> None:
        """Find the weights and sublayers among the attributes, in lists, tuples and dicts too, however they came there.

        What was there before and is no more is forgotten; add_weight's stay.
        """
        held: dict[int, Any] = {}
        if self.searched:
            seen: set[int] = set()
            for name, value in list(self.__dict__.items()):
                if name not in BOOKS and name not in self.no_weights:
                    _collect(value, held, seen)
        gone = self._held.keys() - held.keys()
        for registry, kind in ((self._variables, Variable), (self._sublayers, Weighted)):
            known = {id(item) for item in registry}
            if gone & known:
                registry[:] = [item for item in registry if id(item) not in gone]  # type: ignore[index]
            new = [item for key, item in held.items() if key not in known and isinstance(item, kind)]
            registry.extend(new)  # type: ignore[arg-type]
            for item in new:
                if isinstance(item, Variable):
                    item.watch(self)
        object.__setattr__(self, "_held", held)

    @_once
    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape (batch axis first, None). Layers without weights need none."""

    # ---- weights ----------------------------------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets the sublayers too, and what their weights say."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = flag(value, f"{self.name}: trainable")
        self._look()
        for variable in self._variables:
            variable._frozen = not self._trainable
        for layer in self._sublayers:
            layer.trainable = value

    @property
    def weights(self) -> list[Variable]:
        """The layer's own, trainable ones first, then each sublayer's (Keras' order, frozen or not)."""
        return self._gathered("weights", lambda: [*self._own(True), *self._own(False)])

    def _own(self, trainable: bool) -> list[Variable]:
        return [v for v in self._variables if v._trainable == trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        note(self)
        return self._gathered("trainable_weights", lambda: self._own(True)) if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Frozen weights and state; of a frozen layer all `weights`, those of its sublayers too."""
        if not self._trainable:
            return self.weights
        return self._gathered("non_trainable_weights", lambda: self._own(False))

    def _gathered(self, which: str, own: Callable[[], list[Variable]]) -> list[Variable]:
        """The layer's own weights, then those of its sublayers; a layer inside of itself counts once."""
        if id(self) in _walk.inside:
            return []
        self._look()
        _walk.inside.add(id(self))
        try:
            return distinct([*own(), *(v for layer in self._sublayers for v in getattr(layer, which))])
        finally:
            _walk.inside.discard(id(self))

    def _with_sublayers(self, look: bool = True) -> list[Any]:
        """The layer and all that are in it, each once, in order. look: for new ones; what needs no more than those that
        were found last does without."""
        found: dict[int, Any] = {}
        order: list[Any] = [self]
        for after, layer in enumerate(order, 1):
            if (key := id(layer)) not in found:
                found[key] = layer
                if look:
                    layer._look()
                order[after:after] = layer._sublayers
        return list(found.values())

    def _holds(self, kind: type) -> list[Any]:
        """The objects of a kind (metrics, optimizers) among its attributes and those of its sublayers; each once."""
        return distinct([v for layer in self._with_sublayers(look=False) for v in held(layer, kind, BOOKS)])

    @property
    def variables(self) -> list[Variable]:
        """`weights`, and after each layer's own the states of its seed generators."""
        return self._gathered("variables", lambda: [*self._own(True), *self._own(False), *self._seeds()])

    trainable_variables = trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """`non_trainable_weights`, and the states of the seed generators; all `variables` of a frozen layer."""
        if not self._trainable:
            return self.variables
        return self._gathered("non_trainable_variables", lambda: [*self._own(False), *self._seeds()])

    def _seeds(self) -> list[Variable]:
        """The states of the seed generators that are the layer's own attributes, in lists and dicts too."""
        return [generator.state for generator in held(self, SeedGenerator, BOOKS)]

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights, in the order of `weights`; the list moves to and from Keras."""
        self._require_built("get_weights")
        return [v.numpy() for v in self.weights]

    @entrance
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
