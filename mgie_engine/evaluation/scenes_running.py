"""Runs a model on many scenes at once, as the engine would one by one: read, paint, restore."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from os import cpu_count
from statistics import median

import torch
from PIL import Image
from torch import Tensor

from conversations.settings import EditSettings
from mgie_engine.edits import EditRequest, Exchange
from mgie_engine.evaluation.scenes import Case, judge_picture, judge_text, psnr
from mgie_engine.evaluation.scenes_figures import Row
from mgie_engine.evaluation.scenes_sheet import Shot
from mgie_engine.model.mgie import MGIE, Reading
from mgie_engine.preprocess import stack_vae_pixels
from mgie_engine.prompting import Prompt
from mgie_engine.restore import restore
from mgie_engine.scenes.phrasing import templates
from mgie_engine.scenes.pictures import to_image
from mgie_engine.scenes.wording import Split
from mgie_engine.serving.engine import edit_alone
from mgie_engine.serving.painting import Painting, batch
from mgie_engine.serving.pictures import to_png

DRIFT_TURNS = 10


@dataclass(frozen=True, slots=True)
class Made:
    """One edit made."""

    raw: Image.Image  # as the model painted it
    delivered: Image.Image  # with what should stay put back


@torch.inference_mode()
def make_all(
    mgie: MGIE, pictures: Sequence[Image.Image], readings: Sequence[Reading], settings: Sequence[EditSettings]
) -> list[Made]:
    """Paint and restore edits of pictures of the model's size, side by side; equal step counts.

    A picture that is there more than once is encoded once.
    """
    places = {id(picture): place for place, picture in enumerate({id(p): p for p in pictures}.values())}
    which = [places[id(picture)] for picture in pictures]
    latents_of = mgie.encode(list({id(p): p for p in pictures}.values()))
    condition = latents_of[which]
    paintings = [
        Painting(mgie.config.noise, wish, reading.guidance, latents)
        for wish, reading, latents in zip(settings, readings, condition, strict=True)
    ]
    while not paintings[0].is_over:
        denoised = mgie.denoise(*batch(paintings))
        for painting, x0, relevance in zip(paintings, denoised.x0, denoised.relevance, strict=True):
            painting.advance(x0, relevance)
    raw = mgie.decode(torch.stack([painting.latents for painting in paintings]))
    seen = mgie.decode(latents_of * mgie.config.latent_scale)

    def deliver(index: int) -> Made:
        relevance, picture = paintings[index].relevance, pictures[index]
        known = None if relevance is None else relevance.float().cpu()
        keep = settings[index].keep
        restored = restore(
            picture, picture, raw[index], reconstruction=seen[which[index]], relevance=known, keep=keep
        )
        return Made(raw[index], restored.picture)

    with ThreadPoolExecutor(cpu_count()) as threads:
        return list(threads.map(deliver, range(len(paintings))))


def judge_all(
    mgie: MGIE, cases: Iterator[Case], settings: EditSettings, seeds: int, batch_size: int
) -> Iterator[tuple[Row, Shot]]:
    """Every case judged, with its first picture for a contact sheet; read once, painted once per seed."""
    first = settings.seed
    while some := list(islice(cases, batch_size)):
        before = [to_image(case.before) for case in some]
        readings = mgie.read(before, [Prompt(case.edit.instruction, case.history) for case in some])
        made = []
        for number in range(seeds):
            wishes = [replace(settings, seed=1000 * number + first + i) for i in range(len(some))]
            made.append(make_all(mgie, before, readings, wishes))
        for case, reading, *edits in zip(some, readings, *made, strict=True):
            yield _judged(case, reading.expressive, edits)
        first += len(some)


def _judged(case: Case, expressive: str, edits: Sequence[Made]) -> tuple[Row, Shot]:
    raw = [judge_picture(case, pixels(edit.raw)) for edit in edits]
    delivered = [judge_picture(case, pixels(edit.delivered)) for edit in edits]
    before, goal = to_image(case.before), to_image(case.goal)
    asked = " · ".join([*(turn.instruction for turn in case.history), case.edit.instruction])
    shot = Shot(before, edits[0].delivered, goal, asked, expressive, delivered[0].success)
    return Row(case.edit.kind, judge_text(case, expressive), raw, delivered), shot


def pixels(picture: Image.Image) -> Tensor:
    """A picture as (3, H, W) in [0, 1]."""
    return stack_vae_pixels([picture])[0] / 2 + 0.5


# --- drift ---


def drift(
    mgie: MGIE, starts: Sequence[Image.Image], settings: EditSettings, split: Split, *, delivered: bool
) -> list[list[float]]:
    """PSNR against the start after each of ten wishes to change nothing, for each start (S, 10).

    Every edit starts from the last one, `delivered` or as the model painted it.
    """
    now, ways = list(starts), templates("nothing", split)
    talks: list[tuple[Exchange, ...]] = [() for _ in starts]
    fidelity: list[list[float]] = [[] for _ in starts]
    for turn in range(DRIFT_TURNS):
        asked = ways[turn % len(ways)]
        readings = mgie.read(now, [Prompt(asked, talk) for talk in talks])
        wishes = [replace(settings, seed=1000 * turn + i) for i in range(len(starts))]
        made = make_all(mgie, now, readings, wishes)
        now = [edit.delivered if delivered else edit.raw for edit in made]
        talks = [(*talk, Exchange(asked, r.expressive)) for talk, r in zip(talks, readings, strict=True)]
        for start, picture, values in zip(starts, now, fidelity, strict=True):
            values.append(psnr((pixels(start) - pixels(picture)).square()))
    return fidelity


# --- time ---


def seconds_by_stage(mgie: MGIE, some: Sequence[Case], settings: EditSettings) -> dict[str, float]:
    """Median wall seconds of one edit through the whole engine, by stage; the first edit only warms up."""
    runs = []
    for case in [*some[:1], *some]:
        picture = to_png(to_image(case.before))
        request = EditRequest(picture, case.edit.instruction, settings, case.history)
        runs.append(edit_alone(mgie, request, lambda progress: None).seconds)
    stages = {stage: median(run[stage] for run in runs[1:]) for stage in runs[0]}
    return {**stages, "all": median(sum(run.values()) for run in runs[1:])}
