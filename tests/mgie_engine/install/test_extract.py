import pytest
import torch

from mgie_engine.checkpoints import native
from mgie_engine.config import resolve_model
from mgie_engine.errors import ModelError
from mgie_engine.install.extract import diffusion_half, extract, language_half, tensors_of_run
from mgie_engine.install.full_size import FULL_SIZE
from tests.mgie_engine.parity.golden import golden
from tests.support.published import write_release
from tests.support.tiny_model import model

ATTENTION = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")


def of_linear(*names):
    return [f"{name}.{kind}" for name in names for kind in ("weight", "bias")]


def published_keys():
    """The 131 keys of the published mllm.pt, and `emb`."""
    layer = [f"self_attn.{name}" for name in ATTENTION] + of_linear("linear1", "linear2", "norm1", "norm2")
    decoding = [*layer, *(f"multihead_attn.{name}" for name in ATTENTION), *of_linear("norm3")]
    mapper = [f"encoder.layers.{i}.{name}" for i in range(4) for name in layer]
    mapper += [f"decoder.layers.{i}.{name}" for i in range(4) for name in decoding]
    mapper += of_linear("encoder.norm", "decoder.norm")
    head = ["query", *of_linear("llm2hid", "hid2feat"), *(f"mapper.{name}" for name in mapper)]
    tables = ["model.embed_tokens.weight", "lm_head.weight"]
    return {*tables, *(f"edit_head.{name}" for name in head), "emb"}


@pytest.fixture(scope="module")
def full_size():
    """Every tensor of the 7B by its published name, without numbers."""
    return native.published(native.empty(FULL_SIZE))


def on_meta(tensors, start):
    return {name: t.half() for name, t in tensors.items() if name.startswith(start)}


def test_the_full_size_language_half_has_the_published_keys_and_shapes(full_size):
    names = ("model.embed_tokens.", "lm_head.", "edit_head.")
    half = on_meta(full_size, names)
    assert half.keys() | {"emb"} == published_keys()
    assert len(half) == 131
    assert half["model.embed_tokens.weight"].shape == half["lm_head.weight"].shape == (32011, 4096)
    assert half["edit_head.query"].shape == (1, 77, 512)
    assert half["edit_head.mapper.encoder.layers.0.self_attn.in_proj_weight"].shape == (1536, 512)
    emb_bytes = 8 * 4096 * 2
    assert sum(t.nbytes for t in half.values()) + emb_bytes == pytest.approx(588.4e6, abs=0.1e6)


def test_the_full_size_diffusion_half_has_the_published_keys_and_size(full_size):
    half = {name.removeprefix("unet."): t for name, t in on_meta(full_size, "unet.").items()}
    assert len(half) == 686
    assert sum(t.numel() for t in half.values()) == 859_532_484
    assert half["conv_in.weight"].shape == (320, 8, 3, 3)


def test_the_golden_tiny_model_goes_into_the_pair_and_out_again(tmp_path):
    weights = golden().weights()
    files = extract(weights, tmp_path)
    mllm, unet = (torch.load(file, weights_only=True) for file in files)
    assert mllm.keys() == published_keys()
    assert unet.keys() == {n.removeprefix("unet.") for n in weights if n.startswith("unet.")}
    for name, tensor in {**mllm, **{f"unet.{n}": t for n, t in unet.items()}}.items():
        if name != "emb":
            assert torch.equal(tensor, weights[name].half()), name
    assert torch.equal(mllm["emb"][0], weights["model.embed_tokens.weight"][32003:].half())


def test_a_released_folder_gives_its_own_files_again(tmp_path):
    write_release(tmp_path, model())
    before = [torch.load(tmp_path / "mgie_7b" / name, weights_only=True) for name in ("mllm.pt", "unet.pt")]
    files = extract(native.read_model(resolve_model(str(tmp_path))).tensors, tmp_path / "again")
    for old, file in zip(before, files, strict=True):
        new = torch.load(file, weights_only=True)
        assert old.keys() == new.keys()
        assert all(torch.equal(old[name].reshape(new[name].shape), new[name]) for name in old)


def test_embeddings_take_no_more_of_the_file_than_themselves(tmp_path):
    half = language_half(golden().weights())
    assert half["emb"].untyped_storage().nbytes() == half["emb"].nbytes


def test_the_newest_checkpoint_of_a_training_run_is_taken(tmp_path):
    for step in (900, 1000):
        (tmp_path / f"checkpoint-{step}").mkdir()
        for shard, name in enumerate(("lm_head.weight", "unet.conv_in.weight"), 1):
            file = tmp_path / f"checkpoint-{step}" / f"pytorch_model-0000{shard}-of-00002.bin"
            torch.save({name: torch.full((2,), float(step))}, file)
    found = tensors_of_run(tmp_path)
    assert {name: tensor[0].item() for name, tensor in found.items()} == {
        "lm_head.weight": 1000,
        "unet.conv_in.weight": 1000,
    }


@pytest.mark.parametrize("half", [language_half, diffusion_half])
def test_what_is_not_there_is_not_extracted(half):
    with pytest.raises(ModelError, match="to extract"):
        half({"vae.quant_conv.bias": torch.ones(2)})


def test_a_run_without_tensors_is_refused(tmp_path):
    with pytest.raises(ModelError, match="holds no tensors"):
        tensors_of_run(tmp_path)
