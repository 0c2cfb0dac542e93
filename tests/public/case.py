"""A public class and arguments for it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """arguments: one for every parameter that the class or its bases name. inputs: shapes that a layer is called on."""
    module: Any
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[tuple[int, ...], ...] = ()

    @property
    def kind(self) -> type:
        return getattr(self.module, self.name)

    def make(self, **changes: Any) -> Any:
        return self.kind(**{**self.arguments, **changes})

    def __repr__(self) -> str:
        return f"{self.module.__name__.removeprefix('fastnn.')}.{self.name}"
