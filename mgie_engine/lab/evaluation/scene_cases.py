"""Success on the drawn world, where every edit has one right goal.

An edit succeeds when the error inside the changed area is below a quarter of what doing nothing would leave;
an edit that should change nothing succeeds when the picture stays within 30 dB. What the model says is read
back into facts and compared with the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, islice
from typing import Any

import torch
from torch import Tensor

from mgie_engine.edits import Exchange
from mgie_engine.lab.evaluation.workers import Spread, one_by_one
from mgie_engine.lab.scenes.expressive_text import Split, Typed
from mgie_engine.lab.scenes.fact_checker import UNREADABLE, Fact, holds, read
from mgie_engine.lab.scenes.human_prompts import typed_wishes
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.scene_images import changed
from mgie_engine.lab.scenes.scene_images import pictures as pictures
from mgie_engine.lab.scenes.stories import Step, Story, story

SUCCESS = 0.25  # share of the do-nothing error that may be left
UNTOUCHED_DB = 30.0  # what an edit that changes nothing must keep
ENOUGH = 0.05  # share of a picture that must be unchanged for its fidelity to mean something
PERFECT_MSE = 1e-8  # below any step of eight bits; caps PSNR at 80 dB


@dataclass(frozen=True, slots=True)
class Case:
    """One edit to try: its two pictures as states and as (3, H, W) in [0, 1], and what was said before."""

    edit: Edit
    start: State
    history: tuple[Exchange, ...]
    before: Tensor
    goal: Tensor

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process as plain bytes: tensors would go through shared memory, which is scarce."""
        return _case, (self.edit, self.start, self.history, self.before.numpy(), self.goal.numpy())


def _case(edit: Edit, start: State, history: tuple[Exchange, ...], before: Any, goal: Any) -> Case:
    return Case(edit, start, history, torch.from_numpy(before), torch.from_numpy(goal))


@dataclass(frozen=True, slots=True)
class Said:
    """How true an expressive instruction is."""

    stated: int  # facts
    true: int
    resolved: bool  # it names the right thing, place and change: the facts of its first sentence
    word_for_word: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """How right a picture is."""

    success: bool
    left: float  # error left inside the changed area, as a share of doing nothing
    kept_db: float  # PSNR outside the changed area; nan where hardly anything is outside


def cases(split: Split, size: int = 256, first: int = 0, kind: str | None = None) -> Iterator[Case]:
    """Endless edits of a split, or those of a kind, in order of their stories from number `first` on."""
    return chain.from_iterable(_cases_of(seed, split, size, kind) for seed in count(first))


def draw(
    split: Split, size: int, first: int, wanted: int, kind: str | None = None, spread: Spread = one_by_one
) -> Iterator[Case]:
    """As many of `cases` as wanted, their stories painted side by side."""
    seeds = (seed for seed in count(first) for _ in _steps(story(seed, split), kind))
    stories = dict.fromkeys(islice(seeds, wanted))
    painted = spread(partial(_cases_of, split=split, size=size, kind=kind), stories)
    return islice(chain.from_iterable(painted), wanted)


def _cases_of(seed: int, split: Split, size: int, kind: str | None) -> list[Case]:
    told = story(seed, split)
    steps = _steps(told, kind)
    painted = pictures(told.states, size) if steps else torch.empty(0)
    return [
        Case(
            step.edit,
            told.states[step.before],
            tuple(Exchange(asked, said) for asked, said in step.history),
            painted[step.before],
            painted[step.after],
        )
        for step in steps
    ]


def _steps(told: Story, kind: str | None) -> list[Step]:
    return [step for step in told.steps if kind in (None, step.edit.kind)]


def typed_cases(size: int = 256, which: Typed = "typed") -> Iterator[Case]:
    """The wishes that people typed in words of their own."""
    for start, edit, history in typed_wishes(which):
        before, goal = pictures((start, edit.goal), size)
        yield Case(edit, start, tuple(Exchange(asked, said) for asked, said in history), before, goal)


def judge_text(case: Case, expressive: str) -> Said:
    """Compare what was said with the picture."""
    facts = read(expressive)
    true = sum(holds(fact, case.start, case.edit.goal) for fact in facts)
    resolved = _first_facts(expressive) == _first_facts(case.edit.expressive)
    return Said(len(facts), true, resolved, expressive == case.edit.expressive)


def _first_facts(expressive: str) -> set[Fact]:
    facts = set(read(expressive.partition(". ")[0].rstrip(".") + "."))
    return {fact for fact in facts if fact.attribute != UNREADABLE or fact.value == expressive}


def judge_picture(case: Case, result: Tensor) -> Shown:
    """Compare one result (3, H, W) in [0, 1] with the goal."""
    return compare(case.before, case.goal, result)


def compare(before: Tensor, goal: Tensor, result: Tensor) -> Shown:
    """Compare one result with its goal and with the picture before, all (3, H, W) in [0, 1]."""
    moved = changed(before, goal)
    error = (result - goal).square().mean(0)
    kept = ~moved
    kept_db = psnr(error[kept]) if kept.float().mean() >= ENOUGH else float("nan")
    if not moved.any():
        return Shown(kept_db >= UNTOUCHED_DB, 0.0, kept_db)
    nothing = (before - goal).square().mean(0)[moved].mean()
    left = float(error[moved].mean() / nothing)
    return Shown(left < SUCCESS, left, kept_db)


def psnr(error: Tensor) -> float:
    """Decibels of squared errors on [0, 1], at most 80."""
    return float(-10 * torch.log10(error.mean().clamp(min=PERFECT_MSE)))
