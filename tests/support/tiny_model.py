"""A model small enough for tests: 300-odd tokens, random weights that are the same every time."""

import io
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from torch import nn

from mgie_engine.checkpoints.native import assemble, build
from mgie_engine.config import (
    Behaviour,
    EditHeadSizes,
    LanguageSizes,
    ModelConfig,
    NoiseSchedule,
    VisionSizes,
)
from mgie_engine.model.mgie import MGIE
from mgie_engine.text.tokenizer import Tokenizer

SENTENCES = ("the ball is red", "make the ball blue", "the sky turns dark", "remove the small tree")


@cache
def tokenizer() -> Tokenizer:
    """Knows the words of SENTENCES and every byte."""
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20),
        model_writer=model,
        model_type="bpe",
        vocab_size=310,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    return Tokenizer(SentencePieceProcessor(model_proto=model.getvalue()))


def config(**changes) -> ModelConfig:
    """Two layers of everything, pictures of 32 pixels with 4 latent channels at 4 x 4."""
    plain = ModelConfig(
        name="tiny",
        language=LanguageSizes(len(tokenizer()), 32, 64, 2, 4, max_positions=512),
        vision=VisionSizes(32, 16, 32, 64, 3, 4, projection_dim=16),
        edit_head=EditHeadSizes(
            queries=7, width=32, encoder_layers=1, decoder_layers=1, feedforward=64, out_dim=24
        ),
        unet={
            "sample_size": 4,
            "in_channels": 8,
            "out_channels": 4,
            "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
            "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
            "block_out_channels": [16, 32],
            "layers_per_block": 1,
            "cross_attention_dim": 24,
            "attention_head_dim": 4,
            "norm_num_groups": 8,
        },
        vae={
            "down_block_types": ["DownEncoderBlock2D"] * 4,
            "up_block_types": ["UpDecoderBlock2D"] * 4,
            "block_out_channels": [8, 8, 8, 8],
            "layers_per_block": 1,
            "latent_channels": 4,
            "norm_num_groups": 4,
            "scaling_factor": 0.5,
        },
        picture_size=32,
        max_new_tokens=24,
        history_turns=2,
    )
    return replace(plain, **changes)


V_PREDICTION = NoiseSchedule(prediction_type="v_prediction", rescale_betas_zero_snr=True, spacing="trailing")


def model(behaviour: Behaviour = Behaviour.SERVING, **changes: Any) -> MGIE:
    """A whole MGIE with random weights; `changes` go to its configuration."""
    sizes = config(**changes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        networks = build(sizes)
    return assemble(sizes, tokenizer(), networks, behaviour=behaviour)


class Says(nn.Module):
    """A head that writes given texts, one per row, then </s> for ever."""

    def __init__(self, *texts: list[int]) -> None:
        super().__init__()
        self.texts = texts
        self.place = 0

    def forward(self, states):
        scores = torch.zeros(len(states), len(tokenizer()))
        for row, text in enumerate(self.texts):
            scores[row, [*text, *[tokenizer().end] * 200][self.place]] = 1000.0
        self.place += 1
        return scores
