"""Random checkpoints, written as the published ones are laid out."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from mgie_engine.checkpoints.layout import BASE, CLIP, DELTA, LLAVA, PIX2PIX
from mgie_engine.checkpoints.native import named_tensors
from mgie_engine.config import ModelConfig
from mgie_engine.text.tokenizer import Tokenizer

TAUGHT = ("model.embed_tokens.", "lm_head.", "edit_head.")
OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
COMPUTED = "model.layers.0.self_attn.rotary_emb.inv_freq"  # as in files of 2023
TABLES = ("model.embed_tokens.weight", "lm_head.weight")


def write_release(folder, mgie):
    """A released folder whose numbers are those of `mgie`, rounded to fp16."""
    write_parts(folder, mgie.config, mgie.tokenizer, dict(named_tensors(mgie)))


def write_parts(
    folder: Path, config: ModelConfig, tokenizer: Tokenizer, tensors: Mapping[str, Tensor]
) -> None:
    """A released folder with these tensors, by their published names, rounded to fp16."""
    tensors = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    write_differentials(folder, tensors)
    llava = {name: t for name, t in tensors.items() if name.startswith(("model.", "lm_head."))}
    write_llava(folder / LLAVA, config, tokenizer, shortened(llava, delta_rows(tokenizer)))
    write_clip(folder / CLIP, config, tensors)
    write_pix2pix(folder / PIX2PIX, config, tensors)


class TrainingArguments:
    """What transformers pickles beside the weights that it has trained."""


def write_base_and_delta(folder, mgie, llava, *, write_base=None):
    """LLaVA's tensors as a base of quarters and the delta to it; the whole is put aside."""
    base = {n: torch.full_like(t, 0.25) for n, t in llava.items() if "mm_projector" not in n}
    base = shortened(base, delta_rows(mgie.tokenizer) - 3)  # the base has no picture tokens either
    delta = {n: t.clone() for n, t in llava.items()}
    for name, tensor in base.items():
        delta[name][: len(tensor)] -= tensor
    (folder / LLAVA).rename(folder / "aside")
    if write_base:
        write_base(folder / BASE, base)
    else:
        write_llava(folder / BASE, mgie.config, mgie.tokenizer, base)
    write_llava(folder / DELTA, mgie.config, mgie.tokenizer, delta)


META_NAMES = {
    "model.embed_tokens": "tok_embeddings",
    "model.norm": "norm",
    "lm_head": "output",
    "model.layers": "layers",
    "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk",
    "self_attn.v_proj": "attention.wv",
    "self_attn.o_proj": "attention.wo",
    "mlp.gate_proj": "feed_forward.w1",
    "mlp.down_proj": "feed_forward.w2",
    "mlp.up_proj": "feed_forward.w3",
    "input_layernorm": "attention_norm",
    "post_attention_layernorm": "ffn_norm",
}


def write_meta_llama(folder, llama, heads, **settings):
    """LLaMA's tensors as Meta hands them out, the rows of queries and keys in pairs."""
    found = {"rope.freqs": torch.ones(4)}
    for name, tensor in llama.items():
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            rows, width = tensor.shape
            tensor = tensor.view(heads, 2, rows // heads // 2, width).transpose(1, 2).reshape(rows, width)
        for theirs, meta in META_NAMES.items():
            name = name.replace(theirs, meta)
        found[name] = tensor
    write_json(folder / "params.json", {"dim": 32, "n_heads": heads, "norm_eps": 1e-6} | settings)
    torch.save(found, folder / "consolidated.00.pth")


def delta_rows(tokenizer):
    """Rows of LLaVA's tables: it has no visual tokens."""
    return len(tokenizer) - len(tokenizer.visual)


def starting(tensors, prefix):
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def shortened(llama, rows):
    return {name: t[:rows].clone() if name in TABLES else t for name, t in llama.items()}


def write_json(file, data):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data))


def write_differentials(folder, tensors):
    (folder / "mgie_7b").mkdir()
    taught = {name: t for name, t in tensors.items() if name.startswith(TAUGHT)}
    embeddings = {"emb": tensors["model.embed_tokens.weight"][-8:]}
    torch.save(taught | embeddings, folder / "mgie_7b" / "mllm.pt")
    torch.save(starting(tensors, "unet."), folder / "mgie_7b" / "unet.pt")


def write_llava(folder, config, tokenizer, tensors):
    sizes = config.language
    llama = {
        "hidden_size": sizes.hidden_size,
        "intermediate_size": sizes.intermediate_size,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "max_sequence_length": sizes.max_positions,
        "rms_norm_eps": sizes.rms_norm_eps,
        "mm_vision_select_layer": -2,
    }
    write_json(folder / "config.json", llama)
    tokenizer.save(folder)
    pictures = {name: i for name, i in tokenizer.added.items() if not name.startswith("[IMG")}
    write_json(folder / "added_tokens.json", pictures)
    torch.save(TrainingArguments(), folder / "training_args.bin")
    names = sorted(tensors)
    halves = (names[: len(names) // 2], names[len(names) // 2 :])
    for number, half in enumerate(halves, 1):
        shard = {name: tensors[name] for name in half}
        torch.save(shard | {COMPUTED: torch.ones(2)}, folder / f"pytorch_model-{number}-of-2.bin")


def write_clip(folder, config, tensors):
    sizes = asdict(config.vision)
    sizes |= {"num_hidden_layers": sizes["layers"], "num_attention_heads": sizes["heads"]}
    write_json(folder / "config.json", {"vision_config": sizes})
    text = {"text_model.final_layer_norm.weight": torch.ones(3)}
    torch.save(starting(tensors, "clip.") | text, folder / "pytorch_model.bin")


def write_pix2pix(folder, config, tensors):
    scheduler = {
        "num_train_timesteps": 1000,
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "steps_offset": 1,
    }
    write_json(folder / "scheduler" / "scheduler_config.json", scheduler)
    write_json(folder / "unet" / "config.json", {"_class_name": "UNet2DConditionModel", **config.unet})
    write_json(folder / "vae" / "config.json", {"_class_name": "AutoencoderKL", **config.vae})
    vae = {old_name(name): tensor for name, tensor in starting(tensors, "vae.").items()}
    save_file(vae, folder / "vae" / "diffusion_pytorch_model.safetensors")


def old_name(name):
    for new, old in OLD_NAMES.items():
        name = name.replace(f"attentions.0.{new}.", f"attentions.0.{old}.")
    return name
