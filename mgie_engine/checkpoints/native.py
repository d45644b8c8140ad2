"""Loads and saves models: our one-folder layout, and the released layout through `mgie7b`.

Our layout is config.json, a tokenizer (model, added tokens, special tokens) and model-*.safetensors.
Tensors have the names of the published code, whatever the installed libraries call them.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn

from conversations.atomic_write import write_atomically
from mgie_engine.checkpoints import mgie7b
from mgie_engine.checkpoints.failures import model_errors
from mgie_engine.checkpoints.tensors import (
    SHARD_BYTES,
    Read,
    Stored,
    StoredModel,
    as_stored,
    dequantised,
    read_tensors,
    write_shards,
)
from mgie_engine.checkpoints.uploading import uploaded
from mgie_engine.config import Behaviour, ModelConfig, ModelLocation, read_config
from mgie_engine.errors import ModelError
from mgie_engine.model.diffusion import build_unet, build_vae
from mgie_engine.model.edit_head import EditHead
from mgie_engine.model.mgie import MGIE
from mgie_engine.model.mllm import MLLM
from mgie_engine.model_files import shard_files
from mgie_engine.text.tokenizer import Tokenizer

VISUAL_EMBEDDINGS = "emb"  # the name in the released mllm.pt
PARTS = ("mllm", "edit_head", "unet", "vae")
PutLinear = Callable[[nn.Module, str, Tensor], None]  # a network, the name of a weight in it, the weight
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Networks:
    """The four networks of a model."""

    mllm: MLLM
    edit_head: EditHead
    unet: UNet2DConditionModel
    vae: AutoencoderKL

    def parts(self) -> dict[str, nn.Module]:
        """The networks by name."""
        return {part: getattr(self, part) for part in PARTS}


def build(config: ModelConfig) -> Networks:
    """Networks with random weights, for training from scratch."""
    edit_head = EditHead(config.edit_head, config.language.hidden_size)
    return Networks(MLLM(config), edit_head, build_unet(config), build_vae(config))


def load_model(
    location: ModelLocation,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    behaviour: Behaviour = Behaviour.SERVING,
) -> MGIE:
    """Load a model, ready for inference. ModelError names the file, the tensor and both shapes."""
    source = read_model(location)
    networks = empty(source.config)
    fill(networks, source.tensors, torch.device(device), dtype, strict=source.exact)
    own = own_embeddings(networks, source.tensors)
    return assemble(source.config, source.tokenizer, networks, own, behaviour)


def read_model(location: ModelLocation, read: Read = read_tensors) -> StoredModel:
    """Open a model; tensors are read from the disk only when they are used, with `read_headers` never."""
    with model_errors(f"The files in {location.folder} cannot be read"):
        if location.layout == "released":
            source = mgie7b.read_released(location.folder, read)
        else:
            config = read_config(location)
            tokenizer = Tokenizer.read(location.folder, config.edit_head.visual_tokens)
            tensors = dequantised(read(shard_files(location.folder, [".safetensors"])))
            source = StoredModel(config, tokenizer, tensors, exact=True)
        _check_vocabulary(source.config, source.tokenizer)
        _check_parts(source.config)
        return source


def empty(config: ModelConfig) -> Networks:
    """Networks without weights, for `fill`."""
    with (
        model_errors(f"The networks of {config.name} cannot be built"),
        init_empty_weights(include_buffers=False),
    ):
        return build(config)


def assemble(
    config: ModelConfig,
    tokenizer: Tokenizer,
    networks: Networks,
    visual_embeddings: Tensor | None = None,
    behaviour: Behaviour = Behaviour.SERVING,
) -> MGIE:
    """A model of loaded networks, set to inference: no dropout, no gradients."""
    for network in networks.parts().values():
        network.eval().requires_grad_(False)
    for convolutional in (networks.unet, networks.vae):
        convolutional.to(memory_format=torch.channels_last)  # 10 to 20 % faster, on CPUs, too
    return MGIE(
        config,
        tokenizer,
        networks.mllm,
        networks.edit_head,
        networks.unet,
        networks.vae,
        visual_embeddings,
        behaviour,
    )


def save(mgie: MGIE, folder: Path, stored: Mapping[str, Stored] | Stored = "fp32") -> list[Path]:
    """Write a model in our layout and return its shards.

    stored: one type for all, or types by prefix of the tensor's name, of which the longest match counts:
    {"": "int8", "vae.": "fp16"}.
    """
    return write_model(mgie.config, mgie.tokenizer, named_tensors(mgie), folder, stored)


def write_model(
    config: ModelConfig,
    tokenizer: Tokenizer,
    tensors: Iterable[tuple[str, Tensor]],
    folder: Path,
    stored: Mapping[str, Stored] | Stored,
    shard_bytes: int = SHARD_BYTES,
) -> list[Path]:
    """Write tensors in our layout and return its shards; one shard at a time is in memory.

    stored: as in `save`. config.json is written last, so that an incomplete folder is not taken for a model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").unlink(missing_ok=True)
    for old in folder.glob("*.safetensors"):
        old.unlink()
    kinds: Mapping[str, Stored] = stored if isinstance(stored, Mapping) else {"": stored}
    groups = (as_stored(name, tensor, _kind(name, kinds)) for name, tensor in tensors)
    shards = write_shards(groups, folder, shard_bytes)
    tokenizer.save(folder)
    write_atomically(folder / "config.json", config.to_json().encode())
    return shards


