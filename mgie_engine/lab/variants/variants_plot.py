"""Means with their intervals as a small SVG: a line per model, panels side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, ROW, LEFT, TOP, GAP = 300, 28, 320, 34, 40  # pixels; the plots are WIDTH wide
INK, FAINT, DOT = "#333", "#ddd", "#0969da"
TICKS = (0, 0.25, 0.5, 0.75, 1)


@dataclass(frozen=True, slots=True)
class IntervalLine:
    """A share in 0…1 with its interval."""

    name: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class IntervalPanel:
    """One measure of every model; panels beside each other have the same models in the same order."""

    title: str
    lines: Sequence[IntervalLine]


def plot(panels: Sequence[IntervalPanel]) -> str:
    """An SVG file."""
    rows = max(len(panel.lines) for panel in panels)
    width, height = LEFT + len(panels) * (WIDTH + GAP), TOP + rows * ROW + 30
    names = "".join(
        f'<text x="{LEFT - 12}" y="{_y(row) + 4}" text-anchor="end">{escape(line.name)}</text>'
        for row, line in enumerate(panels[0].lines)
    )
    drawn = "".join(
        f'<g transform="translate({LEFT + place * (WIDTH + GAP)} 0)">{_panel(panel, rows)}</g>'
        for place, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">'
        f'<rect width="100%" height="100%" fill="#fff"/>{names}{drawn}</svg>\n'
    )


def _panel(panel: IntervalPanel, rows: int) -> str:
    bottom = TOP + rows * ROW
    ticks = "".join(
        f'<line x1="{_x(tick):.1f}" x2="{_x(tick):.1f}" y1="{TOP}" y2="{bottom}" stroke="{FAINT}"/>'
        f'<text x="{_x(tick):.1f}" y="{bottom + 18}" text-anchor="middle">{tick:.0%}</text>'
        for tick in TICKS
    )
    lines = "".join(_line(line, _y(row)) for row, line in enumerate(panel.lines))
    return f'<text x="0" y="20" font-weight="bold">{escape(panel.title)}</text>{ticks}{lines}'


def _line(line: IntervalLine, y: float) -> str:
    return (
        f'<line x1="{_x(line.low):.1f}" x2="{_x(line.high):.1f}" y1="{y}" y2="{y}" '
        f'stroke="{DOT}" stroke-width="2"/>'
        f'<circle cx="{_x(line.mean):.1f}" cy="{y}" r="4" fill="{DOT}"/>'
    )


def _x(share: float) -> float:
    return WIDTH * share


def _y(row: int) -> float:
    return TOP + (row + 0.5) * ROW
