"""Numbers that overflowed end an edit, or are computed again in fp32; they never become a picture.

In fp16 a decoder overflows for some latents (diffusers keeps SDXL's in fp32 for that reason), and an 8-bit
picture of NaN is black.
"""

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.func import functional_call

from mgie_engine.errors import NotFinite


def require_finite(values: Tensor, what: str) -> None:
    """NotFinite if there is an infinity or a NaN among the values; waits for them."""
    if not bool(torch.isfinite(values).all()):
        raise NotFinite(f"The {what} of this edit: some values are not finite.")


def decode_finite(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """Pixels (B, 3, H, W) in about -1…1 of unscaled latents (B, C, h, w) on the VAE's device.

    What overflows in the VAE's own type is decoded again in fp32; NotFinite if that overflows, too.
    """
    pixels: Tensor = vae.decode(latents.to(vae.dtype)).sample
    overflowed = ~torch.isfinite(pixels).flatten(1).all(1)
    if bool(overflowed.any()):
        pixels = pixels.float()
        pixels[overflowed] = decode_in_fp32(vae, latents[overflowed])
    return pixels


def decode_in_fp32(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """The same, computed in fp32 throughout; the VAE stays as it is."""
    require_finite(latents, "latents")
    decoder = _Decoder(vae)
    # Not `vae.float()`: others may use these weights meanwhile, and a graph has recorded where they are.
    weights = {
        name: tensor.to(latents.device, torch.float32)
        for name, tensor in decoder.state_dict().items()
        if not name.startswith("vae.encoder.")
    }
    pixels: Tensor = functional_call(decoder, weights, latents.float())
    require_finite(pixels, "decoded picture")
    return pixels


class _Decoder(nn.Module):
    """A VAE's `decode` as `forward`, which is what `functional_call` calls."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, latents: Tensor) -> Tensor:
        pixels: Tensor = self.vae.decode(latents).sample
        return pixels
