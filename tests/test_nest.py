"""Nested lists, tuples and dicts: their leaves, and the same structure with other leaves."""

from collections import namedtuple

from fastnn.nest import distinct, flatten, map_structure

Pair = namedtuple("Pair", "first second")


def test_flatten_gives_the_leaves_in_order() -> None:
    assert flatten({"a": [1, (2, 3)], "b": {"c": None}}) == [1, 2, 3, None]
    assert flatten(7) == [7]
    assert flatten([]) == []


def test_flatten_of_a_kind_leaves_the_others_out() -> None:
    assert flatten([1, "a", (2, {"x": "b"})], str) == ["a", "b"]
    assert flatten("a", int) == []


def test_map_structure_keeps_the_structure() -> None:
    mapped = map_structure(lambda n: n + 1, {"a": [1, (2, 3)], "b": Pair(4, [])})
    assert mapped == {"a": [2, (3, 4)], "b": Pair(5, [])}
    assert isinstance(mapped["b"], Pair)


def test_map_structure_takes_for_a_leaf_what_it_is_told_to() -> None:
    assert map_structure(sum, [[1, 2], [3, 4]], lambda value: isinstance(value[0], int)) == [3, 7]


def test_distinct_is_by_identity() -> None:
    a, b = [1], [1]
    found = distinct([a, b, a])
    assert len(found) == 2
    assert found[0] is a
    assert found[1] is b
