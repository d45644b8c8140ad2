"""Sets of cases: inputs, instructions and goals. Does not import torch."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mgie_engine.edits import Exchange
from mgie_engine.lab.data.examples import EditExample, Picture
from mgie_engine.lab.data.public_datasets import BrushTurn, brush_sessions, examples_of

SINGLE, MULTI = "single-turn", "multi-turn"  # MagicBrush's all_turn and final_turn


@dataclass(frozen=True, slots=True)
class FileCase:
    """One edit to make and judge."""

    name: str  # of the edit's file in a folder of edits, without the ending
    instruction: str
    before: Picture | None  # None: the edit called `follows`
    goal: Picture
    caption: str = ""  # describes the goal
    groups: tuple[str, ...] = ("all",)  # whose means it counts for; none: it only leads to another
    follows: str = ""  # the edit that it continues; its conversation is this one's history
    history: tuple[Exchange, ...] = ()


def pair_cases(examples: Iterable[EditExample]) -> Iterator[FileCase]:
    """Every example by itself; later turns of a session start at the true picture."""
    for example in examples:
        yield FileCase(
            example.id,
            example.instruction,
            example.before,
            example.after,
            example.caption,
            history=example.history,
        )


def magicbrush_cases(folder: Path, limit: int | None = None) -> Iterator[FileCase]:
    """MagicBrush's protocol for its first `limit` sessions, with the names its public scripts give edits.

    Single-turn: every turn from the true picture (ID_1, ID_inde_2, …). Multi-turn: every turn from the edit
    before (ID_1, ID_iter_2, …), of which the last is judged.
    """
    for _, turns in islice(brush_sessions(folder), limit):
        image = turns[0].before.parent.name
        first = f"{image}/{image}_1"
        lone = len(turns) == 1
        yield _case(first, turns[0], (SINGLE, MULTI) if lone else (SINGLE,))
        for number, turn in enumerate(turns[1:], 2):
            yield _case(f"{image}/{image}_inde_{number}", turn, (SINGLE,))
        before = first
        for number, turn in enumerate(turns[1:], 2):
            name = f"{image}/{image}_iter_{number}"
            yield _case(name, turn, (MULTI,) if number == len(turns) else (), follows=before)
            before = name


def _case(name: str, turn: BrushTurn, groups: tuple[str, ...], follows: str = "") -> FileCase:
    before = None if follows else turn.before
    return FileCase(name, turn.instruction, before, turn.after, turn.caption, groups, follows)


def _pairs(folder: Path, limit: int | None) -> Iterator[FileCase]:
    return pair_cases(islice(examples_of(folder), limit))


SUITES: dict[str, Callable[[Path, int | None], Iterator[FileCase]]] = {
    "pairs": _pairs,
    "magicbrush": magicbrush_cases,
}
