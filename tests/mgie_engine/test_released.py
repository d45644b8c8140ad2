"""Random tiny checkpoints, written as the published ones are laid out."""

import json
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import save_file

from mgie_engine.checkpoints import load, named_tensors
from mgie_engine.config import resolve_model
from mgie_engine.errors import ModelError
from mgie_engine.released import BASE, CLIP, DELTA, LLAVA, PIX2PIX, apply_delta, read
from tests.mgie_engine.tiny import model, tokenizer

TAUGHT = ("model.embed_tokens.", "lm_head.", "edit_head.")
OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
TABLES = ("model.embed_tokens.weight", "lm_head.weight")
DELTA_ROWS = len(tokenizer()) - 8  # the delta has no visual tokens
BASE_ROWS = DELTA_ROWS - 3  # and the base no picture tokens


@pytest.fixture(scope="module")
def mgie():
    return model()


@pytest.fixture
def folder(mgie, tmp_path):
    """A released folder whose numbers are those of `mgie`, rounded to fp16."""
    tensors = {name: tensor.half().contiguous() for name, tensor in named_tensors(mgie)}
    write_differentials(tmp_path, tensors)
    llava = {name: t for name, t in tensors.items() if name.startswith(("model.", "lm_head."))}
    write_llava(tmp_path / LLAVA, mgie, shortened(llava, DELTA_ROWS))
    write_clip(tmp_path / CLIP, mgie, tensors)
    write_pix2pix(tmp_path / PIX2PIX, mgie, tensors)
    return tmp_path


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


