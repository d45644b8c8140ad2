"""The operations that the static decode and the captured U-Net are made of.

Each has one meaning and two ways: a fused Triton kernel on CUDA, plain PyTorch everywhere else. Tensors are
fp16, bf16 or fp32; sums are taken in fp32.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor

NORMS, DECODE, ATTEND = "triton_norms", "triton_decode", "triton_attend"
log = logging.getLogger(__name__)


@cache
def _triton(module: str) -> ModuleType | None:
    try:
        return import_module(f"mgie_engine.model.{module}")
    except ImportError as error:
        log.warning("Triton is not available (%s); plain PyTorch takes the place of its kernels.", error)
        return None


def kernels_for(x: Tensor, module: str) -> ModuleType | None:
    """The module of Triton kernels to use for a tensor, if any."""
    # Tensors without data stand for those of a GPU: their kernels are compiled and not run.
    on_gpu = x.is_cuda or (x.is_meta and torch.cuda.is_available())
    return _triton(module) if on_gpu and torch.version.hip is None else None


def group_norm(
    x: Tensor | Sequence[Tensor],
    weight: Tensor,
    bias: Tensor,
    groups: int,
    eps: float,
    silu: bool,
    shift: Tensor | None = None,
) -> Tensor:
    """Group norm of channels-last x (B, C, h, w), `shift` (B, C) added first; then SiLU if asked for.

    Several x are taken as one, side by side in their channels.
    """
    parts = [x] if isinstance(x, Tensor) else list(x)
    if kernels := kernels_for(weight, NORMS):
        parts = [part.contiguous(memory_format=torch.channels_last) for part in parts]
        return kernels.group_norm(  # type: ignore[no-any-return]
            parts, weight, bias, groups, eps, silu, shift
        )
    whole = torch.cat(parts, dim=1)
    normed = F.group_norm(
        whole if shift is None else whole + shift[:, :, None, None], groups, weight, bias, eps
    )
    return F.silu(normed) if silu else normed


def residual_sum(x: Tensor, bias: Tensor | None, y: Tensor) -> Tensor:
    """x + bias + y for channels-last x, y (B, C, h, w) and bias (C,)."""
    if kernels := kernels_for(x, NORMS):
        x, y = (
            part.contiguous(memory_format=torch.channels_last) if part.dim() == 4 else part for part in (x, y)
        )
        return kernels.residual_sum(x, bias, y)  # type: ignore[no-any-return]
    return x + y if bias is None else x + bias[:, None, None] + y


def layer_norm(x: Tensor, shift: Tensor | None, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Layer norm of x (…, D), to which `shift` (D,) is added first."""
    if kernels := kernels_for(x, NORMS):
        return kernels.layer_norm(x, shift, weight, bias, eps)  # type: ignore[no-any-return]
    return F.layer_norm(x if shift is None else x + shift, x.shape[-1:], weight, bias, eps)


def geglu(x: Tensor) -> Tensor:
    """The first half of x (…, 2 N) times the GELU of the second."""
    if kernels := kernels_for(x, NORMS):
        return kernels.geglu(x)  # type: ignore[no-any-return]
    value, gate = x.chunk(2, dim=-1)
    return value * F.gelu(gate)


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """RMS norm of rows x (R, D), as LLaMA has it."""
    if kernels := kernels_for(x, DECODE):
        return kernels.rms_norm(x, weight, eps)  # type: ignore[no-any-return]
    wide = x.float()
    return weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)).to(x.dtype)


@dataclass(frozen=True, slots=True)
class Normed:
    """Rows after an RMS norm. With `squares` (P, 16), the sums of squares of parts of each row, the rows are
    still to be divided by the root of their mean; the product they go through does so at its end."""

    rows: Tensor  # (R, D)
    squares: Tensor | None = None
    eps: float = 0.0


Norm = tuple[Tensor, float]  # the weight and the epsilon of an RMS norm


