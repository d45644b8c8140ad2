"""The small model that ships in the box: its sizes (docs/lab/evaluation.md has its figures)."""

from dataclasses import replace

from mgie_engine.config import (
    Defaults,
    EditHeadSizes,
    LanguageSizes,
    ModelConfig,
    NoiseSchedule,
    VisionSizes,
)

IMAGE_TOKENS = 64


def mini_config(vocabulary: int) -> ModelConfig:
    """mgie-mini for a tokenizer of `vocabulary` ids: 256-pixel pictures, latents 16 x 32 x 32."""
    return ModelConfig(
        name="mgie-mini",
        language=LanguageSizes(
            vocab_size=vocabulary, hidden_size=256, intermediate_size=704, layers=6, heads=8,
            max_positions=640,
        ),
        vision=VisionSizes(
            image_size=128, patch_size=16, hidden_size=192, intermediate_size=768, layers=4, heads=6,
            projection_dim=192, select_layer=-1,
        ),
        edit_head=EditHeadSizes(width=192, heads=6, feedforward=512, out_dim=256),
        unet={
            "sample_size": 32,
            "in_channels": 32,
            "out_channels": 16,
            "down_block_types": ["CrossAttnDownBlock2D"] * 3,
            "up_block_types": ["CrossAttnUpBlock2D"] * 3,
            "block_out_channels": [96, 160, 224],
            "layers_per_block": 1,
            "cross_attention_dim": 256,
            "attention_head_dim": 4,
            "norm_num_groups": 32,
        },
        vae={
            "in_channels": 3,
            "out_channels": 3,
            "down_block_types": ["DownEncoderBlock2D"] * 4,
            "up_block_types": ["UpDecoderBlock2D"] * 4,
            "block_out_channels": [32, 64, 128, 128],
            "layers_per_block": 1,
            "latent_channels": 16,
            "norm_num_groups": 16,
            "sample_size": 256,
            "scaling_factor": 1.0,
            "mid_block_add_attention": False,
        },
        noise=NoiseSchedule(
            prediction_type="v_prediction", rescale_betas_zero_snr=True, spacing="trailing"
        ),
        defaults=Defaults(text_cfg=1.5, image_cfg=1.0, steps=6, sampler="dpmpp_2m"),
        picture_size=256,
        max_new_tokens=96,
        history_turns=2,
        refusal="Nothing changes",
        no_repeat_ngram=0,  # what was said before is exactly what a follow-up repeats
    )  # fmt: skip


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