def named_tensors(mgie: MGIE) -> Iterator[tuple[str, Tensor]]:
    """All tensors of a model by their published names."""
    yield from published(Networks(mgie.mllm, mgie.edit_head, mgie.unet, mgie.vae)).items()
    if not torch.equal(mgie.visual_embeddings, mgie.mllm.visual_embeddings):
        yield VISUAL_EMBEDDINGS, mgie.visual_embeddings


def places(networks: Networks) -> dict[str, tuple[str, str]]:
    """Published name of each tensor → the network that holds it and its name there."""
    return {
        _published(part, local): (part, local)
        for part, network in networks.parts().items()
        for local in network.state_dict()
    }


def published(networks: Networks, parts: Collection[str] = PARTS) -> dict[str, Tensor]:
    """The tensors of some networks by their published names."""
    states = {part: networks.parts()[part].state_dict() for part in parts}
    return {name: states[part][local] for name, (part, local) in places(networks).items() if part in parts}


def fill(
    networks: Networks,
    tensors: Mapping[str, Tensor],
    device: torch.device,
    dtype: torch.dtype | Callable[[str], torch.dtype],
    *,
    strict: bool = True,
    put_linear: PutLinear | None = None,
) -> None:
    """Load tensors into networks, on a device and in a type. ModelError if one is missing or misshapen.

    dtype: one for all, or a function of the published name. strict: unknown tensors are an error, too;
    otherwise they are ignored. put_linear: receives the linear layers of LLaMA instead, one after another.
    """
    kept_as = dtype if callable(dtype) else lambda _: dtype
    with model_errors("The tensors do not fit the model"):
        unknown = tensors.keys() - places(networks).keys() - {VISUAL_EMBEDDINGS}
        if strict and unknown:
            raise ModelError(f"The tensor {min(unknown)} has no place in this model.")
        for part, network in networks.parts().items():
            wanted, chosen = network.state_dict(), {}
            own = {_published(part, local): local for local in wanted}
            reads = [
                (partial(required_tensor, name, tensors, wanted[local].shape), kept_as(name))
                for name, local in own.items()
            ]
            for (name, local), tensor in zip(own.items(), uploaded(reads, device), strict=True):
                if put_linear and is_llama_linear(name):
                    put_linear(network, local, tensor)
                else:
                    chosen[local] = tensor
            network.load_state_dict(chosen, assign=True, strict=put_linear is None)
            network.to(device)  # buffers, which are not in the files


def is_llama_linear(name: str) -> bool:
    """Whether a published name is a weight matrix of LLaMA's layers: the bulk of the 7B."""
    return name.startswith("model.layers.") and name.endswith("_proj.weight")


