"""The published files, and their places in a model's folder. Imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from mgie_engine.model_files import is_weights

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
DIFFERENTIAL_FILES = ("mllm.pt", "unet.pt")
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


def is_needed(place: str) -> bool:
    """Whether loading reads a file at this place in a model's folder."""
    name, _, rest = place.partition("/")
    if name == DIFFERENTIALS:
        return rest in DIFFERENTIAL_FILES
    if name in (LLAVA, BASE, DELTA):
        return "/" not in rest and (rest.endswith((".json", ".model")) or is_weights(rest))
    if name == CLIP:
        return rest == "config.json" or ("/" not in rest and is_weights(rest))
    return name == PIX2PIX and (rest in _PIX2PIX_FILES or _is_other_autoencoder(rest))


def _is_other_autoencoder(path: str) -> bool:
    folder, _, name = path.partition("/")
    return folder == "vae" and is_weights(name)


def _in_place(path: str) -> str | None:
    """A file below one of our folders, wherever that folder is in the repository."""
    parts = PurePosixPath(path).parts
    for at, name in enumerate(parts[:-1]):
        if name in (DIFFERENTIALS, LLAVA) and is_needed(place := "/".join(parts[at:])):
            return place
    return None


def _of_delta(path: str) -> str | None:
    return place if is_needed(place := f"{DELTA}/{path}") else None


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
        for name in DIFFERENTIAL_FILES
        if f"{DIFFERENTIALS}/{name}" not in files
    ]
    there = {file.split("/")[0] for file in files if is_weights(file.rpartition("/")[2])}
    if LLAVA not in there and not {BASE, DELTA} <= there:
        if DELTA in there:
            lacks.append(
                f"{BASE}/ is missing: LLaVA's delta is here, LLaMA-7B itself comes from Meta. "
                "`mgie download --from FOLDER` takes it from the folder of Meta's consolidated.00.pth."
            )
        else:
            lacks.append(f"{LLAVA}/ is missing; {BASE}/ and {DELTA}/ together do as well.")
    for folder in (CLIP, PIX2PIX):
        if folder not in there:
            lacks.append(f"{folder}/ is missing (`mgie download mgie-7b`).")
    return lacks
