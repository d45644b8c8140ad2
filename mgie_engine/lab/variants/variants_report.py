"""Results of variants as a table and a plot. Every figure has its 95 % interval by bootstrap over edits."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgie_engine.lab.charts import IntervalPanel, intervals
from mgie_engine.lab.evaluation.results import ALL, AMBIGUOUS, Result
from mgie_engine.lab.evaluation.scenes_figures import Figure, figure, points
from mgie_engine.lab.templating import render

WHOLE = "mgie"  # what the others are compared with
PLACE, PLOT = "variants", "variants.svg"  # marks on a page; beside it, in images/


@dataclass(frozen=True, slots=True)
class VariantSummary:
    """One variant's figures; None where there is nothing to measure."""

    title: str
    success: Mapping[str, Figure | None]  # by set
    behind: Figure | None  # on the same ambiguous edits, success less that of the whole model
    resolved: Figure | None  # of ambiguous edits, how many it names rightly
    facts: Figure | None  # of facts it states about any edit, how many are true


def summarise(results: Mapping[str, Result]) -> list[VariantSummary]:
    """Figures of every variant, in the order of the results."""
    whole = results.get(WHOLE)
    return [_compared(result, None if name == WHOLE else whole) for name, result in results.items()]


def _compared(result: Result, whole: Result | None) -> VariantSummary:
    sets, speaks = result["sets"], result["speaks"]
    behind = None
    if whole:
        pairs = zip(sets[AMBIGUOUS], whole["sets"][AMBIGUOUS], strict=True)
        behind = figure([mine["success"] - its["success"] for mine, its in pairs])
    said, unclear = (sets[ALL], sets[AMBIGUOUS]) if speaks else ((), ())
    return VariantSummary(
        result["title"],
        {name: figure([edit["success"] for edit in edits]) for name, edits in sets.items()},
        behind,
        figure([edit["resolved"] for edit in unclear]),
        figure([edit["true"] / edit["stated"] for edit in said], [edit["stated"] for edit in said]),
    )


def to_markdown(found: Mapping[str, Any], images: str = "images") -> str:
    """Two tables and the plot of all results in a file."""
    results: Mapping[str, Result] = found["variants"]
    rows = [
        (
            row.title,
            *(_share(row.success[name]) for name in (ALL, AMBIGUOUS)),
            points(row.behind),
            _share(row.resolved),
            _share(row.facts),
        )
        for row in summarise(results)
    ]
    first: Result = next(iter(results.values()))
    counts = Counter(edit["kind"] for edit in first["sets"][ALL])
    kinds = sorted(counts)
    text = render(
        "variants.md",
        training=found["training"],
        trial=found["trial"],
        settings=first["settings"],
        rows=rows,
        plot=f"{images}/{PLOT}",
        kind_head=["success by kind (edits)", *(f"{kind} ({counts[kind]})" for kind in kinds)],
        kind_rows=[[result["title"], *_means_by_kind(result, kinds)] for result in results.values()],
    )
    return text.strip() + "\n"


def _means_by_kind(result: Result, kinds: Sequence[str]) -> Iterator[str]:
    """Success by kind, of the edits of all kinds; means alone, the sets are small."""
    for kind in kinds:
        if mean := figure([edit["success"] for edit in result["sets"][ALL] if edit["kind"] == kind]):
            yield f"{mean.mean:.0%}"


def to_svg(found: Mapping[str, Any]) -> str:
    """Success of every variant with its interval, all kinds beside ambiguous ones."""
    rows = summarise(found["variants"])
    titles = {ALL: "success, all kinds", AMBIGUOUS: "success, ambiguous edits"}
    return intervals(
        [
            IntervalPanel(
                title, {row.title: (f.mean, f.low, f.high) for row in rows if (f := row.success[name])}
            )
            for name, title in titles.items()
        ]
    )


def _share(found: Figure | None) -> str:
    return "–" if found is None else f"{found.mean:.1%} ({found.low:.1%}–{found.high:.1%})"
