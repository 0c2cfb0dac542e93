"""What a CallbackList adds to a loop of one's own, a record and a bar; fit has its own. Floor 5."""

from fastnn.callbacks.base import Callback, Logs
from fastnn.reporting.history import History
from fastnn.reporting.progress import Progress


class Recording(Callback):
    """Puts the logs of each epoch into a History."""

    def __init__(self, history: History) -> None:
        self.history = history

    def on_train_begin(self, logs: Logs = None) -> None:
        self.history.begin_run(self.params)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.history.append(epoch, logs or {})


class Drawing(Callback):
    """Draws how far the loop is, as the params epochs, steps and verbose say."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._step = 0
        self._fitting = False

    def _begin(self, epochs: int) -> None:
        params = self.params or {}
        self._step, self._progress = 0, Progress(params.get("verbose", "auto"), epochs, params.get("steps"))

    def _stepped(self, batch: int, logs: Logs) -> None:
        self._step = batch + 1
        if self._progress is not None:
            self._progress.update(self._step, logs or {})

    def _end(self, logs: Logs) -> None:
        if self._progress is not None:
            self._progress.epoch_end(self._step, logs or {})

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.close()
        self._progress = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._fitting = True
        self._begin((self.params or {}).get("epochs", 1))

    def on_train_end(self, logs: Logs = None) -> None:
        self._fitting = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._step = 0
        if self._progress is not None:
            self._progress.epoch_begin(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._end(logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._stepped(batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        if not self._fitting:
            self._begin(1)
            self.on_epoch_begin(0)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._fitting:
            self._stepped(batch, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._fitting:
            self._end(logs)
            self._close()

    def on_predict_begin(self, logs: Logs = None) -> None:
        self.on_test_begin()

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._fitting:
            self._stepped(batch, None)      # its logs hold outputs

    def on_predict_end(self, logs: Logs = None) -> None:
        self.on_test_end()
