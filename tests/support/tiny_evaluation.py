"""Networks behind metrics and editors with random weights, small enough for a test."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    EulerAncestralDiscreteScheduler,
    StableDiffusionInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    ViTConfig,
    ViTModel,
)

from tests.support import tiny_model

WORDS = ("a</w>", "red</w>", "blue</w>", "ball</w>", "<|startoftext|>", "<|endoftext|>")
TEXT = {
    "vocab_size": len(WORDS), "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 1,
    "num_attention_heads": 2, "max_position_embeddings": 12, "eos_token_id": 5, "bos_token_id": 4,
    "pad_token_id": 5, "projection_dim": 8,
}  # fmt: skip
VISION = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    "image_size": 32, "patch_size": 16, "projection_dim": 8,
}  # fmt: skip


def tokenizer() -> CLIPTokenizer:
    """Knows WORDS."""
    return CLIPTokenizer(vocab={word: i for i, word in enumerate(WORDS)}, merges=[], model_max_length=12)


def clip_folder(folder: Path) -> Path:
    """CLIP with its tokenizer."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        CLIPModel(CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=8)).save_pretrained(
            folder
        )
    tokenizer().save_pretrained(folder)
    return folder


def dino_folder(folder: Path) -> Path:
    """A vision transformer for 224 pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ViTModel(
            ViTConfig(
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                image_size=224,
                patch_size=32,
            ),
            add_pooling_layer=False,
        ).save_pretrained(folder)
    return folder


def pix2pix_folder(folder: Path) -> Path:
    """An InstructPix2Pix pipeline."""
    config = tiny_model.config()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        StableDiffusionInstructPix2PixPipeline(
            vae=AutoencoderKL(**config.vae),
            text_encoder=CLIPTextModel(CLIPTextConfig(**TEXT)),
            tokenizer=tokenizer(),
            unet=UNet2DConditionModel(**config.unet),
            scheduler=EulerAncestralDiscreteScheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).save_pretrained(folder)
    return folder
