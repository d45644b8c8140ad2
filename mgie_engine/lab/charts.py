"""Charts of the lab as SVG text, by matplotlib (extra `training`). The same values give the same text."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mgie_engine.lab.optional_packages import training_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pair = tuple[float, float]  # text CFG, image CFG
ACROSS = 4  # heat maps in a row
INK, PAPER, LOW_COLOUR, HIGH_COLOUR = "#1e1d1b", "#ffffff", "#f7f3e8", "#2a786e"
CURVE_COLOURS = {"delivered": "#1a7f37", "restored": "#0969da", "raw": "#cf222e"}
DECIBELS = 10, 82  # ends of the axis


@dataclass(frozen=True, slots=True)
class HeatMapPanel:
    """One heat map: a value per pair of strengths."""

    title: str
    values: Mapping[Pair, float]
    low: float  # drawn in the lightest colour
    high: float  # drawn in the darkest colour


@dataclass(frozen=True, slots=True)
class IntervalPanel:
    """One measure of several models: by the model's name a share in 0…1 with the ends of its interval."""

    title: str
    shares: Mapping[str, tuple[float, float, float]]


def heat_maps(title: str, panels: Sequence[HeatMapPanel], own: Pair) -> str:
    """Heat maps, four a row, a column per text CFG and a row per image CFG; a frame marks the pair `own`."""
    texts = sorted({pair[0] for panel in panels for pair in panel.values})
    images = sorted({pair[1] for panel in panels for pair in panel.values})
    across, down = min(ACROSS, len(panels)), -(-len(panels) // ACROSS)
    figure = _figure(across * (0.7 * len(texts) + 1.6), down * (0.4 * len(images) + 1.2) + 0.3)
    figure.suptitle(title, fontweight="bold")
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(down, across, number + 1)
        _draw_heat_map(axes, panel, (texts, images), own)
    return _svg(figure)


def _draw_heat_map(
    axes: "Axes", panel: HeatMapPanel, ticks: tuple[Sequence[float], Sequence[float]], own: Pair
) -> None:
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.patches import Rectangle

    texts, images = ticks
    cells = [[panel.values.get((text, image), float("nan")) for text in texts] for image in images]
    norm = Normalize(panel.low, panel.high, clip=True)
    colours = LinearSegmentedColormap.from_list("share", [LOW_COLOUR, HIGH_COLOUR])
    axes.pcolormesh(cells, cmap=colours, norm=norm, edgecolor=PAPER, linewidth=2)
    for (text, image), value in panel.values.items():
        left, top = texts.index(text), images.index(image)
        ink = PAPER if norm(value) > 0.6 else INK
        axes.text(left + 0.5, top + 0.5, f"{value:.0f}", ha="center", va="center", color=ink)
        if (text, image) == own:
            axes.add_patch(Rectangle((left, top), 1, 1, fill=False, edgecolor=INK, linewidth=2))
    axes.set(title=panel.title, xlabel="text CFG", ylabel="image CFG")
    axes.set_xticks([n + 0.5 for n in range(len(texts))], [f"{text:g}" for text in texts])
    axes.set_yticks([n + 0.5 for n in range(len(images))], [f"{image:g}" for image in images])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.invert_yaxis()


def intervals(panels: Sequence[IntervalPanel]) -> str:
    """Panels side by side with a row per model: the mean as a dot, its interval as a line."""
    names = list(panels[0].shares)
    figure = _figure(3.5 * len(panels) + 3.5, 0.35 * len(names) + 1.0)
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), number + 1)
        means = [100 * panel.shares[name][0] for name in names]
        ends = [
            [abs(100 * panel.shares[n][i] - m) for n, m in zip(names, means, strict=True)] for i in (1, 2)
        ]
        axes.errorbar(means, range(len(names)), xerr=ends, fmt="o", color="#0969da")
        axes.set(title=panel.title, xlabel="share of edits (%)", xlim=(0, 100))
        axes.set_yticks(range(len(names)), names if number == 0 else [""] * len(names))
        axes.grid(axis="x", color="#ddd")
        axes.invert_yaxis()
    return _svg(figure)


def curves(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Panels side by side with PSNR (dB) by turn: for each title, a curve per name of CURVE_COLOURS."""
    figure = _figure(4.5 * len(panels), 3.6)
    for number, (title, lines) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), number + 1)
        for name, values in lines.items():
            turns = range(1, len(values) + 1)
            axes.plot(turns, values, label=name, color=CURVE_COLOURS[name], marker=".")
        axes.set(title=title, xlabel="turn", ylabel="PSNR (dB)", ylim=DECIBELS)
        axes.set_xticks(range(1, max(map(len, lines.values())) + 1))
        axes.grid(axis="y", color="#ddd")
        axes.legend()
    return _svg(figure)


def _figure(width: float, height: float) -> "Figure":
    """An empty figure, sizes in inches; DataError where matplotlib is not installed."""
    figure = training_package("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
    return cast("Figure", figure)


def _svg(figure: "Figure") -> str:
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mgie"}):  # text as text, and fixed ids
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
