"""A decoder that overflows: once more in fp32, else an error, and never a black picture."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from mgie_engine.edits import EditResult
from mgie_engine.errors import NotFinite
from mgie_engine.memory.graph_memory import SLOT_PLANS, SlotPlan
from mgie_engine.model.cuda_graphs import Graphs
from mgie_engine.model.finite import decode_finite
from mgie_engine.model.fused_vae import PictureCoder
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.engine import Engine, edit_with
from mgie_engine.serving.fast_path import FastPath
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.pictures import open_picture
from tests.mgie_engine.serving.test_company import REQUESTS
from tests.support.tiny_serving import a_tiny_mgie

SLOTS = SlotPlan(slots=2, batches=(1,), rows=2, length=448)
PATHS = {
    "plain": lambda mgie: mgie,
    "fused": lambda mgie: PictureCoder(mgie.vae, mgie.config, Graphs(mgie.device)),
}


def latents_for(mgie: MGIE) -> torch.Tensor:
    side = mgie.config.picture_size // 2 ** (len(mgie.config.vae["block_out_channels"]) - 1)
    return torch.randn(1, mgie.config.latent_channels, side, side, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def with_loud_decoder(mgie: MGIE | None = None) -> MGIE:
    """Activations beyond 65504, the largest number of fp16, which the last norm takes back."""
    mgie = mgie or a_tiny_mgie()
    for convolution in (mgie.vae.post_quant_conv, mgie.vae.decoder.conv_in):
        convolution.weight *= 3e3
    return mgie


def halved(mgie: MGIE) -> MGIE:
    mgie.vae.half()
    return mgie


@torch.no_grad()
def broken(mgie: MGIE) -> MGIE:
    mgie.vae.decoder.conv_out.bias[0] = torch.nan
    return mgie


@pytest.mark.parametrize("path", PATHS)
def test_what_overflows_in_fp16_is_decoded_in_fp32(path):
    expected = np.asarray(with_loud_decoder().decode(latents_for(a_tiny_mgie()))[0], int)
    mgie = halved(with_loud_decoder())
    assert not torch.isfinite(mgie.vae.decode(latents_for(mgie).half() / 0.18).sample).all()
    found = np.asarray(PATHS[path](mgie).decode(latents_for(mgie))[0], int)
    assert abs(found - expected).max() <= 2  # weights rounded to fp16
    assert mgie.vae.dtype is torch.float16


@pytest.mark.parametrize("path", PATHS)
def test_what_is_not_finite_in_fp32_is_an_error_and_no_black_picture(path):
    with pytest.raises(NotFinite, match="not finite"):
        PATHS[path](broken(a_tiny_mgie())).decode(latents_for(a_tiny_mgie()))


def test_only_the_picture_that_overflowed_is_decoded_again():
    mgie = halved(a_tiny_mgie())
    quiet = latents_for(mgie)
    both = torch.cat([quiet, quiet * 1e5])  # the second is infinite in fp16 before it is decoded
    found = decode_finite(mgie.vae, both)
    assert torch.equal(found[0], mgie.vae.decode(both.half()).sample[0].float())
    assert torch.isfinite(found).all()


def test_a_preview_of_infinities_is_an_error():
    x0 = latents_for(a_tiny_mgie())[0]
    x0[0, 0, 0] = torch.inf
    with pytest.raises(NotFinite):
        a_tiny_mgie().preview(x0)


@pytest.mark.parametrize("level", ["exact", "same"])
def test_an_edit_whose_picture_overflows_is_painted_all_the_same(level):
    result = edited(level, halved(with_loud_decoder()))
    assert np.asarray(open_picture(result.image)).any()


@pytest.mark.parametrize("level", ["exact", "same"])
def test_an_edit_without_a_picture_ends_with_an_error(level):
    with pytest.raises(NotFinite) as caught:
        edited(level, broken(a_tiny_mgie()))
    assert caught.value.message.code == "broke_up"
    again = pickle.loads(pickle.dumps(caught.value))  # it leaves the engine process by a pipe
    assert (str(again), again.message) == (str(caught.value), caught.value.message)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA graphs")
def test_what_overflows_in_a_graph_is_decoded_in_fp32():
    mgie = with_loud_decoder(ModelChoice(device="cuda", memory="fp16").load())
    side = mgie.config.picture_size
    latents = mgie.encode([Image.effect_mandelbrot((side, side), (-3, -2.5, 2, 2.5), 20).convert("RGB")])
    assert not torch.isfinite(mgie.vae.decode(latents.half()).sample).all()
    graphs = Graphs(mgie.device)
    coder = PictureCoder(mgie.vae, mgie.config, graphs)
    coder.record()
    assert graphs.recorded == 2
    scaled = latents * mgie.config.latent_scale
    expected, found = (np.asarray(path.decode(scaled)[0], int) for path in (mgie, coder))
    assert abs(found - expected).max() <= 2
    assert expected.std() > 1
    shown = [
        np.asarray(open_picture(edited(level, mgie, SLOT_PLANS[-1]).image), float)
        for level in ("exact", "same")
    ]
    assert np.square(shown[0] - shown[1]).mean() < 255**2 / 10**4.5


def edited(level: str, mgie: MGIE, plan: SlotPlan = SLOTS) -> EditResult:
    fast = FastPath(mgie, plan) if level == "same" else None
    with Engine(mgie, fast=fast, level=level) as engine:
        return edit_with(engine, REQUESTS[0], lambda progress: None)
