"""The sizes of the small model (mini-model.toml; docs/lab/evaluation.md has its figures)."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

from mgie_engine.config import ModelConfig

IMAGE_TOKENS = 64


def mini_config(vocabulary: int) -> ModelConfig:
    """mgie-mini for a tokenizer of `vocabulary` ids."""
    data = tomllib.loads((Path(__file__).parent / "mini-model.toml").read_text("utf-8"))
    data["language"]["vocab_size"] = vocabulary
    return ModelConfig.from_json(json.dumps(data))


def tiny_config(vocabulary: int) -> ModelConfig:
    """The same shape at a size that trains on a CPU in seconds: for tests and dry runs."""
    mini = mini_config(vocabulary)
    return replace(
        mini,
        name="mgie-tiny",
        picture_size=64,
        language=replace(mini.language, hidden_size=32, intermediate_size=64, layers=1, heads=2),
        vision=replace(
            mini.vision, image_size=32, patch_size=4, hidden_size=32, intermediate_size=64, layers=1, heads=2
        ),
        edit_head=replace(
            mini.edit_head, width=32, heads=2, feedforward=64, encoder_layers=1, decoder_layers=1, out_dim=32
        ),
        unet=dict(mini.unet) | {"block_out_channels": [32, 32, 32], "cross_attention_dim": 32},
        vae=dict(mini.vae) | {"block_out_channels": [16, 16, 16, 16], "norm_num_groups": 8},
    )
