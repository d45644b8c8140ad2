import numpy as np
import pytest
import torch
from PIL import Image

from mgie_engine.config import Behaviour
from mgie_engine.model import sampling
from mgie_engine.model.mgie import NoisyBatch, branch_weights, finish
from mgie_engine.model.preview import fit, preview
from mgie_engine.text.prompting import Prompt
from tests.support.tiny_model import V_PREDICTION, model

GENERATOR = torch.Generator().manual_seed(3)
LATENTS, CONDITION = (
    torch.randn(3, 4, 4, 4, generator=GENERATOR),
    torch.randn(3, 4, 4, 4, generator=GENERATOR),
)
GUIDANCE = torch.randn(3, 7, 24, generator=GENERATOR)
SIGMAS, TIMESTEPS = torch.tensor([14.0, 2.0, 0.3]), torch.tensor([999.0, 500.5, 90.0])
PICTURE = Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3))


def denoise(mgie, text_cfg, image_cfg, rows=slice(0, 3)):
    scales = torch.tensor(text_cfg), torch.tensor(image_cfg)
    whole = LATENTS, SIGMAS, TIMESTEPS, GUIDANCE, CONDITION, *scales
    return mgie.denoise(NoisyBatch(*(part[rows] for part in whole)))


def by_hand(mgie, text_cfg, image_cfg):
    """The three branches, one call each, mixed as the paper has it."""

    def predicted(words, condition):
        spread = (SIGMAS**2 + 1).sqrt().view(-1, 1, 1, 1)
        inputs = torch.cat([LATENTS / spread, condition], 1)
        return mgie.unet(inputs, TIMESTEPS, encoder_hidden_states=words).sample

    null = mgie.null_guidance.expand_as(GUIDANCE)
    neither, image = predicted(null, 0 * CONDITION), predicted(null, CONDITION)
    both = predicted(GUIDANCE, CONDITION)
    text, picture = (torch.tensor(scale).view(-1, 1, 1, 1) for scale in (text_cfg, image_cfg))
    mixed = neither + text * (both - image) + picture * (image - neither)
    return LATENTS - SIGMAS.view(-1, 1, 1, 1) * mixed, (both - image).abs().mean(1)


