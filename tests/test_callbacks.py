"""Callbacks on their own, with a model that only has weights and a flag."""

import math
import pickle

import numpy as np
import pytest

from fastnn import callbacks
from fastnn.callbacks import (
    Callback,
    CallbackList,
    EarlyStopping,
    History,
    LambdaCallback,
    MonitorCallback,
    TerminateOnNaN,
)
from fastnn.callbacks.base import HOOKS


class FakeModel:
    """As much of a model as callbacks see; the weight is the number of the epoch."""
    metrics = ()

    def __init__(self):
        self.stop_training = False
        self.weights = [np.zeros(1)]

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = [w.copy() for w in weights]


def fit(callbacks, logs, model=None, first=0):
    """What the trainer does between steps; the number of epochs that ran."""
    model = model or FakeModel()
    listeners = CallbackList(callbacks, model=model, epochs=len(logs))
    listeners.on_train_begin()
    count = 0
    for epoch, values in enumerate(logs, first):
        listeners.on_epoch_begin(epoch)
        model.weights = [np.full(1, float(epoch))]
        listeners.on_epoch_end(epoch, dict(values))
        count += 1
        if model.stop_training:
            break
    listeners.on_train_end(dict(values))
    return count, model


def losses(*values):
    return [{"loss": 1.0, "val_loss": v} for v in values]


class Recorder(Callback):
    """Writes down every hook with its arguments."""

    def __init__(self):
        self.heard = []


for _hook in HOOKS:
    def _record(self, *args, _hook=_hook, **kwargs):
        self.heard.append((_hook, *args, *kwargs.values()))
    setattr(Recorder, _hook, _record)


def test_every_hook_reaches_every_callback_in_order():
    first, second = Recorder(), Recorder()
    order = []
    first.on_train_begin = lambda logs: order.append(1)
    second.on_train_begin = lambda logs: order.append(2)
    listeners = CallbackList([first, [second]], model=(model := FakeModel()), epochs=3)
    assert first.model is model and second.params == {"epochs": 3}
    listeners.on_train_begin()
    listeners.on_epoch_begin(0)
    for kind in ("train", "test", "predict"):
        getattr(listeners, f"on_{kind}_batch_begin")(4)
        getattr(listeners, f"on_{kind}_batch_end")(4, {"loss": 1.0})
    listeners.on_epoch_end(0, {"loss": 2.0})
    for kind in ("test", "predict"):
        getattr(listeners, f"on_{kind}_begin")()
        getattr(listeners, f"on_{kind}_end")()
    listeners.on_train_end({"loss": 2.0})
    assert order == [1, 2]
    assert first.heard == second.heard == [
        ("on_epoch_begin", 0, {}), ("on_train_batch_begin", 4, {}), ("on_train_batch_end", 4, {"loss": 1.0}),
        ("on_test_batch_begin", 4, {}), ("on_test_batch_end", 4, {"loss": 1.0}), ("on_predict_batch_begin", 4, {}),
        ("on_predict_batch_end", 4, {"loss": 1.0}), ("on_epoch_end", 0, {"loss": 2.0}), ("on_test_begin", {}),
        ("on_test_end", {}), ("on_predict_begin", {}), ("on_predict_end", {}), ("on_train_end", {"loss": 2.0})]


def test_hooks_are_those_of_keras():
    names = {f"on_{kind}_{moment}" for kind in ("train", "test", "predict", "train_batch", "test_batch",
                                                 "predict_batch", "epoch", "batch") for moment in ("begin", "end")}
    assert set(HOOKS) == names


def test_the_older_batch_names_are_called():
    class Old(Callback):
        seen = ()

        def on_batch_end(self, batch, logs=None):
            self.seen += ((batch, logs["loss"]),)

    old = Old()
    listeners = CallbackList(old)
    assert listeners.wants_batches
    listeners.on_train_batch_end(3, {"loss": 0.5})
    listeners.on_batch_end(4, {"loss": 0.25})
    assert old.seen == ((3, 0.5), (4, 0.25))


def test_logs_are_shared_so_that_a_callback_can_add_to_them():
    seen = []
    logs = {"loss": 1.0}
    listeners = CallbackList([LambdaCallback(on_epoch_end=lambda e, logs: logs.update(learning_rate=0.1)),
                              LambdaCallback(on_epoch_end=lambda e, logs: seen.append(sorted(logs)))])
    listeners.on_epoch_end(0, logs)
    assert seen == [["learning_rate", "loss"]] and logs["learning_rate"] == 0.1


WANTS = ("wants_batches", "wants_test_batches", "wants_predict_batches", "wants_epochs")


