"""What fastnn costs in time, beside its peers where these are installed.

`pytest benchmarks --benchmark-enable` measures every kernel, the training steps and the overheads;
`python -m benchmarks.report` prints the tables of docs/speed.md: fastnn against torch, Keras, scikit-learn and NumPy.
Every comparison is a ratio of figures from one run, in which the rivals took turns.
"""
