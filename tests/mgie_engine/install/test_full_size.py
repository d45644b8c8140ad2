"""A dry run at full size: the real names, types, shapes and sizes, in files without contents."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from mgie_engine.checkpoints.layout import BASE, CLIP, DELTA
from mgie_engine.checkpoints.native import read_model
from mgie_engine.checkpoints.tensors import read_headers
from mgie_engine.cli import main
from mgie_engine.config import ModelLocation
from mgie_engine.install.differentials import Differentials
from mgie_engine.install.file_check import find_faults
from mgie_engine.install.ledger import Ledger
from mgie_engine.install.sources import fetch_archive, still_missing
from tests.support.file_server import serving
from tests.support.full_size_release import pack_pair, write_pair, write_rest

TOKENIZER = (
    Path(__file__).parents[1] / "parity" / "published" / "tokenizer" / "tokenizer.model"
)  # 32000 pieces


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with everything: Apple's archive was cut off twice on its way."""
    folder = tmp_path_factory.mktemp("full")
    write_pair(folder / "pair")
    archive, expected, said = pack_pair(folder / "pair", folder / "a.tar.gz"), Differentials.of(), []
    with serving(archive) as apple:
        size = archive.stat().st_size
        apple.breaks = [size // 3, size // 2]
        fetch_archive(apple.url, folder / "mgie-7b", said.append, expected.check, expected.most)
        assert apple.asked == [None, f"bytes={size // 3}-", f"bytes={size // 3 + size // 2}-"]
    archive.unlink()
    write_rest(folder / "mgie-7b", TOKENIZER)
    return folder / "mgie-7b"


def location(home):
    return ModelLocation("mgie-7b", home, "released")


def test_sizes_are_those_that_are_known(home):
    sizes = {name: entry.size for name, entry in Ledger.read(home).files.items()}
    assert {name: round(size / 1e6, -1) for name, size in sizes.items()} == {
        "mgie_7b/mllm.pt": 590,
        "mgie_7b/unet.pt": 1720,
    }
    for file, tensors in (("mllm.pt", 132), ("unet.pt", 686)):
        assert len(read_headers([home / "mgie_7b" / file])) == tensors


def test_everything_that_loading_needs_is_there(home):
    assert still_missing(home) == []
    assert find_faults(location(home)) == []
    tensors = read_model(location(home), read_headers).tensors
    assert tensors["model.layers.31.self_attn.q_proj.weight"].shape == (4096, 4096)
    assert tensors["model.embed_tokens.weight"].shape == (32011, 4096)
    assert sum(tensors[name].numel() for name in tensors if name.startswith("unet.")) == 859_532_484


@pytest.fixture
def copy(home, tmp_path):
    """The same home, for a test that changes files of it."""
    return Path(shutil.copytree(home, tmp_path / "mgie-7b", copy_function=os.link))


def edit_file(file, **changes):
    tensors = torch.load(file, weights_only=True) | changes
    file.unlink()
    torch.save({name: tensor for name, tensor in tensors.items() if tensor is not None}, file)


def test_a_wrong_size_is_named_before_the_file_is_read(copy):
    (copy / "mgie_7b" / "mllm.pt").unlink()
    (copy / "mgie_7b" / "mllm.pt").write_bytes(b"cut off")
    size, reading = find_faults(location(copy))
    assert "mllm.pt has 7 bytes; when it was verified it had 5884" in size
    assert "mllm.pt is damaged" in reading


def test_wrong_tensors_of_base_and_delta_are_named(copy):
    changes = {
        "layers.3.attention.wk.weight": torch.zeros(()).half().expand(4096, 1024),
        "layers.4.ffn_norm.weight": torch.zeros(()).int().expand(4096),
    }
    edit_file(copy / BASE / "consolidated.00.pth", **changes)
    edit_file(copy / DELTA / "pytorch_model-00002-of-00002.bin", **{"model.norm.weight": None})
    first, second, third = find_faults(location(copy))
    assert "layers.3.self_attn.k_proj.weight has shape [4096, 1024] in the base, [4096, 4096] in the" in first
    assert second == "The tensor model.layers.4.post_attention_layernorm.weight of the base holds int32."
    assert third == "The tensor model.norm.weight of shape [4096] is missing."


def test_the_command_says_that_all_is_there_or_what_is_at_fault(copy, capsys, monkeypatch):
    monkeypatch.setenv("MGIE_HOME", str(copy.parent))
    meta = Path(shutil.copytree(copy / BASE, copy.parent / "LLaMA" / "7B"))
    command = ["download", "mgie-7b", "--accept-license", "--from"]
    assert main([*command, str(meta.parent)]) == 0
    assert "Every tensor that loading needs is there, with its shape and type." in capsys.readouterr().out
    edit_file(meta / "consolidated.00.pth", **{"norm.weight": torch.zeros(3000).half()})
    assert main([*command, str(meta)]) == 1
    assert (
        "cannot be loaded: The tensor model.norm.weight has shape [3000] in the base"
        in capsys.readouterr().err
    )


def test_a_file_of_settings_that_lacks_one_is_named(copy):
    (copy / CLIP / "config.json").unlink()
    (copy / CLIP / "config.json").write_text('{"vision_config": {"image_size": 224}}')
    assert find_faults(location(copy)) == ["The vision tower's config.json lacks 'patch_size'."]
