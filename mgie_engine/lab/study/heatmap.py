"""Heat maps as SVG: success beside what was kept, a column per text CFG, a row per image CFG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from mgie_engine.lab.study.sweep_results import Strengths

WIDE, HIGH, GAP, MARGIN, HEAD = 58, 30, 30, 46, 30  # pixels
ACROSS = 4  # panels in a row
LOW_COLOUR, HIGH_COLOUR = (247, 243, 232), (42, 120, 110)
INK, PAPER = "#1e1d1b", "#ffffff"
DARK = 0.6  # share from which letters are white


@dataclass(frozen=True, slots=True)
class HeatMapPanel:
    """One map: a value per pair, and how it is written."""

    title: str
    values: Mapping[Strengths, float]
    low: float  # drawn in the lightest colour
    high: float  # drawn in the darkest
    form: str = "{:.0f}"


def heat_maps(title: str, panels: Sequence[HeatMapPanel], own: Strengths) -> str:
    """The panels, four a row, as the text of an SVG; the model's own pair has a frame."""
    texts = sorted({pair[0] for panel in panels for pair in panel.values})
    images = sorted({pair[1] for panel in panels for pair in panel.values})
    wide, high = MARGIN + len(texts) * WIDE + GAP, MARGIN + len(images) * HIGH + GAP
    rows = -(-len(panels) // ACROSS)
    width, height = min(ACROSS, len(panels)) * wide + GAP, HEAD + rows * high
    size = {"width": str(width), "height": str(height), "viewBox": f"0 0 {width} {height}"}
    page = Xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "font-family": "sans-serif"})
    Xml.SubElement(page, "rect", {"width": "100%", "height": "100%", "fill": PAPER})
    _write(page, (width / 2, 18), title, 14, bold=True)
    for number, panel in enumerate(panels):
        row, column = divmod(number, ACROSS)
        corner = (GAP + column * wide + MARGIN / 2, HEAD + row * high + MARGIN)
        _draw(page, panel, corner, (texts, images), own)
    Xml.indent(page, " ")
    return Xml.tostring(page, "unicode") + "\n"


def _draw(
    page: Xml.Element,
    panel: HeatMapPanel,
    corner: tuple[float, float],
    axes: tuple[Sequence[float], Sequence[float]],
    own: Strengths,
) -> None:
    (left, top), (texts, images) = corner, axes
    middle = left + len(texts) * WIDE / 2
    _write(page, (middle, top - 24), panel.title, 12)
    for column, text in enumerate(texts):
        _write(page, (left + (column + 0.5) * WIDE, top - 8), f"{text:g}", 11)
    for row, image in enumerate(images):
        _write(page, (left - 16, top + (row + 0.5) * HIGH), f"{image:g}", 11)
        for column, text in enumerate(texts):
            if (text, image) in panel.values:
                at = (left + column * WIDE, top + row * HIGH)
                _square(page, panel, at, panel.values[text, image], framed=(text, image) == own)
    _write(page, (middle, top + len(images) * HIGH + 14), "text CFG →, image CFG ↓", 10)


def _square(
    page: Xml.Element, panel: HeatMapPanel, at: tuple[float, float], value: float, *, framed: bool
) -> None:
    share = (
        min(1.0, max(0.0, (value - panel.low) / (panel.high - panel.low))) if panel.high > panel.low else 0
    )
    colour = "#" + "".join(
        f"{round(a + share * (b - a)):02x}" for a, b in zip(LOW_COLOUR, HIGH_COLOUR, strict=True)
    )
    inset = {"x": f"{at[0] + 1:g}", "y": f"{at[1] + 1:g}", "width": f"{WIDE - 2}", "height": f"{HIGH - 2}"}
    frame = {"stroke": INK, "stroke-width": "2"} if framed else {}
    Xml.SubElement(page, "rect", {**inset, "fill": colour, **frame})
    letters = PAPER if share > DARK else INK
    _write(page, (at[0] + WIDE / 2, at[1] + HIGH / 2), panel.form.format(value), 12, colour=letters)


def _write(
    page: Xml.Element,
    at: tuple[float, float],
    text: str,
    size: int,
    *,
    bold: bool = False,
    colour: str = INK,
) -> None:
    where = {"x": f"{at[0]:g}", "y": f"{at[1]:g}", "text-anchor": "middle", "dominant-baseline": "central"}
    weight = {"font-weight": "bold"} if bold else {}
    Xml.SubElement(page, "text", {**where, "font-size": str(size), "fill": colour, **weight}).text = text
