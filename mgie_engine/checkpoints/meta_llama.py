"""LLaMA-7B as Meta hands it out: consolidated.00.pth, under Meta's own tensor names.

The position code of Meta pairs neighbouring numbers of a head, that of transformers the halves of a head. So
the rows of the query and key projections have another order.
"""

import re
from functools import partial
from pathlib import Path

from torch import Tensor

from mgie_engine.checkpoints.tensors import LazyTensors, Read, available
from mgie_engine.errors import ModelError
from mgie_engine.model_files import META_WEIGHTS

_WHOLE = {
    "tok_embeddings": "model.embed_tokens",
    "norm": "model.norm",
    "output": "lm_head",
}
_OF_LAYER = {
    "attention.wq": "self_attn.q_proj",
    "attention.wk": "self_attn.k_proj",
    "attention.wv": "self_attn.v_proj",
    "attention.wo": "self_attn.o_proj",
    "feed_forward.w1": "mlp.gate_proj",
    "feed_forward.w2": "mlp.down_proj",
    "feed_forward.w3": "mlp.up_proj",
    "attention_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_LAYER = re.compile(r"layers\.(\d+)\.(.+)\.weight")


def meta_files(folder: Path) -> list[Path]:
    """The files of Meta's weights in a folder; none: there are no such weights."""
    return sorted(file for file in folder.glob("consolidated.*") if META_WEIGHTS.fullmatch(file.name))


def read_meta(files: list[Path], heads: int, read: Read) -> LazyTensors:
    """Meta's tensors under the names of transformers, reordered when they are used.

    heads: attention heads of a layer. ModelError if there is more than one file, or a tensor is no LLaMA's.
    """
    if len(files) > 1:
        raise ModelError(
            f"{files[0].parent} holds {len(files)} files consolidated.*.pth, and LLaMA-7B is one of them."
        )
    makers = {}
    for name, tensor in read(files).items():
        if name == "rope.freqs":  # computed, not learned
            continue
        makers[_name(name, files[0])] = (
            partial(_halved, name, tensor, heads)
            if name.endswith(("attention.wq.weight", "attention.wk.weight"))
            else available(tensor)
        )
    return LazyTensors(makers)


def _name(name: str, file: Path) -> str:
    if (part := name.removesuffix(".weight")) in _WHOLE:
        return f"{_WHOLE[part]}.weight"
    if (found := _LAYER.fullmatch(name)) and found[2] in _OF_LAYER:
        return f"model.layers.{found[1]}.{_OF_LAYER[found[2]]}.weight"
    raise ModelError(f"The tensor {name} of {file} is none of LLaMA's.")


def _halved(name: str, tensor: Tensor, heads: int) -> Tensor:
    """A query or key projection (D, D) with each head's rows 0, 2, 4, … before its rows 1, 3, 5, …"""
    rows = len(tensor)
    if tensor.ndim != 2 or rows % (2 * heads):
        raise ModelError(f"The tensor {name} of shape {list(tensor.shape)} has no {heads} heads.")
    return tensor.view(heads, rows // heads // 2, 2, -1).transpose(1, 2).reshape(tensor.shape)
