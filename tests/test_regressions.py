"""Bugs that were there once, each with the smallest run that showed it."""

import signal
import weakref

import numpy as np
import pytest

import fastnn
from fastnn import Input, Layer, Model, Sequential, Variable, callbacks, layers, metrics, ops, optimizers
from fastnn.engine import backend
from fastnn.engine.call import Call
from fastnn.engine.context import recording
from fastnn.engine.program import Program
from fastnn.engine.schedule import Schedule
from fastnn.engine.tensor import Tensor
from fastnn.ops._op import Op
from fastnn.ops.rows.batch import gather_rows, store_step
from fastnn.ops.rows.data import copy, fill
from fastnn.training.steps import KEPT

X = np.random.default_rng(0).normal(size=(64, 5)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("float32")


def net(optimizer="sgd", rate=0.0, **kwargs):
    model = Sequential([Input((5,)), layers.Dense(4, "tanh"), *[layers.Dropout(rate, seed=1)] * (rate > 0),
                        layers.Dense(1, "sigmoid")])
    model.compile(optimizer, "binary_crossentropy", **kwargs)
    return model


# ---- programs and their arrays ------------------------------------------------------------------------------------

def test_a_program_whose_data_are_gone_says_so():
    """Its gather read freed memory."""
    model = net()
    model.fit(X, Y, verbose=0)
    before = model.get_weights()
    for program in model.programs[:2]:
        with pytest.raises(RuntimeError, match=r"(?s)shape \(0.*call one of them"):
            program.run()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.skipif(backend.backend() != "c", reason="the reference raises")
def test_a_cursor_behind_the_last_batch_reads_nothing_outside():
    rows = gather_rows(X, np.arange(64, dtype="int32"), Tensor(np.array(10 ** 9)), batch=32)
    store_step(Tensor(X.copy(), "result"), rows, Tensor(np.array(10 ** 9)))


def test_a_weight_replaced_by_another_shape_is_refused():
    """C went on with the old sizes."""
    model = net()
    model.predict(X, verbose=0)
    model.layers[0].kernel.data = np.zeros((1, 1), "float32")
    for x in (X, X[:1]):
        with pytest.raises((RuntimeError, fastnn.ShapeError), match=r"dense.*/kernel"):
            model.predict(x, verbose=0)


def test_fit_lets_go_of_its_arrays():
    x = X.copy()
    alive = weakref.ref(x)
    model = net()
    model.fit(x, Y, epochs=3, validation_split=0.25, verbose=0)
    model.predict(x, verbose=0)
    del x
    assert alive() is None
    assert all(feed.order.data.size == 0 and not feed.busy for feed in model._feeds)


def test_a_copy_is_not_forwarded_into_another_dtype():
    """The producer wrote float32 into a float64 array."""
    target, source = Tensor(np.zeros(4), "target"), Tensor(np.ones(4, "float32"), "source")
    with recording(), pytest.raises(TypeError, match="float64"):
        copy(target, source * 2.0)


def test_outputs_that_are_whole_numbers_stay_whole():
    """Their bits were stored in a float array."""
    a = Input((5,))
    model = Model(a, ops.argmax(a, axis=-1))
    for n in (64, 1):
        np.testing.assert_array_equal(model.predict(X[:n], verbose=0), X[:n].argmax(-1))


def test_programs_of_old_batch_sizes_and_edits_are_forgotten():
    model = net()
    for n in range(1, 64):
        model.test_on_batch(X[:n], Y[:n])
        model.train_on_batch(X[:n], Y[:n])
    assert len(model.programs) <= KEPT + 1
    model.layers[0].trainable = False
    model.train_on_batch(X, Y)
    assert len(model.programs) == 1


@pytest.mark.skipif(backend.backend() != "c", reason="the clock of the C replayer")
def test_the_clock_is_read_where_steps_get_slower():
    """After many quick steps it was read only every thousand steps."""
    small, large = Tensor(np.zeros(8, "float32"), "small"), Tensor(np.zeros(4_000_000, "float32"), "large")
    programs = []
    for tensor in (small, large):
        with recording() as calls:
            fill(tensor, value=1.0)
        programs.append(Program(calls))
    schedule = Schedule([(programs[0], 50_000), (programs[1], 900)])
    assert not schedule.run(0.02)
    while schedule._c.position[1] == 0:     # a busy machine
        assert not schedule.run(0.02)
    assert schedule._c.position[2] < 300    # some twenty of the large steps take so long


# ---- Ctrl-C ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["recording", "eagerly", "reference"])
def test_ctrl_c_inside_a_step_waits_for_its_end(how, monkeypatch):
    """Outside C the step was left wherever Python was. One that is being recorded is taken back."""
    with fastnn.config.using(backend="reference" if how == "reference" else None):
        model = net("adam", 0.2)
        if how == "reference":
            model.fit(X, Y, batch_size=64, verbose=0)
        model.run_eagerly = how == "eagerly"
        run, apply, steps = Call.run, Op.__call__, int(model.optimizer.iterations)

        def interrupted(call):
            run(call)
            if call.op.name == "adam_step" and how == "reference":
                signal.raise_signal(signal.SIGINT)

        def applied(op, *inputs, **constants):
            made = apply(op, *inputs, **constants)
            if op.name == "adam_step" and how != "reference":
                signal.raise_signal(signal.SIGINT)
            return made

        monkeypatch.setattr(Call, "run", interrupted)
        monkeypatch.setattr(Op, "__call__", applied)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, batch_size=64, verbose=0)
        taken = steps + (how != "recording")
        assert int(model.optimizer.iterations) == taken == int(model.layers[1].seed_generator.state[1])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# ---- edits between two runs ---------------------------------------------------------------------------------------

