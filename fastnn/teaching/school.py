"""Kernels as loops, as one would write them at school: in Python over lists, and the same in C. Floor 5.

They are the lowest rungs of fastnn.teaching.ladder. The C functions have the form that compiler.py says.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

Matrix = list[list[float]]


class Loops(NamedTuple):
    """A kernel for the ladder: the loop in Python, in C, the shapes of its arrays and its constants; terms: what is
    counted as an operation, and how many there are."""
    python: Callable[..., Any]
    c: str
    shapes: Callable[[int], list[tuple[int, ...]]]
    size: int
    operations: Callable[[int], int]
    constants: dict[str, Any]


def matmul(a: Matrix, b: Matrix) -> Matrix:
    """y[i][j] = a[i][0]·b[0][j] + a[i][1]·b[1][j] + …"""
    y = [[0.0] * len(b[0]) for _ in a]
    for i in range(len(a)):
        for j in range(len(b[0])):
            for k in range(len(b)):
                y[i][j] += a[i][k] * b[k][j]
    return y


MATMUL = """
void matmul(const float *a, const float *b, float *y, int64_t m, int64_t k, int64_t n)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            float sum = 0;
            for (int64_t p = 0; p < k; p++)
                sum += a[i * k + p] * b[p * n + j];
            y[i * n + j] = sum;
        }
}
"""


def dense(x: Matrix, w: Matrix, b: list[float], activation: str) -> Matrix:
    """y[i][j] = max(0, x[i]·w[:, j] + b[j])."""
    y = matmul(x, w)
    for i in range(len(y)):
        for j in range(len(b)):
            y[i][j] = max(y[i][j] + b[j], 0.0)
    return y


DENSE = """
void dense(const float *x, const float *w, const float *b, float *y, int64_t batch, int64_t in, int64_t out,
           const char *activation)
{
    for (int64_t i = 0; i < batch; i++)
        for (int64_t j = 0; j < out; j++) {
            float z = b[j];
            for (int64_t k = 0; k < in; k++)
                z += x[i * in + k] * w[k * out + j];
            y[i * out + j] = z > 0 ? z : 0;
        }
}
"""


def relu(x: list[float]) -> list[float]:
    """y[i] = x[i] where it is above 0, else 0."""
    y = []
    for value in x:
        y.append(value if value > 0 else 0.0)
    return y


RELU = """
void relu(const float *x, float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] > 0 ? x[i] : 0;
}
"""


def sigmoid(x: list[float]) -> list[float]:
    """y[i] = 1 / (1 + e^-x[i])."""
    y = []
    for value in x:
        y.append(1 / (1 + math.exp(-value)))
    return y


SIGMOID = """
void sigmoid(const float *x, float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = 1 / (1 + expf(-x[i]));
}
"""


def softmax(x: Matrix) -> Matrix:
    """y[i][j] = e^x[i][j] over the sum of the row's, the largest taken off first."""
    y = []
    for row in x:
        largest = max(row)
        powers = [math.exp(value - largest) for value in row]
        total = sum(powers)
        y.append([power / total for power in powers])
    return y


SOFTMAX = """
void softmax(const float *x, float *y, int64_t rows, int64_t n)
{
    for (int64_t i = 0; i < rows; i++) {
        const float *row = x + i * n;
        float largest = row[0], total = 0;
        for (int64_t j = 1; j < n; j++)
            largest = row[j] > largest ? row[j] : largest;
        for (int64_t j = 0; j < n; j++)
            total += y[i * n + j] = expf(row[j] - largest);
        for (int64_t j = 0; j < n; j++)
            y[i * n + j] /= total;
    }
}
"""


def conv2d(x: Any, w: Any, b: list[float], strides: Any, pads: Any, dilation: Any, groups: int, activation: str) -> Any:
    """y[n][i][j][f] = b[f] + the products of filter f with what lies under it at (i, j)."""
    rows, columns = len(x[0]) - len(w) + 1, len(x[0][0]) - len(w[0]) + 1
    y = []
    for image in x:
        y.append([[list(b) for _ in range(columns)] for _ in range(rows)])
        for i in range(rows):
            for j in range(columns):
                for f in range(len(b)):
                    for k in range(len(w)):
                        for l in range(len(w[0])):
                            for c in range(len(w[0][0])):
                                y[-1][i][j][f] += image[i + k][j + l][c] * w[k][l][c][f]
    return y


CONV2D = """
void conv2d(const float *x, const float *w, const float *b, float *y, int64_t images, int64_t h, int64_t width,
            int64_t c, int64_t kh, int64_t kw, int64_t f, int64_t oh, int64_t ow, const int64_t *strides,
            const int64_t *pads, const int64_t *dilation, int64_t groups, const char *activation)
{
    for (int64_t n = 0; n < images; n++)
        for (int64_t i = 0; i < oh; i++)
            for (int64_t j = 0; j < ow; j++)
                for (int64_t o = 0; o < f; o++) {
                    float sum = b[o];
                    for (int64_t k = 0; k < kh; k++)
                        for (int64_t l = 0; l < kw; l++)
                            for (int64_t p = 0; p < c; p++)
                                sum += x[((n * h + i + k) * width + j + l) * c + p] * w[((k * kw + l) * c + p) * f + o];
                    y[((n * oh + i) * ow + j) * f + o] = sum;
                }
}
"""

PLAIN = {"strides": (1, 1), "pads": (0, 0, 0, 0), "dilation": (1, 1), "groups": 1, "activation": "linear"}
LOOPS = {
    "matmul": Loops(matmul, MATMUL, lambda n: [(n, n), (n, n)], 128, lambda n: 2 * n ** 3, {}),
    "dense": Loops(dense, DENSE, lambda n: [(32, n), (n, n), (n,)], 256, lambda n: 2 * 32 * n * n,
                  {"activation": "relu"}),
    "conv2d": Loops(conv2d, CONV2D, lambda n: [(4, n, n, 8), (3, 3, 8, 16), (16,)], 28,
                   lambda n: 2 * 4 * (n - 2) ** 2 * 9 * 8 * 16, PLAIN),
    "relu": Loops(relu, RELU, lambda n: [(n,)], 1 << 20, lambda n: n, {}),
    "sigmoid": Loops(sigmoid, SIGMOID, lambda n: [(n,)], 1 << 19, lambda n: n, {}),
    "softmax": Loops(softmax, SOFTMAX, lambda n: [(n, 100)], 4096, lambda n: 100 * n, {}),
}
