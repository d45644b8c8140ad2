"""Networks that share a device too small for all: each comes when it is called, the one before it goes.

Through accelerate's hooks. Weights stay in main memory; only copies go to the device, so nothing is
written back. One edit at a time, else the networks would keep throwing each other out.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import psutil
import torch
from accelerate import cpu_offload
from accelerate.hooks import ModelHook, add_hook_to_module
from torch import Tensor, nn

from mgie_engine.model.mgie import MGIE

PINNING = 1.6  # of the weights' own size: torch rounds each block of locked memory up to a power of two


class SharedDevice:
    """A device with room for one network of several; who is on it is `current`."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.current: nn.Module | None = None
        self._homes: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {}

    def add(self, network: nn.Module, doors: Sequence[nn.Module]) -> None:
        """Let `network` come whenever one of its modules `doors` is called."""
        tensors = [*network.parameters(), *network.buffers()]
        self._homes[network] = [(tensor, tensor.data) for tensor in tensors]
        for door in doors:
            add_hook_to_module(door, _Entrance(self, network))

    def enter(self, network: nn.Module) -> None:
        """Bring `network`, after sending away the one that is there."""
        if network is self.current:
            return
        with torch.inference_mode(False):
            if self.current is not None:
                for tensor, home in self._homes[self.current]:
                    tensor.data = home
            for tensor, home in self._homes[network]:
                tensor.data = home.to(self.device)
        self.current = network


class _Entrance(ModelHook):  # type: ignore[misc]
    def __init__(self, stage: SharedDevice, network: nn.Module) -> None:
        super().__init__()
        self._stage, self._network = stage, network

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self._stage.enter(self._network)
        return args, kwargs


def take_turns(mgie: MGIE, device: torch.device) -> SharedDevice:
    """Let language model, U-Net and VAE share the device, one at a time; the edit head is always there."""
    stage = SharedDevice(device)
    stage.add(mgie.mllm, [module for module in mgie.mllm.modules() if _has_own_tensors(module)])
    _add_diffusion(stage, mgie)
    return stage


def offload(mgie: MGIE, device: torch.device) -> SharedDevice:
    """Fetch the language model layer by layer; U-Net and VAE take turns."""
    pin(mgie.mllm, device)
    cpu_offload(mgie.mllm, device)
    mgie.mllm.model.rotary_emb.to(device)
    stage = SharedDevice(device)
    _add_diffusion(stage, mgie)
    return stage


def pin(network: nn.Module, device: torch.device) -> bool:
    """Lock a network's weights in main memory, from where a GPU fetches several times as fast.

    Not for a CPU, and not where main memory is short: then they stay where they are, in mapped files perhaps.
    """
    tensors = [*network.parameters(), *network.buffers()]
    needed = PINNING * sum(tensor.nbytes for tensor in tensors)
    if device.type != "cuda" or needed > psutil.virtual_memory().available:
        return False
    for tensor in tensors:
        tensor.data = tensor.data.pin_memory()
    return True


def _has_own_tensors(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False)) or any(
        True for _ in module.buffers(recurse=False)
    )


def _add_diffusion(stage: SharedDevice, mgie: MGIE) -> None:
    one_by_one(mgie.unet)
    mgie.vae.enable_slicing()  # one picture at a time
    mgie.vae.enable_tiling()  # only for pictures larger than the VAE was trained on
    stage.add(mgie.unet, [mgie.unet])
    stage.add(mgie.vae, [mgie.vae])  # diffusers lets encode and decode call the hook as well


def one_by_one(unet: nn.Module) -> None:
    """Make a U-Net predict a batch row by row: the same numbers in less memory."""
    whole = unet.forward

    def forward(inputs: Tensor, times: Tensor, encoder_hidden_states: Tensor, **more: Any) -> SimpleNamespace:
        rows = [
            whole(inputs[i : i + 1], times[i : i + 1], encoder_hidden_states[i : i + 1], **more).sample
            for i in range(len(inputs))
        ]
        return SimpleNamespace(sample=torch.cat(rows))

    unet.forward = forward
