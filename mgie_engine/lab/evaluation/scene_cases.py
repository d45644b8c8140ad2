"""Success on generated scenes, where every edit has one right goal.

An edit succeeds if the error inside the changed area is below a quarter of the error of an unchanged picture.
An edit that should change nothing succeeds if the picture keeps 30 dB. The expressive instruction is parsed
into facts, which are compared with the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, islice
from typing import Any

import torch
from torch import Tensor

from mgie_engine.edits import Exchange
from mgie_engine.lab.evaluation.workers import PoolMap, serial_map
from mgie_engine.lab.scenes.expressive_text import NOTHING, THINGS_STAY, PromptSet, Split
from mgie_engine.lab.scenes.fact_checker import UNREADABLE, Fact, fact_holds, parse_facts
from mgie_engine.lab.scenes.human_prompts import human_prompts
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.scene_images import changed, pictures
from mgie_engine.lab.scenes.stories import Story, StoryStep, story

SUCCESS = 0.25  # share of the do-nothing error that may be left
UNTOUCHED_DB = 30.0  # what an edit that changes nothing must keep
ENOUGH = 0.05  # share of a picture that must be unchanged for its fidelity to mean something
PERFECT_MSE = 1e-8  # below any step of eight bits; caps PSNR at 80 dB


@dataclass(frozen=True, slots=True)
class SceneCase:
    """One edit to try: its two pictures as states and as (3, H, W) in [0, 1], and what was said before."""

    edit: Edit
    start: State
    history: tuple[Exchange, ...]
    before: Tensor
    goal: Tensor

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process as plain bytes: tensors would go through shared memory, which is scarce."""
        return _case, (self.edit, self.start, self.history, self.before.numpy(), self.goal.numpy())


def _case(edit: Edit, start: State, history: tuple[Exchange, ...], before: Any, goal: Any) -> SceneCase:
    return SceneCase(edit, start, history, torch.from_numpy(before), torch.from_numpy(goal))


@dataclass(frozen=True, slots=True)
class TextScore:
    """How true an expressive instruction is."""

    stated: int  # facts
    true: int
    resolved: (
        bool  # it names the right objects, places and changes: the facts of its sentences but for what stays
    )
    word_for_word: bool


@dataclass(frozen=True, slots=True)
class PictureScore:
    """How right a picture is."""

    success: bool
    left: float  # error left inside the changed area, as a share of doing nothing
    kept_db: float  # PSNR outside the changed area; nan where hardly anything is outside


def cases(split: Split, size: int = 256, first: int = 0, kind: str | None = None) -> Iterator[SceneCase]:
    """Endless edits of a split, or those of a kind, in order of their stories from number `first` on."""
    return chain.from_iterable(_cases_of(seed, split, size, kind) for seed in count(first))


def draw(
    split: Split, size: int, first: int, wanted: int, kind: str | None = None, pool_map: PoolMap = serial_map
) -> Iterator[SceneCase]:
    """The first `wanted` of `cases`, with their stories rendered in parallel."""
    seeds = (seed for seed in count(first) for _ in _steps(story(seed, split), kind))
    stories = dict.fromkeys(islice(seeds, wanted))
    painted = pool_map(partial(_cases_of, split=split, size=size, kind=kind), stories)
    return islice(chain.from_iterable(painted), wanted)


def _cases_of(seed: int, split: Split, size: int, kind: str | None) -> list[SceneCase]:
    current_story = story(seed, split)
    steps = _steps(current_story, kind)
    painted = pictures(current_story.states, size) if steps else torch.empty(0)
    return [
        SceneCase(
            step.edit,
            current_story.states[step.before],
            step.history,
            painted[step.before],
            painted[step.after],
        )
        for step in steps
    ]


def _steps(current_story: Story, kind: str | None) -> list[StoryStep]:
    return [step for step in current_story.steps if kind in (None, step.edit.kind)]


def human_prompt_cases(size: int = 256, which: PromptSet = "seen") -> Iterator[SceneCase]:
    """One case per prompt that people wrote."""
    for start, edit, history in human_prompts(which):
        before, goal = pictures((start, edit.goal), size)
        yield SceneCase(edit, start, history, before, goal)


def score_text(case: SceneCase, expressive: str) -> TextScore:
    """Compare what was said with the picture."""
    facts = parse_facts(expressive)
    true = sum(fact_holds(fact, case.start, case.edit.goal) for fact in facts)
    resolved = _meant_facts(expressive) == _meant_facts(case.edit.expressive)
    return TextScore(len(facts), true, resolved, expressive == case.edit.expressive)


def _meant_facts(expressive: str) -> set[Fact]:
    """What the sentences say that name a change; a refusal's reason is left out."""
    sentences = [sentence.rstrip(".") + "." for sentence in expressive.split(". ")]
    if sentences[0] != NOTHING:
        sentences = [one for one in sentences if not one.endswith((" stays.", THINGS_STAY))] or sentences[:1]
    facts = set(parse_facts(" ".join(sentences[:1] if sentences[0] == NOTHING else sentences)))
    return {fact for fact in facts if fact.attribute != UNREADABLE or fact.value == expressive}


def score_picture(before: Tensor, goal: Tensor, result: Tensor) -> PictureScore:
    """Compare one result with its goal and with the picture before, all (3, H, W) in [0, 1]."""
    moved = changed(before, goal)
    error = (result - goal).square().mean(0)
    kept = ~moved
    kept_db = psnr(error[kept]) if kept.float().mean() >= ENOUGH else float("nan")
    if not moved.any():
        return PictureScore(kept_db >= UNTOUCHED_DB, 0.0, kept_db)
    nothing = (before - goal).square().mean(0)[moved].mean()
    left = float(error[moved].mean() / nothing)
    return PictureScore(left < SUCCESS, left, kept_db)


def psnr(error: Tensor) -> float:
    """Decibels of squared errors on [0, 1], at most 80."""
    return float(-10 * torch.log10(error.mean().clamp(min=PERFECT_MSE)))
