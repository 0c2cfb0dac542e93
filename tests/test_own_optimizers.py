"""Optimizers of one's own, written as Keras' are: build() makes variables, update_step() changes one weight."""

from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import layers, ops, optimizers
from fastnn.engine import context

RNG = np.random.default_rng(3)
X = RNG.normal(size=(24, 4)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)


@fastnn.saving.register_keras_serializable("own")
class Heavy(optimizers.Optimizer):
    """SGD with momentum, in Keras' words."""

    def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.9, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        self.momentum = momentum

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.momentums = [self.add_variable_from_reference(v, name="momentum") for v in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, ops.multiply(m, self.momentum) - gradient * ops.cast(learning_rate, variable.dtype))
        self.assign_add(variable, m)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}


@fastnn.saving.register_keras_serializable("own")
class Counted(optimizers.Optimizer):
    """A step that depends on how many there were, and a variable that no weight has."""

    def build(self, variables: Any) -> None:
        super().build(variables)
        self.total = self.add_variable((), initializer="zeros", name="total")
        self.squares, self.means = self.add_optimizer_variables(variables, ["square", "mean"], ["ones", "zeros"])

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        self.assign_add(self.total, ops.sum(ops.abs(gradient)))
        self.assign(self.squares[i], self.squares[i] * 0.9 + ops.square(gradient) * 0.1)
        self.assign(self.means[i], self.means[i] * 0.9 + gradient * 0.1)
        step = ops.cast(self.iterations + 1, "float32")
        self.assign_sub(variable, learning_rate / ops.sqrt(step) * self.means[i] / (ops.sqrt(self.squares[i]) + 1e-3))


def network(optimizer: Any, **options: Any) -> fastnn.Sequential:
    fastnn.random.set_seed(1)
    model = fastnn.Sequential([fastnn.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(1)])
    model.compile(optimizer, "mse", **options)
    return model


