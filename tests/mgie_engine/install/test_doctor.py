import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from mgie_engine.checkpoints import native
from mgie_engine.install.doctor import MachineFacts, diagnose, diagnose_all, examine, examine_files
from mgie_engine.memory.modes import GIB, Mode, Parameters
from tests.support.published import write_release
from tests.support.tiny_model import model

SEVEN = Parameters(6_476_005_376, 601_837_312, 131_117_056, 859_532_484, 83_653_863)
CARD = MachineFacts("cuda", "a card", 20 * GIB, SEVEN, has_bitsandbytes=False)


def look(name: str, home: Path) -> MachineFacts:
    """What the doctor finds about a model on this CPU."""
    return examine(examine_files(name, home), home, torch.device("cpu"))


def sentences(facts, mode=None):
    return [finding.sentence for finding in diagnose(facts, mode)]


def blocking(facts, mode=None):
    return [finding.sentence for finding in diagnose(facts, mode) if finding.is_blocking]


def test_a_healthy_machine_is_told_its_mode():
    assert blocking(CARD) == []
    assert sentences(CARD)[0] == "Device: cuda (a card), 21.5 GB of memory is free."
    assert "Memory mode int8: needs 11.7 GB, fits." in sentences(CARD)
    assert sentences(CARD)[-1] == "Chosen: fp16."


def test_what_graphs_add_is_told_where_they_are_to_be_had():
    found = sentences(replace(CARD, free=40 * GIB, graphs=5 * GIB))
    assert found[-1] == "The level same adds 5.4 GB for its cache and its graphs, which fit."
    assert "fewer edits share the device" in sentences(replace(CARD, graphs=5 * GIB))[-1]
    assert not [s for s in sentences(replace(CARD, graphs=5 * GIB), Mode.SWAP) if "level" in s]


def test_too_little_memory_for_any_mode_is_blocking():
    (complaint,) = blocking(replace(CARD, free=GIB))
    assert "needs at least" in complaint


def test_four_bits_without_their_library_are_blocking():
    assert blocking(replace(CARD, free=8 * GIB)) == [
        "swap needs bitsandbytes: pip install 'mgie[quantised]'."
    ]
    assert blocking(replace(CARD, free=8 * GIB, has_bitsandbytes=True)) == []


def test_a_requested_mode_that_does_not_fit_is_blocking():
    assert blocking(replace(CARD, free=8 * GIB), Mode.FP16) == ["Chosen: fp16 (as requested)."]


def test_of_a_second_device_only_what_differs_is_said():
    devices = [replace(CARD, place="cuda:0"), replace(CARD, place="cuda:1")]
    first = len(diagnose(CARD))
    (second,) = diagnose_all(devices)[first:]
    assert second.sentence == "Device: cuda:1 (a card), 21.5 GB of memory is free."
    busy = replace(CARD, place="cuda:1", free=8 * GIB)
    assert "Chosen: swap." in [finding.sentence for finding in diagnose_all([CARD, busy])[first:]]


def test_a_device_without_room_prevents_nothing_while_another_has_it():
    busy = replace(CARD, free=GIB)
    assert not any(finding.is_blocking for finding in diagnose_all([busy, CARD]))
    assert any(finding.is_blocking for finding in diagnose_all([busy, busy]))


def test_missing_files_and_a_small_disk_are_blocking():
    facts = replace(CARD, lacks=("mgie_7b/mllm.pt is missing.",), disk_free=GIB)
    assert blocking(facts) == [
        "mgie_7b/mllm.pt is missing.",
        "Disk: 1.1 GB is free, and the files take about 16.0 GB.",
    ]


def test_an_empty_home_lacks_every_part(tmp_path):
    facts = look("mgie-7b", tmp_path / "home")
    assert len(facts.lacks) == 5
    assert facts.parameters.unet == 859_532_484
    assert facts.disk_free


@pytest.mark.parametrize("layout", ["ours", "released"])
def test_a_whole_model_lacks_nothing(tmp_path, layout):
    folder = tmp_path / "mgie-7b"
    folder.mkdir()
    if layout == "ours":
        native.save(model(), folder)
    else:
        write_release(folder, model())
    facts = look("mgie-7b", tmp_path)
    assert (facts.lacks, facts.disk_free) == ((), None)
    assert facts.parameters.picture_size == (32 if layout == "ours" else 512)


def test_a_released_folder_without_clip_lacks_clip(tmp_path):
    folder = tmp_path / "mgie-7b"
    folder.mkdir()
    write_release(folder, model())
    (folder / "clip-vit-large-patch14").rename(tmp_path / "aside")
    (complaint,) = look("mgie-7b", tmp_path).lacks
    assert complaint.startswith("clip-vit-large-patch14/ is missing")


# -- files that are damaged ----------------------------------------------------------------------------------


def a_saved_model(home: Path) -> Path:
    """The one shard of a model in our layout, in `home`/mine."""
    (home / "mine").mkdir()
    (shard,) = native.save(model(), home / "mine")
    return shard


def rewrite(shard: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Change the tensors of a shard."""
    tensors = load_file(shard)
    change(tensors)
    save_file(tensors, shard)


NAME = "unet.conv_in.weight"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.update({"unet.other": t.pop(NAME)}), rf"The tensor {NAME} of shape .* is missing"),
        (lambda t: t.update({"unet.other": torch.zeros(1)}), "The tensor unet.other has no place"),
        (lambda t: t.update({NAME: t[NAME][:1].clone()}), rf"The tensor {NAME} has shape .* the model needs"),
        (lambda t: t.update({NAME: t[NAME].to(torch.int64)}), rf"The tensor {NAME} holds int64"),
    ],
)
def test_a_wrong_name_shape_or_type_is_found(tmp_path, change, told):
    rewrite(a_saved_model(tmp_path), change)
    lacks = look("mine", tmp_path).lacks
    assert any(re.match(told, sentence) for sentence in lacks), lacks


@pytest.mark.parametrize("bytes_more", [-8, 8])
def test_a_wrong_size_is_found(tmp_path, bytes_more):
    shard = a_saved_model(tmp_path)
    data = shard.read_bytes()
    shard.write_bytes(data[:bytes_more] if bytes_more < 0 else data + bytes(bytes_more))
    assert "damaged" in look("mine", tmp_path).lacks[0]


@pytest.mark.parametrize("name", ["config.json", "tokenizer.model", "strengths.json"])
def test_another_damaged_file_is_found(tmp_path, name):
    a_saved_model(tmp_path)
    (tmp_path / "mine" / name).write_bytes(b"{")
    assert look("mine", tmp_path).lacks


def test_a_verified_file_of_another_size_is_found(tmp_path):
    folder = tmp_path / "mgie-7b"
    folder.mkdir()
    write_release(folder, model())
    unet = folder / "mgie_7b/unet.pt"
    entry = {"size": unet.stat().st_size + 1, "sha256": "0" * 64}
    (folder / "files.json").write_text(json.dumps({"mgie_7b/unet.pt": entry}))
    (complaint,) = look("mgie-7b", tmp_path).lacks
    assert "when it was verified it had" in complaint


def test_the_bundled_model_is_whole(tmp_path):
    assert look("mgie-mini", tmp_path).lacks == ()
