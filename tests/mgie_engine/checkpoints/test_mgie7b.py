import json
from functools import partial

import pytest
import torch

from mgie_engine.checkpoints.layout import BASE, CLIP, DELTA, LLAVA, PIX2PIX
from mgie_engine.checkpoints.mgie7b import apply_delta, read_released
from mgie_engine.checkpoints.native import load_model, named_tensors
from mgie_engine.config import NoiseSchedule, resolve_model
from mgie_engine.errors import ModelError
from tests.support.published import (
    COMPUTED,
    delta_rows,
    shortened,
    write_base_and_delta,
    write_json,
    write_meta_llama,
    write_release,
)
from tests.support.tiny_model import model


@pytest.fixture(scope="module")
def mgie():
    return model()


@pytest.fixture
def folder(mgie, tmp_path):
    write_release(tmp_path, mgie)
    return tmp_path


def edit_file(file, **changes):
    tensors = torch.load(file, weights_only=True) | changes
    torch.save({name: tensor for name, tensor in tensors.items() if tensor is not None}, file)


def test_released_files_become_the_model(folder, mgie):
    loaded = load_model(resolve_model(str(folder)))
    theirs = dict(named_tensors(loaded))
    for name, tensor in named_tensors(mgie):
        assert torch.equal(theirs[name], tensor.half().float()), name
    assert loaded.config.edit_head == mgie.config.edit_head
    assert loaded.config.language == mgie.config.language
    assert loaded.tokenizer.visual == mgie.tokenizer.visual


def llava_of(folder, mgie):
    """LLaVA's tensors, of a folder that holds them whole."""
    names = {name for name, _ in named_tensors(mgie) if name.startswith(("model.", "lm_head."))}
    return shortened(
        {n: t for n, t in read_released(folder).tensors.items() if n in names}, delta_rows(mgie.tokenizer)
    )


def assert_same_model(folder, tensors):
    for name, tensor in named_tensors(load_model(resolve_model(str(folder)))):
        torch.testing.assert_close(tensor, tensors[name], atol=1e-3, rtol=0)


def test_base_and_delta_give_the_same_as_the_whole(folder, mgie):
    whole = dict(named_tensors(load_model(resolve_model(str(folder)))))
    write_base_and_delta(folder, mgie, llava_of(folder, mgie))
    assert_same_model(folder, whole)


def test_the_base_may_be_as_meta_hands_it_out(folder, mgie):
    whole = dict(named_tensors(load_model(resolve_model(str(folder)))))
    write_base_and_delta(folder, mgie, llava_of(folder, mgie), write_base=partial(write_meta_llama, heads=4))
    assert_same_model(folder, whole)


def test_a_base_of_another_llama_is_logged(folder, mgie, caplog):
    write_base = partial(write_meta_llama, heads=4, norm_eps=1e-5)
    write_base_and_delta(folder, mgie, llava_of(folder, mgie), write_base=write_base)
    load_model(resolve_model(str(folder)))
    assert "params.json is of another LLaMA than LLaVA's" in caplog.text


def test_a_delta_where_the_whole_llava_belongs_is_refused(folder, mgie):
    write_base_and_delta(
        folder, mgie, llava_of(folder, mgie) | {"model.norm.weight": torch.full((32,), 0.25)}
    )
    (folder / DELTA).rename(folder / LLAVA)
    with pytest.raises(ModelError, match=f"holds what is added to LLaMA.*rename it to {DELTA}"):
        load_model(resolve_model(str(folder)))


@pytest.mark.parametrize(
    "entry",
    [{"content": "<s>"}, {"content": "<s>", "lstrip": None}, {"content": "<s>", "single_word": False}],
)
def test_an_entry_of_the_special_tokens_without_lstrip_keeps_spaces(folder, mgie, entry):
    write_json(folder / LLAVA / "special_tokens_map.json", {"bos_token": entry, "unk_token": "<unk>"})
    tokenizer = load_model(resolve_model(str(folder))).tokenizer
    assert tokenizer.encode("ball <s> red") == mgie.tokenizer.encode("ball <s> red")
    assert tokenizer.encode("ball <unk> red") != mgie.tokenizer.encode("ball <unk> red")


