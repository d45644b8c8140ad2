"""Figures of an evaluation on scenes, each with its 95 % interval. Knows no torch.

Shares of edits that succeed or not have Wilson's interval, all else one by bootstrap over edits: where every
edit succeeds, resampling finds no doubt at all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgie_engine.lab.evaluation.scene_cases import PictureScore, TextScore

RESAMPLES = 1000
Z = 1.96  # standard deviations of a 95 % interval
TALKING = ("follow-up",)  # kinds whose words lean on earlier turns


@dataclass(frozen=True, slots=True)
class SceneResult:
    """One edit: what was said, and every picture made of it."""

    kind: str
    said: TextScore
    raw: Sequence[PictureScore]  # one per sampling seed
    delivered: Sequence[PictureScore]


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    def listed(self, digits: int = 4) -> list[float]:
        """As JSON has it."""
        return [round(value, digits) for value in (self.mean, self.low, self.high)]


def figure(
    values: Collection[float], weights: Sequence[float] | None = None, fewest: int = 1
) -> Figure | None:
    """The mean of values (nan left out), weighted if weights are given; None for fewer than `fewest`."""
    found = np.asarray(list(values), dtype=float)
    weight = np.ones_like(found) if weights is None else np.asarray(weights, dtype=float)
    known = ~np.isnan(found) & (weight > 0)
    found, weight = found[known], weight[known]
    if len(found) < fewest:
        return None
    drawn = np.random.default_rng(0).integers(0, len(found), (RESAMPLES, len(found)))
    means = (found * weight)[drawn].sum(1) / weight[drawn].sum(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Figure(float((found * weight).sum() / weight.sum()), float(low), float(high))


def share(values: Collection[float]) -> Figure | None:
    """The share of edits that succeed (1) and do not (0); None for none."""
    count = len(values)
    if not count:
        return None
    mean = sum(values) / count
    middle = (mean + Z**2 / (2 * count)) / (1 + Z**2 / count)
    reach = Z / (1 + Z**2 / count) * (mean * (1 - mean) / count + (Z / (2 * count)) ** 2) ** 0.5
    return Figure(mean, max(0.0, middle - reach), min(1.0, middle + reach))


def points(found: Figure | None, digits: int = 1) -> str:
    """A difference of shares in percentage points, with its interval; "–" where there is none."""
    if found is None:
        return "–"
    mean, low, high = (100 * value for value in (found.mean, found.low, found.high))
    return f"{mean:+.{digits}f} ({low:+.{digits}f} … {high:+.{digits}f})"


def summary(rows: Sequence[SceneResult]) -> dict[str, Any]:
    """All figures of the rows, as JSON has them: [mean, low, high]."""
    kinds = sorted({row.kind for row in rows})
    return {
        "kinds": {
            kind: _by_kind(rows if kind == "all" else [row for row in rows if row.kind == kind])
            for kind in (*kinds, "all")
        },
        "kept_db": {
            "raw": _listed([_mean(shown.kept_db for shown in row.raw) for row in rows], 2),
            "delivered": _listed([_mean(shown.kept_db for shown in row.delivered) for row in rows], 2),
        },
        "facts_true": _facts(rows),
        "resolved_follow_ups": _shares([row.said.resolved for row in rows if row.kind in TALKING]),
    }


def _by_kind(rows: Sequence[SceneResult]) -> dict[str, Any]:
    return {
        "count": len(rows),
        "success": _shares([_mean(shown.success for shown in row.delivered) for row in rows]),
        "success_raw": _shares([_mean(shown.success for shown in row.raw) for row in rows]),
        "resolved": _shares([row.said.resolved for row in rows]),
        "word_for_word": _shares([row.said.word_for_word for row in rows]),
        "facts_true": _facts(rows),
        "kept_db": _listed([_mean(shown.kept_db for shown in row.delivered) for row in rows], 2),
    }


def _facts(rows: Sequence[SceneResult]) -> list[float] | None:
    """Share of stated facts that are true; an edit that states more counts for more."""
    shares = [row.said.true / row.said.stated for row in rows]
    return _listed(shares, weights=[row.said.stated for row in rows])


def drift_summary(chains: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Mean PSNR (dB) after each turn, and how much the last turn has lost against the first."""
    table: NDArray[np.float64] = np.asarray(chains, dtype=float)
    lost = figure(list(table[:, 0] - table[:, -1]))
    assert lost
    return {"db": [round(float(v), 2) for v in table.mean(0)], "lost_db": lost.listed(2)}


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))


def _shares(values: Sequence[float]) -> list[float] | None:
    """Shares with several pictures an edit lie between 0 and 1, and are resampled unless all are alike."""
    found = share(values) if set(values) <= {0, 1} else figure(values)
    return None if found is None else found.listed()


def _listed(
    values: Sequence[float], digits: int = 4, weights: Sequence[float] | None = None
) -> list[float] | None:
    found = figure(values, weights)
    return None if found is None else found.listed(digits)


def in_words(report: Mapping[str, Any]) -> str:
    """The report as a table for people."""
    lines = [f"{'kind':<12}{'edits':>6}{'success':>22}{'raw':>8}{'resolved':>10}{'facts':>8}{'kept dB':>9}"]
    for kind, row in report["kinds"].items():
        success = "{:.1%} ({:.1%}–{:.1%})".format(*row["success"])
        cells = [_first(row[name], "{:.1%}") for name in ("success_raw", "resolved", "facts_true")]
        kept = _first(row["kept_db"], "{:.1f}")
        lines.append(
            f"{kind:<12}{row['count']:>6}{success:>22}{cells[0]:>8}{cells[1]:>10}{cells[2]:>8}{kept:>9}"
        )
    lines.append("unchanged area: raw {}, delivered {}".format(*(_db(v) for v in report["kept_db"].values())))
    lines.append("follow-ups resolved: " + _first(report["resolved_follow_ups"], "{:.1%}"))
    for name, chain in report["drift"].items():
        lines.append(f"drift, {name}: {chain['db'][0]} dB → {chain['db'][-1]} dB")
    lines.append("seconds: " + ", ".join(f"{k} {v:.2f}" for k, v in report["seconds"].items()))
    return "\n".join(lines) + "\n"


def _first(listed: Sequence[float] | None, form: str) -> str:
    return "–" if listed is None else form.format(listed[0])


def _db(listed: Sequence[float] | None) -> str:
    return f"{_first(listed, '{:.1f}')} dB"