def trained(optimizer: Any, epochs: int = 3, **options: Any) -> fastnn.Sequential:
    model = network(optimizer, **options)
    model.fit(X, Y, epochs=epochs, batch_size=8, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("options", [{}, {"clipnorm": 0.5}, {"weight_decay": 0.1}, {"gradient_accumulation_steps": 2},
                                     {"use_ema": True, "ema_overwrite_frequency": 2}], ids=str)
def test_keras_words_do_what_the_built_in_does(options: dict[str, Any], any_backend: str) -> None:
    own = trained(Heavy(0.05, 0.8, **options))
    built_in = trained(optimizers.SGD(0.05, momentum=0.8, **options))
    for a, b in zip(own.get_weights(), built_in.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [Heavy, Counted])
def test_replays_do_what_python_does(kind: Any) -> None:
    replayed, python = trained(kind(0.05)), trained(kind(0.05), run_eagerly=True)
    for a, b in zip(replayed.get_weights() + [v.numpy() for v in replayed.optimizer.variables],
                    python.get_weights() + [v.numpy() for v in python.optimizer.variables], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_step_is_recorded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(Heavy(0.05))
    calls = []
    step = Heavy.update_step
    monkeypatch.setattr(Heavy, "update_step", lambda *a: (calls.append(context.is_recording()), step(*a))[1])
    model.fit(X, Y, epochs=4, batch_size=8, verbose=0)
    assert calls == [True] * 4      # one for each weight


@pytest.mark.parametrize("kind", [Heavy, Counted])
@pytest.mark.parametrize("name", ["model.fnn", "model.keras"])
def test_its_variables_are_kept(kind: Any, name: str, tmp_path: Any) -> None:
    model = trained(kind(0.05))
    model.save(tmp_path / name)
    again = fastnn.models.load_model(tmp_path / name)
    assert type(again.optimizer) is kind
    for each in (model, again):
        each.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [v.name for v in again.optimizer.variables] == [v.name for v in model.optimizer.variables]


def test_its_state_in_keras_order() -> None:
    optimizer = Heavy(0.05)
    optimizer.build([fastnn.Variable(np.ones(3, np.float32), "w"), fastnn.Variable(np.ones((2, 2), np.float32), "b")])
    assert [v.name for v in optimizer.variables] == ["iterations", "learning_rate", "w_momentum", "b_momentum"]
    assert optimizer.get_config()["momentum"] == 0.9 and Heavy.from_config(optimizer.get_config()).momentum == 0.9


class Once(Heavy):
    """build() without a look at `built`, which Keras calls once."""

    def build(self, variables: Any) -> None:
        optimizers.Optimizer.build(self, variables)
        self.momentums = [self.add_variable_from_reference(v, name="momentum") for v in variables]


@pytest.mark.parametrize("eager", [False, True])
def test_build_is_called_once(eager: bool) -> None:
    once, guarded = (network(kind(0.05), run_eagerly=eager) for kind in (Once, Heavy))
    for model in (once, guarded):
        for size in (8, 5):     # several programs, each of which records the step
            model.fit(X, Y, epochs=2, batch_size=size, shuffle=False, verbose=0)
    for a, b in zip(once.get_weights(), guarded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(once.optimizer.variables) == len(guarded.optimizer.variables) == 2 + 4


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_a_build_that_failed_is_called_again(error: Any) -> None:
    class Fails(Once):
        fails = True

        def build(self, variables: Any) -> None:
            optimizers.Optimizer.build(self, variables)
            self.first = self.add_variable((), name="first")
            if self.fails:
                raise error("in the middle")
            self.momentums = [self.add_variable_from_reference(v, name="momentum") for v in variables]

    model: Any = network(Fails(0.05))
    with pytest.raises(error):
        model.fit(X, Y, verbose=0)
    model.optimizer.fails = False
    model.fit(X, Y, epochs=3, batch_size=8, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), trained(Heavy(0.05)).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(model.optimizer.variables) == 2 + 1 + 4


def test_update_step_of_a_built_in_is_heard() -> None:
    class Plain(optimizers.Adam):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            self.assign_sub(variable, learning_rate * gradient)

    class Back(Plain):
        def step(self, w: Any, g: Any, slots: Any, lr: Any, iterations: Any) -> None:
            optimizers.Adam.step(self, w, g, slots, lr, iterations)

    one: Any = optimizers.Adam(0.05)        # of one optimizer, not of its class
    one.update_step = lambda gradient, variable, rate: one.assign_sub(variable, rate * gradient)
    for own, built_in in ((Plain(0.05), optimizers.SGD(0.05)), (Back(0.05), optimizers.Adam(0.05)),
                          (one, optimizers.SGD(0.05))):
        for a, b in zip(trained(own).get_weights(), trained(built_in).get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["SGD", "RMSprop", "Adam", "Adadelta", "Lion", "Lamb", "Adafactor", "Muon"])
def test_update_step_may_go_on_to_that_of_a_built_in(kind: str) -> None:
    base = getattr(optimizers, kind)

    def update_step(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
        base.update_step(self, gradient * 2.0, variable, learning_rate)

    own = trained(type("Own", (base,), {"update_step": update_step})(0.01))
    built_in = trained(base(0.01), loss_weights=2.0)
    for a, b in zip(own.get_weights(), built_in.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_update_step_of_what_looks_at_all_weights() -> None:
    class Own(optimizers.LBFGS):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate)

    with pytest.raises(NotImplementedError, match=r"Own: its step looks at all weights at once; define step\(\)"):
        trained(Own())


def test_variables_are_made_in_build() -> None:
    class Late(optimizers.Optimizer):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            self.add_variable_from_reference(variable, "late")

    model = network(Late(0.1))
    before = model.get_weights()
    with pytest.raises(RuntimeError, match=r"late: the variable '.*_late' is made in a step; .* in build\(\)"):
        model.fit(X, Y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_an_initializer_for_several_names() -> None:
    class Drawn(optimizers.Optimizer):
        pass

    optimizer, w = Drawn(0.1), fastnn.Variable(np.ones(3, np.float32), "w")
    first, second = optimizer.add_optimizer_variables([w], ["a", "b"], fastnn.initializers.Constant(2.0))
    assert [v.name for v in (*first, *second)] == ["w_a", "w_b"]
    np.testing.assert_array_equal([first[0].numpy(), second[0].numpy()], np.full((2, 3), 2.0))


def test_weights_that_came_later_are_refused() -> None:
    model = network(Heavy(0.05))
    model.layers[0].trainable = False
    model.compile(model.optimizer, "mse")
    model.fit(X, Y, batch_size=8, verbose=0)
    model.layers[0].trainable = True
    model.compile(model.optimizer, "mse")
    with pytest.raises(ValueError, match="is not among the 2 variables that it was built with"):
        model.fit(X, Y, batch_size=8, verbose=0)


def test_an_optimizer_without_a_step() -> None:
    class Nothing(optimizers.Optimizer):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing must define update_step\(\) or step\(\)"):
        network(Nothing(0.1)).fit(X, Y, verbose=0)
