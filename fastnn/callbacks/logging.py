"""Callbacks that tell somebody how it goes: CSVLogger, RemoteMonitor, ProgbarLogger. Floor 5."""

import csv
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn.arguments import flag, path, text
from fastnn.callbacks.base import Callback, Logs
from fastnn.errors import shown, warn
from fastnn.reporting.history import plain


class CSVLogger(Callback):
    """Write a line of a CSV file for each epoch: its number, from 0, then the logs in alphabetical order.

    append: go on with a file that is there, whose first line stays. Values that are missing in an epoch are NA. The
    file can be read while fit runs. Source: keras.callbacks.CSVLogger.

    >>> model.fit(x, y, epochs=10, callbacks=[CSVLogger("log.csv")])
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        self.filename = path(filename, "CSVLogger: filename", "log.csv")
        self.separator = text(separator, "CSVLogger: separator", ",")
        if len(separator) != 1:
            raise ValueError(f"CSVLogger: separator is {shown(separator)}; needs one character, such as ','.")
        self.append = flag(append, "CSVLogger: append")
        self._keys: list[str] | None = None
        self._end = 0       # of the last whole line

    def on_train_begin(self, logs: Logs = None) -> None:
        self._keys = None
        with open(self.filename, "ab"):     # says now whether it can be written
            pass
        self._end = os.path.getsize(self.filename) if self.append else 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        if self._keys is None:
            self._keys = sorted(logs)
            if logs and not any(key.startswith("val_") for key in logs):
                self._keys += [f"val_{key}" for key in self._keys]      # validation may come later
        with open(self.filename, "r+" if os.path.exists(self.filename) else "w", newline="", encoding="utf-8") as file:
            end = file.seek(min(self._end, file.seek(0, os.SEEK_END)))      # it may have been removed meanwhile
            file.truncate()         # what another run, or one that was resumed, has left
            writer = csv.writer(file, delimiter=self.separator)
            if not end:
                writer.writerow(["epoch", *self._keys])
            writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self._keys)])
            self._end = file.tell()


def _cell(value: Any) -> Any:
    return f'"[{", ".join(map(str, np.ravel(value)))}]"' if np.ndim(value) else value


class RemoteMonitor(Callback):
    """Send the logs of each epoch to a server, as an HTTP POST: a form whose `field` holds JSON, or JSON itself.

    A server that does not answer is a warning, and training goes on. Source: keras.callbacks.RemoteMonitor.

    >>> RemoteMonitor("http://localhost:9000", path="/publish/epoch/end/").root
    'http://localhost:9000'
    """

    def __init__(self, root: str = "http://localhost:9000", path: str = "/publish/epoch/end/", field: str = "data",
                 headers: Mapping[str, str] | None = None, send_as_json: bool = False) -> None:
        self.root = text(root, "RemoteMonitor: root", "http://localhost:9000")
        if not self.root.startswith(("http://", "https://")):
            raise ValueError(f"RemoteMonitor: root is {shown(root)}; needs http:// or https://.")
        self.path = text(path, "RemoteMonitor: path", "/publish/epoch/end/")
        self.field = text(field, "RemoteMonitor: field", "data")
        texts = isinstance(headers, Mapping) and all(isinstance(each, str) for pair in headers.items() for each in pair)
        if headers is not None and not texts:
            raise TypeError(f"RemoteMonitor: headers is {shown(headers)}; needs a dict of texts.")
        self.headers = dict(headers) if headers else None
        self.send_as_json = flag(send_as_json, "RemoteMonitor: send_as_json")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        import urllib.request  # not with fastnn: it brings the whole of ssl
        from urllib.parse import urlencode
        message = json.dumps({"epoch": epoch, **{key: plain(value) for key, value in (logs or {}).items()}})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        body = message if self.send_as_json else urlencode({self.field: message})
        request = urllib.request.Request(self.root + self.path, body.encode(),
                                         {"Content-Type": kind, **(self.headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=10):
                pass
        except OSError as error:       # URLError is one
            warn(f"RemoteMonitor: could not reach {self.root} ({shown(str(error))}); training goes on.")


class ProgbarLogger(Callback):
    """The bar that fit, evaluate and predict draw, as an object: in their list of callbacks it changes nothing, as
    `verbose` says what is drawn. In a loop of your own use utils.Progbar. Source: keras.callbacks.ProgbarLogger."""
