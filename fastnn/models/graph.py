"""The graph behind symbolic tensors: from outputs back to inputs, and running it on data. Floor 4."""

import functools
from collections import Counter
from typing import Any

from fastnn.engine.tensor import Tensor
from fastnn.errors import shown
from fastnn.layers.layer import Layer, Node, context
from fastnn.nest import distinct, flatten, map_structure
from fastnn.ops.rows.data import as_dtype, as_rank


class Graph:
    """The layer applications and ops between `inputs` and `outputs`, in an order in which they can run."""

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.input_tensors, self.output_tensors = flatten(inputs, Tensor), flatten(outputs, Tensor)
        for tensor in flatten([inputs, outputs]):
            if not isinstance(tensor, Tensor) or not tensor.symbolic:
                raise TypeError(f"Model: got {shown(tensor)} with data; inputs and outputs are symbolic tensors, "
                                "beginning with Input(shape).")
        self.nodes = self._order()
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
                if id(item) in known or not item.symbolic:
                    continue
                if item.source is None:
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
                stack.extend((t, False) for t in reversed(_node_inputs(item)))
        return order

    @functools.cached_property
    def readers(self) -> list[tuple[int, Layer]]:
        """(number of an input, a layer that reads it as it is) for the layers that have a say in what they read."""
        places = {id(t): i for i, t in enumerate(self.input_tensors)}
        return [(places[id(t)], node.layer) for node in self.nodes if isinstance(getattr(node, "layer", None), Layer)
                and type(node.layer).check_input is not Layer.check_input
                for t in flatten(list(node.args), Tensor) if id(t) in places]

    @property
    def layers(self) -> list[Layer]:
        """The layers, each once, in Keras' order, so that get_weights() lists move: those that most steps separate
        from the outputs first; of equals, the one that the walk back from the outputs met first."""
        nodes = {id(node) for node in self.nodes}
        known = {id(t) for t in self.input_tensors}
        depths: dict[int, int] = {}      # of nodes and of their owners: a shared layer is as deep as its deepest use
        for node in reversed(self.nodes):
            owner = id(_owner(node))
            depth = depths[owner] = depths[id(node)] = max(depths.get(id(node), 0), depths.get(owner, 0))
            for t in _node_inputs(node):
                if id(t) not in known and id(t.source) in nodes:
                    depths[id(t.source)] = max(depth + 1, depths.get(id(t.source), 0))
        found = distinct([node.layer for node in self.nodes if isinstance(node, Node)])
        return sorted(found, key=lambda layer: (-depths[id(layer)], self._seen[id(layer)]))

    @property
    def input_names(self) -> list[str]:
        """The keys of a dict of inputs, else the names of the Inputs."""
        return list(self.inputs) if isinstance(self.inputs, dict) else [t.name for t in self.input_tensors]

    @property
    def output_names(self) -> list[str]:
        """The keys of a dict of outputs, else the names of the layers that make them, else output_0, output_1, …"""
        if isinstance(self.outputs, dict):
            return list(self.outputs)
        names = [t.source.layer.name if isinstance(t.source, Node) else f"output_{i}"
                 for i, t in enumerate(self.output_tensors)]
        return names if len(set(names)) == len(names) else [f"output_{i}" for i in range(len(names))]

    def run(self, inputs: Any) -> Any:
        """The outputs for inputs of the same structure (or a list, or a dict by input name)."""
        given = zip(self.input_tensors, self._ordered(inputs), strict=True)
        values = {id(t): as_rank(as_dtype(x, t.dtype), t.shape) for t, x in given}

        rows = next(iter(values.values())).shape[0] if values else None

        def value(tensor: Any) -> Any:
            return values.get(id(tensor), tensor)

        for node in self.nodes:
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

    def _ordered(self, inputs: Any) -> list[Tensor]:
        if isinstance(inputs, dict):
            if any(name not in inputs for name in self.input_names):
                raise ValueError(f"Model: got inputs {sorted(inputs)}; needs {self.input_names}.")
            return [inputs[name] for name in self.input_names]
        tensors = flatten(inputs, Tensor)
        if len(tensors) != len(self.input_tensors):
            raise ValueError(f"Model: got {len(tensors)} inputs; needs {len(self.input_tensors)}: "
                             f"{[t.name for t in self.input_tensors]}.")
        return tensors

    def connections(self, layer: Layer) -> list[str]:
        """Names of what feeds a layer, for summary()."""
        made = {id(t): n.layer.name if isinstance(n, Node) else n.op.name for n in self.nodes for t in
                (flatten(n.outputs, Tensor) if isinstance(n, Node) else n.outputs)}
        made.update((id(t), t.name) for t in self.input_tensors)
        return [made.get(id(t), "constant") for n in self.nodes if isinstance(n, Node) and n.layer is layer
                for t in _node_inputs(n)]


def _sized(constants: dict[str, Any], rows: int | None) -> dict[str, Any]:
    """The constants of an op on symbolic tensors, with the batch that was not known then."""
    return {key: tuple(rows if n is None else n for n in value) if isinstance(value, tuple) else value
            for key, value in constants.items()}


def _owner(node: Any) -> Any:
    """What a node is a use of: its layer, or the op call itself."""
    return node.layer if isinstance(node, Node) else node


def _node_inputs(node: Any) -> list[Tensor]:
    return flatten([*node.args, node.kwargs], Tensor) if isinstance(node, Node) else list(node.inputs)
