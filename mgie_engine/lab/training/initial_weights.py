"""The initial weights of a full-size training: a model, the published parts of MGIE, or random weights.

A model is loaded unchanged. Of the parts, LLaVA gets rows for the visual tokens, the edit head is new, and
the diffusion part starts in one of two ways:

"clean"    as it was published, with four more input channels of zeros where it has but four;
"release"  as the release's own training began, by accident: every linear layer of the U-Net, the
           autoencoder and the edit head is redrawn with a deviation of 0.02 and no bias, and the bias of
           the U-Net's first convolution, too.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from mgie_engine.checkpoints import mgie7b, native
from mgie_engine.checkpoints.native import Networks
from mgie_engine.checkpoints.tensors import LazyTensors, StoredModel, available
from mgie_engine.config import ModelConfig, resolve_model
from mgie_engine.errors import ModelError
from mgie_engine.model.edit_head import EditHead
from mgie_engine.text.tokenizer import Tokenizer

Diffusion = Literal["clean", "release"]
TABLES = ("model.embed_tokens.weight", "lm_head.weight")  # a row per token, the visual ones last
LEARNING = (*TABLES, "edit_head.", "unet.")  # starts of the published names of what is trained
SPREAD = 0.02


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """Networks with their initial weights on a device; trained parameters are fp32 and require gradients."""

    config: ModelConfig
    tokenizer: Tokenizer
    networks: Networks


def load(source: StoredModel, device: torch.device, frozen: torch.dtype) -> InitialWeights:
    """The networks of a source. Frozen parameters have the type `frozen`, those of the autoencoder fp32."""
    networks = native.empty(source.config)
    kinds = partial(_kind, frozen=frozen)
    native.fill(networks, source.tensors, device, kinds, strict=source.exact)
    learn(networks)
    return InitialWeights(source.config, source.tokenizer, networks)


def learn(networks: Networks) -> None:
    """Freeze all but the two tables, the edit head and the U-Net."""
    for network in networks.parts().values():
        network.requires_grad_(False)
    for learning in (networks.mllm.model.embed_tokens, networks.mllm.lm_head, networks.edit_head):
        learning.requires_grad_(True)
    networks.unet.requires_grad_(True)


def published_names(networks: Networks) -> dict[str, str]:
    """Names as in a dictionary of modules by part → published names."""
    return {f"{part}.{local}": name for name, (part, local) in native.places(networks).items()}


def read_source(
    name_or_folder: str, home: Path, diffusion: Diffusion, folder: Path | None = None, seed: int = 0
) -> StoredModel:
    """A model by its name or folder, or a folder with LLaVA, CLIP and InstructPix2Pix.

    `folder` has another diffusion model's unet/, vae/ and scheduler/ in place of InstructPix2Pix's.
    """
    try:
        return native.read_model(resolve_model(name_or_folder, home))
    except ModelError:
        if not any(Path(name_or_folder).glob("LLaVA-*")):
            raise
    return _of_parts(mgie7b.read_bases(Path(name_or_folder), folder), diffusion, seed)


def random_weights(
    config: ModelConfig, tokenizer: Tokenizer, device: torch.device, seed: int = 0
) -> StoredModel:
    """Random weights that keep activations in range, drawn on the device: to test a machine."""
    config = replace(config, language=replace(config.language, vocab_size=len(tokenizer)))
    makers: dict[str, Callable[[], Tensor]] = {}
    for place, (name, empty) in enumerate(native.published(native.empty(config)).items()):
        makers[name] = partial(_drawn, name, empty.shape, device, seed + place)
    return StoredModel(config, tokenizer, LazyTensors(makers), exact=True)


def _drawn(name: str, shape: torch.Size, device: torch.device, seed: int) -> Tensor:
    drawn = torch.randn(shape, generator=torch.Generator(device).manual_seed(seed), device=device)
    if len(shape) < 2:
        return 0.05 * drawn + (1.0 if name.endswith(".weight") else 0.0)
    if name in TABLES:
        return SPREAD * drawn
    return drawn / math.sqrt(shape[1:].numel())


def _kind(name: str, frozen: torch.dtype) -> torch.dtype:
    return torch.float32 if name.startswith((*LEARNING, "vae.")) else frozen


def _of_parts(found: StoredModel, diffusion: Diffusion, seed: int) -> StoredModel:
    """The published weights with the additions of training."""
    tensors, latents = found.tensors, found.config.latent_channels
    language = replace(found.config.language, vocab_size=len(found.tokenizer))
    config = replace(found.config, language=language, unet={**found.config.unet, "in_channels": 2 * latents})
    generator = torch.Generator().manual_seed(seed)
    makers = dict(tensors.makers)
    for name in TABLES:
        makers[name] = available(_with_visual_tokens(tensors[name], len(found.tokenizer), generator))
    makers["unet.conv_in.weight"] = available(_widened(tensors["unet.conv_in.weight"], 2 * latents))
    makers |= {f"edit_head.{name}": available(t) for name, t in _edit_head(config, seed).state_dict().items()}
    if diffusion == "release":
        makers |= {name: available(tensor) for name, tensor in _by_accident(config, tensors, generator)}
    return StoredModel(config, found.tokenizer, LazyTensors(makers), exact=False)


def _with_visual_tokens(table: Tensor, rows: int, generator: torch.Generator) -> Tensor:
    new = SPREAD * torch.randn(rows - len(table), table.shape[1], generator=generator)
    return torch.cat([table.float(), new])


def _widened(weight: Tensor, channels: int) -> Tensor:
    """A convolution with zero weights for the added input channels."""
    wide = torch.zeros(len(weight), channels, *weight.shape[2:])
    wide[:, : weight.shape[1]] = weight.float()
    return wide


def _edit_head(config: ModelConfig, seed: int) -> EditHead:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EditHead(config.edit_head, config.language.hidden_size)


def _by_accident(
    config: ModelConfig, tensors: LazyTensors, generator: torch.Generator
) -> Iterator[tuple[str, Tensor]]:
    """The weights that the release's training redrew because a LLaMA checkpoint does not contain them."""
    networks = native.empty(config)
    for part in ("edit_head", "unet", "vae"):
        for name, module in networks.parts()[part].named_modules():
            if isinstance(module, nn.Linear):
                yield f"{part}.{name}.weight", SPREAD * torch.randn(module.weight.shape, generator=generator)
                if module.bias is not None:
                    yield f"{part}.{name}.bias", torch.zeros(module.bias.shape)
    channels, width = networks.unet.conv_in.out_channels, networks.unet.conv_in.weight[0].numel()
    yield "unet.conv_in.bias", (2 * torch.rand(channels, generator=generator) - 1) / width**0.5
