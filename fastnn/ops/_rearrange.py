"""Axes split, moved and joined by their names. Floor 2."""

import math
import re

from fastnn.arguments import whole
from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError, shown
from fastnn.ops._convert import reshaped
from fastnn.ops._convert import tensor as as_tensor
from fastnn.ops._shaping import transpose
from fastnn.ops._sizes import of_any_size

__all__ = ["rearrange"]

Groups = list[list[str]]


def _groups(side: str, pattern: str) -> Groups:
    """The names of each axis: several in brackets, none where a "1" stands for an axis of length 1."""
    if re.search(r"[()]", re.sub(r"\([^()]*\)", "", side)):
        raise ValueError(f"rearrange: got {shown(pattern)}; needs brackets in pairs, and none within others.")
    found: Groups = []
    for part in re.findall(r"\([^()]*\)|[^\s()]+", side):
        names = part.strip("()").split()
        if not all(re.fullmatch(r"[A-Za-z_]\w*|\.\.\.|1", name) for name in names) or (
                part[0] == "(" and "..." in names):
            raise ValueError(f"rearrange: {shown(part)} in {shown(pattern)}; needs names of axes, 1 or '...'.")
        found.append([name for name in names if name != "1"])
    return found


def _spread(groups: Groups, more: int) -> Groups:
    """The same with a name of its own for each axis that "..." stands for."""
    return [each for group in groups for each in ([[f"...{i}"] for i in range(more)] if group == ["..."] else [group])]


@of_any_size
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Tensor:
    """The axes split, moved and joined as a pattern says, in the notation of einops: names in brackets are one axis,
    the first of them the outermost, "..." the axes that are not named, 1 an axis of length 1. axes_lengths: lengths of
    names that are joined in the tensor; one of each axis follows from the rest.

    ShapeError where a length does not divide its axis, ValueError for a pattern that is none.

    >>> rearrange(ops.ones((2, 4, 6, 3)), "b (h p) (w q) c -> b (h w) (p q c)", p=2, q=2).shape
    (2, 6, 12)
    """
    x = as_tensor(tensor)
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: got {shown(pattern)}; needs 'axes before -> axes after'.")
    left, right = (_groups(side, pattern) for side in sides)
    more = x.ndim - len(left) + 1 if ["..."] in left else 0
    left, right = _spread(left, more), _spread(right, more)
    names, after = ([name for group in groups for name in group] for groups in (left, right))
    if len(set(names)) != len(names) or sorted(names) != sorted(after) or set(axes_lengths) - set(names):
        raise ValueError(f"rearrange: {shown(pattern)} with {shown(sorted(axes_lengths))}; needs each name once on "
                         "either side, and lengths of these.")
    if len(left) != x.ndim:
        raise ShapeError(f"rearrange: {shown(pattern)} names {len(left)} axes and meets {x.shape}.")
    sizes = _sizes_of(left, x, pattern, axes_lengths)
    moved = transpose(reshaped(x, [sizes[name] for name in names]), [names.index(name) for name in after])
    return reshaped(moved, [math.prod(sizes[name] for name in group) for group in right])


def _sizes_of(left: Groups, x: Tensor, pattern: str, given: dict[str, int]) -> dict[str, int]:
    """The length of each name: what is given, and of each axis one that follows."""
    sizes = {name: whole(n, f"rearrange: {name}", 0) for name, n in given.items()}
    for group, n in zip(left, x.shape):
        free = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(free) > 1:
            raise ValueError(f"rearrange: {shown(pattern)} does not say how long {' and '.join(free)} are; needs all "
                             "but one, as in h=2.")
        if n % max(known, 1) or (not free and known != n):
            raise ShapeError(f"rearrange: x is {x.shape}, and {' '.join(group) or 1} of {shown(pattern)} {known} long "
                             f"or a multiple; needs lengths that make {n}.")
        sizes.update(dict.fromkeys(free, n // max(known, 1)))
    return sizes
