"""Floors that no change may fall through: ratios within a group, with room for a busy machine. What fails is broken."""

import re

Entry = tuple[str, str]
REPLAYED, ALONE = ("fastnn", "C, replayed"), ("fastnn", "C, 1 thread")

# (group, who, rival, the rival's time is at least so many times as long, what was measured)
FLOORS: list[tuple[str, Entry, Entry, float, str]] = [
    ("step: xor", REPLAYED, ("fastnn", "C, eager"), 5, "hundreds of times; near 1, steps run in Python again"),
    ("width: .*", REPLAYED, ("fastnn", "C, replayed, 1 thread"), 1 / 1.25, "0.99 and more: a second costs nothing"),
    ("separable: .*", ("fastnn", "late epochs"), ("fastnn", "first epochs"), 1 / 2, "1.0; denormals would show"),
    ("outputs: .*, 1 row", REPLAYED, ("fastnn", "C, replayed, the long way"), 2, "7 µs against 40"),
    ("product: .*", ALONE, ("NumPy", "by hand"), 1 / 6, "0.5 or more of NumPy's speed, which has both cores"),
    ("function: (exp|log|tanh).*", ALONE, ("NumPy", "by hand"), 1 / 5, "1 or more"),
    ("import", ("fastnn", ""), ("NumPy", ""), 1 / 6, "a half"),
]


def check(group: str, times: dict[Entry, float]) -> None:
    """AssertionError where a pair of this group that has been measured falls through its floor."""
    for pattern, who, rival, least, measured in FLOORS:
        if re.fullmatch(pattern, group) and who in times and rival in times:
            ratio = times[rival] / times[who]
            assert ratio >= least, (f"{group}: the time of {', '.join(rival)} is {ratio:.2f} of that of "
                                    f"{', '.join(who)}; the floor is {least:.2f} (measured: {measured})")
