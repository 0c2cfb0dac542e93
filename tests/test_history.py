"""History: plain, complete, and free of the model."""

import copy
import gc
import json
import math
import pickle
import weakref

import numpy as np
import pytest

from fastnn.reporting.history import History


def example():
    history = History({"epochs": 3})
    history.append(0, {"val_loss": np.float32(0.5), "loss": 0.25, "accuracy": np.array(0.75)})
    history.append(1, {"loss": 0.125, "accuracy": 1})
    history.append(2, {"loss": 0.0625, "accuracy": 1, "val_loss": 0.25})
    return history


def test_plain_floats_in_alphabetical_order():
    history = History()
    history.append(0, {"val_loss": 4, "loss": np.float32(2), "val_accuracy": np.float64(3), "accuracy": np.array(1)})
    assert history.history == {"accuracy": [1.0], "loss": [2.0], "val_accuracy": [3.0], "val_loss": [4.0]}
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(type(v) is float for values in history.history.values() for v in values)
    assert history.epoch == [0] and type(history.epoch[0]) is int


def test_vector_metrics_become_lists():
    history = History()
    history.append(0, {"f1_score": np.array([0.5, 1.0], np.float32)})
    assert history.history == {"f1_score": [[0.5, 1.0]]}


def test_extend_is_many_appends():
    one, many = History(), History()
    loss, accuracy = np.linspace(1, 0, 5), np.linspace(0, 1, 5, dtype=np.float32)
    for epoch in range(5):
        one.append(epoch + 3, {"loss": loss[epoch], "accuracy": accuracy[epoch]})
    many.extend(range(3, 8), {"loss": loss, "accuracy": accuracy})
    assert many.history == one.history and many.epoch == one.epoch == [3, 4, 5, 6, 7]
    assert list(many.history) == ["accuracy", "loss"]
    assert all(type(v) is float for v in many.history["loss"])


def test_extend_refuses_ragged_columns_and_adds_nothing():
    history = example()
    before = copy.deepcopy(history)
    with pytest.raises(ValueError, match="'loss' has 1 values for 2 epochs"):
        history.extend([3, 4], {"accuracy": [1, 1], "loss": [1]})
    assert history.history == before.history and history.epoch == before.epoch


def test_what_was_not_measured_in_an_epoch_is_a_gap():
    history = example()
    assert history.history["val_loss"] == [0.5, 0.25]
    assert history.column("val_loss") == [0.5, None, 0.25]
    history.extend([3, 4], {"loss": [1, 1], "accuracy": [1, 1]})
    assert history.column("val_loss") == [0.5, None, 0.25, None, None]
    with pytest.raises(KeyError):
        history.column("val_accuracy")


def test_columns_put_in_by_hand_are_exported():
    history = example()
    history.history["mine"] = [1.0, 2.0, 3.0]
    assert history.column("mine") == [1.0, 2.0, 3.0]


def test_csv(tmp_path):
    text = example().to_csv(tmp_path / "run.csv")
    assert text == "epoch,accuracy,loss,val_loss\n0,0.75,0.25,0.5\n1,1.0,0.125,\n2,1.0,0.0625,0.25\n"
    assert (tmp_path / "run.csv").read_bytes() == text.encode()


def test_json_is_json_even_after_divergence(tmp_path):
    history = example()
    history.append(3, {"loss": math.nan, "accuracy": math.inf, "f1_score": np.array([math.nan, 1])})
    text = history.to_json(tmp_path / "run.json")

    def refuse(constant):
        raise AssertionError(constant)

    read = json.loads(text, parse_constant=refuse)
    assert read["epoch"] == [0, 1, 2, 3] and read["history"]["loss"] == [0.25, 0.125, 0.0625, None]
    assert read["history"]["f1_score"] == [[None, 1.0]]
    assert read["params"] == {"epochs": 3} and read["interrupted"] is False
    assert (tmp_path / "run.json").read_text() == text


