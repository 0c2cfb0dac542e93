"""Objects are their constructor's arguments: every public class comes back from its config, users' classes too."""

import inspect
import json
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import (
    activations,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    serialization,
    utils,
)
from fastnn.configuration import Configurable, parameters
from fastnn.layers import LSTM, Dense, Layer
from tests.errors import assert_good_error
from tests.public import CASES, Case

MADE = [case for case in CASES if issubclass(case.kind, Configurable)]


pytestmark = pytest.mark.usefixtures("registered")


# ---- every public class ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", MADE, ids=repr)
def test_a_class_comes_back_from_its_config(case: Case) -> None:
    made = case.make()
    config = made.get_config()
    assert set(config) >= set(parameters(case.kind))
    again = type(made).from_config(json.loads(json.dumps(config)))
    assert type(again) is type(made)
    assert json.dumps(again.get_config()) == json.dumps(config)
    plain = serialization.serialize_keras_object(made)
    if plain["registered_name"] is None:
        assert json.dumps(serialization.deserialize_keras_object(plain).get_config()) == json.dumps(config)


@pytest.mark.parametrize("case", MADE, ids=repr)
def test_the_table_has_every_argument_and_none_at_its_default(case: Case) -> None:
    known = parameters(case.kind)
    assert set(case.arguments) >= set(known) - {"dtype"}, "an argument is not in tests/public/"
    default = [name for name, p in known.items() if case.arguments.get(name) is not None and not isinstance(
        case.arguments[name], bool) and case.arguments[name] == p.default]
    assert not set(default) - {"data_format", "dtype", "axis", "fn", "fill_mode", "vocabulary_dtype"}, default


@pytest.mark.parametrize("case", [case for case in MADE if case.inputs], ids=repr)
def test_a_layer_from_its_config_does_the_same(case: Case) -> None:
    rng = np.random.default_rng(0)
    inputs: Any = [rng.random(shape, np.float32) for shape in case.inputs]
    inputs = inputs[0] if len(inputs) == 1 else inputs
    layer = case.make()
    y = layer(inputs)
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert [w.shape for w in again.weights] == [w.shape for w in layer.weights]
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(inputs), y)


@pytest.mark.parametrize("module", [layers, losses, metrics, optimizers, fastnn.regularizers, initializers,
                                    fastnn.constraints, optimizers.schedules], ids=lambda m: m.__name__)
def test_the_table_has_every_public_class(module: Any) -> None:
    kinds = {value for name, value in vars(module).items() if inspect.isclass(value) and issubclass(value, Configurable)
             and value.__module__.startswith(module.__name__) and not name.startswith("_")}
    missing = kinds - {case.kind for case in CASES}
    assert not missing, f"no row in tests/public/ for {missing}"


# ---- Keras' form ----------------------------------------------------------------------------------------------------


def test_configs_have_keras_form() -> None:
    config = Dense(3, activation="relu", kernel_regularizer="l2", name="d").get_config()
    assert config == {
        "name": "d", "trainable": True, "dtype": "float32", "units": 3, "activation": "relu", "use_bias": True,
        "kernel_initializer": {"module": "fastnn.initializers", "class_name": "GlorotUniform",
                               "config": {"seed": None}, "registered_name": None},
        "bias_initializer": {"module": "fastnn.initializers", "class_name": "Zeros", "config": {},
                             "registered_name": None},
        "kernel_regularizer": {"module": "fastnn.regularizers", "class_name": "L2", "config": {"l2": 0.01},
                               "registered_name": None},
        "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None}


def test_keras_configs_are_read() -> None:
    keras = {"name": "dense", "trainable": True,
             "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"},
                       "registered_name": None},
             "units": 3, "activation": "relu", "use_bias": True,
             "kernel_initializer": {"module": "keras.initializers", "class_name": "HeNormal",
                                    "config": {"seed": 3, "input_axes": None, "output_axes": None},
                                    "registered_name": None},
             "bias_initializer": "zeros", "kernel_regularizer": None, "quantization_config": None}
    layer = Dense.from_config(keras)
    assert layer.activation is activations.relu
    assert layer.kernel_initializer.seed == 3


def test_changed_attributes_are_what_comes_back() -> None:
    layer = layers.Dropout(0.5)
    layer.rate = 0.25
    assert type(layer).from_config(layer.get_config()).rate == 0.25
    optimizer = optimizers.Adam(0.5)
    optimizer.learning_rate = 0.125
    assert float(type(optimizer).from_config(optimizer.get_config()).learning_rate) == 0.125


def test_an_unseeded_layer_stays_unseeded() -> None:
    assert layers.Dropout(0.5).get_config()["seed"] is None
    assert initializers.GlorotUniform().get_config()["seed"] is None


# ---- users' classes -------------------------------------------------------------------------------------------------