def write_llava(folder, mgie, tensors):
    sizes = mgie.config.language
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
    mgie.tokenizer.save(folder)
    pictures = {name: i for name, i in mgie.tokenizer.added.items() if not name.startswith("[IMG")}
    write_json(folder / "added_tokens.json", pictures)
    names = sorted(tensors)
    halves = (names[: len(names) // 2], names[len(names) // 2 :])
    for number, half in enumerate(halves, 1):
        shard = {name: tensors[name] for name in half}
        torch.save(
            shard | {"model.layers.0.rotary": torch.ones(2)}, folder / f"pytorch_model-{number}-of-2.bin"
        )


def write_clip(folder, mgie, tensors):
    sizes = asdict(mgie.config.vision)
    sizes |= {"num_hidden_layers": sizes["layers"], "num_attention_heads": sizes["heads"]}
    write_json(folder / "config.json", {"vision_config": sizes})
    text = {"text_model.final_layer_norm.weight": torch.ones(3)}
    torch.save(starting(tensors, "clip.") | text, folder / "pytorch_model.bin")


def write_pix2pix(folder, mgie, tensors):
    scheduler = {
        "num_train_timesteps": 1000,
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "steps_offset": 1,
    }
    write_json(folder / "scheduler" / "scheduler_config.json", scheduler)
    write_json(folder / "unet" / "config.json", {"_class_name": "UNet2DConditionModel", **mgie.config.unet})
    write_json(folder / "vae" / "config.json", {"_class_name": "AutoencoderKL", **mgie.config.vae})
    vae = {old_name(name): tensor for name, tensor in starting(tensors, "vae.").items()}
    save_file(vae, folder / "vae" / "diffusion_pytorch_model.safetensors")


def old_name(name):
    for new, old in OLD_NAMES.items():
        name = name.replace(f"attentions.0.{new}.", f"attentions.0.{old}.")
    return name


def edit_file(file, **changes):
    tensors = torch.load(file, weights_only=True) | changes
    torch.save({name: tensor for name, tensor in tensors.items() if tensor is not None}, file)


def test_released_files_become_the_model(folder, mgie):
    loaded = load(resolve_model(str(folder)))
    theirs = dict(named_tensors(loaded))
    for name, tensor in named_tensors(mgie):
        assert torch.equal(theirs[name], tensor.half().float()), name
    assert loaded.config.edit_head == mgie.config.edit_head
    assert loaded.config.language == mgie.config.language
    assert loaded.tokenizer.visual == mgie.tokenizer.visual


def test_base_and_delta_give_the_same_as_the_whole(folder, mgie):
    whole = dict(named_tensors(load(resolve_model(str(folder)))))
    llama = {name for name, _ in named_tensors(mgie) if name.startswith(("model.", "lm_head."))}
    llava = shortened({n: t for n, t in read(folder).tensors.items() if n in llama}, DELTA_ROWS)
    base = {n: torch.full_like(t, 0.25) for n, t in llava.items() if "mm_projector" not in n}
    base = shortened(base, BASE_ROWS)
    delta = {n: t.clone() for n, t in llava.items()}
    for name, tensor in base.items():
        delta[name][: len(tensor)] -= tensor
    (folder / LLAVA).rename(folder / "aside")
    write_llava(folder / BASE, mgie, base)
    write_llava(folder / DELTA, mgie, delta)
    for name, tensor in named_tensors(load(resolve_model(str(folder)))):
        torch.testing.assert_close(tensor, whole[name], atol=1e-3, rtol=0)


def test_new_rows_of_the_delta_are_absolute():
    base, delta = {"lm_head.weight": torch.ones(2, 3)}, {"lm_head.weight": torch.full((4, 3), 2.0)}
    (name, total), *_ = apply_delta(base, delta)
    assert (name, total.dtype) == ("lm_head.weight", torch.float16)
    assert total[:, 0].tolist() == [3, 3, 2, 2]


@pytest.mark.parametrize(
    ("base", "delta", "complaint"),
    [
        ({}, {"edit_head.query": torch.ones(1)}, "edit_head.query is missing in the base"),
        ({"norm": torch.ones(2)}, {"norm": torch.ones(3)}, r"norm has shape \[2\] in the base, \[3\]"),
    ],
)
def test_a_delta_that_does_not_fit_is_named(base, delta, complaint):
    with pytest.raises(ModelError, match=complaint):
        dict(apply_delta(base, delta))


def test_embeddings_with_and_without_a_leading_axis_are_taken(folder, mgie):
    rows = mgie.visual_embeddings.half() + 1
    for emb in (rows, rows[0]):
        edit_file(folder / "mgie_7b" / "mllm.pt", emb=emb)
        assert torch.equal(load(resolve_model(str(folder))).visual_embeddings, rows.float())


def test_embeddings_that_differ_from_the_table_are_logged(folder, mgie, caplog):
    edit_file(folder / "mgie_7b" / "mllm.pt", emb=mgie.visual_embeddings.half() + 1)
    load(resolve_model(str(folder)))
    assert "differs from the embedding table" in caplog.text


def test_without_embeddings_the_rows_of_the_table_serve(folder, mgie):
    edit_file(folder / "mgie_7b" / "mllm.pt", emb=None)
    loaded = load(resolve_model(str(folder)))
    assert torch.equal(loaded.visual_embeddings, mgie.visual_embeddings.half().float())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"lm_head.weight": torch.ones(5, 32)}, r"lm_head\.weight has shape \[5, 32\], the model needs"),
        ({"edit_head.hid2feat.weight": None}, r"edit_head\.hid2feat\.weight of shape \[24, 32\] is missing"),
        ({"edit_head.query": None}, r"mllm\.pt lacks the tensor edit_head\.query"),
        ({"model.embed_tokens.weight": torch.ones(7, 32)}, "embedding table has 7 rows"),
    ],
)
def test_what_is_wrong_with_the_differentials_is_named(folder, changes, complaint):
    edit_file(folder / "mgie_7b" / "mllm.pt", **changes)
    with pytest.raises(ModelError, match=complaint):
        load(resolve_model(str(folder)))


@pytest.mark.parametrize(
    ("gone", "complaint"),
    [
        (f"{LLAVA}/config.json", "config.json is missing"),
        (f"{CLIP}/pytorch_model.bin", "holds no .safetensors or .bin files"),
        ("mgie_7b/unet.pt", r"unet\.pt is missing"),
        (f"{PIX2PIX}/scheduler/scheduler_config.json", "scheduler_config.json is missing"),
    ],
)
def test_a_missing_file_is_named(folder, gone, complaint):
    (folder / gone).unlink()
    with pytest.raises(ModelError, match=complaint):
        read(folder)


def test_a_folder_without_any_llava_says_what_it_needs(folder):
    (folder / LLAVA).rename(folder / "aside")
    with pytest.raises(ModelError, match=f"needs {LLAVA}, or {BASE} and {DELTA}"):
        read(folder)
