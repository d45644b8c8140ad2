"""The diffusion half, step by step, from a seed to pixels."""

import numpy as np
import pytest
import torch
from PIL import Image

from conversations.settings import EditSettings
from mgie_engine.config import Behaviour
from mgie_engine.model import sampling
from mgie_engine.model.mgie import branch_weights
from mgie_engine.serving.denoising import Painting, batch
from tests.mgie_engine.parity.golden import close, golden, ids, value
from tests.mgie_engine.parity.test_language import generated

LATENTS = 2e-3  # absolute; their standard deviation is about 45
CASES = golden().section("pipeline")


def settings(case):
    return EditSettings(
        text_cfg=case["guidance_scale"],
        image_cfg=case["image_guidance_scale"],
        steps=case["steps"],
        seed=case["seed"],
        sampler="euler_ancestral",
    )


def guidance(case, numbers, model):
    if "(" in case["prompt_embeds"]:
        return value(case["prompt_embeds"])
    wanted = case["prompt_embeds"].split()[-1]
    earlier = next(other for other in numbers.section("generate") if other["case"] == wanted)
    return model.guide(generated(model, numbers, earlier).states[None])


def picture(case):
    """The input with both sides rounded down to multiples of 8, as the published pipeline has it."""
    image = Image.fromarray(value(case["image"]))
    return image.resize([side - side % 8 for side in image.size], Image.Resampling.LANCZOS)


def paint(case, numbers, model):
    """Latents after every step, (steps, C, h, w)."""
    condition = model.encode([picture(case)])[0]
    painting = Painting(numbers.config.noise, settings(case), guidance(case, numbers, model)[0], condition)
    latents = []
    while not painting.is_over:
        seen = model.denoise(batch([painting]))
        painting.advance(seen.x0[0], seen.relevance[0])
        latents.append(painting.latents)
    return torch.stack(latents)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_schedule_and_the_first_noise(case, numbers):
    schedule = sampling.schedule(numbers.config.noise, "euler_ancestral", case["steps"])
    close(schedule.timesteps, numbers.array("pipe", case["case"], "timesteps"), 1e-4)
    close(schedule.sigmas, numbers.array("pipe", case["case"], "sigmas"), 1e-5)
    first = numbers.array("pipe", case["case"], "first_randn")
    ours = sampling.noise_like(first.shape, torch.Generator().manual_seed(case["seed"]))
    close(ours, first, 0)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_guidance_is_on_where_the_release_has_it_on(case):
    scales = torch.tensor([case["guidance_scale"]]), torch.tensor([case["image_guidance_scale"]])
    alone = branch_weights(*scales, Behaviour.RELEASE).tolist() == [[0.0, 0.0, 1.0]]
    assert alone is not case["cfg_active"]


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_picture_becomes_unscaled_latents(case, numbers, release):
    assert list(np.asarray(picture(case)).shape) == case["image_size"]
    close(release.encode([picture(case)]), numbers.array("pipe", case["case"], "image_latents"), 2e-5)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_latents_at_every_step_and_the_picture(case, numbers, release):
    latents = paint(case, numbers, release)
    assert [1, *latents.shape[1:]] == case["latent_shape"]
    close(latents, numbers.array("pipe", case["case"], "latents_per_step"), LATENTS)
    close(latents[-1:], numbers.array("pipe", case["case"], "latents"), LATENTS)
    shown = np.asarray(release.decode(latents[-1:])[0]).astype(int)
    expected = numbers.array("pipe", case["case"], "image_pil").astype(int)
    close(shown, expected, atol=1)
    close(shown[::2, ::2] / 255, numbers.array("pipe", case["case"], "image_np_s2"), atol=1.5 / 255)