@pytest.mark.parametrize("hook, wanted", [
    ("on_train_begin", None), ("on_train_end", None), ("on_test_begin", None), ("on_predict_end", None),
    ("on_train_batch_begin", "wants_batches"), ("on_train_batch_end", "wants_batches"),
    ("on_batch_begin", "wants_batches"), ("on_batch_end", "wants_batches"),
    ("on_test_batch_begin", "wants_test_batches"), ("on_test_batch_end", "wants_test_batches"),
    ("on_predict_batch_begin", "wants_predict_batches"), ("on_predict_batch_end", "wants_predict_batches"),
    ("on_epoch_begin", "wants_epochs"), ("on_epoch_end", "wants_epochs")])
def test_what_a_list_wants_follows_from_the_hooks(hook, wanted):
    overridden = type("Overridden", (Callback,), {hook: lambda self, *args, logs=None: None})()
    for callback in (overridden, LambdaCallback(**{hook: lambda *args, logs=None: None})):
        listeners = CallbackList([callback, Callback(), History()])
        assert [name for name in WANTS if getattr(listeners, name)] == [wanted] * (wanted is not None)


def test_a_history_is_always_there_and_wants_nothing():
    listeners = CallbackList()
    assert isinstance(listeners.history, History) and not any(getattr(listeners, name) for name in WANTS)
    mine = History()
    assert CallbackList([mine]).history is mine
    again = CallbackList(CallbackList([Callback(), mine]))
    assert again.history is mine and len(again.callbacks) == 1


def test_a_callback_need_not_call_super():
    class Careless(Callback):
        def __init__(self):
            pass

    careless = Careless()
    assert careless.model is None and careless.params is None
    CallbackList([careless], model=FakeModel()).on_train_batch_end(0)


def test_a_callback_may_have_attributes_of_any_name():
    class Mine(Callback):
        keep = resume = ended = stop = run = 3

    from fastnn import Sequential, layers
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert model.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0, callbacks=[Mine()]).epoch == [0, 1]


@pytest.mark.parametrize("wrong, hint", [
    ("EarlyStopping", "derive"), (3, "derive"), (print, "LambdaCallback"), (EarlyStopping, r"EarlyStopping\(…\)"),
    ([Callback(), "x"], "derive"), ("\x1b[31m" * 100, "derive")])
def test_what_is_no_callback_is_refused(wrong, hint):
    with pytest.raises(TypeError, match=hint) as error:
        CallbackList(wrong)
    first = str(error.value).splitlines()[0]
    assert len(first) <= 120 and "\x1b" not in first


def test_lambda_callback_checks_its_hooks():
    with pytest.raises(TypeError, match="on_epoch_end"):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match="needs a function"):
        LambdaCallback(on_epoch_end=3)
    with pytest.raises(TypeError, match="no hook"):
        LambdaCallback(set_model=print)
    assert LambdaCallback(notify=lambda: "told").notify() == "told"     # a method of one's own
    seen = []
    listeners = CallbackList(LambdaCallback(
        on_train_begin=lambda logs: seen.append("begin"), on_train_batch_end=lambda batch, logs: seen.append(batch),
        on_test_end=lambda logs: seen.append("test")))
    listeners.on_train_begin()
    listeners.on_train_batch_end(7)
    listeners.on_test_end()
    assert seen == ["begin", 7, "test"]


def test_a_stride_asks_for_every_nth_step_of_a_fit():
    heard = []
    third = LambdaCallback(stride=3, on_train_batch_begin=lambda batch, logs: heard.append(("begin", batch)),
                           on_train_batch_end=lambda batch, logs: heard.append(("end", batch, logs["loss"])))
    never = LambdaCallback(on_train_batch_end=lambda batch, logs: heard.append("never"))
    never.stride = 0
    listeners = CallbackList([third, never, Callback()], model=FakeModel())
    assert listeners.wants_batches and listeners.strides == [3] and not CallbackList(never).wants_batches
    listeners.on_train_begin()
    for batches in (4, 4):
        for batch in range(batches):
            listeners.on_train_batch_begin(batch)
            listeners.on_train_batch_end(batch, lambda: {"loss": 0.5})
    assert heard == [("begin", 0), ("end", 2, 0.5), ("begin", 3), ("end", 1, 0.5), ("begin", 2)]
    assert listeners.room == 1
    with pytest.raises(ValueError, match="stride"):
        LambdaCallback(stride=0)


def test_callbacks_as_plain_data():
    for made in (EarlyStopping("loss", patience=3), TerminateOnNaN(), callbacks.ModelCheckpoint("m.fnn", save_freq=5),
                 callbacks.BackupAndRestore("b"), callbacks.ReduceLROnPlateau(patience=2), callbacks.CSVLogger("log"),
                 callbacks.RemoteMonitor(headers={"a": "b"}), callbacks.ProgbarLogger(), LambdaCallback(stride=3)):
        again = type(made).from_config(made.get_config())
        assert again.get_config() == made.get_config() and repr(again) == repr(made)
    assert repr(EarlyStopping("loss")) == "EarlyStopping(monitor='loss')"
    with pytest.raises(ValueError, match="Register"):
        callbacks.LearningRateScheduler(lambda epoch: 0.1).get_config()


