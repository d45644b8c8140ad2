"""Fused GPU kernels of the decode, written in Triton: a few rows through matrices that are read once.

As `triton_norms`; a row's result depends on no other row, so readings do not depend on their company.
Each product also does what is left of the RMS norm before it, and begins the one after it, so that no kernel
stands between two products.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mgie_engine.model.triton_launch import launch

ROWS = 16  # of a tile: the fewest that the tensor cores take


@triton.jit
def _rms_norm(x, weight, out, width, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    mask = at < width
    value = tl.load(x + row * width + at, mask=mask, other=0.0).to(tl.float32)
    scale = tl.rsqrt(tl.sum(value * value, 0) / width + eps)
    normed = (value * scale).to(out.dtype.element_ty)
    tl.store(out + row * width + at, normed * tl.load(weight + at, mask=mask), mask=mask)


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """RMS norm of rows x (R, D)."""
    out = torch.empty_like(x)
    width = x.shape[-1]
    block = triton.next_power_of_2(width)
    launch(_rms_norm, (x.numel() // width,), x)(x, weight, out, width, eps, BLOCK=block, num_warps=8)
    return out


@triton.jit
def _skinny_linear(x, w, scale, residual, squares, norm, out, normed, sums, rows, features, inputs, eps,
                   INT8: tl.constexpr, GATED: tl.constexpr, ADD: tl.constexpr, PARTS: tl.constexpr,
                   NORM: tl.constexpr, M: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):  # fmt: skip
    m, n, k = tl.arange(0, M), tl.program_id(0) * BN + tl.arange(0, BN), tl.arange(0, BK)
    kept = n < features
    place = n.to(tl.int64)[:, None] * inputs + k[None, :]
    second = features.to(tl.int64) * inputs
    gate = tl.zeros((M, BN), tl.float32)
    up = tl.zeros((M, BN), tl.float32)
    where = m[:, None] * features + n[None, :]
    stored = (m < rows)[:, None] & kept[None, :]
    # What the end needs is asked for now, while nothing else is under way.
    if PARTS:
        total = tl.load(squares + tl.arange(0, PARTS)[:, None] * M + m[None, :])
    if ADD:
        added = tl.load(residual + where, mask=stored, other=0.0).to(tl.float32)
    if NORM:
        weights = tl.load(norm + n, mask=kept, other=0.0).to(tl.float32)
    for at in range(0, inputs, BK):
        mask = kept[:, None] & (at + k < inputs)[None, :]
        value = tl.load(
            x + m[:, None] * inputs + at + k[None, :],
            mask=(m < rows)[:, None] & (at + k < inputs)[None, :], other=0.0,
        )  # fmt: skip
        weight = tl.load(w + place + at, mask=mask, other=0, eviction_policy="evict_first").to(value.dtype)
        gate = tl.dot(value, tl.trans(weight), gate, input_precision="ieee")
        if GATED:
            other = tl.load(w + second + place + at, mask=mask, other=0, eviction_policy="evict_first")
            up = tl.dot(value, tl.trans(other.to(value.dtype)), up, input_precision="ieee")
    if PARTS:
        length = tl.rsqrt(tl.sum(total, 0) / inputs + eps)
        gate *= length[:, None]
        up *= length[:, None]
    if INT8:
        gate *= tl.load(scale + n, mask=kept, other=0.0).to(tl.float32)[None, :]
        if GATED:
            up *= tl.load(scale + features + n, mask=kept, other=0.0).to(tl.float32)[None, :]
    if GATED:
        gate = gate * tl.sigmoid(gate) * up
    if ADD:
        gate += added
    rounded = gate.to(out.dtype.element_ty)
    tl.store(out + where, rounded, mask=stored)
    if NORM:
        wide = tl.where(stored, rounded.to(tl.float32), 0.0)
        tl.store(sums + tl.program_id(0) * M + m, tl.sum(wide * wide, 1))
        tl.store(normed + where, (wide * weights[None, :]).to(out.dtype.element_ty), mask=stored)


def _tile(features: int, gated: bool) -> tuple[int, int, int, int]:
    """Outputs and inputs a program takes at once, warps, stages: what was quickest on an H200."""
    if features >= 16384:
        return 64, 64, 4, 5
    if gated:
        return 32, 128, 4, 3
    return (32, 128, 4, 4) if features >= 8192 else (32, 128, 4, 6)


def skinny_linear(
    x: Tensor,
    squares: Tensor | None,
    weight: Tensor,
    scale: Tensor | None,
    residual: Tensor | None,
    gated: bool,
    norm: Tensor | None,
    eps: float,
    tile: tuple[int, int, int, int] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """x (R, K) times weight (N, K) transposed, for few rows; the same times the weight of the next norm; and
    the sums of its squares (P, 16).

    `squares` (P, 16): x is still to be divided by the root of their mean. `norm` (N,): of the next RMS norm;
    without one, the second and third result say nothing. See `fused_ops.skinny_linear` for the others.
    """
    rows, inputs = x.shape
    features = weight.shape[0] // (2 if gated else 1)
    bn, bk, warps, stages = tile or _tile(features, gated)
    programs = triton.cdiv(features, bn)
    assert rows <= ROWS
    out = torch.empty(rows, features, device=x.device, dtype=x.dtype)
    normed, sums = out, out
    if norm is not None:
        # As many as a power of two: what no program writes stays 0.
        parts = triton.next_power_of_2(programs)
        made = torch.empty if parts == programs else torch.zeros
        normed, sums = torch.empty_like(out), made(parts, ROWS, device=x.device, dtype=torch.float32)
    launch(_skinny_linear, (programs,), x)(
        x, weight, x if scale is None else scale, x if residual is None else residual,
        x if squares is None else squares, x if norm is None else norm, out, normed, sums,
        rows, features, inputs, eps, INT8=scale is not None, GATED=gated, ADD=residual is not None,
        PARTS=0 if squares is None else len(squares), NORM=norm is not None, M=ROWS, BN=bn, BK=bk,
        num_warps=warps, num_stages=stages,
    )  # fmt: skip
    return out, normed, sums
