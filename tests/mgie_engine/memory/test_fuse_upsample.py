"""Folded networks multiply less and say the same."""

import copy

import torch
from diffusers.models.upsampling import Upsample2D

from mgie_engine.memory.fuse_upsample import fold_upsampling
from tests.support.tiny_model import model


def folded(network):
    changed = copy.deepcopy(network)
    fold_upsampling(changed)
    doubled = [part for part in changed.modules() if isinstance(part, Upsample2D)]
    assert doubled
    assert all(isinstance(part.conv, torch.nn.ConvTranspose2d) for part in doubled)
    return changed


@torch.inference_mode()
def test_a_decoder_gives_the_same_picture():
    vae = model().vae
    latents = torch.randn(2, vae.config.latent_channels, 4, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(folded(vae).decode(latents).sample, vae.decode(latents).sample)


@torch.inference_mode()
def test_a_unet_predicts_the_same():
    unet, noise = model().unet, torch.Generator().manual_seed(2)
    latents, told = torch.randn(2, 8, 4, 4, generator=noise), torch.randn(2, 7, 24, generator=noise)
    plain, quick = (net(latents, 500, encoder_hidden_states=told).sample for net in (unet, folded(unet)))
    torch.testing.assert_close(quick, plain)
