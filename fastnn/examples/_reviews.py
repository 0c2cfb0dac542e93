"""Made-up reviews for the lesson sentiment: praise and blame, half of it by a negation."""

import numpy as np

GOOD = ["good", "great", "funny", "clever", "moving", "brilliant", "lovely", "exciting"]
BAD = ["bad", "dull", "boring", "stupid", "weak", "awful", "clumsy", "slow"]
THINGS = ["film", "plot", "story", "cast", "music", "ending", "beginning", "dialogue", "camera", "hero"]
STRONG, TIMES = ["", "", "very", "really", "rather"], ["", "", "today", "in my view", "from the first minute on"]


def opinion(rng: np.random.Generator, praise: bool) -> tuple[str, bool]:
    """(one sentence that praises or blames, whether it does so by a negation)."""
    thing, strong, when = rng.choice(THINGS), rng.choice(STRONG), rng.choice(TIMES)
    negated = bool(rng.random() < 0.5)
    word = rng.choice(GOOD if praise != negated else BAD)
    if not negated:
        text = f"the {thing} was {strong} {word} {when}"
    else:
        text = rng.choice([f"the {thing} was not {strong} {word} {when}", f"{when} the {thing} was never {word}",
                           f"nobody can call the {thing} {strong} {word} {when}"])
    return " ".join(text.split()), negated


def reviews(count: int, seed: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """(texts of one to four opinions of one kind, 1 for praise (count, 1), whether a text has a negation (count,))."""
    rng = np.random.default_rng(seed)
    texts, negated = [], []
    praise = rng.random(count) < 0.5
    for liked in praise:
        parts = [opinion(rng, bool(liked)) for _ in range(rng.integers(1, 5))]
        texts.append(". ".join(text for text, _ in parts) + ".")
        negated.append(any(turned for _, turned in parts))
    return texts, praise[:, None].astype(np.float32), np.array(negated)
