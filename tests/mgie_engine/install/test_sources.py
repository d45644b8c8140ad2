import json
import os
import subprocess

import pytest
import torch
from huggingface_hub import HfApi

from mgie_engine.checkpoints.layout import LLAVA, MGIE_HUB
from mgie_engine.checkpoints.native import load_model, named_tensors
from mgie_engine.config import ModelLocation
from mgie_engine.errors import ModelError
from mgie_engine.install.copying import copy_all
from mgie_engine.install.differentials import Differentials
from mgie_engine.install.ledger import Ledger
from mgie_engine.install.sources import fetch_all, still_missing
from tests.support import weights_hub
from tests.support.file_server import serving
from tests.support.preloaded import mgie_command
from tests.support.tiny_model import config, model
from tests.support.toy_release import hub_of, pack, write_toy_release

EXPECTED = Differentials.of(config())
SPACE = f"spaces/{MGIE_HUB}"


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    write_toy_release(folder, model())
    return folder


@pytest.fixture
def apple(release, tmp_path):
    with serving(pack(release, tmp_path / "mgie_7b.tar.gz")) as server:
        yield server


@pytest.fixture
def hub(release):
    with weights_hub.running(hub_of(release)) as hub:
        yield hub


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def fetched(apple, hub, home, archive=True):
    said = []
    address = apple.url if archive else None
    api = HfApi(endpoint=hub.url)
    fetch_all(home, api, said.append, EXPECTED.check, EXPECTED.most, address, known={})
    return said


def copied(source, home):
    said = []
    copy_all(source, home, said.append, EXPECTED.check, EXPECTED.most)
    return said


def files(folder):
    found = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    return found - {"files.json"}


def of_the_pair(home):
    return {file for file in files(home) if file.startswith("mgie_7b")}


def test_apples_archive_the_hub_and_metas_file_together_are_the_model(apple, hub, release, home):
    said = fetched(apple, hub, home)
    assert f"mllm.pt and unet.pt from {apple.url}" in said
    assert any("No checksum of that archive is published" in sentence for sentence in said)
    (lacks,) = still_missing(home)
    assert "llama-7b/ is missing" in lacks
    copied(release / "llama-7b", home)
    assert still_missing(home) == []
    found = dict(named_tensors(load_model(ModelLocation("mgie-7b", home, "released"))))
    for name, tensor in named_tensors(model()):
        torch.testing.assert_close(found[name], tensor, atol=2e-3, rtol=1e-3)


def test_the_archive_goes_once_it_is_unpacked_and_is_not_fetched_again(apple, hub, home):
    fetched(apple, hub, home)
    assert not [file for file in files(home) if "tar" in file or file.endswith((".part", ".part.json"))]
    assert Ledger.read(home).files["mgie_7b/unet.pt"].source == apple.url
    apple.asked.clear()
    hub.asked.clear()
    fetched(apple, hub, home)
    assert (apple.asked, hub.asked) == ([], [])


def test_an_archive_that_is_cut_off_comes_whole_in_the_end(apple, hub, home):
    apple.breaks = [1000, 2000]
    fetched(apple, hub, home)
    assert apple.asked == [None, "bytes=1000-", "bytes=3000-"]
    assert of_the_pair(home) == {"mgie_7b/mllm.pt", "mgie_7b/unet.pt"}


def test_a_program_that_was_killed_while_unpacking_unpacks_again(apple, hub, home, release):
    (home / "mgie_7b").mkdir(parents=True)
    (home / "mgie_7b" / "mllm.pt.part").write_bytes(b"half")
    pack(release, home / "mgie_7b.tar.gz")
    fetched(apple, hub, home)
    assert apple.asked == []
    assert of_the_pair(home) == {"mgie_7b/mllm.pt", "mgie_7b/unet.pt"}


