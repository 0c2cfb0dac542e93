"""Diagnosis: the findings about a network as text, as HTML for notebooks, and one by one. Floor 5."""

import html
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fastnn.engine.listing import aligned, room
from fastnn.reporting.finding import CHAPTERS, Finding
from fastnn.teaching.health.walk import Walk

__all__ = ["Diagnosis"]


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor found: a sequence of findings, each with `.name`, `.evidence`, `.chapter` and `.remedy`.

    seen: what was measured, in words, healthy or not. walk: the numbers of one training step, layer by layer, or None
    where none was made. `print(diagnosis)` is as wide as the terminal; in a notebook it shows itself.
    """
    name: str
    findings: Sequence[Finding]
    seen: Sequence[str] = ()
    walk: Walk | None = field(default=None, repr=False)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __bool__(self) -> bool:
        return True     # a diagnosis without findings is still one

    def __getitem__(self, name: int | str) -> Finding:
        """A finding by number or by name; KeyError naming those that there are."""
        if isinstance(name, int):
            return self.findings[name]
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise KeyError(f"the diagnosis has no {name!r}; there are {self.names or 'no findings'}.")

    def __contains__(self, name: object) -> bool:
        return name in self.names or name in self.findings

    @property
    def names(self) -> list[str]:
        """Of the findings."""
        return [finding.name for finding in self.findings]

    @property
    def title(self) -> str:
        """What came out, in a line."""
        count = len(self.findings)
        found = f"{count} finding{'s' * (count > 1)}" if count else "nothing to mend"
        return f"{self.name}: {found}"

    def __repr__(self) -> str:
        return f"<Diagnosis of {self.title}{': ' * bool(self.names)}{', '.join(self.names)}>"

    def __str__(self) -> str:
        width = room()
        lines = textwrap.wrap(self.title, width)
        for number, finding in enumerate(self.findings, 1):
            head = f"{number} {finding.name}"
            guide = f"chapter {finding.chapter}, {finding.topic}"
            fits = len(head) + len(guide) + 2 <= width
            lines += ["", f"{head}{guide:>{width - len(head)}}" if fits else head]
            lines += [] if fits else textwrap.wrap(guide, width, initial_indent="  ", subsequent_indent="  ")
            lines += textwrap.wrap(_sentence(finding.evidence), width, initial_indent="  ", subsequent_indent="  ")
            lines += textwrap.wrap(_sentence(finding.remedy), width, initial_indent="  -> ", subsequent_indent="     ")
        for text in self.seen:
            lines += ([] if text is not self.seen[0] else ["", "looked at"])
            lines += textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")
        table = self._table()
        if table:
            lines += ["", *(f"  {line}"[:width].rstrip() for line in aligned(table))]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """A card for each finding, and the layers folded beneath."""
        cards = "".join(
            f"<div style='border-left: 4px solid #D55E00; padding: 2px 10px; margin: 8px 0'>"
            f"<b>{html.escape(finding.name)}</b> <span style='color: #777'>chapter {finding.chapter}, "
            f"{html.escape(finding.topic)}</span><br>{html.escape(_sentence(finding.evidence))}<br>"
            f"<i>{html.escape(_sentence(finding.remedy))}</i></div>" for finding in self.findings)
        seen = "".join(f"<li>{html.escape(text)}</li>" for text in self.seen)
        table = self._table()
        head, *rows = ["".join(f"<{cell} style='text-align: left'>{html.escape(text)}</{cell}>" for text in row)
                       for cell, row in zip(["th"] + ["td"] * len(table), table)] if table else [""]
        layers = f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>" if table else ""
        colour = "#D55E00" if self.findings else "#009E73"
        return (f"<div><b style='color: {colour}'>{html.escape(self.title)}</b>{cards}"
                f"<details><summary>what was looked at</summary><ul>{seen}</ul>{layers}</details></div>")

    def _table(self) -> list[list[str]]:
        """A row for each layer with weights: gradient, how far the step moves it, and its units without use."""
        if self.walk is None or not self.walk.weights:
            return []
        units = {each.layer: each for each in self.walk.units}
        rows = [["layer", "gradient", "step / weight", "units"]]
        for layer in dict.fromkeys([w.layer for w in self.walk.weights]):
            mine = [w for w in self.walk.weights if w.layer == layer]
            largest = max(mine, key=lambda w: (w.axes, w.norm))
            found = units.get(layer)
            rows.append([layer or "(model)", "none" if largest.gradient is None else f"{largest.gradient:.2g}",
                         f"{largest.ratio:.2g}", "" if found is None else
                         f"{found.share:.0%} of {found.size} {_WORDS.get(found.function, 'saturated')}"])
        return rows


_WORDS = dict.fromkeys(("relu", "relu6", "clipped_relu"), "dead")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else text + "."


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Each illness once, in the order of the guide's table: data, network, training."""
    order = list(CHAPTERS)
    return sorted(dict.fromkeys(findings), key=lambda finding: order.index(finding.name))


def number_text(value: float) -> str:
    """Three digits, or what is not finite in words."""
    return f"{value:.3g}" if math.isfinite(value) else "not a number"
