"""Loss: per-sample numbers and how they become one. Floor 3; imports ops.

Losses never broadcast: y_true (N,) against y_pred (N, 1) is aligned, any other difference of shapes is a ShapeError.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from fastnn.arguments import choice, dtype_of, function, optional
from fastnn.configuration import Configurable
from fastnn.engine import backend
from fastnn.engine.context import is_recording
from fastnn.engine.kinds import TensorLike, Weights
from fastnn.engine.tensor import Tensor
from fastnn.engine.watch import Watched, note
from fastnn.errors import KindError, LabelError, ShapeError, shown
from fastnn.names import checked_name, snake_case
from fastnn.nest import flatten
from fastnn.ops._op import as_tensor
from fastnn.ops._rules import unlike
from fastnn.ops.rows import data, elementwise, reduce
from fastnn.ops.rows._per_sample import per_sample

__all__ = ["Loss", "LossFunctionWrapper"]

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none")


class Loss(Configurable, Watched):
    """Base of losses: a subclass writes `call(y_true, y_pred)` with fastnn.ops, giving one number per sample.

    reduction: 'sum_over_batch_size' or 'mean' divide the sum by the number of losses, also when they are weighted;
    'mean_with_sample_weight' divides by the sum of the weights; 'sum'; 'none' or None leaves one number per sample.
    `label_kind`: "labels" if y_true are int32 class labels of y_pred's rows, "ids" if int32 of any shape, else "float".
    Source: keras.losses.Loss.
    """

    label_kind = "float"

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size",
                 dtype: str | None = None) -> None:
        self.dtype = dtype_of(dtype, f"{type(self).__name__}: dtype", (backend.floatx(),))
        self.name = checked_name(name, type(self).__name__) or snake_case(type(self).__name__)
        self.reduction = optional(choice, reduction, f"{type(self).__name__}: reduction", REDUCTIONS)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """One number per sample, or per element."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, y_true, y_pred).")

    def counted(self, y_true: Tensor, y_pred: Tensor, losses: Tensor) -> Tensor | None:
        """1 for each sample that counts, 0 for each that does not, or None if all do."""
        return None

    def __call__(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: Weights = None) -> Tensor:
        """The loss: a 0-d Tensor, or one number per sample for reduction 'none'.

        sample_weight (N,) multiplies the losses of each sample. Where y_pred has a mask, what it leaves out has weight
        0 and does not count in a mean. A loss of the user's may be called with structures of tensors, which `call` gets
        as they are. Raises ShapeError, LabelError, TypeError.
        """
        note(self)
        mask = y_pred.mask if isinstance(y_pred, Tensor) else None
        true, predicted = cast(Any, y_true), cast(Any, y_pred)
        if isinstance(y_pred, (list, tuple, dict)) and flatten(y_pred, Tensor) and is_own(self):
            if any(t.mask is not None for t in flatten(y_pred, Tensor)):
                raise ShapeError(f"{self.name}: an output has a mask, and the loss reads several together, which are "
                                 "not weighed by masks. Give a loss for each, or take the masks away before.")
        else:
            true, predicted = prepared(self.name, y_true, y_pred, self.label_kind, getattr(self, "ignore_class", None),
                                       getattr(self, "axis", -1))
        losses = as_tensor(self.call(true, predicted))
        counted = self.counted(true, predicted, losses)
        weights = None if sample_weight is None else spread_weights(self.name, sample_weight, losses)
        if mask is not None:
            if unlike(mask.shape, losses.shape[:mask.ndim]):
                raise ShapeError(f"{self.name}: y_pred has a mask of shape {mask.shape} and the losses have shape "
                                 f"{losses.shape}; needs a loss for each place of the mask. Let `call` give one, or "
                                 "take the mask away before: a layer without supports_masking does.")
            kept = spread_weights(self.name, elementwise.cast(mask, dtype=losses.dtype), losses)
            weights = kept if weights is None else elementwise.multiply(weights, kept)
            counted = kept if counted is None else elementwise.multiply(counted, kept)
        return self._reduced(losses, weights, counted)

    def _reduced(self, losses: Tensor, weights: Tensor | None, counted: Tensor | None) -> Tensor:
        if weights is not None:
            losses = elementwise.multiply(losses, weights)
        if self.reduction in (None, "none") or not losses.shape:
            return losses
        axes = tuple(range(losses.ndim))
        if self.reduction == "mean_with_sample_weight":
            divisor = weights if counted is None else counted if weights is None else elementwise.multiply(
                weights, counted)
        else:
            divisor = counted
        if self.reduction == "sum":
            return reduce.sum(losses, axes=axes)
        if divisor is None:
            return reduce.mean(losses, axes=axes)
        return elementwise.divide_no_nan(reduce.sum(losses, axes=axes), reduce.sum(divisor, axes=axes))


class LossFunctionWrapper(Loss):
    """A function fn(y_true, y_pred, **settings) as a Loss; it may give losses per sample, per element or in all."""

    def __init__(self, fn: Callable[..., Any], reduction: str | None = "sum_over_batch_size", name: str | None = None,
                 dtype: str | None = None, **settings: Any) -> None:
        super().__init__(getattr(fn, "__name__", None) if name is None else name, reduction, dtype)
        self.fn, self.settings = function(fn, f"{type(self).__name__}: fn"), settings
        self.label_kind = getattr(fn, "label_kind", "float")

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """fn(y_true, y_pred)."""
        return called(self.fn, "loss", y_true, y_pred, self.settings)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the settings of the function among them."""
        return {**super().get_config(), **self.settings}


def is_own(loss: Loss | None) -> bool:
    """Whether a loss is a function or class of the user's."""
    return loss is not None and not all(str(getattr(each, "__module__", "")).startswith("fastnn.")
                                        for each in (type(loss), getattr(loss, "fn", type(loss))))