def test_where_apple_does_not_serve_it_the_hub_does(apple, hub, home, release):
    pair = {f"mgie_7b/{name}": (release / "mgie_7b" / name).read_bytes() for name in ("mllm.pt", "unet.pt")}
    hub.repositories[SPACE] = {f"_ckpt/{place}": data for place, data in pair.items()}
    apple.status = 404
    said = fetched(apple, hub, home)
    assert "answered 404 and not with the file. The hub's tsujuifu/ml-mgie is tried instead." in said[1]
    assert (home / "mgie_7b" / "mllm.pt").read_bytes() == pair["mgie_7b/mllm.pt"]


def test_where_neither_has_it_that_is_the_end(apple, hub, home):
    apple.status = 404
    with pytest.raises(ModelError, match=f"{MGIE_HUB} is not on the hub"):
        fetched(apple, hub, home)


def test_the_hub_alone_is_asked_if_it_is_named(apple, hub, home, release):
    hub.repositories[SPACE] = {
        f"_ckpt/mgie_7b/{name}": (release / "mgie_7b" / name).read_bytes() for name in ("mllm.pt", "unet.pt")
    }
    fetched(apple, hub, home, archive=False)
    assert apple.asked == []
    assert of_the_pair(home) == {"mgie_7b/mllm.pt", "mgie_7b/unet.pt"}


def edited(folder, name, **changes):
    """The bytes of one of the pair with other tensors; None leaves one out."""
    file = folder / "edited.pt"
    tensors = torch.load(folder / "mgie_7b" / name, weights_only=True) | changes
    torch.save({key: tensor for key, tensor in tensors.items() if tensor is not None}, file)
    data = file.read_bytes()
    file.unlink()
    return data


WRONG = {
    "a name is missing": ("mllm.pt", {"edit_head.query": None}, r"edit_head\.query of shape .* is missing"),
    "a shape is another": (
        "unet.pt",
        {"conv_in.bias": torch.ones(3).half()},
        r"unet|conv_in\.bias has shape",
    ),
    "a type is another": ("unet.pt", {"conv_in.bias": torch.ones(16).int()}, r"conv_in\.bias holds int32"),
    "a name is too many": ("unet.pt", {"more": torch.ones(1)}, "holds the tensor more, which is not in"),
    "emb is misshapen": ("mllm.pt", {"emb": torch.ones(3, 5)}, "tensor emb has shape"),
    "it is too long": (
        "mllm.pt",
        {"emb": torch.ones(2**21)},
        "has .* bytes, not the .* of its tensors|at most",
    ),
    "it is too short": ("mllm.pt", {"lm_head.weight": None}, "has .* bytes, not the .* of its tensors"),
}


@pytest.mark.parametrize(("name", "changes", "complaint"), WRONG.values(), ids=WRONG)
def test_a_pair_that_is_not_the_published_one_is_thrown_away(
    hub, release, home, tmp_path, name, changes, complaint
):
    data = edited(release, name, **changes)
    archive = pack(release, tmp_path / "a.tar.gz", lambda file, own: data if file == name else own)
    with serving(archive) as apple, pytest.raises(ModelError, match=complaint):
        fetched(apple, hub, home)
    assert f"mgie_7b/{name}" not in files(home)
    assert "mgie_7b.tar.gz" not in files(home)
    assert f"mgie_7b/{name}.part" not in files(home)


def test_a_hostile_archive_is_refused_and_thrown_away(hub, home, tmp_path):
    evil = tmp_path / "a.tar.gz"
    evil.write_bytes(b"\x1f\x8b" + bytes(1000))
    with serving(evil) as apple, pytest.raises(ModelError, match="is damaged or no archive"):
        fetched(apple, hub, home)
    assert files(home) == set()


def test_from_an_archive_of_this_machine(release, home, tmp_path):
    assert copied(pack(release, tmp_path / "apple.tgz"), home) == [
        f"mllm.pt and unet.pt were unpacked to {home / 'mgie_7b'}."
    ]
    assert (home / "mgie_7b" / "unet.pt").read_bytes() == (release / "mgie_7b" / "unet.pt").read_bytes()


