"""Op: a kernel plus its shape rule plus its gradient rules. Floor 2; imports engine.

Every rule gets its arguments by name, so that it reads like the formula and asks only for what it needs.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn.engine import backend, threads
from fastnn.engine.call import Call
from fastnn.engine.check import UNIT
from fastnn.engine.context import (
    current_layer,
    current_section,
    is_recording,
    is_symbolic_pass,
    is_tracing,
    may_update,
    open_tape_number,
    record,
)
from fastnn.engine.gradient import TapedCall
from fastnn.engine.tensor import Tensor
from fastnn.errors import ShapeError
from fastnn.frames import clear
from fastnn.ops import _memory
from fastnn.ops._arrays import as_now, as_tensor
from fastnn.ops._rules import Rule, Shape, same, same_shapes

__all__ = ["Op", "Shape", "as_tensor", "same", "same_shapes"]

WIDENING = ("bool", "uint8", "int32", "int64", "float32", "float64")      # each holds the ones before it, or nearly
by_name: dict[str, "Op"] = {}

KNOWN = 512      # sets of shapes that an op remembers
LARGEST = 2 ** 30        # bytes of the outputs of such a call: larger ones are asked for with care


class Op:
    """An op: call it with tensors (or arrays) and constants; it checks, runs the kernel and keeps the trace.

    name: the kernel. shape: rule from input shapes (by name) and constants to the output shape, or a list of shapes.
    vjp: {input name: rule}, each giving d loss / d input from what it names: inputs, outputs, `d<output>`, constants,
    `wanted` (the names of the inputs that want a gradient) and `shared` intermediates (computed once however many
    rules ask). outputs: their names; one "*ys" alone is any number of them. Inputs "*xs" come as a list xs, and their
    one rule gives a gradient for each. updates: the inputs that are overwritten; they are the outputs then.
    optional: inputs that may be None; the kernel gets an empty array of shape (0,) then.
    dtypes: {input: dtype, an input before it, "any", or "alike" for inputs that meet in the widest dtype among them},
    else "float"; whole numbers and wider floats become floatx there; where "bool" is asked for, what is not 0 is true.
    result: dtype of the outputs: "float", a dtype, an input's name, a rule over dtypes and constants, or a tuple of
    these. view: the output shares its input's memory.
    may_omit: the outputs that the kernel leaves out, with no memory for them, where no call of a program reads them.
    moves: it does nothing but put its second input in the place of the first; what is made for it alone is made there.
    probabilities: how the output comes of the first input, "sigmoid" or "softmax", where these are logits and
    probabilities; a loss may start from the logits then.
    no_gradient: what to do instead where there are no gradients by design.
    magnitude, terms, ulps: the error bound of C, see engine/check.py.
    flops: for products, how many additions and multiplications, from the shapes of inputs and outputs and constants.
    cost: nanoseconds that C takes on one core for an element of the largest array. work: the nanoseconds of a call, by
    the same names as flops, where they depend on other sizes. They say how many threads a call is worth.
    """

    def __init__(self, name: str, shape: Callable[..., Any] | None = None,
                 vjp: dict[str, Callable[..., Any]] | None = None, *, outputs: tuple[str, ...] = ("y",),
                 shared: dict[str, Callable[..., Any]] | None = None, updates: tuple[str, ...] = (),
                 optional: tuple[str, ...] = (), dtypes: dict[str, str] | None = None, result: Any = "float",
                 may_omit: tuple[str, ...] = (), view: bool = False, moves: bool = False, probabilities: str = "",
                 no_gradient: str = "",
                 magnitude: Any = None, terms: Callable[..., Any] | None = None, ulps: float = 4,
                 flops: Callable[..., float] | None = None, cost: float = 0.12,
                 work: Callable[..., float] | None = None) -> None:
        by_name[name] = self
        self.name = name
        self.kernel = backend.kernels[name]
        self.shape = Rule(shape) if shape else None
        self.vjp = {key: Rule(rule) for key, rule in (vjp or {}).items()}
        self.shared = {key: Rule(rule) for key, rule in (shared or {}).items()}
        self.optional, self.updates, self.may_omit = optional, updates, frozenset(may_omit)
        self.view, self.moves = view, moves
        self.probabilities, self.no_gradient = probabilities, no_gradient
        self.output_names = updates or outputs
        self._any_number = self.output_names[0].startswith("*")
        self.dtypes = dtypes or {}
        self.result = result
        self.magnitude, self.terms, self.ulps = magnitude, Rule(terms) if terms else None, ulps
        self.flops = Rule(flops) if flops else None
        self.cost, self.work = cost, Rule(work) if work else None
        self._memory = backend.memory(self.kernel, self._constants_of_rules(), updates, Tensor, may_update)
        known = {each.lstrip("*") for each in self.kernel.inputs}
        unknown = (set(self.vjp) | set(updates) | set(self.dtypes) | set(optional)) - known
        if unknown:
            raise TypeError(f"op {name}: {sorted(unknown)} are no inputs of {self.kernel.signature}")
        self.__doc__ = self.kernel.reference.__doc__
        self.__name__ = name

    def _constants_of_rules(self) -> tuple[str, ...]:
        """The constants that the rules of shapes, dtypes and costs read."""
        read = {name for rule in (self.shape, self.work) if rule for name in rule.parameters}
        for rule in self.result if isinstance(self.result, tuple) else (self.result,):
            read.update(Rule(rule).parameters if callable(rule) else (rule,))
        return tuple(name for name in self.kernel.constants if name in read)

    def __repr__(self) -> str:
        return f"<op {self.kernel.signature}>"

    def __call__(self, *inputs: Any, **constants: Any) -> Any:
        """Run it. Tensors and arrays in, a Tensor (or a tuple of them) out.

        Raises TypeError for wrong dtypes or arguments, ShapeError for shapes that do not fit. Shapes and dtypes that C
        has run before go there without another look at the rules.
        """
        made = self._memory(inputs, constants) if backend.backend() == "c" else None
        if made is None:        # not known, symbolic, or arrays and numbers, or a mistake
            try:
                return self._by_rules(inputs, constants)
            except Exception as error:
                clear(error)
                raise
        if is_tracing() and not (self.updates and is_symbolic_pass()):
            self._trace(inputs, tuple(made), constants)
        return made[0] if len(made) == 1 and not self._any_number else tuple(made)

    def _by_rules(self, inputs: tuple[Any, ...], constants: dict[str, Any]) -> Any:
        """Check the inputs, find the outputs' shapes and dtypes, run, and remember what was found."""
        tensors = self._tensors(inputs, constants)
        if self.updates:
            tensors = self._apart(tensors)
        results = self.results(tensors, constants)
        if any(t.data is None for t in tensors) or (not self.updates and any(
                None in shape or _memory.is_made_up(shape) for shape, _ in results)):
            outputs = tuple(Tensor(None, shape=shape, dtype=dtype) for shape, dtype in results)
            call = Call(self, tensors, outputs, constants, current_layer(), current_section())
            for t in () if self.updates else outputs:
                _memory.check(self.name, t.shape, t.dtype)
                t.source = call
            return self._given(outputs)
        if self.updates:
            outputs = tuple(tensors[self.kernel.inputs.index(name)] for name in self.updates)
            if not may_update(outputs):
                return self._given(outputs)
        else:
            outputs = tuple(Tensor(_memory.new(self.name, *each)) for each in results)
        call = Call(self, tensors, outputs, constants, current_layer(), current_section())
        call.run()
        self._remember(call)
        if is_tracing():
            self._trace(tensors, outputs, constants)
        return self._given(outputs)

    def _apart(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The inputs, copies of those that lie in what is overwritten and are only read, as in w.assign(w)."""
        named = list(zip(self.kernel.inputs, tensors))
        written = [t.data for name, t in named if name in self.updates and t.data is not None]
        return tuple(by_name["cast"](t, dtype=t.dtype) if name not in self.updates and t.data is not None and any(
            np.may_share_memory(t.data, data) for data in written) else t for name, t in named)

    def _given(self, outputs: tuple[Tensor, ...]) -> Any:
        """What the caller gets: the tensor, or the tuple where there are several or any number."""
        return outputs[0] if len(outputs) == 1 and not self._any_number else outputs

    def forget(self) -> None:
        """Look at the rules anew: the kernel has been replaced."""
        if self._memory is not None:
            self._memory.calls.clear()

    def _remember(self, call: Call) -> None:
        """Let the next call with these shapes, dtypes and constants that a rule reads go straight to C."""
        tensors, outputs = call.inputs, call.outputs
        if backend.backend() != "c" or not self.kernel.in_c or sum(t.data.nbytes for t in outputs) > LARGEST:
            return
        if len(self._memory.calls) >= KNOWN:
            self._memory.calls.clear()
        with contextlib.suppress(TypeError):        # a constant without a hash
            self._memory.keep(self._memory.key(tensors, call.constants), self.kernel.c, tensors, outputs, call.parts)

    def _trace(self, tensors: tuple[Tensor, ...], outputs: tuple[Tensor, ...], constants: dict[str, Any]) -> None:
        """Keep the call that has just run: for a program, or for the gradients of a tape."""
        tape = open_tape_number()
        tracked = tape and any(t.tracked in (True, tape) for t in tensors)
        tensors = as_now(tensors, by_name["cast"]) if tracked and not self.updates else tensors
        if is_recording():
            call = Call(self, tensors, outputs, constants, current_layer(), current_section())
            record(call)
        elif tracked:       # what other tapes have made is data to this one
            tensors = tuple(t if t.source is None or t.tracked in (True, tape) else t.at(t.data) for t in tensors)
            call = TapedCall(self, tensors, outputs, constants, current_layer(), current_section())
        else:
            return
        if not self.updates:
            for t in outputs:
                t.source, t.tracked = call, tape if tracked else False

    def backward(self, call: Call, outputs: Sequence[Tensor], d_outputs: Sequence[Tensor | None],
                 wanted: set[str]) -> dict[str, Tensor]:
        """The gradients of the wanted inputs. TypeError for an input without a rule."""
        values: dict[str, Any] = {**backend.bound(self.kernel.inputs, call.inputs), **call.constants,
                                  **backend.bound(self.output_names, outputs), "wanted": wanted}
        values.update((f"d{name}", d) for name, d in backend.bound(self.output_names, d_outputs).items())
        names = backend.numbered(self.kernel.inputs, len(call.inputs))
        rules = wanted if names == self.kernel.inputs else {self.kernel.inputs[0][1:]}
        for name in rules - set(self.vjp):
            raise TypeError(f"{self.name}: has no gradient with respect to {name}; "
                            + (self.no_gradient or f"use ops that have one, or keep {name} out of what is trained."))
        needed = {p for name in rules for p in self.vjp[name].parameters}
        for name, rule in self.shared.items():
            if name in needed:
                values[name] = rule(values)
        found = {name: self.vjp[name](values) for name in sorted(rules)}
        if rules is not wanted:     # the one rule gives the gradients of all inputs
            found = {name: d for name, d in zip(names, *found.values()) if name in wanted}
        return found

    def symbols(self, inputs: Sequence[Tensor], constants: dict[str, Any]) -> tuple[Tensor, ...]:
        """The outputs for these inputs, shapes and dtypes only."""
        return tuple(Tensor(None, shape=shape, dtype=dtype) for shape, dtype in self.results(tuple(inputs), constants))

    def error_bounds(self, inputs: Sequence[np.ndarray], expected: Sequence[np.ndarray],
                     constants: dict[str, Any]) -> list[Any]:
        """Per output, the largest |C - reference| allowed, element by element."""
        wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in inputs]
        values: dict[str, Any] = {**backend.bound(self.kernel.inputs, wide), **constants}
        if not self.updates:
            values.update(backend.bound(self.output_names, expected))
        ulps = self.ulps + (self.terms(values) if self.terms else 0)
        rules = self.magnitude if isinstance(self.magnitude, tuple) else (self.magnitude,) * len(expected)
        with np.errstate(all="ignore"):
            return [UNIT * ulps * (np.abs(want) if rule is None else Rule(rule)(values)) + 1e-37
                    for rule, want in zip(rules, expected)]

    def _tensors(self, inputs: tuple[Any, ...], constants: dict[str, Any]) -> tuple[Tensor, ...]:
        names = backend.numbered(self.kernel.inputs, len(inputs))
        if not inputs or len(inputs) != len(names) or set(constants) != set(self.kernel.constants):
            raise TypeError(f"{self.name}: got {len(inputs)} arrays and constants {sorted(constants)}; "
                            f"needs {self.kernel.signature}.")
        tensors: list[Tensor] = []
        for name, value in zip(names, inputs):
            kind = self.dtypes.get(name.partition("[")[0], "float")
            if kind in names:
                kind = tensors[names.index(kind)].dtype
            wanted = backend.floatx() if kind == "float" else kind
            if value is None and name in self.optional:
                value = np.zeros(0)
            if not isinstance(value, Tensor):
                value = as_tensor(value, kind)
            elif kind == "float" and value.dtype not in (wanted, "float32"):
                value = by_name["cast"](value, dtype=wanted)
            elif kind == "bool" and value.dtype != "bool":
                value = by_name["cast"](value, dtype="bool")
            elif wanted not in ("any", "alike", value.dtype):
                raise TypeError(f"{self.name}: {name} has dtype {value.dtype}; needs {wanted}; convert the data, or "
                                "make the weights anew under this floatx.")
            if value.data is not None and value.data.shape != value.shape:
                raise ShapeError(f"{self.name}: {name}, {value.name!r}, is an array of shape {value.data.shape} now; "
                                 f"needs {value.shape}; change it by assign().")
            tensors.append(value)
        return self._alike(tensors)

    def _alike(self, tensors: list[Tensor]) -> tuple[Tensor, ...]:
        """The inputs, those that must be alike in the widest dtype among them."""
        names = backend.numbered(self.kernel.inputs, len(tensors))
        alike = {name for name in names if self.dtypes.get(name.partition("[")[0]) == "alike"}
        found = {t.dtype for name, t in zip(names, tensors) if name in alike}
        if len(found) < 2:
            return tuple(tensors)
        widest = max(found, key=WIDENING.index)
        return tuple(by_name["cast"](t, dtype=widest) if name in alike and t.dtype != widest else t
                     for name, t in zip(names, tensors))

    def parts(self, tensors: Sequence[Tensor], constants: dict[str, Any]) -> int:
        """The most workers that C divides a call among; decided by sizes alone."""
        results = self.results(tuple(tensors), constants)
        shapes = [*(t.shape for t in tensors), *(shape for shape, _ in results)]
        if not self.work:
            return threads.parts(self.cost * max(map(math.prod, shapes), default=0))
        return threads.parts(self.work({**backend.bound(self.output_names, shapes[len(tensors):]), **constants,
                                        **backend.bound(self.kernel.inputs, shapes[:len(tensors)])}))

    def results(self, tensors: tuple[Tensor, ...], constants: dict[str, Any]) -> list[tuple[Shape, str]]:
        """Shape and dtype of each output. ShapeError for shapes that do not fit."""
        shapes = self._shapes(tensors, constants)
        if self.updates:
            return [(t.shape, t.dtype) for name, t in zip(self.kernel.inputs, tensors) if name in self.updates]
        rules = self.result if isinstance(self.result, tuple) else (self.result,) * len(shapes)
        given: dict[Any, Any] = {**constants, **backend.bound(self.kernel.inputs, [t.dtype for t in tensors])}
        dtypes: list[Any] = [Rule(r)(given) if callable(r) else given.get(r, r) for r in rules]
        return [(shape, backend.floatx() if dtype == "float" else dtype) for shape, dtype in zip(shapes, dtypes)]

    def _shapes(self, tensors: tuple[Tensor, ...], constants: dict[str, Any]) -> list[Shape]:
        if self.shape is None:
            return [t.shape for name, t in zip(self.kernel.inputs, tensors) if name in self.updates]
        shapes = self.shape({**backend.bound(self.kernel.inputs, [t.shape for t in tensors]), **constants})
        return shapes if isinstance(shapes, list) else [shapes]
