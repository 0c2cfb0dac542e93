"""The update written out: for the first elements of each weight what the optimizer's calls do with them. Floor 5."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.teaching.trace.board import ALL, Fold, Line, rest, short, substituted
from fastnn.teaching.trace.forms import Look, formula, index_text
from fastnn.teaching.trace.walk import Record, Weight

MANY = 8        # calls; of more, those that change something are shown


def updates(records: Sequence[Record], weights: Sequence[Weight], look: Look, every: bool = False) -> list[Any]:
    """A fold for each weight array. every: with the new value of each element, also of those that are not written out.
    """
    steps = [record for record in records if record.call.section.name == "update"]
    folds: list[Any] = []
    for weight in weights:
        calls = _behind(steps, weight)
        items: list[Any] = []
        for k in range(min(weight.before.size, look.limits.units)):
            name = f"{weight.name}{index_text(np.unravel_index(k, weight.before.shape))}"
            shown = calls if len(calls) <= MANY or look.limits == ALL else [
                c for c in calls if any(t.name for t in c.call.made)]
            lines = [line for record in shown for line in _lines(record, weight, k)]
            lines += rest(len(calls) - len(shown), "call on the way, in full()", "calls on the way, in full()")
            old, change = weight.before.flat[k], weight.change.flat[k]
            sign = "-" if change < 0 else "+"
            lines.append(Line("new w", ("w + change", f"{short(old)} {sign} {short(abs(change))}"),
                              weight.after.flat[k], update=change))
            items.append(Fold(name, lines))
        written = len(items)
        if every and calls:
            values = zip(np.ndindex(weight.before.shape), weight.after.ravel(), weight.change.ravel())
            items += [Line(f"new {weight.name}[{','.join(map(str, index))}]", (), after, update=change)
                      for index, after, change in itertools.islice(values, written, None)]
        if not calls:
            items, written = ["not changed by this step"], weight.before.size
        total = float(weight.change.sum(dtype=np.float64))
        folds.append(Fold(f"{weight.name} {weight.before.shape}: all its changes add up to {total:.7g}",
                          [*items, *rest(0 if every else weight.before.size - written, "element")]))
    return folds


def _behind(steps: Sequence[Record], weight: Weight) -> list[Record]:
    """The calls that change the weight, and those whose results these read, in their order."""
    wanted: list[Any] = []
    found: list[Record] = []
    for record in reversed(steps):
        made = record.call.made
        writes = any(np.may_share_memory(t.data, weight.variable.data) for t in made)
        if writes or any(t is w or (record.call.op.updates and _overlap(t.data, w.data, weight))
                         for t in made for w in wanted):
            found.append(record)
            wanted += [t for t in record.call.inputs if t.name != "iterations"]
    return found[::-1]


def _overlap(made: np.ndarray, read: np.ndarray, weight: Weight) -> bool:
    """Whether what is written is of what is read: where that is the whole block, of this weight's part of it."""
    if not np.may_share_memory(made, read):
        return False
    if read.shape != (weight.block,) or made.dtype != read.dtype:
        return True
    begin = (made.__array_interface__["data"][0] - read.__array_interface__["data"][0]) // read.itemsize
    return bool(begin < weight.offset + weight.before.size and weight.offset < begin + made.size)


def _lines(record: Record, weight: Weight, k: int) -> list[Any]:
    """A call's lines for element k of a weight."""
    if record.call.op.moves and record.call.outputs[0].shape == weight.variable.shape:
        return []       # the gradient put into its block
    numbers, made = _numbers(record, weight, k)
    if record.name == "clip_norm_step" and made:
        length = float(np.sqrt(np.square(record.inputs["g"], dtype=np.float64).sum()))
        norm = record.constants["norm"]
        return [Line("g", ("g·norm / max(norm, length of g)",
                           f"{short(numbers['g'])}·{norm:g} / max({norm:g}, {short(length)})"), made["g"])]
    if record.name in STEPS:
        return STEPS[record.name](numbers, made, record.constants) if made else []
    if not made:
        return []
    texts = {name: short(value) for name, value in {**record.constants, **numbers}.items()
             if isinstance(value, (int, float, np.generic, np.ndarray))}
    if record.call.op.moves:
        return [Line(record.results[0], (), next(iter(made.values())))]
    said = formula(record)
    left, _, right = said.partition(" = ")
    name, value = next(iter(made.items()))
    what = record.results[0] if not right or left == "y" else name
    right = (right or said).split(": ")[0]
    return [Line(what, (right, substituted(right.split(";")[0], texts)), value)]


