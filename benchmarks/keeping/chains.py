"""Ten turns in a row on drawn scenes, every turn starting from the picture of the last one.

Idle turns ask for nothing; real ones for ten local edits. Both are followed with restoring and without (the
painted square goes on), and judged at the scene's own size against the first picture.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor

from benchmarks.keeping.painting import Talk, defaults, enlarged, paint
from mgie_engine.edits import Exchange
from mgie_engine.lab.evaluation.scene_cases import psnr, score_picture
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.lab.scenes.edit_generators import (
    add,
    move,
    recolour,
    recolour_part,
    remove,
    replace_thing,
    resize,
)
from mgie_engine.lab.scenes.phrasing import templates
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import random_scene
from mgie_engine.lab.scenes.scene_edits import Edit, EditGenerator, State
from mgie_engine.lab.scenes.scene_images import changed, pictures, to_image
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.postprocess import Painted, changes_nothing, restored

TURNS = 10
MAKERS: tuple[EditGenerator, ...] = (recolour, recolour_part, remove, add, replace_thing, resize, move)

Deliver = Callable[[Painted], Image.Image]
Curve = list[float]  # a figure per turn, mean over the chains


def idle(mgie: MGIE, count: int, size: int) -> dict[str, Curve]:
    """PSNR of the whole picture against the first one, at most 80, and the share of chains still identical.

    delivered: as the engine does it, which hands a picture back when the model says that nothing changes.
    restored: painted and restored even then. raw: painted and stretched.
    """
    starts = [to_image(_shown(State(random_scene(Random(f"idle-{n}"))), size)) for n in range(count)]
    ways = templates("nothing", "test")
    instructions = [[ways[turn % len(ways)]] * count for turn in range(TURNS)]
    found: dict[str, Curve] = {}
    for way, deliver in {"delivered": _restored, "restored": _restored, "raw": enlarged}.items():
        for now in _followed(mgie, starts, instructions, deliver, listens=way == "delivered"):
            pairs = list(zip(starts, now, strict=True))
            errors = [(pixels(first) - pixels(last)).square() for first, last in pairs]
            found.setdefault(f"{way}_db", []).append(fmean(psnr(error) for error in errors))
            same = fmean(first.tobytes() == last.tobytes() for first, last in pairs)
            found.setdefault(f"{way}_identical", []).append(same)
    return found


def real(mgie: MGIE, count: int, size: int) -> dict[str, Curve]:
    """PSNR of what no edit so far was to change, against the first picture, and the share of successes."""
    talks = [ten_edits(number) for number in range(count)]
    truths = [[_shown(state, size) for state in (start, *(e.goal for e in edits))] for start, edits in talks]
    starts = [to_image(truth[0]) for truth in truths]
    instructions = [[edits[turn].instruction for _, edits in talks] for turn in range(TURNS)]
    found: dict[str, Curve] = {}
    for way, deliver in {"restored": _restored, "raw": enlarged}.items():
        for turn, now in enumerate(_followed(mgie, starts, instructions, deliver)):
            pairs = [(truth, pixels(picture)) for truth, picture in zip(truths, now, strict=True)]
            kept = fmean(_kept_db(truth[: turn + 2], result) for truth, result in pairs)
            right = fmean(
                score_picture(truth[turn], truth[turn + 1], result).success for truth, result in pairs
            )
            found.setdefault(f"{way}_kept_db", []).append(kept)
            found.setdefault(f"{way}_success", []).append(right)
    return found


def ten_edits(number: int) -> tuple[State, list[Edit]]:
    """A scene, and ten local edits of it, each of what the last one leads to."""
    rng = Random(f"chain-{number}")
    start = state = State(random_scene(rng, fewest=4))
    edits: list[Edit] = []
    while len(edits) < TURNS:
        edit = rng.choice(MAKERS)(RngStreams.of(rng, "test"), state)
        if edit is not None and edit.goal != state:
            edits.append(edit)
            state = edit.goal
    return start, edits


def _followed(
    mgie: MGIE,
    starts: Sequence[Image.Image],
    instructions: Sequence[Sequence[str]],
    deliver: Deliver,
    listens: bool = False,
) -> Iterator[list[Image.Image]]:
    """The pictures after each turn; listens: whether a reading that changes nothing ends the turn."""
    now, talks = list(starts), [Talk() for _ in starts]
    for asked in instructions:
        edits, understood = paint(mgie, now, asked, talks, defaults(mgie))
        now = [
            before if listens and changes_nothing(said, mgie.config.refusal) else deliver(edit)
            for before, said, edit in zip(now, understood, edits, strict=True)
        ]
        told = zip(talks, asked, understood, strict=True)
        talks = [(*talk, Exchange(instruction, said)) for talk, instruction, said in told]
        yield now


def _restored(edit: Painted) -> Image.Image:
    return restored(edit).picture


def _shown(state: State, size: int) -> Tensor:
    return pictures([state], size)[0]


def _kept_db(truth: Sequence[Tensor], result: Tensor) -> float:
    first, *later = truth
    touched = torch.stack([changed(first, then) for then in later]).any(0)
    return psnr((result - first).square().mean(0)[~touched])