def called(fn: Callable[..., Any], what: str, y_true: TensorLike, y_pred: TensorLike, settings: dict[str, Any]) -> Any:
    """fn(y_true, y_pred, **settings) of the user's; TypeError where it cannot be called so, or gives nothing."""
    try:
        result = fn(y_true, y_pred, **settings)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:     # the call itself failed
            raise KindError(f"the {what} {shown(fn)} is called with (y_true, y_pred): {error}.\nDefine it with these "
                            "two, in this order.") from None
        raise
    if result is None:
        raise KindError(f"the {what} {shown(fn)} gave None; needs a tensor. Is its return missing?")
    return result


def prepared(where: str, y_true: TensorLike, y_pred: TensorLike, kind: str = "float",
             ignore: int | None = None, axis: int = -1) -> tuple[Tensor, Tensor]:
    """Both as Tensors of the right dtypes, y_true aligned with y_pred where only a last axis of length 1 differs.

    Arrays are converted, and labels checked; tensors of a recording are left as they are.
    """
    predicted, true = as_tensor(y_pred), cast(Any, y_true)
    if kind == "ids":
        whole = isinstance(true, Tensor) and true.dtype == "int32"
        return as_tensor(true if whole else _labels(where, np.asarray(true), None, ignore), "int32"), predicted
    plain = not isinstance(true, Tensor) or (true.data is not None and true.source is None and not is_recording())
    if kind == "labels":
        if plain:
            array = true.data if isinstance(true, Tensor) else np.asarray(true)
            if array.dtype != np.int32 or not isinstance(true, Tensor):
                array = _labels(where, array, predicted.shape[axis] if predicted.ndim else None, ignore)
            true = as_tensor(array, "int32")
        if true.ndim == predicted.ndim > 0 and true.shape[-1] == 1:
            true = data.reshape(true, shape=_open(true.shape[:-1]))
        return true, predicted
    if plain:
        true = as_tensor(true.data if isinstance(true, Tensor) and true.dtype != predicted.dtype else true)
    if predicted.shape[-1:] == (1,) and not unlike(true.shape, predicted.shape[:-1]):
        true = data.reshape(true, shape=_open((*true.shape, 1)))
    return true, predicted


def alike(where: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Both prepared, and of one shape."""
    y_true, y_pred = prepared(where, y_true, y_pred)
    per_sample(where, y_true.shape, y_pred.shape)
    return y_true, y_pred


def spread_weights(where: str, weights: Weights, values: Tensor) -> Tensor:
    """Weights (N,) or (N, 1), one per sample, as an array of the values' shape (N, …). Those of the values' rank may
    have 1 for any length, as (1, time) where the weights of steps are the same in all samples."""
    w = as_tensor(weights)
    if w.ndim == values.ndim > 1 and w.shape[0] == 1 and None not in values.shape and all(
            a in (1, b) for a, b in zip(w.shape, values.shape)):
        one = tuple(i for i, (a, b) in enumerate(zip(w.shape, values.shape)) if a != b)
        w = data.reshape(w, shape=tuple(n for i, n in enumerate(w.shape) if i not in one))
        return reduce.expand(w, shape=values.shape, axes=one) if one else w
    if w.ndim == values.ndim + 1 and w.shape[-1] == 1:
        w = data.reshape(w, shape=_open(w.shape[:-1]))
    if w.ndim > 1 and w.ndim == values.ndim and w.shape[-1] == 1 != values.shape[-1]:
        w = data.reshape(w, shape=_open(w.shape[:-1]))
    if not values.shape and w.shape:
        raise ShapeError(f"{where}: sample_weight has shape {w.shape} and the loss is one number for all samples; "
                         "needs a loss for each of them, as Dice(axis=(1, 2, 3)) gives, or no weights.")
    if unlike(w.shape, values.shape[:w.ndim]):
        raise ShapeError(f"{where}: sample_weight has shape {w.shape} and the losses {values.shape}; needs one "
                         f"weight per sample, shape {values.shape[:1]}.")
    axes = tuple(range(w.ndim, values.ndim))
    return reduce.expand(w, shape=values.shape, axes=axes) if axes else w


def _open(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """The shape with -1 for an unknown batch."""
    return tuple(-1 if n is None else n for n in shape)


def _labels(where: str, array: np.ndarray, classes: int | None, ignore: int | None) -> np.ndarray:
    """int32 labels; LabelError naming the first that is no class."""
    if array.dtype.kind not in "biuf":
        raise KindError(f"{where}: y_true has dtype {array.dtype}; needs class labels, whole numbers from 0.")
    top = 2 ** 31 if classes is None else classes
    with np.errstate(invalid="ignore"):
        bad = ~((array >= 0) & (array < top) & (array == np.floor(array)))
    if ignore is not None:
        bad &= array != ignore
    if bad.any() and not (array.ndim > 1 and array.shape[-1] == classes):      # one-hot rows: the shapes say it better
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise LabelError(f"{where}: y_true has the label {array[first]:g} at {list(first)}, {int(bad.sum())} bad in "
                         f"all; y_pred has {classes} classes. Labels must be whole numbers 0..{top - 1}.")
    return array.astype(np.int32)
