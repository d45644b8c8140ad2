"""A variant as a folder: variant.json, its configuration, and the weights that differ from the shared ones.

The shared folder beside it holds the autoencoder and the initial language model of all variants.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

import torch
from accelerate import init_empty_weights
from torch import Tensor, nn

from conversations.atomic_write import write_atomically
from mgie_engine.checkpoints.native import Networks, assemble, build, fill, published, write_model
from mgie_engine.checkpoints.tensors import dequantised, read_tensors
from mgie_engine.config import ModelConfig
from mgie_engine.errors import ModelError
from mgie_engine.lab.training.initial_weights import TABLES
from mgie_engine.lab.training.packing import STORED
from mgie_engine.lab.variants.pix2pix import BlankReader, WordHead, WordReader
from mgie_engine.lab.variants.tokens import tokenizer_with
from mgie_engine.lab.variants.variant import Variant
from mgie_engine.model.edit_head import EditHead
from mgie_engine.model.mgie import MGIE
from mgie_engine.text.tokenizer import Tokenizer

SHARED, VARIANT = "shared", "variant.json"  # variant.json is written last: with it, a folder is complete


def write_shared(networks: Networks, config: ModelConfig, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the language model and the autoencoder below `folder`."""
    tensors = published(networks, ("mllm", "vae"))
    write_model(config, tokenizer, tensors.items(), folder / SHARED, STORED)


def write_variant(
    variant: Variant,
    trained: nn.ModuleDict,
    shared: Networks,
    config: ModelConfig,
    tokenizer: Tokenizer,
    folder: Path,
) -> None:
    """Write the weights that training changed below `folder`; variant.json comes last."""
    own, tokenizer = config_of(variant, config), tokenizer_with(tokenizer, variant.visual_tokens)
    networks = Networks(**dict(trained.items()), vae=shared.vae)  # type: ignore[arg-type]
    before = published(shared, ("mllm",))
    changed = _changed(published(networks, trained.keys()), before, own.language.vocab_size)
    (folder / variant.name / VARIANT).unlink(missing_ok=True)
    write_model(own, tokenizer, changed, folder / variant.name, STORED)
    data = json.dumps(asdict(variant), indent=2) + "\n"
    write_atomically(folder / variant.name / VARIANT, data.encode())


def load_variant(
    folder: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> tuple[Variant, MGIE]:
    """The variant in a folder, with the shared folder beside it; ModelError if either lacks something."""
    try:
        data = json.loads((folder / VARIANT).read_text("utf-8"))
        config = ModelConfig.from_json((folder / "config.json").read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{folder} holds no whole variant: {error}.") from error
    variant = Variant.of(data.pop("name"), data)
    files = [sorted(place.glob("*.safetensors")) for place in (folder.parent / SHARED, folder)]
    shared, own = (dequantised(read_tensors(some)) for some in files)
    networks = _empty(variant, config)
    fill(networks, {**shared, **own}, torch.device(device), dtype)
    tokenizer = Tokenizer.read(folder, variant.visual_tokens)
    mgie = assemble(config, tokenizer, networks)
    if not (variant.sees and variant.speaks):
        reader = BlankReader if variant.speaks else WordReader
        mgie.reader = reader(mgie.mllm, mgie.reader.prompter, config)
    return variant, mgie


def config_of(variant: Variant, config: ModelConfig) -> ModelConfig:
    """The configuration of the whole model with a variant's name and number of visual tokens."""
    left_out = config.edit_head.visual_tokens - variant.visual_tokens
    return replace(
        config,
        name=variant.name,
        language=replace(config.language, vocab_size=config.language.vocab_size - left_out),
        edit_head=replace(config.edit_head, visual_tokens=variant.visual_tokens),
    )


def _changed(
    now: Mapping[str, Tensor], before: Mapping[str, Tensor], vocabulary: int
) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in now.items():
        kept = tensor[:vocabulary] if name in TABLES else tensor
        known = before.get(name)
        if known is None or known.shape != kept.shape or not torch.equal(known.to(kept.device), kept):
            yield name, kept


def _empty(variant: Variant, config: ModelConfig) -> Networks:
    with init_empty_weights(include_buffers=False):
        networks = build(config)
        if not variant.speaks:
            head = WordHead(config.edit_head, config.language.hidden_size)
            networks = replace(networks, edit_head=cast("EditHead", head))
    return networks
