# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plot: time against the size of the fleet, a panel for each latency. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from xml.etree import ElementTree as Xml

from .results import Results
from .tables import duration
from .targets import milliseconds

TITLE = "Time against the size of the fleet"
# The picture brings its own background: the page around it may be light or dark, whatever the
# reader's system prefers.
_NAME = "infisical-benchmark"
_STYLE = """
.NAME .card { fill: #ffffff; stroke: #d0d7de; }
.NAME text { fill: #1f2328; font: 13px system-ui, sans-serif; }
.NAME .title { font-size: 15px; font-weight: 600; }
.NAME .grid { stroke: #d8dee4; }
.NAME .line { fill: none; stroke-width: 2.5; }
.NAME .extrapolated { stroke-dasharray: 6 4; }
.NAME .uri { stroke: #bc4c00; color: #bc4c00; }
.NAME .task { stroke: #0969da; color: #0969da; }
.NAME .bare { stroke: #57606a; color: #57606a; }
.NAME circle { fill: currentColor; }
@media (prefers-color-scheme: dark) {
  .NAME .card { fill: #161b22; stroke: #30363d; }
  .NAME text { fill: #e6edf3; }
  .NAME .grid { stroke: #30363d; }
  .NAME .uri { stroke: #ffa657; color: #ffa657; }
  .NAME .task { stroke: #58a6ff; color: #58a6ff; }
  .NAME .bare { stroke: #9ea7b3; color: #9ea7b3; }
}
""".replace("NAME", _NAME)

_WIDTH, _HEIGHT = 300, 300
_LEFT, _TOP, _BOTTOM = 64, 84, 48
_GAP = 20


@dataclass(frozen=True)
class Line:
    """Points of size and seconds, ascending, and how they are drawn."""

    label: str
    kind: str
    points: list[tuple[float, float]]


def lines_of(results: Results, latency: float) -> list[Line]:
    """What a panel shows: the lines of one latency, the slowest first."""
    fleets = sorted(
        (fleet for fleet in results.fleets if fleet.latency == latency and fleet.is_audit),
        key=lambda fleet: fleet.size,
    )
    slow = results.uri_loop(latency)
    return [
        Line(
            "loop of uri tasks (extrapolated)",
            "uri extrapolated",
            [(fleet.size, slow.seconds(fleet.size)) for fleet in fleets],
        ),
        Line(
            "infisical_identities",
            "task",
            [(fleet.size, median(fleet.task)) for fleet in fleets],
        ),
        Line("bare loop", "bare", [(fleet.size, median(fleet.bare)) for fleet in fleets]),
    ]


@dataclass(frozen=True)
class Scale:
    """A logarithmic axis: values between `low` and `high` on pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.start + part * (self.end - self.start), 1)


# Times that people think in, in seconds.
_TICKS = {
    0.001: "1 ms",
    0.01: "10 ms",
    0.1: "0.1 s",
    1: "1 s",
    10: "10 s",
    60: "1 min",
    600: "10 min",
    3600: "1 h",
    36000: "10 h",
}


def ticks_around(values: Sequence[float]) -> list[float]:
    """The ticks that all values are between."""
    ticks = list(_TICKS)
    first = max(bisect_right(ticks, min(values)) - 1, 0)
    return ticks[first : bisect_left(ticks, max(values)) + 1]


def plot(results: Results) -> str:
    """The plot as SVG."""
    latencies = sorted({fleet.latency for fleet in results.fleets})
    panels = {latency: lines_of(results, latency) for latency in latencies}
    points = [point for lines in panels.values() for line in lines for point in line.points]
    ticks = ticks_around([seconds for _size, seconds in points])
    sizes = sorted({size for size, _seconds in points})
    width = _LEFT + len(panels) * (_WIDTH + _GAP)
    height = _TOP + _HEIGHT + _BOTTOM
    svg = Xml.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": _NAME,
            "viewBox": f"0 0 {width} {height}",
            "role": "img",
            "aria-label": TITLE,
        },
    )
    Xml.SubElement(svg, "style").text = _STYLE
    _element(svg, "rect", "card", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=6)
    for number, line in enumerate(next(iter(panels.values()))):
        _legend(svg, line, _LEFT + 270 * number)
    y = Scale(ticks[0], ticks[-1], _TOP + _HEIGHT, _TOP)
    for number, (latency, lines) in enumerate(panels.items()):
        left = _LEFT + number * (_WIDTH + _GAP)
        x = Scale(sizes[0] / 1.3, sizes[-1] * 1.3, left, left + _WIDTH)
        _text(svg, f"latency {milliseconds(latency)}", left + _WIDTH / 2, _TOP - 10, "title")
        for tick in ticks:
            _element(svg, "line", "grid", x1=left, x2=left + _WIDTH, y1=y.at(tick), y2=y.at(tick))
            if number == 0:
                _text(svg, _TICKS[tick], left - 8, y.at(tick) + 4, anchor="end")
        for size in sizes:
            _element(svg, "line", "grid", x1=x.at(size), x2=x.at(size), y1=_TOP, y2=_TOP + _HEIGHT)
            _text(svg, f"{size:,}", x.at(size), _TOP + _HEIGHT + 18)
        for line in lines:
            _draw(svg, line, x, y)
        _text(svg, "identities", left + _WIDTH / 2, _TOP + _HEIGHT + 38)
    Xml.indent(svg)
    return Xml.tostring(svg, encoding="unicode") + "\n"


def _draw(svg: Xml.Element, line: Line, x: Scale, y: Scale) -> None:
    at = [(x.at(size), y.at(seconds)) for size, seconds in line.points]
    path = " ".join(f"{left},{top}" for left, top in at)
    _element(svg, "polyline", f"line {line.kind}", points=path)
    for left, top in at:
        _element(svg, "circle", line.kind.split()[0], cx=left, cy=top, r=4)
    if line.kind != "bare":
        _text(svg, duration(line.points[-1][1]), at[-1][0], at[-1][1] - 12)


def _legend(svg: Xml.Element, line: Line, left: float) -> None:
    _element(svg, "line", f"line {line.kind}", x1=left, x2=left + 36, y1=28, y2=28)
    _text(svg, line.label, left + 44, 32, anchor="start")


def _text(
    svg: Xml.Element, text: str, x: float, y: float, kind: str = "", anchor: str = "middle"
) -> None:
    attributes = {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor}
    if kind:
        attributes["class"] = kind
    Xml.SubElement(svg, "text", attributes).text = text


def _element(svg: Xml.Element, name: str, kind: str, **attributes: float | str) -> None:
    values = {key: str(value) for key, value in attributes.items()}
    Xml.SubElement(svg, name, {"class": kind, **values})
