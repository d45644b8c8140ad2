"""Converts any model to one folder of safetensors in our layout, one tensor at a time to save memory."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from mgie_engine.checkpoints import native
from mgie_engine.checkpoints.layout import DIFFERENTIALS
from mgie_engine.checkpoints.native import VISUAL_EMBEDDINGS, is_llama_linear
from mgie_engine.checkpoints.tensors import LazyTensors, Stored, StoredModel, available, read_tensors
from mgie_engine.errors import ModelError
from mgie_engine.install.ledger import require_room

SHARD_BYTES = 512 * 2**20  # converting takes two shards and the largest tensor of main memory
PARTIAL = ".partial"
_BYTES: Mapping[Stored, int] = {"fp16": 2, "bf16": 2, "fp32": 4, "int8": 1}


def convert(
    source: StoredModel, output: Path, keep: Stored = "fp16", shard_bytes: int = SHARD_BYTES
) -> list[Path]:
    """Write an opened model to `output`, which may be its own folder; returns the shards.

    With "int8" the linear layers of LLaMA are int8 and all else is fp16. An incomplete conversion is in a
    folder of its own and is never loaded. ModelError names a missing or misshapen tensor, or the missing disk
    space.
    """
    expected = shapes(source)
    output.mkdir(parents=True, exist_ok=True)
    require_room(output, sum(shape.numel() for shape in expected.values()) * _BYTES[keep])
    partial = output / PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    stored: dict[str, Stored] = {"": keep}
    if keep == "int8":
        stored = dict.fromkeys(filter(is_llama_linear, expected), "int8")
        stored[""] = "fp16"
    tensors = _checked(source.tensors, expected)
    shards = native.write_model(source.config, source.tokenizer, tensors, partial, stored, shard_bytes)
    _move_up(partial, output)
    return [output / shard.name for shard in shards]


def onto(differentials: Path, base: StoredModel) -> StoredModel:
    """`base` with the tensors of a folder's mllm.pt and unet.pt. ModelError for a missing file."""
    taught = read_tensors([differentials / "mllm.pt"])
    painted = {f"unet.{name}": t for name, t in read_tensors([differentials / "unet.pt"]).items()}
    new = {name: available(tensor) for name, tensor in (taught | painted).items()}
    if unknown := new.keys() - shapes(base).keys() - {VISUAL_EMBEDDINGS}:
        raise ModelError(f"The tensor {min(unknown)} of {differentials} has no place in {base.config.name}.")
    kept = {name: maker for name, maker in base.tensors.makers.items() if name != VISUAL_EMBEDDINGS}
    return StoredModel(base.config, base.tokenizer, LazyTensors(kept | new), base.exact)


def shapes(source: StoredModel) -> dict[str, torch.Size]:
    """The required shape of each tensor of a model, by its published name."""
    return {name: tensor.shape for name, tensor in native.published(native.empty(source.config)).items()}


def find_differentials(folder: Path) -> Path:
    """The folder with mllm.pt: the given one or its mgie_7b. ModelError if it is in neither."""
    for place in (folder, folder / DIFFERENTIALS):
        if (place / "mllm.pt").is_file():
            return place
    raise ModelError(f"{folder} holds no mllm.pt, neither itself nor in {DIFFERENTIALS}.")


def _checked(
    tensors: Mapping[str, Tensor], expected: Mapping[str, torch.Size]
) -> Iterator[tuple[str, Tensor]]:
    """Every expected tensor, then the visual embeddings if they differ from their rows of the table."""
    for name, shape in expected.items():
        yield name, native.required_tensor(name, tensors, shape)
    if VISUAL_EMBEDDINGS in tensors:
        own, table = tensors[VISUAL_EMBEDDINGS], tensors["model.embed_tokens.weight"]
        own = own.reshape(-1, own.shape[-1])
        if not torch.equal(own, table[-len(own) :].to(own.dtype)):
            yield VISUAL_EMBEDDINGS, own[None]


def _move_up(partial: Path, output: Path) -> None:
    """Move a finished model up.

    config.json marks a complete model: the old one is removed first, the new one is moved last.
    """
    (output / "config.json").unlink(missing_ok=True)
    for old in output.glob("*.safetensors"):
        old.unlink()
    for file in sorted(partial.iterdir(), key=lambda file: file.name == "config.json"):
        file.replace(output / file.name)
    partial.rmdir()
