"""What is measured of a network: steps of its training, its outputs, and a whole lesson."""

import functools
from typing import Any

import numpy as np

from benchmarks.contenders import LIBRARIES, WAYS, Contender
from benchmarks.process import Work, calls, nothing
from benchmarks.workloads import WORKLOADS, workload_of

WINDOW = 50         # epochs
LATE = 450          # epochs after which there is nothing left to learn


def training(library: str, setting: str, name: str, epochs: int) -> Work:
    """Steps of fit, its Python included. results: the loss after so many epochs: everybody must learn the same."""
    workload = workload_of(name)
    x, y = workload.data()
    contender = LIBRARIES[library][setting](workload)
    contender.fit(epochs)               # compiles, records, wakes threads
    loss = workload.loss(contender.weights(), x, y)

    def do(times: int) -> None:         # in fits as long as a lesson's
        for begin in range(0, times, workload.most_epochs):
            contender.fit(min(workload.most_epochs, times - begin))
    return Work(do, workload.steps(len(x)), contender.reset, lambda: loss, least=workload.least_epochs)


def window(library: str, setting: str, name: str, late: bool) -> Work:
    """Steps of the first epochs, or of those after LATE others."""
    workload = workload_of(name)
    contender = LIBRARIES[library][setting](workload)
    contender.fit(LATE if late else 1)
    return Work(lambda times: contender.fit(times * WINDOW), WINDOW * workload.steps(len(workload.data()[0])),
                nothing if late else contender.reset, most=1)


@functools.lru_cache(maxsize=1)
def _trained(library: str, setting: str, name: str) -> Contender:
    contender = LIBRARIES[library][setting](workload_of(name))
    contender.fit(1)
    return contender


def inference(library: str, way: str, name: str, rows: int) -> Work:
    """One of the library's WAYS to get the outputs of so many rows. results: they, and what they must be."""
    workload = workload_of(name)
    setting, method = WAYS[library][way]
    contender = _trained(library, setting, name)
    x = np.ascontiguousarray(np.resize(workload.data()[0], (rows, *workload.inputs)))
    call = functools.partial(getattr(contender, method), x)
    expected = workload.outputs(contender.weights(), x)
    return calls(call, results=lambda: (call(), expected))


def lesson(setting: str, epochs: int) -> Work:
    """Build, compile, train XOR, predict: the first lesson. results: what it says, and what is true."""
    workload = WORKLOADS["xor"]

    def run() -> Any:
        contender: Any = LIBRARIES["fastnn"][setting](workload)
        contender.fit(epochs)
        return contender.predict(contender.x)
    return calls(run, results=lambda: (run().round(), workload.data()[1]))
