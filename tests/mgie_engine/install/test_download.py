import json
import os
import subprocess
import sys

import pytest
from huggingface_hub import HfApi

from mgie_engine.checkpoints.layout import (
    CLIP,
    CLIP_HUB,
    DELTA,
    DELTA_HUB,
    LLAVA,
    MGIE_HUB,
    PIX2PIX_HUB,
    REVISIONS,
    missing,
)
from mgie_engine.errors import ModelError
from mgie_engine.install.download import copy_all, fetch, fetch_all, list_files
from mgie_engine.install.ledger import Checksums
from tests.support.weights_hub import running

WEIGHTS = bytes(range(256)) * 4
SPACE = f"spaces/{MGIE_HUB}"
OTHERS = {
    CLIP_HUB: {"config.json": b"{}", "model.safetensors": WEIGHTS, "tf_model.h5": WEIGHTS},
    PIX2PIX_HUB: {
        "unet/config.json": b"{}",
        "unet/diffusion_pytorch_model.bin": WEIGHTS,
        "scheduler/scheduler_config.json": b"{}",
        "vae/config.json": b"{}",
        "vae/diffusion_pytorch_model.safetensors": WEIGHTS,
    },
}
WHOLE = {
    SPACE: {
        "app.py": b"print()",
        "_ckpt/mgie_7b/mllm.pt": WEIGHTS,
        "_ckpt/mgie_7b/unet.pt": WEIGHTS + b"u",
        f"_ckpt/{LLAVA}/config.json": b'{"hidden_size": 8}',
        f"_ckpt/{LLAVA}/pytorch_model-00001-of-00001.bin": WEIGHTS,
    },
    **OTHERS,
}
MLLM = "_ckpt/mgie_7b/mllm.pt"


@pytest.fixture
def hub():
    with running(WHOLE) as hub:
        yield hub


def fetched(hub, folder):
    said = []
    fetch_all(folder, HfApi(endpoint=hub.url), said.append, known={})
    return said


def files(folder):
    found = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    return found - {"files.json"}


def test_everything_comes_to_where_the_loader_looks_and_nothing_else(hub, tmp_path):
    fetched(hub, tmp_path)
    assert (tmp_path / "mgie_7b" / "unet.pt").read_bytes() == WEIGHTS + b"u"
    assert missing(files(tmp_path)) == []
    assert len(files(tmp_path)) == 4 + 2 + 4


def test_without_llava_beside_the_differentials_its_delta_comes(tmp_path):
    pair = {"mgie_7b/mllm.pt": WEIGHTS, "mgie_7b/unet.pt": WEIGHTS}
    delta = {"config.json": b"{}", "pytorch_model.bin": WEIGHTS, "README.md": b"#"}
    with running({MGIE_HUB: pair, DELTA_HUB: delta, **OTHERS}) as hub:
        fetched(hub, tmp_path)
    assert {f"{DELTA}/config.json", f"{DELTA}/pytorch_model.bin"} <= files(tmp_path)
    assert missing(files(tmp_path)) == [
        "llama-7b/ is missing: LLaVA's delta is here, LLaMA-7B itself comes from Meta."
    ]


def test_what_is_there_is_not_fetched_again(hub, tmp_path):
    fetched(hub, tmp_path)
    hub.asked.clear()
    assert fetched(hub, tmp_path) == [f"All files are in {tmp_path}, checked."]
    assert hub.asked == []


def test_a_broken_connection_is_taken_up_where_it_broke(tmp_path):
    large = WEIGHTS * 12 * 2**10  # 12 MiB; the hub's client reads 10 MiB at a time
    with running(WHOLE | {SPACE: WHOLE[SPACE] | {MLLM: large}}) as hub:
        hub.breaks[MLLM] = 11 * 2**20
        fetched(hub, tmp_path)
    assert hub.ranges(MLLM) == [None, f"bytes={10 * 2**20}-"]
    assert (tmp_path / "mgie_7b" / "mllm.pt").read_bytes() == large


def test_a_killed_program_goes_on_where_it_stopped(hub, tmp_path):
    (tmp_path / "mgie_7b").mkdir()
    (tmp_path / "mgie_7b" / "mllm.pt.part").write_bytes(WEIGHTS[:700])
    fetched(hub, tmp_path)
    assert hub.ranges(MLLM) == ["bytes=700-"]
    assert (tmp_path / "mgie_7b" / "mllm.pt").read_bytes() == WEIGHTS


@pytest.mark.parametrize("path", [MLLM, f"_ckpt/{LLAVA}/config.json"])
def test_a_wrong_checksum_is_refused_and_the_file_thrown_away(hub, tmp_path, path):
    hub.lies.add(path)
    with pytest.raises(ModelError, match="came with a wrong checksum"):
        fetched(hub, tmp_path)
    assert not [name for name in files(tmp_path) if path.endswith(name.removesuffix(".part"))]


def test_revisions_are_pinned_where_they_are_known(hub, tmp_path):
    fetched(hub, tmp_path)
    assert {name: hub.revisions[name] for name in REVISIONS} == REVISIONS
    assert hub.revisions[SPACE] == ""


