"""What a full-size training starts from."""

import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from mgie_engine.checkpoints import native
from mgie_engine.checkpoints.layout import PIX2PIX
from mgie_engine.checkpoints.native import save
from mgie_engine.checkpoints.tensors import read_tensors
from mgie_engine.errors import ModelError
from mgie_engine.lab.training import initial_weights
from tests.support.published import write_pix2pix, write_release
from tests.support.tiny_model import config, model, tokenizer

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """LLaVA, CLIP and InstructPix2Pix, whose U-Net takes four channels as Stable Diffusion's does."""
    folder, mgie = tmp_path_factory.mktemp("parts"), model()
    write_release(folder, mgie)
    shutil.rmtree(folder / "mgie_7b")
    tensors = {name: tensor.half().contiguous() for name, tensor in native.named_tensors(mgie)}
    narrow = {n.removeprefix("unet."): t for n, t in tensors.items() if n.startswith("unet.")}
    narrow["conv_in.weight"] = narrow["conv_in.weight"][:, :4].clone()
    torch.save(narrow, folder / PIX2PIX / "unet" / "diffusion_pytorch_model.bin")
    return folder


def read(place, diffusion, **how):
    return initial_weights.read_source(str(place), Path(), diffusion, **how)


def test_the_parts_get_rows_for_the_visual_tokens(parts):
    source = read(parts, "clean")
    table = source.tensors["model.embed_tokens.weight"]
    assert len(table) == len(tokenizer())
    assert table[-8:].std().item() == pytest.approx(0.02, rel=0.2)
    kept = model().mllm.model.embed_tokens.weight[:-8].half().float()
    assert torch.equal(table[:-8], kept)


def test_four_more_channels_begin_as_zeros(parts):
    weight = read(parts, "clean").tensors["unet.conv_in.weight"]
    assert torch.equal(weight[:, :4], model().unet.conv_in.weight[:, :4].half().float())
    assert not weight[:, 4:].any()


def test_a_clean_start_keeps_what_was_published(parts):
    networks = initial_weights.load(read(parts, "clean"), CPU, torch.float32).networks
    wanted = model()
    for name, module in networks.vae.named_modules():
        if isinstance(module, nn.Linear):
            assert torch.equal(module.weight, wanted.vae.get_submodule(name).weight.half().float()), name
    bias = networks.unet.conv_in.bias
    assert torch.equal(bias, wanted.unet.conv_in.bias.half().float())


def test_the_release_started_with_linear_layers_drawn_anew(parts):
    networks = initial_weights.load(read(parts, "release"), CPU, torch.float32).networks
    weights = []
    for part in ("unet", "vae", "edit_head"):
        for module in networks.parts()[part].modules():
            if type(module) is nn.Linear:
                weights.append(module.weight.flatten())
                assert module.bias is None or not module.bias.any()
    assert torch.cat(weights).std().item() == pytest.approx(0.02, rel=0.02)
    kept = model().unet.conv_out.weight.half().float()
    assert torch.equal(networks.unet.conv_out.weight, kept)


def test_the_same_seed_starts_the_same(parts):
    one, two, other = (read(parts, "release", seed=seed).tensors for seed in (0, 0, 1))
    for name in ("edit_head.query", "unet.conv_in.bias", "lm_head.weight"):
        assert torch.equal(one[name], two[name])
        assert not torch.equal(one[name], other[name])


def test_another_diffusion_folder_takes_instruct_pix2pix_s_place(parts, tmp_path):
    tensors = {name: torch.zeros(t.shape) for name, t in native.named_tensors(model())}
    write_pix2pix(tmp_path, config(), tensors)
    unet = {n.removeprefix("unet."): t for n, t in tensors.items() if n.startswith("unet.")}
    torch.save(unet, tmp_path / "unet" / "diffusion_pytorch_model.bin")
    assert not read(parts, "clean", folder=tmp_path).tensors["unet.conv_out.weight"].any()


def test_a_model_is_taken_as_it_is(tmp_path):
    save(model(), tmp_path)
    source, stored = read(tmp_path, "release"), read_tensors(sorted(tmp_path.glob("*.safetensors")))
    assert all(torch.equal(source.tensors[name], stored[name]) for name in stored)


def test_what_is_frozen_may_be_half_as_large(tmp_path):
    save(model(), tmp_path)
    networks = initial_weights.load(read(tmp_path, "clean"), CPU, torch.bfloat16).networks
    kinds = {p.requires_grad: p.dtype for p in networks.mllm.parameters()}
    assert kinds == {True: torch.float32, False: torch.bfloat16}
    assert {p.dtype for p in networks.vae.parameters()} == {torch.float32}
    assert all(p.requires_grad for p in networks.unet.parameters())


def test_random_weights_are_those_of_the_seed():
    one, two = (initial_weights.random_weights(config(), tokenizer(), CPU, seed=3).tensors for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_nothing_to_start_from_is_said(tmp_path):
    with pytest.raises(ModelError, match="No model"):
        read(tmp_path, "clean")
