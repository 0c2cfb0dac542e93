"""Initializers: shapes, distributions, seeds, fans as Keras, and orthogonality."""


import numpy as np
import pytest

import fastnn
from fastnn import initializers
from tests.golden import store
from tests.golden.initializers import FANS

RANDOM = [initializers.RandomNormal, initializers.TruncatedNormal, initializers.RandomUniform,
          initializers.VarianceScaling, initializers.GlorotUniform, initializers.GlorotNormal, initializers.HeUniform,
          initializers.HeNormal, initializers.LecunUniform, initializers.LecunNormal, initializers.Orthogonal]


@pytest.mark.parametrize("make", RANDOM)
def test_seeds(make: type) -> None:
    seeded = make(seed=7)
    first = seeded((4, 3))
    assert first.dtype == np.float32 and first.shape == (4, 3)
    assert np.array_equal(seeded((4, 3)), first), "a seeded initializer repeats itself, as Keras'"
    assert np.array_equal(make(seed=7)((4, 3)), first)
    assert not np.array_equal(make(seed=8)((4, 3)), first)
    free = make()
    assert not np.array_equal(free((4, 3)), free((4, 3))), "an unseeded one goes on"
    fastnn.random.set_seed(3)
    a = make()((4, 3))
    fastnn.random.set_seed(3)
    assert np.array_equal(make()((4, 3)), a)


@pytest.mark.parametrize("make", RANDOM)
def test_both_backends_draw_the_same(make: type) -> None:
    values = []
    for backend in {"reference", fastnn.config.backend()}:
        with fastnn.config.using(backend=backend):
            values.append(make(seed=1)((17, 9)))
    assert all(np.array_equal(v, values[0]) for v in values)


@pytest.mark.parametrize("make, deviation, limit", [
    (lambda: initializers.RandomNormal(1.0, 0.5), 0.5, np.inf),
    (lambda: initializers.TruncatedNormal(1.0, 0.5), 0.5 * 0.87962566, 1.0),
    (lambda: initializers.RandomUniform(0.0, 2.0), 2 / np.sqrt(12), 1.0),
])
def test_plain_distributions(make: object, deviation: float, limit: float) -> None:
    x = make()((300, 200)) - 1  # type: ignore[operator]
    assert abs(x.mean()) < 4 * deviation / np.sqrt(x.size)
    assert abs(x.std() / deviation - 1) < 0.02
    assert np.abs(x).max() <= limit


@pytest.mark.parametrize("make, variance, bounded", [
    (initializers.GlorotUniform, 2 / 500, True), (initializers.GlorotNormal, 2 / 500, False),
    (initializers.HeUniform, 2 / 300, True), (initializers.HeNormal, 2 / 300, False),
    (initializers.LecunUniform, 1 / 300, True), (initializers.LecunNormal, 1 / 300, False),
    (initializers.VarianceScaling, 1 / 300, False),
])
def test_scaled_distributions(make: type, variance: float, bounded: bool) -> None:
    x = make()((300, 200))
    assert abs(x.var() / variance - 1) < 0.03
    limit = np.sqrt(3 * variance) if bounded else 2 * np.sqrt(variance) / 0.87962566
    assert 0.98 * limit < np.abs(x).max() <= limit * (1 + 1e-6)


def test_variance_scaling_modes() -> None:
    for mode, n in (("fan_in", 300), ("fan_out", 200), ("fan_avg", 250)):
        x = initializers.VarianceScaling(2.0, mode, "untruncated_normal")((300, 200))
        assert abs(x.var() * n / 2 - 1) < 0.03


@pytest.mark.parametrize("shape", FANS)
def test_fans_as_keras(shape: tuple[int, ...]) -> None:
    assert list(initializers.fans(shape)) == store.read("initializers")["values"][f"fans {shape}"]


