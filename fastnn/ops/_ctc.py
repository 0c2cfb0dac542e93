"""Labels of sequences that say in which order, and not where: connectionist temporal classification. Floor 2.

Source: Graves, Fernández, Gomez and Schmidhuber 2006.
"""

import math
from collections.abc import Sequence

import numpy as np

from fastnn.arguments import choice, whole
from fastnn.engine.context import is_recording
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import PlaceError, ShapeError, shown
from fastnn.ops._activation import log_softmax
from fastnn.ops._arithmetic import add, logaddexp, maximum, multiply, negative, subtract
from fastnn.ops._compare import equal, greater, less, logical_and, not_equal, where
from fastnn.ops._convert import broadcast_to, floats, ids, reshaped, widened
from fastnn.ops._creation import arange, full
from fastnn.ops._indexing import argsort, take_along_axis
from fastnn.ops._reduction import argmax, max, sum
from fastnn.ops._rules import unlike
from fastnn.ops._shaping import concatenate, pad, stack
from fastnn.ops._sizes import by_rule, of_any_size, symbol

__all__ = ["ctc_decode", "ctc_loss"]

NEVER = -1e30       # the logarithm of 0


def _lengths(name: str, what: str, lengths: TensorLike, batch: int, most: int) -> Tensor:
    found = ids(lengths)
    if found.shape != (batch,):
        raise ShapeError(f"{name}: {what} is {found.shape}; needs one number for each sample, ({batch},).")
    if found.data is not None and not is_recording() and ((found.data < 0) | (found.data > most)).any():
        raise PlaceError(f"{name}: {what} is {shown(found.data.tolist())}; needs numbers from 0 to {most}.")
    return found


def _blank(name: str, mask_index: int, classes: int) -> int:
    """The class that says nothing; below 0 counted from the last one."""
    index = whole(mask_index, f"{name}: mask_index", None)
    if not -classes <= index < classes:
        raise PlaceError(f"{name}: mask_index is {index}; needs one of {classes} classes.")
    return index % classes


@of_any_size
def ctc_loss(target: TensorLike, output: TensorLike, target_length: TensorLike, output_length: TensorLike,
             mask_index: int = 0) -> Tensor:
    """-ln of how likely the labels are, one number a sample: the sum over all ways to write them over the steps, each
    label one step or more, with blanks (the class mask_index) between equal ones and wherever else.

    target (batch, labels), class numbers; output (batch, steps, classes), logits; of each sample the first
    target_length labels and the first output_length steps count. Infinite where there are too few steps. PlaceError for
    labels and a mask_index that are no classes, and for lengths above those that there are.

    >>> ctc_loss([[1]], ops.zeros((1, 2, 2)), [1], [2]).numpy()      # 1 1, 0 1 and 1 0 of four
    array([0.2876821], dtype=float32)
    """
    labels, logits = ids(target), floats(output)
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0] or not logits.shape[1]:
        raise ShapeError(f"ctc_loss: target is {labels.shape} and output {logits.shape}; needs (batch, labels) and "
                         "(batch, steps, classes).")
    batch, steps, classes = logits.shape
    blank = _blank("ctc_loss", mask_index, classes)
    count = _lengths("ctc_loss", "target_length", target_length, batch, labels.shape[1])
    ends = reshaped(_lengths("ctc_loss", "output_length", output_length, batch, steps), (batch, 1))
    labels = where(less(arange(labels.shape[1]), reshaped(count, (batch, 1))), labels, blank)   # those after may be any
    blanks = full((batch, 1 + labels.shape[1]), blank, "int32")
    written = concatenate([reshaped(stack([blanks[:, 1:], labels], -1), (batch, -1)), blanks[:, :1]], 1)  # b l b l … b
    length = written.shape[1]
    found = take_along_axis(log_softmax(logits), reshaped(written, (batch, 1, length)), 2)      # (batch, steps, length)
    new = logical_and(not_equal(written[:, 2:], blank), not_equal(written[:, 2:], written[:, :-2]))
    leap = pad(where(new, 0.0, NEVER), [(0, 0), (2, 0)], constant_values=NEVER)       # past the blank between
    y = where(equal(broadcast_to(arange(length), (batch, length)), 0), 0.0, NEVER)      # before the first step
    for t in range(steps):
        one = pad(y[:, :-1], [(0, 0), (1, 0)], constant_values=NEVER)
        two = add(pad(y, [(0, 0), (2, 0)], constant_values=NEVER)[:, :length], leap)
        y = where(less(t, ends), add(logaddexp(logaddexp(y, one), two), found[:, t]), y)
    last = stack([multiply(count, 2), maximum(subtract(multiply(count, 2), 1), 0)], 1)
    a, b = (take_along_axis(y, last, 1)[:, i] for i in range(2))
    total = logaddexp(a, where(greater(count, 0), b, NEVER))
    return where(greater(total, NEVER / 2), negative(total), math.inf)  # type: ignore[return-value]


