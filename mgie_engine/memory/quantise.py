"""Linears without bias whose weight is kept in fewer bits and multiplied out where it is used."""

import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mgie_engine.checkpoints.tensors import quantised
from mgie_engine.errors import ModelError
from mgie_engine.memory.modes import Linears

Quantiser = Callable[[Tensor], nn.Module]  # a weight (O, I) → what takes its linear's place
NF4_BLOCK = 64  # weights that share a scale


class Int8Linear(nn.Module):
    """Eight bits a weight and one scale per output channel, as in our int8 shards."""

    steps: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        found = quantised("weight", weight)
        self.register_buffer("steps", found["weight"])  # (O, I) int8
        self.register_buffer("scale", found["weight.scale"].to(weight.dtype)[:, None])  # (O, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        # Scaled before the product, not after: sums of int8 steps would leave fp16's range.
        return F.linear(inputs, self.steps.to(inputs.dtype) * self.scale)


class Nf4Linear(nn.Module):
    """Four bits a weight, the steps of a normal distribution (arXiv 2305.14314), by bitsandbytes' kernels."""

    packed: Tensor
    absmax: Tensor
    code: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        library = bitsandbytes().functional
        packed, state = library.quantize_4bit(
            weight.contiguous(), blocksize=NF4_BLOCK, compress_statistics=False, quant_type="nf4"
        )
        self.shape = weight.shape
        self.register_buffer("packed", packed)  # two weights a byte
        self.register_buffer("absmax", state.absmax)  # one a block
        self.register_buffer("code", state.code)  # the 16 steps

    def forward(self, inputs: Tensor) -> Tensor:
        library = bitsandbytes()
        state = library.functional.QuantState(
            absmax=self.absmax,
            shape=self.shape,
            code=self.code,
            blocksize=NF4_BLOCK,
            quant_type="nf4",
            dtype=inputs.dtype,
        )
        product: Tensor = library.matmul_4bit(inputs, self.packed.t(), quant_state=state)
        return product


QUANTISERS: Mapping[Linears, Quantiser] = {"int8": Int8Linear, "nf4": Nf4Linear}


@cache
def bitsandbytes() -> Any:
    """The library, imported when it is first needed; ModelError if it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports what torch has deprecated
            import bitsandbytes as library
    except ImportError as error:
        raise ModelError(
            "The memory modes nf4 and swap need bitsandbytes: pip install 'mgie[quantised]'."
        ) from error
    return library


def replace_linear(network: nn.Module, name: str, weight: Tensor, quantise: Quantiser) -> None:
    """Put a quantised linear where `name`, a weight in a state dict of `network`, belongs."""
    path = name.removesuffix(".weight")
    with torch.inference_mode(False), torch.no_grad():
        network.set_submodule(path, quantise(weight))
