"""The published files of MGIE-7B: LLaVA, Apple's differentials, CLIP, and InstructPix2Pix.

A folder holds

    mgie_7b/mllm.pt, mgie_7b/unet.pt      Apple's differentials
    LLaVA-7B-v1/                          or: llama-7b/ + LLaVA-Lightning-7B-delta-v1-1/, added at load time;
                                          llama-7b/ is Meta's consolidated.00.pth, or transformers' files
    clip-vit-large-patch14/               or the hub's openai/clip-vit-large-patch14
    instruct-pix2pix/                     or the hub's timbrooks/instruct-pix2pix

Apple's weights are licensed CC-BY-NC; LLaMA's have their own terms.
"""

import inspect
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from huggingface_hub import snapshot_download
from torch import Tensor

from mgie_engine.checkpoints.layout import (
    BASE,
    CLIP,
    CLIP_HUB,
    DELTA,
    DIFFERENTIALS,
    LLAVA,
    PIX2PIX,
    PIX2PIX_HUB,
    REVISIONS,
)
from mgie_engine.checkpoints.meta_llama import meta_files, read_meta
from mgie_engine.checkpoints.tensors import LazyTensors, Read, StoredModel, available, read_tensors
from mgie_engine.config import (
    Defaults,
    EditHeadSizes,
    LanguageSizes,
    ModelConfig,
    NoiseSchedule,
    VisionSizes,
)
from mgie_engine.errors import ModelError
from mgie_engine.model_files import read_json, shard_files
from mgie_engine.text.tokenizer import Tokenizer

_EDIT_HEADS = 4  # attention heads of the edit head; no tensor's shape depends on it
_MOST_OF_DELTA = 0.1  # mean size of the last norm's weights: over 1 in LLaMA, about 0 in what is added to it
_COMPUTED = ".rotary_emb.inv_freq"  # in files of 2023; the network computes it
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_PUBLISHED_AS = {  # where the configurations of transformers and diffusers have other names than ours
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "max_positions": "max_position_embeddings",
    "train_timesteps": "num_train_timesteps",
    "spacing": "timestep_spacing",
}
SizesT = TypeVar("SizesT", LanguageSizes, VisionSizes, NoiseSchedule)
_log = logging.getLogger(__name__)


def read_released(folder: Path, read: Read = read_tensors) -> StoredModel:
    """Read a folder of published files. ModelError names what is missing."""
    taught = read([folder / DIFFERENTIALS / "mllm.pt"])
    painted = read([folder / DIFFERENTIALS / "unet.pt"])
    table = _required(taught, "model.embed_tokens.weight")
    return _together(folder, painted, taught, len(table), _edit_head(taught), read=read)


def read_bases(folder: Path, diffusion: Path | None = None) -> StoredModel:
    """The same folder without Apple's differentials: the start of MGIE's own training.

    LLaVA's tables lack the visual tokens, there is no edit head, and the U-Net comes from the folder
    `diffusion`, by default the folder's InstructPix2Pix. ModelError names what is missing.
    """
    diffusion = diffusion or folder / PIX2PIX
    rows = len(_required(_llava_tensors(folder, read_tensors), "model.embed_tokens.weight", "LLaVA"))
    painted = _weights(diffusion / "unet", read_tensors)
    return _together(folder, painted, {}, rows, EditHeadSizes(), diffusion)


