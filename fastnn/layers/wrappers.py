"""Layers around layers: TimeDistributed, Bidirectional. Floor 3."""

from typing import Any, Unpack

from fastnn import ops
from fastnn.engine.kinds import Dims
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.layers._masks import parameters
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]

MERGES = ("sum", "mul", "concat", "ave")
RECURRENT = ("go_backwards", "return_sequences", "return_state", "stateful")      # what such a layer has


class Wrapper(Layer):
    """A layer around one other, `layer`, whose weights are its own. keras.layers.Wrapper."""

    def __init__(self, layer: Any, **kwargs: Unpack[LayerOptions]) -> None:
        if not isinstance(layer, Layer):
            raise KindError(f"{type(self).__name__}: layer is {shown(layer)}; needs a layer, such as layers.Dense(8).")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Dims) -> None:
        """Build the layer inside."""
        if not self.layer.built:
            self.layer._build(input_shape)


class TimeDistributed(Wrapper):
    """Applies a layer to each step alike: x (batch, time, ...) → (batch, time, ...).

    The steps are rows of one batch for the layer inside, (batch·time, ...), so a layer that looks at its batch
    (BatchNormalization) sees all steps at once; Keras calls it step by step. A mask becomes rows like that where the
    layer inside takes one and it has more axes, (batch, time, words), or a step is one row of features.
    keras.layers.TimeDistributed.
    """

    stepwise = True

    def __init__(self, layer: Any, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Dims) -> None:
        """Build the layer inside for one step."""
        if len(input_shape) < 3:
            raise ShapeError(f"{self.name}: got inputs of shape {tuple(input_shape)}; needs (batch, time, ...) with at "
                             "least one axis after time.")
        super().build((None, *input_shape[2:]))

    def call(self, inputs: Tensor, training: bool = False, mask: Any = None) -> Tensor:
        """The layer's outputs, with the time axis put back."""
        if mask is not None and tuple(mask.shape[:2]) != tuple(inputs.shape[:2]) and None not in (
                *mask.shape[:2], *inputs.shape[:2]):
            raise ShapeError(f"{self.name}: got a mask of shape {mask.shape} for inputs of shape {inputs.shape}; needs "
                             f"{inputs.shape[:2]}.")
        time = inputs.shape[1]
        if inputs.symbolic:
            inside = self.layer(Tensor(None, shape=(None, *inputs.shape[2:]), dtype=inputs.dtype), training=training)
            return Tensor(None, shape=(inputs.shape[0], time, *inside.shape[1:]), dtype=inside.dtype)
        rows, own = ops.reshape(inputs, (-1, *inputs.shape[2:])), {}
        if mask is not None and "mask" in parameters(self.layer) and (mask.ndim > 2 or mask.ndim == rows.ndim):
            own["mask"] = ops.reshape(mask, (-1, *mask.shape[2:]))
        y = self.layer(rows, training=training, **own)
        return ops.reshape(y, (inputs.shape[0], time, *y.shape[1:]))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Of a mask with more axes, (batch, time, words), what the layer inside makes of each step's; where it gives
        none on, a step counts if any of its words does."""
        if mask is None or mask.ndim < 3:
            return mask
        rows, words = ops.reshape(inputs, (-1, *inputs.shape[2:])), ops.reshape(mask, (-1, *mask.shape[2:]))
        inside = self.layer.compute_mask(rows, words) if self.layer.supports_masking else None
        if inside is None:
            return ops.any(ops.cast(mask, "bool"), axis=tuple(range(2, mask.ndim)))
        return ops.reshape(inside, (-1, *mask.shape[1:2], *inside.shape[1:]))


class Bidirectional(Layer):
    """A recurrent layer and its twin that goes backwards, their outputs merged.

    layer: an RNN layer (or one with return_sequences, return_state, go_backwards and stateful). merge_mode: 'concat'
    (last axis), 'sum', 'mul', 'ave', or None for a list of both. backward_layer: another layer for the way back.
    weights: of the forward layer, then of the backward one. States come and go as the forward layer's, then the
    backward one's. Outputs of steps that a mask leaves out are 0 in sequences. Schuster & Paliwal 1997;
    keras.layers.Bidirectional.
    """

    def __init__(self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, backward_layer: Any = None,
                 **kwargs: Unpack[LayerOptions]) -> None:
        for each in (layer, *[backward_layer] * (backward_layer is not None)):
            if not (isinstance(each, Layer) and all(hasattr(each, name) for name in RECURRENT)):
                raise KindError(f"Bidirectional: got {shown(each)}; needs a recurrent layer, such as layers.LSTM(8).")
        if merge_mode is not None and not (isinstance(merge_mode, str) and merge_mode in MERGES):
            raise ValueError(f"Bidirectional: merge_mode is {shown(merge_mode)}; needs None or one of "
                             f"{', '.join(MERGES)}.")
        if weights is not None and not (isinstance(weights, (list, tuple)) and len(weights) % 2 == 0):
            raise KindError(f"Bidirectional: weights is {shown(weights)}; needs a list of arrays, the forward layer's "
                            "first.")
        super().__init__(**kwargs)
        config = layer.get_config()
        self.forward_layer = type(layer).from_config(
            {**config, "name": f"forward_{layer.name.removeprefix('forward_')}"})
        self.backward_layer = backward_layer if backward_layer is not None else type(layer).from_config(
            {**config, "name": f"backward_{layer.name.removeprefix('backward_')}",
             "go_backwards": not config.get("go_backwards", False)})
        self._match()
        for each in (self.forward_layer, self.backward_layer):
            if hasattr(each, "zero_output_for_mask"):
                each.zero_output_for_mask = each.return_sequences
        self.merge_mode = merge_mode
        self.stateful, self.return_sequences = layer.stateful, layer.return_sequences
        self.return_state, self.supports_masking = layer.return_state, True
        self._given_weights = weights

    def _argument(self, name: str) -> Any:
        return {"layer": self.forward_layer, "weights": None}.get(name, super()._argument(name) if name not in (
            "layer", "weights") else None)

    def _match(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(f"Bidirectional: both layers have go_backwards={forward.go_backwards}; needs one in each "
                             "direction.")
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(f"Bidirectional: {name} is {getattr(forward, name)} for the forward layer and "
                                 f"{getattr(backward, name)} for the backward one; needs the same.")

    def build(self, sequences_shape: Dims, initial_state_shape: Any = None) -> None:
        """Build both layers."""
        for each in (self.forward_layer, self.backward_layer):
            if not each.built:
                each._build(sequences_shape)
        if self._given_weights:
            half = len(self._given_weights) // 2
            self.forward_layer.set_weights(self._given_weights[:half])
            self.backward_layer.set_weights(self._given_weights[half:])
            self._given_weights = None

    def call(self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The merged outputs, then the states where return_state."""
        if initial_state is not None and not (isinstance(initial_state, (list, tuple)) and initial_state
                                              and len(initial_state) % 2 == 0):
            raise ShapeError(f"{self.name}: got the initial state {shown(initial_state)}; needs a list, the forward "
                             "layer's states and then as many of the backward one.")
        given = [] if initial_state is None else list(initial_state)
        half = len(given) // 2
        y = self.forward_layer(sequences, initial_state=given[:half] or None, mask=mask, training=training)
        z = self.backward_layer(sequences, initial_state=given[half:] or None, mask=mask, training=training)
        states: tuple[Any, ...] = ()
        if self.return_state:
            states, y, z = (*y[1:], *z[1:]), y[0], z[0]
        if self.return_sequences:
            z = ops.flip(z, axis=1)
        if self.merge_mode is None:
            return (y, z, *states)
        merged = {"concat": lambda: ops.concatenate([y, z], axis=-1), "sum": lambda: ops.add(y, z),
                  "mul": lambda: ops.multiply(y, z), "ave": lambda: ops.multiply(ops.add(y, z), 0.5)}[self.merge_mode]()
        return (merged, *states) if states else merged

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask goes on with sequences; states have none."""
        mask = mask[0] if isinstance(mask, (list, tuple)) and mask else mask
        output = mask if self.return_sequences else None
        outputs = [output, output] if self.merge_mode is None else [output]
        if self.return_state:
            outputs += [None] * 2 * len(self.forward_layer.state_size)
        return outputs if len(outputs) > 1 else output

    @property
    def states(self) -> Any:
        """Both layers' states; None where there are none yet."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return (*forward, *backward) if forward and backward else None

    def reset_states(self) -> None:
        """Forget both layers' states."""
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    reset_state = reset_states