def test_a_file_that_grows_beyond_its_declared_size_is_thrown_away_on_the_way(hub, tmp_path):
    hub.longer[MLLM] = 300 * 2**20
    with pytest.raises(ModelError, match="longer than the 1024 bytes it should have"):
        fetched(hub, tmp_path)
    assert not [file for file in files(tmp_path) if "mllm" in file]


def test_a_file_without_a_size_is_refused(hub):
    hub.sizes[MLLM] = 0
    with pytest.raises(ModelError, match=r"lists mgie_7b/mllm\.pt without a size"):
        list_files(HfApi(endpoint=hub.url), known={})


def test_sums_that_are_known_count_whatever_the_hub_says(hub, tmp_path):
    target = f"{CLIP}/model.safetensors"
    other = Checksums(len(WEIGHTS), "0" * 64)
    with pytest.raises(ModelError, match=f"{CLIP_HUB} has another {target} than the published one"):
        fetch_all(tmp_path, HfApi(endpoint=hub.url), print, known={target: other})
    assert hub.asked == []


@pytest.mark.parametrize("name", ["a\nERROR b.bin", "a\x1b[31m.bin", "a\u202eb.bin"])
def test_a_name_with_control_characters_is_refused_and_not_printed(tmp_path, name):
    hostile = WHOLE[SPACE] | {f"_ckpt/{LLAVA}/{name}": WEIGHTS}
    with running(WHOLE | {SPACE: hostile}) as hub, pytest.raises(ModelError, match="control") as caught:
        fetched(hub, tmp_path)
    assert str(caught.value).isprintable()


def test_errors_are_one_line_without_control_characters():
    assert str(ModelError("The tensor a\nb\x1b[31m\u202e is missing.")) == (
        r"The tensor a b\x1b[31m\u202e is missing."
    )


def test_a_hub_without_the_model_is_named(tmp_path):
    with running(OTHERS) as hub, pytest.raises(ModelError, match=f"{MGIE_HUB} is not on the hub"):
        fetched(hub, tmp_path)


def test_a_hub_that_cannot_be_reached_is_an_error_with_its_reason():
    with pytest.raises(ModelError, match=f"{MGIE_HUB} could not be listed: .*refused"):
        list_files(HfApi(endpoint="http://127.0.0.1:9"))


def test_a_file_that_stops_coming_is_named_with_what_to_do(hub, tmp_path):
    wanted = list_files(HfApi(endpoint=hub.url), known={})[0]
    hub.repositories = {SPACE: {}}
    with pytest.raises(ModelError, match=r"(?s)mllm\.pt stopped coming .*; the same command goes on"):
        fetch(tmp_path, wanted, HfApi(endpoint=hub.url))


def test_a_full_disk_is_noticed_before_anything_comes(hub, tmp_path):
    hub.sizes[MLLM] = 10**18
    with pytest.raises(ModelError, match=r"needs 1000000000\.0 GB more on its disk"):
        fetched(hub, tmp_path)
    assert hub.asked == []


def test_a_folder_of_this_machine_does_as_well(hub, tmp_path):
    fetched(hub, tmp_path / "one")
    said = []
    copy_all(tmp_path / "one", tmp_path / "other", said.append)
    assert files(tmp_path / "one") == files(tmp_path / "other")
    copy_all(tmp_path / "one", tmp_path / "other", said.append)
    assert said[1].startswith("0 files were copied")


def test_a_copy_of_a_spoilt_file_is_refused(hub, tmp_path):
    fetched(hub, tmp_path / "one")
    spoilt = tmp_path / "one" / "mgie_7b" / "mllm.pt"
    spoilt.write_bytes(b"?" + spoilt.read_bytes()[1:])
    with pytest.raises(ModelError, match=r"mllm\.pt does not have the checksum"):
        copy_all(tmp_path / "one", tmp_path / "other", print)


def test_a_folder_without_the_release_is_refused(tmp_path):
    with pytest.raises(ModelError, match="holds none of the folders mgie_7b"):
        copy_all(tmp_path, tmp_path / "other", print)


def download(hub, home, *more):
    """`mgie download` as people run it."""
    environment = os.environ | {"HF_ENDPOINT": hub.url, "MGIE_HOME": str(home)}
    command = [sys.executable, "-m", "mgie_engine.cli", "download", "mgie-7b", *more]
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def test_the_terms_are_shown_and_accepted_once(hub, tmp_path):
    refused = download(hub, tmp_path)
    assert (refused.returncode, hub.asked) == (1, [])
    assert "CC BY-NC 4.0" in refused.stdout
    assert refused.stderr == "mgie: Accept the terms above with --accept-license.\n"
    accepted = download(hub, tmp_path, "--accept-license")
    assert "has another clip-vit-large-patch14/model.safetensors than the published one" in accepted.stderr
    assert json.loads((tmp_path / "accepted-licences.json").read_text()) == ["mgie-7b"]
    again = download(hub, tmp_path)
    assert "CC BY-NC" not in again.stdout
