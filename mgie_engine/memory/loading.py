"""A model loaded in the memory mode that fits its device."""

import gc
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil
import torch
from PIL import Image
from torch import Tensor, nn

from mgie_engine.checkpoints import native
from mgie_engine.checkpoints.failures import is_out_of_memory
from mgie_engine.checkpoints.native import Networks
from mgie_engine.checkpoints.tensors import StoredModel
from mgie_engine.config import ModelConfig, ModelLocation
from mgie_engine.errors import ModelError, NoRoom
from mgie_engine.memory import modes
from mgie_engine.memory.fuse_upsample import fold_upsampling
from mgie_engine.memory.modes import QUANTISED, STAGED, Mode, Parameters
from mgie_engine.memory.offload import offload, take_turns
from mgie_engine.memory.quantise import QUANTISERS, Quantiser, replace_linear
from mgie_engine.model.mgie import MGIE, NoisyBatch
from mgie_engine.text.prompting import Prompt

Keeper = Callable[[StoredModel, torch.device, Mode], MGIE]
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model and how it is kept."""

    mgie: MGIE
    mode: Mode
    notes: tuple[str, ...] = ()  # a sentence for each mode that did not fit


def keep(
    source: StoredModel,
    device: torch.device,
    mode: Mode,
    quantisers: Mapping[modes.Linears, Quantiser] = QUANTISERS,
) -> MGIE:
    """The model in one mode."""
    dtype = DTYPES[modes.precision(mode, device.type)]
    home = torch.device("cpu") if mode in STAGED else device
    networks = native.empty(source.config)
    native.fill(
        networks,
        source.tensors,
        home,
        dtype,
        strict=source.exact,
        put_linear=_quantising(quantisers[QUANTISED[mode]], device, home) if mode in QUANTISED else None,
    )
    if mode is Mode.MIXED:
        _paint_in_bf16(networks)
    elif mode is Mode.FP32 and device.type == "cpu":
        fold_upsampling(networks.unet)
        fold_upsampling(networks.vae)
    mgie = _assembled(source, networks, device)
    if mode is Mode.SWAP:
        take_turns(mgie, device)
    elif mode is Mode.OFFLOAD:
        offload(mgie, device)
    return mgie


def load_fitting(
    location: ModelLocation,
    device: torch.device,
    requested: Mode | None = None,
    keep: Keeper = keep,
    quick_bf16: bool = False,
) -> Loaded:
    """The model in the requested mode, else in the best that fits what is free now (see `modes.choose`).

    Where memory runs out all the same, one mode down, and a note (logged, too) says so.
    ModelError if no mode fits.
    """
    source = native.read_model(location)
    parameters = count(native.empty(source.config), source.config)
    mode: Mode | None = requested or modes.choose(parameters, device.type, free_bytes(device), quick_bf16)
    notes: list[str] = []
    while mode:
        if mgie := _tried(keep, source, device, mode):
            return Loaded(mgie, mode, tuple(notes))
        give_back()
        lower = modes.next_lower(mode, parameters, device.type)
        on = f"going on in {lower}" if lower else "there is no lower one"
        notes.append(f"Memory ran out in the mode {mode}; {on}.")
        log.warning(notes[-1])
        mode = lower
    raise NoRoom(f"The model does not fit on {device}. {' '.join(notes)}")


def _tried(keep: Keeper, source: StoredModel, device: torch.device, mode: Mode) -> MGIE | None:
    """The model in one mode; None if memory ran out."""
    try:
        mgie = keep(source, device, mode)
        try_out(mgie)
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            return None
        raise
    return mgie


def count(networks: Networks, config: ModelConfig) -> Parameters:
    """How many numbers each part of networks, empty or not, has."""
    sizes = {part: [p.numel() for p in network.parameters()] for part, network in networks.parts().items()}
    linears = sum(
        tensor.numel() for name, tensor in networks.mllm.named_parameters() if native.is_llama_linear(name)
    )
    return Parameters(
        linears=linears,
        language=sum(sizes["mllm"]) - linears + sum(sizes["edit_head"]),
        largest=max(sizes["mllm"]),
        unet=sum(sizes["unet"]),
        vae=sum(sizes["vae"]),
        picture_size=config.picture_size,
    )


def has_quick_bf16() -> bool:
    """Whether this CPU multiplies bf16 faster than fp32: AVX-512 BF16 or AMX."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def free_bytes(device: torch.device) -> int:
    """Memory that a model may take on a device now."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


@torch.inference_mode()
def try_out(mgie: MGIE) -> None:
    """On a GPU, make one step of an edit of full size, so that memory that does not suffice shows now."""
    if mgie.device.type == "cpu":
        return
    side = mgie.config.picture_size
    picture = Image.new("RGB", (side, side), "grey")
    (reading,) = mgie.read([picture], [Prompt("make it brighter", reading="It is brighter.")])
    latents = mgie.encode([picture])
    level, scales = torch.tensor([1.0]), (torch.tensor([7.5]), torch.tensor([1.5]))
    guidance, time = reading.guidance[None], torch.tensor([500.0])
    seen = mgie.denoise(NoisyBatch(latents, level, time, guidance, latents, *scales))
    mgie.decode(torch.cat([seen.x0, latents]))


def _assembled(source: StoredModel, networks: Networks, device: torch.device) -> MGIE:
    own = native.own_embeddings(networks, source.tensors)
    rows = networks.mllm.visual_embeddings if own is None else own
    networks.edit_head.to(device)
    return native.assemble(source.config, source.tokenizer, networks, rows.to(device))


def _paint_in_bf16(networks: Networks) -> None:
    networks.unet.bfloat16()
    networks.vae.bfloat16()
    networks.unet.set_attention_slice(1)  # one head at a time stays in the cache; a seventh off a step


def _quantising(quantise: Quantiser, device: torch.device, home: torch.device) -> native.PutLinear:
    """Quantise on the device, keep at home."""

    def put(network: nn.Module, name: str, weight: Tensor) -> None:
        replace_linear(network, name, weight, lambda found: quantise(found.to(device)).to(home))

    return put


def give_back() -> None:
    """Give memory that no tensor holds any more back to the device."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()


def find_device(wanted: str) -> str:
    """The device as torch names it, "auto" for a GPU if there is one; ModelError if it is not here."""
    count = torch.cuda.device_count()
    if wanted == "auto":
        return "cuda" if count else "cpu"
    if wanted not in ("cpu", *(["cuda"] if count else ()), *(f"cuda:{n}" for n in range(count))):
        there = f"cuda:0 to cuda:{count - 1}" if count else "no CUDA device"
        raise ModelError(f"The device {wanted!r} is not here: there is cpu, and {there}.")
    return wanted


def find_devices(wanted: str) -> list[str]:
    """The devices that get an engine process each: every GPU for "auto"; ModelError as `find_device`."""
    count = torch.cuda.device_count()
    return [f"cuda:{n}" for n in range(count)] if wanted == "auto" and count > 1 else [find_device(wanted)]
