"""Model: a layer that can be trained. A graph of layers (functional), or a subclass with a `call`. Floor 4."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, NotBuiltError, shown
from fastnn.frames import entrance
from fastnn.layers import _input_shapes as shapes
from fastnn.layers.layer import Layer, unique_name
from fastnn.models.files import InFiles
from fastnn.models.generate import Generator
from fastnn.models.graph import Graph
from fastnn.models.summary import count, html, summary
from fastnn.models.texts import Reads
from fastnn.nest import distinct, flatten
from fastnn.registration import custom_object_scope
from fastnn.training.trainer import Trainer


class Model(InFiles, Trainer, Reads):
    """Model(inputs, outputs): what lies between symbolic tensors; or subclass it: layers in `__init__`, `call`.

    compile, fit, evaluate and predict are in training/trainer.py.
    """
    supports_masking = True

    gone: ClassVar[dict[str, str]] = {
        "fit_generator": "fit takes generators: fit(generator).",
        "evaluate_generator": "evaluate takes generators: evaluate(generator).",
        "predict_generator": "predict takes generators: predict(generator).",
        "predict_classes": "predict(x).argmax(-1) for softmax, (predict(x) > 0.5).astype(int) for sigmoid.",
        "predict_proba": "predict(x) gives the probabilities.",
        "sample_weights": "pass sample_weight to fit.",
        "uses_learning_phase": "call the model with training=True or False.",
    }
    takes_integers = True       # a subclass's call sees the data as they are, as in Keras
    unwatched = Layer.unwatched | {"stop_training", "stop_evaluating", "stop_predicting", "history", "checked",
                                   "optimizer", "loss", "compiled", "run_eagerly", "steps_per_execution", "_worker",
                                   "_symbols", "_generator", "_output_form"}

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any) -> None:
        if name is None and inputs is not None:
            name = unique_name("functional")
        Layer.__init__(self, name=name, **kwargs)
        Trainer.__init__(self)
        self._graph: Graph | None = None
        self._generator: Generator | None = None
        if (inputs is None) != (outputs is None):
            raise KindError("Model: got only one of inputs and outputs; give both, or subclass Model.")
        if inputs is not None:
            self._set_graph(Graph(inputs, outputs))
            if not kwargs.get("trainable", True):
                self.trainable = False      # the layers too

    def _set_graph(self, graph: Graph | None) -> None:
        self._graph = graph
        if graph is not None:
            self._sublayers = graph.layers
            self.output_shape = _shapes(graph.outputs)
            self.built = True

    def call(self, inputs: Any) -> Any:
        """Run the graph. A subclass writes its own."""
        if self._graph is None:
            raise NotImplementedError(f"{type(self).__name__} must define call(self, inputs), or be made as "
                                      "Model(inputs, outputs).")
        return self._graph.run(inputs)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape (with the batch axis, None), by a symbolic pass."""
        if input_shape is None:
            raise NotBuiltError(f"{self.name}: build() needs the input shape, such as (None, 30).")
        if not self.built:
            self.built = True
            self.compute_output_shape(input_shape)

    def _can_run(self, where: str) -> None:
        """NotBuiltError for a model without anything to run, which only a Sequential can be."""

    def _build(self, input_shape: Any) -> None:
        if not type(self).build.__module__.startswith("fastnn."):
            super()._build(input_shape)         # a subclass's own
        self.built = True       # sublayers build themselves when they are called

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super()._build_for(args, kwargs)
        if type(self).build is Model.build and self._graph is None:
            self._build_shape = shapes.of_call(self, args, kwargs)      # from which a file makes the weights again

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Make the weights, where there are none yet, by a symbolic pass over the shapes of a get_build_config()."""
        if type(self).build is not Model.build:
            super().build_from_config(config)
        elif not self.built:
            given, several = config.get("input_shape"), config.get("shapes_dict") or {}
            if given is not None or several:
                self.built = True
                self._build_shape = shapes.Named(several) if several else given
                self.compute_output_shape(*[given] * (given is not None), **several)

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether data of another shape than its inputs have do as well."""
        return False

    # ---- as plain data ----------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The layers and what each is called on; of a subclass, the arguments of its constructor."""
        if self._graph is not None and _hands_on(type(self)):
            return {"name": self.name, "trainable": self.trainable, **configs().graph_config(self._graph)}
        return {key: value for key, value in super().get_config().items() if key not in ("inputs", "outputs")}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of a get_config(), with new weights. custom_objects: classes and functions of your own by name."""
        with custom_object_scope(custom_objects or {}):
            if isinstance(config, dict) and "input_layers" in config:
                return configs().model_from(cls, config)
            return super().from_config(config)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights, in the order of `weights`; none before the layers have any."""
        return [v.numpy() for v in self.weights]

    def _copied(self) -> Any:
        graph = type(self).__init__ is Model.__init__ and self._graph is not None
        return copies().clone_model(self) if graph else super()._copied()

    def _argument(self, name: str) -> Any:
        return None if name in ("inputs", "outputs") else super()._argument(name)

    # ---- going on with sequences ------------------------------------------------------------------------------

    @entrance
    def generate(self, prompt: Any, steps: int, temperature: float = 1.0, top_k: int | None = None,
                 seed: int | None = None, stop: int | None = None) -> np.ndarray:
        """Go on with sequences of whole numbers, each number drawn from what the model makes of those before it.

        The model reads (batch, time) of whole numbers and makes logits, or softmax's probabilities, of the number to
        come: (batch, time, numbers) for each step, or (batch, numbers) for the last. prompt: a sequence, or several,
        which may have different lengths → int32 (the longest one's length + steps,), a row for each of several.
        temperature: draws from softmax(logits / temperature); 0 takes the most likely. top_k: from the k most likely
        only. seed: the same text for the same seed. stop: a sequence ends with this number, which then fills its row.

        Recurrent layers hand on their states, and causal attention remembers keys and values, so that a step costs the
        same however long the text; a model with an Input of fixed length that looks along time in another way reads
        the last so many numbers. Steps are a program, replayed in C. ValueError where a layer does neither.

        >>> words = Sequential([Input((None,), dtype="int32"), layers.Embedding(9, 4), layers.Dense(9)])
        >>> words.generate([1], steps=20, temperature=0.8, seed=1, stop=0).shape
        (21,)
        """
        if self._generator is None:
            self._generator = Generator(self)
        return self._generator.run(prompt, steps, temperature, top_k, seed, stop)

    # ---- looking at it ----------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        self._look()
        return list(self._sublayers)

    @entrance
    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by index. ValueError listing what there is."""
        layers = self.layers
        if name is not None:
            for layer in layers:
                if layer.name == name:
                    return layer
            raise ValueError(f"get_layer: got {shown(name)}; the layers are {', '.join(la.name for la in layers)}.")
        if index is None or not -len(layers) <= index < len(layers):
            raise ValueError(f"get_layer: got index {shown(index)}; needs a name or an index below {len(layers)}.")
        return layers[index]

    @property
    def input(self) -> Any:
        """The symbolic input, or the structure of several, where the model is a graph."""
        return super().input if self._graph is None else self._graph.inputs

    @property
    def output(self) -> Any:
        """The symbolic output, or the structure of several, where the model is a graph."""
        return super().output if self._graph is None else self._graph.outputs

    @property
    def inputs(self) -> list[Tensor] | None:
        """The symbolic inputs, where the model is a graph."""
        return self._graph.input_tensors if self._graph else None

    @property
    def outputs(self) -> list[Tensor] | None:
        """The symbolic outputs, where the model is a graph."""
        return self._graph.output_tensors if self._graph else None

    @property
    def input_shape(self) -> Any:
        """The shape of the input, batch axis None; a list for several inputs."""
        return _shapes(self._graph.inputs) if self._graph else None

    def connections(self, layer: Layer) -> list[str]:
        """What feeds a layer; empty where the model is a chain."""
        graph = self._graph
        chain = graph is None or all(len(flatten(list(getattr(n, "args", ())), Tensor)) == 1 for n in graph.nodes)
        return [] if chain or graph is None else graph.connections(layer)

    @entrance
    def summary(self, line_length: int | None = None, positions: Any = None,
                print_fn: Callable[[str], Any] | None = None, expand_nested: bool = False,
                show_trainable: bool = False, layer_range: Any = None) -> None:
        """Print the layers with their output shapes and how their parameter counts come about."""
        summary(self, line_length=line_length, positions=positions, print_fn=print_fn, expand_nested=expand_nested,
                show_trainable=show_trainable, layer_range=layer_range)

    def __repr__(self) -> str:
        """<Sequential sequential: 3 layers, 97 parameters, (None, 4) to (None, 1)>"""
        layers = self.__dict__.get("_sublayers", ())
        parts = [count(len(layers), "layer")]
        if self.__dict__.get("built") and all(layer.built for layer in layers):
            parts.append(count(self.count_params(), "parameter"))
            parts += [f"{self.input_shape} to {self.output_shape}"] if self._graph else []
        else:
            parts.append("not built")
        return f"<{type(self).__name__} {self.__dict__.get('name')}: {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        """The summary, as notebooks show it."""
        return html(self)

    def count_arithmetic(self) -> str:
        """Empty: a model's count is the sum of its layers'."""
        return ""


def _hands_on(cls: Any) -> bool:
    """Whether the constructor is Model's, or hands on what it is given (*args, **kwargs)."""
    kinds = {p.kind for p in inspect.signature(cls.__init__).parameters.values()}
    return cls.__init__ in (Model.__init__, Layer.__init__) or kinds >= {
        inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


def copies() -> Any:
    """models/copies.py, which imports this."""
    from fastnn.models import copies
    return copies


def configs() -> Any:
    """models/configs.py, which imports what imports this."""
    from fastnn.models import configs
    return configs


def _shapes(structure: Any) -> Any:
    tensors = flatten(structure, Tensor)
    return tensors[0].shape if len(tensors) == 1 else [t.shape for t in distinct(tensors)]
