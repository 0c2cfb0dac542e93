"""One file per topic, TOPIC.json: what Keras gave. Keras is not needed to read it.

"cases": by the name of a Case, what run() of it returned. "values": by name, what the functions in VALUES returned.
"""

import base64
import functools
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

TOPICS = ("activations", "attention", "augmentation", "convolution", "graphs", "image", "initializers", "losses",
          "metrics", "normalization", "optimizers", "penalties", "pooling", "recurrent", "schedules",
          "sequence_options", "sequences")


def module(topic: str) -> Any:
    """The module of this topic: it has CASES, a list of Case, or VALUES, {name: function of a library}, or both."""
    return importlib.import_module(f"tests.golden.{topic}")


def file(topic: str) -> Path:
    """Where the topic's values lie."""
    return Path(__file__).with_name(f"{topic}.json")


@functools.cache
def read(topic: str) -> dict[str, Any]:
    """{"keras": its version, "backend": its backend, "cases": {…}, "values": {…}} with arrays as arrays."""
    return json.loads(file(topic).read_text(encoding="utf-8"), object_hook=_array)


def write(topic: str, facts: dict[str, Any]) -> None:
    """A line per case and per value, so that a change shows what it changes."""
    parts = [f"{json.dumps(key)}: {json.dumps(facts[key])}" for key in ("keras", "backend")]
    for key in ("cases", "values"):
        rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row, default=_text)}" for name, row in facts[key].items())
        parts.append(f"{json.dumps(key)}: {{\n{rows}\n}}")
    file(topic).write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


def rounded(value: Any, digits: int = 9) -> Any:
    """float32 numbers, in lists as deep as they come, with so many digits (9: every bit)."""
    return [rounded(v, digits) for v in value] if isinstance(value, list) else float(f"{np.float32(value):.{digits}g}")


def _text(array: np.ndarray) -> dict[str, Any]:
    little = array.astype("<f4")
    return {"shape": list(array.shape), "float32": base64.b64encode(little.tobytes()).decode()}


def _array(row: dict[str, Any]) -> Any:
    if row.keys() != {"shape", "float32"}:
        return row
    return np.frombuffer(base64.b64decode(row["float32"]), "<f4").reshape(row["shape"])
