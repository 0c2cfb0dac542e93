"""What feeding and training ask of a model, which floor 4's models define (models/model.py). Floor 4."""

import threading
from contextlib import AbstractContextManager
from typing import Any, Protocol


class TrainedModel(Protocol):
    """A model as the steps, the loops and the tools see it."""
    name: str
    built: bool
    compiled: Any               # training.compiled.Compiled, once compile() was called
    optimizer: Any
    history: Any
    checked: Any                # engine.check.Checked, after a run on the backend "check"
    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool
    run_eagerly: bool
    steps_per_execution: int
    _graph: Any
    _feeds: Any
    _steps: Any
    _symbols: dict[Any, Any]
    _output_form: Any
    _building: threading.RLock

    @property
    def takes_integers(self) -> bool:
        """Whether whole numbers reach it as they are where no Input says a dtype."""

    @property
    def layers(self) -> list[Any]:
        """The layers, each once."""

    @property
    def inputs(self) -> list[Any] | None:
        """The symbolic inputs; None before a model without Input is built."""

    @property
    def outputs(self) -> list[Any] | None:
        """The symbolic outputs."""

    @property
    def weights(self) -> list[Any]:
        """All variables."""

    @property
    def trainable_weights(self) -> list[Any]:
        """Those that an optimizer changes."""

    @property
    def metrics(self) -> list[Any]:
        """The metrics, the loss first."""

    @property
    def losses(self) -> list[Any]:
        """The penalties of layers and weights in the forward pass under way."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs for inputs."""

    def _with_sublayers(self, look: bool = True) -> list[Any]:
        """It and all layers in it."""

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether data of another shape than its inputs have do as well."""

    def reset_metrics(self) -> None:
        """Let all metrics begin anew."""

    def writes(self, mode: str) -> bool:
        """Whether it writes its train, test or predict step itself (training/own.py)."""

    def predict_step(self, data: Any) -> Any:
        """The outputs for a batch."""

    def _ready(self, where: str, trains: bool = True) -> None:
        """NotBuiltError unless it is compiled."""

    def _working(self, where: str, *, inside: bool = False) -> AbstractContextManager[Any]:
        """One fit, evaluate or train_on_batch at a time."""

    def _packed(self, outputs: list[Any]) -> Any:
        """Outputs in the structure that the model has."""
