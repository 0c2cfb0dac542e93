"""Sequential: a chain of layers. Floor 4."""

from collections.abc import Sequence
from typing import Any

from fastnn.engine import backend
from fastnn.engine.context import not_recording, symbolic_pass
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, NotBuiltError, ShapeError, shown
from fastnn.frames import entrance
from fastnn.layers.input import Input, InputLayer
from fastnn.layers.layer import Layer
from fastnn.layers.text import TextVectorization
from fastnn.layers.weighted import building
from fastnn.models.graph import Graph
from fastnn.models.model import Model, configs, copies
from fastnn.nest import flatten
from fastnn.ops._rules import unlike
from fastnn.ops.rows.data import as_dtype, as_rank
from fastnn.registration import custom_object_scope


class Sequential(Model):
    """Layers one after the other. With an Input (or `input_shape` on the first layer) the weights exist at once;
    without, they are made when the model first sees data."""

    searched = False        # its layers are those of the chain
    unwatched = Model.unwatched | {"_links", "_others"}     # whoever changes the chain says so (_finish)

    def __init__(self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        if callable(trainable):
            raise KindError("Sequential: got two layers; needs one list of them: Sequential([layer, layer]).")
        super().__init__(name=name, trainable=trainable)
        self._input: Tensor | None = None
        self._links: list[Any] = []         # the Input, then what each layer makes of the one before
        self._others: dict[Any, bool] | None = None     # shapes beside that of the data it was built for
        for layer in layers or []:
            self._append(layer)
        self._finish()

    @entrance
    def add(self, layer: Any) -> None:
        """Append a layer, or an Input as the first. TypeError for anything else, ValueError for a layer twice."""
        self._append(layer)
        self._finish()

    def _can_run(self, where: str) -> None:
        if not self.built and self._input is None and not self.layers:
            raise NotBuiltError(f"{where}: {self.name} has no layers; add some first: "
                                "Sequential([Input((4,)), Dense(1)]).")

    def _append(self, layer: Any) -> None:
        if isinstance(layer, InputLayer):
            layer = layer.output
        if isinstance(layer, Tensor) and layer.symbolic:
            if self._sublayers or self._input is not None:
                raise ValueError(f"{self.name}: an Input can only be the first of a Sequential; put it before "
                                 "the layers.")
            self._input, self._links = layer, [layer]
            return
        if not isinstance(layer, Layer):
            raise KindError(f"{self.name}: got {shown(layer)}; needs a layer, such as Dense(10).")
        if any(la is layer for la in self._sublayers):
            raise ValueError(f"{self.name}: the layer {layer.name!r} is there already; make a new one.")
        if any(la.name == layer.name for la in self._sublayers):
            raise ValueError(f"{self.name}: a layer named {layer.name!r} is there already; choose another name.")
        x, links = self._input, self._links
        if not self._sublayers and x is None:
            x = _input_of(layer)
            links = [] if x is None else [x]
        if links:
            links = [*links, layer(links[-1])]      # where it does not fit, nothing has changed
        self._input, self._links, self._sublayers = x, links, [*self._sublayers, layer]

    @entrance
    def pop(self, rebuild: bool = True) -> Layer:
        """Remove and return the last layer. ValueError where there is none."""
        if not self._sublayers:
            raise ValueError(f"{self.name}: there is no layer to pop.")
        layer = self._sublayers[-1]
        self._sublayers, self._links = self._sublayers[:-1], self._links[:len(self._sublayers)]
        self._finish()
        return layer

    def _begin(self, x: Tensor) -> None:
        """Call the layers, which have waited for an Input."""
        with building(self):
            links: list[Any] = [x]
            for layer in self._sublayers:
                links.append(layer(links[-1]))
            self._input, self._links, self._others = x, links, {}
            self._finish()

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether data of another shape than those it was built for, in want of an Input, go through its layers."""
        if self._others is None or self._input is None or len(shape) != self._input.ndim or all(
                n in (None, m) for n, m in zip(self._input.shape[1:], shape[1:])):
            return False
        key = backend.floatx(), shape[1:], tuple(layer._version for layer in self._sublayers)
        if key not in self._others:
            with not_recording(), symbolic_pass():
                try:
                    self(Tensor(None, shape=(None, *shape[1:]), dtype=self._input.dtype))
                    self._others[key] = True
                except (TypeError, ValueError):
                    self._others[key] = False
        return self._others[key]

    def _finish(self) -> None:
        """The graph of the chain as it is now."""
        self.touch()
        self._graph, self.output_shape, self.built = None, None, False
        if len(self._links) > 1:
            layers = self._sublayers
            self._set_graph(Graph(self._links[0], self._links[-1]))
            self._sublayers = layers

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape, batch axis first. ValueError where an Input has another."""
        if input_shape is None:
            return
        if self._input is None:
            self._begin(Input(tuple(input_shape)[1:], dtype=backend.floatx()))
        elif unlike(input_shape, self._input.shape):
            raise ShapeError(f"{self.name}: build() got the shape {tuple(input_shape)}; needs {self._input.shape}, "
                             "that of its Input.")

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._sublayers and self._input is None:
            raise ValueError(f"{self.name}: has no layers; needs one at least: add(Dense(10)).")
        if self._input is None and not isinstance(args[0], Tensor):
            self.built = True       # nested inputs: its layers are built as they are called
        elif self._input is None:
            x = args[0]
            self._begin(Input(x.shape[1:], dtype=x.dtype if self.takes_integers else None))

    @property
    def takes_integers(self) -> bool:  # type: ignore[override]
        """What the first layer does, where there is no Input that says it."""
        return self._input is None and bool(self._sublayers) and self._sublayers[0].takes_integers

    def get_config(self) -> dict[str, Any]:
        """The layers, in order, an Input the first of them where there is one."""
        return dict(configs().sequential_config(self))

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of a get_config(), with new weights. custom_objects: classes and functions of your own by name."""
        with custom_object_scope(custom_objects or {}):
            return configs().sequential_from(cls, config)

    def _copied(self) -> Any:
        return copies().clone_model(self)

    def call(self, inputs: Any) -> Any:
        """Each layer on the one before's output."""
        first = 0
        if self._graph is not None and self._graph.texts:       # the first layer has read its text before
            first, fed = 1, self._graph.fed[0]
            inputs = as_rank(as_dtype(flatten(inputs)[0], fed.dtype), fed.shape)
        elif self._input is not None and len(flatten(inputs)) == 1:
            inputs = as_rank(as_dtype(flatten(inputs)[0], self._input.dtype), self._input.shape)
        for layer in self._sublayers[first:]:
            inputs = layer(inputs)
        return inputs


def _input_of(layer: Layer) -> Tensor | None:
    """The Input that a first layer brings: its input_shape, or that of a model that has one."""
    if layer.input_shape_hint is not None:
        return Input(layer.input_shape_hint, dtype="string" if layer.reads_text else None)
    if isinstance(layer, TextVectorization):
        return Input((), dtype="string")        # of one text a sample
    ends = getattr(layer, "inputs", None) if isinstance(layer, Model) else None
    return Input(batch_shape=ends[0].shape, dtype=ends[0].dtype) if ends and len(ends) == 1 else None
