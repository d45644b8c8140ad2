"""Fused GPU kernels of the decode's attention to a static cache, written in Triton.

The cache of a row is attended to in parts of 64 places, side by side; what the parts found is joined in the
same order always, so the same input gives the same bytes.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mgie_engine.model.triton_launch import launch

PART = 64  # places of the cache that one program attends to


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
def _joined(base, known, D: tl.constexpr, N: tl.constexpr):
    """What N parts found, of which some are known, as one: (D,)."""
    d, at = tl.arange(0, D), base + tl.arange(0, N) * (D + 2)
    best = tl.load(at + D, mask=known, other=-float("inf"), cache_modifier=".cg")
    share = tl.exp(best - tl.max(best, 0))
    norm = tl.sum(tl.load(at + D + 1, mask=known, other=0.0, cache_modifier=".cg") * share, 0)
    value = tl.load(at[:, None] + d[None, :], mask=known[:, None], other=0.0, cache_modifier=".cg")
    return tl.sum(value * share[:, None], 0) / norm


@triton.jit
def _join_parts(sums, positions, out, heads, parts,
                D: tl.constexpr, L: tl.constexpr, N: tl.constexpr):  # fmt: skip
    row, head = tl.program_id(0), tl.program_id(1)
    known = tl.arange(0, N) * L <= tl.load(positions + row)
    total = _joined(sums + (row * heads + head) * parts * (D + 2), known, D, N)
    tl.store(out + row * heads * D + head * D + tl.arange(0, D), total.to(out.dtype.element_ty))


@triton.jit
def _store_halves(to, first, second, HALF: tl.constexpr):
    tl.store(to, first)
    tl.store(to + HALF, second)


# All is loaded before anything is stored or computed. The newest place is taken from registers.
@triton.jit
def _attend_next(qkv, cosines, sines, slots, positions, keys, values, sums, arrived, out,
                 heads, length, parts, factor,
                 HALF: tl.constexpr, L: tl.constexpr, N: tl.constexpr):  # fmt: skip
    row, head, part = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    D: tl.constexpr = 2 * HALF
    slot, position = tl.load(slots + row), tl.load(positions + row)
    if part * L > position:
        return
    d, at = tl.arange(0, HALF), part * L + tl.arange(0, L)
    base = (slot * heads + head) * length * D
    older, newest = (at < position)[:, None], (at == position)[:, None]
    where = base + at[:, None] * D + d[None, :]
    key_first = tl.load(keys + where, mask=older, other=0.0)
    key_second = tl.load(keys + where + HALF, mask=older, other=0.0)
    value_first = tl.load(values + where, mask=older, other=0.0)
    value_second = tl.load(values + where + HALF, mask=older, other=0.0)
    cosine, sine = tl.load(cosines + position * HALF + d), tl.load(sines + position * HALF + d)
    query = qkv + row * 3 * heads * D + head * D + d
    key = query + heads * D
    value = key + heads * D
    one, two = tl.load(query).to(tl.float32), tl.load(query + HALF).to(tl.float32)
    new_one, new_two = tl.load(key).to(tl.float32), tl.load(key + HALF).to(tl.float32)
    value_one, value_two = tl.load(value), tl.load(value + HALF)
    asked_one = (one * cosine - two * sine).to(qkv.dtype.element_ty).to(tl.float32) * factor
    asked_two = (two * cosine + one * sine).to(qkv.dtype.element_ty).to(tl.float32) * factor
    key_one = (new_one * cosine - new_two * sine).to(keys.dtype.element_ty)
    key_two = (new_two * cosine + new_one * sine).to(keys.dtype.element_ty)
    if part == position // L:
        own = base + position * D + d
        _store_halves(keys + own, key_one, key_two, HALF)
        _store_halves(values + own, value_one, value_two, HALF)
    first = tl.where(newest, key_one[None, :], key_first).to(tl.float32)
    second = tl.where(newest, key_two[None, :], key_second).to(tl.float32)
    score = tl.sum(first * asked_one[None, :], 1) + tl.sum(second * asked_two[None, :], 1)
    score = tl.where(at <= position, score, -float("inf"))
    best = tl.max(score, 0)
    weight = tl.exp(score - best)
    first = tl.where(newest, value_one[None, :], value_first)
    second = tl.where(newest, value_two[None, :], value_second)
    to = sums + ((row * heads + head) * parts + part) * (D + 2)
    tl.store(to + d, tl.sum(first.to(tl.float32) * weight[:, None], 0))
    tl.store(to + HALF + d, tl.sum(second.to(tl.float32) * weight[:, None], 0))
    tl.store(to + D, best)
    tl.store(to + D + 1, tl.sum(weight, 0))
    tl.debug_barrier()  # all of this program's numbers are written before it says so
    if tl.atomic_add(arrived + row * heads + head, 1, sem="acq_rel") == position // L:
        known = tl.arange(0, N) * L <= position  # the last to arrive joins, whichever it is
        total = _joined(sums + (row * heads + head) * parts * (D + 2), known, D, N)
        tl.store(out + row * heads * D + head * D + tl.arange(0, D), total.to(out.dtype.element_ty))
        tl.store(arrived + row * heads + head, 0)


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
    launch(_rotate_and_store, (len(qkv), heads), qkv)(
        qkv, cosines, sines, slots, positions, keys, values, heads, length, HALF=size // 2, num_warps=1
    )


def attend_cached(qkv: Tensor, slots: Tensor, positions: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend from one token a row; see `fused_ops.attend_cached`."""
    _, heads, length, size = keys.shape
    rows, parts = len(qkv), triton.cdiv(length, PART)
    out = torch.empty(rows, heads * size, device=qkv.device, dtype=qkv.dtype)
    sums = torch.empty(rows, heads, parts, size + 2, device=qkv.device, dtype=torch.float32)
    launch(_attend_part, (rows, heads, parts), qkv)(
        qkv, slots, positions, keys, values, sums, heads, length, parts, size**-0.5, D=size, L=PART,
        num_warps=4,
    )  # fmt: skip
    launch(_join_parts, (rows, heads), qkv)(
        sums, positions, out, heads, parts, D=size, L=PART, N=triton.next_power_of_2(parts), num_warps=1
    )
    return out


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
    """Both of the above in one; see `fused_ops.attend_next`."""
    _, heads, length, size = keys.shape
    rows, parts = len(qkv), triton.cdiv(length, PART)
    out = torch.empty(rows, heads * size, device=qkv.device, dtype=qkv.dtype)
    sums = torch.empty(rows, heads, parts, size + 2, device=qkv.device, dtype=torch.float32)
    launch(_attend_next, (rows, heads, parts), qkv)(
        qkv, cosines, sines, slots, positions, keys, values, sums, arrived, out,
        heads, length, parts, size**-0.5, HALF=size // 2, L=PART, N=triton.next_power_of_2(parts),
        num_warps=4,
    )  # fmt: skip
    return out
