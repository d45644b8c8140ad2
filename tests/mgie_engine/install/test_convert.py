import gc
import weakref
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mgie_engine.checkpoints import native
from mgie_engine.checkpoints.native import load_model, named_tensors, read_model
from mgie_engine.checkpoints.tensors import LazyTensors, StoredModel
from mgie_engine.config import resolve_model
from mgie_engine.errors import ModelError
from mgie_engine.install import convert as converting
from mgie_engine.install.convert import convert, find_differentials, onto
from mgie_engine.install.extract import extract
from tests.support.published import delta_rows, shortened, write_base_and_delta, write_release
from tests.support.tiny_model import config, model, tokenizer


@pytest.fixture(scope="module")
def mgie():
    return model()


@pytest.fixture
def release(mgie, tmp_path):
    """A folder in the released layout."""
    folder = tmp_path / "release"
    folder.mkdir()
    write_release(folder, mgie)
    return folder


def weights(folder):
    return dict(named_tensors(load_model(resolve_model(str(folder)))))


def file_behind(tensor):
    """The file whose memory map a tensor lies in."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        places, *_, name = line.split()
        start, end = (int(place, 16) for place in places.split("-"))
        if start <= tensor.data_ptr() < end:
            return name
    return None


def same(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_converted_release_is_the_same_model(release, tmp_path):
    convert(read_model(resolve_model(str(release))), tmp_path / "ours")
    location = resolve_model(str(tmp_path / "ours"))
    assert location.layout == "ours"
    assert same(weights(release), weights(tmp_path / "ours"))


def test_a_release_is_converted_in_place(release):
    before = weights(release)
    convert(read_model(resolve_model(str(release))), release)
    assert resolve_model(str(release)).layout == "ours"
    assert same(before, weights(release))


def test_llama_and_the_delta_are_added_on_the_way(release, mgie, tmp_path):
    whole = weights(release)
    llama = read_model(resolve_model(str(release))).tensors
    names = {name for name in whole if name.startswith(("model.", "lm_head."))}
    llava = shortened({name: llama[name] for name in names}, delta_rows(mgie.tokenizer))
    write_base_and_delta(release, mgie, llava)
    convert(read_model(resolve_model(str(release))), tmp_path / "ours")
    for name, tensor in weights(tmp_path / "ours").items():
        torch.testing.assert_close(tensor, whole[name], atol=1e-3, rtol=0)


def test_int8_is_for_the_linears_of_llama_alone(release, tmp_path):
    kinds = {}
    for shard in convert(read_model(resolve_model(str(release))), tmp_path / "ours", "int8"):
        kinds |= {name: tensor.dtype for name, tensor in load_file(shard).items()}
    eight = {name for name, kind in kinds.items() if kind == torch.int8}
    assert len(eight) == 2 * 7
    assert all(name.startswith("model.layers.") for name in eight)
    assert set(kinds.values()) == {torch.int8, torch.float16}


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="says nothing about its memory maps")
def test_a_converted_model_is_mapped_not_read(release):
    shards = convert(read_model(resolve_model(str(release))), release, "bf16")
    mapped = load_model(resolve_model(str(release)), dtype=torch.bfloat16).mllm.lm_head.weight
    assert file_behind(mapped) in {str(shard) for shard in shards}


def test_no_more_than_a_shard_and_a_tensor_are_in_memory(tmp_path):
    sizes = config()
    shapes = converting.shapes(StoredModel(sizes, tokenizer(), LazyTensors({}), exact=True))
    alive, most = [0], [0]

    def make(shape):
        tensor = torch.zeros(shape)
        alive[0] += tensor.nbytes
        most[0] = max(most[0], alive[0])
        weakref.finalize(tensor, lambda count: alive.__setitem__(0, alive[0] - count), tensor.nbytes)
        return tensor

    gc.collect()
    makers = {name: lambda shape=shape: make(shape) for name, shape in shapes.items()}
    source = StoredModel(sizes, tokenizer(), LazyTensors(makers), exact=True)
    limit = 100_000
    convert(source, tmp_path, "fp32", limit)
    largest = max(shape.numel() * 4 for shape in shapes.values())
    assert sum(shape.numel() * 4 for shape in shapes.values()) > 5 * limit
    assert most[0] <= 2 * limit + 2 * largest


def test_a_conversion_cut_short_is_never_loaded(release, tmp_path):
    source = read_model(resolve_model(str(release)))
    broken = LazyTensors({**source.tensors.makers, "vae.quant_conv.bias": lambda: torch.ones(1)})
    with pytest.raises(ModelError, match=r"vae\.quant_conv\.bias has shape \[1\], the model needs \[8\]"):
        convert(StoredModel(source.config, source.tokenizer, broken, exact=True), release)
    assert resolve_model(str(release)).layout == "released"
    convert(read_model(resolve_model(str(release))), release)
    assert not (release / ".partial").exists()


def test_extracted_files_go_back_onto_a_model(release, tmp_path):
    other = model()
    with torch.no_grad():
        other.unet.conv_in.weight += 1
    other.visual_embeddings = other.visual_embeddings + 1
    native.save(other, tmp_path / "other", "fp16")
    extract(read_model(resolve_model(str(tmp_path / "other"))).tensors, tmp_path / "pair" / "mgie_7b")
    base = read_model(resolve_model(str(release)))
    convert(onto(find_differentials(tmp_path / "pair"), base), tmp_path / "joined")
    assert same(weights(tmp_path / "other"), weights(tmp_path / "joined"))


def test_files_of_another_model_do_not_go_onto_it(release, tmp_path):
    pair = tmp_path / "pair"
    pair.mkdir()
    torch.save({"edit_head.strange": torch.ones(1)}, pair / "mllm.pt")
    torch.save({}, pair / "unet.pt")
    with pytest.raises(ModelError, match=r"edit_head\.strange of .* has no place"):
        onto(pair, read_model(resolve_model(str(release))))
    with pytest.raises(ModelError, match=r"holds no mllm\.pt"):
        find_differentials(tmp_path)
