"""The U-Net as a function of fixed shape: the weights of diffusers' module, fewer and larger kernels.

Same mathematics as `UNet2DConditionModel`, other rounding. Exact savings: keys and values of the words are
computed once per edit, not per step; all time embeddings are one product; branches that see the same picture
share everything up to the first cross-attention.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from mgie_engine.model.fused_ops import geglu, group_norm, layer_norm, residual_sum
from mgie_engine.model.steady import add_product, convolve

TIMES = 8  # rows of the time embedding, whatever the batch
KNOWN_BLOCKS = {
    "CrossAttnDownBlock2D",
    "DownBlock2D",
    "UNetMidBlock2DCrossAttn",
    "UpBlock2D",
    "CrossAttnUpBlock2D",
}


def unsupported(unet: UNet2DConditionModel) -> str:
    """Why a U-Net cannot be run by `FusedUNet`; empty if it can."""
    blocks = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    if strange := {type(block).__name__ for block in blocks} - KNOWN_BLOCKS:
        return f"it has blocks of the kind {min(strange)}"
    resnets = [resnet for block in blocks for resnet in block.resnets]
    if any(r.time_embedding_norm != "default" or r.output_scale_factor != 1.0 for r in resnets):
        return "it scales with its time embedding"
    for transformer in _transformers(unet):
        for block in transformer.transformer_blocks:
            plain = block.norm_type == "layer_norm" and not block.only_cross_attention
            if not plain or type(block.ff.net[0]).__name__ != "GEGLU":
                return "its transformer blocks are not those of Stable Diffusion 1.5"
    plain = unet.config.class_embed_type is None and unet.config.addition_embed_type is None
    return "" if plain else "it has other embeddings"


class FusedUNet:
    """Predicts noise for B edits in K branches, rows branch by branch: row k · B + b."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        """The weights are shared with `unet`; some of its matrices become views of one larger matrix."""
        if reason := unsupported(unet):
            raise ValueError(f"The U-Net cannot be fused: {reason}.")
        self.unet = unet
        self.dtype = unet.dtype
        blocks = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
        self._resnets = [resnet for block in blocks for resnet in block.resnets]
        self._shifts = _places([resnet.conv1.out_channels for resnet in self._resnets])
        self._time_weight = torch.cat([r.time_emb_proj.weight for r in self._resnets])
        self._time_bias = torch.cat([r.time_emb_proj.bias + r.conv1.bias for r in self._resnets])
        self._last_bias = {
            r: r.conv2.bias if r.conv_shortcut is None else r.conv2.bias + r.conv_shortcut.bias
            for r in self._resnets
        }
        self._out_bias = {t: _out_bias(t) for t in _transformers(unet)}
        self._owed = {b: owed for t in _transformers(unet) for b, owed in _owed_biases(t).items()}
        attentions = [b for t in _transformers(unet) for b in t.transformer_blocks]
        self._qkv = {b: one_matrix([b.attn1.to_q, b.attn1.to_k, b.attn1.to_v]) for b in attentions}
        words = [linear for b in attentions for linear in (b.attn2.to_k, b.attn2.to_v)]
        self._words_weight = one_matrix(words)
        self._words = dict(zip(attentions, _pairs(_places([w.out_features for w in words])), strict=True))

    def keys_values(self, guidance: Tensor) -> Tensor:
        """Keys and values of guidance (…, 77, D) for every cross-attention, (…, 77, W)."""
        return F.linear(guidance.to(self.dtype), self._words_weight)

    def __call__(self, inputs: Tensor, timesteps: Tensor, words: Tensor) -> Tensor:
        """Predictions (K B, C, h, w) for inputs (P, 2 C, h, w), timesteps (B,), words (K B, 77, W).

        P = B: all branches see the same inputs. P = 2 B with K = 3: branches 1 and 2 share the second half.
        P = K B: nothing is shared.
        """
        rows, seen = len(words), len(inputs)
        shifts = self._time(timesteps).repeat(rows // len(timesteps), 1)
        share = _Shared(seen, rows)
        hidden = self.unet.conv_in(inputs.to(self.dtype))
        skips = [hidden]
        for block in self.unet.down_blocks:
            attentions = getattr(block, "attentions", None) or [None] * len(block.resnets)
            for resnet, attention in zip(block.resnets, attentions, strict=True):
                hidden = self._resnet(resnet, hidden, shifts)
                if attention is not None:
                    hidden = self._transformer(attention, hidden, words, share)
                skips.append(hidden)
            for down in block.downsamplers or ():
                hidden = _through(down.conv, hidden)
                skips.append(hidden)
        middle = self.unet.mid_block
        hidden = self._resnet(middle.resnets[0], hidden, shifts)
        for resnet, attention in zip(middle.resnets[1:], middle.attentions, strict=True):
            hidden = self._transformer(attention, hidden, words, share)
            hidden = self._resnet(resnet, hidden, shifts)
        for block in self.unet.up_blocks:
            attentions = getattr(block, "attentions", None) or [None] * len(block.resnets)
            for resnet, attention in zip(block.resnets, attentions, strict=True):
                pair = share.widened(hidden), share.widened(skips.pop())
                hidden = self._resnet(resnet, pair, shifts)
                if attention is not None:
                    hidden = self._transformer(attention, hidden, words, share)
            for up in block.upsamplers or ():
                if up.use_conv_transpose:  # it doubles by itself
                    hidden = up.conv(hidden)
                else:
                    hidden = _through(up.conv, F.interpolate(hidden, scale_factor=2.0, mode="nearest"))
        norm, out = self.unet.conv_norm_out, self.unet.conv_out
        hidden = group_norm(hidden, norm.weight, norm.bias, norm.num_groups, norm.eps, silu=True)
        return _through(out, hidden)

    def _time(self, timesteps: Tensor) -> Tensor:
        """What every resnet adds for the time, its first convolution's bias included: (B, all channels)."""
        # Always so many rows at least, since a product of one row adds in another order.
        padded = F.pad(timesteps, (0, max(0, TIMES - len(timesteps))))
        embedding = self.unet.time_embedding(self.unet.time_proj(padded).to(self.dtype))
        return F.linear(F.silu(embedding), self._time_weight, self._time_bias)[: len(timesteps)]

    def _resnet(self, resnet: Any, x: Tensor | tuple[Tensor, Tensor], shifts: Tensor) -> Tensor:
        """x may come in two parts, which are taken side by side."""
        start, stop = self._shifts[self._resnets.index(resnet)]
        one, two = resnet.norm1, resnet.norm2
        hidden = group_norm(x, one.weight, one.bias, one.num_groups, one.eps, silu=True)
        hidden = _through(resnet.conv1, hidden, with_bias=False)
        shift = shifts[: len(hidden), start:stop]
        hidden = group_norm(hidden, two.weight, two.bias, two.num_groups, two.eps, silu=True, shift=shift)
        hidden = _through(resnet.conv2, hidden, with_bias=False)
        if resnet.conv_shortcut is None:
            around = torch.cat(x, dim=1) if isinstance(x, tuple) else x
            return residual_sum(hidden, self._last_bias[resnet], around)
        return residual_sum(hidden, None, self._around(resnet, x))

    def _around(self, resnet: Any, x: Tensor | tuple[Tensor, Tensor]) -> Tensor:
        """What goes past a resnet that changes the number of channels, with both last biases."""
        first, *rest = (part.permute(0, 2, 3, 1) for part in (x if isinstance(x, tuple) else (x,)))
        weight, at = resnet.conv_shortcut.weight.flatten(1), first.shape[-1]
        found = F.linear(first, weight[:, :at], self._last_bias[resnet])  # (N, h, w, C)
        for part in rest:
            add_product(found, part, weight[:, at:])
        return found.permute(0, 3, 1, 2)

    def _transformer(self, transformer: Any, x: Tensor, words: Tensor, share: "_Shared") -> Tensor:
        norm = transformer.norm
        hidden = group_norm(x, norm.weight, norm.bias, norm.num_groups, norm.eps, silu=False)
        _, _, height, width = x.shape
        hidden = _project(transformer.proj_in, hidden.permute(0, 2, 3, 1).flatten(1, 2))  # (N, h w, D)
        # The products below are added to `hidden` where it is; their biases are added by what reads it.
        for block in transformer.transformer_blocks:
            one, two, three = block.norm1, block.norm2, block.norm3
            owed = self._owed[block]
            normed = layer_norm(hidden, owed[0], one.weight, one.bias, one.eps)
            add_product(hidden, self._self_attention(block, normed), block.attn1.to_out[0].weight)
            hidden, x = share.widened(hidden), share.widened(x)
            normed = layer_norm(hidden, owed[1], two.weight, two.bias, two.eps)
            add_product(hidden, self._cross_attention(block, normed, words), block.attn2.to_out[0].weight)
            normed = layer_norm(hidden, owed[2], three.weight, three.bias, three.eps)
            add_product(hidden, geglu(_project(block.ff.net[0].proj, normed)), block.ff.net[2].weight)
        weight = transformer.proj_out.weight
        hidden = F.linear(hidden, weight.flatten(1), self._out_bias[transformer])
        return residual_sum(hidden.view(len(hidden), height, width, -1).permute(0, 3, 1, 2), None, x)

    def _self_attention(self, block: Any, x: Tensor) -> Tensor:
        query, key, value = F.linear(x, self._qkv[block]).chunk(3, dim=-1)
        return _attend(query, key, value, block.attn1.heads)

    def _cross_attention(self, block: Any, x: Tensor, words: Tensor) -> Tensor:
        (start, middle), (_, stop) = self._words[block]
        query = F.linear(x, block.attn2.to_q.weight)
        return _attend(query, words[..., start:middle], words[..., middle:stop], block.attn2.heads)


