"""Results of variants as a table and a plot. Every figure has its 95 % interval by bootstrap over edits."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversations.atomic_write import write_atomically
from mgie_engine.lab.charts import IntervalPanel, intervals
from mgie_engine.lab.evaluation.docs_inject import inject
from mgie_engine.lab.evaluation.results import ALL, AMBIGUOUS, Result
from mgie_engine.lab.evaluation.scenes_figures import Figure, figure, points

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
    """Two tables and the plot, of everything a file of results holds."""
    results: Mapping[str, Result] = found["variants"]
    rows = summarise(results)
    head = (
        "| variant | success, all kinds | success, ambiguous | against end to end, ambiguous "
        "| names it rightly, ambiguous | facts true |\n|---|---|---|---|---|---|\n"
    )
    table = "".join(
        f"| {row.title} | {_share(row.success[ALL])} | {_share(row.success[AMBIGUOUS])} "
        f"| {points(row.behind)} | {_share(row.resolved)} | {_share(row.facts)} |\n"
        for row in rows
    )
    return "\n".join(
        [_how(found), head + table, f"![Success by variant]({images}/{PLOT})\n", _kinds(results)]
    )


def _how(found: Mapping[str, Any]) -> str:
    training, trial = found["training"], found["trial"]
    first: Result = next(iter(found["variants"].values()))
    knobs = first["settings"]
    return (
        f"{training['steps']:,} steps of {training['batch_size']} edits, drawn from {training['edits']:,}; "
        f"tried on {trial['count']} edits of all kinds and {trial['ambiguous']} ambiguous ones of the "
        f"{trial['split']} split, pictures painted of each: {trial['seeds']}, with {knobs['steps']} steps "
        f"of {knobs['sampler']}, text CFG {knobs['text_cfg']:g}, image CFG {knobs['image_cfg']:g}.\n"
    )


def _kinds(results: Mapping[str, Result]) -> str:
    """Success by kind, of the edits of all kinds; means alone, the sets are small."""
    counts: dict[str, int] = {}
    for edit in next(iter(results.values()))["sets"][ALL]:
        counts[edit["kind"]] = counts.get(edit["kind"], 0) + 1
    kinds = sorted(counts)
    lines = ["| success by kind (edits) | " + " | ".join(f"{kind} ({counts[kind]})" for kind in kinds) + " |"]
    lines.append("|---" * (1 + len(kinds)) + "|")
    for result in results.values():
        means = (
            figure([edit["success"] for edit in result["sets"][ALL] if edit["kind"] == kind])
            for kind in kinds
        )
        lines.append(f"| {result['title']} | " + " | ".join(f"{m.mean:.0%}" for m in means if m) + " |")
    return "\n".join(lines) + "\n"


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


def write_docs(found: Mapping[str, Any], page: Path) -> None:
    """Put tables and plot into a page that has the marks; DataError if it has none."""
    inject(page, PLACE, to_markdown(found))
    write_atomically(page.parent / "images" / PLOT, to_svg(found).encode())


def _share(found: Figure | None) -> str:
    return "–" if found is None else f"{found.mean:.1%} ({found.low:.1%}–{found.high:.1%})"