def test_from_a_folder_with_the_parts_of_the_release(release, home):
    copied(release, home)
    assert still_missing(home) == []
    assert not [file for file in files(home) if "training_args" in file]
    assert copied(release, home)[0].startswith("0 files were copied")


@pytest.mark.parametrize("place", ["_ckpt", "."])
def test_from_the_folder_of_the_published_demo(release, home, tmp_path, place):
    demo = tmp_path / "ml-mgie"
    demo.mkdir()
    (demo / place).mkdir(exist_ok=True)
    (demo / place / "mgie_7b").symlink_to(release / "mgie_7b")
    copied(demo, home)
    assert of_the_pair(home) == {"mgie_7b/mllm.pt", "mgie_7b/unet.pt"}


def test_from_the_folder_of_the_pair_itself(release, home):
    copied(release / "mgie_7b", home)
    assert of_the_pair(home) == {"mgie_7b/mllm.pt", "mgie_7b/unet.pt"}


def test_from_metas_folder_or_the_one_above_it(release, home, tmp_path):
    (tmp_path / "LLaMA").mkdir()
    (tmp_path / "LLaMA" / "7B").symlink_to(release / "llama-7b")
    copied(tmp_path / "LLaMA", home)
    assert files(home) == {"llama-7b/consolidated.00.pth", "llama-7b/params.json"}


def test_of_weights_in_two_formats_the_one_that_is_read_is_copied(home, tmp_path):
    source = tmp_path / LLAVA
    source.mkdir()
    for name in ("config.json", "pytorch_model.bin", "model.safetensors"):
        (source / name).write_text("{}")
    copied(tmp_path, home)
    assert files(home) == {f"{LLAVA}/config.json", f"{LLAVA}/model.safetensors"}


def test_a_copy_of_a_spoilt_file_is_refused(release, home, tmp_path):
    copied(release, tmp_path / "one")
    spoilt = tmp_path / "one" / "mgie_7b" / "mllm.pt"
    spoilt.write_bytes(spoilt.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match=r"mgie_7b/mllm\.pt came with a wrong checksum from .*mllm\.pt"):
        copied(tmp_path / "one", home)


def test_a_folder_without_the_release_is_refused(home, tmp_path):
    with pytest.raises(ModelError, match="is no archive of Apple's and holds none of the folders mgie_7b"):
        copied(tmp_path, home)


def test_a_place_that_is_not_there_is_refused(home, tmp_path):
    with pytest.raises(ModelError, match="nowhere"):
        copied(tmp_path / "nowhere", home)


@pytest.fixture(scope="module")
def mgie(tmp_path_factory):
    with mgie_command(tmp_path_factory.mktemp("bin")) as command:
        yield command


def download(mgie, home, apple, hub, *more):
    """`mgie download` as people run it."""
    own = {"HF_ENDPOINT": hub.url, "MGIE_ARCHIVE": apple.url, "MGIE_HOME": str(home)}
    command = [mgie, "download", "mgie-7b", *more]
    return subprocess.run(
        command, env=os.environ | own, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def test_the_terms_are_shown_and_accepted_once(mgie, apple, hub, home):
    refused = download(mgie, home, apple, hub)
    assert (refused.returncode, hub.asked, apple.asked) == (1, [], [])
    assert "CC BY-NC 4.0" in refused.stdout
    assert refused.stderr == "mgie: Accept the terms above with --accept-license.\n"
    accepted = download(mgie, home, apple, hub, "--accept-license")
    assert accepted.stderr.startswith("mgie: mgie_7b/mllm.pt has ")  # a toy where the published one belongs
    assert "not the 588451328 of its tensors" in accepted.stderr
    assert json.loads((home / "accepted-licences.json").read_text()) == ["mgie-7b"]
    again = download(mgie, home, apple, hub)
    assert "CC BY-NC" not in again.stdout


def test_the_hub_is_named_on_the_command_line(mgie, apple, hub, home):
    refused = download(mgie, home, apple, hub, "--accept-license", "--from", "hub")
    assert f"{MGIE_HUB} is not on the hub" in refused.stderr
    assert apple.asked == []
