"""Rows for fastnn/reference/stacking.py. Moving is exact: bits=True everywhere."""

from tests.cases._case import Case, floats, ints

CASES = [
    Case("concatenate", xs=(floats("m", 3), floats("n", 3), floats("m", 3)), axis=0, bits=True, exact=True,
         bad=[({"xs[0]": (2, 3), "xs[1]": (2, 4)}, "must be equal"),
              ({"xs[0]": (2, 3), "xs[2]": (3,)}, "must be equal"), ({"xs[0]": ()}, "axis")]),
    Case("concatenate", xs=(floats(3, "m"), floats(3, "n")), axis=-1, bits=True, exact=True),
    Case("concatenate", xs=(floats(3, "m", 5), floats(3, 0, 5), floats(3, "n", 5)), axis=1, bits=True, exact=True),
    Case("concatenate", xs=(ints("m", 3, high=256, dtype="uint8"),) * 3, axis=1, bits=True, grad=False),
    Case("concatenate", xs=(floats("n"),), axis=0, bits=True, exact=True),
    Case("stack", xs=(floats("m", "n"),) * 3, axis=0, bits=True, exact=True,
         bad=[({"xs[0]": (2, 3), "xs[1]": (2, 4), "xs[2]": (2, 3)}, "must be equal"),
              ({"xs[1]": (2,)}, "must be equal")]),
    Case("stack", xs=(floats("m", "n"),) * 2, axis=1, bits=True, exact=True),
    Case("stack", xs=(floats("m", "n"),) * 5, axis=-1, bits=True, exact=True),
    Case("stack", xs=(floats("n"),) * 40, axis=-2, bits=True, exact=True),
    Case("stack", xs=(ints("m", 3, high=256, dtype="uint8"),) * 3, axis=1, bits=True, grad=False),
    Case("stack", xs=(floats(), floats()), axis=0, bits=True, exact=True),
    Case("stack", xs=(floats("n"),), axis=1, bits=True, exact=True,
         bad=[({"xs[0]": ()}, "needs an axis from -1 to 0")]),
    Case("unstack", x=floats("m", "n"), axis=0, bits=True, exact=True, bad=[(dict(x=(0, 3)), "not empty")]),
    Case("unstack", x=floats("m", 7, "n"), axis=1, bits=True, exact=True, bad=[(dict(x=(2,)), "needs an axis")]),
    Case("unstack", x=floats("m", 3, "n"), axis=-1, bits=True, exact=True),
    Case("unstack", x=floats("m", 33, 4), axis=-2, bits=True, exact=True),
    Case("unstack", x=ints("m", 3, "n", high=256, dtype="uint8"), axis=1, bits=True, grad=False),
    Case("unstack", x=floats(4), axis=0, bits=True, exact=True),
]
