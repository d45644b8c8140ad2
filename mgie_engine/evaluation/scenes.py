"""Success on the drawn world, where every edit has one right goal.

An edit succeeds when the error inside the changed area is below a quarter of what doing nothing would leave;
an edit that should change nothing succeeds when the picture stays within 30 dB.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

import torch
from PIL import Image
from torch import Tensor

from mgie_engine.edits import Exchange
from mgie_engine.model.mgie import MGIE
from mgie_engine.model.sampling import dpmpp_2m_step, noise_like, schedule
from mgie_engine.prompting import Prompt
from mgie_engine.scenes.edits import Edit, State
from mgie_engine.scenes.render import paint, stack
from mgie_engine.scenes.stories import story
from mgie_engine.scenes.tones import apply
from mgie_engine.scenes.wording import Split

CHANGED = 0.03  # a pixel has changed when any channel moved by more
SUCCESS = 0.25  # share of the do-nothing error that may be left


@dataclass(frozen=True, slots=True)
class Case:
    """One edit to try: pictures (3, H, W) in [0, 1] before and after, and what was said."""

    edit: Edit
    history: tuple[Exchange, ...]
    before: Tensor
    goal: Tensor


@dataclass(frozen=True, slots=True)
class Score:
    """How one case went."""

    kind: str
    success: bool
    left: float  # error left inside the changed area, as a share of doing nothing
    unchanged_psnr: float  # dB outside the changed area, of the raw model picture
    expressive: str
    said_right: bool  # the expressive instruction is the true one, word for word


def pictures(states: Sequence[State], size: int) -> Tensor:
    """The states' pictures (B, 3, size, size)."""
    return apply(paint(*stack([state.sheet() for state in states]), size), [state.tones for state in states])


def cases(split: Split, size: int = 256) -> Iterator[Case]:
    """Endless edits of a split, in order of their stories."""
    for seed in count():
        told = story(seed, split)
        painted = pictures(told.states, size)
        for step in told.steps:
            history = tuple(Exchange(asked, said) for asked, said in step.history)
            yield Case(step.edit, history, painted[step.before], painted[step.after])


def edit_cases(
    mgie: MGIE, some: Sequence[Case], *, text_cfg: float, image_cfg: float, steps: int, seed: int
) -> tuple[list[str], Tensor]:
    """Run cases through a model side by side: expressive texts and pictures (B, 3, H, W) in [0, 1]."""
    before = [to_image(case.before) for case in some]
    prompts = [Prompt(case.edit.instruction, case.history) for case in some]
    readings = mgie.read(before, prompts)
    condition = mgie.encode(before)
    guidance = torch.stack([reading.guidance for reading in readings])
    plan = schedule(mgie.config.noise, "dpmpp_2m", steps)
    noise = [
        noise_like(tuple(condition.shape[1:]), torch.Generator().manual_seed(seed + i))
        for i in range(len(some))
    ]
    latents = torch.stack(noise).to(mgie.device) * plan.sigmas[0]
    ones = torch.ones(len(some), device=mgie.device)
    x0_before, sigma_before = torch.zeros_like(latents), 0.0
    for here, there, timestep in zip(plan.sigmas[:-1], plan.sigmas[1:], plan.timesteps, strict=True):
        x0 = mgie.denoise(
            latents, ones * here, ones * timestep, guidance, condition, ones * text_cfg, ones * image_cfg
        ).x0
        latents = dpmpp_2m_step(latents, x0, x0_before, ones * sigma_before, ones * here, ones * there)
        x0_before, sigma_before = x0, here
    with torch.inference_mode():
        decoded = mgie.vae.decode((latents / mgie.config.latent_scale).to(mgie.dtype)).sample
    return [reading.expressive for reading in readings], (decoded.float() / 2 + 0.5).clamp(0, 1).cpu()


def evaluate(
    mgie: MGIE, split: Split, number: int, *, text_cfg: float, image_cfg: float, steps: int, batch: int = 32
) -> list[Score]:
    """Scores of the first `number` edits of a split."""
    scores = list[Score]()
    size = mgie.config.picture_size
    stream = islice(cases(split, size), number)
    while some := list(islice(stream, batch)):
        texts, made = edit_cases(
            mgie, some, text_cfg=text_cfg, image_cfg=image_cfg, steps=steps, seed=len(scores)
        )
        scores += [score(case, text, result) for case, text, result in zip(some, texts, made, strict=True)]
    return scores


def score(case: Case, expressive: str, result: Tensor) -> Score:
    """Judge one result (3, H, W) in [0, 1]."""
    moved = (case.before - case.goal).abs().amax(0) > CHANGED
    outside = ((result - case.goal) ** 2).mean(0)[~moved]
    psnr = float(-10 * torch.log10(outside.mean().clamp(min=1e-8))) if outside.numel() else float("nan")
    if not moved.any():
        success, left = psnr >= 30, 0.0
    else:
        nothing = float(((case.before - case.goal) ** 2)[:, moved].mean())
        left = float(((result - case.goal) ** 2)[:, moved].mean()) / nothing
        success = left < SUCCESS
    return Score(case.edit.kind, success, left, psnr, expressive, expressive == case.edit.expressive)


def to_image(pixels: Tensor) -> Image.Image:
    """(3, H, W) in [0, 1] as a picture."""
    return Image.fromarray((pixels * 255).round().byte().permute(1, 2, 0).contiguous().numpy())


def table(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """Figures by kind and over all."""
    groups = {"all": list(scores)}
    for item in scores:
        groups.setdefault(item.kind, []).append(item)
    return {name: _figures(group) for name, group in sorted(groups.items())}


def _figures(group: Sequence[Score]) -> dict[str, float]:
    kept = [s.unchanged_psnr for s in group if s.unchanged_psnr == s.unchanged_psnr]
    return {
        "count": len(group),
        "success": round(sum(s.success for s in group) / len(group), 3),
        "median_left": round(sorted(s.left for s in group)[len(group) // 2], 3),
        "unchanged_psnr": round(sum(kept) / max(1, len(kept)), 1),
        "said_right": round(sum(s.said_right for s in group) / len(group), 3),
    }
