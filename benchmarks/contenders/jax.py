"""JAX as its users get the most out of it: a whole call of fit is one compiled function over donated buffers."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.contenders.sequences import JAX_LAYERS
from benchmarks.workloads import BETAS, EPSILON, Shape, Workload


def _activated(jax: Any, z: Any, name: str) -> Any:
    return {"tanh": jax.numpy.tanh, "relu": jax.nn.relu}.get(name, lambda z: z)(z)      # the loss takes logits


def _conv2d(jax: Any, x: Any, weights: Iterator[Any], filters: int, kernel_size: Shape, activation: str) -> Any:
    z = jax.lax.conv_general_dilated(x, next(weights), (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return _activated(jax, z + next(weights), activation)


def _pool(jax: Any, x: Any, weights: Iterator[Any], pool_size: Shape) -> Any:
    size = (1, *pool_size, 1)
    return jax.lax.reduce_window(x, -jax.numpy.inf, jax.lax.max, size, size, "VALID")


LAYERS: dict[str, Callable[..., Any]] = {
    "Dense": lambda jax, x, weights, units, activation: _activated(jax, x @ next(weights) + next(weights), activation),
    "Conv2D": _conv2d, "MaxPooling2D": _pool, "Flatten": lambda jax, x, weights: x.reshape(len(x), -1),
    **JAX_LAYERS,
}


class Jax:
    """Epochs are a lax.fori_loop, the steps of an epoch a lax.scan."""

    def __init__(self, workload: Workload) -> None:
        import jax
        import jax.numpy as jnp
        self.jax, self.jnp, self.workload = jax, jnp, workload
        for kind, _ in workload.layers:
            if kind not in LAYERS:
                raise NotImplementedError(f"JAX has no {kind} here")
        x, y = workload.data()
        self.x, self.y = jnp.asarray(x), jnp.asarray(y)
        self.train = jax.jit(self._train, donate_argnums=(0,))
        self.outputs = jax.jit(self._outputs)
        self.reset()

    def reset(self) -> None:
        jnp = self.jnp
        first = [jnp.asarray(w) for w in self.workload.first_weights()]
        zeros = [[jnp.zeros_like(w) for w in first] for _ in range(2)]
        self.state: Any = (first, *zeros, jnp.zeros((), jnp.float32))
        self.key = self.jax.random.key(0)

    def _logits(self, weights: list[Any], x: Any) -> Any:
        rest = iter(weights)
        for kind, arguments in self.workload.layers:
            x = LAYERS[kind](self.jax, x, rest, **arguments)
        return x

    def _outputs(self, weights: list[Any], x: Any) -> Any:
        logits = self._logits(weights, x)
        return self.jax.nn.sigmoid(logits) if self.workload.binary else self.jax.nn.softmax(logits)

    def _loss(self, weights: list[Any], x: Any, y: Any) -> Any:
        jax, jnp = self.jax, self.jnp
        logits = self._logits(weights, x)
        if self.workload.binary:
            return (jax.nn.softplus(logits) - y * logits).mean()
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[..., None], axis=-1).mean()

    def _step(self, state: Any, x: Any, y: Any) -> Any:
        w, m, v, t = state
        gradients = self.jax.grad(self._loss)(w, x, y)
        t = t + 1
        rate = self.workload.rate * self.jnp.sqrt(1 - BETAS[1] ** t) / (1 - BETAS[0] ** t)
        m = [a + (1 - BETAS[0]) * (g - a) for a, g in zip(m, gradients)]
        v = [a + (1 - BETAS[1]) * (g * g - a) for a, g in zip(v, gradients)]
        w = [p - rate * a / (self.jnp.sqrt(b) + EPSILON) for p, a, b in zip(w, m, v)]
        return w, m, v, t

    def _train(self, state: Any, key: Any, x: Any, y: Any, epochs: Any) -> Any:
        jax, n, batch = self.jax, len(self.x), self.workload.batch
        whole = n // batch * batch

        def epoch(number: Any, state: Any) -> Any:
            order = jax.random.permutation(jax.random.fold_in(key, number), n) if n > batch else None
            xs, ys = (x, y) if order is None else (x[order], y[order])
            batches = tuple(a[:whole].reshape(-1, batch, *a.shape[1:]) for a in (xs, ys))
            state = jax.lax.scan(lambda s, rows: (self._step(s, *rows), None), state, batches)[0]
            return self._step(state, xs[whole:], ys[whole:]) if whole < n else state

        return jax.lax.fori_loop(0, epochs, epoch, state)

    def fit(self, epochs: int) -> None:
        self.key = self.jax.random.fold_in(self.key, 1)
        self.state = self.jax.block_until_ready(self.train(self.state, self.key, self.x, self.y, epochs))

    def weights(self) -> list[np.ndarray]:
        return [np.asarray(w) for w in self.state[0]]

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.outputs(self.state[0], rows))
