"""The graph behind symbolic tensors: from outputs back to inputs, and running it on data. Floor 4."""

import functools
from collections import Counter
from typing import Any

from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, shown, warn
from fastnn.layers.input import InputLayer
from fastnn.layers.layer import Layer, Node, context
from fastnn.models.texts import read, readers_of
from fastnn.nest import distinct, flatten, map_structure
from fastnn.ops.rows.data import as_dtype, as_rank


class Graph:
    """The layer applications and ops between `inputs` and `outputs`, in an order in which they can run."""

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.input_tensors, self.output_tensors = flatten(inputs, Tensor), flatten(outputs, Tensor)
        self.input_layers: list[Layer] = [input_layer_of(t) for t in self.input_tensors]
        self._said = False      # that inputs came in another structure
        for tensor in flatten([inputs, outputs]):
            if isinstance(tensor, Layer):
                raise KindError(f"Model: got {shown(tensor)}, a layer; needs what it makes of symbolic tensors: "
                                "call it on its input, layer(x).")
            if not isinstance(tensor, Tensor) or not tensor.symbolic:
                raise KindError(f"Model: got {shown(tensor)} with data; inputs and outputs are symbolic tensors, "
                                "beginning with Input(shape).")
        self.nodes = self._order()
        self.texts = readers_of(self.input_tensors, [node for node in self.nodes if isinstance(node, Node)])
        self.fed = [self.texts[i].outputs if i in self.texts else t for i, t in enumerate(self.input_tensors)]
        names = [layer.name for layer in self.layers]
        for name, count in Counter(names).items():
            if count > 1:
                raise ValueError(f"Model: two layers are named {name!r}; choose another name for one of them.")

    def _order(self) -> list[Any]:
        known = {id(t) for t in self.input_tensors}
        order: list[Any] = []
        done: set[int] = set()
        self._seen: dict[int, int] = {}     # layers and op calls by when the walk back first met them
        stack: list[tuple[Any, bool]] = [(t, False) for t in reversed(self.output_tensors)]
        while stack:
            item, ready = stack.pop()
            if isinstance(item, Tensor):
                if id(item) in known:
                    self._seen.setdefault(id(item), len(self._seen))
                if id(item) in known or not item.symbolic:
                    continue
                if item.source is None or _is_input(item.source):
                    raise ValueError(f"Model: the outputs depend on the input {item.name!r}, which is not among the "
                                     f"model's inputs {[t.name for t in self.input_tensors]}; add it.")
                item = item.source
            if id(item) in done:
                continue
            if ready:
                done.add(id(item))
                order.append(item)
            else:
                self._seen.setdefault(id(_owner(item)), len(self._seen))
                stack.append((item, True))
                stack.extend((t, False) for t in reversed(node_inputs(item)))
        return order

    @functools.cached_property
    def readers(self) -> list[tuple[int, Layer]]:
        """(number of an input, a layer that reads it as it is) for the layers that have a say in what they read."""
        places = {id(t): i for i, t in enumerate(self.fed)}
        return [(places[id(t)], node.layer) for node in self.nodes if isinstance(getattr(node, "layer", None), Layer)
                and type(node.layer).check_input is not Layer.check_input
                for t in flatten(list(node.args), Tensor) if id(t) in places]

    @property
    def layers(self) -> list[Layer]:
        """The layers, those of the inputs too, each once, in Keras' order, so that get_weights() lists move: those that
        most steps separate from the outputs first; of equals, the one that the walk back from the outputs met first."""
        nodes = {id(node) for node in self.nodes}
        known = {id(t) for t in self.input_tensors}
        depths: dict[int, int] = {}      # of nodes and of their owners: a shared layer is as deep as its deepest use
        for node in reversed(self.nodes):
            owner = id(_owner(node))
            depth = depths[owner] = depths[id(node)] = max(depths.get(id(node), 0), depths.get(owner, 0))
            for t in node_inputs(node):
                key = id(t) if id(t) in known else id(t.source)
                if key in known or key in nodes:
                    depths[key] = max(depth + 1, depths.get(key, 0))
        places = [(-depths[id(layer)], self._seen[id(layer)], layer)
                  for layer in distinct([node.layer for node in self.nodes if isinstance(node, Node)])]
        places += [(-depths.get(id(t), 0), self._seen.get(id(t), -1), layer)
                   for t, layer in zip(self.input_tensors, self.input_layers)]
        return distinct([layer for _, _, layer in sorted(places, key=lambda place: place[:2])])

    @property
    def input_names(self) -> list[str]:
        """The keys of a dict of inputs, else the names of the Inputs."""
        return list(self.inputs) if _named(self.inputs) else [layer.name for layer in self.input_layers]

    @property
    def output_names(self) -> list[str]:
        """The keys of a dict of outputs, else the names of the layers that make them, else output_0, output_1, …"""
        if _named(self.outputs):
            return list(self.outputs)
        names = self.makers
        return names if len(set(names)) == len(names) else [f"output_{i}" for i in range(len(names))]

    @property
    def makers(self) -> list[str]:
        """The name of the layer that makes each output."""
        return [t.source.layer.name if isinstance(t.source, Node) else f"output_{i}"
                for i, t in enumerate(self.output_tensors)]

    def run(self, inputs: Any) -> Any:
        """The outputs for inputs of the same structure (or a list, or a dict by input name)."""
        given = self.ordered(inputs)
        values = {id(t): None if x is None else as_rank(as_dtype(x, t.dtype), t.shape)
                  for t, x in zip(self.fed, given, strict=True)}
        rows = next((x.shape[0] for x in values.values() if x is not None and x.ndim), None)

        def value(tensor: Any) -> Any:
            return values.get(id(tensor), tensor)

        for node in self.nodes:
            if node in self.texts.values():
                continue        # what it reads came as the numbers that it makes
            if isinstance(node, Node):
                outputs = node.layer(*[map_structure(value, a) for a in node.args],
                                     **{key: map_structure(value, a) for key, a in node.kwargs.items()})
                made = flatten(node.outputs, Tensor)
            else:
                if context.stream is not None:
                    context.stream.check_op(node.op)
                outputs = node.op(*[value(t) for t in node.inputs], **_sized(node.constants, rows))
                made = list(node.outputs)
            values.update(zip(map(id, made), flatten(outputs, Tensor), strict=True))
        return map_structure(value, self.outputs)

    def read(self, number: int, text: Any, where: str) -> Tensor:
        """The numbers that are made of the text of an input."""
        return read(self.texts[number], text, where)

    def ordered(self, inputs: Any) -> list[Any]:
        """One item for each input, from the structure of `inputs`, from a dict by their names, or from a list; None
        for an optional one. ValueError for others, and where a list does not say which is which."""
        found = paired(self.inputs, inputs, self.input_names)
        if found is None:
            found = flatten(inputs)
            keys = list(self.inputs) if isinstance(self.inputs, dict) else []
            if len(found) != len(self.input_tensors) or isinstance(inputs, dict) or keys != sorted(keys):
                got = sorted(map(str, inputs)) if isinstance(inputs, dict) else len(found)
                raise ValueError(f"Model: got the inputs {got}; needs {len(self.input_tensors)}: {self.input_names}, "
                                 "in the structure in which the model was given them.")
        if found is not None and not self._said and _differs(self.inputs, inputs, self.input_names):
            self._said = True
            warn(f"Model: the inputs come as a {type(inputs).__name__}"
                 + (f" with {sorted(map(str, inputs))}" if isinstance(inputs, dict) else "")
                 + f", not in the structure of the model's: {self.input_names}; needs the same.")
        for layer, item in zip(self.input_layers, found):
            if item is None and not getattr(layer, "optional", False):
                raise ValueError(f"Model: got None for the input {layer.name!r}, which is not optional; needs data, or "
                                 "Input(…, optional=True).")
        return found

    def connections(self, layer: Layer) -> list[str]:
        """Names of what feeds a layer, for summary()."""
        made = {id(t): n.layer.name if isinstance(n, Node) else n.op.name for n in self.nodes for t in
                (flatten(n.outputs, Tensor) if isinstance(n, Node) else n.outputs)}
        made.update((id(t), layer.name) for t, layer in zip(self.input_tensors, self.input_layers))
        return [made.get(id(t), "constant") for n in self.nodes if isinstance(n, Node) and n.layer is layer
                for t in node_inputs(n)]