def _together(
    folder: Path,
    painted: Mapping[str, Tensor],
    taught: Mapping[str, Tensor],
    rows: int,
    edit_head: EditHeadSizes,
    diffusion: Path | None = None,
    read: Read = read_tensors,
) -> StoredModel:
    clip = _folder_or_hub(folder / CLIP, CLIP_HUB, ["config.json", "model.safetensors"])
    pix2pix = diffusion or _folder_or_hub(
        folder / PIX2PIX, PIX2PIX_HUB, ["unet/config.json", "scheduler/*", "vae/*"]
    )
    llava = folder / LLAVA if (folder / LLAVA).is_dir() else folder / DELTA
    mapped = {
        **_prefixed(
            "clip.", {n: t for n, t in _weights(clip, read).items() if n.startswith("vision_model.")}
        ),
        **_prefixed("vae.", {_new_name(n): t for n, t in _weights(pix2pix / "vae", read).items()}),
        **_prefixed("unet.", painted),
        **taught,
    }
    makers = dict(_llava_tensors(folder, read).makers)
    makers |= {name: available(tensor) for name, tensor in mapped.items()}
    config = ModelConfig(
        name=folder.resolve().name,
        language=language_sizes(read_json(llava / "config.json"), rows),
        vision=vision_sizes(read_json(clip / "config.json"), read_json(llava / "config.json")),
        edit_head=edit_head,
        unet=_arguments(UNet2DConditionModel, read_json(pix2pix / "unet" / "config.json")),
        vae=_arguments(AutoencoderKL, read_json(pix2pix / "vae" / "config.json")),
        noise=_noise(read_json(pix2pix / "scheduler" / "scheduler_config.json")),
        defaults=Defaults(),
    ).validated("The configuration of the published files")
    return StoredModel(config, Tokenizer.read(llava, config.edit_head.visual_tokens), LazyTensors(makers))


def apply_delta(base: Mapping[str, Tensor], delta: Mapping[str, Tensor]) -> LazyTensors:
    """LLaVA's tensors, in fp16: delta plus base.

    The base is added to the first rows of tables with more rows; mm_projector is in the delta whole.
    ModelError if the base lacks any other tensor, or, when it is used, a shape does not match.
    """
    makers = {}
    for name, change in delta.items():
        if name.endswith(_COMPUTED):
            continue
        if name in base:
            makers[name] = partial(_added, name, change, base)
        elif "mm_projector" in name:
            makers[name] = partial(change.to, torch.float16)
        else:
            raise ModelError(f"The delta's tensor {name} is missing in the base model.")
    return LazyTensors(makers)


def _check_fit(name: str, change: Tensor, base: Tensor) -> None:
    table = name in ("model.embed_tokens.weight", "lm_head.weight")
    fits = change.shape[1:] == base.shape[1:] and (
        len(change) == len(base) or (table and len(change) > len(base))
    )
    if not fits:
        raise ModelError(
            f"The tensor {name} has shape {list(base.shape)} in the base, {list(change.shape)} in the delta."
        )
    for where, tensor in (("base", base), ("delta", change)):
        if not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ModelError(f"The tensor {name} of the {where} holds {kind}.")


def _added(name: str, change: Tensor, base: Mapping[str, Tensor]) -> Tensor:
    known = base[name]
    _check_fit(name, change, known)
    total = change.to(torch.float16, copy=True)
    total[: len(known)] += known.half()
    return total


def _llava_tensors(folder: Path, read: Read) -> LazyTensors:
    if (folder / LLAVA).is_dir():
        whole = _weights(folder / LLAVA, read)
        _check_whole(folder, whole)
        return LazyTensors({name: available(tensor) for name, tensor in whole.items()})
    if (folder / BASE).is_dir() and (folder / DELTA).is_dir():
        return apply_delta(_base_tensors(folder, read), _weights(folder / DELTA, read))
    raise ModelError(f"{folder} needs {LLAVA}, or {BASE} and {DELTA}.")


def _check_whole(folder: Path, llava: Mapping[str, Tensor]) -> None:
    """The published README says to put the delta into LLaVA's folder, where it would be taken for LLaVA."""
    norm = llava.get("model.norm.weight")
    if norm is not None and not norm.is_meta and norm.float().abs().mean() < _MOST_OF_DELTA:
        raise ModelError(
            f"{folder / LLAVA} holds what is added to LLaMA, not LLaVA itself: rename it to {DELTA} and put "
            f"LLaMA-7B into {BASE} beside it."
        )


def _base_tensors(folder: Path, read: Read) -> Mapping[str, Tensor]:
    """LLaMA-7B, in Meta's files or those of transformers."""
    base, llava = folder / BASE, read_json(folder / DELTA / "config.json")
    files = meta_files(base)
    settings = base / ("params.json" if files else "config.json")
    known = read_json(settings) if settings.exists() else {}
    epsilon = known.get("norm_eps", known.get("rms_norm_eps"))
    if epsilon not in (None, llava.get("rms_norm_eps")):
        _log.warning("%s is of another LLaMA than LLaVA's: Llama 2, for example, does not do.", settings)
    if files:
        heads = language_sizes(llava, rows=0).heads  # the vocabulary does not matter for them
        return read_meta(files, heads, read)
    return _weights(base, read)