def _numbers(record: Record, weight: Weight, k: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what the call reads for element k, what it makes of it): of arrays like the weight or like the whole block that
    it lies in, and of single numbers."""
    def element(array: np.ndarray) -> Any:
        if array.size == 1:
            return array.reshape(-1)[0]
        if array.shape == weight.before.shape:
            return array.flat[k]
        return array[weight.offset + k] if array.shape == (weight.block,) else None

    numbers = {name: value for name, array in record.inputs.items() if (value := element(array)) is not None}
    made = {name: value for name, array in record.outputs.items() if (value := element(array)) is not None}
    return numbers, made


# ---- the steps that are one kernel --------------------------------------------------------------------------------

def _sgd(n: dict[str, Any], made: dict[str, Any], constants: dict[str, Any]) -> list[Any]:
    return [Line("w", ("w - lr·g", f"{short(n['w'])} - {short(n['lr'])}·{short(n['g'])}"), made["w"])]


def _momentum(n: dict[str, Any], made: dict[str, Any], constants: dict[str, Any]) -> list[Any]:
    rate = constants["momentum"]
    lines = [Line("v", ("momentum·v - lr·g", f"{rate:g}·{short(n['v'])} - {short(n['lr'])}·{short(n['g'])}"),
                  made["v"])]
    if constants["nesterov"]:
        return [*lines, Line("w", ("w + momentum·v - lr·g", f"{short(n['w'])} + {rate:g}·{short(made['v'])} - "
                             f"{short(n['lr'])}·{short(n['g'])}"), made["w"])]
    return [*lines, Line("w", ("w + v", f"{short(n['w'])} + {short(made['v'])}"), made["w"])]


def _adam(n: dict[str, Any], made: dict[str, Any], constants: dict[str, Any]) -> list[Any]:
    """With both bias corrections by themselves, and as the kernel has them, in the rate."""
    first, second, t = constants["beta_1"], constants["beta_2"], int(n["step"]) + 1
    low, high, lr = 1 - first ** t, 1 - second ** t, float(n["lr"])
    rate = lr * high ** 0.5 / low
    spread = made.get("vhat", made["v"])
    lines = [
        Line("t", ("number of this step",), t),
        Line("m", ("m + (1 - β₁)·(g - m)", f"{short(n['m'])} + {1 - first:.4g}·({short(n['g'])} - {short(n['m'])})"),
             made["m"]),
        Line("v", ("v + (1 - β₂)·(g² - v)", f"{short(n['v'])} + {1 - second:.4g}·({short(n['g'])}² - {short(n['v'])})"),
             made["v"])]
    if "vhat" in made:
        lines.append(Line("v_max", ("max(v_max, v)", f"max({short(n['vhat'])}, {short(made['v'])})"), spread))
    lines += [
        Line("m̂", ("m / (1 - β₁ᵗ)", f"{short(made['m'])} / (1 - {first:g}^{t})"), made["m"] / low),
        Line("v̂", ("v / (1 - β₂ᵗ)", f"{short(spread)} / (1 - {second:g}^{t})"), spread / high),
        Line("rate", ("lr·√(1 - β₂ᵗ) / (1 - β₁ᵗ): both corrections in one factor",
                      f"{short(lr)}·√{short(high)} / {short(low)}"), rate),
        Line("w", ("w - rate·m / (√v + ε)", f"{short(n['w'])} - {short(rate)}·{short(made['m'])} / "
                   f"(√{short(spread)} + {constants['epsilon']:g})"), made["w"])]
    return lines


def _rmsprop(n: dict[str, Any], made: dict[str, Any], constants: dict[str, Any]) -> list[Any]:
    rho = constants["rho"]
    root = f"√({short(made['v'])} + {constants['epsilon']:g})"
    return [Line("v", ("rho·v + (1 - rho)·g²", f"{rho:g}·{short(n['v'])} + {1 - rho:.4g}·{short(n['g'])}²"), made["v"]),
            Line("w", ("w - lr·g / √(v + ε)", f"{short(n['w'])} - {short(n['lr'])}·{short(n['g'])} / {root}"),
                 made["w"])]


def _rmsprop_full(n: dict[str, Any], made: dict[str, Any], constants: dict[str, Any]) -> list[Any]:
    rho, rate, epsilon = constants["rho"], constants["momentum"], constants["epsilon"]
    lines, under = _rmsprop(n, made, constants)[:1], short(made["v"])
    if constants["centered"]:
        lines.append(Line("a", ("rho·a + (1 - rho)·g", f"{rho:g}·{short(n['a'])} + {1 - rho:.4g}·{short(n['g'])}"),
                          made["a"]))
        under += f" - {short(made['a'])}²"
    change = f"{short(n['lr'])}·{short(n['g'])} / √({under} + {epsilon:g})"
    what = "v - a²" if constants["centered"] else "v"
    if not rate:
        return [*lines, Line("w", (f"w - lr·g / √({what} + ε)", f"{short(n['w'])} - {change}"), made["w"])]
    grown = Line("m", (f"momentum·m + lr·g / √({what} + ε)", f"{rate:g}·{short(n['m'])} + {change}"), made["m"])
    return [*lines, grown, Line("w", ("w - m", f"{short(n['w'])} - {short(made['m'])}"), made["w"])]


def _decay(n: dict[str, Any], made: dict[str, Any], constants: dict[str, Any]) -> list[Any]:
    return [Line("w", ("w - lr·decay·w", f"{short(n['w'])} - {short(n['lr'])}·{constants['rate']:g}·{short(n['w'])}"),
                 made["w"])]


def _clip(n: dict[str, Any], made: dict[str, Any], constants: dict[str, Any]) -> list[Any]:
    limit = constants["value"]
    return [Line("g", (f"g, at least -{limit:g} and at most {limit:g}", f"max(-{limit:g}, min({limit:g}, "
                       f"{short(n['g'])}))"), made["g"])]


STEPS = {"sgd_step": _sgd, "momentum_step": _momentum, "adam_step": _adam, "adam_amsgrad_step": _adam,
         "rmsprop_step": _rmsprop, "rmsprop_full_step": _rmsprop_full, "decay_step": _decay, "clip_value_step": _clip}
