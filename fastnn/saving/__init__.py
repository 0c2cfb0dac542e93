"""Floor 5. Models in files: one valid safetensors file each; loading reads it and neither runs nor imports anything."""

from fastnn.saving.models import (
    load_model,
    load_weights,
    save_model,
    save_weights,
)

__all__ = [
    "load_model",
    "load_weights",
    "save_model",
    "save_weights",
]


def __dir__() -> list[str]:
    return sorted(__all__)
