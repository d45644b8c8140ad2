"""The published files with the real names, types and shapes of all tensors, but nothing in them.

Files are sparse where their size counts, and elsewhere their tensors repeat one number: all of it takes a few
megabytes of disk.
"""

import gzip
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mgie_engine.checkpoints.layout import BASE, CLIP, DELTA, PIX2PIX
from mgie_engine.install.differentials import Differentials
from mgie_engine.install.full_size import FULL_SIZE
from mgie_engine.text.tokenizer import Tokenizer
from tests.support.published import old_name, write_json

LAYERS, WIDTH, INNER, WORDS = 32, 4096, 11008, 32000
Shapes = Mapping[str, tuple[int, ...]]


class SparseFile:
    """A file whose zeros take no disk."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, data: bytes) -> int:
        if np.frombuffer(data, np.uint8).any():
            return self._file.write(data)
        self._file.seek(len(data), 1)
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Give the file the length that was written, also if it ends in zeros."""
        self._file.truncate(self._file.tell())
        self._file.close()


def write_pair(folder: Path) -> None:
    """Apple's mllm.pt and unet.pt, of their real size."""
    published = Differentials.of()
    extra = {"emb": published.embeddings}
    folder.mkdir(parents=True)
    for name, shapes in published.shapes.items():
        wanted = {**shapes, **(extra if name == "mllm.pt" else {})}
        # numpy's zeros are pages that nobody has touched, torch's are written
        tensors = {key: torch.from_numpy(np.zeros(tuple(shape), np.float16)) for key, shape in wanted.items()}
        file = SparseFile(folder / name)
        torch.save(tensors, file)  # type: ignore[arg-type]
        file.close()


def pack_pair(folder: Path, archive: Path) -> Path:
    """The pair as Apple's archive."""
    with gzip.open(archive, "wb", 1) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("mllm.pt", "unet.pt"):
            tar.add(folder / name, f"mgie_7b/{name}")
    return archive


def write_rest(folder: Path, tokenizer: Path) -> None:
    """LLaVA's delta, Meta's LLaMA, CLIP and InstructPix2Pix, as a model's folder holds them."""
    write_delta(folder / DELTA, tokenizer)
    (folder / BASE).mkdir()
    write_json(
        folder / BASE / "params.json", {"dim": WIDTH, "n_heads": 32, "n_layers": LAYERS, "norm_eps": 1e-6}
    )
    torch.save(_repeated(meta_shapes()), folder / BASE / "consolidated.00.pth")
    write_clip(folder / CLIP)
    write_pix2pix(folder / PIX2PIX)


def llama_shapes(words: int) -> Shapes:
    """LLaMA-7B under the names of transformers."""
    layer = {
        **{f"self_attn.{part}_proj.weight": (WIDTH, WIDTH) for part in "qkvo"},
        **{f"mlp.{part}_proj.weight": (INNER, WIDTH) for part in ("gate", "up")},
        "mlp.down_proj.weight": (WIDTH, INNER),
        "input_layernorm.weight": (WIDTH,),
        "post_attention_layernorm.weight": (WIDTH,),
    }
    layers = {f"model.layers.{i}.{name}": shape for i in range(LAYERS) for name, shape in layer.items()}
    tables = {"model.embed_tokens.weight": (words, WIDTH), "lm_head.weight": (words, WIDTH)}
    return {**tables, **layers, "model.norm.weight": (WIDTH,)}


def meta_shapes() -> Shapes:
    """LLaMA-7B under the names of Meta."""
    layer = {
        **{f"attention.w{part}.weight": (WIDTH, WIDTH) for part in "qkvo"},
        "feed_forward.w1.weight": (INNER, WIDTH),
        "feed_forward.w2.weight": (WIDTH, INNER),
        "feed_forward.w3.weight": (INNER, WIDTH),
        "attention_norm.weight": (WIDTH,),
        "ffn_norm.weight": (WIDTH,),
    }
    layers = {f"layers.{i}.{name}": shape for i in range(LAYERS) for name, shape in layer.items()}
    tables = {"tok_embeddings.weight": (WORDS, WIDTH), "output.weight": (WORDS, WIDTH)}
    return {**tables, **layers, "norm.weight": (WIDTH,), "rope.freqs": (64,)}


