"""Batches as fit takes them: x, (x, y) or (x, y, sample_weight). Floor 5."""

from typing import Any

from fastnn.errors import KindError, shown

__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """(x, y, sample_weight) without what is None at its end; x itself where it is no list or tuple and stands alone.

    Source: keras.utils.pack_x_y_sample_weight, which drops a weight without y; here KindError.
    """
    if y is None and sample_weight is not None:
        raise KindError("pack_x_y_sample_weight: got sample_weight without y; needs y too.")
    if sample_weight is not None:
        return x, y, sample_weight
    return (x, y) if y is not None else (x,) if isinstance(x, (list, tuple)) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight), with None for what a batch does not have: for the train_step of your own.

    data: x, (x,), (x, y) or (x, y, sample_weight). ValueError for more. Source: keras.utils.unpack_x_y_sample_weight.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    items = data if isinstance(data, (list, tuple)) else (data,)
    if not 1 <= len(items) <= 3:
        raise KindError(f"unpack_x_y_sample_weight: got {len(items)} items, {shown(data)}; needs x, (x, y) or "
                        "(x, y, sample_weight).")
    x, y, sample_weight = (*items, None, None)[:3]
    return x, y, sample_weight
