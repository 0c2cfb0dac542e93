"""A program as text: one line a call. Floor 1; imports nothing of fastnn."""

from typing import Any


def names_of(program: Any) -> dict[int, str]:
    """{id of tensor: name}: a tensor's own name, or %3 for the output of call 3."""
    names: dict[int, str] = {}
    for number, call in enumerate(program.calls):
        for tensor in call.inputs:
            names.setdefault(id(tensor), tensor.name or "const")
        for i, tensor in enumerate(call.outputs):
            if id(tensor) not in names or not call.op.updates:
                names[id(tensor)] = tensor.name or (f"%{number}" if len(call.outputs) == 1 else f"%{number}.{i}")
    return names


def call_text(call: Any, names: dict[int, str]) -> str:
    """kernel(a, b, constant=…) of one call."""
    constants = [f"{key}={_short(value)}" for key, value in call.constants.items()]
    return f"{call.op.name}({', '.join([names[id(t)] for t in call.inputs] + constants)})"


def listing(program: Any) -> str:
    """Number, result, kernel with its arguments, shape and layer of every call, in columns."""
    names = names_of(program)
    rows = []
    for number, call in enumerate(program.calls):
        result = ", ".join(names[id(t)] for t in call.outputs)
        shapes = " ".join(_shape(t) for t in call.outputs)
        rows.append((str(number), result, call_text(call, names), shapes, call.layer))
    widths = [max([len(row[i]) for row in rows], default=0) for i in range(4)]
    lines = [f"{program.name}: {len(rows)} calls, arena {program.arena_bytes:,} bytes"]
    for index, result, text, shapes, layer in rows:
        lines.append(f"{index:>{widths[0]}}  {result:<{widths[1]}} = {text:<{widths[2]}}  "
                     f"{shapes:<{widths[3]}}  {layer}".rstrip())
    return "\n".join(lines)


def _shape(tensor: Any) -> str:
    return "(" + ", ".join(map(str, tensor.shape)) + ("," if len(tensor.shape) == 1 else "") + ")"


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
