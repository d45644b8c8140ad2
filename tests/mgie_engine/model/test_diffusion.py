import pytest
import torch

from mgie_engine.config import NoiseSchedule
from mgie_engine.model.diffusion import add_noise, alphas_cumprod, rescale, to_x0
from tests.support.tiny_model import V_PREDICTION

EPSILON = NoiseSchedule()
LATENTS, NOISE = (torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(s)) for s in (0, 1))


@pytest.mark.parametrize("schedule", [EPSILON, V_PREDICTION])
def test_a_perfect_prediction_gives_the_clean_latents(schedule):
    alphas, timesteps = alphas_cumprod(schedule), torch.tensor([3, 400, 900])
    noised = add_noise(schedule, alphas, LATENTS, NOISE, timesteps)
    alpha = alphas[timesteps]
    sigmas = ((1 - alpha) / alpha).sqrt()
    latents = noised.latents / alpha.sqrt().view(-1, 1, 1, 1)  # to where latents = x0 + sigma · noise
    clean = to_x0(noised.target, latents, sigmas, schedule)
    torch.testing.assert_close(clean, LATENTS, atol=1e-4, rtol=1e-4)


def test_zero_terminal_noise_leaves_no_signal_and_asks_for_the_picture():
    alphas = alphas_cumprod(V_PREDICTION)
    noised = add_noise(V_PREDICTION, alphas, LATENTS, NOISE, torch.tensor([999, 999, 999]))
    assert alphas[-1] == 0
    assert alphas[0] == pytest.approx(1 - V_PREDICTION.beta_start)
    torch.testing.assert_close(noised.latents, NOISE)
    torch.testing.assert_close(noised.target, -LATENTS)


def test_rescaling_brings_back_the_spread():
    wild = 5 * LATENTS
    torch.testing.assert_close(rescale(wild, LATENTS, 1.0), LATENTS)
    torch.testing.assert_close(rescale(wild, LATENTS, 0.5), 3 * LATENTS)
    assert rescale(wild, LATENTS, 0.0) is wild
