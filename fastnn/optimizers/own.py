"""What an optimizer of one's own in Keras' shape is written with: variables, and a step of one weight. Floor 3."""

from collections.abc import Callable, Sequence
from typing import Any

from fastnn.engine.kinds import TensorLike
from fastnn.engine.tensor import Tensor, Variable
from fastnn.optimizers.slots import Slots


class OwnVariables(Slots):
    """Base of Optimizer: build() may make variables beside the slots, and update_step() change one weight with them.

    They are part of the recorded step as the slots are, and are kept by save() and by backups. Source:
    keras.optimizers.Optimizer.
    """

    together = False    # whether a step looks at all weights at once, whichever have gradients

    @property
    def _by_weight(self) -> bool:
        """Whether update_step() says how weights are updated, and not a step() that stands before it."""
        places = [self.__dict__, *map(vars, type(self).__mro__)]
        return next(name for place in places for name in ("step", "update_step") if name in place) == "update_step"

    def step(self, w: Tensor, g: Tensor, slots: dict[str, Tensor], lr: Tensor, iterations: Tensor) -> None:
        """Update w and the slots in place: one kernel call, or ops and `assign`, on flat vectors; on one weight as it
        is where the class is `apart`, or where update_step() asks for it."""
        raise NotImplementedError(f"{type(self).__name__} must define update_step() or step().")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """Update one weight, as Keras' subclasses write it: `self.assign_sub(variable, learning_rate * gradient)`.

        Called for each weight once a step, after clipping and decay; `iterations` counts the steps before. Here, as
        super().update_step() of a subclass of a built-in: its step. NotImplementedError where that needs all weights
        at once."""
        if self.together:
            raise NotImplementedError(f"{type(self).__name__}: its step looks at all weights at once; define step() "
                                      "instead of update_step().")
        i = next(i for i, each in enumerate(self._trained) if each is variable)
        self.step(variable, gradient, {name: self._parts[name][i] for name in self.slots}, learning_rate,
                  self.iterations)

    def prepare(self, variables: Sequence[Variable]) -> None:
        """build(), which a subclass may write, and which is called until it succeeds; later the variables may be
        others."""
        if not self.built:
            own = [*self._own]
            try:
                self.build(variables)
            except BaseException:
                self.block, self._own = None, own       # not built, so that the next step builds it whole
                raise
        Slots.build(self, variables)
        self._complete = True

    # ---- variables of its own ---------------------------------------------------------------------------------

    def add_variable(self, shape: Sequence[int], initializer: str | Callable[..., Any] | TensorLike = "zeros",
                     dtype: str | None = None, aggregation: str | None = None, layout: Any = None,
                     name: str | None = None) -> Variable:
        """A variable that is part of the optimizer's state. aggregation and layout, of Keras' other machines, say
        nothing here. RuntimeError in a step: the state that save() and accumulation keep is whole before."""
        if self._complete:
            raise RuntimeError(f"{self.name}: the variable {name!r} is made in a step; needs to be made before the "
                               "first one, in build().")
        made = Variable(initializer, name or f"variable_{len(self._own)}", shape=tuple(shape), trainable=False,
                        dtype=dtype)
        self._own.append(made)
        return made

    def add_variable_from_reference(self, reference_variable: Variable, name: str | None = None,
                                    initializer: str | Callable[..., Any] = "zeros") -> Variable:
        """A variable of the shape and dtype of another, called after both."""
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype,
                                 name=f"{reference_variable.name}_{name or 'slot'}")

    def add_optimizer_variables(self, trainable_variables: Sequence[Variable], name: str | Sequence[str],
                                initializer: Any = "zeros") -> Any:
        """A variable for each: a list of them; for several names, and one initializer or as many, a tuple of lists."""
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]
        given = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(name)
        return tuple([self.add_variable_from_reference(v, each, first) for v in trainable_variables]
                     for each, first in zip(name, given, strict=True))

    def _get_variable_index(self, variable: Variable) -> int:
        """Its place among those that the optimizer was built with. ValueError where it was none of them."""
        for i, each in enumerate(self._first):
            if each is variable:
                return i
        raise ValueError(f"{self.name}: {variable.name} is not among the {len(self._first)} variables that it was "
                         "built with; compile with a new optimizer after layers were unfrozen or added.")

    def assign(self, variable: Variable, value: TensorLike) -> None:
        """variable = value, in this step and its replays."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: TensorLike) -> None:
        """variable += value."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: TensorLike) -> None:
        """variable -= value."""
        variable.assign_sub(value)
