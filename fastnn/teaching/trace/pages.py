"""The board as HTML that opens and closes, and as LaTeX. Floor 5."""

import re
from collections.abc import Sequence
from typing import Any

from fastnn.markup import escaped
from fastnn.teaching.trace.board import Fold, Line

WIDE = 100      # characters of a line; of a longer one each side has its own
STYLE = ("font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.85em; line-height: 1.5; "
         "font-variant-ligatures: none; color: inherit")


def as_html(title: str, sections: Sequence[Fold]) -> str:
    """Nested <details>: sections and layers are open, what is inside of them opens at a click. No script."""
    inner = "".join(_html(section, 0) for section in sections)
    return (f'<details open class="fastnn-trace" style="{STYLE}"><summary><b>{escaped(title)}</b></summary>'
            f'<div style="margin-left: 1.2em">{inner}</div></details>')


def _html(item: Any, depth: int) -> str:
    if isinstance(item, Fold):
        inner = "".join(_html(each, depth + 1) for each in item.items)
        title = escaped(item.title)
        return (f"<details{' open' * (depth < 2)}><summary>{f'<b>{title}</b>' if depth < 2 else title}</summary>"
                f'<div style="margin-left: 1.2em">{inner}</div></details>')
    if isinstance(item, Line):
        steps = [escaped(step) for step in item.steps]
        if item.value is not None:
            steps[-1] = f"<b>{steps[-1]}</b>"
        left = escaped(item.left)
        if len(item.left) + sum(len(step) + 3 for step in item.steps) <= WIDE:
            return f"<div>{' = '.join([left, *steps])}</div>"
        rest = "".join(f'<div style="padding-left: 4em; text-indent: -2em">= {step}</div>' for step in steps[1:])
        return f'<div style="padding-left: 2em; text-indent: -2em">{left} = {steps[0]}</div>{rest}'
    return f'<div style="opacity: 0.7">{escaped(item)}</div>'


# ---- LaTeX --------------------------------------------------------------------------------------------------------

SIGNS = {
    "·": r" \cdot ", "Σ": r"\sum ", "√": r"\sqrt", "…": r"\ldots", "²": "^2", "³": "^3", "ᵀ": r"^\top",
    "ŷ": r"\hat{y}", "m̂": r"\hat{m}", "v̂": r"\hat{v}", "x̂": r"\hat{x}", "β₁ᵗ": r"\beta_1^t", "β₂ᵗ": r"\beta_2^t",
    "β₁": r"\beta_1", "β₂": r"\beta_2", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "ε": r"\epsilon", "μ": r"\mu",
    "π": r"\pi", "φ": r"\varphi", "Φ": r"\Phi", "∞": r"\infty", "≥": r"\ge ", "≤": r"\le ", "≠": r"\ne ",
    "→": r"\to ", "∫": r"\int ", "±": r"\pm ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⁻": "^-", "ˣ": "^x", "ᵗ": "^t",
    "ₜ": "_t", "₀": "_0", "₁": "_1", "₂": "_2"}
SPECIAL = {"#": r"\#", "%": r"\%", "&": r"\&", "$": r"\$", "~": r"\textasciitilde{}", "\\": r"\textbackslash{}"}


def as_latex(title: str, sections: Sequence[Fold]) -> str:
    """Headings and align* blocks, to be put into a document that uses amsmath."""
    found = [rf"\section*{{{_plain(title)}}}"]
    for section in sections:
        found += _latex(section, 1)
    return "\n".join(found) + "\n"


def _latex(item: Any, depth: int) -> list[str]:
    if not isinstance(item, Fold):
        return [rf"\noindent {_plain(item)}\\"]
    level = (r"\subsection*", r"\subsubsection*", r"\paragraph")[min(depth, 3) - 1]
    found = [rf"{level}{{{_plain(item.title)}}}"]
    lines: list[Line] = []
    for each in [*item.items, None]:
        if isinstance(each, Line):
            lines.append(each)
            continue
        if lines:
            found += [r"\begin{align*}", " \\\\\n".join(_equation(line) for line in lines), r"\end{align*}"]
            lines = []
        if each is not None:
            found += _latex(each, depth + 1)
    return found


def _equation(line: Line) -> str:
    return " ".join([_math(line.left), *(f"&= {_math(step)}" if not i else rf"\\ &= {_math(step)}"
                                         for i, step in enumerate(line.steps))])


def _plain(text: str) -> str:
    """Text outside of formulas; signs that only formulas have go into one."""
    text = "".join(SPECIAL.get(char, char) for char in text).replace("_", r"\_").replace("^", r"\^{}")
    text = text.replace("->", r"$\to$")
    pattern = "|".join(sorted(map(re.escape, SIGNS), key=len, reverse=True))
    return re.sub(pattern, lambda found: f"${SIGNS[found[0]].strip()}$", text)


FUNCTIONS = "ln|log|max|min|exp|tanh|sinh|cosh|sin|cos|tan"
TOKEN = re.compile(rf"""
      d(?P<top>L|[a-zŷ])\ ?/\ ?d\ ?(?P<bottom>[^\W\d_][\w/]*)                       # dL/dw1
    | (?P<digits>\d+(?:\.\d+)?)e\+?(?P<exponent>-?)0*(?P<power>\d+)                # 1e-05
    | (?P<function>{FUNCTIONS})(?![A-Za-z])
    | (?P<words>\ ?(?!(?:{FUNCTIONS})(?![A-Za-z]))[A-Za-z_]{{2,}}(?:,?\ [A-Za-z_]+(?![\d(]))*\ ?)
      (?P<number>\d*)(?:\[(?P<at>[\d,]+)\])?
    | (?P<letter>[A-Za-z])(?P<index>\d*)(?:\[(?P<spot>[\d,]+)\])?
    | \^(?P<raised>\((?:[^()]|\([^()]*\))*\)|-?\w+(?:\.\d+)?)
    | √(?P<root>\((?:[^()]|\([^()]*\))*\)|[\w.]+)
    | \[(?P<place>[\d,]+)\]
    | (?P<sign>{'|'.join(sorted(map(re.escape, [*SIGNS, *SPECIAL, '_']), key=len, reverse=True))})""", re.VERBOSE)


def _math(text: str) -> str:
    """A side of an equation: dL/dw1 as a fraction, w1 with an index, words upright, 1e-05 as a power of ten."""
    return TOKEN.sub(_translated, text)


def _translated(found: "re.Match[str]") -> str:
    part = {name: value or "" for name, value in found.groupdict().items()}
    indices = [part[name] for name in ("index", "number", "at", "spot") if part[name]]
    below = f"_{{{','.join(indices)}}}" if indices else ""
    if part["top"]:
        return rf"\frac{{\partial {_math(part['top'])}}}{{\partial {_math(part['bottom'])}}}"
    if part["digits"]:
        return rf"{part['digits']} \cdot 10^{{{part['exponent']}{part['power']}}}"
    if part["function"]:
        return rf"\{part['function']} "
    if part["words"]:
        return rf"\text{{{part['words'].replace('_', ' ')}}}{below}"
    if part["letter"]:
        return part["letter"] + below
    if part["raised"]:
        return f"^{{{_math(part['raised'])}}}"
    if part["root"]:
        return rf"\sqrt{{{_math(part['root'])}}}"
    if part["place"]:
        return f"_{{{part['place']}}}"
    return {**SIGNS, **SPECIAL, "_": r"\_"}[part["sign"]]
