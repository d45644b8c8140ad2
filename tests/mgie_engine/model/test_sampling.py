import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from diffusers import DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler

from mgie_engine.config import NoiseSchedule
from mgie_engine.model.sampling import dpmpp_2m_step, euler_ancestral_step, noise_like, schedule
from tests.support.tiny_model import V_PREDICTION

SHAPE = (2, 3, 4, 5)
# Diffusers hands tensors to numpy the old way; that is not ours to fail on.
diffusers_warns = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def noise(seed):
    return noise_like(SHAPE, torch.Generator().manual_seed(seed))


def towards(latents, sigma):
    """A made-up denoiser: the best guess if clean latents were standard normal."""
    return latents / (1 + sigma.view(-1, 1, 1, 1) ** 2)


def solve(sigmas):
    """All steps of DPM++ 2M with that denoiser, from 1."""
    latents, x0_before = torch.ones(SHAPE), torch.zeros(SHAPE)
    before = torch.zeros(2)
    for here, there in pairwise(sigmas):
        sigma = torch.full((2,), here)
        x0 = towards(latents, sigma)
        latents = dpmpp_2m_step(latents, x0, x0_before, before, sigma, torch.full((2,), there))
        before, x0_before = sigma, x0
    return latents


@pytest.mark.parametrize("noise_schedule", [NoiseSchedule(), V_PREDICTION])
@pytest.mark.parametrize("steps", [1, 2, 20, 100])
def test_sigmas_fall_to_zero(noise_schedule, steps):
    found = schedule(noise_schedule, "dpmpp_2m", steps)
    assert found.steps == steps
    assert len(found.sigmas) == steps + 1
    assert list(found.sigmas) == sorted(set(found.sigmas), reverse=True)
    assert found.sigmas[-1] == 0.0
    assert found.timesteps[0] == 999 or steps == 1


@diffusers_warns
@pytest.mark.parametrize(
    "noise_schedule",
    [
        NoiseSchedule(),
        NoiseSchedule(spacing="trailing"),
        NoiseSchedule(spacing="leading"),
        NoiseSchedule(spacing="leading", steps_offset=1),
        V_PREDICTION,
    ],
)
def test_schedules_are_those_of_diffusers(noise_schedule):
    theirs = EulerAncestralDiscreteScheduler(
        beta_start=noise_schedule.beta_start,
        beta_end=noise_schedule.beta_end,
        beta_schedule=noise_schedule.beta_schedule,
        timestep_spacing=noise_schedule.spacing,
        rescale_betas_zero_snr=noise_schedule.rescale_betas_zero_snr,
        steps_offset=noise_schedule.steps_offset,
    )
    theirs.set_timesteps(12)
    ours = schedule(noise_schedule, "euler_ancestral", 12)
    assert ours.timesteps == pytest.approx(theirs.timesteps.tolist(), abs=1e-4)
    assert ours.sigmas == pytest.approx(theirs.sigmas.tolist(), rel=1e-4)
    assert ours.first_scale == pytest.approx(float(theirs.init_noise_sigma), rel=1e-4)


def test_more_leading_steps_than_were_trained_end_at_the_last_trained_one():
    short = NoiseSchedule(train_timesteps=10, spacing="leading", steps_offset=1)
    assert schedule(short, "euler_ancestral", 12).timesteps[:2] == (9, 9)


def test_a_linear_schedule_has_more_noise_early():
    scaled, linear = (
        schedule(replace(NoiseSchedule(), beta_schedule=kind), "dpmpp_2m", 5)
        for kind in ("scaled_linear", "linear")
    )
    assert linear.sigmas[2] > scaled.sigmas[2]


def test_a_zero_terminal_schedule_starts_at_a_finite_sigma():
    assert schedule(V_PREDICTION, "euler_ancestral", 20).sigmas[0] == pytest.approx(4096, rel=1e-3)


def test_pictures_of_a_batch_step_as_they_would_alone():
    latents, x0, before, fresh = (noise(seed) for seed in range(4))
    sigma, after = torch.tensor([14.6, 0.5]), torch.tensor([10.0, 0.0])
    earlier = torch.tensor([0.0, 0.9])
    ancestral = euler_ancestral_step(latents, x0, sigma, after, fresh)
    multistep = dpmpp_2m_step(latents, x0, before, earlier, sigma, after)
    for row in (slice(0, 1), slice(1, 2)):
        alone = euler_ancestral_step(latents[row], x0[row], sigma[row], after[row], fresh[row])
        assert torch.equal(ancestral[row], alone)
        alone = dpmpp_2m_step(latents[row], x0[row], before[row], earlier[row], sigma[row], after[row])
        assert torch.equal(multistep[row], alone)


def test_a_step_to_zero_is_the_guess():
    sigma, zero = torch.tensor([0.3, 4096.0]), torch.zeros(2)
    x0 = noise(1)
    ends = (
        euler_ancestral_step(noise(0), x0, sigma, zero, noise(2)),
        dpmpp_2m_step(noise(0), x0, noise(2), torch.tensor([0.9, 0.0]), sigma, zero),
    )
    for end in ends:
        torch.testing.assert_close(end, x0, atol=1e-5, rtol=0)


def test_an_ancestral_step_keeps_the_noise_level():
    clean = torch.zeros(1, 1, 300, 300)
    generator = torch.Generator().manual_seed(0)
    latents = noise_like(clean.shape, generator) * 10
    fresh = noise_like(clean.shape, generator)
    stepped = euler_ancestral_step(latents, clean, torch.tensor([10.0]), torch.tensor([7.0]), fresh)
    assert stepped.std() == pytest.approx(7.0, rel=0.01)


def test_more_multisteps_come_closer_to_the_exact_solution_by_the_square():
    # With that denoiser the exact path is latents ∝ sqrt(1 + sigma²).
    def error(steps):
        sigmas = [10 * 0.01 ** (place / steps) for place in range(steps + 1)]  # 10 down to 0.1
        exact = math.sqrt(1 + sigmas[-1] ** 2) / math.sqrt(1 + sigmas[0] ** 2)
        return abs(solve(sigmas).mean().item() - exact)

    assert error(40) < error(20) / 3
    assert error(40) < 1e-3


@diffusers_warns
def test_multisteps_are_those_of_diffusers():
    theirs = DPMSolverMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing"
    )
    theirs.set_timesteps(10)
    sigmas = schedule(NoiseSchedule(spacing="trailing"), "dpmpp_2m", 10).sigmas
    # Theirs preserve variance: their latents are ours times alpha = 1 / sqrt(1 + sigma²).
    outer = torch.ones(SHAPE) / math.sqrt(1 + sigmas[0] ** 2)
    for timestep, sigma in zip(theirs.timesteps, sigmas, strict=False):
        ours = outer * math.sqrt(1 + sigma**2)
        guessed_noise = (ours - towards(ours, torch.full((2,), sigma))) / sigma
        outer = theirs.step(guessed_noise, timestep, outer).prev_sample
    torch.testing.assert_close(solve(sigmas), outer, atol=1e-4, rtol=1e-4)