def test_state_is_what_was_gathered_and_not_what_it_was_made_with():
    stopping = EarlyStopping(patience=5, restore_best_weights=True)
    fit([stopping], losses(3, 1, 2))
    again = EarlyStopping(patience=7)
    again.set_state(stopping.get_state())
    assert (again.best, again.wait, again.best_epoch, again.patience) == (1, 1, 1, 7)


# ---- EarlyStopping ------------------------------------------------------------------------------------------------

def test_stops_after_patience_epochs_without_improvement():
    stopping = EarlyStopping(patience=2)
    count, model = fit([stopping], losses(3, 2, 1, 1.5, 1.2, 0.1))
    assert count == 5 and model.stop_training
    assert (stopping.stopped_epoch, stopping.best_epoch, stopping.best) == (4, 2, 1)
    assert model.weights[0] == 4      # the last epoch's


def test_never_stops_in_the_first_epoch_and_patience_0_stops_at_the_first_step_back():
    assert fit([EarlyStopping()], losses(math.nan, 1, 1, 0))[0] == 3
    assert fit([EarlyStopping()], losses(3, 2, 2, 0))[0] == 3


def test_min_delta_has_no_sign():
    for delta in (0.5, -0.5):
        assert fit([EarlyStopping(min_delta=delta, patience=1)], losses(3, 2.6, 2, 1))[0] == 2
    accuracy = [{"val_accuracy": v} for v in (0.5, 0.55, 0.7)]
    assert fit([EarlyStopping("val_accuracy", min_delta=0.1, patience=1)], accuracy)[0] == 2


def test_best_weights_come_back_when_it_stops(capsys):
    stopping = EarlyStopping(patience=2, restore_best_weights=True, verbose=1)
    _, model = fit([stopping], losses(3, 1, 2, 2, 0))
    assert model.weights[0] == 1
    assert capsys.readouterr().out == ("EarlyStopping: stopped after epoch 4; the best was epoch 2 (val_loss 1).\n"
                                       "EarlyStopping: the weights of epoch 2 (val_loss 1) are back.\n")


def test_best_weights_come_back_whoever_stopped(capsys):
    count, model = fit([EarlyStopping(patience=50, restore_best_weights=True, verbose=1)], losses(3, 1, 2))
    assert count == 3 and model.weights[0] == 1
    assert capsys.readouterr().out == "EarlyStopping: the weights of epoch 2 (val_loss 1) are back.\n"
    halt = LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", epoch == 2))
    fit([EarlyStopping(patience=50, restore_best_weights=True), halt], losses(1, 2, 3, 4), model)
    assert model.weights[0] == 0


def test_baseline():
    stopping = EarlyStopping(patience=2, baseline=0.5, restore_best_weights=True)
    count, _ = fit([stopping], losses(3, 2, 1, 0.9))
    assert count == 4 and stopping.best == 0.9       # each better than the last, if not than the baseline
    count, _ = fit([EarlyStopping(patience=2, baseline=2.5)], losses(3, 2, 1, 0.9, 0.8))
    assert count == 5


def test_baseline_counts_epochs_that_do_not_improve():
    assert fit([EarlyStopping(patience=2, baseline=0.5)], losses(3, 2, 2.5, 2.4))[0] == 3


def test_start_from_epoch_ignores_the_first_ones():
    stopping = EarlyStopping(patience=1, start_from_epoch=2)
    count, _ = fit([stopping], losses(1, 2, 3, 4))
    assert count == 4 and stopping.best == 3


def test_nan_never_counts_as_best():
    stopping = EarlyStopping(patience=3, restore_best_weights=True)
    count, model = fit([stopping], losses(math.nan, 2, math.nan, 1, math.nan))
    assert count == 5 and stopping.best == 1 and model.weights[0] == 3


def test_only_nan_still_restores_the_first_weights():
    _, model = fit([EarlyStopping(patience=2, restore_best_weights=True, verbose=1)], losses(*[math.nan] * 4))
    assert model.weights[0] == 0


def test_can_be_used_again():
    stopping = EarlyStopping(patience=1, restore_best_weights=True)
    fit([stopping], losses(1, 2, 3))
    count, model = fit([stopping], losses(30, 20, 10))
    assert count == 3 and model.weights[0] == 2 and stopping.stopped_epoch == 0


