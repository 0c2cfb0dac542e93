"""Callbacks on their own, with a model that only has weights and a flag."""

import numpy as np
import pytest

from fastnn import callbacks
from fastnn.callbacks import Callback, CallbackList, EarlyStopping, History, LambdaCallback, TerminateOnNaN
from fastnn.callbacks.base import HOOKS
from tests.called import FakeModel, fit, losses


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
