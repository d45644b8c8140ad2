"""Every broken folder is one sentence at load: nothing hangs, and no library's error gets through."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mgie_engine.checkpoints.native import load_model, save
from mgie_engine.checkpoints.tensors import read_tensors
from mgie_engine.config import ModelLocation
from mgie_engine.errors import ModelError
from mgie_engine.model_files import shard_files
from tests.support.broken_models import CONFIGS, FILES, PICKLES, Break
from tests.support.tiny_model import model

BROKEN = CONFIGS | FILES


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "good"
    save(model(), folder)
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "tiny"))


def load(folder: Path) -> object:
    return load_model(ModelLocation("tiny", folder, "ours"))


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_broken_folder_is_one_sentence(folder: Path, change: Break):
    change(folder)
    with pytest.raises(ModelError) as caught:
        load(folder)
    sentence = str(caught.value)
    assert len(sentence) < 600
    assert sentence.isprintable()
    assert caught.value.message.code == "no_model"


@pytest.mark.parametrize(("write", "complaint"), PICKLES.values(), ids=PICKLES)
def test_a_hostile_tensor_file_is_one_sentence(tmp_path: Path, write, complaint: str):
    write(tmp_path / "a.bin")
    with pytest.raises(ModelError, match=complaint) as caught:
        read_tensors([tmp_path / "a.bin"])
    assert str(caught.value).isprintable()


def test_a_file_beside_the_shards_changes_nothing_and_is_logged(folder: Path, caplog):
    save_file({"unet.conv_in.bias": torch.full((16,), 7.0)}, folder / "zzz.safetensors")
    before = model().unet.conv_in.bias
    assert torch.equal(load(folder).unet.conv_in.bias, before)  # type: ignore[attr-defined]
    assert "zzz.safetensors' is none of the model's files" in caplog.text


def test_an_index_names_the_shards(tmp_path: Path):
    for name in ("a.safetensors", "b.safetensors"):
        (tmp_path / name).touch()
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"x": "b.safetensors"}}')
    assert shard_files(tmp_path) == [tmp_path / "b.safetensors"]


@pytest.mark.parametrize("name", ["../b.safetensors", "/etc/passwd", "b.bin", "b\n.safetensors", 3])
def test_an_index_names_files_of_its_folder_only(tmp_path: Path, name: object):
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"x": name}}))
    with pytest.raises(ModelError, match="names"):
        shard_files(tmp_path)


def test_of_whole_and_numbered_files_the_whole_is_read(tmp_path: Path):
    for name in ("model.safetensors", "model-00001-of-00002.safetensors", "model.fp16.safetensors"):
        (tmp_path / name).touch()
    assert shard_files(tmp_path) == [tmp_path / "model.safetensors"]


def test_numbered_files_must_all_be_there(tmp_path: Path):
    (tmp_path / "pytorch_model-00002-of-00003.bin").touch()
    with pytest.raises(ModelError, match=r"lacks shard 1 of 3 of its \.bin files"):
        shard_files(tmp_path)
