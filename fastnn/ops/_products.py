"""Products of vectors, matrices and more. Floor 2."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._arithmetic import multiply, subtract
from fastnn.ops._convert import axis_of, broadcast_to, common_shape, floats, is_one, reshaped, tensor, together, widened
from fastnn.ops._reduction import sum
from fastnn.ops._shaping import expand_dims, pad, ravel, swapaxes, taken, transpose
from fastnn.ops._sizes import of_any_size
from fastnn.ops.rows import dense
from fastnn.ops.rows.whole import WHOLE

__all__ = ["cross", "diff", "dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "vdot"]


def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The product of two matrices, or of each pair of two stacks of them, repeated to fit; vectors lose their axis.

    (…, m, k)(…, k, n) → (…, m, n). Whole numbers meet in floats and come back."""
    a, b = tensor(x1), tensor(x2)
    if a.ndim == b.ndim == 2 and a.dtype == b.dtype and a.dtype not in WHOLE:       # as nearly always
        return dense.matmul(a, b)  # type: ignore[no-any-return]
    if a.dtype in WHOLE and b.dtype in WHOLE:
        dtype = "int64" if "int64" in (a.dtype, b.dtype) else "int32"
        return widened(matmul(floats(a), floats(b)), dtype)
    a, b = floats(a), floats(b)
    if not a.ndim or not b.ndim:
        raise ShapeError(f"matmul: x1 is {a.shape} and x2 is {b.shape}; needs an axis at least; multiply numbers by *.")
    if a.ndim == 1:
        y = matmul(reshaped(a, (1, a.shape[0])), b)
        return reshaped(y, [*y.shape[:-2], y.shape[-1]] if b.ndim > 1 else y.shape[:-1])
    if b.ndim == 1:
        return reshaped(matmul(a, reshaped(b, (b.shape[0], 1))), a.shape[:-1])
    if a.ndim == b.ndim == 2:
        return dense.matmul(a, b)  # type: ignore[no-any-return]
    return _matrices(a, b)


@of_any_size
def _matrices(a: Tensor, b: Tensor) -> Tensor:
    """Products where one is a stack of matrices at least."""
    if b.ndim == 2:      # the rows of all matrices below each other
        rows = reshaped(a, (-1, a.shape[-1]))
        return reshaped(dense.matmul(rows, b), (*a.shape[:-1], b.shape[1]))
    stacks = common_shape("matmul", a.shape[:-2], b.shape[:-2])
    return _stacks(broadcast_to(a, (*stacks, *a.shape[-2:])), broadcast_to(b, (*stacks, *b.shape[-2:])), stacks)


def _stacks(a: Tensor, b: Tensor, stacks: tuple[int | None, ...]) -> Tensor:
    """Products of two stacks of as many matrices."""
    if len(stacks) == 1:
        return dense.batch_matmul(a, b)  # type: ignore[no-any-return]
    flat = [reshaped(t, (-1, *t.shape[-2:])) for t in (a, b)]
    return reshaped(dense.batch_matmul(*flat), (*stacks, a.shape[-2], b.shape[-1]))


def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Σ over x1's last axis and x2's last but one (its only one); numbers multiply."""
    a, b = tensor(x1), tensor(x2)
    if not a.ndim or not b.ndim:
        return multiply(a, b)
    return tensordot(a, b, [[a.ndim - 1], [max(b.ndim - 2, 0)]])


def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Σ over the last axes of both."""
    a, b = tensor(x1), tensor(x2)
    return multiply(a, b) if not a.ndim or not b.ndim else tensordot(a, b, [[a.ndim - 1], [b.ndim - 1]])