@pytest.mark.parametrize(
    ("text_cfg", "image_cfg"),
    [
        ([7.5, 7.5, 7.5], [1.5, 1.5, 1.5]),
        ([7.5, 1.0, 3.0], [0.5, 1.0, 3.0]),  # below 1; only the last branch; no picture branch
        ([7.0, 7.0, 2.0], [1.0, 0.0, 1.0]),
    ],
)
def test_guidance_is_applied_truthfully_whatever_the_scales(text_cfg, image_cfg):
    mgie = model()
    found, (x0, relevance) = denoise(mgie, text_cfg, image_cfg), by_hand(mgie, text_cfg, image_cfg)
    torch.testing.assert_close(found.x0, x0, atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(found.relevance, relevance, atol=1e-5, rtol=1e-4)


def test_a_picture_is_denoised_in_company_as_alone():
    mgie, text_cfg, image_cfg = model(), [7.5, 1.0, 3.0], [1.5, 1.0, 0.2]
    together = denoise(mgie, text_cfg, image_cfg)
    for row in range(3):
        alone = denoise(mgie, text_cfg, image_cfg, slice(row, row + 1))
        torch.testing.assert_close(together.x0[row], alone.x0[0], atol=1e-4, rtol=0)
        torch.testing.assert_close(together.relevance[row], alone.relevance[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("text_cfg", "image_cfg"), [(8.5, 0.7), (1.0, 1.5), (0.5, 0.5)])
def test_the_release_drops_all_guidance_at_once(text_cfg, image_cfg):
    scales = torch.tensor([text_cfg]), torch.tensor([image_cfg])
    assert branch_weights(*scales, Behaviour.RELEASE).tolist() == [[0.0, 0.0, 1.0]]
    assert branch_weights(*scales, Behaviour.SERVING).tolist() != [[0.0, 0.0, 1.0]]


def test_weights_of_the_branches_sum_to_one():
    scales = torch.rand(50, generator=GENERATOR) * 10, torch.rand(50, generator=GENERATOR) * 3
    for behaviour in Behaviour:
        torch.testing.assert_close(branch_weights(*scales, behaviour).sum(1), torch.ones(50))


@pytest.mark.parametrize("sampler", ["euler_ancestral", "dpmpp_2m"])
def test_zero_terminal_v_prediction_gives_finite_latents(sampler):
    mgie = model(noise=V_PREDICTION)
    schedule = sampling.schedule(V_PREDICTION, sampler, 6)
    latents = LATENTS * schedule.first_scale
    before, x0_before = torch.zeros(3), LATENTS
    for here, there, time in zip(schedule.sigmas, schedule.sigmas[1:], schedule.timesteps, strict=False):
        sigma, after = torch.full((3,), here), torch.full((3,), there)
        scales = torch.full((3,), 3.0), torch.full((3,), 1.2)
        noisy = latents, sigma, torch.full((3,), time)
        x0 = mgie.denoise(NoisyBatch(*noisy, GUIDANCE, CONDITION, *scales)).x0
        if sampler == "euler_ancestral":
            latents = sampling.euler_ancestral_step(latents, x0, sigma, after, LATENTS)
        else:
            latents = sampling.dpmpp_2m_step(latents, x0, x0_before, before, sigma, after)
        before, x0_before = sigma, x0
    assert latents.isfinite().all()
    assert latents.abs().max() < 100


def test_rescaling_is_per_picture_and_by_configuration():
    plain, rescaled = (
        denoise(model(guidance_rescale=share), [7.5, 7.5, 7.5], [1.5, 1.5, 1.5]).x0 for share in (0.0, 0.7)
    )
    assert (plain - rescaled).abs().amax((1, 2, 3)).min() > 1e-3


def test_a_reading_holds_text_guidance_and_what_was_written():
    mgie = model()
    prompts = [Prompt("make the ball red", reading="The ball is red."), Prompt("x")]
    first, second = mgie.read([PICTURE, PICTURE.rotate(90)], prompts)
    assert (first.expressive, first.notes) == ("The ball is red.", ())
    assert first.guidance.shape == (7, 24)
    assert second.raw
    alone = finish(mgie.reading(PICTURE, prompts[0]))
    torch.testing.assert_close(alone.guidance, first.guidance, atol=1e-5, rtol=0)


def test_pictures_become_latents_and_latents_pictures():
    mgie = model()
    latents = mgie.encode([PICTURE, PICTURE])
    assert latents.shape == (2, 4, 4, 4)
    assert [picture.size for picture in mgie.decode(latents)] == [(32, 32), (32, 32)]


@pytest.mark.parametrize("dtype", [torch.bfloat16])
def test_a_smaller_type_gives_fp32_latents_all_the_same(dtype):
    mgie = model()
    for network in (mgie.mllm, mgie.edit_head, mgie.unet, mgie.vae):
        network.to(dtype)
    mgie.visual_embeddings = mgie.visual_embeddings.to(dtype)
    assert mgie.encode([PICTURE]).dtype == torch.float32
    assert denoise(mgie, [7.5] * 3, [1.5] * 3).x0.dtype == torch.float32
    assert mgie.read([PICTURE], [Prompt("make the ball red")])[0].guidance.dtype == torch.float32
    assert mgie.decode(LATENTS)[0].size == (32, 32)


def test_a_preview_is_small_and_keeps_the_shape():
    assert preview(torch.randn(4, 8, 16), ()).size == (64, 32)
    assert preview(torch.zeros(4, 8, 8), ()).size == (64, 64)


def test_fitted_factors_recover_a_linear_map():
    latents = torch.randn(2, 4, 8, 8, generator=GENERATOR)
    true = torch.randn(5, 3, generator=GENERATOR)
    colours = torch.einsum("bchw,cr->brhw", latents, true[:-1]) + true[-1][:, None, None]
    found = fit(latents, torch.nn.functional.interpolate(colours, scale_factor=8))
    np.testing.assert_allclose(found, true, atol=1e-3)