def test_json_and_back(tmp_path):
    history = example()
    history.begin_run()
    history.append(3, {"loss": math.nan, "accuracy": 0.5})
    history.to_json(tmp_path / "run.json")
    for given in (tmp_path / "run.json", history.to_json()):
        read = History.from_json(given)
        assert read.epoch == history.epoch and read.runs == [3] and read.params == history.params
        columns = [read.column(name) for name in ("accuracy", "val_loss")]
        assert columns == [[0.75, 1.0, 1.0, 0.5], [0.5, None, 0.25, None]]
        assert read["loss"][:3] == history["loss"][:3] and math.isnan(read["loss"][3])


def test_values_by_name_and_what_there_is_instead():
    history = example()
    assert history["loss"] is history.history["loss"] and "loss" in history and "acc" not in history
    assert list(history) == ["accuracy", "loss", "val_loss"]
    for ask in (lambda: history["acc"], lambda: history.history["acc"], lambda: History().history["loss"]):
        with pytest.raises(KeyError, match=r"accuracy, loss, val_loss|no epochs yet"):
            ask()


def test_two_records_in_one():
    joined = example() + example()
    assert joined.epoch == [0, 1, 2] * 2 and joined.runs == [0, 3] and len(joined) == 6
    assert joined.column("val_loss") == [0.5, None, 0.25] * 2
    assert joined["loss"] == example()["loss"] * 2
    again = pickle.loads(pickle.dumps(joined))
    assert again.history == joined.history and (History() + example()).runs == [0]


def test_compare_says_which_was_best_and_when():
    other = History()
    other.extend(range(2), {"loss": [0.5, 0.75], "accuracy": [0.25, 0.5]})
    assert example().compare(other=other).splitlines() == [
        "accuracy", "  this   last 1          best 1          in epoch 2",
        "  other  last 0.5        best 0.5        in epoch 2",
        "loss", "  this   last 0.0625     best 0.0625     in epoch 3",
        "  other  last 0.75       best 0.5        in epoch 1",
        "val_loss", "  this   last 0.25       best 0.25       in epoch 3"]
    figure = example().plot(other=other)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "this, training", "this, validation", "other, training"]


def test_frame():
    pandas = pytest.importorskip("pandas")
    frame = example().to_frame()
    assert list(frame.columns) == ["accuracy", "loss", "val_loss"] and list(frame.index) == [0, 1, 2]
    assert frame["loss"].tolist() == [0.25, 0.125, 0.0625]
    assert pandas.isna(frame["val_loss"][1])


def test_frame_without_pandas(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match="to_csv"):
        example().to_frame()


class Model:
    pass


def test_does_not_keep_the_model():
    history, model = example(), Model()
    history.set_model(model)
    assert history.model is model
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None and history.model is None


@pytest.mark.parametrize("again", [lambda h: pickle.loads(pickle.dumps(h)), copy.copy, copy.deepcopy])
def test_can_be_pickled_and_copied(again):
    history, model = example(), Model()
    history.set_model(model)
    history.interrupted = True
    twin = again(history)
    assert twin.history == history.history and twin.epoch == history.epoch and twin.params == history.params
    assert twin.interrupted and twin.model is None and history.model is model
    assert twin.column("val_loss") == [0.5, None, 0.25]


def test_runs_mark_where_each_fit_began():
    history = History()
    history.begin_run({"epochs": 2})
    history.extend([0, 1], {"loss": [1, 2]})
    history.interrupted = True
    history.begin_run({"epochs": 1})
    history.append(2, {"loss": 3})
    assert history.runs == [0, 2] and history.params == {"epochs": 1} and not history.interrupted
    assert history.history["loss"] == [1.0, 2.0, 3.0]


def test_repr_says_how_it_went():
    assert repr(History()) == "<History: no epochs>"
    history = example()
    assert repr(history) == "<History: 3 epochs, accuracy 0.75 to 1, loss 0.25 to 0.0625, val_loss 0.5 to 0.25>"
    history.interrupted = True
    assert repr(history).endswith(", interrupted>")
    one = History()
    one.append(0, {"loss": 1, "f1_score": np.ones(2)})
    assert repr(one) == "<History: 1 epoch, f1_score (1 values), loss 1>"


def test_length_and_truth():
    assert len(History()) == 0 and History() and len(example()) == 3
