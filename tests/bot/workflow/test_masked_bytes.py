"""Outside of a mask no byte changes at 12 megapixels, by every way in, for the bundled model and the 7B."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bot.chat.offered_masks import mask_file
from conversations.images.marks import Marks
from conversations.settings import SettingsOverride
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.masks import open_mask
from mgie_engine.serving.process import EngineProcess
from tests.support import tiny_model
from tests.support.masked_photo import HEIGHT, SIZE, WIDTH, as_jpeg, drawn_upon, transparent_box
from tests.support.published import write_release
from tests.support.workflow_room import workflow_room

PAINTED = SettingsOverride(steps=2, seed=3, keep="off")


def a_photo() -> Image.Image:
    """12 megapixels, each pixel another, so that a changed byte shows."""
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT // 40, WIDTH // 40, 3), np.uint8)
    large = np.asarray(Image.fromarray(noise).resize(SIZE, Image.Resampling.BICUBIC)).copy()
    large[::7, ::5] ^= 1
    return Image.fromarray(large)


def model_of(name: str, folder: Path) -> str:
    """The bundled model, or a random one with the architecture and the files of the 7B."""
    if name == "7b":
        folder.mkdir()
        write_release(folder, tiny_model.model())
        return str(folder)
    return name


@pytest.mark.parametrize("name", ["mgie-mini", "7b"])
async def test_no_byte_outside_changes_by_any_way(tmp_path: Path, name: str) -> None:
    photo = a_photo()
    ways: dict[str, dict[str, Any]] = {
        "a program": {"mask": mask_file(transparent_box())},
        "the page": {"mask": Marks.parse("box 2250 2333 6499 6999;line 300 5000 5000 6000 5000")},
        "a drawing sent back": {"picture": drawn_upon(photo)},
    }
    engine = EngineProcess(ModelChoice(model_of(name, tmp_path / "7b"), device="cpu"))
    async with workflow_room(tmp_path, engine) as room:
        first = await room.workflow.handle(room.asked("", picture=as_jpeg(photo)))
        session = await room.store.session_for_channel("paper:c1", "paper:ann")
        assert session is not None, first
        root = session.root
        before = np.asarray(Image.open(io.BytesIO(room.images.get(root.image or ""))).convert("RGB"))
        for way, more in ways.items():
            asked = room.asked("make it darker", turn=root.id, override=PAINTED, **more)
            await room.workflow.handle(replace(asked, reading="The picture is darker."))
            await room.idle()
            [turn] = await room.store.turns_by("paper:ann", 1)
            assert turn.image, (way, turn.error)
            assert turn.mask, way
            region = open_mask(room.images.get(turn.mask), SIZE)
            after = np.asarray(Image.open(io.BytesIO(room.images.get(turn.image))).convert("RGB"))
            differs = (before != after).any(2)
            assert differs[region].sum() > 0, way
            assert differs[~region].sum() == 0, way
            assert 0.1 < region.mean() < 0.4, way
