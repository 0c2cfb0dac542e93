"""What every layer takes by name beside its own arguments, as types for editors and checkers. Floor 3."""

from collections.abc import Sequence
from typing import TypedDict

from fastnn.engine.kinds import ConstraintLike, InitializerLike, RegularizerLike


class InputOptions(TypedDict, total=False):
    """Of Layer itself, which names the others."""
    input_shape: Sequence[int | None] | int
    input_dim: int
    batch_input_shape: Sequence[int | None]


class EmbeddingOptions(TypedDict, total=False):
    """Of Embedding, whose input_dim is another."""
    name: str | None
    dtype: str | None
    trainable: bool
    input_shape: Sequence[int | None] | int
    batch_input_shape: Sequence[int | None]
    activity_regularizer: RegularizerLike


class CommonOptions(TypedDict, total=False):
    """Of layers that name activity_regularizer among their own arguments."""
    name: str | None
    dtype: str | None
    trainable: bool
    input_shape: Sequence[int | None] | int
    input_dim: int
    batch_input_shape: Sequence[int | None]


class LayerOptions(CommonOptions, total=False):
    """Of the others."""
    activity_regularizer: RegularizerLike


class CellOptions(LayerOptions, total=False):
    """Of the cells of recurrent layers."""
    kernel_initializer: InitializerLike
    recurrent_initializer: InitializerLike
    bias_initializer: InitializerLike
    kernel_regularizer: RegularizerLike
    recurrent_regularizer: RegularizerLike
    bias_regularizer: RegularizerLike
    kernel_constraint: ConstraintLike
    recurrent_constraint: ConstraintLike
    bias_constraint: ConstraintLike
    dropout: float
    recurrent_dropout: float
    seed: int | None


class OwnCellOptions(CellOptions, total=False):
    """Of the layers around a cell of their own."""
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    zero_output_for_mask: bool


class RecurrentOptions(OwnCellOptions, total=False):
    """Of LSTM, GRU and SimpleRNN."""
    unroll: bool
    use_cudnn: bool | str
    implementation: int
