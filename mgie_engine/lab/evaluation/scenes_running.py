"""Runs a model on batches of scenes, in the engine's order: instruction, denoising, restoring."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from statistics import median

import torch
from PIL import Image
from torch import Tensor

from conversations.settings import EditSettings, Keep
from mgie_engine.edits import EditRequest, Exchange
from mgie_engine.lab.evaluation.scene_cases import SceneCase, psnr, score_picture, score_text
from mgie_engine.lab.evaluation.scenes_figures import SceneResult
from mgie_engine.lab.evaluation.scenes_sheet import ContactSheetCard
from mgie_engine.lab.evaluation.workers import PoolMap, serial_map
from mgie_engine.lab.scenes.expressive_text import Split
from mgie_engine.lab.scenes.phrasing import templates
from mgie_engine.lab.scenes.scene_images import to_image
from mgie_engine.model.mgie import MGIE, Reading
from mgie_engine.preprocess import stack_vae_pixels
from mgie_engine.serving.denoising import Painting, batch
from mgie_engine.serving.engine import edit_alone
from mgie_engine.serving.pictures import to_png
from mgie_engine.serving.postprocess import Painted, changes_nothing, restored, with_probe
from mgie_engine.text.prompting import Prompt

DRIFT_TURNS = 10
_AT_ONCE = {"cpu": 8, "cuda": 128}


def default_batch_size(device: torch.device) -> int:
    """The number of edits per batch on a device."""
    return _AT_ONCE.get(device.type, 8)


@torch.inference_mode()
def paint_all(
    mgie: MGIE, pictures: Sequence[Image.Image], readings: Sequence[Reading], settings: Sequence[EditSettings]
) -> list[Painted]:
    """Run edits of pictures of the model's size as one batch, not yet restored; all have the same step count.

    A picture that occurs more than once is encoded once.
    """
    single = {id(picture): picture for picture in pictures}
    places = {key: place for place, key in enumerate(single)}
    which = [places[id(picture)] for picture in pictures]
    latents_of = mgie.encode(list(single.values()))
    condition = latents_of[which]
    paintings = [
        Painting(mgie.config.noise, one, reading.guidance, latents)
        for one, reading, latents in zip(settings, readings, condition, strict=True)
    ]
    while not paintings[0].is_over:
        denoised = mgie.denoise(batch(paintings))
        for painting, x0, relevance in zip(paintings, denoised.x0, denoised.relevance, strict=True):
            painting.advance(x0, relevance)
    raw = mgie.decode(torch.stack([painting.latents for painting in paintings]))
    seen = mgie.decode(latents_of * mgie.config.latent_scale)
    name = mgie.config.name
    heard = [None if (r := p.relevance) is None else r.float().cpu().numpy() for p in paintings]
    said = [reading.expressive for reading in readings]
    return [
        with_probe(mgie, Painted(picture, picture, seen[which[i]], raw[i], heard[i], name, said=said[i]))
        for i, picture in enumerate(pictures)
    ]


@dataclass(frozen=True, slots=True)
class SceneRunner:
    """A model under the settings of an evaluation; `pool_map` restores and scores what it makes."""

    mgie: MGIE
    settings: EditSettings
    pool_map: PoolMap = serial_map

    def score_all(
        self, cases: Iterator[SceneCase], seeds: int = 1, batch_size: int | None = None
    ) -> Iterator[tuple[SceneResult, ContactSheetCard]]:
        """Every case scored, with its first picture for a contact sheet; one reading, one sampling per seed.

        While a batch is restored and scored, the next one is sampled.
        """
        first = self.settings.seed
        judged: Iterator[tuple[SceneResult, ContactSheetCard]] = iter(())
        size = batch_size or default_batch_size(self.mgie.device)
        while some := list(islice(cases, size)):
            before = [to_image(case.before) for case in some]
            readings = self.mgie.read(before, [Prompt(case.edit.instruction, case.history) for case in some])
            made = [
                paint_all(self.mgie, before, readings, self._seeded(1000 * number + first, len(some)))
                for number in range(seeds)
            ]
            tries = [
                PaintedCase(case, reading.expressive, edits, self.settings.keep)
                for case, reading, *edits in zip(some, readings, *made, strict=True)
            ]
            last, judged = judged, self.pool_map(score, tries)
            yield from last
            first += len(some)
        yield from judged

    def drift(self, starts: Sequence[Image.Image], split: Split, *, delivered: bool) -> list[list[float]]:
        """PSNR against the start after each of ten instructions to change nothing, for each start (S, 10).

        Every edit starts from the output of the last one, raw or `delivered`: if the model understands that
        nothing changes, the delivered picture is the input itself.
        """
        now, ways = list(starts), templates("nothing", split)
        talks: list[tuple[Exchange, ...]] = [() for _ in starts]
        fidelity: list[list[float]] = [[] for _ in starts]
        for turn in range(DRIFT_TURNS):
            asked = ways[turn % len(ways)]
            readings = self.mgie.read(now, [Prompt(asked, talk) for talk in talks])
            made = paint_all(self.mgie, now, readings, self._seeded(1000 * turn, len(starts)))
            if delivered:
                whole = self.pool_map(partial(restored, keep=self.settings.keep), made)
                now = [
                    picture if changes_nothing(reading.expressive, self.mgie.config.refusal) else edit.picture
                    for picture, reading, edit in zip(now, readings, whole, strict=True)
                ]
            else:
                now = [edit.output for edit in made]
            talks = [(*talk, Exchange(asked, r.expressive)) for talk, r in zip(talks, readings, strict=True)]
            for start, picture, values in zip(starts, now, fidelity, strict=True):
                values.append(psnr((pixels(start) - pixels(picture)).square()))
        return fidelity

    def seconds_by_stage(self, some: Sequence[SceneCase]) -> dict[str, float]:
        """Median wall seconds of one edit through the whole engine, by stage; the first one only warms up."""
        runs = []
        for case in [*some[:1], *some]:
            picture = to_png(to_image(case.before))
            request = EditRequest(picture, case.edit.instruction, self.settings, case.history)
            runs.append(edit_alone(self.mgie, request, lambda progress: None).seconds)
        named = dict.fromkeys(stage for run in runs[1:] for stage in run)  # a refusal has no denoising stage
        stages = {stage: median(run[stage] for run in runs[1:] if stage in run) for stage in named}
        return {**stages, "all": median(sum(run.values()) for run in runs[1:])}

    def _seeded(self, first: int, count: int) -> list[EditSettings]:
        return [replace(self.settings, seed=first + i) for i in range(count)]


@dataclass(frozen=True, slots=True)
class PaintedCase:
    """What a model made of a case."""

    case: SceneCase
    expressive: str
    painted: Sequence[Painted]  # with one noise after the other
    keep: Keep


def score(tried: PaintedCase) -> tuple[SceneResult, ContactSheetCard]:
    """Restore a case's pictures and judge them, and what was said."""
    case, painted = tried.case, tried.painted
    finished = [restored(one, tried.keep).picture for one in painted]
    raw = [score_picture(case.before, case.goal, pixels(one.output)) for one in painted]
    shown = [score_picture(case.before, case.goal, pixels(picture)) for picture in finished]
    asked = " · ".join([*(turn.instruction for turn in case.history), case.edit.instruction])
    goal, success = to_image(case.goal), shown[0].success
    shot = ContactSheetCard(painted[0].original, finished[0], goal, asked, tried.expressive, success)
    return SceneResult(case.edit.kind, score_text(case, tried.expressive), raw, shown), shot


def pixels(picture: Image.Image) -> Tensor:
    """A picture as (3, H, W) in [0, 1]."""
    return stack_vae_pixels([picture])[0] / 2 + 0.5
