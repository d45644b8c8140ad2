"""What Apple's mllm.pt and unet.pt must hold: names, types and shapes of their tensors, and their sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from mgie_engine.checkpoints import native
from mgie_engine.checkpoints.layout import DIFFERENTIALS
from mgie_engine.checkpoints.native import VISUAL_EMBEDDINGS
from mgie_engine.checkpoints.tensors import read_headers
from mgie_engine.config import ModelConfig
from mgie_engine.errors import ModelError
from mgie_engine.install.full_size import FULL_SIZE

_TAUGHT = ("model.embed_tokens.", "lm_head.", "edit_head.")
_UNET = "unet."


@dataclass(frozen=True, slots=True)
class Differentials:
    """The tensors of both files, in half precision."""

    shapes: Mapping[str, Mapping[str, torch.Size]]  # file → tensor → shape
    embeddings: torch.Size  # of `emb`, which mllm.pt may hold or lack

    @classmethod
    def of(cls, config: ModelConfig = FULL_SIZE) -> "Differentials":
        """Those of a model of these sizes, by default of the published one."""
        networks = native.empty(config)
        found = {part: network.state_dict() for part, network in networks.parts().items()}
        shapes = {name: found[part][local].shape for name, (part, local) in native.places(networks).items()}
        mllm = {name: shape for name, shape in shapes.items() if name.startswith(_TAUGHT)}
        unet = {name.removeprefix(_UNET): shape for name, shape in shapes.items() if name.startswith(_UNET)}
        return cls({"mllm.pt": mllm, "unet.pt": unet}, networks.mllm.visual_embeddings.shape)

    def bytes_of(self, file: str) -> int:
        """Bytes that the tensors of a file take."""
        extra = self.embeddings.numel() if file == "mllm.pt" else 0
        return 2 * (extra + sum(shape.numel() for shape in self.shapes[file].values()))

    @property
    def most(self) -> dict[str, int]:
        """The largest size of each file: its tensors, and what torch writes around them."""
        return {file: round(1.01 * self.bytes_of(file)) + 2**20 for file in self.shapes}

    def check(self, place: str, file: Path) -> None:
        """ModelError unless a file that shall go to this place of a model's folder is the published one.

        Files of other places than mgie_7b/ are not looked at.
        """
        folder, _, name = place.partition("/")
        if folder != DIFFERENTIALS or name not in self.shapes:
            return
        size, least = file.stat().st_size, self.bytes_of(name) - 2 * self.embeddings.numel()
        if not least <= size <= self.most[name]:
            raise ModelError(f"{place} has {size} bytes, not the {self.bytes_of(name)} of its tensors.")
        tensors = read_headers([file])
        for tensor, shape in self.shapes[name].items():
            native.required_tensor(tensor, tensors, shape)
        own = {VISUAL_EMBEDDINGS} if name == "mllm.pt" else set()
        if unknown := tensors.keys() - self.shapes[name].keys() - own:
            raise ModelError(f"{place} holds the tensor {min(unknown)}, which is not in the published one.")
        if own & tensors.keys():
            native.require_embeddings(tensors[VISUAL_EMBEDDINGS], self.embeddings)
