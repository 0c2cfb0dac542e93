"""model.profile: every call has a time, nothing is changed, the figure is drawn."""

from pathlib import Path

import numpy as np

import fastnn
from fastnn import layers


def test_profile_times_every_call_and_changes_nothing(any_backend: str, tmp_path: Path) -> None:
    model = fastnn.Sequential([layers.Dense(8, activation="relu", input_shape=(5,)), layers.Dropout(0.2),
                               layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    x = np.random.default_rng(0).normal(size=(64, 5))
    model.fit(x, x[:, :1], epochs=1, batch_size=16, verbose=0)
    before = [w.tobytes() for w in model.get_weights()]
    steps = int(model.optimizer.iterations)
    profile = model.profile(x, x[:, :1], batch_size=16, seconds=0.05)
    assert [w.tobytes() for w in model.get_weights()] == before and int(model.optimizer.iterations) == steps
    names = [row.text.partition("(")[0] for row in profile.rows]
    assert "gather_rows" in names and "adam_step" in names and all(row.seconds > 0 for row in profile.rows)
    dense = next(row for row in profile.rows if row.text.startswith("dense("))
    assert dense.flops == 2 * 16 * 5 * 8 and dense.layer == "dense"
    assert sum(profile.by_layer().values()) <= 1.001 * sum(row.seconds for row in profile.rows)
    text = str(profile)
    assert "GFLOP/s" in text and len(text.splitlines()) == 2 + len(profile.rows)
    profile.plot(tmp_path / "profile.png")
    assert (tmp_path / "profile.png").read_bytes().startswith(b"\x89PNG")


def test_training_after_a_profile_is_what_it_would_have_been(any_backend: str) -> None:
    x = np.random.default_rng(1).normal(size=(40, 3))
    results = []
    for profiled in (False, True):
        fastnn.random.set_seed(5)
        model = fastnn.Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dropout(0.5),
                                   layers.Dense(1)])
        model.compile("rmsprop", "mse")
        model.fit(x, x[:, :1], epochs=2, batch_size=8, verbose=0)
        if profiled:
            model.profile(x, x[:, :1], batch_size=8, seconds=0.02)
        model.fit(x, x[:, :1], epochs=2, batch_size=8, verbose=0)
        results.append(b"".join(w.tobytes() for w in model.get_weights()))
    assert results[0] == results[1]