def paired(expected: Any, given: Any, names: list[str]) -> list[Any] | None:
    """The items of `given` in the places of the leaves of `expected`, nested lists and dicts alike, or of a dict by the
    leaves' names; None where that is another structure."""
    if isinstance(expected, Tensor) and not (names and isinstance(given, (list, tuple, dict))):
        alone = isinstance(given, (list, tuple)) and len(given) == 1 and getattr(given[0], "ndim", -1) == expected.ndim
        return list(given) if alone else [given]        # an array in a list of its own
    if isinstance(expected, Tensor) and not isinstance(given, dict):
        return list(given) if len(given) == 1 else None
    if isinstance(given, dict) and (not isinstance(expected, dict) or not set(expected) <= set(given)):
        return [given[name] for name in names] if set(names) <= set(given) else None
    if isinstance(given, (list, tuple)) and not isinstance(expected, dict):
        pairs = list(zip(expected, given)) if len(given) == len(expected) else None
    else:
        pairs = [(each, given[key]) for key, each in expected.items()] if isinstance(given, dict) else None
    parts = [] if pairs is None else [paired(each, item, []) for each, item in pairs]
    return None if pairs is None or None in parts else [item for part in parts for item in part or ()]


def _differs(expected: Any, given: Any, names: list[str]) -> bool:
    """Whether a list comes for a dict, or a dict with other keys than that or the inputs' names."""
    if isinstance(given, dict):
        return set(given) != set(names) and not (isinstance(expected, dict) and set(given) == set(expected))
    return isinstance(expected, dict) and not isinstance(given, Tensor)


def _named(structure: Any) -> bool:
    """Whether it is a dict of tensors."""
    return isinstance(structure, dict) and all(isinstance(each, Tensor) for each in structure.values())


def _is_input(node: Any) -> bool:
    return isinstance(node, Node) and isinstance(node.layer, InputLayer)


def input_layer_of(x: Any) -> Any:
    """The layer of an Input; for another tensor, where a model begins too, a new one."""
    if _is_input(getattr(x, "source", None)):
        return x.source.layer
    return InputLayer(input_tensor=x)


def _sized(constants: dict[str, Any], rows: int | None) -> dict[str, Any]:
    """The constants of an op on symbolic tensors, with the batch that was not known then."""
    return {key: tuple(rows if n is None else n for n in value) if isinstance(value, tuple) else value
            for key, value in constants.items()}


def _owner(node: Any) -> Any:
    """What a node is a use of: its layer, or the op call itself."""
    return node.layer if isinstance(node, Node) else node


def node_inputs(node: Any) -> list[Tensor]:
    return flatten([*node.args, node.kwargs], Tensor) if isinstance(node, Node) else list(node.inputs)
