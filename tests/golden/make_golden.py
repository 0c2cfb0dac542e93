"""Writes TOPIC.json: what Keras gives for every case and value of a topic.

Run in an environment with keras and tensorflow-cpu (augmentation: scipy and pillow too); not part of the tests:
    KERAS_BACKEND=tensorflow python -m tests.golden.make_golden TOPIC [TOPIC ...]

Cases with several losses run eagerly: Keras means to weight each output's loss by the batch size in the history, but in
a TensorFlow graph, which does not know the size, its short last batch counts as much as the others.
"""

import sys
from typing import Any

import keras
import numpy as np

from tests.golden import store
from tests.golden.common import Case, run


def made(case: Case) -> dict[str, Any]:
    """What Keras gives for one configuration."""
    print(case.name, file=sys.stderr)
    keras.utils.clear_session()
    result = run(keras, case, jit_compile=False, run_eagerly=case.eager)
    arrays = {key: [a.astype(np.float32) for a in result[key]] for key in ("weights", "predictions")}
    assert all(np.isfinite(a).all() for kept in arrays.values() for a in kept), f"{case.name} diverges"
    return {"history": {key: store.rounded(v) for key, v in result["history"].items()},
            "evaluate": store.rounded(result["evaluate"]), "params": result["params"], **arrays}


def main(topics: list[str]) -> None:
    """Make the files of these topics."""
    unknown = [topic for topic in topics if topic not in store.TOPICS]
    if unknown or not topics:
        sys.exit(f"got {unknown or 'no topic'}; needs some of {', '.join(store.TOPICS)}")
    for topic in topics:
        module = store.module(topic)
        store.write(topic, {"keras": keras.__version__, "backend": keras.backend.backend(),
                            "cases": {case.name: made(case) for case in getattr(module, "CASES", [])},
                            "values": {name: value(keras) for name, value in getattr(module, "VALUES", {}).items()}})


if __name__ == "__main__":
    main(sys.argv[1:])
