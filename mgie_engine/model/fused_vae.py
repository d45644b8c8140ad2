"""The autoencoder as programs: fused group norms, pictures as bytes on both sides.

Eager PyTorch copies a channels-last picture twice for each group norm, which is half of a decode.
"""

import copy
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor, nn

from mgie_engine.config import ModelConfig
from mgie_engine.model.cuda_graphs import Graphs, Program
from mgie_engine.model.diffusion import condition_latents
from mgie_engine.model.finite import decode_in_fp32
from mgie_engine.model.fused_ops import group_norm
from mgie_engine.preprocess import to_pictures

ACTIVATIONS = "nonlinearity", "conv_act"  # of diffusers' blocks: each follows every group norm of its block


class FusedGroupNorm(nn.Module):
    """A group norm that leaves channels-last tensors as they are, with the SiLU that may follow it."""

    def __init__(self, norm: nn.GroupNorm, silu: bool) -> None:
        super().__init__()
        self.silu = silu
        self.weight, self.bias = norm.weight, norm.bias
        self.num_groups, self.eps = norm.num_groups, norm.eps

    def forward(self, x: Tensor) -> Tensor:
        """Of x (B, C, …)."""
        if x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last):
            return group_norm(x, self.weight, self.bias, self.num_groups, self.eps, self.silu)
        normed = F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
        return F.silu(normed) if self.silu else normed


def fused_vae(vae: AutoencoderKL) -> AutoencoderKL:
    """The same autoencoder over the same tensors, with fused group norms; `vae` stays as it is."""
    kept = {id(tensor): tensor for tensor in (*vae.parameters(), *vae.buffers())}
    fused = cast(AutoencoderKL, copy.deepcopy(vae, kept))
    for module in list(fused.modules()):
        known = [name for name in ACTIVATIONS if isinstance(getattr(module, name, None), nn.SiLU)]
        for name, child in module.named_children():
            if isinstance(child, nn.GroupNorm):
                setattr(module, name, FusedGroupNorm(child, silu=bool(known)))
        for name in known:
            setattr(module, name, nn.Identity())
    return fused


class PictureCoder:
    """Encodes and decodes one picture of the model's size at a time; for one thread at a time."""

    @torch.inference_mode()
    def __init__(self, vae: AutoencoderKL, config: ModelConfig, graphs: Graphs) -> None:
        self.config = config
        self._plain, self._vae, self._graphs = vae, fused_vae(vae), graphs
        side, steps = config.picture_size, 2 ** (len(config.vae["block_out_channels"]) - 1)
        device = vae.device
        self._bytes = torch.zeros(side, side, 3, device=device, dtype=torch.uint8)
        self._latents = torch.zeros(
            1, config.latent_channels, side // steps, side // steps, device=device, dtype=torch.float32
        )
        self._encode: Program[Tensor] = self._encoded
        self._decode: Program[tuple[Tensor, Tensor]] = self._decoded

    def record(self) -> None:
        """Record both programs."""
        self._encode = self._graphs.record("encoding a picture", self._encoded)
        self._decode = self._graphs.record("decoding a picture", self._decoded)

    def run_once(self) -> None:
        """Run both programs on whatever there is."""
        self._encode()
        self._decode()

    @torch.inference_mode()
    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        """As `MGIE.encode`."""
        found = []
        for picture in pictures:
            self._bytes.copy_(torch.from_numpy(np.array(picture.convert("RGB"))), non_blocking=True)
            found.append(self._encode().clone())
        return torch.cat(found)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> list[Image.Image]:
        """As `MGIE.decode`; NotFinite for latents that are not, or if fp32 overflows, too."""
        found = []
        for each in latents:
            self._latents[0].copy_(each)
            shown, is_finite = self._decode()
            arriving = shown.to("cpu", non_blocking=True)
            if bool(is_finite):  # waits for both
                found.append(Image.fromarray(arriving.numpy()))
            else:
                again = decode_in_fp32(self._plain, self._latents / self.config.latent_scale)
                found += to_pictures(again)
        return found

    def _encoded(self) -> Tensor:
        # In fp64, as `vae_pixels` has it.
        values = (2.0 * self._bytes.double() / 255.0 - 1.0).float().permute(2, 0, 1)[None]
        pixels = values.to(self._vae.dtype).contiguous(memory_format=torch.channels_last)
        return condition_latents(self._vae, pixels).float()

    def _decoded(self) -> tuple[Tensor, Tensor]:
        """The picture (H, W, 3) as bytes, and whether every value was finite."""
        unscaled = (self._latents / self.config.latent_scale).to(self._vae.dtype)
        shown = self._vae.decode(unscaled).sample[0].float().permute(1, 2, 0)
        return ((shown / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8), torch.isfinite(shown).all()
