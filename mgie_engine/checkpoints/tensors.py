"""Tensor files: safe reading with precise errors, and shards of safetensors with int8 weights.

An int8 tensor `X` has a tensor `X.scale`: one fp16 factor per output channel, the first axis.
"""

import pickle
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from mgie_engine.checkpoints.pickles import require_bounded
from mgie_engine.config import ModelConfig
from mgie_engine.errors import ModelError
from mgie_engine.model_files import require_regular
from mgie_engine.text.tokenizer import Tokenizer

Stored = Literal["fp32", "fp16", "bf16", "int8"]
SHARD_BYTES = 15 * 2**20
Read = Callable[[Iterable[Path]], dict[str, Tensor]]  # as `read_tensors`
_DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_SCALE = ".scale"


@dataclass(frozen=True, slots=True)
class LazyTensors(Mapping[str, Tensor]):
    """Named tensors that are made on every access, so that one at a time needs to be in memory."""

    makers: Mapping[str, Callable[[], Tensor]]

    def __getitem__(self, name: str) -> Tensor:
        return self.makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self.makers)

    def __len__(self) -> int:
        return len(self.makers)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model in its files; tensors have their published names and are read when they are used."""

    config: ModelConfig
    tokenizer: Tokenizer
    tensors: LazyTensors
    exact: bool = False  # whether the files hold no other tensors


def available(tensor: Tensor) -> Callable[[], Tensor]:
    """The maker of a tensor that exists already."""
    return lambda: tensor


def read_tensors(files: Iterable[Path]) -> dict[str, Tensor]:
    """All tensors of .safetensors, .bin and .pt files, memory-mapped: the disk is read when they are used.

    Code in the files is never run.
    """
    tensors: dict[str, Tensor] = {}
    for file in files:
        found = _read_file(file)
        for name in tensors.keys() & found.keys():
            if not torch.equal(tensors[name], found[name]):
                raise ModelError(f"The tensor {name} in {file} is another one in a file before it.")
        tensors |= found
    return tensors


def read_headers(files: Iterable[Path]) -> dict[str, Tensor]:
    """The same tensors without their contents, on the device "meta": names, types and shapes."""
    return {name: tensor.to("meta") for name, tensor in read_tensors(files).items()}


def _read_file(file: Path) -> dict[str, Tensor]:
    require_regular(file)
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        require_bounded(file)
        # Only the zip format, which torch writes since 1.6, can be mapped.
        loaded = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{file} is damaged, or holds more than tensors, which is not safe to read."
        ) from error
    except ModelError:
        raise
    except Exception as error:  # of whatever type the damage makes torch and safetensors raise
        raise ModelError(f"{file} is damaged or no tensor file: {_first_line(error)}") from error
    if not isinstance(loaded, dict):
        raise ModelError(f"{file} holds {type(loaded).__name__}, not named tensors.")
    return {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def dequantised(tensors: Mapping[str, Tensor]) -> LazyTensors:
    """The tensors, int8 ones as fp32; ModelError if a scale is missing or misshapen."""
    makers: dict[str, Callable[[], Tensor]] = {}
    for name, tensor in tensors.items():
        if tensor.dtype == torch.int8:
            scale = _scale(name, tensor, tensors.get(name + _SCALE))
            makers[name] = partial(times_scale, tensor, scale)
        elif not name.endswith(_SCALE):
            makers[name] = available(tensor)
    return LazyTensors(makers)


def _scale(name: str, tensor: Tensor, scale: Tensor | None) -> Tensor:
    if scale is None:
        raise ModelError(f"The tensor {name}{_SCALE} is missing; {name} is int8 and needs it.")
    if list(scale.shape) != [len(tensor)]:
        raise ModelError(f"The tensor {name}{_SCALE} has shape {list(scale.shape)}, not [{len(tensor)}].")
    return scale


def times_scale(steps: Tensor, scale: Tensor) -> Tensor:
    """The fp32 weight of int8 `steps` (O, …) and `scale` (O,)."""
    return steps.float() * scale.float().view(-1, *[1] * (steps.ndim - 1))


def quantised(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """`tensor` as int8 with scales: the nearest of 255 steps up to each channel's largest value."""
    largest = tensor.float().flatten(1).abs().amax(1).clamp(min=1e-5)
    scale = (largest / 127).half()
    steps = tensor.float() / scale.float().view(-1, *[1] * (tensor.ndim - 1))
    return {name: steps.round().clamp(-127, 127).to(torch.int8), name + _SCALE: scale}


def as_stored(name: str, tensor: Tensor, stored: Stored) -> dict[str, Tensor]:
    """A tensor as it is written; with int8, tensors of one axis stay fp16."""
    plain = tensor.detach().cpu().contiguous()
    if stored == "int8" and plain.ndim > 1:
        return quantised(name, plain)
    return {name: plain.to(_DTYPES.get(stored, torch.float16))}


def write_shards(tensors: Iterable[dict[str, Tensor]], folder: Path, limit: int = SHARD_BYTES) -> list[Path]:
    """Write groups of tensors into files of at most `limit` bytes, header included.

    Tensors of a group stay in one file; a group above the limit has a file of its own.
    """
    paths = []
    for number, shard in enumerate(_packed(tensors, limit), 1):
        paths.append(folder / f"model-{number:05}.safetensors")
        save_file(shard, paths[-1], metadata={"format": "pt"})
    return paths


def _packed(groups: Iterable[dict[str, Tensor]], limit: int) -> Iterator[dict[str, Tensor]]:
    shard: dict[str, Tensor] = {}
    filled = 0
    for group in groups:
        size = sum(t.nbytes + 200 for t in group.values())  # 200 bytes cover a tensor's entry in the header
        if shard and filled + size > limit:
            yield shard
            shard, filled = {}, 0
        shard |= group
        filled += size
    if shard:
        yield shard