def write_delta(folder: Path, tokenizer: Path) -> None:
    """LLaVA-Lightning-7B-delta-v1-1: two shards and their index, and what training left beside them."""
    config = {
        "architectures": ["LlavaLlamaForCausalLM"],
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "max_sequence_length": 2048,
        "mm_hidden_size": 1024,
        "mm_use_im_start_end": True,
        "mm_vision_select_layer": -2,
        "mm_vision_tower": "openai/clip-vit-large-patch14",
        "model_type": "llava",
        "num_attention_heads": 32,
        "num_hidden_layers": LAYERS,
        "rms_norm_eps": 1e-06,
        "vocab_size": WORDS + 3,
    }
    write_json(folder / "config.json", config)
    write_json(
        folder / "added_tokens.json", {"<im_patch>": WORDS, "<im_start>": WORDS + 1, "<im_end>": WORDS + 2}
    )
    write_json(folder / "special_tokens_map.json", {"bos_token": {"content": "<s>"}, "pad_token": "<unk>"})
    (folder / "tokenizer.model").write_bytes(tokenizer.read_bytes())
    rotary = {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": (64,) for i in range(LAYERS)}
    projector = {"model.mm_projector.weight": (WIDTH, 1024), "model.mm_projector.bias": (WIDTH,)}
    shapes = {**llama_shapes(WORDS + 3), **rotary, **projector}
    names, places = sorted(shapes), dict[str, str]()
    for number in (1, 2):
        file = f"pytorch_model-{number:05}-of-00002.bin"
        own = names[(number - 1) * 170 : number * 170] if number == 1 else names[170:]
        torch.save(_repeated({name: shapes[name] for name in own}), folder / file)
        places |= dict.fromkeys(own, file)
    write_json(folder / "pytorch_model.bin.index.json", {"metadata": {}, "weight_map": places})
    torch.save(Tokenizer, folder / "training_args.bin")


def write_clip(folder: Path) -> None:
    """CLIP ViT-L/14: both towers, in fp32."""
    sizes = {"image_size": 224, "patch_size": 14, "hidden_size": 1024, "intermediate_size": 4096}
    sizes |= {"num_hidden_layers": 24, "num_attention_heads": 16, "projection_dim": 768}
    write_json(folder / "config.json", {"vision_config": sizes, "text_config": {}})
    vision = {
        "embeddings.class_embedding": (1024,),
        "embeddings.patch_embedding.weight": (1024, 3, 14, 14),
        "embeddings.position_embedding.weight": (257, 1024),
        **_norm("pre_layrnorm", 1024),
        **_norm("post_layernorm", 1024),
        **_encoder(24, 1024),
    }
    text = {
        "embeddings.token_embedding.weight": (49408, 768),
        "embeddings.position_embedding.weight": (77, 768),
        **_norm("final_layer_norm", 768),
        **_encoder(12, 768),
    }
    shapes: dict[str, tuple[int, ...]] = {"logit_scale": (), "visual_projection.weight": (768, 1024)}
    shapes["text_projection.weight"] = (768, 768)
    shapes |= {f"vision_model.{name}": shape for name, shape in vision.items()}
    shapes |= {f"text_model.{name}": shape for name, shape in text.items()}
    ids = {"vision_model.embeddings.position_ids": (1, 257), "text_model.embeddings.position_ids": (1, 77)}
    write_headers(folder / "model.safetensors", shapes, ids)


def write_pix2pix(folder: Path) -> None:
    """The settings of InstructPix2Pix, and its VAE under the names of 2022."""
    scheduler = {
        "_class_name": "EulerAncestralDiscreteScheduler",
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "clip_sample": False,
        "num_train_timesteps": 1000,
        "prediction_type": "epsilon",
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "trained_betas": None,
    }
    write_json(folder / "scheduler" / "scheduler_config.json", scheduler)
    write_json(folder / "unet" / "config.json", {"_class_name": "UNet2DConditionModel", **FULL_SIZE.unet})
    write_json(folder / "vae" / "config.json", {"_class_name": "AutoencoderKL", **FULL_SIZE.vae})
    from mgie_engine.checkpoints.native import empty

    vae = {old_name(name): tuple(t.shape) for name, t in empty(FULL_SIZE).vae.state_dict().items()}
    write_headers(folder / "vae" / "diffusion_pytorch_model.safetensors", vae)


def write_headers(file: Path, shapes: Shapes, ids: Shapes | None = None) -> None:
    """A sparse .safetensors file of fp32 tensors and int64 `ids`."""
    header, at = {}, 0
    for kind, bytes_each, group in (("F32", 4, shapes), ("I64", 8, ids or {})):
        for name, shape in group.items():
            size = bytes_each * int(np.prod(shape))
            header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [at, at + size]}
            at += size
    text = json.dumps(header).encode()
    with file.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + at)


def _repeated(shapes: Shapes) -> dict[str, Tensor]:
    """Tensors of one number each, which torch writes as one number."""
    return {name: torch.zeros((), dtype=torch.float16).expand(shape) for name, shape in shapes.items()}


def _encoder(layers: int, width: int) -> Shapes:
    layer = {
        **{f"self_attn.{part}_proj.{kind}": size for part in "qkv" for kind, size in _linear(width, width)},
        **{f"self_attn.out_proj.{kind}": size for kind, size in _linear(width, width)},
        **{f"mlp.fc1.{kind}": size for kind, size in _linear(4 * width, width)},
        **{f"mlp.fc2.{kind}": size for kind, size in _linear(width, 4 * width)},
        **_norm("layer_norm1", width),
        **_norm("layer_norm2", width),
    }
    return {f"encoder.layers.{i}.{name}": shape for i in range(layers) for name, shape in layer.items()}


def _linear(rows: int, columns: int) -> list[tuple[str, tuple[int, ...]]]:
    return [("weight", (rows, columns)), ("bias", (rows,))]


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
