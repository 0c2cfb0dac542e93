"""Centring, dividing by the deviation, ZCA whitening: by the image itself, or by statistics of data. Floor 5."""


import numpy as np

from fastnn.errors import warn
from fastnn.preprocessing.image.transforms import Array


class Normalization:
    """The settings of ImageDataGenerator that normalize. Images here are (n, h, w, c) of a float type.

    `mean`, `std`: per channel, (1, 1, c), with channels first (c, 1, 1); `zca_whitening_matrix`: (h·w·c, h·w·c);
    None until measured.
    """

    def __init__(self, featurewise_center: bool, samplewise_center: bool, featurewise_std_normalization: bool,
                 samplewise_std_normalization: bool, zca_whitening: bool, zca_epsilon: float) -> None:
        self.featurewise_center, self.samplewise_center = bool(featurewise_center), bool(samplewise_center)
        self.featurewise_std_normalization = bool(featurewise_std_normalization)
        self.samplewise_std_normalization = bool(samplewise_std_normalization)
        self.zca_whitening, self.zca_epsilon = bool(zca_whitening), zca_epsilon
        self.mean: Array | None = None
        self.std: Array | None = None
        self.zca_whitening_matrix: Array | None = None
        for name, other, needed in (("zca_whitening", "featurewise_center", True),
                                    ("zca_whitening", "featurewise_std_normalization", False),
                                    ("featurewise_std_normalization", "featurewise_center", True),
                                    ("samplewise_std_normalization", "samplewise_center", True)):
            if getattr(self, name) and getattr(self, other) is not needed:
                setattr(self, other, needed)
                warn(f"ImageDataGenerator: {name} sets {other} to {needed}.")

    def measure(self, x: Array, shape: tuple[int, ...]) -> None:
        """Take what was asked for from the images; mean and std get this shape."""
        if self.featurewise_center:
            mean = x.mean(axis=(0, 1, 2))
            x, self.mean = x - mean, mean.reshape(shape)
        if self.featurewise_std_normalization:
            std = x.std(axis=(0, 1, 2))
            x, self.std = x / (std + x.dtype.type(1e-6)), std.reshape(shape)
        if self.zca_whitening:      # U diag(√n / (s + ε)) Uᵀ of the images as columns
            n = len(x)
            u, s, _ = np.linalg.svd(x.reshape(n, -1).T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(n) / (s + self.zca_epsilon)).astype(x.dtype)) @ u.T

    def normalized(self, x: Array) -> Array:
        """The images after all that was asked for and measured."""
        if self.samplewise_center:
            x = x - x.mean(axis=(1, 2, 3), keepdims=True)
        if self.samplewise_std_normalization:
            x = x / (x.std(axis=(1, 2, 3), keepdims=True) + x.dtype.type(1e-6))
        if self.featurewise_center and self.mean is not None:
            x = x - self.mean.reshape(-1)
        if self.featurewise_std_normalization and self.std is not None:
            x = x / (self.std.reshape(-1) + x.dtype.type(1e-6))
        if self.zca_whitening and self.zca_whitening_matrix is not None:
            x = (x.reshape(len(x), -1) @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def warn_unfitted(self) -> None:
        """A warning where a setting needs statistics and has none."""
        missing = [name for name, value in (("featurewise_center", self.mean),
                                            ("featurewise_std_normalization", self.std),
                                            ("zca_whitening", self.zca_whitening_matrix))
                   if getattr(self, name) and value is None]
        if missing:
            warn(f"ImageDataGenerator: {' and '.join(missing)} needs statistics and has none yet, so nothing "
                 "is done; call fit(x) first.")
