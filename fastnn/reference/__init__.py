"""Floor 0. Every kernel as plain NumPy that reads like the mathematics: the oracle and the fallback.

The `def` line of a kernel is its declaration: positional parameters are input arrays, keyword-only ones
are constants (float, int, bool, a tuple of ints, or the name of an activation), return values are outputs.
Kernels are pure: also those that update a buffer return the new value. They work in float32 and float64.
May import NumPy only.
"""
