"""The published files at toy size, as Apple, Meta and the hub offer them."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save

from mgie_engine.checkpoints.layout import CLIP, CLIP_HUB, DELTA, DELTA_HUB, PIX2PIX, PIX2PIX_HUB
from mgie_engine.checkpoints.mgie7b import read_released
from mgie_engine.checkpoints.native import named_tensors
from mgie_engine.model.mgie import MGIE
from tests.support.published import (
    delta_rows,
    shortened,
    write_base_and_delta,
    write_meta_llama,
    write_release,
)

HEADS = 4


def write_toy_release(folder: Path, mgie: MGIE) -> None:
    """A released folder whose LLaVA is the delta, and LLaMA Meta's own file."""
    write_release(folder, mgie)
    names = {name for name, _ in named_tensors(mgie) if name.startswith(("model.", "lm_head."))}
    whole = {name: tensor for name, tensor in read_released(folder).tensors.items() if name in names}
    llava = shortened(whole, delta_rows(mgie.tokenizer))

    def write_base(base: Path, llama: dict[str, torch.Tensor]) -> None:
        write_meta_llama(base, llama, HEADS)

    write_base_and_delta(folder, mgie, llava, write_base=write_base)


def hub_of(folder: Path) -> dict[str, dict[str, bytes]]:
    """The repositories of the hub with what is in a released folder, without Apple's and Meta's files."""
    places = {DELTA_HUB: DELTA, CLIP_HUB: CLIP, PIX2PIX_HUB: PIX2PIX}
    found = {
        hub: {
            file.relative_to(folder / name).as_posix(): file.read_bytes()
            for file in (folder / name).rglob("*")
            if file.is_file()
        }
        for hub, name in places.items()
    }
    clip = torch.load(folder / CLIP / "pytorch_model.bin", weights_only=True)
    found[CLIP_HUB]["model.safetensors"] = save(clip)
    return found


def pack(
    folder: Path, archive: Path, change: Callable[[str, bytes], bytes] = lambda name, data: data
) -> Path:
    """Apple's archive of the pair in `folder`/mgie_7b; `change` may replace what a file holds."""
    with gzip.open(archive, "wb", 1) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("mllm.pt", "unet.pt"):
            data = change(name, (folder / "mgie_7b" / name).read_bytes())
            member = tarfile.TarInfo(f"mgie_7b/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return archive
