"""What layers add to the loss, and the metrics that they hold: Layer.losses, add_loss, Layer.metrics."""

from typing import Any

import numpy as np
import pytest

from fastnn import GradientTape, Input, Model, Sequential, layers, metrics, ops, optimizers
from fastnn.layers import Dense, Layer

X = np.random.default_rng(0).random((6, 3), np.float32)
Y = np.zeros((6, 2), np.float32)


class Adds(Layer):
    """Adds the mean of what it sees, `times` times, and passes it on."""

    def __init__(self, factor: float = 1.0, times: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor, self.times = factor, times

    def call(self, x: Any, training: bool = False) -> Any:
        for _ in range(self.times if training else 1):
            self.add_loss(self.factor * ops.mean(x))
        return x


def _numbers(layer: Any) -> list[float]:
    return [float(loss) for loss in layer.losses]


def test_losses_are_those_of_the_last_call() -> None:
    layer = Adds()
    assert layer.losses == []
    layer(X)
    layer(2 * X)
    np.testing.assert_allclose(_numbers(layer), [2 * X.mean()], rtol=1e-6)
    layer(X, training=True)
    assert len(layer.losses) == 1
    several = Adds(times=3)
    several(X, training=True)
    assert len(several.losses) == 3


def test_penalties_of_weights_and_outputs_are_losses() -> None:
    layer = Dense(2, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l1")
    y = layer(X).numpy()
    kernel = layer.kernel.numpy()
    np.testing.assert_allclose(_numbers(layer), [0.01 * np.abs(y).sum() / 6, 0.01 * np.square(kernel).sum(), 0],
                               rtol=1e-5)
    layer.kernel.trainable = False
    assert len(layer.losses) == 2
    layer.trainable = False
    assert len(layer.losses) == 1


def test_a_model_has_its_layers_losses_in_order() -> None:
    shared = Adds(3.0)
    x = Input((3,))
    model = Model(x, Dense(2, kernel_regularizer="l2")(shared(Adds(2.0)(shared(x)))))
    assert len(model.losses) == 1
    model(X)
    np.testing.assert_allclose(_numbers(model)[:3], np.array([3, 3, 2]) * X.mean(), rtol=1e-6)
    assert len(model.losses) == 4
    shared(X)       # by itself: its losses are those of this call
    np.testing.assert_allclose(_numbers(model)[:2], np.array([3, 2]) * X.mean(), rtol=1e-6)
    model(X)
    assert len(model.losses) == 4


@pytest.mark.parametrize("eager", [False, True])
def test_training_adds_them_up_and_keeps_none(eager: bool) -> None:
    model = Sequential([Input((3,)), Adds(2.0), Dense(2, kernel_initializer="zeros", kernel_regularizer="l2")])
    model.compile("sgd", "mse", run_eagerly=eager)
    history = model.fit(X, Y, epochs=2, batch_size=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], [2 * X.mean()] * 2, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), 2 * X.mean(), rtol=1e-5)
    assert len(model.losses) == 1       # of the weights: those of a step are gone with it
    model(X)
    assert len(model.losses) == 2


class Own(Model):
    """Its own step reads self.losses, after calling its parts one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Adds(1.0), Adds(10.0)
        self.dense = Dense(2, kernel_initializer="zeros")
        self.seen = metrics.Mean(name="seen")

    def call(self, x: Any) -> Any:
        return self.dense(self.second(self.first(x)))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with GradientTape() as tape:
            loss = ops.mean(ops.square(y - self.dense(self.second(self.first(x))))) + sum(self.losses)
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        self.seen.update_state(loss)
        return {"loss": self.seen.result(), "parts": sum(self.losses)}


def test_own_steps_read_losses_of_each_replay() -> None:
    model = Own()
    model.compile(optimizers.SGD(1e-30))
    x = np.concatenate([X, 3 * X])
    history = model.fit(x, np.zeros((12, 2)), batch_size=6, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], [11 * 2 * X.mean()], rtol=1e-5)
    np.testing.assert_allclose(history["parts"], [33 * X.mean()], rtol=1e-5)


def test_a_loss_with_axes_is_summed_and_a_number_is_one() -> None:
    class Both(Layer):
        def call(self, x: Any) -> Any:
            self.add_loss([x, 0.5])
            return x

    layer = Both()
    layer(X)
    np.testing.assert_allclose(_numbers(layer), [X.sum(), 0.5], rtol=1e-6)


def test_layers_have_the_metrics_they_hold() -> None:
    class Holds(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.mean, self.more = metrics.Mean(), [metrics.Sum(), {"b": metrics.Mean()}]
            self.inner = Dense(1)

        def call(self, x: Any) -> Any:
            self.mean.update_state(ops.sum(x))
            return self.inner(x)

    layer = Holds()
    assert layer.metrics == [layer.mean, layer.more[0], layer.more[1]["b"]]  # type: ignore[index]
    assert len(layer.metrics_variables) == sum(len(m.variables) for m in layer.metrics)
    layer(X)
    np.testing.assert_allclose(layer.metrics[0].result(), X.sum(), rtol=1e-6)
    model = Sequential([Input((3,)), layer])
    assert model.metrics == layer.metrics


def test_layers_with_nothing_to_build_are_built() -> None:
    for layer in (layers.ReLU(), layers.Dropout(0.5), layers.MaxPooling2D(), layers.Flatten(), layers.Add()):
        assert layer.built and layer.get_weights() == [] and layer.count_params() == 0

    class Builds(layers.ReLU):
        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight((1,), "ones")

    layer = Builds()
    assert not layer.built
    layer(X)
    assert layer.built and len(layer.weights) == 1
    assert not Adds().built     # a user's layer may make its parts when it is called
