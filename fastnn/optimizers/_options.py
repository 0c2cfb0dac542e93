"""What every optimizer takes by name beside its own arguments, as types for editors and checkers. Floor 3."""

from typing import TypedDict


class DecayedOptions(TypedDict, total=False):
    """Of optimizers that name weight_decay among their own arguments."""
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None


class OptimizerOptions(DecayedOptions, total=False):
    """Of the others."""
    weight_decay: float | None
