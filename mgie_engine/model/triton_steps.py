"""Fused GPU kernels around the U-Net of a denoising step, written in Triton.

Edits have slots of fixed tensors (S, C, h, w); a step's rows say which slot each edit has. Rows that pad a
batch share one slot, whose numbers mean nothing.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mgie_engine.model.triton_launch import launch

PIXELS = 256  # of one program


@triton.jit
def _step_inputs(latents, pictures, slots, numbers, out, edits, pixels, columns, unseen,
                 C: tl.constexpr, P: tl.constexpr):  # fmt: skip
    row, p, c = tl.program_id(0), tl.program_id(1) * P + tl.arange(0, P), tl.arange(0, C)
    edit = row % edits
    slot = tl.load(slots + edit)
    scale = tl.load(numbers + edit * columns)
    mask = (p < pixels)[:, None]
    where = (slot * C + c[None, :]) * pixels + p[:, None]
    value = tl.load(latents + where, mask=mask, other=0.0) * scale
    picture = tl.load(pictures + where, mask=mask & (row >= unseen), other=0.0)
    to = out + (row * pixels + p[:, None]) * 2 * C + c[None, :]
    tl.store(to, value.to(out.dtype.element_ty), mask=mask)
    tl.store(to + C, picture.to(out.dtype.element_ty), mask=mask)


@triton.jit
def _step_outputs(found, latents, x0, difference, relevance, noise, slots, numbers, edits, pixels, columns,
                  BRANCHES: tl.constexpr, C: tl.constexpr, P: tl.constexpr):  # fmt: skip
    edit, p, c = tl.program_id(0), tl.program_id(1) * P + tl.arange(0, P), tl.arange(0, C)
    slot = tl.load(slots + edit)
    of = numbers + edit * columns
    inside = p < pixels
    mask = inside[:, None]
    # Predictions have their channels last, everything else has them first.
    last = (edit * pixels + p[:, None]) * C + c[None, :]
    branch = edits * pixels * C
    where = (slot * C + c[None, :]) * pixels + p[:, None]
    both = tl.load(found + (BRANCHES - 1) * branch + last, mask=mask, other=0.0).to(tl.float32)
    if BRANCHES == 1:
        guided = both + tl.load(difference + where, mask=mask, other=0.0)
    else:
        seen = tl.load(found + (BRANCHES - 2) * branch + last, mask=mask, other=0.0).to(tl.float32)
        guided = tl.load(of + 3) * seen + tl.load(of + 4) * both
        if BRANCHES == 3:
            guided += tl.load(of + 2) * tl.load(found + last, mask=mask, other=0.0).to(tl.float32)
        tl.store(difference + where, guided - both, mask=mask)
        spoken = relevance + slot * pixels + p
        strength = tl.sum(tl.abs(both - seen), 1) / C
        tl.store(spoken, tl.load(spoken, mask=inside, other=0.0) + strength, mask=inside)
    now = tl.load(latents + where, mask=mask, other=0.0)
    before = tl.load(x0 + where, mask=mask, other=0.0)
    drawn = tl.load(noise + (edit * C + c[None, :]) * pixels + p[:, None], mask=mask, other=0.0)
    clean = tl.load(of + 5) * now + tl.load(of + 6) * guided
    moved = (
        tl.load(of + 7) * now + tl.load(of + 8) * clean + tl.load(of + 9) * drawn + tl.load(of + 10) * before
    )
    tl.store(latents + where, moved, mask=mask)
    tl.store(x0 + where, clean, mask=mask)


def step_inputs(
    latents: Tensor, pictures: Tensor, slots: Tensor, numbers: Tensor, branches: int, dtype: torch.dtype
) -> Tensor:
    """See `denoising_step.step_inputs`."""
    _, channels, height, width = latents.shape
    edits, unseen = len(slots), len(slots) if branches == 3 else 0
    out = torch.empty(
        edits + unseen, 2 * channels, height, width, device=latents.device, dtype=dtype,
        memory_format=torch.channels_last,
    )  # fmt: skip
    pixels = height * width
    launch(_step_inputs, (len(out), triton.cdiv(pixels, PIXELS)), out)(
        latents, pictures, slots, numbers, out, edits, pixels, numbers.shape[1], unseen, C=channels, P=PIXELS
    )
    return out


def step_outputs(
    found: Tensor,
    latents: Tensor,
    x0: Tensor,
    difference: Tensor,
    relevance: Tensor,
    noise: Tensor,
    slots: Tensor,
    numbers: Tensor,
) -> None:
    """See `denoising_step.step_outputs`."""
    _, channels, height, width = latents.shape
    edits, pixels = len(slots), height * width
    found = found.contiguous(memory_format=torch.channels_last)
    launch(_step_outputs, (edits, triton.cdiv(pixels, PIXELS)), found)(
        found, latents, x0, difference, relevance, noise, slots, numbers, edits, pixels, numbers.shape[1],
        BRANCHES=len(found) // edits, C=channels, P=PIXELS,
    )  # fmt: skip
