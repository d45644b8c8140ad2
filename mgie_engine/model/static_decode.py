"""Greedy decoding of several prompts with a static key/value cache, as programs of fixed shape.

R rows are decoded together, whatever they belong to and whether or not they are in use, so a row's arithmetic
never depends on its company. The places in the text, the rule against repeats and the choice of the token
are data on the device: between two tokens nothing goes through Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mgie_engine.model.confidence import chosen
from mgie_engine.model.cuda_graphs import Graphs, Program
from mgie_engine.model.fused_ops import (
    Norm,
    Normed,
    attend_cached,
    attend_next,
    rms_norm,
    rotate_and_store,
    skinny_linear,
    skinny_sum,
)
from mgie_engine.model.mllm import MLLM

PREFILL_LENGTHS = (320, 352, 384, 448)  # a prompt is padded to the next; longer ones are read eagerly
TABLE = 64  # smallest step between lengths where no length is listed


class Projection(Protocol):
    """Linears that share their input, as one product."""

    def few(self, x: Normed, gated: bool = False) -> Tensor:
        """Of the rows of a decode, (R, N); `gated` as in `fused_ops.skinny_linear`."""
        ...

    def add(self, x: Tensor, residual: Tensor, norm: Norm) -> tuple[Tensor, Normed]:
        """As `fused_ops.skinny_sum`."""
        ...

    def many(self, x: Tensor) -> Tensor:
        """Of x (T, K), for a whole prompt."""
        ...


@dataclass(frozen=True, slots=True)
class Packed:
    """A weight (N, K); int8 with a `scale` (N,), else as it is."""

    weight: Tensor
    scale: Tensor | None = None

    def few(self, x: Normed, gated: bool = False) -> Tensor:
        return skinny_linear(x, self.weight, self.scale, gated=gated)

    def add(self, x: Tensor, residual: Tensor, norm: Norm) -> tuple[Tensor, Normed]:
        return skinny_sum(x, self.weight, self.scale, residual, norm)

    def many(self, x: Tensor) -> Tensor:
        if self.scale is None:
            return F.linear(x, self.weight)
        return F.linear(x, self.weight.to(x.dtype) * self.scale[:, None])


@dataclass(frozen=True, slots=True)
class Separate:
    """Linears of another kind, called one by one. A layer's linears are all of one kind."""

    linears: tuple[nn.Module, ...]

    def few(self, x: Normed, gated: bool = False) -> Tensor:
        assert x.squares is None
        if gated:
            gate, up = (linear(x.rows) for linear in self.linears)
            return F.silu(gate) * up  # type: ignore[no-any-return]
        return self.many(x.rows)

    def add(self, x: Tensor, residual: Tensor, norm: Norm) -> tuple[Tensor, Normed]:
        out = residual + self.many(x)
        return out, Normed(rms_norm(out, *norm))

    def many(self, x: Tensor) -> Tensor:
        return torch.cat([linear(x) for linear in self.linears], dim=-1)


def packed(linears: Sequence[Any]) -> Projection:
    """The linears as one; their own weights become views of it, so that nothing is kept twice."""
    if all(isinstance(linear, nn.Linear) and linear.bias is None for linear in linears):
        return Packed(_joined([linear.weight for linear in linears]))
    if all(hasattr(linear, "steps") and hasattr(linear, "scale") for linear in linears):
        steps = _joined([linear.steps for linear in linears])
        return Packed(steps, _joined([linear.scale for linear in linears])[:, 0])
    return Separate(tuple(linears))


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    if len(tensors) == 1:
        return tensors[0].data
    whole = torch.cat([tensor.data for tensor in tensors])
    if whole.is_meta:
        return whole
    at = 0
    for tensor in tensors:
        tensor.data = whole[at : at + len(tensor)]
        at += len(tensor)
    if whole.is_cuda:
        torch.cuda.empty_cache()  # the parts' own memory is too small for the next whole
    return whole


@dataclass(frozen=True, slots=True)
class _Layer:
    norm: Norm
    qkv: Projection
    out: Projection
    norm_after: Norm
    gate_up: Projection
    down: Projection

    @classmethod
    def of(cls, layer: Any) -> "_Layer":
        attention, mlp = layer.self_attn, layer.mlp
        return cls(
            _norm(layer.input_layernorm),
            packed([attention.q_proj, attention.k_proj, attention.v_proj]),
            packed([attention.o_proj]),
            _norm(layer.post_attention_layernorm),
            packed([mlp.gate_proj, mlp.up_proj]),
            packed([mlp.down_proj]),
        )


def _norm(module: Any) -> Norm:
    return module.weight, module.variance_epsilon


