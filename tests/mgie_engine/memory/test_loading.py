"""Every mode that a CPU can run, on a tiny model."""

import pytest
import torch
from PIL import Image

from mgie_engine.checkpoints import native
from mgie_engine.config import resolve_model
from mgie_engine.errors import ModelError
from mgie_engine.memory.loading import count, keep, load_fitting
from mgie_engine.memory.modes import Mode
from mgie_engine.memory.quantise import Int8Linear
from mgie_engine.model.mgie import NoisyBatch
from tests.mgie_engine.memory.test_quantise import needs_bitsandbytes
from tests.support.guidance_likeness import LEAST_COSINE, guidance, likeness
from tests.support.tiny_model import model

CPU = torch.device("cpu")
PICTURE = Image.linear_gradient("L").convert("RGB").resize((32, 32))
FOUR_BITS = [pytest.param(mode, marks=needs_bitsandbytes) for mode in (Mode.NF4, Mode.SWAP)]
EXACT = (Mode.FP32, Mode.MIXED, Mode.FP16, Mode.BF16, Mode.INT8, Mode.OFFLOAD)


@pytest.fixture(scope="module")
def location(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    native.save(model(), folder)
    return resolve_model(str(folder))


@pytest.fixture(scope="module")
def source(location):
    return native.read_model(location)


@pytest.fixture(scope="module")
def reference(source):
    return guidance(keep(source, CPU, Mode.FP32), PICTURE)


def seen(mgie):
    """One denoising step and one picture."""
    latents = mgie.encode([PICTURE])
    told = torch.zeros(1, 7, 24)
    scales = torch.tensor([7.5]), torch.tensor([1.5])
    noisy = latents, torch.tensor([2.0]), torch.tensor([500.0])
    x0 = mgie.denoise(NoisyBatch(*noisy, told, latents, *scales)).x0
    return x0, mgie.decode(torch.cat([x0, latents]))


@pytest.mark.parametrize("mode", [*EXACT, *FOUR_BITS])
def test_a_mode_says_the_same_as_full_precision(source, reference, mode):
    said = guidance(keep(source, CPU, mode), PICTURE)
    assert said.shape == reference.shape
    assert likeness(said, reference) > (LEAST_COSINE if mode in (Mode.NF4, Mode.SWAP) else 0.999)


def test_offloaded_networks_paint_the_same_as_resident_ones(source):
    resident, offloaded = seen(keep(source, CPU, Mode.BF16)), seen(keep(source, CPU, Mode.OFFLOAD))
    torch.testing.assert_close(offloaded[0], resident[0], atol=0.05, rtol=0)
    assert [picture.size for picture in offloaded[1]] == [(32, 32)] * 2


@needs_bitsandbytes
def test_swapped_networks_paint_the_same_as_resident_ones(source):
    torch.testing.assert_close(
        seen(keep(source, CPU, Mode.SWAP))[0], seen(keep(source, CPU, Mode.NF4))[0], atol=0.05, rtol=0
    )


def test_only_the_linears_of_llama_are_quantised(source):
    mgie = keep(source, CPU, Mode.INT8)
    assert sum(isinstance(module, Int8Linear) for module in mgie.mllm.modules()) == 2 * 7
    assert mgie.mllm.lm_head.weight.dtype == mgie.edit_head.llm2hid.weight.dtype == torch.bfloat16
    assert not any(isinstance(m, Int8Linear) for part in (mgie.unet, mgie.vae) for m in part.modules())


def test_unless_wished_otherwise_a_small_model_is_exact(location):
    loaded = load_fitting(location, CPU)
    assert (loaded.mode, loaded.notes, loaded.mgie.dtype) == (Mode.FP32, (), torch.float32)
    assert load_fitting(location, CPU, Mode.BF16).mgie.dtype == torch.bfloat16


def test_on_a_cpu_quick_with_bf16_a_model_reads_exactly_and_paints_nearly_so(location, source):
    loaded = load_fitting(location, CPU, quick_bf16=True)
    assert (loaded.mode, loaded.mgie.dtype) == (Mode.MIXED, torch.float32)
    assert loaded.mgie.unet.dtype == loaded.mgie.vae.dtype == torch.bfloat16
    exact = keep(source, CPU, Mode.FP32)
    torch.testing.assert_close(guidance(loaded.mgie, PICTURE), guidance(exact, PICTURE), atol=0, rtol=0)
    assert likeness(seen(loaded.mgie)[0], seen(exact)[0]) > 0.99


def narrow(*modes):
    """A machine on which these modes run out of memory."""

    def try_to_keep(source, device, mode):
        if mode in modes:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return keep(source, device, mode)

    return try_to_keep


def test_out_of_memory_is_one_mode_down_and_said(location, caplog):
    loaded = load_fitting(location, CPU, keep=narrow(Mode.FP32, Mode.BF16))
    assert loaded.mode is Mode.INT8
    assert loaded.notes[0] == "Memory ran out in the mode fp32; going on in bf16."
    assert caplog.messages == list(loaded.notes)


def test_when_no_mode_is_left_it_is_an_error(location):
    with pytest.raises(ModelError, match=r"does not fit on cpu\. .*; there is no lower one\."):
        load_fitting(location, CPU, Mode.INT8, keep=narrow(*Mode))


def test_another_failure_is_not_taken_for_lack_of_memory(location):
    def fail(source, device, mode):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        load_fitting(location, CPU, keep=fail)


def test_counting_leaves_nothing_out(source):
    networks = native.empty(source.config)
    found = count(networks, source.config)
    everything = sum(p.numel() for part in networks.parts().values() for p in part.parameters())
    assert found.linears + found.language + found.unet + found.vae == everything