def skinny_linear(
    x: Tensor | Normed,
    weight: Tensor,
    scale: Tensor | None = None,
    residual: Tensor | None = None,
    gated: bool = False,
) -> Tensor:
    """x (R, K) through weight (N, K), for few rows. A row's result does not depend on the other rows.

    `scale` (N,): the weight is int8 and has a scale per output. `gated`: SiLU of the first half of the
    outputs times the second half, (R, N / 2). `residual` is added last.
    """
    normed = x if isinstance(x, Normed) else Normed(x)
    if kernels := kernels_for(weight, DECODE):
        out, _, _ = kernels.skinny_linear(
            normed.rows, normed.squares, weight, scale, residual, gated, None, normed.eps
        )
        return out  # type: ignore[no-any-return]
    x = normed.rows
    whole = weight if scale is None else weight.to(x.dtype) * scale[:, None]
    out = F.linear(x, whole)
    if gated:
        gate, up = out.chunk(2, dim=-1)
        out = F.silu(gate) * up
    return out if residual is None else residual + out


def skinny_sum(
    x: Tensor, weight: Tensor, scale: Tensor | None, residual: Tensor, norm: Norm
) -> tuple[Tensor, Normed]:
    """`skinny_linear` plus `residual`, and the same after the RMS norm that follows."""
    if kernels := kernels_for(x, DECODE):
        out, rows, sums = kernels.skinny_linear(x, None, weight, scale, residual, False, norm[0], 0.0)
        return out, Normed(rows, sums, norm[1])
    out = skinny_linear(x, weight, scale, residual)
    return out, Normed(rms_norm(out, *norm))


def rotate_and_store(
    qkv: Tensor,
    cosines: Tensor,
    sines: Tensor,
    slots: Tensor,
    positions: Tensor,
    keys: Tensor,
    values: Tensor,
) -> None:
    """Turn the queries and keys of qkv (R, 3 H D) in place by their positions, and store keys and values.

    Row r belongs to cache slot slots[r] at place positions[r]; several rows may share a slot. cosines, sines
    (L, D / 2) fp32; keys, values (S, H, L, D).
    """
    if kernels := kernels_for(qkv, ATTEND):
        kernels.rotate_and_store(qkv, cosines, sines, slots, positions, keys, values)
        return
    _, heads, _, size = keys.shape
    query, key, value = qkv.view(len(qkv), 3, heads, size).unbind(1)  # (R, H, D)
    cosine, sine = (table[positions][:, None] for table in (cosines, sines))
    query.copy_(_turned(query, cosine, sine))
    key.copy_(_turned(key, cosine, sine))
    keys[slots, :, positions] = key
    values[slots, :, positions] = value


def attend_cached(qkv: Tensor, slots: Tensor, positions: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attention (R, H D) of one token a row, whose queries are in qkv (R, 3 H D), to a static cache.

    A row sees the places of its slot up to its own position.
    """
    if kernels := kernels_for(qkv, ATTEND):
        return kernels.attend_cached(qkv, slots, positions, keys, values)  # type: ignore[no-any-return]
    _, heads, length, size = keys.shape
    query = qkv[:, : heads * size].view(-1, heads, 1, size)
    seen = torch.arange(length, device=qkv.device) <= positions[:, None]  # (R, L)
    out = F.scaled_dot_product_attention(query, keys[slots], values[slots], attn_mask=seen[:, None, None])
    return out.reshape(len(qkv), heads * size)


def attend_next(
    qkv: Tensor,
    cosines: Tensor,
    sines: Tensor,
    slots: Tensor,
    positions: Tensor,
    keys: Tensor,
    values: Tensor,
    arrived: Tensor,
) -> Tensor:
    """`rotate_and_store` and `attend_cached` in one, for rows whose slots differ.

    Rows may share a slot only at place 0. `arrived` (R, H) int32: zeros, and zeros again afterwards. Whether
    qkv is turned is not said.
    """
    if kernels := kernels_for(qkv, ATTEND):
        return kernels.attend_next(  # type: ignore[no-any-return]
            qkv, cosines, sines, slots, positions, keys, values, arrived
        )
    rotate_and_store(qkv, cosines, sines, slots, positions, keys, values)
    return attend_cached(qkv, slots, positions, keys, values)


def _turned(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = x.float().chunk(2, dim=-1)
    turned = torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
    return turned.to(x.dtype)
