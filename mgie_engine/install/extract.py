"""Writes the published pair of files, mllm.pt and unet.pt, from any model or training run.

In fp16, with exactly the names and keys that the published demo loads.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from conversations.atomic_write import replacing
from mgie_engine.checkpoints.native import VISUAL_EMBEDDINGS
from mgie_engine.checkpoints.tensors import dequantised, read_tensors
from mgie_engine.errors import ModelError
from mgie_engine.model_files import shard_files

VISUAL_TOKENS = 8
TABLE, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def extract(source: Mapping[str, Tensor], folder: Path) -> tuple[Path, Path]:
    """Write mllm.pt and unet.pt of a model's tensors, under published names, into `folder`.

    ModelError says which half is missing in the source.
    """
    mllm, unet = language_half(source), diffusion_half(source)
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "mllm.pt", folder / "unet.pt"
    for file, tensors in zip(files, (mllm, unet), strict=True):
        with replacing(file) as part:
            torch.save(tensors, part)
    return files


def language_half(source: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The contents of mllm.pt: both tables, the edit head, and `emb` (1, 8, D), the visual embeddings."""
    for needed in (TABLE, HEAD, "edit_head.query"):
        if needed not in source:
            raise ModelError(f"There is no tensor {needed} to extract.")
    half = {name: _half(source[name]) for name in (TABLE, HEAD)}
    half |= {name: _half(source[name]) for name in source if name.startswith("edit_head.")}
    own = source[VISUAL_EMBEDDINGS] if VISUAL_EMBEDDINGS in source else half[TABLE][-VISUAL_TOKENS:]
    # A copy: torch.save would write the whole table a second time for a view of it.
    half[VISUAL_EMBEDDINGS] = _half(own).reshape(1, VISUAL_TOKENS, -1).clone()
    return half


def diffusion_half(source: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The contents of unet.pt: the U-Net, without a prefix."""
    half = {name.removeprefix("unet."): _half(source[name]) for name in source if name.startswith("unet.")}
    if not half:
        raise ModelError("There is no U-Net to extract.")
    return half


def tensors_of_run(folder: Path) -> Mapping[str, Tensor]:
    """The tensors of a training run's folder, or of its newest checkpoint-N: .bin or .safetensors shards.

    ModelError if there are none.
    """
    for place in (folder, *_checkpoints(folder)):
        if files := shard_files(place):
            return dequantised(read_tensors(files))
    raise ModelError(f"{folder} holds no tensors: neither .safetensors nor .bin files, nor a checkpoint-N.")


def _checkpoints(folder: Path) -> Iterator[Path]:
    """Folders checkpoint-N, the highest N first."""
    found = {path: path.name.removeprefix("checkpoint-") for path in folder.glob("checkpoint-*")}
    numbered = [(int(number), path) for path, number in found.items() if number.isdigit()]
    yield from (path for _, path in sorted(numbered, reverse=True))


def _half(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float16).contiguous()
