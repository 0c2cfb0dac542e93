"""EarlyStopping and TerminateOnNaN."""

import math
import pickle

import numpy as np
import pytest

from fastnn.callbacks import CallbackList, EarlyStopping, LambdaCallback, MonitorCallback, TerminateOnNaN
from tests.called import FakeModel, fit, losses

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
