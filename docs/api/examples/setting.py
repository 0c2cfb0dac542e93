import os
import tempfile
from pathlib import Path

import numpy as np

import fastnn
from fastnn import *
from fastnn import plotting, saving, teaching

random.set_seed(1)
x = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
y = x.sum(axis=1)
model = Sequential([Input((3,)), layers.Dense(2, activation="tanh"), layers.Dense(1)])
model.compile("adam", "mse")