def required_tensor(name: str, tensors: Mapping[str, Tensor], shape: torch.Size) -> Tensor:
    """The tensor of a published name. ModelError if it is missing, has another shape, or holds no reals."""
    if name not in tensors:
        raise ModelError(f"The tensor {name} of shape {list(shape)} is missing.")
    tensor = tensors[name]
    if tensor.shape != shape:
        raise ModelError(f"The tensor {name} has shape {list(tensor.shape)}, the model needs {list(shape)}.")
    if not tensor.is_floating_point():
        kind = str(tensor.dtype).removeprefix("torch.")
        raise ModelError(f"The tensor {name} holds {kind}, the model needs floating-point numbers.")
    return tensor


def _published(part: str, local: str) -> str:
    if part != "mllm":
        return f"{part}.{local}"
    if local.startswith("mm_projector."):
        return f"model.{local}"
    if local.startswith("clip."):  # the prefix depends on the version of transformers
        return "clip.vision_model." + local.removeprefix("clip.").removeprefix("vision_model.")
    return local


def require_embeddings(given: Tensor, shape: torch.Size) -> None:
    """ModelError unless `emb` has the shape (1, 8, hidden), or lacks its first axis."""
    if given.numel() != shape.numel() or given.shape[-2:] != shape[-2:]:
        raise ModelError(f"The tensor {VISUAL_EMBEDDINGS} has shape {list(given.shape)}, not {list(shape)}.")


def own_embeddings(networks: Networks, tensors: Mapping[str, Tensor]) -> Tensor | None:
    """The edit head's own visual embeddings (1, 8, hidden); None if the file has none."""
    given, rows = tensors.get(VISUAL_EMBEDDINGS), networks.mllm.visual_embeddings
    if given is None:
        return None
    require_embeddings(given, rows.shape)
    own = given.reshape(rows.shape).to(rows)
    if not torch.equal(own, rows):
        log.warning(
            "The file's emb differs from the embedding table by up to %.2g.", (own - rows).abs().max()
        )
    return own


def _check_vocabulary(config: ModelConfig, tokenizer: Tokenizer) -> None:
    rows = config.language.vocab_size
    if rows != len(tokenizer) or tokenizer.visual[-1] != rows - 1:
        raise ModelError(
            f"The tokenizer has {len(tokenizer)} tokens with [IMG] tokens up to {tokenizer.visual[-1]}, "
            f"but the embedding table has {rows} rows, the last of which must be theirs."
        )


def _check_parts(config: ModelConfig) -> None:
    """What would otherwise show in the first edit: sizes that do not fit together."""
    vision = config.vision
    channels, unet, vae = config.latent_channels, config.unet, config.vae
    factor = 2 ** (len(vae.get("block_out_channels", (0,))) - 1)
    halvings = 2 ** (len(unet.get("block_out_channels", (0,) * 4)) - 1)
    words = unet.get("cross_attention_dim", config.edit_head.out_dim)
    wrong = {
        f"the U-Net's in_channels must be {2 * channels}": unet.get("in_channels", 4) != 2 * channels,
        f"the U-Net's out_channels must be {channels}": unet.get("out_channels", 4) != channels,
        f"cross_attention_dim must be {config.edit_head.out_dim}": words != config.edit_head.out_dim,
        "the autoencoder must have 3 in_channels and out_channels": (
            vae.get("in_channels", 3) != 3 or vae.get("out_channels", 3) != 3
        ),
        f"picture_size must be a multiple of {factor * halvings}": config.picture_size % (factor * halvings),
        f"preview must have {channels + 1} rows": config.preview and len(config.preview) != channels + 1,
        "vision must have a patch": vision.patch_size > vision.image_size,
        "vision must have the layer select_layer": not -vision.layers
        <= vision.select_layer + 1
        <= vision.layers + 1,
    }
    if faults := [sentence for sentence, is_wrong in wrong.items() if is_wrong]:
        raise ModelError(f"The parts of {config.name} do not fit together: {faults[0]}.")


def _kind(name: str, kinds: Mapping[str, Stored]) -> Stored:
    fitting = [start for start in kinds if name.startswith(start)]
    return kinds[max(fitting, key=len)] if fitting else "fp32"
