"""What stands around the U-Net in a denoising step of several edits: its inputs, guidance and the sampler.

Edits have slots of fixed tensors; slots (B,) says which slot each edit of the step has. `numbers` (B, 11)
are those of `SlotPainting.numbers`. As in `fused_ops`, each function has one meaning and two ways.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mgie_engine.model.diffusion import rescale
from mgie_engine.model.fused_ops import kernels_for

STEPS = "triton_steps"


@dataclass(frozen=True, slots=True)
class SlotTensors:
    """What each slot holds, fp32 on the device; one slot more than edits, for the rows that pad a batch."""

    latents: Tensor  # (S, C, h, w)
    x0: Tensor  # (S, C, h, w), the clean latents as guessed at the last step
    image_latents: Tensor  # (S, C, h, w)
    difference: Tensor  # (S, C, h, w), guided minus conditional prediction
    relevance: Tensor  # (S, h, w), summed over the steps

    @classmethod
    def zeros(cls, slots: int, shape: tuple[int, int, int], device: torch.device) -> "SlotTensors":
        """For so many slots and latents (C, h, w)."""
        latents, x0, pictures, difference = torch.zeros(4, slots, *shape, device=device)
        return cls(latents, x0, pictures, difference, torch.zeros(slots, *shape[1:], device=device))


def step_inputs(
    held: SlotTensors, slots: Tensor, numbers: Tensor, branches: int, dtype: torch.dtype
) -> Tensor:
    """What the U-Net sees, (P, 2 C, h, w) channels last.

    With 3 branches, the first B rows do not see the picture and the next B do (P = 2 B); else P = B.
    """
    if kernels := kernels_for(held.latents, STEPS):
        return kernels.step_inputs(  # type: ignore[no-any-return]
            held.latents, held.image_latents, slots, numbers, branches, dtype
        )
    latents, condition = held.latents[slots] * numbers[:, 0, None, None, None], held.image_latents[slots]
    seen = torch.cat([latents, condition], dim=1)
    if branches == 3:
        seen = torch.cat([torch.cat([latents, torch.zeros_like(condition)], dim=1), seen])
    return seen.to(dtype).contiguous(memory_format=torch.channels_last)


def step_outputs(
    held: SlotTensors, found: Tensor, slots: Tensor, numbers: Tensor, noise: Tensor, rescaling: float
) -> None:
    """Guide the predictions found (K B, C, h, w), rows branch by branch, and move every slot by a step.

    One branch takes the difference that guidance made from the step before. noise (B, C, h, w).
    """
    kernels = kernels_for(held.latents, STEPS)
    if kernels and not rescaling:
        kernels.step_outputs(
            found, held.latents, held.x0, held.difference, held.relevance, noise, slots, numbers
        )
        return
    columns = (column[:, None, None, None] for column in numbers[:, 2:].unbind(1))
    neither, image, both, cx, ce, a, b, c, d = columns
    branch = found.float().view(-1, len(slots), *found.shape[1:])
    if len(branch) == 1:
        mixed = branch[0] + held.difference[slots]
    else:
        mixed = image * branch[-2] + both * branch[-1]
        mixed = mixed + neither * branch[0] if len(branch) == 3 else mixed
        held.difference.index_copy_(0, slots, mixed - branch[-1])
        spoken = (branch[-1] - branch[-2]).abs().mean(1)
        held.relevance.index_copy_(0, slots, held.relevance[slots] + spoken)
    latents = held.latents[slots]
    x0 = cx * latents + ce * rescale(mixed, branch[-1], rescaling)
    moved = a * latents + b * x0 + c * noise + d * held.x0[slots]
    held.latents.index_copy_(0, slots, moved)
    held.x0.index_copy_(0, slots, x0)
