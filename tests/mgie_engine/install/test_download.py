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
from mgie_engine.install.download import fetch, fetch_files, list_files
from mgie_engine.install.ledger import Checksums, Ledger
from tests.support.weights_hub import COMMIT, running

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


def nothing(place, file):
    """Check nothing."""


def fetched(hub, folder, check=nothing, known=None, differentials=True):
    said, api, known = [], HfApi(endpoint=hub.url), known or {}
    listed = list_files(api, Ledger.read(folder), known, differentials=differentials)
    fetch_files(listed, folder, api, said.append, check, known)
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
    (lacks,) = missing(files(tmp_path))
    assert lacks.startswith("llama-7b/ is missing: LLaVA's delta is here, LLaMA-7B itself comes from Meta.")


def test_without_the_need_of_differentials_only_llava_comes_from_their_repository(hub, tmp_path):
    fetched(hub, tmp_path, differentials=False)
    assert not (tmp_path / "mgie_7b").exists()
    assert (tmp_path / LLAVA / "config.json").is_file()
    with running({DELTA_HUB: {"config.json": b"{}", "pytorch_model.bin": WEIGHTS}, **OTHERS}) as other:
        fetched(other, tmp_path / "other", differentials=False)
    assert (tmp_path / "other" / DELTA / "pytorch_model.bin").is_file()


def test_what_is_no_weights_is_left_where_it_is(tmp_path):
    delta = {
        "config.json": b"{}",
        "pytorch_model-00001-of-00002.bin": WEIGHTS,
        "pytorch_model-00002-of-00002.bin": WEIGHTS,
        "training_args.bin": WEIGHTS,
        "trainer_state.bin": WEIGHTS,
    }
    with running({MGIE_HUB: {"mgie_7b/mllm.pt": WEIGHTS}, DELTA_HUB: delta, **OTHERS}) as hub:
        fetched(hub, tmp_path)
    assert len([file for file in files(tmp_path) if file.startswith(DELTA)]) == 3


def test_what_is_there_is_not_fetched_again(hub, tmp_path):
    fetched(hub, tmp_path)
    hub.asked.clear()
    assert fetched(hub, tmp_path) == []
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


def test_a_repository_without_a_pinned_revision_stays_at_the_one_that_was_taken(hub, tmp_path):
    fetched(hub, tmp_path)
    (tmp_path / "mgie_7b" / "unet.pt").unlink()
    fetched(hub, tmp_path)
    assert hub.revisions[SPACE] == COMMIT
    assert Ledger.read(tmp_path).files["mgie_7b/unet.pt"].source == f"{MGIE_HUB}@{COMMIT}"


def test_a_file_that_does_not_pass_the_check_gets_no_place(hub, tmp_path):
    def check(place, file):
        if place.endswith("unet.pt"):
            raise ModelError(f"{place} holds another tensor.")

    with pytest.raises(ModelError, match="holds another tensor"):
        fetched(hub, tmp_path, check)
    assert files(tmp_path) == {"mgie_7b/mllm.pt"}


def test_a_file_that_grows_beyond_its_declared_size_is_thrown_away_on_the_way(hub, tmp_path):
    hub.longer[MLLM] = 300 * 2**20
    with pytest.raises(ModelError, match="longer than the 1024 bytes it should have"):
        fetched(hub, tmp_path)
    assert not [file for file in files(tmp_path) if "mllm" in file]


def test_a_file_without_a_size_is_refused(hub, tmp_path):
    hub.sizes[MLLM] = 0
    with pytest.raises(ModelError, match=r"lists mgie_7b/mllm\.pt without a size"):
        fetched(hub, tmp_path)


def test_sums_that_are_known_count_whatever_the_hub_says(hub, tmp_path):
    target = f"{CLIP}/model.safetensors"
    other = Checksums(len(WEIGHTS), "0" * 64)
    with pytest.raises(ModelError, match=f"{CLIP_HUB} has another {target} than the published one"):
        fetched(hub, tmp_path, known={target: other})
    assert hub.asked == []


@pytest.mark.parametrize("name", ["a\nERROR b.json", "a\x1b[31m.json", "a\u202eb.json"])
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


def test_a_hub_that_cannot_be_reached_is_an_error_with_its_reason(tmp_path):
    with pytest.raises(ModelError, match=f"{MGIE_HUB} could not be listed: .*refused"):
        list_files(HfApi(endpoint="http://127.0.0.1:9"), Ledger(tmp_path))


def test_a_file_that_stops_coming_is_named_with_what_to_do(hub, tmp_path):
    wanted = list_files(HfApi(endpoint=hub.url), Ledger(tmp_path), {})[0]
    hub.repositories = {SPACE: {}}
    with pytest.raises(ModelError, match=r"(?s)mllm\.pt stopped coming .*; the same command goes on"):
        fetch(tmp_path, wanted, HfApi(endpoint=hub.url))


def test_a_full_disk_is_noticed_before_anything_comes(hub, tmp_path):
    hub.sizes[MLLM] = 10**18
    with pytest.raises(ModelError, match=r"needs 1000000000\.0 GB more on its disk"):
        fetched(hub, tmp_path)
    assert hub.asked == []
