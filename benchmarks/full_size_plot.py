"""A picture of what `full_size` measured."""

from pathlib import Path
from typing import Any


def plot(report: dict[str, Any], file: Path) -> None:
    """Bars: seconds of one edit, and edits a second for the largest crowd, published and ours."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ours, published = report["ours"], report.get("published", {}).get("alone", {})
    steps = list(ours["alone"])
    crowd = max(int(name.split(" x ")[0]) for name in ours["crowds"])
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    sides = {
        "one edit, seconds": (
            [published.get(s, {}).get("edit_s", 0) for s in steps],
            [ours["alone"][s]["edit_s"] for s in steps],
        ),
        f"{crowd} people at once, edits a second": (
            [published.get(s, {}).get("edits_per_s", 0) for s in steps],
            [ours["crowds"][f"{crowd} x {s}"]["edits_per_s"] for s in steps],
        ),
    }
    for axis, (title, (theirs, own)) in zip(axes, sides.items(), strict=True):
        places = range(len(steps))
        for offset, name, values in ((-0.2, "published path", theirs), (0.2, f"level {ours['level']}", own)):
            bars = axis.bar([place + offset for place in places], values, 0.38, label=name)
            axis.bar_label(bars, fmt="%.2f", fontsize=8)
        axis.set_xticks(list(places), [f"{s} steps" for s in steps])
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(fontsize=8)
    figure.suptitle(f"MGIE-7B's size, random weights, fp16, {report['device']}", fontsize=10)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=120)
