"""Floor 2. The ops: what layers, losses and schedules are written with, each with its gradient.

Names, arguments and numbers are those of `keras.ops`. `ops.image`, `ops.linalg`, `ops.nn` and `ops.numpy` list parts of
them. The rows behind (constants by name, no defaults) are in ops/rows, a file a family. Beyond Keras: `step`, `mish`,
the rows `add_bias`, `dense`, `expand`, `matmul_nt`, `matmul_tn`, `sum_rows`, and `Op`, with which one declares more.

A public name stands in the `__all__` of its module and nowhere else. A module belongs to one namespace, whose file
imports it; what only `keras.ops` itself has is imported here, and what Keras has not, from `_beyond`.
"""

from fastnn.engine import rewrite as _rewrite
from fastnn.engine.operators import operators as _signs
from fastnn.frames import entrances as _entrances
from fastnn.frames import list_names as _list_names
from fastnn.ops import image as image
from fastnn.ops import linalg as linalg
from fastnn.ops import nn as nn
from fastnn.ops import numpy as numpy
from fastnn.ops._beyond import *
from fastnn.ops._control import *
from fastnn.ops._core import *
from fastnn.ops._fourier import *
from fastnn.ops._math import *
from fastnn.ops._operators import FUNCTIONS as _FUNCTIONS
from fastnn.ops._rearrange import *
from fastnn.ops._rewrites import RULES as _RULES
from fastnn.ops.linalg import *
from fastnn.ops.nn import *
from fastnn.ops.numpy import *

_rewrite.rules[:] = _RULES       # programs are rewritten by them
_signs.update(_FUNCTIONS)         # a + b of tensors is add(a, b)

_entrances(_list_names(globals(), "image", "linalg", "nn", "numpy"))
