"""The fused U-Net against diffusers' module, branches shared or not."""

import pytest
import torch

from mgie_engine.memory.fuse_upsample import fold_upsampling
from mgie_engine.model.fused_unet import FusedUNet, unsupported
from tests.support.tiny_model import model

EDITS = 2
TIMES = torch.tensor([100.0, 900.0])


@pytest.fixture(autouse=True)
def inference():
    with torch.inference_mode():
        yield


def inputs(rows):
    return torch.randn(rows, 8, 4, 4, generator=torch.Generator().manual_seed(rows))


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize(("branches", "seen"), [(1, 1), (2, 1), (3, 2), (3, 3)])
def test_predictions_are_those_of_the_module(branches, seen, folded):
    unet = model().unet
    if folded:
        fold_upsampling(unet)
    words = torch.randn(branches * EDITS, 7, 24, generator=torch.Generator().manual_seed(1))
    x = inputs(seen * EDITS)
    whole = x if seen == branches else torch.cat([x, x[-EDITS:]])
    expected = unet(whole, TIMES.repeat(branches), encoder_hidden_states=words).sample
    fused = FusedUNet(unet)
    found = fused(x, TIMES, fused.keys_values(words))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_other_networks_are_refused():
    unet = model().unet
    assert unsupported(unet) == ""
    unet.down_blocks[0].resnets[0].output_scale_factor = 2.0
    with pytest.raises(ValueError, match="cannot be fused"):
        FusedUNet(unet)
