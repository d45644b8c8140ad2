"""The memory modes: what each needs, which one fits, which comes next. Knows no torch.

Only LLaMA's linears are ever quantised; embedding tables, lm_head, edit head, CLIP, U-Net and VAE are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeVar

from mgie_engine.errors import ModelError, NoRoom

WordT = TypeVar("WordT", bound=StrEnum)
AUTO = "auto"
GIB = 2**30
_SMALL = 4 * GIB  # models up to this size in fp32 are not kept in less on a CPU
_ACTIVATIONS = 2 * GIB  # of one edit at 512 pixels
_ACTIVATIONS_ONE_BY_ONE = GIB  # the same with one branch of guidance at a time


class Mode(StrEnum):
    """How a model is kept."""

    FP32 = "fp32"
    MIXED = "mixed"  # as FP32, but U-Net and VAE in bf16
    FP16 = "fp16"
    BF16 = "bf16"
    INT8 = "int8"
    NF4 = "nf4"
    SWAP = "swap"  # as NF4, and only the network at work is on the device
    OFFLOAD = "offload"  # nothing quantised, LLaMA fetched layer by layer


Linears = Literal["int8", "nf4"]
Precision = Literal["fp32", "fp16", "bf16"]
QUANTISED: Mapping[Mode, Linears] = {Mode.INT8: "int8", Mode.NF4: "nf4", Mode.SWAP: "nf4"}
STAGED = frozenset({Mode.SWAP, Mode.OFFLOAD})  # one edit at a time: two would keep swapping each other out
LADDERS: Mapping[str, tuple[Mode, ...]] = {
    "cuda": (Mode.FP16, Mode.INT8, Mode.NF4, Mode.SWAP, Mode.OFFLOAD),
    "cpu": (Mode.FP32, Mode.BF16, Mode.INT8),
}
_BITS: Mapping[Linears, float] = {"int8": 8.01, "nf4": 4.5}  # per weight, scales included


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many numbers each part of a model has."""

    linears: int  # those of LLaMA's layers
    language: int  # all else of the language model, CLIP and the edit head
    largest: int  # of one tensor of the language model
    unet: int
    vae: int
    picture_size: int = 512  # pixels per side


def precision(mode: Mode, device: str) -> Precision:
    """What the language model computes in and keeps what is not quantised in; `device` is "cuda", "cpu"."""
    match mode:
        case Mode.FP32 | Mode.MIXED:
            return "fp32"
        case Mode.FP16:
            return "fp16"
        case Mode.BF16:
            return "bf16"
        case _:
            return "bf16" if device == "cpu" else "fp16"


def weight_bytes(parameters: Parameters, mode: Mode, device: str) -> int:
    """Bytes all weights take, wherever they wait."""
    whole = 4 if precision(mode, device) == "fp32" else 2
    linears = parameters.linears * (_BITS[QUANTISED[mode]] / 8 if mode in QUANTISED else whole)
    painter = 2 if mode is Mode.MIXED else whole
    return int(linears) + whole * parameters.language + painter * (parameters.unet + parameters.vae)


def needed(parameters: Parameters, mode: Mode, device: str) -> int:
    """Bytes free on the device for one edit at a time (an estimate)."""
    one_by_one = mode in STAGED
    picture = (parameters.picture_size / 512) ** 2
    activations = int(picture * (_ACTIVATIONS_ONE_BY_ONE if one_by_one else _ACTIVATIONS))
    diffusion = 2 * max(parameters.unet, parameters.vae)
    match mode:
        case Mode.SWAP:
            everything = weight_bytes(parameters, mode, device)
            language = everything - 2 * (parameters.unet + parameters.vae)
            return max(language, diffusion) + activations
        case Mode.OFFLOAD:
            return max(2 * parameters.largest, diffusion) + activations
        case _:
            return weight_bytes(parameters, mode, device) + activations


def choose(parameters: Parameters, device: str, free: int, quick_bf16: bool = False) -> Mode:
    """The best mode that fits into `free` bytes of a device; NoRoom if none does.

    quick_bf16: the device is a CPU that multiplies bf16 faster than fp32, which is MIXED's only merit.
    """
    for mode in ladder(parameters, device):
        if needed(parameters, mode, device) <= free:
            return Mode.MIXED if quick_bf16 and mode is Mode.FP32 else mode
    least = needed(parameters, ladder(parameters, device)[-1], device)
    raise NoRoom(
        f"The model needs at least {in_gb(least)} of free memory on {device}, and {in_gb(free)} is free."
    )


def ladder(parameters: Parameters, device: str) -> tuple[Mode, ...]:
    """The modes tried on a device, the best first."""
    modes = LADDERS.get(device, LADDERS["cuda"])
    if modes[0] is not Mode.FP32:
        return modes
    small = weight_bytes(parameters, Mode.FP32, device) <= _SMALL
    return modes if small else modes[1:]


def next_lower(mode: Mode, parameters: Parameters, device: str) -> Mode | None:
    """The mode to fall back to; None if there is none."""
    lower = [other for other in ladder(parameters, device) if _need(other) < _need(mode)]
    return lower[0] if lower else None


def parse(word: str, kind: type[WordT], what: str) -> WordT | None:
    """The `what` of that name; None for "auto". ModelError for anything else."""
    if word == AUTO:
        return None
    try:
        return kind(word)
    except ValueError:
        raise ModelError(f"There is no {what} {word!r}; there is {AUTO}, {', '.join(kind)}.") from None


def in_gb(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB"


def _need(mode: Mode) -> int:
    """Modes by what they need, the least first."""
    order = (Mode.OFFLOAD, Mode.SWAP, Mode.NF4, Mode.INT8, Mode.BF16, Mode.FP16, Mode.MIXED, Mode.FP32)
    return order.index(mode)