def _weights(folder: Path, read: Read) -> dict[str, Tensor]:
    """The tensors of a folder: safetensors if there are any, else .bin files."""
    files = shard_files(folder)
    if not files:
        raise ModelError(f"{folder} holds no .safetensors or .bin files.")
    return read(files)


def _folder_or_hub(folder: Path, hub_id: str, patterns: list[str]) -> Path:
    if folder.is_dir():
        return folder
    try:
        return Path(snapshot_download(hub_id, revision=REVISIONS[hub_id], allow_patterns=patterns))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} is missing, and {hub_id} could not be fetched: {error}") from error


def language_sizes(llava: Mapping[str, Any], rows: int | None = None) -> LanguageSizes:
    """The sizes in LLaVA's config.json; rows: size of the vocabulary, if it differs.

    ModelError names a missing key.
    """
    older = {"max_position_embeddings": llava.get("max_sequence_length", 2048)}
    known = {} if rows is None else {"vocab_size": rows}
    given = older | dict(llava)
    return _sizes(LanguageSizes, given, "LLaVA's config.json", ("rope_theta",), **known)


def vision_sizes(clip: Mapping[str, Any], llava: Mapping[str, Any]) -> VisionSizes:
    """The sizes in the configuration of a CLIP model or its tower, and the layer LLaVA selects."""
    optional = ("hidden_act", "layer_norm_eps", "projection_dim", "mean", "std")
    layer = llava.get("mm_vision_select_layer", -2)
    tower = clip.get("vision_config", clip)
    return _sizes(VisionSizes, tower, "The vision tower's config.json", optional, select_layer=layer)


def _sizes(
    kind: type[SizesT], given: Mapping[str, Any], where: str, optional: Sequence[str], **known: Any
) -> SizesT:
    """Sizes by their names in a published configuration; ModelError names a key that is missing there."""
    for name in (field.name for field in fields(kind) if field.name not in known):
        key = _PUBLISHED_AS.get(name, name)
        if key in given:
            known[name] = given[key]
        elif name not in optional:
            raise ModelError(f"{where} lacks {key!r}.")
    return kind(**known)


def _edit_head(taught: Mapping[str, Tensor]) -> EditHeadSizes:
    query = _required(taught, "edit_head.query")  # (1, queries, width)
    return EditHeadSizes(
        queries=query.shape[1],
        width=query.shape[2],
        encoder_layers=_layers(taught, "encoder"),
        decoder_layers=_layers(taught, "decoder"),
        heads=_EDIT_HEADS,
        feedforward=len(_required(taught, "edit_head.mapper.encoder.layers.0.linear1.bias")),
        out_dim=len(_required(taught, "edit_head.hid2feat.bias")),
    )


def _layers(taught: Mapping[str, Tensor], side: str) -> int:
    pattern = re.compile(rf"edit_head\.mapper\.{side}\.layers\.(\d+)\.")
    return 1 + max((int(found[1]) for name in taught if (found := pattern.match(name))), default=-1)


def _noise(scheduler: Mapping[str, Any]) -> NoiseSchedule:
    """The schedule of a scheduler_config.json, with Euler's defaults as in the release."""
    if scheduler.get("trained_betas"):
        raise ModelError("The scheduler's configuration lists trained_betas, which are not supported.")
    optional = ("prediction_type", "rescale_betas_zero_snr", "spacing", "steps_offset")
    return _sizes(NoiseSchedule, scheduler, "The scheduler's configuration", optional)


def _required(tensors: Mapping[str, Tensor], name: str, where: str = f"{DIFFERENTIALS}/mllm.pt") -> Tensor:
    if name not in tensors:
        raise ModelError(f"{where} lacks the tensor {name}.")
    return tensors[name]


def _new_name(name: str) -> str:
    """A VAE tensor's current name; files of 2023 have other names for its attention layers."""
    for old, new in _OLD_ATTENTION.items():
        name = re.sub(rf"(attentions\.\d+)\.{old}\.", rf"\1.{new}.", name)
    return name


def _arguments(kind: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a stored configuration that the installed class accepts."""
    known = inspect.signature(kind).parameters
    return {name: value for name, value in config.items() if name in known}


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}