class _Shared:
    """Rows that several branches still have in common, and how they become a row for each."""

    def __init__(self, seen: int, rows: int) -> None:
        self._seen, self._rows = seen, rows

    def widened(self, x: Tensor) -> Tensor:
        """x with a row for every branch and edit."""
        if len(x) == self._rows:
            return x
        if self._rows == 3 * self._seen // 2:
            return torch.cat([x, x[self._seen // 2 :]])
        return torch.cat([x] * (self._rows // self._seen))  # not `repeat`, which forgets channels last


def one_matrix(linears: Sequence[nn.Linear]) -> Tensor:
    """The weights one below the other; each linear's own becomes a view of it, so nothing is kept twice."""
    joined = torch.cat([linear.weight.data for linear in linears])
    if joined.is_meta:
        return joined
    at = 0
    for linear in linears:
        linear.weight.data = joined[at : at + linear.out_features]
        at += linear.out_features
    return joined


def _attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Attention of (N, Q, D) over keys and values (N, K, D)."""
    q, k, v = (part.view(*part.shape[:2], heads, -1).transpose(1, 2) for part in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def _project(layer: Any, x: Tensor) -> Tensor:
    """A linear, or a convolution of one pixel, on (…, D)."""
    weight = layer.weight if layer.weight.dim() == 2 else layer.weight.flatten(1)
    return F.linear(x, weight, layer.bias)


def _through(layer: nn.Conv2d, x: Tensor, with_bias: bool = True) -> Tensor:
    """A convolution with equal strides and paddings."""
    return convolve(
        x, layer.weight, layer.bias if with_bias else None, layer.stride[0], int(layer.padding[0])
    )


@torch.inference_mode()
def _owed_biases(transformer: Any) -> dict[Any, tuple[Tensor | None, Tensor, Tensor]]:
    """What each layer norm of each block has to add for the products before it."""
    owed: dict[Any, tuple[Tensor | None, Tensor, Tensor]] = {}
    total: Tensor | None = None
    for block in transformer.transformer_blocks:
        before = total
        first = block.attn1.to_out[0].bias if before is None else before + block.attn1.to_out[0].bias
        second = first + block.attn2.to_out[0].bias
        owed[block] = before, first, second
        total = second + block.ff.net[2].bias
    return owed


@torch.inference_mode()
def _out_bias(transformer: Any) -> Tensor:
    """The bias of a transformer's last projection, with those of its blocks taken through it."""
    last = transformer.proj_out
    layers = [
        layer
        for block in transformer.transformer_blocks
        for layer in (block.attn1.to_out[0], block.attn2.to_out[0], block.ff.net[2])
    ]
    inner = torch.stack([layer.bias.float() for layer in layers]).sum(0)
    whole: Tensor = last.bias.float() + last.weight.flatten(1).float() @ inner
    return whole.to(last.bias.dtype)


def _places(widths: Sequence[int]) -> list[tuple[int, int]]:
    """Where each lies when all lie side by side."""
    places, at = [], 0
    for width in widths:
        places.append((at, at + width))
        at += width
    return places


def _pairs(places: Sequence[tuple[int, int]]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return list(zip(places[::2], places[1::2], strict=True))


def _transformers(unet: UNet2DConditionModel) -> list[Any]:
    blocks = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    return [transformer for block in blocks for transformer in getattr(block, "attentions", None) or ()]