class Residual(Layer):
    """Writes no get_config: its signature says it all."""

    def __init__(self, inner: Layer, scale: float = 1.0, activation: Any = None, *, power: int = 2,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner, self.factor, self.act, self.powers = inner, scale, activations.get(activation), [power] * 3

    def call(self, x: Any) -> Any:
        return self.act(x + self.inner(x) * self.factor)


def test_a_users_class_without_get_config_comes_back() -> None:
    layer = Residual(Dense(4, kernel_initializer="ones"), 0.5, activations.tanh, name="mine", power=3)
    config = json.loads(json.dumps(layer.get_config()))
    assert set(config) == {"inner", "scale", "activation", "power", "name", "trainable", "dtype",
                           "activity_regularizer"}
    again = Residual.from_config(config)
    assert (again.factor, again.act, again.powers, again.name) == (0.5, activations.tanh, [3, 3, 3], "mine")
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(again(x), layer(x))


def test_a_users_argument_may_have_a_name_that_the_base_fills_in() -> None:
    class Named(LSTM):
        def __init__(self, units: int, make: str = "plain", **kwargs: Any) -> None:
            super().__init__(units, **kwargs)
            self.label = make

    config = Named(3, "mine", dropout=0.5).get_config()
    assert Named.from_config(config).label == "mine" and "cell" not in config
    assert_good_error(lambda: LSTM(3, drop=0.5), TypeError, "'drop'", "'dropout'")
    with pytest.raises(TypeError) as raised:
        LSTM(3, wrong=1)
    assert "units" in str(raised.value) and "make" not in str(raised.value)


def test_a_users_get_config_is_used() -> None:
    class Scaled(Layer):
        def __init__(self, factor: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

        def get_config(self) -> dict[str, Any]:
            config = super().get_config()
            config.update({"factor": self.factor * 2})
            return config

    assert Scaled.from_config(Scaled(1.5).get_config()).factor == 3.0


def test_an_argument_that_became_something_else_is_refused() -> None:
    class Scaled(Layer):
        def __init__(self, factor: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

    layer = Scaled(1.5)
    layer.factor = 2.5
    assert_good_error(layer.get_config, ValueError, "factor=1.5", "factor=2.5", "needs a get_config()")


def test_what_cannot_be_written_down_is_named() -> None:
    class Odd(Layer):
        def __init__(self, thing: Any = None, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    class Many(Layer):
        def __init__(self, *sizes: int) -> None:
            super().__init__()

    assert_good_error(Odd(object()).get_config, TypeError, "Odd: thing is", "needs")
    assert_good_error(Many(1, 2).get_config, TypeError, "*sizes", "needs get_config()")
    assert_good_error(Dense(1, activation=lambda x: x).get_config, ValueError, "Dense: activation", "Register")


def test_registered_classes_and_functions_are_found_by_name() -> None:
    utils.register_keras_serializable("mine")(Residual)

    @utils.register_keras_serializable()
    def doubled(x: Any) -> Any:
        return x * 2

    plain = json.loads(json.dumps(layers.serialize(Residual(Dense(2, activation=doubled)))))
    assert plain["registered_name"] == "mine>Residual"
    again = layers.deserialize(plain)
    assert type(again) is Residual
    assert again.inner.activation is doubled
    assert Dense(1, activation="doubled").activation is doubled


def test_unregistered_classes_need_custom_objects() -> None:
    plain = layers.serialize(Residual(Dense(2)))
    assert_good_error(lambda: layers.deserialize(plain), ValueError, "'Residual'", "custom_objects")
    assert type(layers.deserialize(plain, {"Residual": Residual})) is Residual
    with utils.custom_object_scope({"Residual": Residual}):
        assert type(layers.deserialize(plain)) is Residual


@pytest.mark.parametrize("module, name", [(layers, "Dense"), (losses, "Huber"), (metrics, "MeanSquaredError"),
                                          (optimizers, "Adam"), (regularizers, "L2"), (initializers, "Zeros")])
def test_a_class_of_ones_own_is_never_taken_for_fastnns_of_its_name(module: Any, name: str) -> None:
    kind: Any = type(name, (getattr(module, name),), {"__module__": "lesson"})
    plain = module.serialize(kind(3) if name == "Dense" else kind())
    assert type(module.deserialize(plain, {name: kind})) is kind
    assert_good_error(lambda: module.deserialize(plain), ValueError, f"'{name}'", "'lesson'", "custom_objects")


def test_a_config_names_nothing_but_the_closed_table() -> None:
    for module, name in (("os", "system"), ("fastnn.utils", "set_random_seed"), ("builtins", "eval"),
                         ("fastnn.layers.core", "FUSED"), ("fastnn.layers", "serialize"), ("fastnn.layers", "Any")):
        config = {"module": module, "class_name": name, "config": {}, "registered_name": None}
        assert_good_error(lambda config=config: layers.deserialize(config), (ValueError, TypeError), "deserialize")


def test_losses_metrics_and_the_small_ones_by_serialize() -> None:
    for module, made in ((losses, losses.Huber(0.5)), (metrics, metrics.TopKCategoricalAccuracy(3)),
                         (optimizers, optimizers.SGD(0.5, momentum=0.25)), (regularizers, regularizers.L1L2(0.5, 0.25)),
                         (initializers, initializers.HeNormal(3)), (fastnn.constraints, fastnn.constraints.MaxNorm(3))):
        again = module.deserialize(json.loads(json.dumps(module.serialize(made))))
        assert type(again) is type(made)
        assert again.get_config() == made.get_config()
