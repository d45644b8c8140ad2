"""Fused GPU kernels of the U-Net and the autoencoder, written in Triton: what stands between their products.

Every kernel sums in fp32 and rounds once. No atomics, so the same input gives the same bytes. `fused_ops` has
the same functions in plain PyTorch and decides which of the two runs.
"""

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from mgie_engine.model.triton_launch import launch

SMALL = 16384  # numbers of a group that one program normalises at once
ROWS = 4  # that one program of a layer norm takes
CHUNK, CHUNKS = 128, 64  # fewest pixels whose sums one program takes, and the most programs per channel


@triton.jit(do_not_specialize=["chunks"])
def _channel_sums(x, partial, pixels, channels, first, whole, chunks, P: tl.constexpr, C: tl.constexpr):
    chunk, block, image = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    p, c = tl.arange(0, P), block * C + tl.arange(0, C)
    base = x + image.to(tl.int64) * pixels * channels
    inside = c < channels
    total = tl.zeros((P, C), tl.float32)
    squares = tl.zeros((P, C), tl.float32)
    per_chunk = tl.cdiv(tl.cdiv(pixels, chunks), P) * P
    start = chunk * per_chunk
    for at in range(start, tl.minimum(start + per_chunk, pixels), P):
        place = at + p
        mask = (place < pixels)[:, None] & inside[None, :]
        value = tl.load(base + place[:, None] * channels + c[None, :], mask=mask, other=0.0).to(tl.float32)
        total += value
        squares += value * value
    where = partial + (image * chunks + chunk) * 2 * whole + first + c
    tl.store(where, tl.sum(total, 0), mask=inside)
    tl.store(where + whole, tl.sum(squares, 0), mask=inside)


@triton.jit(do_not_specialize=["pixels", "channels", "per_group", "chunks", "shift_row"])
def _group_scales(partial, shift, weight, bias, scales, pixels, channels, per_group, chunks, shift_row, eps,
                  HAS_SHIFT: tl.constexpr, J: tl.constexpr, N: tl.constexpr):  # fmt: skip
    group, image = tl.program_id(0), tl.program_id(1)
    j, n = tl.arange(0, J), tl.arange(0, N)
    c = group * per_group + j
    inside = j < per_group
    where = partial + (image * chunks + n[:, None]) * 2 * channels + c[None, :]
    mask = (n < chunks)[:, None] & inside[None, :]
    total = tl.sum(tl.load(where, mask=mask, other=0.0), 0)  # (J,)
    squares = tl.sum(tl.load(where + channels, mask=mask, other=0.0), 0)
    moved = tl.zeros((J,), tl.float32)
    if HAS_SHIFT:
        moved = tl.load(shift + image * shift_row + c, mask=inside, other=0.0).to(tl.float32)
        squares += moved * (2.0 * total + pixels * moved)
        total += pixels * moved
    count = (pixels * per_group).to(tl.float32)
    mean = tl.sum(total, 0) / count
    variance = tl.maximum(tl.sum(squares, 0) / count - mean * mean, 0.0)
    scale = tl.rsqrt(variance + eps) * tl.load(weight + c, mask=inside, other=0.0).to(tl.float32)
    add = tl.load(bias + c, mask=inside, other=0.0).to(tl.float32) + (moved - mean) * scale
    tl.store(scales + image * 2 * channels + c, scale, mask=inside)
    tl.store(scales + (image * 2 + 1) * channels + c, add, mask=inside)