class StaticDecoder:
    """The programs and the tensors they work on; which row is whose is the caller's to know.

    The cache has a slot for each row and one more, to which rows that are not in use point.
    """

    @torch.inference_mode()
    def __init__(
        self,
        mllm: MLLM,
        graphs: Graphs,
        rows: int,
        length: int,
        never: Sequence[int],
        no_repeat_ngram: int,
    ) -> None:
        """`length`: places of a slot. `never`: tokens that are not chosen."""
        self.rows, self.length = rows, length
        self._mllm, self._graphs, self._ngram = mllm, graphs, no_repeat_ngram
        model: Any = mllm.model
        self._embedding, self._norm = model.embed_tokens.weight, _norm(model.norm)
        self._layers = [_Layer.of(layer) for layer in model.layers]
        device, dtype = self._embedding.device, self._embedding.dtype
        heads = model.config.num_attention_heads
        size = model.config.hidden_size // heads
        self.cache = torch.zeros(
            len(self._layers), 2, rows + 1, heads, length, size, device=device, dtype=dtype
        )
        angles = torch.arange(length, device=device)[:, None] * model.rotary_emb.inv_freq.float().to(device)
        self._cosines, self._sines = angles.cos(), angles.sin()  # (L, D / 2)
        self._never = torch.zeros(mllm.lm_head.out_features + 1, device=device)
        self._never[[*never, -1]] = -torch.inf  # the last stands for no token
        whole = {"device": device, "dtype": torch.long}
        self.idle = rows  # the slot of rows that are not in use
        self.texts = torch.zeros(rows + 1, length, **whole)  # every token so far, by slot
        self.slots = torch.full((rows,), rows, **whole)
        self.positions = torch.zeros(rows, **whole)  # of the last token, which is fed next
        self.moves = torch.zeros(rows, **whole)  # 1 for rows in use
        # Of the last choice: the token, its probability, the second-best token; exact also as float64.
        self.choices = torch.zeros(rows, 3, device=device, dtype=torch.float64)
        self.forced = torch.zeros(rows, **whole)
        self.forced_slots = torch.full((rows,), rows, **whole)
        self.forced_positions = torch.zeros(rows, **whole)
        self._arrived = torch.zeros(rows, heads, device=device, dtype=torch.int32)
        self._pixels: Tensor | None = None
        self._prompt_slot, self._picture_at = torch.zeros(1, **whole), torch.zeros(1, **whole)
        self._prompts: dict[int, tuple[Tensor, Program[None]]] = {}
        self._next: Program[Tensor] = self._choose_next
        self._follow: Program[Tensor] = self._follow_forced

    def record(self, prompt_lengths: Sequence[int] = ()) -> None:
        """Record the programs; a prompt of another length than these is read eagerly."""
        self._next = self._graphs.record("decoding", self._choose_next)
        self._follow = self._graphs.record("the visual tokens", self._follow_forced)
        for length in prompt_lengths:
            if length <= self.length:
                self._prompt_program(length, record=True)

    def run_once(self, prompt_length: int) -> None:
        """Run each kind of program on whatever there is; moves nothing but the idle slot."""
        _, read = self._prompt_program(prompt_length, record=False)
        read()
        self._choose_next()
        self._follow_forced()

    @torch.inference_mode()
    def prefill(self, ids: Tensor, pixels: Tensor, picture_at: int, slot: int, keep: int) -> None:
        """Read ids (T,) with a picture (1, 3, H, W) into a slot; its text begins with ids[:keep].

        The last id is read again as the first to be fed, so its place is `keep` - 1.
        """
        padded = self._padded(len(ids))
        known, program = self._prompts.get(padded) or self._prompt_program(padded, record=False)
        if self._pixels is None:
            self._pixels = torch.empty_like(
                pixels, device=self._embedding.device, dtype=self._embedding.dtype
            )
        known.zero_()
        known[:, : len(ids)].copy_(ids, non_blocking=True)
        self._pixels.copy_(pixels, non_blocking=True)
        self._picture_at.fill_(picture_at)
        self._prompt_slot.fill_(slot)
        program()
        self.texts[slot, :keep].copy_(ids[:keep], non_blocking=True)

    @torch.inference_mode()
    def occupy(self, row: int, position: int) -> None:
        """Let a row decode its own slot from `position`, the place of the last token of its text."""
        self.slots[row : row + 1].fill_(row)
        self.positions[row : row + 1].fill_(position)
        self.moves[row : row + 1].fill_(1)

    @torch.inference_mode()
    def vacate(self, row: int) -> None:
        """Let a row point to the idle slot."""
        self.slots[row : row + 1].fill_(self.idle)
        self.positions[row : row + 1].zero_()
        self.moves[row : row + 1].zero_()

    @torch.inference_mode()
    def choose_next(self) -> Tensor:
        """Feed every row's last token and append the next: the tokens (R,), the same tensor each time."""
        return self._next()

    @torch.inference_mode()
    def states(self, slot: int, position: int, tokens: Sequence[int]) -> Tensor:
        """Feed tokens to one slot from `position` on, up to R of them: their states (len(tokens), D)."""
        count = len(tokens)
        assert count <= self.rows
        fed = torch.tensor([*tokens, *[0] * (self.rows - count)])
        self.forced.copy_(_pinned(fed, self.forced), non_blocking=True)
        slots = torch.tensor([slot] * count + [self.idle] * (self.rows - count))
        self.forced_slots.copy_(_pinned(slots, self.forced), non_blocking=True)
        places = torch.tensor([*range(position, position + count), *[0] * (self.rows - count)])
        self.forced_positions.copy_(_pinned(places, self.forced), non_blocking=True)
        return self._follow()[:count].clone()

    def _padded(self, length: int) -> int:
        fitting = [known for known in self._prompts if known >= length]
        return min(fitting) if fitting else min(self.length, -(-length // TABLE) * TABLE)

    def _prompt_program(self, length: int, record: bool) -> tuple[Tensor, Program[None]]:
        ids = torch.zeros(1, length, device=self._embedding.device, dtype=torch.long)
        size = self._mllm.vision.image_size
        if self._pixels is None:
            self._pixels = torch.zeros(
                1, 3, size, size, device=self._embedding.device, dtype=self._embedding.dtype
            )

        def program() -> None:
            self._read_prompt(ids)

        if not record:
            return ids, program
        self._prompts[length] = ids, self._graphs.record(f"reading {length} tokens", program)
        return self._prompts[length]

    def _read_prompt(self, ids: Tensor) -> None:
        assert self._pixels is not None
        length = ids.shape[1]
        patches = self._mllm.patches(self._pixels)
        hidden = self._mllm.embed(ids, patches, self._picture_at)[0]  # (T, D)
        slots, places = self._prompt_slot.expand(length).contiguous(), torch.arange(length, device=ids.device)
        for index, layer in enumerate(self._layers):
            keys, values = self.cache[index]
            heads, size = keys.shape[1], keys.shape[3]
            normed = rms_norm(hidden, *layer.norm)
            qkv = layer.qkv.many(normed)
            rotate_and_store(qkv, self._cosines, self._sines, slots, places, keys, values)
            if index == len(self._layers) - 1:
                return  # only keys and values are wanted; the last token is fed once more
            query, key, value = qkv.view(1, length, 3, heads, size).permute(2, 0, 3, 1, 4)  # (1, H, T, D)
            seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
            hidden = hidden + layer.out.many(seen[0].transpose(0, 1).flatten(1))
            normed = rms_norm(hidden, *layer.norm_after)
            gate, up = layer.gate_up.many(normed).chunk(2, dim=-1)
            hidden = hidden + layer.down.many(F.silu(gate) * up)

    def _through(self, tokens: Tensor, slots: Tensor, positions: Tensor, share_slots: bool) -> Tensor:
        """States (R, D) after the final norm of one token a row; `share_slots`: rows may share a slot."""
        hidden = self._embedding[tokens]
        normed = Normed(rms_norm(hidden, *self._layers[0].norm))
        norms = [*(layer.norm for layer in self._layers[1:]), self._norm]
        for layer, cached, norm in zip(self._layers, self.cache, norms, strict=True):
            qkv = layer.qkv.few(normed)
            keys, values = cached
            where = self._cosines, self._sines, slots, positions, keys, values
            if share_slots:
                rotate_and_store(qkv, *where)
                seen = attend_cached(qkv, slots, positions, keys, values)
            else:
                seen = attend_next(qkv, *where, self._arrived)
            hidden, normed = layer.out.add(seen, hidden, layer.norm_after)
            hidden, normed = layer.down.add(layer.gate_up.few(normed, gated=True), hidden, norm)
        return rms_norm(hidden, *self._norm)

    def _follow_forced(self) -> Tensor:
        return self._through(self.forced, self.forced_slots, self.forced_positions, share_slots=True)

    def _choose_next(self) -> Tensor:
        texts = self.texts[self.slots]  # (R, L)
        tokens = texts.gather(1, self.positions[:, None])[:, 0]
        states = self._through(tokens, self.slots, self.positions, share_slots=False)
        scores = skinny_linear(states, self._mllm.lm_head.weight).float()
        scores = F.pad(scores, (0, 1)) + self._never
        if self._ngram:
            scores = scores.scatter(1, self._repeats(texts), -torch.inf)
        token, probability, second = chosen(scores)
        self.choices.copy_(torch.stack([token.double(), probability.double(), second.double()], dim=1))
        self.positions.add_(self.moves).clamp_(max=self.length - 1)
        self.texts.index_put_((self.slots, self.positions), token)
        return token

    def _repeats(self, texts: Tensor) -> Tensor:
        """Tokens (R, L - n + 1) that would make a run of n that was there before; no token where none."""
        n, length = self._ngram, self.length
        ends = length - n + 1
        place = torch.arange(ends, device=texts.device)
        known = place + n - 1 <= self.positions[:, None]
        for back in range(1, n):
            last = texts.gather(1, (self.positions + 1 - back).clamp(min=0)[:, None])  # (R, 1)
            known = known & (texts[:, n - 1 - back : n - 1 - back + ends] == last)
        return torch.where(known, texts[:, n - 1 :], len(self._never) - 1)


def _pinned(values: Tensor, like: Tensor) -> Tensor:
    """On its way to a GPU without waiting for it."""
    return values.pin_memory() if like.is_cuda else values
