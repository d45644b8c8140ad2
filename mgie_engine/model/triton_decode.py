"""Fused GPU kernels of the decode, written in Triton: a few rows through matrices that are read once.

As `triton_norms`; a row's result depends on no other row, so readings do not depend on their company.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

PART = 64  # places of the cache that one program attends to


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
    _rms_norm[(x.numel() // width,)](x, weight, out, width, eps, BLOCK=block, num_warps=8)
    return out


@triton.jit
def _skinny_linear(x, w, scale, residual, out, rows, features, inputs,
                   INT8: tl.constexpr, GATED: tl.constexpr, ADD: tl.constexpr,
                   M: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):  # fmt: skip
    m, n, k = tl.arange(0, M), tl.program_id(0) * BN + tl.arange(0, BN), tl.arange(0, BK)
    kept = n < features
    place = n.to(tl.int64)[:, None] * inputs + k[None, :]
    second = features.to(tl.int64) * inputs
    gate = tl.zeros((M, BN), tl.float32)
    up = tl.zeros((M, BN), tl.float32)
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
    if INT8:
        gate *= tl.load(scale + n, mask=kept, other=0.0).to(tl.float32)[None, :]
        if GATED:
            up *= tl.load(scale + features + n, mask=kept, other=0.0).to(tl.float32)[None, :]
    if GATED:
        gate = gate * tl.sigmoid(gate) * up
    where = m[:, None] * features + n[None, :]
    stored = (m < rows)[:, None] & kept[None, :]
    if ADD:
        gate += tl.load(residual + where, mask=stored, other=0.0).to(tl.float32)
    tl.store(out + where, gate.to(out.dtype.element_ty), mask=stored)


def _tile(features: int, gated: bool) -> tuple[int, int, int, int]:
    """Outputs and inputs a program takes at once, warps, stages: what was quickest on an H200."""
    if features >= 16384:
        return 64, 64, 4, 5
    return (32, 128, 4, 4) if features >= 8192 or gated else (16, 128, 2, 6)


def skinny_linear(
    x: Tensor,
    weight: Tensor,
    scale: Tensor | None,
    residual: Tensor | None,
    gated: bool,
    tile: tuple[int, int, int, int] | None = None,
) -> Tensor:
    """x (R, K) times weight (N, K) transposed for few rows; `gated`: SiLU of the first half times the second.

    `scale` (N,): the weight is int8 with a scale per output. `residual` (R, N) is added.
    """
    rows, inputs = x.shape
    features = weight.shape[0] // (2 if gated else 1)
    out = torch.empty(rows, features, device=x.device, dtype=x.dtype)
    bn, bk, warps, stages = tile or _tile(features, gated)
    _skinny_linear[(triton.cdiv(features, bn),)](
        x, weight, x if scale is None else scale, x if residual is None else residual, out,
        rows, features, inputs, INT8=scale is not None, GATED=gated, ADD=residual is not None,
        M=max(16, triton.next_power_of_2(rows)), BN=bn, BK=bk, num_warps=warps, num_stages=stages,
    )  # fmt: skip
    return out


@triton.jit
def _rotate_and_store(qkv, cosines, sines, slots, positions, keys, values, heads, length,
                      HALF: tl.constexpr):  # fmt: skip
    row, head = tl.program_id(0), tl.program_id(1)
    d = tl.arange(0, HALF)
    width = heads * 2 * HALF
    slot, position = tl.load(slots + row), tl.load(positions + row)
    cosine = tl.load(cosines + position * HALF + d)
    sine = tl.load(sines + position * HALF + d)
    query = qkv + row * 3 * width + head * 2 * HALF + d
    key = query + width
    value = key + width
    first, second = tl.load(query).to(tl.float32), tl.load(query + HALF).to(tl.float32)
    tl.store(query, (first * cosine - second * sine).to(qkv.dtype.element_ty))
    tl.store(query + HALF, (second * cosine + first * sine).to(qkv.dtype.element_ty))
    first, second = tl.load(key).to(tl.float32), tl.load(key + HALF).to(tl.float32)
    where = ((slot * heads + head) * length + position) * 2 * HALF + d
    turned = (first * cosine - second * sine).to(keys.dtype.element_ty)
    tl.store(keys + where, turned)
    tl.store(key, turned)
    turned = (second * cosine + first * sine).to(keys.dtype.element_ty)
    tl.store(keys + where + HALF, turned)
    tl.store(key + HALF, turned)
    tl.store(values + where, tl.load(value))
    tl.store(values + where + HALF, tl.load(value + HALF))


@triton.jit
def _attend_part(qkv, slots, positions, keys, values, sums, heads, length, parts, factor,
                 D: tl.constexpr, L: tl.constexpr):  # fmt: skip
    row, head, part = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    d, at = tl.arange(0, D), part * L + tl.arange(0, L)
    slot, position = tl.load(slots + row), tl.load(positions + row)
    if part * L > position:
        return
    seen = at <= position
    query = tl.load(qkv + row * 3 * heads * D + head * D + d).to(tl.float32) * factor
    where = (slot * heads + head) * length * D + at[:, None] * D + d[None, :]
    key = tl.load(keys + where, mask=seen[:, None], other=0.0).to(tl.float32)
    value = tl.load(values + where, mask=seen[:, None], other=0.0).to(tl.float32)
    score = tl.where(seen, tl.sum(key * query[None, :], 1), -float("inf"))
    best = tl.max(score, 0)
    weight = tl.exp(score - best)
    to = sums + ((row * heads + head) * parts + part) * (D + 2)
    tl.store(to + d, tl.sum(value * weight[:, None], 0))
    tl.store(to + D, best)
    tl.store(to + D + 1, tl.sum(weight, 0))


@triton.jit
def _join_parts(sums, positions, out, heads, parts,
                D: tl.constexpr, L: tl.constexpr, N: tl.constexpr):  # fmt: skip
    row, head = tl.program_id(0), tl.program_id(1)
    d, n = tl.arange(0, D), tl.arange(0, N)
    known = n * L <= tl.load(positions + row)
    base = sums + ((row * heads + head) * parts + n) * (D + 2)
    best = tl.load(base + D, mask=known, other=-float("inf"))
    share = tl.exp(best - tl.max(best, 0))
    norm = tl.sum(tl.load(base + D + 1, mask=known, other=0.0) * share, 0)
    value = tl.load(base[:, None] + d[None, :], mask=known[:, None], other=0.0)
    total = tl.sum(value * share[:, None], 0) / norm
    tl.store(out + row * heads * D + head * D + d, total.to(out.dtype.element_ty))


def rotate_and_store(
    qkv: Tensor,
    cosines: Tensor,
    sines: Tensor,
    slots: Tensor,
    positions: Tensor,
    keys: Tensor,
    values: Tensor,
) -> None:
    """Turn queries and keys where they are and store keys and values; see `fused_ops.rotate_and_store`."""
    _, heads, length, size = keys.shape
    _rotate_and_store[(len(qkv), heads)](
        qkv,
        cosines,
        sines,
        slots,
        positions,
        keys,
        values,
        heads,
        length,
        HALF=size // 2,
        num_warps=1,
    )


def attend_cached(qkv: Tensor, slots: Tensor, positions: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend from one token a row; see `fused_ops.attend_cached`."""
    _, heads, length, size = keys.shape
    rows, parts = len(qkv), triton.cdiv(length, PART)
    out = torch.empty(rows, heads * size, device=qkv.device, dtype=qkv.dtype)
    sums = torch.empty(rows, heads, parts, size + 2, device=qkv.device, dtype=torch.float32)
    _attend_part[(rows, heads, parts)](
        qkv, slots, positions, keys, values, sums, heads, length, parts, size**-0.5, D=size, L=PART,
        num_warps=4,
    )  # fmt: skip
    _join_parts[(rows, heads)](
        sums, positions, out, heads, parts, D=size, L=PART, N=triton.next_power_of_2(parts),
        num_warps=1,
    )  # fmt: skip
    return out
