"""Made-up dates for the lesson dates: as people write them, and as 1998-03-14."""

from collections.abc import Sequence

import numpy as np

from fastnn.preprocessing.sequence import pad_sequences

MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december"]
SIGNS = " abcdefghijklmnopqrstuvwxyz0123456789-/.,"       # 0 is padding, and the begin of an answer
LONGEST, ANSWER = 24, len("1998-03-14")


def dates(count: int, seed: int) -> tuple[list[str], list[str]]:
    """(dates as people write them, the same as 1998-03-14)."""
    rng = np.random.default_rng(seed)
    written, plain = [], []
    for _ in range(count):
        year, month, day = int(rng.integers(1900, 2050)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
        name = MONTHS[month - 1]
        short, ending = name[:3], {1: "st", 2: "nd", 3: "rd"}.get(day % 10 if day // 10 != 1 else 0, "th")
        written.append(str(rng.choice([
            f"{day} {name} {year}", f"{name} {day}, {year}", f"{short} {day}{ending}, {year}", f"{day}. {short} {year}",
            f"the {day}{ending} of {name} {year}", f"{month}/{day}/{year}", f"{year}, {name} {day}"])))
        plain.append(f"{year}-{month:02}-{day:02}")
    return written, plain


def numbers(texts: Sequence[str], width: int) -> np.ndarray:
    """(n, width) numbers of the signs, 0 behind them. A blank has the last number, as 0 is padding."""
    rows = [[SIGNS.index(sign) or len(SIGNS) for sign in text] for text in texts]
    return pad_sequences(rows, width, padding="post")


def begun(answers: np.ndarray) -> np.ndarray:
    """The answers one place to the right: what the decoder has read before it writes each sign."""
    return np.pad(answers[:, :-1], ((0, 0), (1, 0)))
