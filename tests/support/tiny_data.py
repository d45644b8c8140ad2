"""Language models with random weights, small enough for a test."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer as Words
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from mgie_engine.config import LanguageSizes, ModelConfig
from mgie_engine.model.mllm import MLLM
from mgie_engine.text.tokenizer import Tokenizer
from tests.support import tiny_model

WORDS = ("<pad>", "</s>", "<unk>", "the", "ball", "is", "red", "blue", "summarize", "following", "paragraph")


def t5_folder(folder: Path, **config) -> Path:
    """A T5 that knows WORDS."""
    words = Words(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    )
    fast.save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sizes = T5Config(
            vocab_size=len(WORDS),
            d_model=16,
            d_kv=8,
            d_ff=32,
            num_layers=1,
            num_heads=2,
            decoder_start_token_id=0,
            **config,
        )
        T5ForConditionalGeneration(sizes).save_pretrained(folder)
    return folder


def llava_folder(folder: Path) -> Path:
    """LLaVA in its published layout, its CLIP tower in clip/ below it."""
    folder.mkdir(parents=True)
    pieces = Tokenizer(tiny_model.tokenizer().pieces, visual_tokens=0)
    sizes = LanguageSizes(len(pieces), 32, 64, 2, 4, max_positions=400)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vision = tiny_model.config().vision
        mllm = MLLM(ModelConfig(language=sizes, vision=vision))
        tower = CLIPVisionModel(
            CLIPVisionConfig(
                image_size=vision.image_size,
                patch_size=vision.patch_size,
                hidden_size=vision.hidden_size,
                intermediate_size=vision.intermediate_size,
                num_hidden_layers=vision.layers,
                num_attention_heads=vision.heads,
            )
        )
    tower.save_pretrained(folder / "clip")
    pieces.save(folder)
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "config.json").write_text(json.dumps(_llava_config(sizes, folder / "clip")))
    tensors = {_published(n): t for n, t in mllm.state_dict().items() if not n.startswith("clip.")}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors")
    return folder


def _published(name: str) -> str:
    return f"model.{name}" if name.startswith("mm_projector.") else name


def _llava_config(sizes: LanguageSizes, clip: Path) -> dict[str, object]:
    return {
        "vocab_size": sizes.vocab_size,
        "hidden_size": sizes.hidden_size,
        "intermediate_size": sizes.intermediate_size,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "max_position_embeddings": sizes.max_positions,
        "rms_norm_eps": sizes.rms_norm_eps,
        "mm_vision_tower": str(clip),
        "mm_vision_select_layer": -2,
    }
