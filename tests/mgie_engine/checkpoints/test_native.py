import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from mgie_engine.checkpoints.native import load_model, save
from mgie_engine.config import ModelLocation
from mgie_engine.errors import ModelError
from mgie_engine.model.mgie import NoisyBatch
from mgie_engine.text.prompting import Prompt
from tests.support.tiny_model import config, model

PICTURE = Image.linear_gradient("L").convert("RGB").resize((32, 32))


def ours(folder):
    return ModelLocation("tiny", folder, "ours")


def answer(mgie):
    """Everything a model computes, as one list of tensors."""
    reading = mgie.read([PICTURE], [Prompt("make the ball red")])[0]
    latents = mgie.encode([PICTURE])
    scales = torch.tensor([7.5]), torch.tensor([1.5])
    noisy = latents, torch.tensor([2.0]), torch.tensor([500.0])
    seen = mgie.denoise(NoisyBatch(*noisy, reading.guidance[None], latents, *scales))
    return [reading.guidance, mgie.null_guidance, latents, seen.x0, seen.relevance]


def change(folder, name, tensor):
    """Replace a tensor in the file that holds it, or take it out."""
    for file in folder.glob("*.safetensors"):
        tensors = load_file(file)
        if name in tensors:
            tensors = {key: value.clone() for key, value in tensors.items() if key != name}
            save_file(tensors if tensor is None else tensors | {name: tensor}, file)


def test_a_saved_model_answers_to_the_bit_the_same(tmp_path):
    before = model()
    save(before, tmp_path)
    after = load_model(ours(tmp_path))
    assert after.config == config()
    for one, other in zip(answer(before), answer(after), strict=True):
        assert torch.equal(one, other)


def test_saving_twice_writes_the_same_bytes(tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        save(model(), folder, "int8")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_saving_again_leaves_no_old_shards(tmp_path):
    (tmp_path / "model-00099.safetensors").touch()
    files = save(model(), tmp_path)
    assert sorted(tmp_path.glob("*.safetensors")) == sorted(files)


def test_an_int8_model_answers_almost_the_same(tmp_path):
    before = model()
    save(before, tmp_path, {"": "int8", "vae.": "fp16"})
    kinds = {
        name: tensor.dtype
        for file in tmp_path.glob("*.safetensors")
        for name, tensor in load_file(file).items()
    }
    assert kinds["unet.conv_in.weight"] == torch.int8
    assert kinds["vae.encoder.conv_in.weight"] == torch.float16
    for one, other in zip(answer(before)[2:3], answer(load_model(ours(tmp_path)))[2:3], strict=True):
        torch.testing.assert_close(one, other, atol=0.05, rtol=0)


def test_a_model_keeps_embeddings_of_its_own(tmp_path):
    before = model()
    before.visual_embeddings = before.visual_embeddings + 1
    save(before, tmp_path)
    assert torch.equal(load_model(ours(tmp_path)).visual_embeddings, before.visual_embeddings)


def test_a_model_can_be_loaded_in_a_smaller_type(tmp_path):
    save(model(), tmp_path, "fp16")
    smaller = load_model(ours(tmp_path), dtype=torch.bfloat16)
    assert smaller.dtype == torch.bfloat16
    assert smaller.mllm.model.rotary_emb.inv_freq.dtype == torch.float32
    assert all(tensor.isfinite().all() for tensor in answer(smaller))


@pytest.mark.parametrize(
    ("tensor", "complaint"),
    [
        (None, r"unet\.conv_in\.weight of shape \[16, 8, 3, 3\] is missing"),
        (torch.ones(16, 4, 3, 3), r"unet\.conv_in\.weight has shape \[16, 4, 3, 3\].* needs \[16, 8, 3, 3\]"),
    ],
)
def test_a_tensor_that_is_missing_or_misshapen_is_named_with_its_shapes(tmp_path, tensor, complaint):
    save(model(), tmp_path)
    change(tmp_path, "unet.conv_in.weight", tensor)
    with pytest.raises(ModelError, match=complaint):
        load_model(ours(tmp_path))


def test_a_tensor_without_a_place_is_named(tmp_path):
    save(model(), tmp_path)
    save_file({"unet.more": torch.ones(1)}, tmp_path / "model-00002.safetensors")
    with pytest.raises(ModelError, match=r"unet\.more has no place"):
        load_model(ours(tmp_path))


def test_embeddings_that_do_not_fit_are_named(tmp_path):
    save(model(), tmp_path)
    save_file({"emb": torch.ones(4, 32)}, tmp_path / "model-00002.safetensors")
    with pytest.raises(ModelError, match=r"emb has shape \[4, 32\]"):
        load_model(ours(tmp_path))


def test_a_damaged_file_is_named(tmp_path):
    file = save(model(), tmp_path)[0]
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"model-00001\.safetensors is damaged"):
        load_model(ours(tmp_path))


def test_a_tokenizer_of_another_size_is_refused(tmp_path):
    save(model(), tmp_path)
    (tmp_path / "added_tokens.json").write_text('{"<im_patch>": 900}')
    with pytest.raises(ModelError, match="but the embedding table has"):
        load_model(ours(tmp_path))


def test_a_folder_without_configuration_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        load_model(ours(tmp_path))