def test_a_schedule_replaced_by_a_number_is_forgotten():
    class Half(optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return ops.convert_to_tensor(np.float32(0.5))

    model = net(optimizers.SGD(Half()))
    model.fit(X, Y, verbose=0)
    model.optimizer.learning_rate = 1e-9
    before = model.get_weights()[0]
    model.fit(X, Y, verbose=0)
    assert np.abs(model.get_weights()[0] - before).max() < 1e-6


def test_a_constant_of_the_optimizer_changed_after_a_step_counts():
    model = net(optimizers.SGD(0.0001))
    model.fit(X, Y, batch_size=64, verbose=0)
    model.optimizer.weight_decay = 5000.0
    before = model.get_weights()[0]
    model.fit(X, Y, batch_size=64, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], before * 0.5, atol=1e-3)


def test_a_layer_that_does_not_fit_leaves_the_model_as_it_was():
    model = net()
    want = model.predict(X, verbose=0)
    with pytest.raises(fastnn.ShapeError):
        model.add(layers.Reshape((7,)))
    assert model.built and len(model.layers) == 2 and len(model.get_weights()) == 4
    np.testing.assert_array_equal(model.predict(X, verbose=0), want)


def test_compile_inside_fit_is_refused():
    model = net()
    again = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.compile("sgd", "mse"))
    with pytest.raises(fastnn.BusyError, match=r"compile\(\)"):
        model.fit(X, Y, verbose=0, callbacks=[again])


def test_a_metric_given_to_two_models_counts_for_the_one_that_runs():
    """The second model took the states away, and the first one never reset them."""
    shared = metrics.BinaryAccuracy()
    first = net(metrics=[shared])
    first.fit(X, Y, verbose=0)
    net(metrics=[shared]).fit(X, Y, verbose=0)
    accuracy = float(((first.predict(X, verbose=0)[:, 0] > 0.5) == Y).mean())
    for _ in range(2):
        assert first.evaluate(X, Y, verbose=0, return_dict=True)["binary_accuracy"] == accuracy


def test_one_metric_in_two_places_is_refused():
    shared = metrics.BinaryAccuracy()
    with pytest.raises(ValueError, match="twice"):
        net(metrics=[shared], weighted_metrics=[shared]).fit(X, Y, verbose=0)


class Sum(Layer):
    """x + other."""

    def call(self, x, other=None):
        return x + other


def test_tensors_given_by_keyword_belong_to_the_graph():
    a, b = Input((5,)), Input((5,))
    model = Model([a, b], Sum()(a, other=b))
    np.testing.assert_array_equal(model.predict([X, X], verbose=0), X + X)


def test_lists_of_lists_of_tensors():
    class First(Layer):
        def call(self, x):
            return x[0][0] + x[1][0]

    a, b = Input((5,)), Input((5,))
    np.testing.assert_array_equal(Model([a, b], First()([[a], [b]])).predict([X, X], verbose=0), X + X)


def test_training_true_in_a_graph_stays():
    """Monte Carlo dropout: it draws in predict too, anew for each batch and each call."""
    a = Input((5,))
    model = Model(a, layers.Dropout(0.5)(a, training=True))
    for n in (64, 1):
        draws = np.array([model.predict(X[:n], verbose=0) == 0 for _ in range(20)])
        assert 0.3 < draws.mean() < 0.7 and (draws != draws[0]).any()
    halves = model.predict(np.ones((64, 5)), batch_size=32, verbose=0)
    assert not np.array_equal(halves[:32], halves[32:])


def test_dicts_name_inputs_and_outputs():
    a, b = Input((5,)), Input((5,))
    model = Model({"u": a, "v": b}, {"sum": layers.Add()([a, b]), "difference": layers.Subtract()([a, b])})
    for n in (64, 1):
        got = model.predict({"u": X[:n], "v": 2 * X[:n]}, verbose=0)
        np.testing.assert_array_equal(got["sum"], 3 * X[:n])
        np.testing.assert_array_equal(got["difference"], -X[:n])
    model.compile("sgd", {"sum": "mse", "difference": "mae"})
    with pytest.warns(UserWarning, match="nothing to train"):
        history = model.fit({"u": X, "v": X}, {"sum": X, "difference": X}, verbose=0).history
    assert "difference_loss" in history


def test_weights_in_a_list_are_found():
    class Scaled(Layer):
        def __init__(self):
            super().__init__()
            self.factors = [Variable(np.ones(5))]

        def call(self, x):
            return x * self.factors[0]

    assert len(Scaled().weights) == 1


def test_predict_hands_its_outputs_to_callbacks():
    seen = []
    look = callbacks.LambdaCallback(on_predict_batch_end=lambda batch, logs: seen.append(logs["outputs"].copy()))
    got = net().predict(X[:40], verbose=0, callbacks=[look])
    np.testing.assert_array_equal(np.concatenate(seen), got)