@pytest.mark.parametrize("shape", [(4, 4), (7, 3), (3, 7), (2, 3, 4), (1, 5)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    q = initializers.Orthogonal(2.0)(shape).reshape(-1, shape[-1]).astype(float)
    product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-6)


def test_constants() -> None:
    assert initializers.Zeros()((2, 3)).tolist() == [[0] * 3] * 2
    assert initializers.Ones()((2,), "float64").dtype == np.float64
    assert initializers.Constant(2.5)((2, 1)).tolist() == [[2.5], [2.5]]
    assert initializers.Constant([1, 2])((2, 2)).tolist() == [[1, 2], [1, 2]]
    assert initializers.Identity(3.0)((2, 3)).tolist() == [[3, 0, 0], [0, 3, 0]]
    assert initializers.IdentityInitializer is initializers.Identity


def test_get() -> None:
    assert initializers.get(None) is None
    for name, kind in initializers.CLASSES.items():
        assert type(initializers.get(name)) is kind
    for name in ("glorot_uniform", "he_normal", "zeros", "orthogonal", "uniform", "lecun_normal", "truncated_normal"):
        assert name in initializers.CLASSES
    assert type(initializers.get(initializers.HeNormal)) is initializers.HeNormal
    made = initializers.RandomNormal(stddev=0.1, seed=5)
    assert initializers.get(made) is made
    again = initializers.get({"class_name": "RandomNormal", "config": made.get_config()})
    assert np.array_equal(again((3,)), made((3,)))
    assert repr(made) == "RandomNormal(stddev=0.1, seed=5)"
    assert initializers.get(np.array([1.0, 2.0]))((2,)).tolist() == [1, 2]
    assert initializers.get(np.ones) is np.ones
    for kind in set(initializers.CLASSES.values()):
        assert type(kind.from_config(kind().get_config())) is kind


def test_other_ways_to_make_one() -> None:
    """By lower-case names, of a tensor, with a generator as seed, with axes of its own."""
    assert initializers.he_normal is initializers.HeNormal and initializers.zeros is initializers.Zeros
    with pytest.raises(AttributeError, match="did you mean 'he_normal'"):
        getattr(initializers, "he_norml")  # noqa: B009
    x = fastnn.ops.ones((2, 3)) * 2
    np.testing.assert_array_equal(initializers.get(x)((2, 3)), np.full((2, 3), 2.0))
    made = initializers.RandomNormal(seed=fastnn.random.SeedGenerator(4))
    again = initializers.RandomNormal(seed=fastnn.random.SeedGenerator(4))
    first = made((5,))
    assert first.tobytes() == again((5,)).tobytes() != made((5,)).tobytes()
    of_axes = initializers.VarianceScaling(2.0, seed=1, input_axes=[0], output_axes=[1, 2])((64, 4, 16))
    assert of_axes.std() == pytest.approx(np.sqrt(2 / 64), rel=0.05)
    with pytest.raises(ValueError, match="needs both"):
        initializers.VarianceScaling(input_axes=[0])


def test_mistakes_are_explained() -> None:
    with pytest.raises(ValueError, match="did you mean 'glorot_uniform'"):
        initializers.get("glorot_unifrom")
    with pytest.raises(TypeError, match="needs a name"):
        initializers.get(3)
    with pytest.raises(ValueError, match="did you mean 'fan_in'"):
        initializers.VarianceScaling(mode="fanin")
    with pytest.raises(ValueError, match="scale is 0"):
        initializers.VarianceScaling(scale=0)
    with pytest.raises(ValueError, match="stddev is -1"):
        initializers.RandomNormal(stddev=-1)
    with pytest.raises(TypeError, match="mean is 'a'"):
        initializers.RandomNormal(mean="a")
    with pytest.raises(TypeError, match="whole number"):
        initializers.GlorotUniform(seed=1.5)
    with pytest.raises(fastnn.ShapeError, match="two axes"):
        initializers.Orthogonal()((3,))
    with pytest.raises(fastnn.ShapeError, match="matrix"):
        initializers.Identity()((3, 3, 3))
    with pytest.raises(fastnn.ShapeError, match="can be repeated"):
        initializers.Constant([1, 2])((3,))
