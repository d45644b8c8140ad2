"""Many steps of stories, told once for all tests, and small pictures of them."""

from functools import cache

from torch import Tensor

from mgie_engine.lab.scenes.expressive_text import Split
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.scene_images import pictures
from mgie_engine.lab.scenes.stories import Story, StoryStep, story

STORIES = 1200


@cache
def stories(split: Split = "train") -> tuple[Story, ...]:
    """The first stories of a split."""
    return tuple(story(seed, split) for seed in range(STORIES))


def steps(split: Split = "train", kind: str | None = None) -> list[tuple[Story, StoryStep]]:
    """Every step of them, or those of one kind."""
    return [
        (one_story, step)
        for one_story in stories(split)
        for step in one_story.steps
        if kind in (None, step.edit.kind)
    ]


def drawn(*states: State, size: int = 48) -> Tensor:
    """Small pictures (B, 3, size, size)."""
    return pictures(states, size)