def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Σ x1·x2 of all elements in a row."""
    return dot(ravel(x1), ravel(x2))


@of_any_size
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """y[i, j] = x1[i]·x2[j] of all elements in a row."""
    a, b = ravel(x1), ravel(x2)
    return multiply(reshaped(a, (a.shape[0], 1)), b)


@of_any_size
def tensordot(x1: TensorLike, x2: TensorLike, axes: int | Sequence[Any] = 2) -> Tensor:
    """Σ of products over these axes: so many last ones of x1 and first ones of x2, or a list of each."""
    a, b = tensor(x1), tensor(x2)
    if is_one(axes):
        axes = int(axes)  # type: ignore[arg-type]
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = ([each] if is_one(each) else list(each) for each in axes)  # type: ignore[union-attr]
        left, right = [axis_of(a, i) for i in left], [axis_of(b, i) for i in right]
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ShapeError(f"tensordot: x1 is {a.shape} and x2 is {b.shape}; axes {left} and {right} must be equal.")
    free_a, free_b = ([i for i in range(t.ndim) if i not in used] for t, used in ((a, left), (b, right)))
    terms = math.prod(a.shape[i] for i in left)
    rows = reshaped(transpose(a, [*free_a, *left]), (math.prod(a.shape[i] for i in free_a), terms))
    columns = reshaped(transpose(b, [*right, *free_b]), (terms, math.prod(b.shape[i] for i in free_b)))
    return reshaped(matmul(rows, columns), [*(a.shape[i] for i in free_a), *(b.shape[i] for i in free_b)])


def _diagonals(x: Tensor, labels: str) -> tuple[Tensor, str]:
    """x with one axis for each label: of two with the same one the diagonal."""
    from fastnn.ops._indexing import diagonal
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            x = diagonal(x, 0, i, j)
            labels = labels[:i] + labels[i + 1:j] + labels[j + 1:] + label
    return x, labels


def _summed(x: Tensor, labels: str, kept: str) -> tuple[Tensor, str]:
    """x summed over the labels that nobody keeps."""
    gone = [i for i, label in enumerate(labels) if label not in kept]
    return (sum(x, axis=gone), "".join(c for c in labels if c in kept)) if gone else (x, labels)


def _pair(a: Tensor, la: str, b: Tensor, lb: str, kept: str) -> tuple[Tensor, str]:
    """Two operands as one stack of matrix products: labels of both that stay are the stack, those that go the terms."""
    a, la = _summed(a, la, lb + kept)
    b, lb = _summed(b, lb, la + kept)
    stack = [c for c in la if c in lb and c in kept]
    terms = [c for c in la if c in lb and c not in kept]
    rows, columns = [c for c in la if c not in lb], [c for c in lb if c not in la]
    size = {**dict(zip(la, a.shape)), **dict(zip(lb, b.shape))}

    def grouped(x: Tensor, labels: str, *groups: list[str]) -> Tensor:
        moved = transpose(x, [labels.index(c) for group in groups for c in group])
        return reshaped(moved, [math.prod(size[c] for c in group) for group in groups])
    if not stack:
        y = matmul(grouped(a, la, rows, terms), grouped(b, lb, terms, columns))
    else:
        y = matmul(grouped(a, la, stack, rows, terms), grouped(b, lb, stack, terms, columns))
    labels = stack + rows + columns
    return reshaped(y, [size[c] for c in labels]), "".join(labels)


@of_any_size
def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Tensor:
    """Products summed over labels: "bij,bjk->bik" multiplies stacks of matrices; a label not after -> is summed over.

    Operands are taken two at a time from the left. "…" stands for axes that all have."""
    xs = [tensor(x) for x in operands]
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise ValueError(f"einsum: {shown(subscripts)} names {len(terms)} operands; got {len(xs)}.")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts]
    most = max((x.ndim - len(t.replace("...", "")) for t, x in zip(terms, xs) if "..." in t), default=0)
    dots = "".join(spare[:most])
    terms = [t.replace("...", dots[len(dots) - (x.ndim - len(t.replace("...", ""))):]) for t, x in zip(terms, xs)]
    if arrow:
        right = right.replace("...", dots)
    else:
        every = "".join(terms)
        right = dots + "".join(sorted(c for c in set(every) if every.count(c) == 1 and c not in dots))
    for t, x in zip(terms, xs):
        if len(t) != x.ndim:
            raise ShapeError(f"einsum: {shown(t)} of {shown(subscripts)} names {len(t)} axes and meets {x.shape}.")
    sizes: dict[str, int] = {}
    for t, x in zip(terms, xs):
        for c, n in zip(t, x.shape):
            if sizes.setdefault(c, n) != n and 1 not in (n, sizes[c]):
                raise ShapeError(f"einsum: label {c!r} of {shown(subscripts)} is {sizes[c]} and {n} long; needs one.")
            sizes[c] = max(sizes[c], n)
    found = [_diagonals(broadcast_to(x, [sizes[c] for c in t]), t) for t, x in zip(terms, xs)]
    y, labels = found[0]
    for i, (x, t) in enumerate(found[1:], 2):
        y, labels = _pair(y, labels, x, t, right + "".join(t for _, t in found[i:]))
    y, labels = _summed(y, labels, right)
    return transpose(y, [labels.index(c) for c in right])


@of_any_size
def cross(x1: TensorLike, x2: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1,
          axis: int | None = None) -> Tensor:
    """The vector at right angles to two vectors of three numbers, or two (a third is 0), along the last axis; of two
    numbers both, its third number alone."""
    if axis is not None or (axisa, axisb, axisc) != (-1, -1, -1):
        axis = axisa if axis is None else axis
        a, b = (swapaxes(x, axis, -1) for x in (x1, x2))
        return swapaxes(cross(a, b), axis, -1)
    a, b = tensor(x1), tensor(x2)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ShapeError(f"cross: got shapes {a.shape} and {b.shape}; needs two or three numbers along the last axis.")
    if a.shape[-1] == b.shape[-1] == 2:
        return subtract(multiply(a[..., 0], b[..., 1]), multiply(a[..., 1], b[..., 0]))
    a, b = together("cross", *(pad(t, [(0, 0)] * (t.ndim - 1) + [(0, 3 - t.shape[-1])]) for t in (a, b)))
    last = a.ndim - 1
    (a1, b1), (a2, b2) = ([taken(t, places, last) for t in (a, b)] for places in ([1, 2, 0], [2, 0, 1]))
    return subtract(multiply(a1, b2), multiply(a2, b1))


@of_any_size
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x2 in the place of each element of x1, times that element."""
    a, b = tensor(x1), tensor(x2)
    rank = max(a.ndim, b.ndim)
    a, b = (reshaped(t, [1] * (rank - t.ndim) + list(t.shape)) for t in (a, b))
    y = multiply(expand_dims(a, [2 * i + 1 for i in range(rank)]), expand_dims(b, [2 * i for i in range(rank)]))
    return reshaped(y, [m * n for m, n in zip(a.shape, b.shape)])


@of_any_size
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """Each element less the one before it along the axis, n times."""
    x = tensor(a)
    place = axis_of(x, axis)
    for _ in range(n):
        size = x.shape[place]
        x = subtract(taken(x, np.arange(1, size), place), taken(x, np.arange(size - 1), place))
    return x
