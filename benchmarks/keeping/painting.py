"""A model's edits of many pictures at once, up to where they are brought to the pictures' size."""

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from conversations.settings import EditSettings, SettingsOverride
from mgie_engine.config import models_home
from mgie_engine.edits import Doubt, EditRequest, Exchange
from mgie_engine.lab.evaluation.scenes_running import paint_all
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.edit_options import settle
from mgie_engine.serving.engine import edit_alone
from mgie_engine.serving.framing import FramedPicture, Framing, view
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.pictures import for_the_model, to_png
from mgie_engine.serving.postprocess import Opened, Painted, changes_nothing, with_probe
from mgie_engine.serving.reading_doubt import doubt_about
from mgie_engine.text.prompting import Prompt

Talk = tuple[Exchange, ...]
READ_AT_ONCE = 8


def load(name: str, device: str) -> MGIE:
    """The model of that name, on a device."""
    return ModelChoice(name, models_home(os.environ), device).load()


def defaults(mgie: MGIE) -> EditSettings:
    """The settings a person has who set nothing, and seed 0."""
    return settle(SettingsOverride(), mgie.config.defaults, fresh_seed=0)


@dataclass(frozen=True, slots=True)
class PhotoEdit:
    """One instruction for one photo: how it was read, and what comes out where the bot does not ask."""

    expressive: str
    doubt: Doubt | None  # about which the bot would ask first
    declined: bool
    others: tuple[str, ...]  # what the bot would offer beside the reading
    result: Image.Image  # RGB, at the photo's size


def edit_photos(mgie: MGIE, photo: Image.Image, instructions: Sequence[str]) -> Iterator[PhotoEdit]:
    """Each instruction on the same RGB photo, with the default settings."""
    square, png, settings = for_the_model(photo, mgie.config.picture_size), to_png(photo), defaults(mgie)
    for first in range(0, len(instructions), READ_AT_ONCE):
        some = instructions[first : first + READ_AT_ONCE]
        prompts = [Prompt(said, wants_other=True) for said in some]
        for said, reading in zip(some, mgie.read([square] * len(some), prompts), strict=True):
            request = EditRequest(png, said, settings)
            doubt = doubt_about(reading, request, mgie.config)
            declined = changes_nothing(reading.expressive, mgie.config.refusal)
            if declined:
                made = photo
            else:
                result = edit_alone(mgie, replace(request, reading=reading.expressive), lambda progress: None)
                made = Image.open(io.BytesIO(result.image)).convert("RGB")
            asks = doubt.kind if doubt else None
            yield PhotoEdit(reading.expressive, asks, declined, reading.others, made)


@torch.inference_mode()
def paint(
    mgie: MGIE,
    originals: Sequence[Image.Image],
    instructions: Sequence[str],
    talks: Sequence[Talk],
    settings: EditSettings,
    framing: Framing = Framing.SQUEEZE,
) -> tuple[list[Painted], list[str]]:
    """The painted edits, picture number i with seed + i, and what was understood.

    Originals are of any sizes, with aspect as the framing of one size.
    """
    views = [view(original, mgie.config, framing) for original in originals]
    squares = [one.shown for one in views]
    readings = mgie.read(
        squares, [Prompt(instruction, talk) for instruction, talk in zip(instructions, talks, strict=True)]
    )
    seeded = [replace(settings, seed=settings.seed + i) for i in range(len(squares))]
    painted = paint_all(mgie, squares, readings, seeded)
    if framing is Framing.SQUEEZE:
        whole = [replace(one, original=original) for one, original in zip(painted, originals, strict=True)]
    else:
        whole = [
            with_probe(mgie, _opened(mgie, original, one).painted(*_made(raw)))
            for original, one, raw in zip(originals, views, painted, strict=True)
        ]
    return whole, [reading.expressive for reading in readings]


def _opened(mgie: MGIE, original: Image.Image, shown: FramedPicture) -> Opened:
    return Opened(original, shown, mgie.config.picture_size)


def _made(raw: Painted) -> tuple[Image.Image, Image.Image, np.ndarray | None, str]:
    return raw.reconstruction, raw.output, raw.relevance, raw.model


@torch.inference_mode()
def through(
    mgie: MGIE,
    originals: Sequence[Image.Image],
    goals: Sequence[Image.Image],
    framing: Framing = Framing.SQUEEZE,
) -> list[Painted]:
    """The goals as painted edits: through the model's autoencoder, with nothing known of words."""
    views, wanted = ([view(picture, mgie.config, framing) for picture in some] for some in (originals, goals))
    seen, outputs = (
        mgie.decode(mgie.encode([one.shown for one in some]) * mgie.config.latent_scale)
        for some in (views, wanted)
    )
    found = [
        _opened(mgie, original, shown).painted(reconstruction, output, None, mgie.config.name)
        for original, shown, reconstruction, output in zip(originals, views, seen, outputs, strict=True)
    ]
    return [with_probe(mgie, painted) for painted in found]


def enlarged(painted: Painted) -> Image.Image:
    """What a pipeline without restoring gives: the painted square, stretched to the picture."""
    return painted.output.resize(painted.original.size, Image.Resampling.LANCZOS)
