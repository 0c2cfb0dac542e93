"""Keras' fit on TensorFlow."""

import os

import numpy as np

from benchmarks.contenders.sequences import keras_layer
from benchmarks.workloads import EPSILON, Workload


class Keras:
    """jit: XLA. whole: one execution an epoch instead of one a step."""

    def __init__(self, workload: Workload, jit: bool, whole: bool) -> None:
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras
        self.workload = workload
        self.x, self.y = workload.data()
        self.model = keras.Sequential([
            keras.Input(workload.inputs, dtype=self.x.dtype.name),
            *(keras_layer(kind, arguments) for kind, arguments in workload.layers)])
        self.model.compile(keras.optimizers.Adam(workload.rate, epsilon=EPSILON), jit_compile=jit,
                           loss=workload.loss_name,
                           steps_per_execution=workload.steps(len(self.x)) if whole else 1)
        self.reset()

    def reset(self) -> None:
        self.model.set_weights(self.workload.first_weights())

    def fit(self, epochs: int) -> None:
        self.model.fit(self.x, self.y, batch_size=self.workload.batch, epochs=epochs, verbose=0)

    def weights(self) -> list[np.ndarray]:
        return list(self.model.get_weights())

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(rows, batch_size=len(rows), verbose=0))

    def predict_on_batch(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict_on_batch(rows))

    def call(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.model(rows))