def ctc_decode(inputs: TensorLike, sequence_lengths: TensorLike, strategy: str = "greedy", beam_width: int = 100,
               top_paths: int = 1, merge_repeated: bool = True, mask_index: int = 0) -> tuple[Tensor, Tensor]:
    """The labels that logits (batch, steps, classes) say, without blanks (mask_index), and -1 after the last.

    "greedy": each step's likeliest class, equal ones in a row once unless merge_repeated is False: (1, batch, steps);
    and minus the sum of their logits, (batch, 1). "beam_search": the top_paths likeliest labels, each over all ways to
    write it that are among the beam_width likeliest beginnings at every step: (top_paths, batch, steps); and ln of how
    likely they are, (batch, top_paths). A search is not recorded. PlaceError for lengths above steps, and for a
    mask_index that is no class; below 0 it is counted from the last one.

    >>> ctc_decode(ops.one_hot([[1, 1, 0, 1, 2]], 3), [5])[0].numpy()
    array([[[ 1,  1,  2, -1, -1]]], dtype=int32)
    """
    logits, ends = floats(inputs), ids(sequence_lengths)
    if logits.ndim != 3 or unlike(ends.shape, logits.shape[:1]):
        raise ShapeError(f"ctc_decode: got logits {logits.shape} and sequence_lengths {ends.shape}; needs (batch, "
                         "steps, classes), and one number for each sample.")
    if choice(strategy, "ctc_decode: strategy", ("greedy", "beam_search")) == "beam_search":
        if not merge_repeated:
            raise ValueError("ctc_decode: merge_repeated is False; needs True, or strategy='greedy'.")
        return _searched(logits, ends, whole(beam_width, "ctc_decode: beam_width"), whole(
            top_paths, "ctc_decode: top_paths"), mask_index)
    if top_paths != 1:
        raise ValueError(f"ctc_decode: top_paths is {shown(top_paths)}; needs 1, or strategy='beam_search'.")
    return _likeliest(logits, ends, merge_repeated, mask_index)


@of_any_size
def _likeliest(logits: Tensor, ends: Tensor, merge_repeated: bool, mask_index: int) -> tuple[Tensor, Tensor]:
    """The labels of each step's likeliest class."""
    batch, steps, classes = logits.shape
    ends = reshaped(_lengths("ctc_decode", "sequence_lengths", ends, batch, steps), (batch, 1))
    inside = less(arange(steps), ends)
    said = argmax(logits, -1)
    kept = logical_and(inside, not_equal(said, _blank("ctc_decode", mask_index, classes)))
    if merge_repeated:
        again = pad(widened(equal(said[:, 1:], said[:, :-1]), "int32"), [(0, 0), (1, 0)])
        kept = logical_and(kept, equal(again, 0))
    order = argsort(where(kept, arange(steps), steps), -1)
    labels = take_along_axis(where(kept, said, -1), order, 1)
    score = negative(sum(where(inside, max(logits, -1), 0.0), -1, keepdims=True))
    return reshaped(labels, (1, batch, steps)), score


def _as_searched(logits: Tensor, ends: Tensor, width: int, count: int, mask_index: int) -> tuple[Tensor, Tensor]:
    batch, steps, _ = logits.shape
    return symbol((count, batch, steps), "int32"), symbol((batch, count), logits.dtype)


@by_rule(_as_searched)
def _searched(logits: Tensor, ends: Tensor, width: int, count: int, mask_index: int) -> tuple[Tensor, Tensor]:
    """The likeliest labels of each sample."""
    batch, steps, classes = logits.shape
    blank = _blank("ctc_decode", mask_index, classes)
    ends = _lengths("ctc_decode", "sequence_lengths", ends, batch, steps)
    numbers = log_softmax(logits).numpy().astype(np.float64)
    labels = np.full((count, len(numbers), steps), -1, np.int32)
    scores = np.full((len(numbers), count), -np.inf)
    for b, end in enumerate(ends.numpy().tolist()):
        for i, (found, score) in enumerate(_beams(numbers[b, :end], width, blank)[:count]):
            labels[i, b, :len(found)], scores[b, i] = found, score
    return Tensor(labels), Tensor(scores.astype(logits.dtype))


def _beams(logp: np.ndarray, width: int, blank: int) -> list[tuple[tuple[int, ...], float]]:
    """The likeliest beginnings after the last step, and ln of how likely each is: of those that end in a blank, and of
    those that do not, apart, as only after a blank the last label may come again."""
    def both(sums: Sequence[float]) -> float:
        return float(np.logaddexp(sums[0], sums[1]))
    beams: dict[tuple[int, ...], Sequence[float]] = {(): (0.0, -np.inf)}
    for step in logp.tolist():
        new: dict[tuple[int, ...], list[float]] = {}

        def gain(label: tuple[int, ...], kind: int, more: float) -> None:
            sums = new.setdefault(label, [-np.inf, -np.inf])        # noqa: B023
            sums[kind] = float(np.logaddexp(sums[kind], more))
        for label, (closed, still) in beams.items():
            total = both((closed, still))
            gain(label, 0, total + step[blank])
            if label:
                gain(label, 1, still + step[label[-1]])
            for c, p in enumerate(step):
                if c != blank:
                    gain((*label, c), 1, (closed if label and c == label[-1] else total) + p)
        beams = dict(sorted(new.items(), key=lambda item: -both(item[1]))[:width])
    return [(label, both(sums)) for label, sums in beams.items()]
