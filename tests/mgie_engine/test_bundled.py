"""The weights in the box, through the engine, as a newcomer meets them."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from conversations.settings import Ask, EditSettings
from mgie_engine.config import BUNDLED
from mgie_engine.edits import Doubt, EditRequest, EditResult
from mgie_engine.lab.evaluation.scene_cases import psnr, score_picture
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.lab.scenes.human_prompts import prompt_start
from mgie_engine.lab.scenes.scene import Cell, new_object
from mgie_engine.lab.scenes.scene_edits import Edit, add_it, recolour_to, remove_it
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.model.mgie import MGIE
from mgie_engine.restore.region_masks import REGIONS, no_layers
from mgie_engine.restore.tones import TONES
from mgie_engine.serving.engine import edit_alone
from mgie_engine.serving.loader import ModelChoice

FOLDER = BUNDLED / "mgie-mini"
HILLS = Path(__file__).parents[2] / "bot" / "samples" / "hills.jpg"


@pytest.fixture(scope="module")
def mini() -> MGIE:
    return ModelChoice("mgie-mini", device="cpu").load()


def hills() -> bytes:
    png = io.BytesIO()
    Image.open(io.BytesIO(HILLS.read_bytes())).convert("RGB").save(png, "PNG")
    return png.getvalue()


def ask(mini: MGIE, instruction: str, picture: bytes | None = None, asks: Ask = "off") -> EditResult:
    usual = mini.config.defaults
    settings = EditSettings(usual.text_cfg, usual.image_cfg, usual.steps, 7, usual.sampler, ask=asks)
    return edit_alone(mini, EditRequest(picture or hills(), instruction, settings), lambda progress: None)


def brightness(png: bytes) -> float:
    return float(np.asarray(Image.open(io.BytesIO(png)).convert("L")).mean())


def test_everything_shipped_stays_small():
    shards = [path.stat().st_size for path in FOLDER.glob("*.safetensors")]
    assert max(shards) <= 15 * 2**20
    assert sum(shards) <= 40e6


def test_a_photo_gets_darker_when_asked(mini):
    result = ask(mini, "make it darker")
    assert "darker" in result.expressive
    assert brightness(result.image) < 0.9 * brightness(hills())
    assert result.size == Image.open(io.BytesIO(hills())).size


def test_a_photo_is_sharpened_by_as_much_as_training_taught(mini):
    before = pixels(Image.open(io.BytesIO(hills())))
    wanted = TONES["sharpen"](before[None], torch.ones(1, 1, 1, 1))[0].clamp(0, 1)
    after = pixels(Image.open(io.BytesIO(ask(mini, "sharpen it").image)))
    assert psnr((after - wanted).square()) > 33


def test_what_is_in_a_photo_is_left_alone_and_said_so(mini):
    result = ask(mini, "remove the man")
    assert result.image == hills()
    assert result.expressive.startswith("Nothing changes")


def edits_of_a_scene() -> list[Edit]:
    """A recolouring, a removal and an addition."""
    start = prompt_start()
    ball = next(thing for thing in start.drawn.objects if thing.kind == "ball")
    star = new_object("star", "yellow", Cell(2, 2), size="medium")
    added = add_it(start, (star,), "add a yellow star between the ball and the car")
    assert added
    return [
        recolour_to(start, ball, "blue", "make the ball blue"),
        remove_it(start, ball, "remove the ball"),
        added,
    ]


@pytest.mark.parametrize("number", range(3), ids=["recolours", "removes", "adds"])
def test_it_edits_what_is_in_a_drawn_scene(mini, number):
    edit = edits_of_a_scene()[number]
    before, goal = pictures((prompt_start(), edit.goal), mini.config.picture_size)
    png = io.BytesIO()
    to_image(before).save(png, "PNG")
    result = ask(mini, edit.instruction, png.getvalue())
    score = score_picture(before, goal, pixels(Image.open(io.BytesIO(result.image)).convert("RGB")))
    assert score.success, result.expressive
    assert result.confidence is not None


@pytest.mark.parametrize(
    ("instruction", "region", "expected"),
    [("make the top half warmer", "top", "warm"), ("make the left half black and white", "left", "grey")],
)
def test_it_addresses_a_part_of_a_photo(mini, instruction, region, expected):
    before = pixels(Image.open(io.BytesIO(hills())))
    result = ask(mini, instruction)
    after = pixels(Image.open(io.BytesIO(result.image)))
    mask = REGIONS[region](before[None], no_layers(before[None]))[0]
    goal = mask * TONES[expected](before[None], torch.ones(1, 1, 1, 1))[0].clamp(0, 1) + (1 - mask) * before
    outside = (mask == 0).expand_as(before)
    assert psnr((after - goal).square()) > 28, result.expressive
    assert torch.equal(after[outside], before[outside])


def test_a_part_that_it_cannot_address_is_asked_about_or_announced(mini):
    asked = ask(mini, "make the roof darker", asks="on")
    assert (asked.is_question, asked.doubt, asked.image) == (True, Doubt.WHOLE, hills())
    assert "note_whole_picture" in [note.code for note in ask(mini, "make the roof darker").notes]
