"""Curves over the turns of a chain as a small SVG: two panels side by side."""

from collections.abc import Mapping, Sequence

PANEL, HEIGHT, LEFT, TOP, GAP = 330, 250, 44, 40, 70  # pixels; the plots are PANEL wide
LOW, HIGH, STEP = 10, 80, 10  # dB
INK, FAINT = "#333", "#ddd"
COLOURS = {"delivered": "#1a7f37", "restored": "#0969da", "raw": "#cf222e"}

Curves = Mapping[str, Sequence[float]]  # the name of a way → dB per turn


def chart(panels: Mapping[str, Curves]) -> str:
    """An SVG file: one panel per title, PSNR against the first picture by turn."""
    width = len(panels) * (LEFT + PANEL + GAP)
    drawn = "".join(
        f'<g transform="translate({LEFT + number * (LEFT + PANEL + GAP)} {TOP})">{_panel(title, curves)}</g>'
        for number, (title, curves) in enumerate(panels.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{TOP + HEIGHT + 40}" '
        f'font-family="sans-serif" font-size="11" fill="{INK}">'
        f'<rect width="100%" height="100%" fill="#fff"/>{drawn}</svg>\n'
    )


def _panel(title: str, curves: Curves) -> str:
    lines = "".join(
        f'<line x2="{PANEL}" y1="{_y(db):.1f}" y2="{_y(db):.1f}" stroke="{FAINT}"/>'
        f'<text x="-6" y="{_y(db) + 4:.1f}" text-anchor="end">{db}</text>'
        for db in range(LOW, HIGH + 1, STEP)
    )
    turns = max(map(len, curves.values()))
    ticks = "".join(
        f'<text x="{_x(turn, turns):.1f}" y="{HEIGHT + 16}" text-anchor="middle">{turn + 1}</text>'
        for turn in range(turns)
    )
    drawn = "".join(_curve(name, curve) for name, curve in curves.items())
    return (
        f'<text x="0" y="-18" font-size="13" font-weight="bold">{title}</text>{lines}{ticks}'
        f'<text x="{PANEL / 2}" y="{HEIGHT + 32}" text-anchor="middle">turn</text>{drawn}'
    )


def _curve(name: str, curve: Sequence[float]) -> str:
    points = " ".join(f"{_x(turn, len(curve)):.1f},{_y(db):.1f}" for turn, db in enumerate(curve))
    colour = COLOURS[name]
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        f'<text x="{PANEL + 4}" y="{_y(curve[-1]) + 4:.1f}" fill="{colour}">{name}</text>'
    )


def _x(turn: int, turns: int) -> float:
    return PANEL * (turn + 0.5) / turns


def _y(db: float) -> float:
    return HEIGHT * (HIGH - min(max(db, LOW), HIGH)) / (HIGH - LOW)