@triton.jit
def _scale_channels(x, scales, out, pixels, channels, first, whole,
                    SILU: tl.constexpr, P: tl.constexpr, C: tl.constexpr):  # fmt: skip
    chunk, block, image = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    c, place = block * C + tl.arange(0, C), chunk * P + tl.arange(0, P)
    inside = c < channels
    scale = tl.load(scales + image * 2 * whole + first + c, mask=inside, other=0.0)
    add = tl.load(scales + (image * 2 + 1) * whole + first + c, mask=inside, other=0.0)
    mask = (place < pixels)[:, None] & inside[None, :]
    base = x + image.to(tl.int64) * pixels * channels
    value = tl.load(base + place[:, None] * channels + c[None, :], mask=mask, other=0.0).to(tl.float32)
    value = value * scale[None, :] + add[None, :]
    if SILU:
        value = value * tl.sigmoid(value)
    to = out + image.to(tl.int64) * pixels * whole + first
    tl.store(to + place[:, None] * whole + c[None, :], value.to(out.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["per_group"])
def _small_group_norm(x, shift, weight, bias, out, pixels, channels, per_group, shift_row, eps,
                      HAS_SHIFT: tl.constexpr, SILU: tl.constexpr,
                      P: tl.constexpr, J: tl.constexpr):  # fmt: skip
    group, image = tl.program_id(0), tl.program_id(1)
    p, j = tl.arange(0, P), tl.arange(0, J)
    c = group * per_group + j
    inside = j < per_group
    base = image.to(tl.int64) * pixels * channels
    where = base + p[:, None] * channels + c[None, :]
    mask = (p < pixels)[:, None] & inside[None, :]
    value = tl.load(x + where, mask=mask, other=0.0).to(tl.float32)
    if HAS_SHIFT:
        value += tl.load(shift + image * shift_row + c, mask=inside, other=0.0).to(tl.float32)[None, :]
    count = (pixels * per_group).to(tl.float32)
    mean = tl.sum(tl.where(mask, value, 0.0)) / count
    centred = tl.where(mask, value - mean, 0.0)
    scale = tl.rsqrt(tl.sum(centred * centred) / count + eps)
    weights = tl.load(weight + c, mask=inside, other=0.0).to(tl.float32)
    value = (
        centred * scale * weights[None, :] + tl.load(bias + c, mask=inside, other=0.0).to(tl.float32)[None, :]
    )
    if SILU:
        value = value * tl.sigmoid(value)
    tl.store(out + where, value.to(out.dtype.element_ty), mask=mask)


def group_norm(
    parts: Sequence[Tensor],
    weight: Tensor,
    bias: Tensor,
    groups: int,
    eps: float,
    silu: bool,
    shift: Tensor | None,
) -> Tensor:
    """Group norm of channels-last parts (B, C, h, w) side by side, plus `shift` (B, all C); then SiLU."""
    images, _, height, width = parts[0].shape
    channels, pixels = sum(part.shape[1] for part in parts), height * width
    out = torch.empty(
        images, channels, height, width, device=weight.device, dtype=parts[0].dtype,
        memory_format=torch.channels_last,
    )  # fmt: skip
    per_group = channels // groups
    some, row = (weight, 0) if shift is None else (shift, shift.stride(0))
    has_shift, j = shift is not None, triton.next_power_of_2(per_group)
    tile = triton.next_power_of_2(pixels)
    if tile * j <= SMALL and len(parts) == 1:
        launch(_small_group_norm, (groups, images), out)(
            parts[0], some, weight, bias, out, pixels, channels, per_group, row, eps,
            HAS_SHIFT=has_shift, SILU=silu, P=tile, J=j, num_warps=8,
        )  # fmt: skip
        return out
    chunks = min(CHUNKS, triton.cdiv(pixels, CHUNK))  # whatever else is in the batch, sums are taken alike
    partial = torch.empty(images, chunks, 2, channels, device=weight.device, dtype=torch.float32)
    scales = torch.empty(images, 2, channels, device=weight.device, dtype=torch.float32)
    firsts = [sum(part.shape[1] for part in parts[:index]) for index in range(len(parts))]
    for part, first in zip(parts, firsts, strict=True):
        own = part.shape[1]
        launch(_channel_sums, (chunks, triton.cdiv(own, 64), images), out)(
            part, partial, pixels, own, first, channels, chunks, P=64, C=64, num_warps=4
        )
    launch(_group_scales, (groups, images), out)(
        partial, some, weight, bias, scales, pixels, channels, per_group, chunks, row, eps,
        HAS_SHIFT=has_shift, J=j, N=triton.next_power_of_2(chunks), num_warps=4,
    )  # fmt: skip
    for part, first in zip(parts, firsts, strict=True):
        own = part.shape[1]
        launch(_scale_channels, (triton.cdiv(pixels, 64), triton.cdiv(own, 64), images), out)(
            part, scales, out, pixels, own, first, channels, SILU=silu, P=64, C=64, num_warps=4
        )
    return out


@triton.jit
def _residual_sum(x, bias, y, out, count, channels, HAS_BIAS: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    mask = at < count
    value = tl.load(x + at, mask=mask).to(tl.float32) + tl.load(y + at, mask=mask).to(tl.float32)
    if HAS_BIAS:
        value += tl.load(bias + at % channels, mask=mask).to(tl.float32)
    tl.store(out + at, value.to(out.dtype.element_ty), mask=mask)


def residual_sum(x: Tensor, bias: Tensor | None, y: Tensor) -> Tensor:
    """x + bias (C,) + y, all channels-last (B, C, h, w)."""
    out = torch.empty_like(x)
    block = 2048
    grid = (triton.cdiv(x.numel(), block),)
    some = x if bias is None else bias
    launch(_residual_sum, grid, out)(
        x, some, y, out, x.numel(), x.shape[1], HAS_BIAS=bias is not None, BLOCK=block
    )
    return out


@triton.jit(do_not_specialize=["rows"])
def _layer_norm(x, shift, weight, bias, out, rows, width, eps,
                HAS_SHIFT: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    at = tl.arange(0, BLOCK)
    inside = at < width
    mask = (row < rows)[:, None] & inside[None, :]
    where = row[:, None] * width + at[None, :]
    value = tl.load(x + where, mask=mask, other=0.0).to(tl.float32)
    if HAS_SHIFT:
        value += tl.load(shift + at, mask=inside, other=0.0).to(tl.float32)[None, :]
    mean = tl.sum(value, 1) / width
    centred = tl.where(inside[None, :], value - mean[:, None], 0.0)
    scale = tl.rsqrt(tl.sum(centred * centred, 1) / width + eps)
    weights = tl.load(weight + at, mask=inside, other=0.0).to(tl.float32)
    biases = tl.load(bias + at, mask=inside, other=0.0).to(tl.float32)
    normed = centred * scale[:, None] * weights[None, :] + biases[None, :]
    tl.store(out + where, normed.to(out.dtype.element_ty), mask=mask)


def layer_norm(x: Tensor, shift: Tensor | None, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Layer norm of x (…, D) plus `shift` (D,)."""
    width = x.shape[-1]
    rows = x.numel() // width
    out = torch.empty_like(x)
    block = triton.next_power_of_2(width)
    at_once = max(1, min(ROWS, 4096 // block))  # a warp or more for each
    launch(_layer_norm, (triton.cdiv(rows, at_once),), out)(
        x, x if shift is None else shift, weight, bias, out, rows, width, eps,
        HAS_SHIFT=shift is not None, ROWS=at_once, BLOCK=block, num_warps=4,
    )  # fmt: skip
    return out


@triton.jit
def _geglu(x, out, rows, width, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mask = (row < rows)[:, None] & (at < width)[None, :]
    from_ = x + row[:, None] * 2 * width + at[None, :]
    value = tl.load(from_, mask=mask).to(tl.float32)
    gate = tl.load(from_ + width, mask=mask).to(tl.float32)
    gate = 0.5 * gate * (1.0 + tl.erf(gate * 0.7071067811865476))
    tl.store(out + row[:, None] * width + at[None, :], (value * gate).to(out.dtype.element_ty), mask=mask)


def geglu(x: Tensor) -> Tensor:
    """x (…, 2 N) → first half times GELU of the second, (…, N)."""
    width = x.shape[-1] // 2
    out = torch.empty(*x.shape[:-1], width, device=x.device, dtype=x.dtype)
    rows = out.numel() // width
    launch(_geglu, (triton.cdiv(rows, 8), triton.cdiv(width, 256)), out)(
        x, out, rows, width, ROWS=8, BLOCK=256
    )
    return out