@pytest.mark.parametrize("monitor, mode", [
    ("loss", "min"), ("val_loss", "min"), ("accuracy", "max"), ("val_acc", "max"), ("val_auc_1", "max"),
    ("precision_2", "max"), ("val_f1_score", "max"), ("r2_score", "max"), ("mse", "min"), ("dense_1_loss", "min"),
    ("val_mean_absolute_error", "min"), ("dense_accuracy", "max"), ("sparse_categorical_crossentropy", "min"),
    ("val_top_k_categorical_accuracy", "max"), ("kl_divergence", "min"), ("train_loss_end", "min"),
    ("mean_io_u", "max"), ("cosine_similarity", "max"), ("sensitivity_at_specificity", "max"),
    ("root_mean_squared_error", "min")])
def test_auto_mode_knows_the_metrics(monitor, mode):
    callback = MonitorCallback(monitor)
    callback.on_train_begin()
    assert callback.rising == (mode == "max")


def test_a_metric_s_own_direction_comes_first():
    model = FakeModel()
    model.metrics = [type("Metric", (), {"name": "gap", "_direction": "down"})()]
    stopping = EarlyStopping("val_gap", patience=1)
    count, _ = fit([stopping], [{"val_gap": v} for v in (3, 2, 2.5)], model)
    assert count == 3 and stopping.best == 2


def test_auto_mode_says_when_it_cannot_tell():
    with pytest.raises(ValueError, match=r"'val_acuracy'.*mode='max'"):
        fit([EarlyStopping("val_acuracy")], losses(1))
    assert fit([EarlyStopping("surprise", mode="max", patience=1)], [{"surprise": v} for v in (1, 2, 1, 5)])[0] == 3


def test_a_missing_monitor_warns_once_and_lists_what_there_is():
    with pytest.warns(UserWarning, match=r"'val_loss' is not in.* accuracy, loss\. Pass validation_data") as seen:
        count, model = fit([EarlyStopping()], [{"loss": 1.0, "accuracy": 0.5}] * 3)
    assert count == 3 and len(seen) == 1 and not model.stop_training
    with pytest.warns(UserWarning, match=r"there are loss, val_loss\.$"):
        fit([EarlyStopping("val_accuracy")], losses(1, 2))


def test_validation_now_and_then_is_no_reason_to_warn():
    logs = [{"loss": 1.0}, {"loss": 1.0, "val_loss": 2.0}, {"loss": 1.0}]
    listeners = CallbackList([EarlyStopping(patience=5)], model=FakeModel(), validation_freq=2)
    listeners.on_train_begin()
    for epoch, values in enumerate(logs):
        listeners.on_epoch_end(epoch, values)
    listeners.on_train_end(logs[-1])
    assert listeners.callbacks[0].best == 2.0
    with pytest.warns(UserWarning, match="not in the logs"):
        listeners.on_train_begin()
        listeners.on_epoch_end(0, logs[0])
        listeners.on_train_end(logs[0])


@pytest.mark.parametrize("kind, wrong", [
    (ValueError, {"mode": "minimum"}), (ValueError, {"patience": -1}), (TypeError, {"patience": 1.5}),
    (TypeError, {"patience": True}), (ValueError, {"start_from_epoch": -1}), (ValueError, {"min_delta": math.nan}),
    (TypeError, {"min_delta": "0"}), (TypeError, {"baseline": "low"}), (TypeError, {"monitor": None}),
    (ValueError, {"monitor": ""}), (ValueError, {"baseline": math.inf})])
def test_early_stopping_checks_its_arguments(kind, wrong):
    with pytest.raises(kind, match=next(iter(wrong))):
        EarlyStopping(**wrong)
    if "mode" in wrong:
        with pytest.raises(ValueError, match=r"did you mean 'min'|auto, max, min"):
            EarlyStopping(**wrong)


def test_callbacks_can_be_pickled_before_fit():
    again = pickle.loads(pickle.dumps(EarlyStopping(patience=3)))
    assert again.patience == 3


# ---- TerminateOnNaN -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_terminate_on_nan(loss, capsys):
    model = FakeModel()
    listeners = CallbackList(TerminateOnNaN(), model=model)
    assert listeners.wants_batches
    listeners.on_train_batch_end(0, {"loss": 1.0})
    listeners.on_train_batch_end(0, {})
    assert not model.stop_training and capsys.readouterr().out == ""
    listeners.on_train_batch_end(4, {"loss": loss})
    assert model.stop_training and "step 5" in capsys.readouterr().out


def test_terminate_on_nan_can_raise():
    with pytest.raises(FloatingPointError, match="the loss is nan at step 1"):
        CallbackList(TerminateOnNaN(raise_error=True), model=FakeModel()).on_train_batch_end(0, {"loss": math.nan})
