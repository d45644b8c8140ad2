"""The published files, and their places in a model's folder. Imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

DIFFERENTIALS = "mgie_7b"
LLAVA, BASE, DELTA = "LLaVA-7B-v1", "llama-7b", "LLaVA-Lightning-7B-delta-v1-1"
CLIP, CLIP_HUB = "clip-vit-large-patch14", "openai/clip-vit-large-patch14"
PIX2PIX, PIX2PIX_HUB = "instruct-pix2pix", "timbrooks/instruct-pix2pix"
MGIE_HUB, DELTA_HUB = "tsujuifu/ml-mgie", "liuhaotian/LLaVA-Lightning-7B-delta-v1-1"
# Commits of the hub; of a repository that is not named, the newest is taken.
REVISIONS = {
    CLIP_HUB: "32bd64288804d66eefd0ccbe215aa642df71cc41",
    PIX2PIX_HUB: "31519b5cb02a7fd89b906d88731cd4d6a7bbf88d",
}
FOLDERS = (DIFFERENTIALS, LLAVA, BASE, DELTA, CLIP, PIX2PIX)

LICENCE = """\
MGIE-7B is put together from files under terms of their own:
  Apple's weight differentials      CC BY-NC 4.0: not for commercial use
  LLaMA and LLaVA                   Meta's LLaMA licence: research, not for commercial use
  CLIP ViT-L/14                     MIT, https://huggingface.co/openai/clip-vit-large-patch14
  InstructPix2Pix (VAE, settings)   its model card, https://huggingface.co/timbrooks/instruct-pix2pix
"""

RepoKind = Literal["model", "space"]
_LLAMA_FILES = (".json", ".model", ".bin", ".safetensors")
_PIX2PIX_FILES = (
    "unet/config.json",
    "scheduler/scheduler_config.json",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A repository of the hub and the files needed from it."""

    hub: str
    place: Callable[[str], str | None]  # a file there → its path in the model's folder; None: not needed
    kinds: tuple[RepoKind, ...] = ("model",)  # tried in this order


def _in_place(path: str) -> str | None:
    """A file below one of our folders, wherever that folder is in the repository."""
    parts = PurePosixPath(path).parts
    for at, name in enumerate(parts[:-1]):
        if name == DIFFERENTIALS and parts[at + 1 :] in (("mllm.pt",), ("unet.pt",)):
            return f"{name}/{parts[-1]}"
        if name == LLAVA and len(parts) == at + 2 and path.endswith(_LLAMA_FILES):
            return f"{name}/{parts[-1]}"
    return None


def _of_delta(path: str) -> str | None:
    return f"{DELTA}/{path}" if "/" not in path and path.endswith(_LLAMA_FILES) else None


def _of_clip(path: str) -> str | None:
    return f"{CLIP}/{path}" if path in ("config.json", "model.safetensors") else None


def _of_pix2pix(path: str) -> str | None:
    return f"{PIX2PIX}/{path}" if path in _PIX2PIX_FILES else None


MGIE = Part(MGIE_HUB, _in_place, ("model", "space"))
LLAVA_DELTA = Part(DELTA_HUB, _of_delta)  # if LLaVA is not beside the differentials
OTHERS = (Part(CLIP_HUB, _of_clip), Part(PIX2PIX_HUB, _of_pix2pix))


def is_llava(target: str) -> bool:
    """Whether a path in the model's folder belongs to the whole LLaVA, not to its delta."""
    return target.startswith(f"{LLAVA}/")


def missing(files: set[str]) -> list[str]:
    """What is missing to load a folder with these files, one sentence each; relative POSIX paths."""
    lacks = [
        f"{DIFFERENTIALS}/{name} is missing (Apple's differentials, `mgie download mgie-7b`)."
        for name in ("mllm.pt", "unet.pt")
        if f"{DIFFERENTIALS}/{name}" not in files
    ]
    there = {file.split("/")[0] for file in files if file.endswith((".bin", ".safetensors"))}
    if LLAVA not in there and not {BASE, DELTA} <= there:
        if DELTA in there:
            lacks.append(f"{BASE}/ is missing: LLaVA's delta is here, LLaMA-7B itself comes from Meta.")
        else:
            lacks.append(f"{LLAVA}/ is missing; {BASE}/ and {DELTA}/ together do as well.")
    for folder in (CLIP, PIX2PIX):
        if folder not in there:
            lacks.append(f"{folder}/ is missing (`mgie download mgie-7b`).")
    return lacks