@pytest.mark.parametrize(
    ("stored", "schedule"),
    [
        ({}, NoiseSchedule(steps_offset=1)),
        ({"timestep_spacing": "linspace"}, NoiseSchedule(steps_offset=1)),
        ({"timestep_spacing": "leading"}, NoiseSchedule(spacing="leading", steps_offset=1)),
        ({"timestep_spacing": "trailing", "steps_offset": 0}, NoiseSchedule(spacing="trailing")),
        ({"rescale_betas_zero_snr": True}, NoiseSchedule(rescale_betas_zero_snr=True, steps_offset=1)),
    ],
)
def test_the_spacing_of_the_timesteps_is_read(folder, stored, schedule):
    file = folder / PIX2PIX / "scheduler" / "scheduler_config.json"
    write_json(file, json.loads(file.read_text()) | stored)
    assert read_released(folder).config.noise == schedule


@pytest.mark.parametrize("stored", [{"timestep_spacing": "random"}, {"trained_betas": [0.1, 0.2]}])
def test_a_schedule_that_cannot_be_followed_is_refused(folder, stored):
    file = folder / PIX2PIX / "scheduler" / "scheduler_config.json"
    write_json(file, json.loads(file.read_text()) | stored)
    with pytest.raises(ModelError):
        read_released(folder)


def test_new_rows_of_the_delta_are_absolute():
    base, delta = {"lm_head.weight": torch.ones(2, 3)}, {"lm_head.weight": torch.full((4, 3), 2.0)}
    (name, total), *_ = apply_delta(base, delta).items()
    assert (name, total.dtype) == ("lm_head.weight", torch.float16)
    assert total[:, 0].tolist() == [3, 3, 2, 2]


def test_what_is_computed_is_not_looked_for_in_the_base():
    assert list(apply_delta({"norm": torch.ones(2)}, {"norm": torch.ones(2), COMPUTED: torch.ones(2)})) == [
        "norm"
    ]


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
        assert torch.equal(load_model(resolve_model(str(folder))).visual_embeddings, rows.float())


def test_embeddings_that_differ_from_the_table_are_logged(folder, mgie, caplog):
    edit_file(folder / "mgie_7b" / "mllm.pt", emb=mgie.visual_embeddings.half() + 1)
    load_model(resolve_model(str(folder)))
    assert "differs from the embedding table" in caplog.text


def test_without_embeddings_the_rows_of_the_table_serve(folder, mgie):
    edit_file(folder / "mgie_7b" / "mllm.pt", emb=None)
    loaded = load_model(resolve_model(str(folder)))
    assert torch.equal(loaded.visual_embeddings, mgie.visual_embeddings.half().float())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"lm_head.weight": torch.ones(5, 32)}, r"lm_head\.weight has shape \[5, 32\], the model needs"),
        ({"edit_head.hid2feat.weight": None}, r"edit_head\.hid2feat\.weight of shape \[24, 32\] is missing"),
        ({"edit_head.query": None}, r"mllm\.pt lacks the tensor edit_head\.query"),
        ({"model.embed_tokens.weight": torch.ones(7, 32)}, "embedding table has 7 rows"),
        ({"edit_head.hid2feat.bias": torch.ones(24, dtype=torch.int64)}, "hid2feat.bias holds int64"),
    ],
)
def test_what_is_wrong_with_the_differentials_is_named(folder, changes, complaint):
    edit_file(folder / "mgie_7b" / "mllm.pt", **changes)
    with pytest.raises(ModelError, match=complaint):
        load_model(resolve_model(str(folder)))


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
        read_released(folder)


def test_a_folder_without_any_llava_says_what_it_needs(folder):
    (folder / LLAVA).rename(folder / "aside")
    with pytest.raises(ModelError, match=f"needs {LLAVA}, or {BASE} and {DELTA}"):
        read_released(folder)
